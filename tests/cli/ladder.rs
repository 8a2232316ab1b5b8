//! The ladder: direct mount, fusermount3, user namespace, links. Each rung is forced by what a user has, and by name.

use crate::support::{COUNT, installed_version, one_error, quiet_success, rich_installed, runs, said, script};
use insta::assert_snapshot;
use omnipkg_tests::context::is_mounted;
use omnipkg_tests::process::run;
use omnipkg_tests::{Context, FuseDevice, Output, require_fuse};
use serde_json::Value;
use std::process::Command;

const NO_HELPER: &str = "/nonexistent/fusermount3";

/// Whether an ordinary user can have a user namespace here; without, a test says so and returns.
fn require_namespaces() -> bool {
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "unshare", "-U", "-m", "true"]);
    let works = command.status().is_ok_and(|status| status.success());
    if !works {
        eprintln!("skipped: ordinary users can make no user namespaces here");
    }
    works
}

/// A context of nobody's, with a device that opens.
fn nobody() -> Option<(FuseDevice, Context)> {
    Some((FuseDevice::open_to_all()?, Context::as_ordinary_user()?))
}

fn json(output: Output) -> Value {
    serde_json::from_str(&output.success().stdout).unwrap()
}

/// The rung, and what `doctor` says of it.
#[track_caller]
fn doctor(context: &Context) -> (String, String) {
    // The index of a test has no pip, so that doctor as a whole may not be content.
    let answer: Value = serde_json::from_str(&context.run(["doctor", "--json", "--offline"]).stdout).unwrap();
    let findings = answer["findings"].as_array().unwrap();
    let finding = findings.iter().find(|finding| finding["subject"] == "projection").unwrap();
    let line = format!("{}\n→ {}", finding["text"].as_str().unwrap(), finding["mend"].as_str().unwrap_or("nothing"));
    (answer["rung"].as_str().unwrap().to_owned(), line)
}

const PLACE: &str = "import sys, rich; print(sys.prefix.split('/')[-2], rich.__version__)";

/// Everything that every rung does: a healed run, a second one, four at once, one in a run; each in this place.
#[track_caller]
fn works(context: Context, place: &str, run: impl Fn(&Context, &[&str]) -> Output + Sync) -> Context {
    let context = rich_installed(context);
    let lines = [COUNT, "import rich", "assert rich.__version__ == '13.4.2'", "exec(open('place.py').read())"];
    script(&context, "s.py", &lines);
    script(&context, "place.py", &[PLACE]);
    let output = run(&context, &["run", "--no-predict", "s.py"]).success();
    let seen = format!("{place} 13.4.2\n");
    assert_eq!((&output.stdout, runs(&context)), (&seen, 2), "{output}");
    assert_eq!(
        said(&context, &output.stderr).lines().last(),
        Some("omnipkg: s.py:3 needs rich 13.4.2 (found 13.7.1): running with rich 13.4.2")
    );
    context.index().stop();
    assert_eq!(quiet_success(run(&context, &["run", "--no-predict", "s.py"])), seen);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(quiet_success(run(&context, &["run", "--no-predict", "s.py"])), seen));
        }
    });
    assert_eq!(runs(&context), 7);
    let program = context.command(["run"]).get_program().to_str().unwrap().to_owned();
    let within = run(&context, &["run", "--no-predict", "--", &program, "run", "s.py"]);
    assert_eq!(quiet_success(within), seen, "a run in a run");
    context
}

fn plainly(context: &Context, arguments: &[&str]) -> Output {
    context.run(arguments)
}

fn mounted(context: &Context) -> bool {
    is_mounted(&context.store().join("mnt"))
}

