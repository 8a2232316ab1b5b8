//! Interpreters of this machine: adopted by reference, found, removed, and followed when they change or vanish.

use crate::support::{one_error, plain_python, quiet_success};
use insta::assert_snapshot;
use omnipkg_tests::{Context, Python};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

#[track_caller]
fn json(context: &Context, arguments: &[&str]) -> Value {
    let text = quiet_success(context.run([&["--json"], arguments].concat()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// An interpreter of its own: a copy of the program, with links to the standard library that it came with.
fn copy_of_python(context: &Context, folder: &str) -> PathBuf {
    copy_of(context, context.interpreter(), folder)
}

fn copy_of(context: &Context, python: &Python, folder: &str) -> PathBuf {
    let code = "import sys, sysconfig; print(sys.executable); print(sysconfig.get_path('stdlib'))";
    let mut command = context.program(&python.executable);
    command.args(["-c", code]);
    let output = omnipkg_tests::process::run(command, b"").success().stdout;
    let (program, library) = output.trim_end().split_once('\n').unwrap();
    let root = context.work().join(folder);
    let version = format!("python{}", python.version());
    fs::create_dir_all(root.join("bin")).unwrap();
    fs::create_dir_all(root.join("lib")).unwrap();
    std::os::unix::fs::symlink(library, root.join("lib").join(&version)).unwrap();
    let copy = root.join("bin").join(&version);
    fs::copy(Path::new(program).canonicalize().unwrap(), &copy).unwrap();
    copy
}

fn version(context: &Context) -> String {
    context.interpreter().version()
}

/// The interpreter that an environment is bound to, as its own Python tells.
#[track_caller]
fn base_of(context: &Context, environment: &str) -> PathBuf {
    let python = context.store().join("envs").join(environment).join("bin/python");
    let mut command = context.program(python);
    command.args(["-c", "import sys; print(sys._base_executable)"]);
    let text = quiet_success(omnipkg_tests::process::run(command, b""));
    Path::new(text.trim_end()).canonicalize().unwrap()
}

#[test]
fn an_interpreter_is_adopted_listed_and_removed_and_stays_as_it_is() {
    let context = Context::new();
    let version = version(&context);
    let real = context.interpreter().executable.canonicalize().unwrap();
    let before = fs::metadata(&real).unwrap().modified().unwrap();

    let adopted = json(&context, &["python", "adopt", &version]);
    assert_eq!(adopted["schema"], 1);
    assert_eq!(adopted["name"], version);
    assert_eq!(adopted["environment"], version);
    assert_eq!(adopted["adopted"], true);
    assert_eq!(adopted["interpreter"], real.to_str().unwrap());
    let python = context.store().join("envs").join(&version).join("bin/python");
    assert_eq!(adopted["python"], python.to_str().unwrap());
    assert_eq!(base_of(&context, &version), real);
    assert_eq!(json(&context, &["adopt", "python", &version])["adopted"], false);
    assert_eq!(quiet_success(context.run(["python", "adopt", &version])), "", "silence unless asked");

    let list = quiet_success(context.run(["python", "list"]));
    let line = list.lines().find(|line| line.contains(real.to_str().unwrap())).unwrap();
    assert!(line.starts_with(&format!("  {version} ")) && line.ends_with("(adopted)"), "{list}");
    context.run(["swap", "python", &version]).success();
    let list = quiet_success(context.run(["python", "list"]));
    assert!(list.starts_with(&format!("* {version} ")), "{list}");

    let refused = one_error(&context, context.run(["python", "remove", &version]));
    assert!(refused.contains("is the active one") && refused.contains("omnipkg swap python"), "{refused}");
    fs::remove_file(context.store().join("active")).unwrap();
    quiet_success(context.run(["env", "create", "work", "--python", &version]));
    let refused = one_error(&context, context.run(["python", "remove", &version]));
    assert!(refused.contains("is in use by work") && refused.contains("omnipkg env remove work"), "{refused}");
    quiet_success(context.run(["env", "remove", "work"]));
    assert_eq!(quiet_success(context.run(["python", "remove", &version])), "");
    assert!(!context.store().join("envs").join(&version).is_symlink());
    assert!(context.store_files("pythons").is_empty(), "{:?}", context.store_files("pythons"));
    assert_eq!(fs::metadata(&real).unwrap().modified().unwrap(), before);
    let refused = one_error(&context, context.run(["python", "remove", &version]));
    assert!(refused.contains("is in use (none is)"), "{refused}");
}

#[test]
fn find_prints_paths_and_nothing_else() {
    let context = Context::new();
    let real = context.interpreter().executable.canonicalize().unwrap();
    let path = |output| PathBuf::from(quiet_success(output).trim_end());
    assert_eq!(path(context.run(["python", "find", &version(&context)])), real);
    let asked = context.interpreter().executable.to_str().unwrap();
    assert_eq!(path(context.run(["python", "find", asked])), real);
    let all = quiet_success(context.run(["python", "find"]));
    assert_eq!(all.lines().filter(|line| Path::new(line) == real).count(), 1, "{all}");
    assert_eq!(
        json(&context, &["python", "find", &version(&context)])["pythons"][0]["interpreter"],
        real.to_str().unwrap()
    );
    assert!(context.store_files("envs").is_empty(), "looking makes nothing");
}

#[test]
fn what_is_not_there_is_said_with_the_next_step() {
    let context = Context::new();
    let missing = one_error(&context, context.run(["python", "find", "3.98"]));
    assert!(missing.starts_with("omnipkg: error: no Python 3.98 on this machine (found [VERSION]"), "{missing}");
    let text = one_error(&context, context.run(["python", "adopt", "3.8.13"]));
    assert!(text.ends_with("hint: `omnipkg python install [VERSION]` fetches it\n"), "{text}");
    let script = context.script("s.py", "# /// script\n# requires-python = '<3.8.14,>=3.8.13'\n# ///\n");
    let text = one_error(&context, context.run(["run", script.to_str().unwrap()]));
    assert!(text.ends_with("hint: `omnipkg python install [VERSION]` fetches it\n"), "{text}");
    assert!(context.store_files("pythons").is_empty());
    assert_snapshot!(one_error(&context, context.run(["python", "remove", "3.98"])), @r"
    omnipkg: error: no Python 3.98 is in use (none is)
    hint: `omnipkg python list` lists what there is; --python takes a version or a path
    ");
}

#[test]
fn two_interpreters_of_one_version_have_names_of_their_own() {
    let context = Context::new();
    let copy = copy_of_python(&context, "copy");
    let version = version(&context);
    assert_eq!(json(&context, &["python", "adopt", &version])["name"], version);
    let second = json(&context, &["python", "adopt", copy.to_str().unwrap()]);
    let name = second["name"].as_str().unwrap();
    assert!(name.starts_with(&format!("{version}-")), "{second}");
    assert_eq!(base_of(&context, name), copy);
    assert_eq!(json(&context, &["python", "adopt", copy.to_str().unwrap()])["name"], name);
    // The one with the plain name answers for the version, and each for its own path.
    let real = context.interpreter().executable.canonicalize().unwrap();
    assert_eq!(quiet_success(context.run(["python", "find", &version])).trim_end(), real.to_str().unwrap());
    quiet_success(context.run(["python", "remove", name]));
    assert!(copy.exists());
}

#[test]
fn an_adopted_interpreter_answers_before_one_that_is_only_found() {
    let context = Context::new();
    let copy = copy_of_python(&context, "copy");
    quiet_success(context.run(["python", "adopt", copy.to_str().unwrap()]));
    let found = quiet_success(context.run(["python", "find", &version(&context)]));
    assert_eq!(found.trim_end(), copy.to_str().unwrap());
}

#[test]
fn a_virtual_environments_python_stands_for_its_base() {
    let context = Context::new();
    plain_python(&context, &["-m", "venv", "--without-pip", "venv"]).success();
    let real = context.interpreter().executable.canonicalize().unwrap();
    let adopted = json(&context, &["python", "adopt", "./venv"]);
    assert_eq!(adopted["interpreter"], real.to_str().unwrap());
}

#[test]
fn a_changed_interpreter_is_noticed_and_its_environment_goes_on() {
    let context = Context::new();
    let copy = copy_of_python(&context, "copy");
    let version = version(&context);
    quiet_success(context.run(["python", "adopt", copy.to_str().unwrap()]));
    assert_eq!(quiet_success(context.run(["python", "rescan"])), format!("{version}: unchanged\n"));
    // A byte more at the end of the program is another file, and the same Python.
    let mut bytes = fs::read(&copy).unwrap();
    bytes.push(0);
    fs::remove_file(&copy).unwrap();
    fs::write(&copy, bytes).unwrap();
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).unwrap();
    let output = context.run(["python", "rescan"]).success().stdout;
    assert!(output.starts_with(&format!("{version}: changed, still {version}.")), "{output}");
    assert_eq!(base_of(&context, &version), copy);
    assert_eq!(quiet_success(context.run(["python", "rescan"])), format!("{version}: unchanged\n"));
}

#[test]
fn a_vanished_interpreter_gives_its_environment_to_another() {
    let context = Context::new();
    let copy = copy_of_python(&context, "copy");
    let version = version(&context);
    quiet_success(context.run(["python", "adopt", copy.to_str().unwrap()]));
    fs::remove_dir_all(copy.ancestors().nth(2).unwrap()).unwrap();
    let list = quiet_success(context.run(["python", "list"]));
    assert!(list.lines().next().is_some_and(|line| line.contains("adopted, vanished")), "{list}");
    let output = context.run(["python", "rescan"]).success();
    assert_eq!(output.stdout, format!("{version}: vanished\n"));
    let real = context.interpreter().executable.canonicalize().unwrap();
    assert_eq!(base_of(&context, &version), real, "{output}");
    assert_eq!(quiet_success(context.run(["python", "rescan"])), format!("{version}: unchanged\n"));
}

#[test]
fn where_nothing_can_take_the_place_of_what_vanished_that_is_said() {
    // Of the oldest there is usually no second one.
    let Some(python) = Context::python("3.8") else { return };
    let context = Context::new();
    let copy = copy_of(&context, &python, "copy");
    if context.run(["python", "find", "3.8"]).code() == 0 {
        return eprintln!("skipped: there is a Python 3.8 for the whole machine");
    }
    quiet_success(context.run(["python", "adopt", copy.to_str().unwrap()]));
    fs::remove_dir_all(copy.ancestors().nth(2).unwrap()).unwrap();
    let output = context.run(["python", "rescan"]).success();
    assert_eq!(output.stdout, "3.8: vanished\n");
    assert!(output.stderr.contains("is gone") && output.stderr.lines().count() <= 2, "{output}");
    let refused = one_error(&context, context.run(["run", "--python", "3.8", "--", "python", "-V"]));
    assert!(refused.contains("is gone"), "{refused}");
}
