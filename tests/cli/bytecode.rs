//! Bytecode is shared: what one view had to compile, a view that was never seen before finds compiled.

use crate::support::{install, quiet_success, script};
use nix::unistd::Pid;
use omnipkg_store::bytecode::{Bytecode, Key, find};
use omnipkg_store::objects::constant_time;
use omnipkg_store::{Digest, Layout};
use omnipkg_tests::process::run;
use omnipkg_tests::{Context, Output, WheelBuilder, require_fuse};
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const MODULES: usize = 40;

fn module(number: usize) -> String {
    let functions: Vec<String> =
        (0..50).map(|each| format!("def f{each}(x):\n    return x * {number} + {each}\n")).collect();
    format!("VALUE = {number}\n{}", functions.join("\n"))
}

fn init() -> String {
    (0..MODULES).map(|number| format!("from . import m{number}\n")).collect()
}

/// `many`, whose import is that of all its modules, and `extra`; `many` is installed.
fn many_installed(context: Context) -> Context {
    let many = (0..MODULES).fold(WheelBuilder::new("many", "1.0").file("many/__init__.py", init()), |wheel, number| {
        wheel.file(&format!("many/m{number}.py"), module(number))
    });
    let many = many.file("many/template.py", "print 'for {name}'\n");
    context.publish(&[many.build(), WheelBuilder::with_version_attribute("extra", "1.0").build()]);
    install(&context, &["many"]);
    context
}

fn mounted() -> Option<Context> {
    require_fuse().then(|| many_installed(Context::new().fuse()))
}

fn linked() -> Context {
    many_installed(Context::new().link())
}

fn cache_tag(context: &Context) -> String {
    let (major, minor) = context.interpreter().version;
    format!("cpython-{major}{minor}")
}

fn known(context: &Context, source: &str) -> Option<PathBuf> {
    let layout = Layout::new(context.store());
    match find(&layout, &Key::of(&layout, &cache_tag(context), 0), &Digest::of(source.as_bytes())) {
        Bytecode::Known { object, .. } => Some(layout.object(&object)),
        _ => None,
    }
}

fn all_known(context: &Context) -> bool {
    (0..MODULES).map(module).chain([init()]).all(|source| known(context, &source).is_some())
}

#[track_caller]
fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < Duration::from_secs(60), "waited in vain: {what}");
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

/// How many modules of `many` were read from bytecode, and how many compiled, when it is imported.
#[track_caller]
fn import(context: &Context, before: &[&str]) -> (usize, usize) {
    let arguments = [&["run"], before, &["--", "python", "-v", "-c", "import many; print(many.m7.f3(1))"]].concat();
    let output: Output = context.run(arguments).success();
    assert_eq!(output.stdout, "10\n");
    let lines =
        || output.stderr.lines().filter(|line| line.starts_with("# code object from") && line.contains("/many/"));
    let read = lines().filter(|line| line.trim_end_matches('\'').ends_with(".pyc")).count();
    (read, lines().count() - read)
}

const ALL: usize = MODULES + 1;

#[test]
fn a_view_never_seen_before_finds_all_bytecode() {
    let Some(context) = mounted() else { return };
    assert_eq!(import(&context, &[]), (0, ALL));
    wait_until("all is compiled", || all_known(&context));
    assert_eq!(import(&context, &["--with", "extra"]), (ALL, 0));
    assert_eq!(import(&context, &[]), (ALL, 0));
}

#[test]
fn under_links_what_python_compiled_for_itself_is_compiled_for_all() {
    let context = linked();
    assert_eq!(import(&context, &[]), (0, ALL));
    wait_until("all is compiled", || all_known(&context));
    assert_eq!(import(&context, &["--with", "extra"]), (ALL, 0));
    assert_eq!(import(&context, &[]), (ALL, 0));
    // The shared object took the place of what Python wrote.
    let cache = fs::canonicalize(context.store().join("active/lib")).unwrap();
    let cache = cache.join(format!("python{}/site-packages/many/__pycache__", context.interpreter().version()));
    wait_until("all is replaced", || {
        let times = fs::read_dir(&cache).unwrap().map(|entry| entry.unwrap().metadata().unwrap().modified().unwrap());
        times.filter(|time| *time == constant_time()).count() == ALL
    });
}

#[test]
fn a_script_cannot_put_bytecode_into_other_views() {
    let context = linked();
    let lines = [
        "import importlib._bootstrap_external as e, importlib.util, many.m1 as m",
        "code = compile('VALUE = \"poison\"', m.__file__, 'exec')",
        "pyc = e._code_to_hash_pyc(code, importlib.util.source_hash(open(m.__file__, 'rb').read()), False)",
        "import os; os.unlink(m.__cached__)",
        "open(m.__cached__, 'wb').write(pyc)",
    ];
    script(&context, "poison.py", &lines);
    assert_eq!(quiet_success(context.run(["run", "poison.py"])), "");
    script(&context, "show.py", &["import many.m1; print(many.m1.VALUE)"]);
    wait_until("all is compiled", || all_known(&context));
    assert_eq!(quiet_success(context.run(["run", "--with", "extra", "show.py"])), "1\n");
    wait_until("its own view is right again", || quiet_success(context.run(["run", "show.py"])) == "1\n");
}

