//! `list`, `info`, `status`, `doctor`: what is shown, in words and as JSON.

use crate::support::{install, publish, quiet_success, rich_installed, script};
use insta::assert_snapshot;
use omnipkg_tests::context::is_mounted;
use omnipkg_tests::process::run;
use omnipkg_tests::{Context, WheelBuilder, require_fuse};
use serde_json::{Value, json};

#[track_caller]
fn json(context: &Context, verb: &[&str]) -> Value {
    let answer: Value = serde_json::from_str(&quiet_success(context.run([&["--json"], verb].concat()))).expect("JSON");
    assert_eq!(answer["schema"], json!(1), "{verb:?}");
    answer
}

#[test]
fn list_names_what_is_installed() {
    let context = Context::new();
    publish(&context, &[("rich", "1.0"), ("long-name", "2.0.post1")]);
    assert_eq!(quiet_success(context.run(["list"])), "");
    install(&context, &["rich", "Long_Name"]);
    assert_snapshot!(quiet_success(context.run(["list"])), @r"
    long-name  2.0.post1
    rich       1.0
    ");
    let expected = json!([{"name": "long-name", "version": "2.0.post1"}, {"name": "rich", "version": "1.0"}]);
    assert_eq!(json(&context, &["list"])["distributions"], expected);
}

#[test]
fn info_shows_a_project() {
    let context = rich_installed(Context::new());
    quiet_success(context.run(["mount", "rich==13.4.2"]));
    assert_snapshot!(quiet_success(context.run(["info", "rich"])), @r"
    rich 13.7.1
      13.4.2  5 files, 518 B (2 shared with other wheels, 426 B of its own)  rich-13.4.2-py3-none-any.whl
    * 13.7.1  5 files, 518 B (2 shared with other wheels, 426 B of its own)  rich-13.7.1-py3-none-any.whl
    imports: rich
    ");
    let answer = json(&context, &["info", "Rich"]);
    assert_eq!((&answer["name"], &answer["active"]), (&json!("rich"), &json!("13.7.1")));
    let versions: Vec<&Value> = answer["held"].as_array().unwrap().iter().map(|held| &held["version"]).collect();
    assert_eq!(versions, ["13.4.2", "13.7.1"]);
    assert_snapshot!(crate::support::one_error(&context, context.run(["info", "absent"])), @"omnipkg: error: the store holds no wheel of absent");
}

#[test]
fn info_python_prints_paths_that_run() {
    let context = Context::new();
    let line = quiet_success(context.run(["info", "python"]));
    let version = context.interpreter().version();
    assert_eq!(context.filter(&line), format!("Python {version}: [STORE]/envs/{version}/bin/python\n"));
    let path = line.trim_end().split_once(": ").unwrap().1;
    let mut command = context.program(path);
    let code = "import sys, omnipkg; print('%d.%d' % sys.version_info[:2], sys.prefix != sys.base_prefix)";
    command.args(["-c", code]);
    assert_eq!(quiet_success(run(command, b"")), format!("{version} True\n"));
    let answer = json(&context, &["info", "python"]);
    assert_eq!((&answer["pythons"][0]["short"], &answer["pythons"][0]["python"]), (&json!(version), &json!(path)));
}

#[test]
fn info_shows_the_environment() {
    let context = rich_installed(Context::new());
    let answer = json(&context, &["info"]);
    assert_eq!(
        (&answer["environment"], &answer["distributions"]),
        (&json!(context.interpreter().version()), &json!(1))
    );
    let text = quiet_success(context.run(["info"]));
    for word in ["environment: ", "generation: ", "python: 3.", "distributions: 1\n", "view: "] {
        assert!(text.contains(word), "{word} is not in\n{text}");
    }
}

#[test]
fn status_shows_the_store_and_starts_nothing() {
    let context = Context::new();
    let text = context.filter(&quiet_success(context.run(["status"])));
    assert_snapshot!(text, @r"
    store: [STORE]
    projection: mount
    server: not running
    active: none
    environments: 
    wheels: 0 (0 B before deduplication)
    views: 0
    ");
    let context = rich_installed(context);
    let answer = json(&context, &["status"]);
    assert_eq!((&answer["active"], &answer["wheels"]), (&json!(context.interpreter().version()), &json!(1)));
    if require_fuse() {
        assert_eq!(answer["projection"], json!("mount"));
        assert!(answer["server"].is_u64(), "{answer}");
        context.run(["server", "stop"]).success();
        assert_eq!(json(&context, &["status"])["server"], Value::Null);
        assert!(!is_mounted(&context.store().join("mnt")));
    }
    let context = context.link();
    assert_eq!(json(&context, &["status"])["projection"], json!("links"));
}

#[test]
fn doctor_says_what_is_well_and_what_is_not() {
    let context = Context::new();
    context.index().add(&WheelBuilder::new("pip", "99").build());
    let output = context.run(["doctor"]);
    let subjects: Vec<&str> = output.stdout.lines().filter_map(|line| line.split(": ").next()).collect();
    assert_eq!(output.code(), 0, "{output}");
    assert_snapshot!(subjects.join("\n"), @r"
    ok   store
    ok   projection
    ok   python
    ok   views
    ok   index
    ");
    assert_eq!(json(&context, &["doctor"])["healthy"], json!(true));

    context.index().stop();
    let output = context.run(["--json", "doctor"]).expect_code(1);
    let answer: Value = serde_json::from_str(&output.stdout).unwrap();
    let bad: Vec<&Value> =
        answer["findings"].as_array().unwrap().iter().filter(|row| row["good"] == json!(false)).collect();
    assert_eq!((bad.len(), &bad[0]["subject"], bad[0]["mend"].is_string()), (1, &json!("index"), true), "{answer}");
}

#[test]
fn help_of_every_verb_has_an_example() {
    let context = Context::new();
    let verbs = ["run", "mount", "unmount", "install", "list", "info", "status", "doctor", "demo", "server"];
    for verb in verbs {
        let output = context.run([verb, "--help"]).success();
        assert!(output.stdout.contains("Example") && output.stdout.contains(&format!("omnipkg {verb}")), "{output}");
    }
    assert!(!context.store().exists(), "help makes no store");
    script(&context, "s.py", &["print('--help is the scripts', __import__('sys').argv[1:])"]);
    assert_eq!(quiet_success(context.run(["run", "s.py", "--help"])), "--help is the scripts ['--help']\n");
}
