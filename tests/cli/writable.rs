//! Writable views: what a program writes is its own, is told, and is gone or kept; the store never changes.

#[path = "writable/edits.rs"]
mod edits;
#[path = "writable/places.rs"]
mod places;

use crate::support::{await_condition, one_error, publish, quiet_success, rich_installed, said, script};
use insta::assert_snapshot;
use omnipkg_tests::context::is_mounted;
use omnipkg_tests::process::run;
use omnipkg_tests::{Context, FuseDevice, Output, WheelBuilder, require_fuse};
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// A project that writes beside itself when it is imported, as some do.
const NOTES: &str = "import os\nstate = os.path.join(os.path.dirname(__file__), 'state.txt')\n\
                     before = open(state).read() if os.path.exists(state) else 'nothing'\n\
                     open(state, 'w').write('written')\n";

fn with_notes(context: Context) -> Context {
    let wheel = WheelBuilder::new("notes", "1.0").file("notes/__init__.py", NOTES).file("notes/data/a.txt", "a");
    context.index().add(&wheel.file("notes/data/b.txt", "b").file("notes/extra.py", "x = 1\n").build());
    context.run(["install", "notes"]).success();
    context
}

fn mount() -> Option<Context> {
    require_fuse().then(|| with_notes(Context::new().fuse()))
}

/// Bytes and modes of all that must never change, by path.
fn sealed(context: &Context) -> BTreeMap<PathBuf, Vec<u8>> {
    let folders = ["objects", "wheels", "views"];
    let files = folders
        .iter()
        .flat_map(|folder| context.store_files(folder).into_iter().map(move |file| PathBuf::from(folder).join(file)));
    files.map(|file| (file.clone(), fs::read(context.store().join(file)).unwrap())).collect()
}

/// Layers that runs left in `tmp/`, where the server may be at work too.
fn layers_left(context: &Context) -> usize {
    let entries = fs::read_dir(context.store().join("tmp")).unwrap().flatten();
    entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("writable-")).count()
}

/// Changes of every kind; prints the prefix.
const CHANGES: &[&str] = &[
    "import notes, os, shutil, sys",
    "here = os.path.dirname(notes.__file__)",
    "os.rename(here + '/data/a.txt', here + '/data/c.txt')",
    "os.remove(here + '/extra.py')",
    "shutil.rmtree(here + '/data')",
    "os.mkdir(here + '/data')",
    "open(here + '/data/b.txt', 'w').write('bb')",
    "open(here + '/__init__.py', 'a').write('#')",
    "open(here + '/../notes-1.0.dist-info/METADATA', 'r+').close()",
    "os.makedirs(here + '/empty')",
    "print(sys.prefix)",
];

const TOLD: &str = "\
omnipkg: 4 paths written ([SIZE]), 2 deleted: not kept
  changed  lib/python/site-packages/notes/__init__.py ([SIZE])
  deleted  lib/python/site-packages/notes/data/a.txt
  changed  lib/python/site-packages/notes/data/b.txt (2 B)
  new      lib/python/site-packages/notes/empty/ (0 B)
  deleted  lib/python/site-packages/notes/extra.py
  new      lib/python/site-packages/notes/state.txt (7 B)
hint: `omnipkg run --writable --keep NAME` keeps what is written
";

/// What was told, without the version of Python and sizes that depend on it.
fn told(context: &Context, output: &Output) -> String {
    let (major, minor) = context.interpreter().version;
    let size = format!("{} B", NOTES.len() + 1);
    let sum = format!("{} B", NOTES.len() + 1 + 7 + 2);
    let text = output.stderr.replace(&format!("python{major}.{minor}"), "python");
    said(context, &text).replace(&size, "[SIZE]").replace(&sum, "[SIZE]")
}

/// A run that changes everything, twice: the second finds nothing of the first, and the store is as it was.
#[track_caller]
fn writes_and_forgets(context: &Context, place: &str, first_lines: &str) {
    script(context, "s.py", CHANGES);
    script(context, "look.py", &["import notes.extra, sys; print(notes.before)"]);
    quiet_success(context.run(["run", "--", "python", "-c", "1"]));
    let before = sealed(context);
    for _ in 0..2 {
        let output = context.run(["run", "--writable", "s.py"]).success();
        let told = told(context, &output);
        assert_eq!(told, format!("{first_lines}{TOLD}"));
        let below = output.stdout.strip_prefix(context.store().to_str().unwrap());
        assert!(below.is_some_and(|path| path.starts_with(place)), "{output}");
    }
    assert_eq!(layers_left(context), 0);
    assert_eq!(quiet_success(context.run(["run", "--writable", "-q", "look.py"])), "nothing\n");
    let changed: Vec<PathBuf> = before
        .iter()
        .filter(|(path, bytes)| fs::read(context.store().join(path)).ok().as_ref() != Some(bytes))
        .map(|(path, _)| path.clone())
        .collect();
    assert_eq!(changed, Vec::<PathBuf>::new());
}

