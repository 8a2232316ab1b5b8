//! Demos 5 and 8 against an index of look-alikes: real stages, real Pythons, a store of their own that is kept.

use crate::support::{one_error, publish, quiet_success};
use insta::assert_snapshot;
use omnipkg_tests::context::is_mounted;
use omnipkg_tests::process::run;
use omnipkg_tests::{Context, Output, WheelBuilder, require_fuse};
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

const RICH: [(&str, &str); 3] = [("3.9", "13.4.2"), ("3.10", "13.6.0"), ("3.11", "13.7.1")];

/// The Pythons of demo 8, and its rich on the index.
fn eight() -> Option<Context> {
    let (old, middle) = (Context::python("3.9")?, Context::python("3.10")?);
    let context = Context::with_python("3.11")?.also_python(old).also_python(middle);
    publish(&context, &RICH.map(|(_, version)| ("rich", version)));
    Some(context)
}

/// numpy, scipy and tensorflow as far as demo 5 goes.
fn five() -> Option<Context> {
    let context = Context::with_python("3.11")?.also_python(Context::python("3.9")?);
    let numpy = "class array(list):\n    def sum(self):\n        return sum(list(self))\n";
    for version in ["1.26.4", "2.0.0"] {
        let text = format!("__version__ = {version:?}\n{numpy}");
        context.index().add(&WheelBuilder::new("numpy", version).file("numpy/__init__.py", text).build());
    }
    let convolve = "import numpy\n\ndef convolve(a, b):\n    out = [0] * (len(a) + len(b) - 1)\n    \
                    for i, x in enumerate(a):\n        for j, y in enumerate(b):\n            out[i + j] += x * y\n    \
                    return numpy.array(out)\n";
    let scipy = WheelBuilder::with_version_attribute("scipy", "1.13.1").requires("numpy>=1.22");
    context.index().add(&scipy.file("scipy/signal.py", convolve).build());
    let tensorflow = "import math\n__version__ = '2.21.0'\n\nclass constant(float):\n    numpy = float.__float__\n\n    \
                      def __mul__(self, other):\n        return constant(float(self) * float(other))\n\n    \
                      def __add__(self, other):\n        return constant(float(self) + float(other))\n\n\
                      def sigmoid(x):\n    return constant(1 / (1 + math.exp(-x)))\n";
    for name in ["tensorflow-cpu", "tensorflow"] {
        let wheel = WheelBuilder::new(name, "2.21.0").requires("numpy>=2").file("tensorflow/__init__.py", tensorflow);
        context.index().add(&wheel.build());
    }
    Some(context)
}

/// Fails unless each thread's line is in the table and its Python and file are named.
#[track_caller]
fn check_eight(context: &Context, output: Output) {
    let text = quiet_success(output);
    for (python, version) in RICH {
        assert!(text.contains(&format!("Python {python}, rich {version} ")), "{text}");
        let executable = context.store().join("demo/envs").join(python).join("bin/python");
        assert!(text.contains(&executable.display().to_string()), "{text}");
    }
}

/// What the Python of a demo's environment says of a project's version.
#[track_caller]
fn version_in(context: &Context, environment: &str, project: &str) -> String {
    let mut python = context.program(context.store().join("demo/envs").join(environment).join("bin/python"));
    python.args(["-c", &format!("import importlib.metadata as m; print(m.version({project:?}))")]);
    quiet_success(run(python, b"")).trim_end().to_owned()
}

#[test]
fn three_pythons_are_verified_and_again_without_the_index() {
    let Some(context) = eight() else { return };
    check_eight(&context, context.run(["demo", "8"]));
    for (python, version) in RICH {
        assert_eq!(version_in(&context, python, "rich"), version);
    }
    context.index().stop();
    check_eight(&context, context.run(["demo", "8"]));
    assert!(context.store_files("envs").is_empty() && !context.store().join("active").is_symlink());
}

#[test]
fn three_pythons_are_verified_in_links() {
    let Some(context) = eight() else { return };
    let context = context.link();
    check_eight(&context, context.run(["demo", "8"]));
    check_eight(&context, context.run(["demo", "8", "--fresh"]));
}

#[test]
fn demos_may_run_beside_each_other_on_a_bare_store() {
    let Some(context) = eight() else { return };
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| check_eight(&context, context.run(["demo", "8"])));
        }
    });
}

