//! Version assertions: a script that needs another version runs with it, and nothing else changes.

use crate::support::{
    COUNT, install, installed_version, pinned, publish, quiet_success, rich_installed, runs, said,
    said_after_traceback, script,
};
use insta::assert_snapshot;
use omnipkg_tests::{Context, Output, WheelBuilder};

/// The same need, said in the ways that people say it.
const FORMS: &[(&str, &[&str])] = &[
    ("attribute", &["import rich", "assert rich.__version__ == '13.4.2'"]),
    ("metadata", &["import importlib.metadata", "assert importlib.metadata.version('rich') == '13.4.2'"]),
    ("bound_earlier", &["from importlib.metadata import version", "have = version('rich')", "assert have == '13.4.2'"]),
    ("raised", &["import rich", "if rich.__version__ != '13.4.2':", "    raise RuntimeError('wrong')"]),
    (
        "formatted",
        &[
            "import rich",
            "wanted = '13.4.2'",
            "assert rich.__version__ == wanted, f'wrong: {rich.__version__}, {wanted!r} is wanted'",
        ],
    ),
    (
        "translated",
        &[
            "import rich",
            "def _(text): return {'wrong': 'falsche Fassung: {}'}[text]",
            "if rich.__version__ != '13.4.2':",
            "    raise SystemError(_('wrong').format(rich.__version__))",
        ],
    ),
    (
        "helper",
        &[
            "import rich",
            "def check(expected):",
            "    if rich.__version__ != expected:",
            "        raise ValueError(expected)",
            "check('13.4.2')",
        ],
    ),
    ("exit", &["import rich, sys", "if not rich.__version__.startswith('13.4.'):", "    raise ImportError('too new')"]),
];