#[test]
fn a_program_may_write_and_nothing_stays() {
    let Some(context) = mount() else { return };
    writes_and_forgets(&context, "/mnt/", "");
}

#[test]
fn an_ordinary_user_writes_in_a_namespace_of_the_run() {
    let Some(_device) = FuseDevice::open_to_all() else { return };
    let Some(context) = Context::as_ordinary_user() else { return };
    writes_and_forgets(&with_notes(context), "/mnt/", "");
}

#[test]
fn an_ordinary_user_writes_where_the_mount_is_in_a_namespace_too() {
    let Some(_device) = FuseDevice::open_to_all() else { return };
    let Some(context) = Context::as_ordinary_user() else { return };
    writes_and_forgets(&with_notes(context.env("FUSERMOUNT_PATH", "/nonexistent/fusermount3")), "/mnt/", "");
}

#[test]
fn where_there_is_no_fuse_the_view_is_copied() {
    let context = with_notes(Context::new().link());
    let first = "omnipkg: no overlay here (views are made of links): the view is copied\n";
    writes_and_forgets(&context, "/tmp/", first);
}

#[test]
fn without_being_asked_for_nothing_is_writable() {
    let Some(context) = mount() else { return };
    let output = context.run(["run", "--heal=off", "--", "python", "-c", "import notes"]).expect_code(1);
    assert!(output.stderr.contains("Read-only file system"), "{output}");
}

#[test]
fn a_run_that_writes_nothing_says_nothing() {
    let Some(context) = mount() else { return };
    script(&context, "s.py", &["import json, email.mime.text, sys; print('ok'); sys.exit(4)"]);
    let output = context.run(["run", "--writable", "s.py"]).expect_code(4);
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("ok\n", ""));
    let output = context.run(["run", "--writable", "--", "sh", "-c", "kill -TERM $$"]).expect_code(143);
    assert_eq!(output.stderr, "");
}

#[test]
fn json_is_a_line_on_stderr() {
    let Some(context) = mount() else { return };
    let output = context.run(["run", "--writable", "--json", "--", "python", "-c", "import notes"]).success();
    let line: serde_json::Value = serde_json::from_str(&output.stderr).unwrap();
    assert_eq!((&line["written"][0]["kind"], &line["written"][0]["size"]), (&"new".into(), &7.into()));
}

#[test]
fn what_is_kept_by_name_is_there_again() {
    let Some(context) = mount() else { return };
    script(&context, "s.py", &["import notes; print(notes.before)"]);
    let keep = ["run", "--writable", "--keep", "mine", "s.py"];
    let first = context.run(keep).success();
    assert_eq!(first.stdout, "nothing\n");
    assert!(first.stderr.starts_with("omnipkg: 1 path written (7 B): kept as mine\n"), "{first}");
    assert_eq!(context.run(keep).success().stdout, "written\n");
    assert_eq!(context.run(["run", "--writable", "-q", "s.py"]).success().stdout, "nothing\n");
    assert_snapshot!(quiet_success(context.run(["writable", "list"])), @"mine  1 path written (7 B)  not mounted");
    publish(&context, &[("rich", "13.4.2")]);
    let other = ["run", "--writable", "--keep", "mine", "--with", "rich", "--", "python", "-c", "1"];
    let error = one_error(&context, context.run(other));
    assert!(error.contains("the kept layer mine was written over the view"), "{error}");
    assert!(error.contains("hint: choose another name with --keep; `omnipkg writable remove NAME`"), "{error}");
    assert_eq!(quiet_success(context.run(["writable", "remove", "mine"])), "");
    assert_eq!(context.store_files("writable").len(), 0);
    assert_snapshot!(one_error(&context, context.run(["writable", "remove", "mine"])), @"omnipkg: error: nothing was kept as mine");
}

#[test]
fn a_healed_run_has_the_healed_view_writable() {
    if !require_fuse() {
        return;
    }
    let context = rich_installed(Context::new().fuse());
    let lines = [
        "import os, rich",
        "open(os.path.join(os.path.dirname(rich.__file__), rich.__version__), 'w').close()",
        "assert rich.__version__ == '13.4.2'",
        "print(sorted(name for name in os.listdir(os.path.dirname(rich.__file__)) if name[0] == '1'))",
    ];
    script(&context, "s.py", &lines);
    let output = context.run(["run", "--writable", "--keep", "k", "s.py"]).success();
    assert_eq!(output.stdout, "['13.4.2']\n");
    assert!(output.stderr.contains("1 path written (0 B): kept as k"), "{output}");
    assert_eq!(context.run(["run", "--writable", "--keep", "k", "s.py"]).success().stdout, "['13.4.2']\n");
    assert_eq!(layers_left(&context), 0);
}

