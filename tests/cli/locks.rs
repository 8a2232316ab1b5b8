//! Environments out and in: `export`, `sync`, `resolve --format`.

use crate::support::{install, one_error, plain_python, publish, quiet_success, store_state};
use omnipkg_tests::{Context, FileOptions, Index, Mode, Output, WheelBuilder};
use serde_json::Value;
use std::fs;

/// `app[more]` needs `lib` and `extra-lib`, and that `deep`; `alone` needs nothing.
fn with_index() -> Context {
    let context = Context::new();
    let app = WheelBuilder::with_version_attribute("app", "1.0").requires("lib>=1").provides_extra("more");
    let app = app.requires("extra-lib; extra == 'more'").requires("never; sys_platform == 'win32'");
    let lib = WheelBuilder::with_version_attribute("extra-lib", "1.0").requires("deep");
    context.publish(&[app.build(), lib.build()]);
    publish(&context, &[("lib", "1.0"), ("lib", "2.0"), ("deep", "1.0"), ("alone", "1.0"), ("alone", "2.0")]);
    context
}

#[track_caller]
fn json(output: Output) -> Value {
    serde_json::from_str(&quiet_success(output)).expect("JSON")
}

#[track_caller]
fn list(context: &Context) -> String {
    let listed = quiet_success(context.run(["list"]));
    listed.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn write(context: &Context, name: &str, text: &str) {
    fs::write(context.work().join(name), text).unwrap();
}

#[test]
fn an_exported_environment_is_the_same_view_on_another_home() {
    let (here, there) = (with_index(), Context::new());
    let view = json(here.run(["--json", "install", "app[more]", "alone<2"]))["view"].clone();
    let exported = quiet_success(here.run(["export"]));
    assert_eq!(quiet_success(here.run(["export"])), exported);
    assert_eq!(quiet_success(here.run(["resolve", "app[more]", "alone<2", "--format", "pylock"])), exported);
    assert!(!exported.contains("\"lib-1.0") && !exported.contains("never"), "{exported}");
    assert!(exported.contains("dependencies = [{ name = \"extra-lib\" }, { name = \"lib\" }]"), "{exported}");
    quiet_success(here.run(["export", "-o", "pylock.toml"]));
    assert_eq!(fs::read_to_string(here.work().join("pylock.toml")).unwrap(), exported);
    write(&there, "pylock.toml", &exported);
    // No index is asked: the file says where everything is.
    here.index().clear_requests();
    let synced = json(there.run(["--json", "sync"]));
    assert_eq!((&synced["view"], synced["changes"].as_array().map(Vec::len)), (&view, Some(5)));
    assert!(here.index().requests().iter().all(|request| request.path.starts_with("/files/")));
    assert_eq!(quiet_success(there.run(["export", "--offline"])), exported);
    let again = json(there.run(["--json", "sync", "--offline"]));
    assert_eq!((&again["view"], &again["generation"]), (&view, &Value::Null));
}

#[test]
fn what_the_file_does_not_say_leaves_and_the_rest_goes_by_what_needs_it() {
    let context = with_index();
    install(&context, &["app[more]"]);
    let exported = quiet_success(context.run(["export"]));
    let (of_others, ours) = exported.split_once("\n[tool.omnipkg]").unwrap();
    assert_eq!(ours, "\nrequirements = [\"app[more]\"]\n");
    write(&context, "pylock.toml", of_others);
    install(&context, &["lib<2", "alone"]);
    assert_eq!(list(&context), "alone 2.0 app 1.0 deep 1.0 extra-lib 1.0 lib 1.0");
    let foreseen = quiet_success(context.run(["sync", "--dry-run"]));
    assert_eq!(foreseen, "- alone 2.0\nlib 1.0 -> 2.0\n");
    quiet_success(context.run(["sync"]));
    assert_eq!(list(&context), "app 1.0 deep 1.0 extra-lib 1.0 lib 2.0");
    // `lib` is there for the sake of `app`; what an extra brought is there for its own.
    quiet_success(context.run(["uninstall", "app"]));
    assert_eq!(list(&context), "deep 1.0 extra-lib 1.0");
    quiet_success(context.run(["revert"]));
    quiet_success(context.run(["sync"]));
    assert_eq!(list(&context), "app 1.0 deep 1.0 extra-lib 1.0 lib 2.0");
    write(&context, "pylock.toml", &exported);
    quiet_success(context.run(["uninstall", "app", "extra-lib"]));
    quiet_success(context.run(["sync"]));
    assert_eq!(list(&context), "app 1.0 deep 1.0 extra-lib 1.0 lib 2.0");
    // It is asked for what the file says it answers.
    quiet_success(context.run(["uninstall", "app"]));
    assert_eq!(list(&context), "");
    write(&context, "pylock.toml", &exported.replace("app[more]\"]", "app>1\"]"));
    quiet_success(context.run(["sync"]));
    quiet_success(context.run(["uninstall", "app"]));
    assert_eq!(list(&context), "deep 1.0 extra-lib 1.0", "what does not lead to the set is not taken over");
    write(&context, "pylock.empty.toml", "lock-version = \"1.0\"\ncreated-by = \"me\"\npackages = []\n");
    quiet_success(context.run(["sync", "pylock.empty.toml"]));
    assert_eq!(list(&context), "");
}

#[test]
fn a_lock_that_cannot_be_followed_changes_nothing() {
    let context = with_index();
    install(&context, &["alone"]);
    let exported = quiet_success(context.run(["export"]));
    install(&context, &["lib"]);
    let before = store_state(&context);
    let older = exported.replace("alone-2.0", "alone-1.0").replace("\"2.0\"", "\"1.0\"");
    let hash = exported.split_once("sha256 = \"").unwrap().1[..64].to_owned();
    let wrong = exported.replace(&hash, &"0".repeat(64));
    for (text, expected) in [
        (wrong.as_str(), "sha256 of alone-2.0-py3-none-any.whl is "),
        (&older, "is alone 2.0, not alone-1.0-py3-none-any.whl"),
        (&exported.replace("python_version == '3.", "python_version == '2."), "it is not for Python "),
        (&exported.replace("py3-none-any", "cp27-none-any"), "no wheel for this Python and platform"),
        (&exported.replace("1.0\"\n", "9.0\"\n"), "its lock-version is \"9.0\""),
        ("lock-version = ", "not valid TOML in its line 1"),
    ] {
        write(&context, "pylock.toml", text);
        let error = one_error(&context, context.run(["sync"]));
        assert!(error.contains(expected), "{expected}: {error}");
    }
    assert_eq!(store_state(&context), before);
    let absent = one_error(&context, context.run(["sync", "none.toml"]));
    assert!(absent.contains("cannot read none.toml"), "{absent}");
}

#[test]
fn pins_with_hashes_go_out_and_come_in() {
    let (here, there) = (with_index(), with_index());
    let view = json(here.run(["--json", "install", "app", "alone"]))["view"].clone();
    quiet_success(here.run(["export", "-o", "requirements.txt"]));
    let text = fs::read_to_string(here.work().join("requirements.txt")).unwrap();
    let lines: Vec<&str> = text.lines().map(|line| &line[..line.len() - 64]).collect();
    assert_eq!(lines, ["alone==2.0 --hash=sha256:", "app==1.0 --hash=sha256:", "lib==2.0 --hash=sha256:"]);
    assert_eq!(quiet_success(here.run(["resolve", "app", "alone", "--format", "requirements"])), text);
    write(&there, "pins.txt", &text);
    install(&there, &["deep"]);
    assert_eq!(json(there.run(["--json", "sync", "pins.txt"]))["view"], view);
    assert_eq!(list(&there), "alone 2.0 app 1.0 lib 2.0");
    // The file is the answer, whatever the wheels require of each other; what it leaves out is told.
    write(&there, "pins.txt", "app==1.0\nalone==1.0 ; sys_platform == 'win32'\n");
    let synced = there.run(["sync", "pins.txt"]).success();
    let warning = "omnipkg: warning: app requires lib, which the file does not name: it is left out\n";
    assert_eq!((synced.stdout.as_str(), synced.stderr.as_str()), ("", warning));
    assert_eq!(list(&there), "app 1.0");
    write(&there, "pins.txt", "app>=1\n");
    let refused = one_error(&there, there.run(["sync", "pins.txt"]));
    assert!(refused.contains("app>=1 leaves a choice"), "{refused}");
}

#[test]
fn what_is_not_remembered_of_a_wheel_is_asked_of_the_index() {
    let context = with_index();
    install(&context, &["app"]);
    let exported = quiet_success(context.run(["export"]));
    let forget = || fs::remove_dir_all(context.store().join("origins")).unwrap();
    forget();
    assert_eq!(quiet_success(context.run(["export"])), exported);
    forget();
    // Nobody has that file any more: the index is another one now.
    let other = Index::start(Mode::Json);
    other.add(&WheelBuilder::new("app", "1.0").build());
    let refused = one_error(&context, context.run(["export", "--index-url", &other.url()]));
    assert!(refused.contains("where app-1.0-py3-none-any.whl comes from is not remembered"), "{refused}");
}

/// A source distribution whose backend lies in it and needs nothing.
fn source(context: &Context, name: &str) -> Vec<u8> {
    let backend = format!(
        "import zipfile\n\
         def build_wheel(directory, config_settings=None, metadata_directory=None):\n\
         \x20   name = '{name}-1.0-py3-none-any.whl'\n\
         \x20   info = '{name}-1.0.dist-info/'\n\
         \x20   with zipfile.ZipFile(directory + '/' + name, 'w') as wheel:\n\
         \x20       def put(path, text):\n\
         \x20           wheel.writestr(zipfile.ZipInfo(path), text)\n\
         \x20       put('{name}.py', 'BUILT = True\\n')\n\
         \x20       put(info + 'METADATA', 'Metadata-Version: 2.1\\nName: {name}\\nVersion: 1.0\\nRequires-Dist: alone\\n')\n\
         \x20       put(info + 'WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')\n\
         \x20       put(info + 'RECORD', '{name}.py,,\\n' + ''.join(info + f + ',,\\n' for f in ('METADATA', 'WHEEL', 'RECORD')))\n\
         \x20   return name\n"
    );
    let folder = context.work().join(format!("{name}-1.0"));
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("backend.py"), backend).unwrap();
    let project = format!(
        "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n\
         [project]\nname = '{name}'\nversion = '1.0'\ndependencies = ['alone']\n"
    );
    fs::write(folder.join("pyproject.toml"), project).unwrap();
    let code = "import sys, tarfile; tarfile.open(sys.argv[1] + '.tar.gz', 'w:gz').add(sys.argv[1])";
    plain_python(context, &["-c", code, &format!("{name}-1.0")]).success();
    fs::read(context.work().join(format!("{name}-1.0.tar.gz"))).unwrap()
}

