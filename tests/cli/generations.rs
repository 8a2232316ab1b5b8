//! Generations: what makes one, what each holds, and going back.

use crate::support::{install, installed_version, one_error, publish, quiet_success, rich_installed, script};
use omnipkg_tests::{Context, WheelBuilder};
use serde_json::{Value, json};

#[track_caller]
fn answer(context: &Context, arguments: &[&str]) -> Value {
    serde_json::from_str(&quiet_success(context.run([&["--json"], arguments].concat()))).expect("JSON")
}

/// `number reason changes` of each generation.
fn history(context: &Context) -> Vec<String> {
    let answer = answer(context, &["env", "history"]);
    let text = |value: &Value| value.as_str().unwrap_or("none").to_owned();
    let change =
        |change: &Value| format!("{} {}>{}", text(&change["name"]), text(&change["from"]), text(&change["to"]));
    let row = |row: &Value| {
        let changes: Vec<String> = row["changes"].as_array().unwrap().iter().map(change).collect();
        let mark = if row["current"] == json!(true) { "*" } else { "" };
        format!("{mark}{} {}: {}", row["number"], text(&row["reason"]), changes.join(", "))
    };
    answer["generations"].as_array().unwrap().iter().map(row).collect()
}

/// `top` needs `base`, of which there are two versions.
fn top_and_base(context: &Context) {
    publish(context, &[("base", "1.0"), ("base", "2.0"), ("other", "1.0")]);
    context.index().add(&WheelBuilder::with_version_attribute("top", "1.0").requires("base<2").build());
}

#[test]
fn every_change_is_one_generation_and_can_be_taken_back() {
    let context = Context::new();
    top_and_base(&context);
    install(&context, &["top"]);
    install(&context, &["other"]);
    quiet_success(context.run(["uninstall", "top"]));
    quiet_success(context.run(["swap", "base==2.0"]));
    assert_eq!(
        history(&context),
        [
            "1 made: ",
            "2 install top: base none>1.0, top none>1.0",
            "3 install other: other none>1.0",
            "4 uninstall top: base 1.0>none, top 1.0>none",
            "*5 swap base==2.0: base none>2.0",
        ]
    );
    quiet_success(context.run(["revert"]));
    assert_eq!(history(&context).last().unwrap(), "*6 revert to 4: base 2.0>none");
    quiet_success(context.run(["revert", "3"]));
    assert_eq!(installed_version(&context, "top"), "1.0");
    assert_eq!(installed_version(&context, "base"), "1.0");
    // A revert is a change like others: the next one takes it back.
    quiet_success(context.run(["revert", "5"]));
    quiet_success(context.run(["revert"]));
    assert_eq!(installed_version(&context, "base"), "1.0");
    quiet_success(context.run(["revert"]));
    assert_eq!(installed_version(&context, "base"), "2.0");
    // What a generation asked for comes back with it.
    install(&context, &["other"]);
    assert_eq!(installed_version(&context, "base"), "2.0");
}

#[test]
fn a_revert_that_cannot_be_says_what_there_is() {
    let context = rich_installed(Context::new());
    let error = one_error(&context, context.run(["revert", "7"]));
    assert!(error.contains("has no generation 7: it has 1, 2"), "{error}");
    quiet_success(context.run(["env", "create", "empty"]));
    let error = one_error(&context, context.run(["revert", "--env", "empty"]));
    assert!(error.contains("no generation before this one"), "{error}");
}

#[test]
fn what_is_there_and_named_without_a_version_stays_as_it_was_asked_for() {
    let context = rich_installed(Context::new());
    install(&context, &["rich"]);
    assert_eq!(history(&context).len(), 2);
    quiet_success(context.run(["upgrade", "--refresh"]));
    assert_eq!(installed_version(&context, "rich"), "13.7.1");
}

#[test]
fn ten_generations_are_kept() {
    let context = rich_installed(Context::new());
    for version in ["13.4.2", "13.7.1"].iter().cycle().take(12) {
        install(&context, &[&format!("rich=={version}")]);
    }
    let history = history(&context);
    assert_eq!((history.len(), history[0].as_str()), (10, "5 install rich==13.4.2: "));
    assert!(one_error(&context, context.run(["revert", "4"])).contains("no generation 4"));
}

#[test]
fn what_stays_needs_is_not_taken_away() {
    let context = Context::new();
    top_and_base(&context);
    install(&context, &["top"]);
    let error = one_error(&context, context.run(["uninstall", "base"]));
    assert!(error.contains("base is needed by top"), "{error}");
    let output = context.run(["install", "base==2.0"]);
    assert_eq!(output.code(), 1);
    assert!(output.stderr.contains("top") && output.stderr.contains("base<2"), "{output}");
    assert_eq!(installed_version(&context, "base"), "1.0");
    quiet_success(context.run(["uninstall", "-y", "base", "top"]));
    assert_eq!(quiet_success(context.run(["list"])), "");
}

