//! Python 2.7: scripts of it run in views of their own, through the mount and by links.

use crate::support::quiet_success;
use omnipkg_tests::{Context, WheelBuilder};
use std::process::Command;

/// A context in which Python 2.7 is found, after another Python.
fn with_python2() -> Option<Context> {
    let python2 = Context::python("2.7")?;
    let context = Context::new().also_python(python2);
    for version in ["1.0", "2.0"] {
        let source = format!("__version__ = {version:?}\ndef main():\n    print('main ' + __version__)\n");
        let wheel = WheelBuilder::new("old-one", version).tag("py2.py3-none-any").file("old_one/__init__.py", source);
        context.index().add(&wheel.console_script("old-one", "old_one:main").build());
    }
    Some(context)
}

const WHERE: &str = "from __future__ import print_function
import os, sys, json, decimal, ctypes, subprocess
assert sys.version_info[:2] == (2, 7), sys.version
own = [path for path in sys.path if path.endswith('-packages')]
assert own == [os.path.join(sys.prefix, 'lib/python2.7/site-packages')], sys.path
assert sys.executable.startswith(sys.prefix) and sys.exec_prefix == sys.prefix, sys.executable
code = 'import sys; sys.stdout.write(sys.prefix)'
assert subprocess.check_output([sys.executable, '-c', code]).decode() == sys.prefix
print(sys.prefix.split(os.sep)[-2])
";

fn runs(context: &Context, place: &str) {
    context.script("where.py", WHERE);
    assert_eq!(quiet_success(context.run(["run", "--python", "2.7", "where.py"])), format!("{place}\n"));
    context.script("with.py", "import old_one, sys\nsys.stdout.write(old_one.__version__ + ' ' + sys.argv[1])\n");
    for _ in 0..2 {
        let output = context.run(["run", "--python", "2.7", "--with", "old-one==1.0", "with.py", "x"]);
        assert_eq!(quiet_success(output), "1.0 x");
    }
}

#[test]
fn scripts_run_through_the_mount_and_by_links() {
    let Some(context) = with_python2() else { return };
    let context = if omnipkg_tests::require_fuse() {
        let context = context.fuse();
        runs(&context, "mnt");
        context
    } else {
        context
    };
    runs(&context.link(), "links");
}

#[test]
fn it_is_installed_into_like_any_other() {
    let Some(context) = with_python2() else { return };
    quiet_success(context.run(["install", "--python", "2.7", "old-one==1.0"]));
    let python = context.store().join("envs/2.7/bin/python");
    let version = |context: &Context| {
        let mut command: Command = context.program(&python);
        command.args(["-c", "import old_one, sys; sys.stdout.write(old_one.__version__)"]);
        quiet_success(omnipkg_tests::process::run(command, b""))
    };
    assert_eq!(version(&context), "1.0");
    quiet_success(context.run(["install", "--python", "2.7", "old-one==2.0"]));
    assert_eq!(version(&context), "2.0");
    assert_eq!(quiet_success(context.run(["run", "--python", "2.7", "--", "old-one"])), "main 2.0\n");
}

#[test]
fn a_failure_is_the_scripts_own() {
    let Some(context) = with_python2() else { return };
    context.script("s.py", "import nothing_like_it\n");
    let output = context.run(["run", "--python", "2.7", "s.py"]).expect_code(1);
    assert!(
        output.stderr.contains("\nImportError: No module named nothing_like_it\nomnipkg: s.py:1 imports"),
        "{output}"
    );
    assert_eq!(output.stderr.matches("Traceback").count(), 1, "{output}");
}

#[test]
fn it_is_taken_only_where_it_is_asked_for() {
    let Some(context) = with_python2() else { return };
    context.script("s.py", "import sys\nsys.stdout.write(str(sys.version_info[0]))\n");
    assert_eq!(quiet_success(context.run(["run", "s.py"])), "3");
    assert_eq!(quiet_success(context.run(["run", "--python", "2", "s.py"])), "2");
}