#[test]
fn what_was_built_goes_out_as_its_source() {
    let (here, there) = (with_index(), Context::new());
    let bytes = source(&here, "src");
    here.index().add_file("src", "1.0", "src-1.0.tar.gz", &bytes, FileOptions::default());
    source(&here, "own");
    let url = format!("other @ {}/other-1.0.tar.gz", here.index().origin());
    here.index().page("/other-1.0.tar.gz", "application/gzip", source(&here, "other"));
    let view = json(here.run(["--json", "install", "src", "./own-1.0", &url]))["view"].clone();
    let exported = quiet_success(here.run(["export"]));
    let hash = omnipkg_store::Sha256::of(&bytes);
    assert!(exported.contains("sdist = { name = \"src-1.0.tar.gz\", url = "), "{exported}");
    assert!(exported.contains(&format!("hashes = {{ sha256 = \"{hash}\" }}")), "{exported}");
    assert!(exported.contains("directory = { path = \"") && exported.contains("archive = { url = \""), "{exported}");
    write(&there, "pylock.toml", &exported);
    let refused = one_error(&there, there.run(["sync", "--no-build"]));
    assert!(refused.contains("its entry for other: it is to be built, which is not allowed"), "{refused}");
    assert_eq!(json(there.run(["--json", "sync"]))["view"], view);
    assert_eq!(list(&there), "alone 2.0 other 1.0 own 1.0 src 1.0");
    let again = quiet_success(there.run(["export"]));
    assert_eq!(again.split("[tool.omnipkg]").next(), exported.split("[tool.omnipkg]").next());
    // What was built once need not be fetched again.
    let again = json(there.run(["--json", "sync", "--offline"]));
    assert_eq!((&again["view"], &again["generation"]), (&view, &Value::Null));
    // What no index has is still asked for by where it is.
    quiet_success(there.run(["install", "lib", "--index-url", &here.index().url()]));
    assert_eq!(list(&there), "alone 2.0 lib 2.0 other 1.0 own 1.0 src 1.0");
    quiet_success(here.run(["uninstall", "own", "other"]));
    let pins = quiet_success(here.run(["export", "--format", "requirements"]));
    assert!(pins.ends_with(&format!("src==1.0 --hash=sha256:{hash}\n")), "{pins}");
    write(&here, "pins.txt", &pins);
    let foreseen = quiet_success(here.run(["install", "-r", "pins.txt", "--dry-run", "--refresh"]));
    assert_eq!(foreseen, "");
}

