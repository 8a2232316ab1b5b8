//! A second start: what healing found is used from the first instant, without a word and without a network.

use crate::support::{COUNT, install, pinned, publish, quiet_success, rich_installed, runs, script};
use omnipkg_tests::Context;
use omnipkg_tests::process::run;

const DEAD: &str = "http://127.0.0.1:9/simple/";

/// A script that was healed once, and so ran twice.
fn healed() -> Context {
    let context = rich_installed(Context::new());
    let lines = ["import rich", COUNT, "assert rich.__version__ == '13.4.2'", "print('runs')"];
    script(&context, "s.py", &lines);
    context.run(["run", "--no-predict", "s.py"]).success();
    assert_eq!(runs(&context), 2);
    context.index().clear_requests();
    context
}

#[test]
fn the_second_run_is_silent_and_the_script_runs_once() {
    let context = healed();
    assert_eq!(quiet_success(context.run(["run", "--no-predict", "s.py"])), "runs\n");
    assert_eq!(runs(&context), 3);
    assert!(context.index().requests().is_empty());
}

#[test]
fn the_second_run_needs_no_network() {
    let context = healed();
    context.index().stop();
    assert_eq!(quiet_success(context.run(["run", "--no-predict", "s.py"])), "runs\n");
    assert_eq!(quiet_success(context.run(["--offline", "run", "s.py"])), "runs\n");
    assert_eq!(quiet_success(context.run(["run", "--no-predict", "--index-url", DEAD, "s.py"])), "runs\n");
    let mut command = context.command(["run", "--no-predict", "s.py"]);
    command.env("OMNIPKG_INDEX_URL", DEAD);
    assert_eq!(quiet_success(run(command, b"")), "runs\n");
    assert_eq!(runs(&context), 6);
}

#[test]
fn it_needs_none_when_the_server_is_gone_either() {
    let context = healed();
    context.index().stop();
    context.run(["server", "stop"]).success();
    assert_eq!(quiet_success(context.run(["run", "--no-predict", "s.py"])), "runs\n");
    assert_eq!(runs(&context), 3);
}

#[test]
fn a_copy_of_the_script_is_known_and_a_changed_one_is_not() {
    let context = healed();
    std::fs::copy(context.work().join("s.py"), context.work().join("copy.py")).unwrap();
    assert_eq!(quiet_success(context.run(["run", "--no-predict", "copy.py"])), "runs\n");
    script(&context, "s.py", &["import rich", "print(rich.__version__)"]);
    assert_eq!(quiet_success(context.run(["run", "--no-predict", "s.py"])), "13.7.1\n");
}

#[test]
fn another_state_of_the_environment_is_healed_anew() {
    let context = healed();
    publish(&context, &[("other", "1.0")]);
    install(&context, &["other"]);
    let output = context.run(["run", "--no-predict", "s.py"]).success();
    assert_eq!((output.stdout.as_str(), output.stderr.lines().count()), ("runs\n", 1));
    assert_eq!(quiet_success(context.run(["run", "--no-predict", "s.py"])), "runs\n");
}

#[test]
fn with_is_remembered_and_refresh_asks_again() {
    let context = Context::new();
    publish(&context, &[("rich", "1.0")]);
    script(&context, "s.py", &["import rich", "print(rich.__version__)"]);
    let with = ["run", "--no-predict", "--with", "rich", "s.py"];
    assert_eq!(quiet_success(context.run(with)), "1.0\n");
    publish(&context, &[("rich", "2.0")]);
    context.index().clear_requests();
    assert_eq!(quiet_success(context.run(with)), "1.0\n");
    assert!(context.index().requests().is_empty());
    assert_eq!(quiet_success(context.run(["run", "--no-predict", "--refresh", "--with", "rich", "s.py"])), "2.0\n");
    context.index().stop();
    assert_eq!(quiet_success(context.run(with)), "2.0\n");
}

#[test]
fn offline_uses_what_the_store_holds_for_another_script() {
    let context = healed();
    context.index().stop();
    pinned(&context, "another.py", "rich", "13.4.2");
    let output = context.run(["--offline", "run", "another.py"]).success();
    assert_eq!((output.stdout.as_str(), output.stderr.lines().count()), ("rich 13.4.2\n", 1));
}

#[test]
fn a_remembered_run_goes_on_healing_when_it_fails_again() {
    let context = Context::new();
    publish(&context, &[("rich", "1.0"), ("rich", "2.0"), ("other", "1.0"), ("other", "2.0")]);
    install(&context, &["rich", "other"]);
    let lines = [
        "import os, rich, other",
        "assert rich.__version__ == '1.0'",
        "if os.environ.get('BOTH'):",
        "    assert other.__version__ == '1.0'",
        "print(rich.__version__, other.__version__)",
    ];
    script(&context, "s.py", &lines);
    assert_eq!(context.run(["run", "--no-predict", "s.py"]).success().stdout, "1.0 2.0\n");
    let mut command = context.command(["run", "--no-predict", "s.py"]);
    command.env("BOTH", "1");
    let output = run(command, b"").success();
    assert_eq!((output.stdout.as_str(), output.stderr.lines().count()), ("1.0 1.0\n", 1));
}
