//! Which Python and environment a command means, and swapping them.

use crate::support::{install, one_error, publish, quiet_success, rich_installed, script};
use omnipkg_tests::{Context, Output, Python};
use std::fs;

/// A context with two Pythons, and the versions of both; `None` (and why) where there are none.
fn two_pythons() -> Option<(Context, String, String)> {
    let context = Context::new();
    let first = context.interpreter().version();
    let other = Python::any(|python| python.version() != first);
    if other.is_none() {
        eprintln!("skipped: there is only one Python");
    }
    let second = other.as_ref()?.version();
    let context = context.also_python(other?);
    publish(&context, &[("rich", "13.4.2"), ("rich", "13.7.1")]);
    install(&context, &["--python", &first, "rich==13.7.1"]);
    install(&context, &["--python", &second, "rich==13.4.2"]);
    Some((context, first, second))
}

fn rich(context: &Context) -> String {
    let code = "import rich, sys; print('%d.%d' % sys.version_info[:2], rich.__version__)";
    quiet_success(context.run(["run", "--", "python", "-c", code])).trim_end().to_owned()
}

fn program(context: &Context, line: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = context.program(line[0]);
    command.args(&line[1..]).envs(variables.iter().copied());
    omnipkg_tests::process::run(command, b"")
}

#[test]
fn a_swap_changes_what_follows_and_the_active_link() {
    let Some((context, first, second)) = two_pythons() else { return };
    quiet_success(context.run(["swap", "python", &second]));
    assert_eq!(rich(&context), format!("{second} 13.4.2"));
    let python = context.store().join("active/bin/python");
    let version = ["-c", "import sys; print('%d.%d' % sys.version_info[:2])"];
    let active = || quiet_success(program(&context, &[&[python.to_str().unwrap()], &version[..]].concat(), &[]));
    assert_eq!(active(), format!("{second}\n"));
    let answer = quiet_success(context.run(["--json", "swap", "python", &first]));
    assert!(answer.contains(&format!("\"environment\":\"{first}\"")), "{answer}");
    assert_eq!((rich(&context), active()), (format!("{first} 13.7.1"), format!("{first}\n")));
    let error = one_error(&context, context.run(["swap", "python", "3.99"]));
    assert!(error.contains("3.99"), "{error}");
    assert!(one_error(&context, context.run(["swap", "env", "nowhere"])).contains("nowhere"));
    assert_eq!(active(), format!("{first}\n"));
}

#[test]
fn a_flag_goes_before_variables_files_and_the_active_one() {
    let Some((context, first, second)) = two_pythons() else { return };
    quiet_success(context.run(["swap", "python", &first]));
    fs::write(context.work().join(".python-version"), format!("system\n{second}\n")).unwrap();
    assert_eq!(rich(&context), format!("{second} 13.4.2"));
    let output = context.run(["swap", "python", &first]).success();
    assert!(output.stderr.contains(".python-version asks for Python"), "{output}");
    let context = context.env("OMNIPKG_PYTHON", &first);
    assert_eq!(rich(&context), format!("{first} 13.7.1"));
    let code = "import sys; print('%d.%d' % sys.version_info[:2])";
    let output = context.run(["run", "--python", &second, "--", "python", "-c", code]);
    assert_eq!(quiet_success(output), format!("{second}\n"));
}

#[test]
fn a_file_that_asks_for_what_is_not_there_is_named() {
    let context = rich_installed(Context::new());
    fs::write(context.work().join(".python-version"), "3.99\n").unwrap();
    let error = one_error(&context, context.run(["list"]));
    assert!(error.contains(".python-version") && error.contains("3.99"), "{error}");
    fs::write(context.work().join(".python-version"), "my-environment\n").unwrap();
    assert_eq!(quiet_success(context.run(["list"])), "rich  13.7.1\n");
}

