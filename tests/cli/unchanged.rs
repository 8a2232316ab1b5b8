//! Nothing changes the store: every system call that could, on the mount and on links, by everybody.
//!
//! On the mount every change is refused with `EROFS`; what [`REFUSED_ANYWHERE`] lists fails on any filesystem before the
//! mount matters. On links it is the modes that refuse, so an owner may still change modes and times, and root may change
//! the view; the bytes of the store stay.

use crate::support::{install, quiet_success, script};
use omnipkg_tests::process::run;
use omnipkg_tests::user::executable_by_others;
use omnipkg_tests::{Context, FuseDevice, Python, User, WheelBuilder, require_fuse};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What else than `EROFS` a change by way of a descriptor, by a mapping or from another filesystem is answered with.
const REFUSED_ANYWHERE: &[(&str, &str)] = &[
    ("write to what is open to read", "EBADF"),
    ("map to write", "EACCES"),
    ("truncate what is open to read", "EINVAL"),
    ("allocate", "EBADF"),
    ("copy a range", "EBADF"),
    ("clone", "EXDEV"),
    ("rename over", "EXDEV"),
    ("rename out", "EXDEV"),
    ("exchange", "EXDEV"),
];

/// What an owner may do to a file of his own, whatever its mode. None of it writes bytes.
const ALLOWED_TO_OWNER: &[&str] = &[
    "chmod",
    "chmod by descriptor",
    "chmod a directory",
    "chown",
    "chown by descriptor",
    "set times",
    "set times by descriptor",
    "set times to now",
    "set flags",
    "set more flags",
];

fn tool_installed(context: Context) -> Context {
    let tool = WheelBuilder::with_version_attribute("tool", "1.0").file("tool/data.bin", [7; 5000]);
    context.publish(&[tool.build()]);
    install(&context, &["tool"]);
    context
}

/// The active view's `tool` directory.
fn tool_directory(context: &Context) -> PathBuf {
    script(context, "where.py", &["import os, tool", "print(os.path.dirname(tool.__file__))"]);
    PathBuf::from(quiet_success(context.run(["run", "where.py"])).trim_end())
}

/// Every object and manifest of the store, by its bytes.
fn store_bytes(context: &Context) -> BTreeMap<PathBuf, Vec<u8>> {
    let read = |folder: &'static str| {
        let base = context.store().join(folder);
        context.store_files(folder).into_iter().map(move |file| (base.join(&file), fs::read(base.join(&file)).unwrap()))
    };
    ["objects", "wheels", "views"].into_iter().flat_map(read).collect()
}

/// What was there is there, byte for byte; bytecode may have come meanwhile.
#[track_caller]
fn unchanged(context: &Context, before: &BTreeMap<PathBuf, Vec<u8>>) {
    let after = store_bytes(context);
    let changed: Vec<_> = before.iter().filter(|(path, bytes)| after.get(*path) != Some(bytes)).collect();
    assert!(changed.is_empty(), "{changed:?}");
}

/// How each change ended, tried by a Python that is no part of the view.
fn attempts(mut python: Command, directory: &Path, own: &Path) -> BTreeMap<String, String> {
    python.args(["-c", include_str!("changes.py")]).arg(directory.join("data.bin")).arg(directory).arg(own);
    let output = run(python, b"").success();
    let ended = output.stdout.lines().filter_map(|line| line.rsplit_once(' '));
    let ended: BTreeMap<String, String> = ended.map(|(name, how)| (name.to_owned(), how.to_owned())).collect();
    assert!(ended.len() > 40, "{output}");
    ended
}

/// The interpreter of a context, as the context's user.
fn own_python(context: &Context) -> Command {
    context.program(context.interpreter().executable.canonicalize().unwrap())
}

fn own_directory(context: &Context) -> PathBuf {
    script(context, "own", &[]);
    let own = context.work().join("changes");
    let mut command = context.program("mkdir");
    command.arg(&own);
    run(command, b"").success();
    own
}

