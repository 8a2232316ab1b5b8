//! `install -r`: files of requirements with constraints, overrides, hashes and options.

use crate::support::{install, one_error, publish, quiet_success};
use omnipkg_tests::{Context, FileOptions, Index, Mode, WheelBuilder};
use std::fs;

fn write(context: &Context, name: &str, text: &str) {
    fs::write(context.work().join(name), text).unwrap();
}

fn list(context: &Context) -> String {
    let listed = quiet_success(context.run(["list"]));
    listed.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn files_are_installed_within_constraints_and_overrides() {
    let context = Context::new();
    publish(&context, &[("lib", "1.0"), ("lib", "1.5"), ("lib", "2.0"), ("other", "1.0")]);
    context.publish(&[WheelBuilder::new("app", "1.0").requires("lib>=1.5").build()]);
    write(&context, "r.txt", "app\n-r more.txt\n");
    write(&context, "more.txt", "other # why\n");
    write(&context, "c.txt", "lib<2\n");
    write(&context, "o.txt", "lib==1.0\n");
    install(&context, &["-r", "r.txt"]);
    assert_eq!(list(&context), "app 1.0 lib 2.0 other 1.0");
    // What is there already obeys too.
    install(&context, &["-r", "r.txt", "-c", "c.txt"]);
    assert_eq!(list(&context), "app 1.0 lib 1.5 other 1.0");
    install(&context, &["app", "--override", "o.txt"]);
    assert_eq!(list(&context), "app 1.0 lib 1.0 other 1.0");
}

#[test]
fn a_file_names_its_index_and_a_flag_another() {
    let context = Context::new();
    publish(&context, &[("lib", "1.0")]);
    let other = Index::start(Mode::Json);
    other.add(&WheelBuilder::new("lib", "2.0b1").build());
    other.add(&WheelBuilder::new("lib", "2.0").build());
    write(&context, "r.txt", &format!("--index-url {}\nlib\n", other.url()));
    write(&context, "pre.txt", &format!("-i {}\n--pre\nlib<2\n", other.url()));
    let resolve = |words: &[&str]| quiet_success(context.run([&["resolve"], words].concat()));
    assert_eq!(resolve(&["-r", "r.txt"]), "lib==2.0\n");
    assert_eq!(resolve(&["-r", "r.txt", "--index-url", &context.index().url()]), "lib==1.0\n");
    write(&context, "extra.txt", &format!("--extra-index-url={}\nlib\n", other.url()));
    install(&context, &["-r", "extra.txt"]);
    assert_eq!(list(&context), "lib 2.0");
    let refused = one_error(&context, context.run(["resolve", "-r", "pre.txt"]));
    assert!(refused.contains("lib"), "2.0b1 is not below 2: {refused}");
    other.add(&WheelBuilder::new("lib", "1.9rc1").build());
    assert_eq!(resolve(&["-r", "pre.txt", "--refresh"]), "lib==1.9rc1\n");
}

#[test]
fn a_file_names_what_lies_beside_it() {
    let context = Context::new();
    fs::create_dir(context.work().join("files")).unwrap();
    fs::create_dir(context.work().join("files/links")).unwrap();
    let beside = WheelBuilder::new("beside", "1.0").build();
    fs::write(context.work().join("files/links").join(&beside.filename), &beside.bytes).unwrap();
    write(&context, "files/links.txt", "--no-index\n--find-links links\nbeside\n");
    let resolved = quiet_success(context.run(["resolve", "-r", "files/links.txt"]));
    assert_eq!(resolved, "beside==1.0\n");
    let refused = one_error(&context, context.run(["resolve", "-r", "files/links.txt", "--format", "pylock"]));
    assert!(refused.contains("no hash for beside-1.0-py3-none-any.whl: install it, then"), "{refused}");
    install(&context, &["-r", "files/links.txt"]);
    let pylock = quiet_success(context.run(["export"]));
    assert!(pylock.contains("path = \"") && !pylock.contains("index = "), "{pylock}");
}

#[test]
fn with_hashes_everything_must_have_one_and_be_pinned() {
    let context = Context::new();
    let plain = WheelBuilder::new("lib", "1.0").build();
    let both = WheelBuilder::new("lib", "1.0").tag("py2.py3-none-any").file("lib.py", "KIND = 'both'\n").build();
    context.publish(&[plain.clone(), both, WheelBuilder::new("app", "1.0").requires("lib").build()]);
    let hash = |name: &str| {
        let lines = quiet_success(context.run(["resolve", name, "--format", "requirements"]));
        lines.lines().next().and_then(|line| line.split_once(' ')).map(|(_, hash)| hash.to_owned()).unwrap()
    };
    let (app, lib) = (hash("app"), format!("--hash=sha256:{}", omnipkg_store::Sha256::of(&plain.bytes)));
    assert_ne!(hash("lib"), lib, "left to itself, the other wheel is chosen");
    let none = format!("--hash=sha256:{}", "0".repeat(64));
    write(&context, "r.txt", &format!("app==1.0 \\\n    {app} \\\n    {none}\nlib==1.0 {lib}\n"));
    install(&context, &["-r", "r.txt", "--require-hashes"]);
    let exported = quiet_success(context.run(["export"]));
    assert!(exported.contains("lib-1.0-py3-none-any.whl"), "{exported}");
    // It stays that file, whatever else is installed; and hashes say nothing to who gave none.
    publish(&context, &[("more", "1.0")]);
    install(&context, &["more", "lib==1.0"]);
    assert!(quiet_success(context.run(["export"])).contains("lib-1.0-py3-none-any.whl"));
    quiet_success(context.run(["env", "create", "other"]));
    quiet_success(context.run(["install", "--env", "other", "app==1.0", "lib==1.0"]));
    let usual = quiet_success(context.run(["export", "--env", "other"]));
    assert!(usual.contains("lib-1.0-py2.py3-none-any.whl"), "{usual}");
    for (text, expected) in [
        (format!("app==1.0 {app}\n"), "no hash was given for lib 1.0: where one requirement has hashes, all must"),
        (format!("app==1.0 {app}\nlib==1.0\n"), "lib==1.0 has no --hash"),
        (format!("app>=1.0 {app}\n"), "app>=1.0 has hashes, and is not pinned"),
        (format!("app==1.0 {app}\nlib==1.0 {none}\n"), "one of the hashes that were given for it"),
        ("--require-hashes\napp==1.0\n".to_owned(), "app==1.0 has no --hash"),
    ] {
        write(&context, "bad.txt", &text);
        let error = one_error(&context, context.run(["resolve", "-r", "bad.txt"]));
        assert!(error.contains(expected), "{expected}: {error}");
    }
    let error = one_error(&context, context.run(["install", "--require-hashes", "app==1.0"]));
    assert!(error.contains("app==1.0 has no --hash"), "{error}");
}

#[test]
fn where_the_index_names_no_hash_what_comes_is_checked() {
    let context = Context::new();
    let wheel = WheelBuilder::new("lib", "1.0").build();
    context.index().add_with(&wheel, FileOptions::default().without_hash());
    write(&context, "r.txt", &format!("lib==1.0 --hash=sha256:{}\n", "0".repeat(64)));
    let error = one_error(&context, context.run(["install", "-r", "r.txt"]));
    assert!(error.contains("lib-1.0-py3-none-any.whl") && error.contains("sha256"), "{error}");
    assert!(context.store_files("wheels").is_empty());
    write(&context, "r.txt", &format!("lib==1.0 --hash=sha256:{}\n", omnipkg_store::Sha256::of(&wheel.bytes)));
    install(&context, &["-r", "r.txt"]);
    assert_eq!(list(&context), "lib 1.0");
}