#[test]
fn no_secret_goes_out() {
    let context = with_index();
    context.index().require_login("me", "hush");
    let url = context.index().url().replace("://", "://me:hush@");
    let install = context.run(["install", "app", "--index-url", &url]);
    quiet_success(install);
    let exported = quiet_success(context.run(["export"]));
    assert!(exported.contains("127.0.0.1") && !exported.contains("hush"), "{exported}");
    for file in context.store_files("origins") {
        let text = fs::read_to_string(context.store().join("origins").join(file)).unwrap();
        assert!(!text.contains("hush"), "{text}");
    }
    // The lock's reader says who they are.
    let there = Context::new();
    write(&there, "pylock.toml", &exported);
    let refused = one_error(&there, there.run(["sync"]));
    assert!(refused.contains("answered 401"), "{refused}");
    quiet_success(there.run(["sync", "--index-url", &url]));
    assert_eq!(quiet_success(there.run(["export"])), exported);
    // So does a file of pins that names its index.
    let there = Context::new();
    let pins = quiet_success(context.run(["export", "--format", "requirements"]));
    write(&there, "pins.txt", &format!("-i {url}\n{pins}"));
    quiet_success(there.run(["sync", "pins.txt"]));
    assert_eq!(list(&there), "app 1.0 lib 2.0");
}

#[test]
fn files_are_written_whole_and_by_their_names() {
    let context = with_index();
    install(&context, &["alone"]);
    let refused = one_error(&context, context.run(["export", "-o", "lock.toml"]));
    assert!(refused.contains("a lock file is called pylock.toml or pylock.NAME.toml"), "{refused}");
    let refused = one_error(&context, context.run(["export", "-o", "none/pylock.toml"]));
    assert!(refused.contains("cannot write none/pylock.toml"), "{refused}");
    quiet_success(context.run(["export", "-o", "pylock.dev.toml"]));
    let left: Vec<_> = fs::read_dir(context.work()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["pylock.dev.toml"]);
}

#[test]
fn an_environment_of_somebody_else_is_not_exported() {
    let context = Context::new();
    plain_python(&context, &["-m", "venv", "--without-pip", "venv"]).success();
    let venv = context.work().join("venv");
    let context = context.env("VIRTUAL_ENV", venv);
    let refused = one_error(&context, context.run(["export"]));
    assert!(refused.contains("this environment is not one that omnipkg made"), "{refused}");
}
