//! `omnipkg resolve`: what would be installed, and nothing is.

use crate::support::quiet_success;
use omnipkg_tests::{Context, FileOptions, WheelBuilder};
use std::fs;

fn with_index() -> Context {
    let context = Context::new();
    for (name, version, requires) in [
        ("app", "1.0", &["lib>=1"][..]),
        ("app", "2.0", &["lib>=1.5", "extra-lib; extra == 'more'"][..]),
        ("app", "3.0b1", &[]),
        ("lib", "1.0", &[]),
        ("lib", "1.5", &[]),
        ("lib", "2.0", &[]),
        ("extra-lib", "1.0", &["lib<2"]),
    ] {
        let mut wheel = WheelBuilder::new(name, version);
        for requirement in requires {
            wheel = wheel.requires(requirement);
        }
        if name == "app" {
            wheel = wheel.provides_extra("more");
        }
        context.index().add(&wheel.build());
    }
    context
}

#[test]
fn it_prints_a_line_for_each_project_and_changes_nothing() {
    let context = with_index();
    let resolve = |words: &[&str]| quiet_success(context.run([&["resolve"], words].concat()));
    assert_eq!(resolve(&["app"]), "app==2.0\nlib==2.0\n");
    assert_eq!(resolve(&["app[more]"]), "app==2.0\nextra-lib==1.0\nlib==1.5\n");
    assert_eq!(resolve(&["app", "--prerelease", "allow"]), "app==3.0b1\n");
    assert_eq!(resolve(&["app>2"]), "app==3.0b1\n", "where no release will do");
    assert_eq!(resolve(&["app>=2.5b1", "--prerelease", "explicit"]), "app==3.0b1\n");
    assert_eq!(resolve(&["app>2", "--prerelease", "if-necessary-or-explicit"]), "app==3.0b1\n");
    assert_eq!(resolve(&["app", "--resolution", "lowest"]), "app==1.0\nlib==1.0\n");
    assert_eq!(resolve(&["app", "--resolution", "lowest-direct"]), "app==1.0\nlib==2.0\n");
    let json = resolve(&["lib", "--json"]);
    assert_eq!(json, "{\"projects\":[{\"name\":\"lib\",\"version\":\"2.0\"}],\"schema\":1}\n");
    assert!(context.store_files("wheels").is_empty(), "nothing is fetched");
    // Known answers need no index.
    context.index().stop();
    assert_eq!(resolve(&["app[more]", "--offline"]), "app==2.0\nextra-lib==1.0\nlib==1.5\n");
}

#[test]
fn files_give_requirements_constraints_and_overrides() {
    let context = with_index();
    for (name, text) in [("r.txt", "app # why\n-c c.txt\n"), ("c.txt", "lib<2\n"), ("o.txt", "lib==1.0\n")] {
        fs::write(context.work().join(name), text).unwrap();
    }
    let resolve = |words: &[&str]| context.run([&["resolve"], words].concat());
    assert_eq!(quiet_success(resolve(&["-r", "r.txt"])), "app==2.0\nlib==1.5\n");
    assert_eq!(quiet_success(resolve(&["app", "-c", "c.txt"])), "app==2.0\nlib==1.5\n");
    assert_eq!(quiet_success(resolve(&["app", "--override", "o.txt"])), "app==2.0\nlib==1.0\n");
    let refused = resolve(&["-r", "r.txt", "lib>=2"]);
    assert_eq!((refused.status.code(), refused.stdout.as_str()), (Some(1), ""), "{refused}");
    assert!(refused.stderr.contains("your constraints allow only lib<2"), "{refused}");
    fs::write(context.work().join("r.txt"), "app\n-e ./none\n").unwrap();
    let refused = resolve(&["-r", "r.txt"]);
    assert!(refused.stderr.contains("cannot use r.txt, line 2"), "{refused}");
}

