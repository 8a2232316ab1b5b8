//! Failures that no exception of the script's own tells of: of Pythons that it started, of imports that it caught before it
//! ended itself, of tests under a runner.

use crate::support::{COUNT, quiet_success, runs, script};
use omnipkg_tests::{Context, WheelBuilder};

/// An index that has a `yaml`, as far as the table is concerned.
fn with_yaml() -> Context {
    let context = Context::new();
    context.index().add(&WheelBuilder::new("pyyaml", "6.0").file("yaml/__init__.py", "VALUE = 7\n").build());
    context
}

/// What omnipkg said, and nothing of the programs.
fn talk(stderr: &str) -> Vec<&str> {
    stderr.lines().filter(|line| line.starts_with("omnipkg:")).collect()
}

#[track_caller]
fn heals(name: &str, lines: &[&str], line: u32) {
    let context = with_yaml();
    script(&context, name, &[&[COUNT], lines].concat());
    let output = context.run(["run", name]).success();
    assert!(output.stdout.ends_with("7\n"), "{output}");
    assert_eq!(
        talk(&output.stderr),
        [format!("omnipkg: {name}:{line} needs the module yaml: running with pyyaml 6.0")],
        "{output}"
    );
    assert_eq!(runs(&context), 2);
    assert_eq!(quiet_success(context.run(["run", name])), "7\n");
    let left = std::fs::read_dir(context.store().join("run"))
        .unwrap()
        .filter(|entry| entry.as_ref().is_ok_and(|entry| entry.file_name().to_string_lossy().starts_with("failures-")));
    assert_eq!(left.count(), 0, "nothing is left of the reports");
}

#[test]
fn a_script_that_caught_the_error_and_ended_itself() {
    let exits = ["try:", "    import yaml", "except ImportError:", "    print('no yaml')", "    raise SystemExit(3)"];
    heals("s.py", &[&exits[..], &["print(yaml.VALUE)"]].concat(), 3);
}

#[test]
fn a_script_that_notes_what_is_missing_and_ends_itself_later() {
    let noted = ["import sys", "try:", "    import yaml", "except ImportError:", "    yaml = None"];
    heals("s.py", &[&noted[..], &["if yaml is None:", "    sys.exit('no yaml')", "print(yaml.VALUE)"]].concat(), 4);
}

#[test]
fn a_python_that_the_script_started() {
    let lines = ["import subprocess, sys", "code = 'import sys\\nimport yaml\\nprint(yaml.VALUE)'"];
    let context = with_yaml();
    for (name, call) in [("check.py", "check_call"), ("exit.py", "call")] {
        script(
            &context,
            name,
            &[&lines[..], &[&format!("sys.exit(subprocess.{call}([sys.executable, '-c', code]))")]].concat(),
        );
        let output = context.run(["run", name]).success();
        assert_eq!(output.stdout, "7\n");
        assert_eq!(
            talk(&output.stderr),
            ["omnipkg: <string>:2 needs the module yaml: running with pyyaml 6.0"],
            "{output}"
        );
    }
}

#[test]
fn a_worker_of_multiprocessing() {
    for how in ["fork", "spawn"] {
        let lines = [
            "import multiprocessing, sys",
            "def work():",
            "    import yaml",
            "    print(yaml.VALUE, flush=True)",
            "if __name__ == '__main__':",
            &format!("    worker = multiprocessing.get_context('{how}').Process(target=work)"),
            "    worker.start()",
            "    worker.join()",
            "    sys.exit(worker.exitcode)",
        ];
        let context = with_yaml();
        script(&context, "s.py", &lines);
        let output = context.run(["run", "s.py"]).success();
        assert_eq!(output.stdout, "7\n", "{how}");
        assert_eq!(
            talk(&output.stderr),
            ["omnipkg: s.py:3 needs the module yaml: running with pyyaml 6.0"],
            "{how}: {output}"
        );
    }
}

#[test]
fn a_test_that_a_runner_could_not_load() {
    let context = with_yaml();
    let lines =
        ["import unittest", "import yaml", "class T(unittest.TestCase):", "    def test(self):", "        yaml.VALUE"];
    script(&context, "test_it.py", &lines);
    let output = context.run(["run", "-m", "unittest", "test_it"]).success();
    assert_eq!(
        talk(&output.stderr),
        ["omnipkg: test_it.py:2 needs the module yaml: running with pyyaml 6.0"],
        "{output}"
    );
}

#[test]
fn what_a_script_does_without_is_no_reason_for_how_it_ends() {
    let context = with_yaml();
    let without = ["import subprocess, sys", "try:", "    import yaml", "except ImportError:", "    yaml = None"];
    let child = "subprocess.call([sys.executable, '-c', 'import yaml'], stderr=subprocess.DEVNULL)";
    for (name, last, code) in [
        ("own.py", "sys.exit(4)", 4),
        ("raises.py", "raise ValueError(yaml)", 1),
        ("fine.py", child, 0),
        ("killed.py", "import os; os.kill(os.getpid(), 9)", 137),
    ] {
        script(&context, name, &[&[COUNT], &without[..], &[last]].concat());
        let before = runs(&context);
        let output = context.run(["run", name]);
        assert_eq!((output.code(), talk(&output.stderr).len()), (code, 0), "{name}: {output}");
        assert_eq!(runs(&context), before + 1, "{name}");
    }
}
