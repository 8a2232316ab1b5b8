//! Servers that die, hang or are replaced while programs use a view: the programs see a pause.

use crate::support::{await_condition, install, quiet_success, script};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use omnipkg_tests::context::{binary, is_mounted};
use omnipkg_tests::encoding::sha256_hex;
use omnipkg_tests::{Context, WheelBuilder, require_fuse};
use serde_json::Value;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Instant;

const READER: &str = include_str!("takeover.py");
const MODULES: usize = 12;
const PARTS: usize = 6;
const PART_SIZE: usize = 2 << 20;
/// With them the wheel is one that views refer to.
const TEXTS: usize = 520;

/// `OMNIPKG_TAKEOVERS=200x20`: so many servers are killed, and so many stopped; unset: what fits into a test run.
fn size() -> (u64, u64) {
    let text = std::env::var("OMNIPKG_TAKEOVERS").unwrap_or_else(|_| "25x1".to_owned());
    let (kills, stops) = text.split_once('x').expect("KILLSxSTOPS");
    (kills.parse().expect("kills"), stops.parse().expect("stops"))
}

/// A server, and a package with modules and large files that say what they should hold.
fn with_payload() -> Option<Context> {
    if !require_fuse() {
        return None;
    }
    let context = Context::new().fuse();
    let mut wheel = WheelBuilder::new("payload", "1.0").file("payload/__init__.py", format!("MODULES = {MODULES}\n"));
    for number in 0..MODULES {
        wheel = wheel.file(&format!("payload/module{number}.py"), format!("VALUE = {number}\n"));
    }
    for number in 0..PARTS {
        let bytes: Vec<u8> = (0..PART_SIZE).map(|place| (place / 251 + place * 7 + number * 31) as u8).collect();
        wheel = wheel.file(&format!("payload/{}.bin", sha256_hex(&bytes)), bytes);
    }
    for number in 0..TEXTS {
        wheel = wheel.file(&format!("payload/texts/{number}.txt"), format!("{number}"));
    }
    context.index().add(&wheel.build());
    install(&context, &["payload"]);
    Some(context)
}

fn status(context: &Context) -> Value {
    serde_json::from_str(&quiet_success(context.run(["--json", "server", "status"]))).unwrap()
}

fn process(context: &Context, which: &str) -> Pid {
    let mut number = None;
    // a server that is just beginning has not said its number
    await_condition("a server", || {
        number = status(context)[which].as_i64();
        number.is_some()
    });
    Pid::from_raw(i32::try_from(number.unwrap()).unwrap())
}

fn requests(context: &Context) -> u64 {
    status(context)["counters"].as_object().unwrap().values().filter_map(Value::as_u64).sum()
}

struct Readers<'a> {
    context: &'a Context,
    children: Vec<Child>,
}

impl<'a> Readers<'a> {
    fn start(context: &'a Context, count: usize) -> Self {
        fs::remove_file(context.work().join("stop")).ok();
        context.script("reader.py", READER);
        let start = |number: usize| {
            fs::remove_file(context.work().join(format!("begun-{number}"))).ok();
            let mut command = context.command(["run", "reader.py", &number.to_string()]);
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        };
        let children = (0..count).map(start).collect();
        let begun = |number: usize| context.work().join(format!("begun-{number}")).exists();
        await_condition("a reader", || (0..count).all(begun));
        Self { context, children }
    }

    /// Lets them end after their round; nothing may have failed.
    #[track_caller]
    fn finish(self) {
        fs::write(self.context.work().join("stop"), "").unwrap();
        for child in self.children {
            let output = child.wait_with_output().unwrap();
            let (talk, text) = (String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout));
            assert!(output.status.success() && text.starts_with("read ") && talk.is_empty(), "{text}\n{talk}");
        }
    }
}

#[track_caller]
fn one_mount(context: &Context) {
    let path = context.store().join("mnt");
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let ours = mounts.lines().filter(|line| line.contains(path.to_str().unwrap())).count();
    assert_eq!((ours, is_mounted(&path)), (1, true), "no mount is left over, none is missing");
}