/// A run that says when it has begun, and ends when its input does.
fn waiting(context: &Context, options: &[&str]) -> std::process::Child {
    let code = "import notes, os; print(os.getpid(), flush=True); input(); \
                print(open(notes.state).read(), notes.before)";
    let mut command = context.command([&["run", "--writable"], options, &["--", "python", "-c", code]].concat());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    command.spawn().unwrap()
}

fn begun(child: &mut std::process::Child) -> BufReader<&mut std::process::ChildStdout> {
    let mut reader = BufReader::new(child.stdout.as_mut().unwrap());
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert!(line.trim_end().parse::<i32>().is_ok(), "{line:?}");
    reader
}

fn ends_with(mut child: std::process::Child, last: &str) {
    let mut stdin = child.stdin.take().unwrap();
    let mut reader = begun(&mut child);
    stdin.write_all(b"\n").unwrap();
    drop(stdin);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert_eq!(line, last);
    child.wait().unwrap();
}

#[test]
fn two_runs_at_once_do_not_see_each_other() {
    let Some(context) = mount() else { return };
    let (one, other) = (waiting(&context, &[]), waiting(&context, &[]));
    ends_with(one, "written nothing\n");
    ends_with(other, "written nothing\n");
}

#[test]
fn a_kept_layer_has_one_user_at_a_time() {
    let Some(context) = mount() else { return };
    let mut one = waiting(&context, &["--keep", "k"]);
    let mut stdin = one.stdin.take().unwrap();
    begun(&mut one);
    let text = one_error(&context, context.run(["run", "--writable", "--keep", "k", "--", "python", "-c", "1"]));
    assert!(text.starts_with("omnipkg: error: the kept layer k is in use by another command"), "{text}");
    stdin.write_all(b"\n").unwrap();
    one.wait().unwrap();
    context.run(["run", "--writable", "--keep", "k", "--", "python", "-c", "1"]).success();
}

#[test]
fn a_killed_omnipkg_takes_nothing_from_its_program_and_leaves_nothing() {
    let Some(context) = mount() else { return };
    let mut child = waiting(&context, &[]);
    let mut stdin = child.stdin.take().unwrap();
    // Not `wait`: that would close the program's input.
    let omnipkg = nix::unistd::Pid::from_raw(child.id().try_into().unwrap());
    let mut reader = begun(&mut child);
    nix::sys::signal::kill(omnipkg, nix::sys::signal::Signal::SIGKILL).unwrap();
    nix::sys::wait::waitpid(omnipkg, None).unwrap();
    quiet_success(context.run(["list"]).success());
    stdin.write_all(b"\n").unwrap();
    let mut rest = String::new();
    std::io::Read::read_to_string(&mut reader, &mut rest).unwrap();
    assert_eq!(rest, "written nothing\n", "its layer was still there");
    // The pipe is closed before the process is gone, and nothing is cleared while bytecode is made in the background.
    let deadline = Instant::now() + Duration::from_secs(120);
    let cleared = std::iter::repeat(()).take_while(|()| Instant::now() < deadline).any(|()| {
        context.run(["list"]).success();
        layers_left(&context) == 0
    });
    assert!(cleared, "{:?}", context.store_files("tmp"));
}

#[test]
fn a_mounted_view_is_writable_for_all_until_it_is_unmounted() {
    let Some(context) = mount() else { return };
    let mount = |arguments: &[&str]| {
        PathBuf::from(quiet_success(context.run([&["mount", "--writable"], arguments].concat())).trim_end())
    };
    let path = mount(&["notes"]);
    assert!(is_mounted(&path));
    let print = |path: &std::path::Path| {
        let mut python = context.program(path.join("bin/python"));
        python.args(["-c", "import notes, sys; print(notes.before, sys.prefix)"]);
        quiet_success(run(python, b""))
    };
    assert_eq!(print(&path), format!("nothing {}\n", path.display()));
    assert_eq!(print(&path), format!("written {}\n", path.display()));
    let second = mount(&["notes", "--at", ".venv", "--keep", "mine"]);
    let link = context.work().join(second);
    assert!(print(&link).starts_with("nothing "));
    let output = context.run(["unmount", path.to_str().unwrap()]).success();
    assert!(output.stderr.starts_with("omnipkg: 1 path written (7 B): not kept\n"), "{output}");
    assert!(!path.exists());
    let output = context.run(["unmount", ".venv"]).success();
    assert!(output.stderr.starts_with("omnipkg: 1 path written (7 B): kept as mine\n"), "{output}");
    assert!(fs::symlink_metadata(&link).is_err());
    let again = mount(&["notes", "--keep", "mine"]);
    assert!(print(&again).starts_with("written "), "what was kept is there again");
    // An overlay keeps the mount beneath it busy: the server's end takes it down first.
    let output = context.run(["server", "stop"]).success();
    assert!(output.stderr.contains("kept as mine"), "{output}");
    assert!(!is_mounted(&again) && !is_mounted(&context.store().join("mnt")));
    assert_eq!(mount(&["notes", "--keep", "mine"]), again);
    assert!(print(&again).starts_with("written "));
}