#[test]
fn every_form_of_the_assertion_is_healed() {
    let context = rich_installed(Context::new());
    let mut talk = String::new();
    for (form, lines) in FORMS {
        let lines = [lines, &["import rich, sys", "print('runs with', rich.__version__)"][..]].concat();
        let name = format!("{form}.py");
        script(&context, &name, &lines);
        let output = context.run(["run", "--no-predict", &name]).success();
        assert_eq!(output.stdout, "runs with 13.4.2\n", "{form}\n{output}");
        assert_eq!(output.stderr.lines().count(), 1, "{form}\n{output}");
        talk += &output.stderr;
    }
    assert_snapshot!(context.filter(&talk), @r"
    omnipkg: attribute.py:2 needs rich 13.4.2 (found 13.7.1): running with rich 13.4.2
    omnipkg: metadata.py:2 needs rich 13.4.2 (found 13.7.1): running with rich 13.4.2
    omnipkg: bound_earlier.py:3 needs rich 13.4.2 (found 13.7.1): running with rich 13.4.2
    omnipkg: raised.py:2 needs rich 13.4.2 (found 13.7.1): running with rich 13.4.2
    omnipkg: formatted.py:3 needs rich 13.4.2 (found 13.7.1): running with rich 13.4.2
    omnipkg: translated.py:3 needs rich 13.4.2 (found 13.7.1): running with rich 13.4.2
    omnipkg: helper.py:3 needs rich 13.4.2 (found 13.7.1): running with rich 13.4.2
    omnipkg: exit.py:2 needs rich ==13.4.* (found 13.7.1): running with rich 13.4.2
    ");
    assert_eq!(installed_version(&context, "rich"), "13.7.1");
}

#[test]
fn two_wrong_versions_are_healed_one_after_the_other() {
    let context = Context::new();
    publish(&context, &[("numpy", "1.24.3"), ("numpy", "2.0.0"), ("scipy", "1.10.1"), ("scipy", "1.14.0")]);
    install(&context, &["numpy", "scipy"]);
    let lines = [
        "import numpy, scipy",
        COUNT,
        "assert numpy.__version__ == '1.24.3'",
        "assert scipy.__version__ == '1.10.1'",
        "print(numpy.__version__, scipy.__version__)",
    ];
    script(&context, "s.py", &lines);
    let output = context.run(["run", "--no-predict", "s.py"]).success();
    assert_eq!(output.stdout, "1.24.3 1.10.1\n");
    assert_snapshot!(context.filter(&output.stderr), @r"
    omnipkg: s.py:3 needs numpy 1.24.3 (found 2.0.0): running with numpy 1.24.3
    omnipkg: s.py:4 needs scipy 1.10.1 (found 1.14.0): running with scipy 1.10.1
    ");
    assert_eq!(runs(&context), 3);
    assert_eq!(quiet_success(context.run(["run", "--no-predict", "s.py"])), "1.24.3 1.10.1\n");
    assert_eq!(runs(&context), 4);
}

#[test]
fn a_version_brings_those_that_it_depends_on() {
    let context = Context::new();
    for version in ["1.0", "2.0"] {
        let needs = format!("base=={version}");
        context.index().add(&WheelBuilder::with_version_attribute("top", version).requires(&needs).build());
    }
    publish(&context, &[("base", "1.0"), ("base", "2.0")]);
    install(&context, &["top", "base"]);
    let lines = ["import top, base", "assert base.__version__ == '1.0'", "print(top.__version__, base.__version__)"];
    script(&context, "s.py", &lines);
    let output = context.run(["run", "--no-predict", "s.py"]).success();
    assert_eq!(output.stdout, "1.0 1.0\n");
    assert_snapshot!(context.filter(&output.stderr), @"omnipkg: s.py:2 needs base 1.0 (found 2.0): running with base 1.0");
    assert_eq!(installed_version(&context, "top"), "2.0");
}

#[test]
fn what_else_is_installed_stays_beneath() {
    let context = Context::new();
    publish(&context, &[("rich", "13.4.2"), ("rich", "13.7.1"), ("other", "5.0")]);
    install(&context, &["rich", "other"]);
    let lines = ["import rich, other", "assert rich.__version__ == '13.4.2'", "print(other.__version__)"];
    script(&context, "s.py", &lines);
    assert_eq!(context.run(["run", "--no-predict", "s.py"]).success().stdout, "5.0\n");
}

#[test]
fn a_need_without_a_solution_is_the_scripts_failure_and_one_error() {
    let context = rich_installed(Context::new());
    script(&context, "s.py", &["import rich", COUNT, "assert rich.__version__ == '99.0', 'too old'"]);
    let output = context.run(["run", "--no-predict", "s.py"]).expect_code(1);
    assert_eq!(output.stdout, "");
    assert_eq!(runs(&context), 1);
    assert_snapshot!(said_after_traceback(&context, &["s.py"], &output), @r"
    omnipkg: s.py:3 needs rich 99.0 (found 13.7.1): no environment could be made for it
    omnipkg: error: no versions fit together on Python [VERSION]:
      you asked for rich==99.0
      there is no rich==99.0 (there are 13.4.2, 13.7.1)
    hint: loosen one of these requirements, or try another Python with --python
    ");
}

#[test]
fn checks_that_contradict_each_other_end_in_the_last_failure() {
    let context = rich_installed(Context::new());
    let lines = [
        "import rich",
        COUNT,
        "if rich.__version__ != '13.4.2':",
        "    raise RuntimeError('old')",
        "if rich.__version__ != '13.7.1':",
        "    raise RuntimeError('new')",
    ];
    script(&context, "s.py", &lines);
    let output = context.run(["run", "--no-predict", "s.py"]).expect_code(1);
    assert_eq!(runs(&context), 2);
    let said_lines: Vec<&str> = output.stderr.lines().filter(|line| line.starts_with("omnipkg: ")).collect();
    assert!(output.stderr.contains("\nRuntimeError: new\n"), "{output}");
    assert_snapshot!(said(&context, &said_lines.join("\n")), @r"
    omnipkg: s.py:3 needs rich 13.4.2 (found 13.7.1): running with rich 13.4.2
    omnipkg: s.py:5 needs rich 13.7.1 (found 13.4.2): no environment could be made for it
    omnipkg: error: no versions fit together on Python [VERSION]:
    ");
}

#[test]
fn a_healed_script_fails_for_its_own_reasons_with_its_own_traceback() {
    let context = rich_installed(Context::new());
    script(&context, "s.py", &["import rich", COUNT, "assert rich.__version__ == '13.4.2'", "1/0"]);
    let output = context.run(["run", "--no-predict", "s.py"]).expect_code(1);
    let (talk, traceback) = output.stderr.split_once('\n').unwrap();
    assert_eq!(talk, "omnipkg: s.py:3 needs rich 13.4.2 (found 13.7.1): running with rich 13.4.2");
    let own = traceback.starts_with("Traceback") && traceback.ends_with("\nZeroDivisionError: division by zero\n");
    assert!(own && traceback.matches("Traceback").count() == 1, "{output}");
    assert_eq!(runs(&context), 2);
    script(&context, "s.py", &["import rich, sys", "assert rich.__version__ == '13.4.2'", "sys.exit(7)"]);
    assert_eq!(context.run(["run", "--no-predict", "s.py"]).code(), 7);
    assert_eq!(quiet_failure(context.run(["run", "--no-predict", "s.py"])), 7);
}

/// The exit code of a command that says nothing.
#[track_caller]
fn quiet_failure(output: Output) -> i32 {
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", ""));
    output.code()
}

#[test]
fn what_the_store_cannot_mend_runs_once() {
    let context = rich_installed(Context::new());
    let lines = ["import rich", COUNT, "print(rich.__version__)", "assert rich.__version__ != rich.__version__[:]"];
    script(&context, "s.py", &lines);
    let output = context.run(["run", "--no-predict", "s.py"]).expect_code(1);
    assert_eq!(said_after_traceback(&context, &["s.py"], &output), "");
    assert_eq!((output.stdout.as_str(), runs(&context)), ("13.7.1\n", 2), "once each");
}

#[test]
fn a_hook_of_the_scripts_own_hears_of_the_failure_and_it_is_healed() {
    let context = rich_installed(Context::new());
    let lines = [
        "import sys, rich",
        "sys.excepthook = lambda kind, value, traceback: print('hook:', value, file=sys.stderr)",
        "assert rich.__version__ == '13.4.2', 'wrong'",
        "print(rich.__version__)",
    ];
    script(&context, "s.py", &lines);
    let output = context.run(["run", "--no-predict", "s.py"]).success();
    assert_eq!(output.stdout, "13.4.2\n");
    assert_snapshot!(context.filter(&output.stderr), @r"
    hook: wrong
    omnipkg: s.py:3 needs rich 13.4.2 (found 13.7.1): running with rich 13.4.2
    ");
    assert_eq!(quiet_success(context.run(["run", "--no-predict", "s.py"])), "13.4.2\n", "it is remembered");
}

#[test]
fn a_module_and_a_command_are_healed_too() {
    let context = rich_installed(Context::new());
    pinned(&context, "tool.py", "rich", "13.4.2");
    let output = context.run(["run", "--no-predict", "-m", "tool"]).success();
    assert_eq!(output.stdout, "rich 13.4.2\n");
    assert_snapshot!(context.filter(&output.stderr), @"omnipkg: tool.py:2 needs rich 13.4.2 (found 13.7.1): running with rich 13.4.2");
    let output = context.run(["run", "--no-predict", "--", "python", "tool.py"]).success();
    assert_eq!((output.stdout.as_str(), output.stderr.lines().count()), ("rich 13.4.2\n", 1));
}

#[test]
fn heal_off_and_quiet_do_what_they_say() {
    let context = rich_installed(Context::new());
    pinned(&context, "s.py", "rich", "13.4.2");
    let output = context.run(["run", "--no-predict", "--heal=off", "s.py"]).expect_code(1);
    assert!(output.stderr.ends_with("AssertionError\n") && !output.stderr.contains("omnipkg:"), "{output}");
    assert_eq!(quiet_success(context.run(["--quiet", "run", "s.py"])), "rich 13.4.2\n");
}

#[test]
fn what_was_read_from_a_pipe_is_never_lost_by_a_second_run() {
    let context = Context::new();
    publish(&context, &[("rich", "13.4.2"), ("rich", "13.7.1")]);
    context.run(["install", "rich==13.7.1"]).success();
    let script =
        "import sys\ndata = sys.stdin.buffer.read()\nimport rich\nassert rich.__version__ == '13.4.2'\nprint(data)\n";
    context.script("s.py", script);
    let first = context.run_with_input(["run", "--no-predict", "s.py"], b"data").expect_code(1);
    assert_eq!(first.stdout, "");
    assert!(
        first.stderr.contains("AssertionError") && first.stderr.contains("standard input is gone"),
        "{}",
        first.stderr
    );
    // What was found is not lost: the next start has it from the first instant.
    let second = context.run_with_input(["run", "--no-predict", "s.py"], b"data").success();
    assert_eq!((second.stdout.as_str(), second.stderr.as_str()), ("b'data'\n", ""));
}
