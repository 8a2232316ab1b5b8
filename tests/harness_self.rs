//! The harness tested by itself: pip, which knows nothing of it, takes its wheels and its index.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use nix::mount::MsFlags;
use omnipkg_tests::context::is_mounted;
use omnipkg_tests::process::run;
use omnipkg_tests::{BuiltWheel, Context, Fault, FileOptions, FuseDevice, Index, Mode, Output, User, WheelBuilder};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

fn demo() -> BuiltWheel {
    WheelBuilder::new("My.Demo", "1.0+local.1")
        .file("my_demo/__init__.py", "__version__ = '1.0'\ndef main():\n    print('demo runs')\n")
        .file("my_demo/with, comma.txt", "")
        .executable("my_demo/tool", "#!/bin/sh\n")
        .data_file("data", "share/my-demo/file.txt", "data\n")
        .data_file("scripts", "my-script", "#!python\nprint('script runs')\n")
        .requires("missing-project>=1; extra == 'more'")
        .requires_python(">=3.6")
        .provides_extra("more")
        .console_script("my-demo", "my_demo:main")
        .build()
}

/// pip with this context's Python, its index settings and caches out of the way.
fn pip(context: &Context, arguments: &[&str], target: &Path) -> Output {
    let mut command = context.program(&context.interpreter().executable);
    command.env("PIP_CONFIG_FILE", "/dev/null").env("PIP_DISABLE_PIP_VERSION_CHECK", "1");
    command.args(["-m", "pip", "install", "--no-cache-dir", "--retries=0", "--no-compile"]);
    command.arg("--target").arg(target).args(arguments);
    run(command, b"")
}

