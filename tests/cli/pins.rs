//! Sets that are pinned through and through, and views that a crash cut short.

use crate::support::{publish, quiet_success, script};
use omnipkg_tests::process::run;
use omnipkg_tests::{Context, Index, Mode, Output, WheelBuilder};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

/// a 0.9 and 1.0; b, which wants a newer one than 0.9; c. All are in the store, each once pinned.
fn context() -> Context {
    let context = Context::new();
    publish(&context, &[("a", "0.9"), ("a", "1.0"), ("c", "1.0")]);
    context.publish(&[WheelBuilder::with_version_attribute("b", "1.0").requires("a>=1").build()]);
    context.run(["mount", "a==0.9", "c==1.0"]).success();
    context.run(["mount", "a==1.0", "b==1.0", "c==1.0"]).success();
    fs::remove_dir_all(context.store().join("cache/simple")).unwrap();
    context.index().clear_requests();
    context
}

#[test]
fn a_set_whose_pins_are_known_needs_no_index() {
    let context = context();
    let view = quiet_success(context.run(["--offline", "mount", "a==1.0", "b==1.0"]));
    assert_eq!(quiet_success(context.run(["mount", "b==1.0", "a>=0.5", "a==1.0"])), view);
    assert!(context.index().requests().is_empty());
    assert_eq!(quiet_success(context.run(["mount", "--refresh", "a==1.0", "b==1.0"])), view, "the solver's answer");
    assert!(!context.index().requests().is_empty());
}

#[test]
fn what_leaves_a_choice_or_cannot_be_is_the_solvers() {
    let context = context();
    for set in [&["b==1.0"][..], &["a>=0.9", "c==1.0"], &["a==0.9", "b==1.0"]] {
        let output = context.run([&["--offline", "mount"], set].concat());
        assert_eq!(output.code(), 1, "{set:?} needs the index: {}", output.stdout);
    }
    let output = context.run(["mount", "a==0.9", "b==1.0"]);
    assert!(output.code() == 1 && output.stderr.contains("a>=1"), "{}", output.stderr);
}

#[test]
fn what_another_index_had_is_no_answer_of_this_one() {
    let context = context();
    let other = Index::start(Mode::Json);
    other.add(&WheelBuilder::with_version_attribute("e", "1.0").build());
    let mount = |extra: Option<(&str, String)>, options: &[&str], set: &[&str]| -> Output {
        let mut command = context.command([options, &["mount"], set].concat());
        command.envs(extra);
        run(command, b"")
    };
    let with = |url: String| Some(("PIP_EXTRA_INDEX_URL", url));
    quiet_success(mount(with(other.url()), &[], &["c==1.0", "e==1.0"]));
    fs::remove_dir_all(context.store().join("cache/simple")).unwrap();
    let view = quiet_success(mount(with(other.url()), &["--offline"], &["e==1.0"]));
    for set in [&["e==1.0"][..], &["c==1.0", "e==1.0"]] {
        assert_eq!(mount(None, &[], set).code(), 1, "{set:?}: the index has no such project");
        assert_eq!(mount(with("http://127.0.0.1:9/simple/".to_owned()), &["--offline"], set).code(), 1, "{set:?}");
    }
    let login = other.url().replace("http://", "http://user:another@");
    for extra in [with(other.url()), with(login), Some(("UV_INDEX", format!("own={}", other.url())))] {
        assert_eq!(quiet_success(mount(extra, &["--offline"], &["e==1.0"])), view);
    }
    fs::create_dir_all(context.home().join(".config/pip")).unwrap();
    let configuration = format!("[global]\nextra-index-url = {}\n", other.url());
    fs::write(context.home().join(".config/pip/pip.conf"), configuration).unwrap();
    assert_eq!(quiet_success(mount(None, &["--offline"], &["e==1.0"])), view);
}

#[test]
fn an_upgrade_renews_what_its_pins_came_to() {
    let context = context();
    context.run(["install", "a==1.0"]).success();
    let (major, minor) = context.interpreter().version;
    let better = WheelBuilder::with_version_attribute("a", "1.0").tag(&format!("cp{major}{minor}-none-any"));
    context.publish(&[better.file("a/better.py", "").build()]);
    context.run(["install", "--upgrade", "a==1.0"]).success();
    let view = quiet_success(context.run(["--offline", "mount", "a==1.0", "c==1.0"]));
    assert_eq!(quiet_success(context.run(["mount", "--refresh", "a==1.0", "c==1.0"])), view, "the solver's answer");
}

#[test]
fn a_view_is_durable_when_its_run_is_remembered_and_made_again_if_it_was_cut_short() {
    let context = context();
    script(&context, "s.py", &["import a, sys", "print(sys.prefix)"]);
    let run = ["--offline", "run", "--with", "a==1.0", "--with", "b==1.0", "s.py"];
    let prefix = PathBuf::from(quiet_success(context.run(run)).trim_end());
    let file = context.store().join("views").join(prefix.file_name().unwrap());
    let mode = || fs::metadata(&file).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(), 0o444);
    // As a crash may leave it: a part of the file, and nothing that says it is durable; no run is remembered.
    context.run(["server", "stop"]);
    fs::remove_dir_all(context.store().join("runs")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let bytes = fs::read(&file).unwrap();
    fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    assert_eq!(PathBuf::from(quiet_success(context.run(run)).trim_end()), prefix);
    assert_eq!((fs::read(&file).unwrap(), mode()), (bytes, 0o444));
}
