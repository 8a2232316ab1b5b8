//! `-r pyproject.toml` and `-r script.py`: what projects and scripts say that they need.

use crate::support::{install, one_error, publish, quiet_success};
use omnipkg_tests::Context;
use std::fs;

const PROJECT: &str = r#"
[project]
name = "demo"
requires-python = ">=3.8"
dependencies = ["one"]
[project.optional-dependencies]
web = ["two<2"]
all = ["demo[web]", "three"]
[dependency-groups]
dev = [{ include-group = "test" }, "four"]
test = ["five; python_version > '3'"]
round = [{ include-group = "round" }]
"#;

fn with_project() -> Context {
    let context = Context::new();
    publish(
        &context,
        &[("one", "1.0"), ("two", "1.0"), ("two", "2.0"), ("three", "1.0"), ("four", "1.0"), ("five", "1.0")],
    );
    fs::write(context.work().join("pyproject.toml"), PROJECT).unwrap();
    context
}

#[test]
fn dependencies_extras_and_groups_of_a_project() {
    let context = with_project();
    let resolve = |words: &[&str]| {
        let lines = quiet_success(context.run([&["resolve"], words].concat()));
        lines.lines().map(|line| line.split_once('=').unwrap().0.to_owned() + " ").collect::<String>()
    };
    let project = ["-r", "pyproject.toml"];
    assert_eq!(resolve(&project), "one ");
    assert_eq!(resolve(&[&project[..], &["--extra", "web", "--group", "test"]].concat()), "five one two ");
    assert_eq!(resolve(&[&project[..], &["--all-extras"]].concat()), "one three two ");
    assert_eq!(resolve(&["--group", "dev"]), "five four ");
    assert_eq!(resolve(&["four", "--group", "pyproject.toml:test"]), "five four ");
    install(&context, &["-r", "pyproject.toml", "--extra", "web"]);
    assert_eq!(quiet_success(context.run(["list"])), "one  1.0\ntwo  1.0\n");
}

#[test]
fn what_a_project_does_not_have_is_refused_by_name() {
    let context = with_project();
    fs::write(context.work().join("bare.txt"), "one\n").unwrap();
    fs::write(context.work().join("pylock.toml"), "lock-version = \"1.0\"\npackages = []\n").unwrap();
    fs::write(context.work().join("plain.py"), "print()\n").unwrap();
    fs::write(context.work().join("old.toml"), PROJECT.replace(">=3.8", "<3")).unwrap();
    for (words, expected) in [
        (&["-r", "pyproject.toml", "--extra", "gui"][..], "demo has no extra gui: it has all, web"),
        (&["-r", "pyproject.toml", "--group", "docs"], "no dependency group docs: it has dev, round, test"),
        (&["--group", "round"], "in a circle: round -> round"),
        (&["--group", "none.toml:dev"], "cannot read none.toml"),
        (&["-r", "bare.txt", "--extra", "web"], "name its pyproject.toml with -r"),
        (&["-r", "pylock.toml"], "`omnipkg sync pylock.toml` makes an environment of it"),
        (&["-r", "plain.py"], "plain.py has no PEP 723 block"),
        (&["-r", "old.toml"], "cannot use old.toml: it requires Python <3, and this is "),
    ] {
        for verb in ["resolve", "install"] {
            let error = one_error(&context, context.run([&[verb], words].concat()));
            assert!(error.contains(expected), "{expected}: {error}");
        }
    }
}

#[test]
fn a_script_says_what_it_needs() {
    let context = with_project();
    let block = "# /// script\n# requires-python = \">=3.8\"\n# dependencies = [\"two<2\"]\n# ///\nimport two\n";
    context.script("s.py", block);
    assert_eq!(quiet_success(context.run(["resolve", "one", "-r", "s.py"])), "one==1.0\ntwo==1.0\n");
    install(&context, &["-r", "s.py"]);
    assert_eq!(quiet_success(context.run(["list"])), "two  1.0\n");
    context.script("new.py", &block.replace(">=3.8", ">=4"));
    let error = one_error(&context, context.run(["install", "-r", "new.py"]));
    assert!(error.contains("cannot use new.py: it requires Python >=4"), "{error}");
}