#[test]
fn root_mounts_directly() {
    if !require_fuse() {
        return;
    }
    let context = works(Context::new().env("OMNIPKG_PROJECTION", "direct"), "mnt", plainly);
    assert!(mounted(&context));
    assert_eq!(doctor(&context).0, "direct");
    assert_snapshot!(doctor(&Context::new()).1, @r"
    FUSE, mounted directly
    → nothing
    ");
}

#[test]
fn root_can_ask_for_the_helper() {
    let helper = "/usr/bin/fusermount3";
    if !require_fuse() || !std::path::Path::new(helper).exists() {
        return;
    }
    let context = works(Context::new().env("OMNIPKG_PROJECTION", "fusermount"), "mnt", plainly);
    assert!(mounted(&context));
    assert_eq!(quiet_success(context.run(["server", "stop"])), "");
    assert!(!mounted(&context));
    // It is really the helper that mounts: without it there is no mount.
    let context = context.env("FUSERMOUNT_PATH", NO_HELPER);
    let output = context.run(["run", "--no-predict", "s.py"]).expect_code(1);
    assert!(output.stderr.starts_with("omnipkg: error: OMNIPKG_PROJECTION=fusermount: cannot mount "), "{output}");
}

#[test]
fn an_ordinary_user_has_the_helper() {
    let Some((_device, context)) = nobody() else { return };
    let context = works(context, "mnt", plainly);
    assert!(mounted(&context));
    let (rung, text) = doctor(&context);
    assert_eq!(rung, "fusermount");
    assert_snapshot!(text, @r"
    FUSE, mounted by fusermount3
    → nothing
    ");
}

#[test]
fn an_ordinary_user_cannot_mount_directly_even_if_asked_to() {
    let Some((_device, context)) = nobody() else { return };
    let context = context.env("OMNIPKG_PROJECTION", "direct");
    script(&context, "ok.py", &["print('ok')"]);
    let text = one_error(&context, context.run(["run", "--no-predict", "ok.py"]));
    assert!(text.starts_with("omnipkg: error: OMNIPKG_PROJECTION=direct: cannot mount [STORE]/mnt: "), "{text}");
}

#[test]
fn an_ordinary_user_without_the_helper_has_a_namespace() {
    let Some((_device, context)) = nobody() else { return };
    if !require_namespaces() {
        return;
    }
    let context = works(context.env("FUSERMOUNT_PATH", NO_HELPER), "mnt", plainly);
    assert!(!mounted(&context), "the mount is seen inside only");
    let (rung, text) = doctor(&context);
    assert_eq!(rung, "namespace");
    let text = text.split(": sudo").next().unwrap();
    assert_snapshot!(text, @r"
    FUSE in a user namespace, which `run` enters; links for all that is seen from outside (fusermount3 is not on PATH, and mounting without it needs root)
    → install fusermount3
    ");
}

#[test]
fn what_is_seen_from_outside_a_namespace_is_made_of_links() {
    let Some((_device, context)) = nobody() else { return };
    if !require_namespaces() {
        return;
    }
    let context = rich_installed(context.env("FUSERMOUNT_PATH", NO_HELPER));
    script(&context, "ok.py", &["import sys; print(sys.prefix.split('/')[-2])"]);
    assert_eq!(quiet_success(context.run(["run", "--no-predict", "ok.py"])), "mnt\n");
    // Also what is made from within a run.
    let program = context.command(["run"]).get_program().to_str().unwrap().to_owned();
    let inside = quiet_success(context.run(["run", "--no-predict", "--", &program, "mount", "rich==13.4.2"]));
    quiet_success(context.run(["run", "--no-predict", "--", &program, "install", "rich==13.4.2"]));
    let environment = std::fs::read_dir(context.store().join("envs")).unwrap().next().unwrap().unwrap().path();
    for prefix in [std::path::PathBuf::from(inside.trim_end()), environment] {
        let mut python = context.program(prefix.join("bin/python"));
        python.args(["-c", PLACE]);
        assert_eq!(quiet_success(run(python, b"")), "links 13.4.2\n", "{}", prefix.display());
    }
    assert_eq!(installed_version(&context, "rich"), "13.4.2");
}

#[test]
fn a_run_in_a_namespace_is_as_outside() {
    let Some((_device, context)) = nobody() else { return };
    if !require_namespaces() {
        return;
    }
    let context = context.env("FUSERMOUNT_PATH", NO_HELPER);
    let lines = [
        "import os, signal, sys",
        "print(os.getcwd(), os.getuid(), os.getgid(), sys.stdin.read())",
        "print(sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])), signal.getsignal(signal.SIGINT).__name__)",
        "open('made', 'w').close(); print(os.stat('made').st_uid)",
        "print(*[line for line in open('/proc/self/status') if line.startswith('CapEff')])",
        "sys.exit(7)",
    ];
    script(&context, "s.py", &lines);
    let inside = context.run_with_input(["run", "--no-predict", "s.py"], b"input").expect_code(7);
    let mut plain = context.program(&context.interpreter().executable);
    plain.arg("s.py");
    let outside = run(plain, b"input").expect_code(7);
    assert_eq!((inside.stdout, inside.stderr.as_str()), (outside.stdout, ""));
    for (words, code) in [("kill -TERM $$", 143), ("kill -KILL $$", 137), ("exit 3", 3)] {
        context.run(["run", "--no-predict", "--", "sh", "-c", words]).expect_code(code);
    }
    quiet_success(context.run(["server", "stop"]));
    context.run(["run", "--no-predict", "s.py"]).expect_code(7);
}

/// A command where user namespaces are forbidden, as an administrator can have it, here for itself alone: within one of
/// its own.
fn without_namespaces(context: &Context, arguments: &[&str]) -> Output {
    let inner = context.command(arguments);
    let mut command = context.program("unshare");
    let forbid = "echo 0 > /proc/sys/user/max_user_namespaces && \
                  exec setpriv --ambient-caps=-all --inh-caps=-all \"$@\"";
    command.args(["--user", "--map-current-user", "--keep-caps", "sh", "-c", forbid, "sh"]);
    command.arg(inner.get_program()).args(inner.get_args());
    run(command, b"")
}

#[test]
fn an_ordinary_user_with_neither_has_links_and_is_told_once() {
    let Some((_device, context)) = nobody() else { return };
    if !require_namespaces() {
        return;
    }
    let context = context.env("FUSERMOUNT_PATH", NO_HELPER);
    script(&context, "ok.py", &["print('ok')"]);
    let output = without_namespaces(&context, &["run", "--no-predict", "ok.py"]);
    assert_snapshot!(said(&context, &output.success().stderr), @"omnipkg: no FUSE here (fusermount3 is not on PATH, and mounting without it needs root; no more user namespaces are allowed (user.max_user_namespaces)): views are made of links; `omnipkg doctor` says more");
    assert_eq!(quiet_success(without_namespaces(&context, &["run", "--no-predict", "ok.py"])), "ok\n");
    let context = works(context, "links", without_namespaces);
    let answer = json(without_namespaces(&context, &["status", "--json"]));
    assert_eq!((&answer["projection"], &answer["server"]), (&Value::from("links"), &Value::Null));
    let text = without_namespaces(&context, &["doctor", "--offline"]).stdout;
    assert!(text.contains("or allow user namespaces: sudo sysctl -w user.max_user_namespaces="), "{text}");
}

#[test]
fn a_closed_device_is_told_with_the_command_that_opens_it() {
    let Some(_device) = FuseDevice::closed_to_users() else { return };
    let Some(context) = Context::as_ordinary_user() else { return };
    let (rung, text) = doctor(&context);
    assert_eq!(rung, "links");
    assert!(text.contains("→ let users open it: sudo chmod 0666 /dev/fuse"), "{text}");
}