#[test]
fn compiling_ahead_is_remembered_as_long_as_the_bytecode_is_there() {
    for context in [mounted(), Some(linked())].into_iter().flatten() {
        assert_eq!(quiet_success(context.run(["run", "--compile", "--", "python", "-c", ""])), "");
        assert!(all_known(&context));
        let template = Digest::of(b"print 'for {name}'\n");
        let layout = Layout::new(context.store());
        let key = Key::of(&layout, &cache_tag(&context), 0);
        assert_eq!(find(&layout, &key, &template), Bytecode::Refused);
        assert_eq!(import(&context, &[]), (ALL, 0));
        // Only a look at one name: a name that somebody took away is not missed.
        let name = layout.pyc(key.folder(), &Digest::of(module(1).as_bytes()));
        fs::remove_file(&name).unwrap();
        assert_eq!(quiet_success(context.run(["run", "--compile", "--", "python", "-c", ""])), "");
        assert!(!name.exists());
        // All of it is.
        fs::remove_dir_all(layout.bytecode()).unwrap();
        assert_eq!(quiet_success(context.run(["run", "--compile", "--", "python", "-c", ""])), "");
        assert!(all_known(&context));
        // Another view of the same wheels has nothing to compile but its own.
        assert_eq!(import(&context, &["--with", "extra", "--compile"]), (ALL, 0));
    }
}

#[test]
fn damaged_bytecode_is_noticed_and_made_again() {
    let Some(context) = mounted() else { return };
    quiet_success(context.run(["run", "--compile", "--", "python", "-c", ""]));
    let damaged: Vec<PathBuf> = (0..3).map(|number| known(&context, &module(number)).unwrap()).collect();
    let sound: Vec<Vec<u8>> = damaged.iter().map(|path| fs::read(path).unwrap()).collect();
    damage(&damaged[0], &sound[0][..100]);
    damage(&damaged[1], &[&sound[1][..20], &vec![0; sound[1].len() - 20]].concat());
    fs::remove_file(&damaged[2]).unwrap();
    // What the kernel was shown before, it keeps: bytes are looked at when they are shown first.
    quiet_success(context.run(["server", "stop"]));
    let whole = |number| {
        // Not by its old name: compiling twice may give other bytes.
        let bytes = known(&context, &module(number)).and_then(|path| fs::read(path).ok());
        bytes.is_some_and(|bytes| bytes.len() > 100 && bytes[20..].iter().any(|byte| *byte != 0))
    };
    assert_eq!(import(&context, &[]), (ALL - 3, 3));
    wait_until("it is made again", || (0..3).all(whole));
    assert_eq!(import(&context, &[]), (ALL, 0));
}

fn damage(path: &Path, bytes: &[u8]) {
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o444)).unwrap();
    File::open(path).unwrap().set_modified(constant_time()).unwrap();
}

/// Compiling processes that this context's server has started.
fn compiling(context: &Context) -> Vec<Pid> {
    let store = format!("OMNIPKG_HOME={}", context.store().display());
    let has = |process: i32, file: &str, text: &str| {
        let bytes = fs::read(format!("/proc/{process}/{file}")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).contains(text)
    };
    let numbers = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let ours = numbers.filter(|number| has(*number, "cmdline", "_code_to_hash_pyc") && has(*number, "environ", &store));
    ours.map(Pid::from_raw).collect()
}

#[test]
fn compiling_processes_end_with_the_server() {
    let Some(context) = mounted() else { return };
    for signal in [None, Some(nix::sys::signal::Signal::SIGKILL)] {
        let _ = fs::remove_dir_all(context.store().join("pyc"));
        import(&context, &[]);
        wait_until("one compiles", || !compiling(&context).is_empty());
        match signal {
            None => drop(quiet_success(context.run(["server", "stop"]))),
            Some(signal) => {
                let answer = quiet_success(context.run(["--json", "server", "status"]));
                let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
                let process = i32::try_from(answer["process"].as_i64().unwrap()).unwrap();
                nix::sys::signal::kill(Pid::from_raw(process), signal).unwrap();
            }
        }
        wait_until("none is left", || compiling(&context).is_empty());
    }
    let (read, compiled) = import(&context, &[]);
    assert_eq!(read + compiled, ALL, "the next one serves on");
}

#[test]
fn compiling_processes_end_when_nothing_is_missed() {
    let Some(context) = mounted() else { return };
    import(&context, &[]);
    wait_until("one compiles", || !compiling(&context).is_empty());
    wait_until("none is left", || compiling(&context).is_empty());
    assert!(all_known(&context));
}

#[test]
fn the_oldest_and_the_newest_python_share_bytecode() {
    for version in ["3.6", "3.7", "3.13"] {
        if !require_fuse() {
            return;
        }
        let Some(context) = Context::with_python(version) else { continue };
        let context = many_installed(context.fuse());
        assert_eq!(import(&context, &[]), (0, ALL), "{version}");
        wait_until("all is compiled", || all_known(&context));
        assert_eq!(import(&context, &["--with", "extra"]), (ALL, 0), "{version}");
    }
}

#[test]
fn python_two_has_none_and_says_nothing() {
    let Some(python) = Context::python("2.7") else { return };
    let context = Context::new().link().also_python(python);
    context.publish(&[WheelBuilder::with_version_attribute("old", "1.0").tag("py2-none-any").build()]);
    let output = run(context.command(["mount", "--compile", "--python", "2.7", "old"]), b"").success();
    assert_eq!(output.stderr, "");
    assert!(context.store_files("pyc").is_empty());
}
