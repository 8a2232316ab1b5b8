//! `bisect`: the first version with which a script ends otherwise.

use crate::support::{quiet_success, script};
use insta::assert_snapshot;
use omnipkg_tests::{Context, WheelBuilder};
use serde_json::Value;

/// Ten versions of a library, of which the first six have what the script uses; and one that cannot be had.
fn with_versions() -> Context {
    let context = Context::new();
    for minor in 0..10 {
        let source = if minor < 6 { "def gone():\n    return 1\n" } else { "" };
        let wheel = WheelBuilder::new("lib", &format!("1.{minor}")).file("lib/__init__.py", source);
        let wheel = if minor == 4 { wheel.requires("no-such-project-at-all") } else { wheel };
        context.index().add(&wheel.build());
    }
    context.index().add(&WheelBuilder::new("lib", "2.0rc1").file("lib/__init__.py", "").build());
    script(&context, "s.py", &["import lib", "print(lib.gone())"]);
    context
}

fn json(context: &Context, arguments: &[&str]) -> Value {
    let output = context.run(["--json", "bisect", "s.py"].iter().chain(arguments)).success();
    serde_json::from_str(&output.stdout).unwrap()
}

#[test]
fn the_first_version_that_fails_is_found() {
    let context = with_versions();
    let output = context.run(["bisect", "s.py", "lib"]).success();
    let without_times = |line: &str| {
        let words =
            line.split_whitespace().filter(|word| *word != "s" && (!word.contains('.') || line.starts_with(word)));
        words.collect::<Vec<_>>().join(" ")
    };
    let lines: Vec<String> = output.stdout.lines().map(without_times).collect();
    assert_snapshot!(lines[..lines.len() - 1].join("\n"), @r"
    1.0 passes
    1.9 fails exit code 1
    1.4 cannot be tried
    1.3 passes
    1.6 fails exit code 1
    1.5 passes
    ");
    assert_eq!(output.stdout.lines().last().unwrap(), "lib 1.6 is the first with which it fails; with 1.5 it passes");
    assert_eq!(output.stderr, "");
}

#[test]
fn known_ends_are_not_tried_again() {
    let context = with_versions();
    let found = json(&context, &["lib", "--good", "1.0", "--bad", "1.9"]);
    assert_eq!((found["first"].as_str(), found["before"].as_str()), (Some("1.6"), Some("1.5")));
    assert_eq!(found["turns"], "fails");
    let runs: Vec<&str> =
        found["runs"].as_array().unwrap().iter().map(|run| run["outcome"].as_str().unwrap()).collect();
    assert!(runs.iter().filter(|outcome| **outcome != "cannot be tried").count() <= 4, "{runs:?}");
}

#[test]
fn a_version_that_cannot_be_had_is_passed_over() {
    let context = with_versions();
    let found = json(&context, &["lib", "--good", "1.3", "--bad", "1.6"]);
    assert_eq!(found["first"], "1.6");
    let untried: Vec<&Value> =
        found["runs"].as_array().unwrap().iter().filter(|run| run["outcome"] == "cannot be tried").collect();
    assert_eq!(untried.len(), 1);
    assert!(untried.iter().all(|run| run["version"] == "1.4" && run["reason"].as_str().unwrap().contains("no-such")));
}

#[test]
fn where_nothing_changes_that_is_an_error() {
    let context = with_versions();
    script(&context, "s.py", &["print('whatever')"]);
    let output = context.run(["bisect", "s.py", "lib"]);
    assert_eq!((output.code(), output.stderr.lines().count()), (1, 1), "{output}");
    assert!(output.stderr.contains("passes with the first and with the last version of lib"), "{output}");
    let output = context.run(["bisect", "s.py", "lib", "--good", "7"]);
    assert!(output.stderr.contains("7 is none of the versions that can be tried here: 1.0 to 1.9"), "{output}");
}

#[test]
fn the_scripts_own_output_is_seen_when_it_is_asked_for() {
    let context = with_versions();
    script(&context, "s.py", &["import lib, sys", "print('tried', lib.gone(), sys.argv[1:])"]);
    let quiet = quiet_success(context.run(["bisect", "s.py", "lib"]));
    assert!(!quiet.contains("tried 1"), "{quiet}");
    let output = context.run(["bisect", "-v", "s.py", "lib", "--its", "own"]).success();
    assert!(output.stdout.contains("tried 1 ['--its', 'own']\n"), "{output}");
}