#[test]
fn programs_do_not_see_that_servers_are_killed_and_stopped() {
    let Some(context) = with_payload() else { return };
    let (kills, stops) = size();
    let readers = Readers::start(&context, 4);
    let mut random = 1u64;
    for _ in 0..kills {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let target = requests(&context) + (random >> 33) % 300;
        await_condition("requests", || requests(&context) >= target);
        // it may have been replaced since it was asked for
        kill(process(&context, "process"), Signal::SIGKILL).ok();
    }
    for _ in 0..stops {
        // one that was killed just now may still be told of
        let mut stopped = process(&context, "process");
        await_condition("a server to stop", || {
            stopped = process(&context, "process");
            kill(stopped, Signal::SIGSTOP).is_ok()
        });
        let began = Instant::now();
        await_condition("another server", || process(&context, "process") != stopped);
        eprintln!("a stopped server was replaced after {:?}", began.elapsed());
        let before = requests(&context);
        await_condition("requests", || requests(&context) > before + 50);
    }
    readers.finish();
    assert!(status(&context)["servers"].as_u64().unwrap() > stops + kills / 2);
    one_mount(&context);
}

#[test]
fn a_server_takes_its_dead_holders_place() {
    let Some(context) = with_payload() else { return };
    let readers = Readers::start(&context, 1);
    let (holder, server) = (process(&context, "holder"), process(&context, "process"));
    kill(holder, Signal::SIGKILL).unwrap();
    await_condition("another holder", || process(&context, "holder") == server);
    await_condition("another server", || process(&context, "process") != server);
    kill(process(&context, "process"), Signal::SIGKILL).unwrap();
    let before = requests(&context);
    await_condition("requests", || requests(&context) > before + 50);
    readers.finish();
    one_mount(&context);
    assert_eq!(quiet_success(context.run(["server", "stop"])), "");
    assert!(!is_mounted(&context.store().join("mnt")));
}

#[test]
fn a_holder_that_was_stopped_goes_on_when_it_is_needed() {
    let Some(context) = with_payload() else { return };
    script(&context, "ok.py", &["import payload.module3", "print(payload.module3.VALUE)"]);
    let both = [process(&context, "holder"), process(&context, "process")];
    both.iter().for_each(|process| kill(*process, Signal::SIGSTOP).unwrap());
    kill(both[1], Signal::SIGKILL).unwrap();
    assert_eq!(quiet_success(context.run(["run", "ok.py"])), "3\n");
    one_mount(&context);
}