#[test]
fn a_command_means_the_python_that_it_was_started_from() {
    let Some((context, first, second)) = two_pythons() else { return };
    quiet_success(context.run(["swap", "python", &first]));
    let python = context.store().join("envs").join(&second).join("bin/python");
    let list = [python.to_str().unwrap(), "-m", "omnipkg.cli", "list"];
    assert_eq!(quiet_success(program(&context, &list, &[])), "rich  13.4.2\n");
    // Whatever is chosen for others.
    assert_eq!(quiet_success(program(&context, &list, &[("OMNIPKG_PYTHON", &first)])), "rich  13.4.2\n");
    let swap = [list[0], "-m", "omnipkg.cli", "install", "rich==13.7.1"];
    quiet_success(program(&context, &swap, &[]));
    assert_eq!(quiet_success(program(&context, &list, &[])), "rich  13.7.1\n");
    let tool = context.store().join("envs").join(&second).join("bin/omnipkg");
    quiet_success(program(&context, &[tool.to_str().unwrap(), "uninstall", "rich"], &[]));
    assert_eq!(quiet_success(program(&context, &list, &[])), "");
    assert_eq!(rich(&context), format!("{first} 13.7.1"));
}

#[test]
fn a_swap_or_an_install_within_a_run_holds_for_what_follows_there() {
    let Some((context, first, second)) = two_pythons() else { return };
    quiet_success(context.run(["swap", "python", &first]));
    script(&context, "inner.py", &["import rich, sys; print('%d.%d' % sys.version_info[:2], rich.__version__)"]);
    let lines = [
        "import subprocess, sys",
        "def omnipkg(*words):",
        "    subprocess.run(['omnipkg', *words], check=True)",
        "omnipkg('run', 'inner.py')",
        &format!("omnipkg('swap', 'python', '{second}')"),
        "omnipkg('run', 'inner.py')",
        "omnipkg('install', 'rich==13.7.1')",
        "omnipkg('run', 'inner.py')",
    ];
    script(&context, "outer.py", &lines);
    // In the order of its commands: Python's own prints nothing here.
    let output = quiet_success(context.run(["run", "--with", "rich==13.4.2", "outer.py"]));
    assert_eq!(output, format!("{first} 13.4.2\n{second} 13.4.2\n{second} 13.7.1\n"));
}

#[test]
fn within_a_run_every_verb_means_the_environment_that_it_lies_over() {
    let Some((context, first, second)) = two_pythons() else { return };
    quiet_success(context.run(["swap", "python", &first]));
    let line = "omnipkg uninstall rich; omnipkg list; omnipkg install rich==13.7.1; omnipkg list; \
                python -m omnipkg.cli swap rich==13.4.2; python -m omnipkg.cli list; omnipkg env history | wc -l";
    let output = quiet_success(context.run(["run", "--python", &second, "--", "sh", "-c", line]));
    assert_eq!(output.split_whitespace().collect::<Vec<_>>().join(" "), "rich 13.7.1 rich 13.4.2 9", "{output}");
    assert_eq!(rich(&context), format!("{first} 13.7.1"));
}

#[test]
fn environments_are_made_listed_and_removed() {
    let context = rich_installed(Context::new());
    let version = context.interpreter().version();
    quiet_success(context.run(["env", "create", "work"]));
    install(&context, &["--env", "work", "rich==13.4.2"]);
    let list = quiet_success(context.run(["env", "list"]));
    let lines: Vec<Vec<&str>> = list.lines().map(|line| line.split_whitespace().take(2).collect()).collect();
    assert_eq!(lines, [vec!["*", &version], vec!["work", "Python"]]);
    assert_eq!(quiet_success(context.run(["list", "--env", "work"])), "rich  13.4.2\n");
    assert_eq!(rich(&context), format!("{version} 13.7.1"));
    quiet_success(context.run(["swap", "env", "work"]));
    assert_eq!(rich(&context), format!("{version} 13.4.2"));
    assert!(one_error(&context, context.run(["env", "remove", "work"])).contains("it is the active one"));
    quiet_success(context.run(["swap", "python", &version]));
    quiet_success(context.run(["env", "remove", "work"]));
    assert!(one_error(&context, context.run(["list", "--env", "work"])).contains("no environment is called work"));
    assert!(one_error(&context, context.run(["env", "create", "3.11"])).contains("Python's own environment"));
    assert!(one_error(&context, context.run(["env", "create", "../x"])).contains("../x"));
}