#[test]
fn a_demo_that_was_killed_is_just_run_again() {
    let Some(context) = eight() else { return };
    for line_before_the_end in ["1. Three threads", "   $ <the environment's Python>"] {
        let mut child = context.command(["demo", "8"]).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.map_while(Result::ok).any(|line| line.starts_with(line_before_the_end)));
        child.kill().unwrap();
        child.wait().unwrap();
        check_eight(&context, context.run(["demo", "8"]));
        context.run(["demo", "--fresh"]).success();
    }
}

#[test]
fn the_users_choices_do_not_reach_a_demo() {
    let Some(context) = five() else { return };
    std::fs::write(context.store().parent().unwrap().join(".python-version"), "3.11\n").unwrap();
    std::fs::write(context.work().join("numpy.py"), "raise SystemExit('the wrong numpy')\n").unwrap();
    let path = context.work();
    let context = context.env("OMNIPKG_PYTHON", "3.11").env("VIRTUAL_ENV", "/nowhere").env("PYTHONPATH", path);
    assert!(quiet_success(context.run(["demo", "5"])).contains("\"prediction\": \"SUCCESS\"}"));
}

#[test]
fn a_missing_python_is_named_with_the_next_step() {
    let Some(python) = Context::python("3.11") else { return };
    let system = ["/usr/bin", "/usr/local/bin"].map(|directory| std::path::Path::new(directory).join("python3.9"));
    if system.iter().any(|path| path.exists()) {
        eprintln!("skipped: the system has a Python 3.9 of its own");
        return;
    }
    let context = Context::with_python("3.11").unwrap().also_python(python);
    let output = context.run(["demo", "5"]).expect_code(1);
    assert_snapshot!(output.stderr, @"omnipkg: error: demo 5 needs Python 3.9, which this machine does not have: `omnipkg python install 3.9`
");
}

#[test]
fn stop_and_fresh_take_the_demos_store_along() {
    let Some(context) = eight() else { return };
    context.run(["demo", "8"]).success();
    let demo = context.store().join("demo");
    let status = || serde_json::from_str::<Value>(&quiet_success(context.run(["--json", "status"]))).unwrap();
    if require_fuse() {
        assert!(status()["demo_server"].is_u64() && is_mounted(&demo.join("mnt")));
        assert!(quiet_success(context.run(["status"])).contains("demos' server: running"));
    }
    context.run(["server", "stop"]).success();
    assert!(status()["demo_server"].is_null() && !is_mounted(&demo.join("mnt")));
    check_eight(&context, context.run(["demo", "8"]));

    let lock = File::open(context.store().join("run/demo.lock")).unwrap();
    lock.lock_shared().unwrap();
    let refused = one_error(&context, context.run(["demo", "--fresh"]));
    assert_snapshot!(refused, @"omnipkg: error: a demo is at work in [STORE]/demo: wait for its end");
    drop(lock);
    assert_eq!(quiet_success(context.run(["demo", "--fresh"])), "");
    assert!(!demo.exists() && !is_mounted(&demo.join("mnt")));
    assert_eq!(quiet_success(context.run(["demo", "--fresh"])), "");
}

#[test]
fn a_pipeline_goes_from_one_python_to_another() {
    let Some(context) = five() else { return };
    for _ in 0..2 {
        let text = quiet_success(context.run(["demo", "5"]));
        for line in ["\"numpy\": \"1.26.4\"", "\"sum\": 225}", "\"prediction\": \"SUCCESS\"}", "in all "] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        context.index().stop();
    }
    assert_eq!(
        (version_in(&context, "3.9", "numpy"), version_in(&context, "3.11", "numpy")),
        ("1.26.4".into(), "2.0.0".into())
    );
    assert!(context.store_files("envs").is_empty());
}

#[test]
fn what_makes_no_sense_is_refused() {
    let context = Context::new();
    let refused = [vec!["demo", "6"], vec!["demo", "8", "--python", "3.12"]];
    let said = refused.map(|words| one_error(&context, context.run(words))).concat();
    assert_snapshot!(said, @r"
    omnipkg: error: there is no demo 6; `omnipkg demo` lists them
    omnipkg: error: demo 8 is about Pythons of its own: --python is for demo 7
    ");
}