fn get(index: &Index, path: &str, headers: &str) -> (String, Vec<u8>) {
    let mut connection = TcpStream::connect(index.origin().trim_start_matches("http://")).unwrap();
    write!(connection, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n").unwrap();
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").map_or(answer.len(), |end| end + 4);
    let body = answer.split_off(end);
    (String::from_utf8(answer).unwrap(), body)
}

#[test]
fn pip_installs_a_built_wheel() {
    let context = Context::new();
    let wheel = demo().write_to(&context.work());
    let target = context.work().join("target");
    pip(&context, &["--no-deps", "--no-index", wheel.to_str().unwrap()], &target).success();
    assert!(target.join("my_demo/with, comma.txt").exists());
    assert_eq!(std::fs::read_to_string(target.join("share/my-demo/file.txt")).unwrap(), "data\n");
    for (script, said) in [("bin/my-demo", "demo runs\n"), ("bin/my-script", "script runs\n")] {
        let mut command = context.program(target.join(script));
        command.env("PYTHONPATH", &target);
        assert_eq!(run(command, b"").success().stdout, said);
    }
}

#[test]
fn pip_refuses_the_faults() {
    let context = Context::new();
    let builder = WheelBuilder::with_version_attribute("demo", "1.0");
    let whole = builder.build().bytes.len();
    let target = context.work().join("target");
    let cut = builder.clone().truncate(whole / 2).build().write_to(&context.work());
    assert_ne!(pip(&context, &["--no-index", cut.to_str().unwrap()], &target).code(), 0);

    context.index().add_with(&builder.build(), FileOptions::default().wrong_hash());
    let refused = pip(&context, &["demo", "--index-url", &context.index().url()], &target);
    assert!(refused.stderr.contains("THESE PACKAGES DO NOT MATCH THE HASHES"), "{refused}");
}

/// pip itself checks no member against RECORD, so the standard library judges this one.
#[test]
fn a_corrupt_member_differs_from_its_record_and_nothing_else_does() {
    let context = Context::new();
    let builder = WheelBuilder::new("demo", "1.0").file("a.py", "a = 1\n").file("b.py", "b = 1\n");
    let script = context.script(
        "check.py",
        "import base64, csv, hashlib, io, sys, zipfile\n\
         archive = zipfile.ZipFile(sys.argv[1])\n\
         assert archive.testzip() is None\n\
         rows = csv.reader(io.StringIO(archive.read('demo-1.0.dist-info/RECORD').decode()))\n\
         for name, digest, size in rows:\n\
         \x20   data = archive.read(name)\n\
         \x20   real = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()\n\
         \x20   if digest and (digest, size) != ('sha256=' + real, str(len(data))):\n\
         \x20       print(name)\n",
    );
    for (builder, differing) in [(builder.clone(), ""), (builder.corrupt_member("b.py"), "b.py\n")] {
        let wheel = builder.build().write_to(&context.work());
        let mut command = context.program(&context.interpreter().executable);
        command.arg(&script).arg(wheel);
        assert_eq!(run(command, b"").success().stdout, differing);
    }
}

#[test]
fn pip_installs_from_the_index_in_every_mode() {
    for mode in [Mode::Json, Mode::Html, Mode::HtmlWithMetadata] {
        let context = Context::new();
        let index = Index::start(mode);
        index.add(&WheelBuilder::with_version_attribute("base", "2.0").build());
        index.add_with(
            &WheelBuilder::with_version_attribute("base", "3.0").build(),
            FileOptions::default().yanked("<broken> \"and\" bad"),
        );
        let future = FileOptions::default().requires_python(">=9").upload_time("2024-01-31T12:00:00.000000Z");
        index.add_with(&WheelBuilder::with_version_attribute("base", "4.0").build(), future);
        let top = WheelBuilder::with_version_attribute("top", "1.0").requires("base").build();
        index.add(&top);

        let target = context.work().join("target");
        pip(&context, &["top", "--index-url", &index.url()], &target).success();
        assert!(target.join("base-2.0.dist-info").exists(), "{mode:?}");
        assert_eq!(index.count("/simple/top/"), 1);
        assert_eq!(index.count(&Index::file_path(&top)), 1);
        assert_eq!(index.count(&format!("{}.metadata", Index::file_path(&top))), usize::from(mode != Mode::Html));
    }
}

#[test]
fn ranges_are_served_until_switched_off() {
    let index = Index::start(Mode::Html);
    let wheel = WheelBuilder::new("demo", "1.0").build();
    index.add(&wheel);
    let path = Index::file_path(&wheel);
    let length = wheel.bytes.len();
    for (range, expected) in [
        ("bytes=2-5", &wheel.bytes[2..6]),
        ("bytes=-10", &wheel.bytes[length - 10..]),
        ("bytes=10-", &wheel.bytes[10..]),
        ("bytes=-999999", &wheel.bytes[..]),
    ] {
        let (head, body) = get(&index, &path, &format!("Range: {range}\r\n"));
        assert!(head.starts_with("HTTP/1.1 206 "), "{range}: {head}");
        assert_eq!(body, expected, "{range}");
    }
    assert!(get(&index, &path, "Range: bytes=999999-\r\n").0.starts_with("HTTP/1.1 416 "));
    index.set_ranges(false);
    let (head, body) = get(&index, &path, "Range: bytes=2-5\r\n");
    assert!(head.starts_with("HTTP/1.1 200 ") && !head.contains("Accept-Ranges"), "{head}");
    assert_eq!(body, wheel.bytes);
    assert_eq!(index.requests()[0].headers["range"], "bytes=2-5");
}

#[test]
fn faults_are_what_was_asked_for() {
    let index = Index::start(Mode::Json);
    let wheel = WheelBuilder::new("demo", "1.0").build();
    index.add(&wheel);
    let path = Index::file_path(&wheel);
    index.fault_times(&path, Fault::Status(503), 1);
    assert!(get(&index, &path, "").0.starts_with("HTTP/1.1 503 "));
    assert_eq!(get(&index, &path, "").1, wheel.bytes);

    index.fault(&path, Fault::Cut(7));
    let (head, body) = get(&index, &path, "");
    assert!(head.contains(&format!("Content-Length: {}\r\n", wheel.bytes.len())), "{head}");
    assert_eq!(body, wheel.bytes[..7]);
    index.fault(&path, Fault::ContentLength(3));
    assert!(get(&index, &path, "").0.contains("Content-Length: 3\r\n"));
    index.fault(&path, Fault::Html);
    assert!(get(&index, &path, "").0.contains("Content-Type: text/html\r\n"));
    index.mend(&path);
    index.redirect("/elsewhere", &path);
    assert!(get(&index, "/elsewhere?x=1", "").0.contains(&format!("Location: {path}\r\n")));

    let (head, _) = get(&index, "/simple/demo/", "");
    let tag = head.lines().find_map(|line| line.strip_prefix("ETag: ")).expect("an ETag").to_owned();
    assert!(get(&index, "/simple/demo/", &format!("If-None-Match: {tag}\r\n")).0.starts_with("HTTP/1.1 304 "));
    index.require_login("user", "secret");
    assert!(get(&index, "/simple/demo/", "").0.starts_with("HTTP/1.1 401 "));
    assert!(get(&index, "/simple/demo/", "Authorization: Basic dXNlcjpzZWNyZXQ=\r\n").0.contains(" 200 OK"));
}

#[test]
fn a_stopped_index_is_dead_and_lets_go_of_who_waits() {
    let index = Index::start(Mode::Json);
    index.fault("/simple/demo/", Fault::Hang);
    let waiting = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| get(&index, "/simple/demo/", ""));
        while index.count("/simple/demo/") == 0 {
            std::thread::yield_now();
        }
        index.stop();
        waiting.join().unwrap()
    });
    assert_eq!(waiting, (String::new(), Vec::new()));
    assert!(TcpStream::connect(index.origin().trim_start_matches("http://")).is_err());
}