#[track_caller]
fn all_refused_by_the_mount(context: &Context) {
    let (directory, own, before) = (tool_directory(context), own_directory(context), store_bytes(context));
    for (name, how) in attempts(own_python(context), &directory, &own) {
        let expected = REFUSED_ANYWHERE.iter().find(|(each, _)| *each == name).map_or("EROFS", |(_, errno)| errno);
        assert!(how == expected || how == "unknown", "{name}: {how}, expected {expected}");
    }
    assert!(store_bytes(context) == before, "the store is as it was");
}

#[test]
fn on_the_mount_by_whoever_runs_the_tests() {
    if require_fuse() {
        all_refused_by_the_mount(&tool_installed(Context::new().fuse()));
    }
}

#[test]
fn on_the_mount_by_an_ordinary_user_and_by_root() {
    let Some(_device) = FuseDevice::open_to_all() else { return };
    let Some(context) = Context::as_ordinary_user() else { return };
    let context = tool_installed(context.fuse());
    all_refused_by_the_mount(&context);
    // The mount is its owner's alone: root does not even see it.
    let (directory, before) = (tool_directory(&context), store_bytes(&context));
    let own = tempfile::tempdir().unwrap();
    let python = Command::new(context.interpreter().executable.canonicalize().unwrap());
    for (name, how) in attempts(python, &directory, own.path()) {
        assert!(["EACCES", "unknown"].contains(&how.as_str()), "{name}: {how}");
    }
    unchanged(&context, &before);
}

#[test]
fn on_the_mount_by_another_user() {
    let (Some(user), true) = (User::ordinary(), require_fuse()) else { return };
    let Some(python) = Python::any(|python| executable_by_others(&python.executable)) else { return };
    let context = tool_installed(Context::new().fuse());
    let (directory, before) = (tool_directory(&context), store_bytes(&context));
    let own = tempfile::tempdir().unwrap();
    user.own(own.path()).unwrap();
    let mut command = Command::new(python.executable.canonicalize().unwrap());
    user.apply(&mut command);
    for (name, how) in attempts(command, &directory, own.path()) {
        assert!(["EACCES", "unknown"].contains(&how.as_str()), "{name}: {how}");
    }
    unchanged(&context, &before);
}

#[test]
fn on_links_by_an_ordinary_user() {
    if User::ordinary().is_none() {
        return;
    }
    let Some(context) = Context::as_ordinary_user() else { return };
    let context = tool_installed(context.link());
    let (directory, own, before) = (tool_directory(&context), own_directory(&context), store_bytes(&context));
    for (name, how) in attempts(own_python(&context), &directory, &own) {
        let allowed = how != "done" || ALLOWED_TO_OWNER.contains(&name.as_str());
        assert!(allowed, "{name}: {how}");
    }
    unchanged(&context, &before);
    // Its objects' times are other than they should be now: that is found, and mended.
    context.publish(&[WheelBuilder::with_version_attribute("other", "1.0").build()]);
    let view = quiet_success(context.run(["mount", "tool", "other"]));
    let mut command = context.program(Path::new(view.trim_end()).join("bin/python"));
    command.args(["-c", "import os, tool; print(os.stat(tool.__path__[0] + '/data.bin')[7:9])"]);
    let shown = quiet_success(run(command, b""));
    assert!(shown.ends_with("315532800)\n"), "{shown}");
}

#[test]
fn on_links_by_root_only_the_view_changes() {
    if User::ordinary().is_none() {
        return;
    }
    let context = tool_installed(Context::new().link());
    let (directory, own, before) = (tool_directory(&context), own_directory(&context), store_bytes(&context));
    let ended = attempts(own_python(&context), &directory, &own);
    assert_eq!(ended["open to write"], "done", "modes do not hold root back");
    unchanged(&context, &before);
    // Another view of the same wheel is not touched either.
    context.publish(&[WheelBuilder::with_version_attribute("other", "1.0").build()]);
    let view = quiet_success(context.run(["mount", "tool", "other"]));
    let mut command = context.program(Path::new(view.trim_end()).join("bin/python"));
    command.args(["-c", "import tool; print(open(tool.__path__[0] + '/data.bin', 'rb').read() == bytes([7]) * 5000)"]);
    assert_eq!(quiet_success(run(command, b"")), "True\n");
}