#[test]
fn an_overlay_whose_server_died_is_mounted_anew() {
    let Some(context) = mount() else { return };
    let arguments = ["mount", "--writable", "notes", "--keep", "mine"];
    let path = PathBuf::from(quiet_success(context.run(arguments)).trim_end());
    fs::write(path.join("kept"), "kept").unwrap();
    let status = quiet_success(context.run(["--json", "server", "status"]));
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    // Both, so that nobody takes over.
    for process in ["holder", "process"] {
        let process = nix::unistd::Pid::from_raw(status[process].as_i64().unwrap().try_into().unwrap());
        nix::sys::signal::kill(process, nix::sys::signal::Signal::SIGKILL).unwrap();
    }
    // They end a moment after they were killed, and until then they hold the lock that says that they live.
    await_condition("their end", || context.run(["--json", "server", "status"]).stdout.contains("\"running\":false"));
    assert_eq!(PathBuf::from(quiet_success(context.run(arguments)).trim_end()), path);
    let mut python = context.program(path.join("bin/python"));
    python.args(["-c", "import notes.data, sys; print(open(sys.prefix + '/kept').read())"]);
    assert_eq!(quiet_success(run(python, b"")), "kept\n");
}

#[test]
fn pip_installs_into_a_view_that_is_writable() {
    let Some(context) = mount() else { return };
    let wheels = context.work().join("wheels");
    fs::create_dir(&wheels).unwrap();
    WheelBuilder::with_version_attribute("rich", "1.0").build().write_to(&wheels);
    let lines = [
        "import subprocess, sys",
        "def python(*words): subprocess.run([sys.executable, *words], check=True, stdout=sys.stderr)",
        "python('-m', 'ensurepip')",
        "python('-m', 'pip', '--disable-pip-version-check', 'install', '--no-index', '--find-links=wheels', 'rich')",
        "python('-m', 'pip', '--disable-pip-version-check', 'uninstall', '-y', 'notes')",
    ];
    script(&context, "s.py", &lines);
    let output = context.run(["run", "--writable", "--keep", "k", "s.py"]).success();
    assert!(output.stderr.contains(": kept as k\n"), "{output}");
    let code = "import rich; print(rich.__version__); import notes";
    let look = ["run", "--writable", "--keep", "k", "--heal=off", "--", "python", "-c", code];
    let output = context.run(look).expect_code(1);
    assert_eq!(output.stdout, "1.0\n");
    assert!(output.stderr.contains("No module named 'notes'"), "{output}");
    assert_eq!(quiet_success(context.run(["list"])), "notes  1.0\n");
}

#[test]
fn a_mounted_view_without_fuse_is_a_copy() {
    let context = with_notes(Context::new().link());
    let output = context.run(["mount", "--writable", "notes"]).success();
    let path = PathBuf::from(output.stdout.trim_end());
    let mut python = context.program(path.join("bin/python"));
    python.args(["-c", "import notes, sys; print(notes.before, sys.prefix)"]);
    assert_eq!(quiet_success(run(python, b"")), format!("nothing {}\n", path.display()));
    let output = context.run(["unmount", path.to_str().unwrap()]).success();
    assert!(output.stderr.starts_with("omnipkg: 1 path written (7 B): not kept\n"), "{output}");
    assert!(!path.exists());
}

#[test]
fn bytecode_that_appears_beneath_an_overlay_does_not_disturb_it() {
    let Some(context) = mount() else { return };
    // The first import asks for bytecode that is not there yet; the server makes it while the overlay is in use.
    let lines = [
        "import os, subprocess, sys",
        "code = 'import notes.extra; print(notes.extra.x, notes.extra.__cached__[-4:])'",
        "for _ in range(20):",
        "    assert subprocess.check_output([sys.executable, '-c', code]) == b'1 .pyc\\n'",
        "import notes",
        "os.listdir(os.path.join(os.path.dirname(notes.__file__), '__pycache__'))",
        "open(os.path.join(os.path.dirname(notes.__file__), 'extra.py'), 'w').write('x = 22222\\n')",
        "print(subprocess.check_output([sys.executable, '-c', code]).decode(), end='')",
    ];
    script(&context, "s.py", &lines);
    let output = context.run(["run", "--writable", "s.py"]).success();
    assert_eq!(output.stdout, "22222 .pyc\n", "a changed source is compiled anew");
    assert!(!output.stderr.contains(".pyc"), "{output}");
}
