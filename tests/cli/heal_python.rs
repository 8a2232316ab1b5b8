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
    assert_eq!(runs(&context), 1, "that is told from its text");
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

/// Each fails for its own reasons, whatever another Python would make of it: it runs once, with Python's own words.
#[test]
fn what_only_looks_like_python_2_is_run_once() {
    let Some(context) = with_python2() else { return };
    script(&context, "old.py", &["print 'old'"]);
    for (name, lines) in [
        ("main", &[COUNT, "import old", "print(f'{old}')"][..]),
        ("handled", &[COUNT, "try:", "    import old", "except SyntaxError:", "    {}['own']"]),
        ("linter", &[COUNT, "import ast", "ast.parse(open('old.py').read(), 'old.py')"]),
        ("compiled", &[COUNT, "compile('1 +', __file__, 'eval')"]),
        ("tabs", &["def f():", "        if 1:", "\treturn 1", "f()"]),
        ("modern", &[COUNT, "print(1, 2)", "{}.has_key(1)"]),
        ("shebang", &["#!/usr/bin/env python3", COUNT, "{}.has_key(1)"]),
        (
            "own_class",
            &[COUNT, "class Conf(dict):", "    def __getattr__(self, n):", "        return self[n]", "Conf().has_key"],
        ),
    ] {
        let before = runs(&context);
        script(&context, &format!("{name}.py"), lines);
        let output = context.run(["run", &format!("{name}.py")]);
        assert_eq!(output.code(), 1, "{name}\n{output}");
        assert!(!output.stderr.contains("omnipkg:"), "{name}\n{output}");
        let counted = usize::from(lines.contains(&COUNT));
        assert_eq!(runs(&context) - before, counted, "{name}");
    }
}

#[test]
fn a_remembered_remedy_is_none_for_who_asks_for_a_python() {
    let Some(context) = with_python2() else { return };
    script(&context, "s.py", &["import urllib2", "print(urllib2.__name__)"]);
    assert_eq!(context.run(["run", "s.py"]).success().stdout, "urllib2\n");
    let (major, minor) = context.interpreter().version;
    let output = context.run(["run", "--python", &format!("{major}.{minor}"), "s.py"]);
    assert_eq!(output.code(), 1, "{output}");
    assert!(output.stderr.contains("No module named 'urllib2'"), "{output}");
}

#[test]
fn another_python_is_remembered_only_after_a_good_end() {
    let Some(context) = with_python2() else { return };
    script(&context, "s.py", &["import urllib2, sys", "sys.exit(4)"]);
    for _ in 0..2 {
        let output = context.run(["run", "s.py"]);
        assert_eq!(output.code(), 4, "{output}");
        assert!(output.stderr.contains("running with Python 2.7"), "{output}");
    }
}
