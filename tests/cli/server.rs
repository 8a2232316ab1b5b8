//! The server: started by who needs it, replaced when it died, stopped when told.

use crate::support::{quiet_success, rich_installed, script};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use omnipkg_tests::context::{binary, is_mounted};
use omnipkg_tests::process::run;
use omnipkg_tests::{Context, require_fuse};
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;

fn with_fuse() -> Option<Context> {
    require_fuse().then(|| Context::new().fuse())
}

#[track_caller]
fn status(context: &Context, which: &str) -> Option<Pid> {
    let answer = quiet_success(context.run(["--json", "server", "status"]));
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["running"], serde_json::json!(answer["holder"].is_i64()));
    answer[which].as_i64().map(|process| Pid::from_raw(i32::try_from(process).unwrap()))
}

/// The process that holds the mount.
#[track_caller]
fn server(context: &Context) -> Option<Pid> {
    status(context, "holder")
}

fn mounted(context: &Context) -> bool {
    is_mounted(&context.store().join("mnt"))
}

/// Every process that serves this context's store.
fn servers(context: &Context) -> Vec<i32> {
    let store = format!("OMNIPKG_HOME={}", context.store().display());
    let has = |process: i32, file: &str, text: &str| {
        let bytes = fs::read(format!("/proc/{process}/{file}")).unwrap_or_default();
        bytes.split(|byte| *byte == 0).any(|part| part == text.as_bytes())
    };
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers.filter(|process| has(*process, "cmdline", "--foreground") && has(*process, "environ", &store)).collect()
}

#[test]
fn it_starts_with_the_first_view_and_stops_when_told() {
    let Some(context) = with_fuse() else { return };
    assert_eq!(server(&context), None);
    assert_eq!(quiet_success(context.run(["server", "status"])), "not running\n");
    script(&context, "ok.py", &["print('ok')"]);
    assert_eq!(quiet_success(context.run(["run", "ok.py"])), "ok\n");
    let process = server(&context).expect("a server");
    assert_eq!(servers(&context), [process.as_raw()]);
    assert!(mounted(&context));
    assert_eq!(quiet_success(context.run(["server", "stop"])), "");
    assert_eq!((server(&context), mounted(&context)), (None, false));
    assert_eq!(quiet_success(context.run(["server", "stop"])), "");
    assert_eq!(quiet_success(context.run(["server", "start"])), "");
    assert!(mounted(&context));
    assert_eq!(quiet_success(context.run(["run", "ok.py"])), "ok\n");
}

#[test]
fn what_dead_ones_left_is_cleared() {
    let Some(context) = with_fuse() else { return };
    let context = rich_installed(context);
    let both = ["holder", "process"].map(|which| status(&context, which).expect("a server"));
    // stopped first, so that neither sees the other's end
    both.iter().for_each(|process| kill(*process, Signal::SIGSTOP).unwrap());
    both.iter().for_each(|process| kill(*process, Signal::SIGKILL).unwrap());
    assert!((0..1000).any(|_| server(&context).is_none()), "they do not die");
    assert_eq!(quiet_success(context.run(["list"])), "rich  13.7.1\n");
    assert_eq!(quiet_success(context.run(["server", "stop"])), "");
    assert!(!mounted(&context), "what a dead server left is cleared");
}

#[test]
fn one_that_is_stopped_lets_its_users_go_on() {
    let Some(context) = with_fuse() else { return };
    let context = rich_installed(context);
    let code = "import os, rich\nfile = open(rich.__file__)\nopen('begun', 'w').close()\ninput()\n\
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)\nprint(len(file.read()) > 0)";
    let mut command = context.command(["run", "--", "python", "-c", code]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    while !context.work().join("begun").exists() {
        std::thread::yield_now();
    }
    let first = server(&context);
    assert_eq!(quiet_success(context.run(["server", "stop"])), "");
    assert_eq!((server(&context), mounted(&context)), (None, false));
    script(&context, "ok.py", &["import rich", "print(rich.__version__)"]);
    assert_eq!(quiet_success(context.run(["run", "ok.py"])), "13.7.1\n");
    assert_ne!(server(&context), first);
    child.stdin.take().unwrap().write_all(b"\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "True\n");
    assert!(mounted(&context), "the old server's end leaves the new one's mount alone");
}

#[test]
fn commands_that_start_at_once_start_one() {
    let Some(context) = with_fuse() else { return };
    let context = rich_installed(context);
    context.run(["server", "stop"]).success();
    script(&context, "s.py", &["import rich", "print(rich.__version__)"]);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(quiet_success(context.run(["run", "s.py"])), "13.7.1\n"));
        }
    });
    assert_eq!(servers(&context).len(), 1);
}

#[test]
fn it_keeps_nothing_open_that_its_caller_had_open() {
    let Some(context) = with_fuse() else { return };
    script(&context, "ok.py", &["print('ok')"]);
    let mut command = context.program("/bin/sh");
    command.args(["-c", &format!("exec 7>held; {} run ok.py", binary().display())]);
    assert_eq!(quiet_success(run(command, b"")), "ok\n");
    let process = server(&context).expect("a server");
    let open = fs::read_dir(format!("/proc/{process}/fd")).unwrap().flatten();
    let open: Vec<PathBuf> = open.filter_map(|entry| fs::read_link(entry.path()).ok()).collect();
    assert!(open.iter().all(|path| !path.starts_with(context.work())), "{open:?}");
    assert!(open.contains(&PathBuf::from("/dev/fuse")), "{open:?}");
    assert_eq!(fs::read_link(format!("/proc/{process}/cwd")).unwrap(), PathBuf::from("/"));
}

#[test]
fn a_second_one_in_the_foreground_is_refused() {
    let Some(context) = with_fuse() else { return };
    context.run(["server", "start"]).success();
    let before = server(&context);
    let output = context.run(["server", "start", "--foreground"]).expect_code(1);
    assert_eq!(output.stderr, "omnipkg: error: a server is running already\n");
    assert_eq!(server(&context), before);
    assert!(mounted(&context));
}