#[test]
fn a_mount_that_somebody_has_in_a_namespace_can_be_stopped() {
    let Some(context) = with_payload() else { return };
    let mut command = context.program("unshare");
    command.args(["--mount", "sh", "-c", "echo ready; read line"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let Ok(mut keeper) = command.spawn() else { return eprintln!("skipped: there is no unshare") };
    let mut line = [0; 6];
    if keeper.stdout.as_mut().unwrap().read_exact(&mut line).is_err() {
        return eprintln!("skipped: no mount namespace can be made");
    }
    assert_eq!(quiet_success(context.run(["server", "stop"])), "");
    assert_eq!(quiet_success(context.run(["server", "start"])), "");
    one_mount(&context);
    drop(keeper.stdin.take());
    keeper.wait().unwrap();
}

#[test]
fn a_server_whose_holder_died_just_now_can_be_stopped() {
    let Some(context) = with_payload() else { return };
    for _ in 0..4 {
        kill(process(&context, "holder"), Signal::SIGKILL).unwrap();
        assert_eq!(quiet_success(context.run(["server", "stop"])), "");
        assert!(!is_mounted(&context.store().join("mnt")));
        assert_eq!(quiet_success(context.run(["server", "start"])), "");
        one_mount(&context);
    }
}

#[test]
fn who_serves_the_last_users_of_a_mount_leaves_the_next_one_alone() {
    let Some(context) = with_payload() else { return };
    let code = "import os, payload\nfile = open(payload.__file__)\nopen('begun-0', 'w').close()\ninput()\n\
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)\nprint(len(file.read()) > 0)";
    let mut command = context.command(["run", "--", "python", "-c", code]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    await_condition("the user", || context.work().join("begun-0").exists());
    let (old_holder, old_server) = (process(&context, "holder"), process(&context, "process"));
    assert_eq!(quiet_success(context.run(["server", "stop"])), "");
    assert_eq!(quiet_success(context.run(["server", "start"])), "");
    let holder = process(&context, "holder");
    kill(old_holder, Signal::SIGKILL).unwrap();
    // its server becomes the holder of what is left, and starts another server
    let has_child = || {
        let children = fs::read_to_string(format!("/proc/{old_server}/task/{old_server}/children"));
        children.is_ok_and(|children| !children.trim().is_empty())
    };
    await_condition("another server for the old mount", has_child);
    assert_eq!(process(&context, "holder"), holder);
    child.stdin.take().unwrap().write_all(b"\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "True\n");
    one_mount(&context);
    assert_eq!(quiet_success(context.run(["server", "stop"])), "");
    assert!(!is_mounted(&context.store().join("mnt")));
}

#[test]
fn the_next_command_mounts_anew_when_both_are_dead() {
    let Some(context) = with_payload() else { return };
    script(&context, "ok.py", &["import payload.module3", "print(payload.module3.VALUE)"]);
    for _ in 0..2 {
        let both = [process(&context, "holder"), process(&context, "process")];
        // stopped first, so that neither sees the other's end
        both.iter().for_each(|process| kill(*process, Signal::SIGSTOP).unwrap());
        both.iter().for_each(|process| kill(*process, Signal::SIGKILL).unwrap());
        await_condition("their end", || status(&context)["holder"].is_null());
        assert_eq!(quiet_success(context.run(["run", "ok.py"])), "3\n");
        one_mount(&context);
    }
}

/// What the kernel has of the program of a process.
fn program(process: Pid) -> std::path::PathBuf {
    fs::read_link(format!("/proc/{process}/exe")).unwrap()
}

#[test]
fn another_omnipkg_takes_the_servers_place() {
    let Some(context) = with_payload() else { return };
    let readers = Readers::start(&context, 1);
    let newer = context.work().join("newer-omnipkg");
    fs::copy(binary(), &newer).unwrap();
    let holder = process(&context, "holder");
    let mut command = context.program(&newer);
    command.args(["server", "restart"]);
    assert_eq!(quiet_success(omnipkg_tests::process::run(command, b"")), "");
    assert_eq!((process(&context, "holder"), program(holder)), (holder, newer.clone()));
    assert_eq!(program(process(&context, "process")), newer);
    readers.finish();

    // an older one makes room by itself for who needs a view
    let record = context.store().join("run/server.lock");
    let text = fs::read_to_string(&record).unwrap();
    let version = text.lines().nth(1).unwrap();
    fs::write(&record, text.replace(version, "0.0.1")).unwrap();
    script(&context, "ok.py", &["import payload", "print(payload.MODULES)"]);
    assert_eq!(quiet_success(context.run(["run", "ok.py"])), format!("{MODULES}\n"));
    assert_eq!(fs::read_to_string(&record).unwrap().lines().nth(1), Some(version));
    assert_eq!(program(process(&context, "holder")), binary());
    one_mount(&context);
}

#[test]
fn a_server_that_is_stuck_on_its_disk_is_replaced() {
    let Some(context) = with_payload() else { return };
    let code = "import payload, glob, os\n\
        path = sorted(glob.glob(os.path.dirname(payload.__file__) + '/*.bin'))[0]\n\
        print(open(path, 'rb').read(4).hex())";
    // a disk that hangs: the objects lie in another store's mount, and nobody serves that
    let disk = with_payload().unwrap();
    let directory =
        quiet_success(disk.run(["run", "--", "python", "-c", "import payload; print(payload.__path__[0])"]));
    let on_disk = |path: &Path| {
        let bytes = fs::read(path).unwrap();
        Path::new(directory.trim_end()).join(format!("{}.bin", sha256_hex(&bytes)))
    };
    let objects = context.store_files("objects").into_iter().map(|file| context.store().join("objects").join(file));
    let large: Vec<_> = objects.filter(|path| path.metadata().unwrap().len() == PART_SIZE as u64).collect();
    assert_eq!(large.len(), PARTS);
    for path in &large {
        let elsewhere = on_disk(path);
        fs::remove_file(path).unwrap();
        std::os::unix::fs::symlink(elsewhere, path).unwrap();
    }
    // nothing of it may be in the kernel's cache
    let hung = [process(&disk, "holder"), process(&disk, "process")];
    hung.iter().for_each(|process| kill(*process, Signal::SIGSTOP).unwrap());
    let first = process(&context, "process");
    let mut command = context.command(["run", "--heal=off", "--", "python", "-c", code]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    await_condition("another server", || process(&context, "process") != first);
    hung.iter().for_each(|process| kill(*process, Signal::SIGCONT).unwrap());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && output.stdout.len() == 9, "{output:?}");
    one_mount(&context);
}

#[test]
fn a_second_import_asks_the_server_nothing() {
    let Some(context) = with_payload() else { return };
    let modules: String = (0..MODULES).map(|number| format!("import payload.module{number}; ")).collect();
    let import = || quiet_success(context.run(["run", "--", "python", "-c", &modules]));
    let asked = |kind: &str| status(&context)["counters"][kind].as_u64().unwrap();
    let kinds = ["lookup", "getattr", "open", "opendir", "read", "readdir", "readdirplus", "readlink"];
    let counts = || kinds.map(asked);
    // until bytecode is made, each start asks whether it is there
    quiet_success(context.run(["run", "--compile", "--", "python", "-c", &modules]));
    import();
    await_condition("the end of the listings", || !is_looking_ahead());
    import();
    let before = counts();
    import();
    assert_eq!(counts(), before, "{kinds:?}");
}

/// True if a process looks through views, and does not wait for the next one; another test's may be meant, which then is
/// waited for too.
fn is_looking_ahead() -> bool {
    let is_ahead = |line: &[u8]| line.split(|byte| *byte == 0).any(|part| part == b"ahead");
    // It reads its standard input.
    let waits = |state: &str| state.starts_with("0 0x0 ");
    fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        let (line, state) = (fs::read(entry.path().join("cmdline")), fs::read_to_string(entry.path().join("syscall")));
        matches!((line, state), (Ok(line), Ok(state)) if is_ahead(&line) && !waits(&state))
    })
}

#[test]
fn what_may_be_imported_is_listed_when_a_program_imports_for_the_first_time() {
    let Some(context) = with_payload() else { return };
    let other = WheelBuilder::with_version_attribute("other", "1.0").build();
    context.index().add(&other);
    let view = quiet_success(context.run(["mount", "--compile", "payload", "other"]));
    let python = Path::new(view.trim_end()).join("bin/python");
    let asked = |kind: &str| status(&context)["counters"][kind].as_u64().unwrap();
    let before = asked("readdirplus");
    let mut command = context.program(&python);
    command.args(["-c", "import sys, payload; print(sys.implementation.cache_tag, sys.path[-1])"]);
    let said = quiet_success(omnipkg_tests::process::run(command, b""));
    let (tag, site_packages) = said.trim_end().split_once(' ').unwrap();
    // site-packages, payload, other, omnipkg, pip's, and each one's bytecode; Python itself lists the first one
    await_condition("the listings", || asked("readdirplus") > before + 6);
    await_condition("the end of the listings", || !is_looking_ahead());
    let lookups = asked("lookup");
    for number in 0..MODULES {
        let package = Path::new(site_packages).join("payload");
        fs::metadata(package.join(format!("module{number}.py"))).unwrap();
        fs::metadata(package.join(format!("__pycache__/module{number}.{tag}.pyc"))).unwrap();
    }
    assert_eq!(asked("lookup"), lookups, "the kernel knew all of it");
}

#[test]
fn what_was_imported_in_one_view_is_asked_for_ahead_in_the_next() {
    let Some(context) = with_payload() else { return };
    context.index().add(&WheelBuilder::with_version_attribute("other", "1.0").build());
    let asked = |kind: &str| status(&context)["counters"][kind].as_u64().unwrap();
    let import = |requirements: &[&str], name: &str| {
        let view = quiet_success(context.run([&["mount", "--compile"], requirements].concat()));
        let mut command = context.program(Path::new(view.trim_end()).join("bin/python"));
        command.args(["-c", &format!("import sys, {name}; print(sys.path[-1])")]);
        let before = asked("readdirplus");
        let site_packages = quiet_success(omnipkg_tests::process::run(command, b""));
        // more than Python lists itself
        await_condition("the listings", || asked("readdirplus") > before + 6);
        await_condition("the end of the listings", || !is_looking_ahead());
        PathBuf::from(site_packages.trim_end())
    };
    import(&["payload"], "payload");
    let lookups = asked("lookup");
    let second = import(&["payload", "other"], "other");
    assert!(asked("lookup") > lookups);
    let lookups = asked("lookup");
    for name in ["__init__.abi3.so", "__init__.so"] {
        fs::metadata(second.join("payload").join(name)).unwrap_err();
    }
    assert_eq!(asked("lookup"), lookups, "the kernel knows that they are not there");
}

/// One that is stopped in the instant after it took a request has not counted it: to its holder nobody waits then.
#[test]
fn a_server_that_is_stopped_is_replaced_though_nobody_seems_to_wait() {
    let Some(context) = with_payload() else { return };
    quiet_success(context.run(["mount", "payload"]));
    let stopped = process(&context, "process");
    kill(stopped, Signal::SIGSTOP).unwrap();
    await_condition("another server", || process(&context, "process") != stopped);
    one_mount(&context);
}
