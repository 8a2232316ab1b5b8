//! Failures whose remedy is another Python, or another version of what is there.

use crate::support::{COUNT, install, quiet_success, runs, script};
use insta::assert_snapshot;
use omnipkg_tests::{Context, WheelBuilder};

fn with_python2() -> Option<Context> {
    Some(Context::new().also_python(Context::python("2.7")?))
}

#[test]
fn a_script_of_python_2_runs_with_python_2() {
    let Some(context) = with_python2() else { return };
    script(&context, "s.py", &["import sys, urllib2", "print 'Python', sys.version_info[0], urllib2.__name__"]);
    let output = context.run(["run", "s.py"]).success();
    assert_eq!(output.stdout, "Python 2 urllib2\n");
    let (begins, ends) = ("omnipkg: s.py:2 is written for Python 2, not 3.", ": running with Python 2.7.18\n");
    assert!(output.stderr.starts_with(begins) && output.stderr.ends_with(ends), "{output}");
    assert_eq!(quiet_success(context.run(["run", "s.py"])), "Python 2 urllib2\n");
}

#[test]
fn a_module_of_python_2_is_had_from_python_2() {
    let Some(context) = with_python2() else { return };
    script(&context, "s.py", &[COUNT, "import ConfigParser", "print(ConfigParser.__name__)"]);
    let output = context.run(["run", "s.py"]).success();
    assert_eq!(output.stdout, "ConfigParser\n");
    let (begins, ends) = ("omnipkg: s.py:2 uses ConfigParser, which Python 3.", ": running with Python 2.7.18\n");
    assert!(output.stderr.starts_with(begins) && output.stderr.ends_with(ends), "{output}");
    assert_eq!(runs(&context), 2);
}

#[test]
fn where_there_is_no_python_2_the_script_fails_as_it_does() {
    let context = Context::new();
    script(&context, "s.py", &["print 'hello'"]);
    let output = context.run(["run", "s.py"]);
    assert_eq!((output.code(), output.stdout.as_str()), (1, ""), "{output}");
    assert!(output.stderr.contains("SyntaxError"), "{output}");
    let talk: Vec<&str> = output.stderr.lines().filter(|line| line.starts_with("omnipkg:")).collect();
    assert_eq!(talk, ["omnipkg: s.py:1 is written for Python 2, and there is none on this machine"]);
}

#[test]
fn the_python_that_was_asked_for_is_kept() {
    let Some(context) = with_python2() else { return };
    script(&context, "s.py", &["print 'hello'"]);
    let (major, minor) = context.interpreter().version;
    let version = format!("{major}.{minor}");
    let output = context.run(["run", "--python", &version, "s.py"]);
    assert_eq!(output.code(), 1, "{output}");
    assert!(output.stderr.contains(&format!("and Python {version} was asked for")), "{output}");
}

#[test]
fn an_error_in_the_scripts_own_syntax_is_its_own() {
    let Some(context) = with_python2() else { return };
    script(&context, "s.py", &["x = = 1"]);
    let output = context.run(["run", "s.py"]);
    assert_eq!(output.code(), 1);
    assert!(!output.stderr.contains("omnipkg:"), "{output}");
}

/// A library called numpy, as far as the table is concerned.
fn with_numpy() -> Context {
    let context = Context::new();
    for (version, source) in [("1.23.5", "float = float\n"), ("1.24.0", "")] {
        let source = format!("__version__ = {version:?}\n{source}");
        context.index().add(&WheelBuilder::new("numpy", version).file("numpy/__init__.py", source).build());
    }
    install(&context, &["numpy"]);
    context
}

#[test]
fn a_name_that_went_is_had_from_a_version_that_has_it() {
    let context = with_numpy();
    script(&context, "s.py", &[COUNT, "import numpy as np", "print(np.float(1), np.__version__)"]);
    let output = context.run(["run", "s.py"]).success();
    assert_eq!(output.stdout, "1.0 1.23.5\n");
    assert_snapshot!(context.filter(&output.stderr), @"omnipkg: s.py:3 uses numpy.float, which numpy 1.24.0 does not have: running with numpy 1.23.5");
    assert_eq!(runs(&context), 2);
    assert_eq!(quiet_success(context.run(["run", "s.py"])), "1.0 1.23.5\n");
    assert_eq!(runs(&context), 3);
}

#[test]
fn a_name_that_never_was_is_the_scripts_own_failure() {
    let context = with_numpy();
    script(&context, "s.py", &[COUNT, "import numpy as np", "np.flaot"]);
    let output = context.run(["run", "s.py"]);
    assert_eq!(output.code(), 1);
    assert!(!output.stderr.contains("omnipkg:"), "{output}");
    assert_eq!(runs(&context), 1);
}
