//! Sources that are edited in a writable view: Python has what is written, though bytecode of the old text is shared by all.

use crate::support::{quiet_success, script};
use omnipkg_tests::process::run;
use omnipkg_tests::{Context, FuseDevice, WheelBuilder, require_fuse};
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::Stdio;

/// A project that writes nothing by itself.
pub fn with_plain(context: Context) -> Context {
    let wheel = WheelBuilder::new("plain", "1.0").file("plain/__init__.py", "");
    context.index().add(&wheel.file("plain/mod.py", "x = 1\n").build());
    context.run(["install", "plain"]).success();
    context
}

pub fn mount() -> Option<Context> {
    require_fuse().then(|| with_plain(Context::new().fuse()))
}

/// Edits a module that has shared bytecode, and prints what a fresh Python has of it; then puts it away.
const EDIT: &[&str] = &[
    "import plain.mod, os, subprocess, sys",
    "path = plain.mod.__file__",
    "look = [sys.executable, '-c', 'import plain.mod; print(plain.mod.x)']",
    "for text in ['x = 2\\n', 'x = 3\\n', 'x = 3\\n']:",
    "    status = os.stat(path)",
    "    open(path, 'w').write(text)",
    "    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))",
    "    print(subprocess.check_output(look).decode(), end='')",
];

#[track_caller]
fn edits_are_imported(context: &Context) {
    script(context, "s.py", EDIT);
    let code = "import plain.mod as m, os; print(os.path.isfile(m.__cached__))";
    let compiled = context.run(["run", "--compile", "--", "python", "-c", code]);
    assert_eq!(compiled.success().stdout, "True\n", "there is shared bytecode");
    for keep in [&[] as &[&str], &["--keep", "edited"]] {
        let output = context.run([&["run", "--writable", "-q"], keep, &["s.py"]].concat());
        assert_eq!(quiet_success(output), "2\n3\n3\n", "{keep:?}");
    }
    let look =
        ["run", "--writable", "-q", "--keep", "edited", "--", "python", "-c", "import plain.mod as m; print(m.x)"];
    assert_eq!(quiet_success(context.run(look)), "3\n");
    assert_eq!(quiet_success(context.run(["run", "--", "python", "-c", "import plain.mod as m; print(m.x)"])), "1\n");
    // What everybody sees, by a Python that omnipkg does not start.
    let path = PathBuf::from(context.run(["mount", "--writable", "plain"]).success().stdout.trim_end());
    let mut python = context.program(path.join("bin/python"));
    python.arg("s.py");
    assert_eq!(quiet_success(run(python, b"")), "2\n3\n3\n");
    let output = context.run(["unmount", path.to_str().unwrap()]).success();
    assert!(output.stderr.starts_with("omnipkg: 1 path written ("), "only what a program wrote: {output}");
}

#[test]
fn an_edited_source_is_imported_through_an_overlay_though_its_bytecode_is_shared() {
    let Some(context) = mount() else { return };
    edits_are_imported(&context);
}

#[test]
fn an_edited_source_is_imported_in_a_namespace_though_its_bytecode_is_shared() {
    let Some(_device) = FuseDevice::open_to_all() else { return };
    let Some(context) = Context::as_ordinary_user() else { return };
    edits_are_imported(&with_plain(context));
}

#[test]
fn an_edited_source_is_imported_from_a_copy_though_its_bytecode_is_shared() {
    edits_are_imported(&with_plain(Context::new().link()));
}

#[test]
fn every_python_with_unchecked_bytecode_is_asked_to_check_it() {
    for version in ["3.7", "3.9", "3.12", "3.13"] {
        let Some(context) = Context::with_python(version) else { continue };
        if require_fuse() {
            edits_are_imported(&with_plain(context.fuse()));
        }
    }
}

#[test]
fn bytecode_that_comes_meanwhile_is_not_in_the_way() {
    let Some(context) = mount() else { return };
    let code = "import os, plain, shutil; directory = os.path.dirname(plain.__file__)\n\
        try:\n import plain.nothing\nexcept ImportError:\n pass\n\
        import plain.mod; print('imported', flush=True); input()\n\
        shutil.rmtree(directory); print(os.path.exists(directory))";
    let mut command = context.command(["run", "--writable", "-q", "--", "python", "-c", code]);
    command.env("PYTHONDONTWRITEBYTECODE", "1").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut line = [0; 9];
    child.stdout.as_mut().unwrap().read_exact(&mut line).unwrap();
    quiet_success(context.run(["run", "--compile", "--", "python", "-c", "import plain.mod"]));
    child.stdin.take().unwrap().write_all(b"\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "False\n");
}