#[test]
fn uninstalling_what_is_not_there_is_no_error() {
    let context = rich_installed(Context::new());
    let output = context.run(["uninstall", "other"]).success();
    assert!(output.stderr.contains("other is not in the environment"), "{output}");
    assert_eq!(history(&context).len(), 2);
}

#[test]
fn an_uninstall_needs_no_index() {
    let context = Context::new();
    top_and_base(&context);
    install(&context, &["top", "other"]);
    context.index().stop();
    quiet_success(context.run(["--offline", "uninstall", "top"]));
    assert_eq!(quiet_success(context.run(["list"])), "other  1.0\n");
}

#[test]
fn an_upgrade_stays_within_what_was_asked_for_unless_it_is_named() {
    let context = Context::new();
    publish(&context, &[("a", "1.0"), ("b", "1.0")]);
    install(&context, &["a", "b==1.0"]);
    publish(&context, &[("a", "2.0"), ("b", "2.0")]);
    quiet_success(context.run(["upgrade", "--refresh"]));
    assert_eq!(quiet_success(context.run(["list"])), "a  2.0\nb  1.0\n");
    publish(&context, &[("a", "3.0")]);
    quiet_success(context.run(["upgrade", "--refresh", "b"]));
    assert_eq!(quiet_success(context.run(["list"])), "a  2.0\nb  2.0\n");
    assert!(one_error(&context, context.run(["upgrade", "c"])).contains("c is not in the environment"));
}

#[test]
fn a_check_imports_what_is_new_before_it_is_published() {
    let context = rich_installed(Context::new());
    let broken = WheelBuilder::new("broken", "1.0").file("broken/__init__.py", "import not_there\n");
    context.index().add(&broken.build());
    publish(&context, &[("sound", "1.0")]);
    let error = one_error(&context, context.run(["install", "--check", "broken", "sound"]));
    assert!(error.contains("importing broken failed") && error.contains("not_there"), "{error}");
    assert_eq!(quiet_success(context.run(["list"])), "rich  13.7.1\n");
    install(&context, &["--check", "sound"]);
    install(&context, &["broken"]);
    assert_eq!(installed_version(&context, "broken"), "1.0");
}

#[test]
fn a_program_keeps_the_generation_that_it_started_in() {
    for context in [Context::new(), Context::new().link()] {
        let context = rich_installed(context);
        let python = context.store().join("active/bin/python");
        // The child of a program belongs to the environment as it is by then.
        let lines = [
            "import importlib.metadata as m, os, subprocess, sys",
            "subprocess.run([sys.argv[1], 'install', 'rich==13.4.2'], check=True)",
            "import rich",
            "print(rich.__version__, m.version('rich'), sys.path[-1].startswith(sys.prefix), flush=True)",
            "subprocess.run([sys.executable, '-c', 'import rich; print(rich.__version__)'], check=True)",
        ];
        let program = script(&context, "p.py", &lines);
        let mut command = context.program(&python);
        command.arg(&program).arg(omnipkg_tests::context::binary());
        let output = quiet_success(omnipkg_tests::process::run(command, b""));
        assert_eq!(output, "13.7.1 13.7.1 True\n13.4.2\n");
    }
}

#[test]
fn the_version_before_is_a_bubble() {
    let context = rich_installed(Context::new());
    install(&context, &["rich==13.4.2"]);
    let bubbles = context.store().join("bubbles").join(context.interpreter().version());
    assert!(bubbles.join("rich-13.7.1/rich/__init__.py").is_file());
    assert!(!bubbles.join("rich-13.4.2").exists());
    quiet_success(context.run(["swap", "rich==13.7.1"]));
    assert!(bubbles.join("rich-13.4.2/rich/__init__.py").is_file() && !bubbles.join("rich-13.7.1").exists());
    publish(&context, &[("rich", "13.6.0")]);
    script(&context, "s.py", &["import rich", "assert rich.__version__ == '13.6.0'"]);
    context.run(["run", "s.py"]).success();
    assert!(bubbles.join("rich-13.6.0/rich/__init__.py").is_file());
}

#[test]
fn bubbles_are_pruned_but_for_the_newest() {
    let context = rich_installed(Context::new());
    publish(&context, &[("rich", "13.6.0")]);
    install(&context, &["rich==13.6.0"]);
    install(&context, &["rich==13.4.2"]);
    let bubbles = context.store().join("bubbles").join(context.interpreter().version());
    quiet_success(context.run(["prune", "rich", "--keep-latest", "1"]));
    assert!(bubbles.join("rich-13.7.1").exists() && !bubbles.join("rich-13.6.0").exists());
    let answer = answer(&context, &["prune", "rich"]);
    assert_eq!(answer["removed"], json!(["13.7.1"]));
    assert_eq!(installed_version(&context, "rich"), "13.4.2");
}