#[test]
fn nothing_of_the_machine_reaches_a_command() {
    let context = Context::new().link();
    let environment = run(context.program("/usr/bin/env"), b"").success().stdout;
    let mut names: Vec<&str> = environment.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
    names.retain(|name| !name.starts_with("XDG_"));
    names.sort_unstable();
    let expected = "HOME LANG OMNIPKG_HOME OMNIPKG_INDEX_URL OMNIPKG_PROJECTION PATH TMPDIR TZ";
    assert_eq!(names.join(" "), expected);
    let filtered = context.filter(&format!("{} in 3 ms", context.store().join("views").display()));
    assert_eq!(filtered, "[STORE]/views in [TIME]");
}

#[test]
fn a_mount_left_behind_is_detached_and_the_directory_removed() {
    let context = Context::new();
    let store = context.store();
    let mount = store.join("mnt");
    std::fs::create_dir_all(&mount).unwrap();
    let mounted = nix::mount::mount(Some("none"), &mount, Some("tmpfs"), MsFlags::empty(), None::<&str>);
    if let Err(error) = mounted {
        eprintln!("skipped: cannot mount: {error}");
        return;
    }
    assert!(is_mounted(&mount));
    drop(context);
    assert!(!is_mounted(&mount));
    assert!(!store.parent().unwrap().exists());
}

#[test]
fn an_ordinary_user_owns_its_context() {
    let Some(context) = Context::as_ordinary_user() else { return };
    let script = context.script("id.py", "import os\nprint(os.getuid())\nopen('made', 'w').close()\n");
    let mut command = context.program(&context.interpreter().executable);
    command.arg(script);
    assert_ne!(run(command, b"").success().stdout, "0\n");
    assert!(context.work().join("made").exists());
}

#[test]
fn the_fuse_device_is_held_at_a_mode_and_let_go() {
    let (Some(user), true) = (User::ordinary(), Path::new("/dev/fuse").exists()) else { return };
    let opens = || {
        let mut command = std::process::Command::new("/bin/sh");
        command.args(["-c", "exec 3<>/dev/fuse"]).env_clear();
        user.apply(&mut command);
        run(command, b"").code() == 0
    };
    let Some(open) = FuseDevice::open_to_all() else { return };
    assert!(opens());
    drop(open);
    let Some(_closed) = FuseDevice::closed_to_users() else { return };
    assert!(!opens());
}