#[test]
fn where_no_prerelease_may_be_taken_the_refusal_says_what_would() {
    let context = with_index();
    for (mode, because) in [("disallow", "is a pre-release:"), ("explicit", "is a pre-release that you did not name:")]
    {
        let refused = context.run(["resolve", "app>2", "--prerelease", mode]);
        assert_eq!((refused.status.code(), refused.stdout.as_str()), (Some(1), ""), "{refused}");
        let line = format!("app 3.0b1 {because} --prerelease if-necessary would take it");
        assert!(refused.stderr.contains(&line), "{refused}");
    }
}

#[test]
fn what_was_chosen_though_something_is_wrong_with_it_is_told_once() {
    let context = Context::new();
    let bad = WheelBuilder::with_version_attribute("bad", "1.0").build();
    context.index().add_with(&bad, FileOptions::default().yanked("leaks"));
    context.publish(&[WheelBuilder::new("app", "1.0").requires("bad").build()]);
    let yanked = "omnipkg: warning: bad 1.0 was yanked by its makers: leaks\n";
    let extra = "omnipkg: warning: app 1.0 has no extra more\n";
    let script = context.script("use.py", "import bad\nprint(bad.__version__)\n");
    let run = context.run(["run", "--refresh", "--with", "bad==1.0", script.to_str().unwrap()]).success();
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("1.0\n", yanked));
    let asked = ["app[more]", "bad==1.0"];
    let resolve = [&["resolve"], &asked[..]].concat();
    let install = [&["install", "--refresh"], &asked[..]].concat();
    for (command, said) in [(resolve.clone(), "app==1.0\nbad==1.0\n"), (install.clone(), "")] {
        let output = context.run(command).success();
        assert_eq!((output.stdout.as_str(), output.stderr), (said, format!("{yanked}{extra}")));
    }
    // What is remembered was told, and who wants to hear nothing hears nothing.
    quiet_success(context.run(resolve));
    quiet_success(context.run([&["--quiet"], &install[..]].concat()));
    let refused = context.run(["resolve", "app", "bad"]);
    assert!(refused.stderr.contains("bad 1.0 was yanked (leaks): only your own bad==1.0 takes it"), "{refused}");
}

#[test]
fn another_python_and_another_platform_have_their_own_answers() {
    let context = Context::new();
    for (version, tag, python) in [
        ("1.0", "cp39-cp39-manylinux_2_17_x86_64", ">=3.9"),
        ("2.0", "cp39-cp39-manylinux_2_31_aarch64", ">=3.9"),
        ("3.0", "py3-none-musllinux_1_2_x86_64", ">=3.10"),
    ] {
        context.publish(&[WheelBuilder::new("lib", version).tag(tag).requires_python(python).build()]);
    }
    context.publish(&[WheelBuilder::new("app", "1").requires("lib; python_version < '3.10'").build()]);
    let resolve = |words: &[&str]| context.run([&["resolve"], words].concat());
    let lines = |words: &[&str]| quiet_success(resolve(words));
    let linux = "x86_64-unknown-linux-gnu";
    assert_eq!(lines(&["app", "--python-version", "3.9", "--python-platform", linux]), "app==1\nlib==1.0\n");
    assert_eq!(lines(&["app", "--python-version", "3.10", "--python-platform", linux]), "app==1\n");
    let there = ["lib", "--python-version", "3.9", "--python-platform", "aarch64-manylinux_2_31"];
    assert_eq!(lines(&there), "lib==2.0\n");
    let there = ["lib", "--python-version", "3.12", "--python-platform", "x86_64-unknown-linux-musl"];
    assert_eq!(lines(&there), "lib==3.0\n");
    let older = resolve(&["lib", "--python-version", "3.9", "--python-platform", "aarch64-manylinux2014"]);
    assert!(older.stderr.contains("manylinux_2_31_aarch64"), "the tags there are: {older}");
    for (option, value, expected) in [
        ("--python-version", "three", "\"three\" is no version of Python"),
        ("--python-platform", "windows", "the platform \"windows\" is not known"),
    ] {
        let refused = resolve(&["app", option, value]);
        assert!(refused.status.code() == Some(1) && refused.stderr.contains(expected), "{refused}");
    }
}
