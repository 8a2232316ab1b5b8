//! Many processes on one store at once: no command fails, every import is right, every generation is whole.

use crate::support::{install, publish, quiet_success};
use omnipkg_tests::{Context, Python};
use serde_json::Value;
use std::env;
use std::process::Stdio;

const SCRIPT: &str = include_str!("stress.py");

/// `OMNIPKG_STRESS=16x100`: sixteen processes with a hundred rounds each; unset: what fits into a test run.
fn size() -> (usize, usize) {
    let text = env::var("OMNIPKG_STRESS").unwrap_or_else(|_| "6x8".to_owned());
    let (processes, rounds) = text.split_once('x').expect("PROCESSESxROUNDS");
    (processes.parse().expect("processes"), rounds.parse().expect("rounds"))
}

#[test]
fn processes_that_change_one_store_do_not_disturb_each_other() {
    let mut context = Context::new();
    let mut versions = vec![context.interpreter().version()];
    while versions.len() < 3
        && let Some(other) = Python::any(|python| !versions.contains(&python.version()))
    {
        versions.push(other.version());
        context = context.also_python(other);
    }
    publish(
        &context,
        &[("rich", "13.4.2"), ("rich", "13.6.0"), ("rich", "13.7.1"), ("other", "1.0"), ("other", "2.0")],
    );
    for version in &versions {
        install(&context, &["--python", version, "rich==13.4.2"]);
    }
    let script = context.script("stress.py", SCRIPT);
    let (processes, rounds) = size();
    let python = context.interpreter().executable.clone();
    let start = |seed: usize| {
        let mut command = context.program(&python);
        command.arg(&script).args([seed.to_string(), rounds.to_string()]);
        command.arg(omnipkg_tests::context::binary()).arg(context.store()).args(&versions);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a process")
    };
    let children: Vec<_> = (0..processes).map(start).collect();
    let failures: Vec<String> = children
        .into_iter()
        .map(|child| child.wait_with_output().expect("its end"))
        .map(|output| [output.stdout, output.stderr].concat())
        .map(|talk| String::from_utf8_lossy(&talk).into_owned())
        .filter(|talk| !talk.is_empty())
        .collect();
    assert!(failures.is_empty(), "{}", failures.concat());
    for version in &versions {
        every_generation_is_whole(&context, version);
    }
}

/// Each generation's view imports what its record of the change says.
fn every_generation_is_whole(context: &Context, version: &str) {
    let answer = quiet_success(context.run(["--json", "env", "history", version]));
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    let generations = answer["generations"].as_array().expect("generations");
    assert!(generations.iter().filter(|generation| generation["current"] == Value::Bool(true)).count() == 1);
    for generation in generations {
        let python = context.store().join("mnt").join(generation["view"].as_str().expect("a view")).join("bin/python");
        let code = "import importlib, sys\nfor text in sys.argv[1:]:\n name, _, version = text.partition('==')\n \
                    assert importlib.import_module(name).__version__ == version, text";
        let mut command = context.program(&python);
        let texts = generation["requirements"].as_array().expect("requirements");
        command.args(["-c", code]).args(texts.iter().filter_map(Value::as_str));
        quiet_success(omnipkg_tests::process::run(command, b""));
    }
}
