//! What a program gets from `run`: its arguments, directory, streams, descriptors and name, as from Python itself.

use crate::support::{plain_python, python, quiet_success, script};
use insta::assert_snapshot;
use omnipkg_tests::Context;
use omnipkg_tests::context::binary;
use omnipkg_tests::process::run;

#[test]
fn arguments_after_the_script_are_untouched() {
    let context = Context::new();
    script(&context, "s.py", &["import sys", "print(sys.argv)"]);
    let line = ["s.py", "a b", "", "--", "-x", "--json", "--heal=off", "--", "-"];
    let output = quiet_success(context.run([&["run"], &line[..]].concat()));
    assert_snapshot!(output, @"['s.py', 'a b', '', '--', '-x', '--json', '--heal=off', '--', '-']");
    assert_eq!(output, plain_python(&context, &line).stdout);
}

#[test]
fn a_script_is_where_it_was_and_finds_what_lies_beside_it() {
    let context = Context::new();
    let folder = context.work().join("folder");
    std::fs::create_dir(&folder).unwrap();
    script(&context, "folder/helper.py", &["NAME = 'the helper'"]);
    let lines =
        ["import os, sys, helper", "print(helper.NAME, __file__, sys.argv[0], os.getcwd(), __name__, sys.path[0])"];
    let path = script(&context, "folder/s.py", &lines);
    let output = quiet_success(context.run(["run", "folder/s.py"]));
    assert_eq!(output, plain_python(&context, &["folder/s.py"]).stdout);
    assert!(output.starts_with("the helper ") && output.contains(" folder/s.py "), "{output}");
    let absolute = path.to_str().unwrap();
    assert_eq!(quiet_success(context.run(["run", absolute])), plain_python(&context, &[absolute]).stdout);
}

#[test]
fn standard_input_is_the_scripts() {
    let context = Context::new();
    script(&context, "s.py", &["import sys", "print(sys.stdin.read().upper())"]);
    let output = context.run_with_input(["run", "s.py"], b"piped\nlines\n");
    assert_eq!(quiet_success(output), "PIPED\nLINES\n\n");
    let output = context.run_with_input(["run", "-"], b"print('from stdin')");
    assert_eq!(quiet_success(output), "from stdin\n");
}

#[test]
fn a_module_runs_as_with_python_m() {
    let context = Context::new();
    script(&context, "tool.py", &["import sys", "print(__name__, sys.argv[1:])"]);
    assert_eq!(
        quiet_success(context.run(["run", "-m", "tool", "-m", "x", "--", "y"])),
        "__main__ ['-m', 'x', '--', 'y']\n"
    );
    let output = context.run_with_input(["run", "-m", "json.tool", "--sort-keys"], b"{\"b\": 1, \"a\": 2}");
    assert_eq!(quiet_success(output), "{\n    \"a\": 2,\n    \"b\": 1\n}\n");
}

#[test]
fn a_command_runs_with_the_views_programs_first() {
    let context = Context::new();
    let code = "import sys; print(sys.prefix)";
    let prefix = quiet_success(python(&context, &["-c", code]));
    assert!(prefix.contains("/store/"), "{prefix}");
    assert_eq!(quiet_success(context.run(["run", "--", "sh", "-c", &format!("python -c '{code}'; exit 0")])), prefix);
    assert_eq!(context.run(["run", "--", "sh", "-c", "exit 9"]).code(), 9);
    assert_snapshot!(context.filter(&context.run(["run", "--", "no-such-command"]).expect_code(1).stderr), @r"
    omnipkg: error: cannot start no-such-command: No such file or directory (os error 2)
    hint: check the path
    ");
}

#[test]
fn the_programs_environment_is_the_users_and_no_descriptor_leaks() {
    let context = Context::new().env("MINE", "kept").env("PYTHONUTF8", "1");
    let lines = [
        "import os, subprocess, sys",
        "def open_descriptors():",
        "    listing = os.open('/proc/self/fd', os.O_RDONLY)",
        "    names = set(map(int, os.listdir(listing))) - {listing}",
        "    os.close(listing)",
        "    return names",
        "if len(sys.argv) == 1:",
        "    print(os.environ['MINE'], os.environ.get('VIRTUAL_ENV') == sys.prefix, 'OMNIPKG_REPORT' in os.environ)",
        "    print('open:', len(open_descriptors()))",
        "    sys.stdout.flush()",
        "    subprocess.run([sys.executable, __file__, 'child'], close_fds=False, check=True)",
        "else:",
        "    print('open:', len(open_descriptors()))",
    ];
    script(&context, "s.py", &lines);
    // What this test itself was given beyond the three is the machine's affair: only the difference counts.
    let counts = |output: &str| -> Vec<i32> {
        output.lines().filter_map(|line| line.strip_prefix("open: ")?.parse().ok()).collect()
    };
    let plain = counts(&plain_python(&context, &["s.py"]).stdout);
    let healing = quiet_success(context.run(["run", "s.py"]));
    assert!(healing.starts_with("kept True False\n"), "{healing}");
    // The one more is the reporter's socket, which the script's own children do not get.
    assert_eq!(counts(&healing), [plain[0] + 1, plain[1]]);
    assert_eq!(counts(&quiet_success(context.run(["run", "--heal=off", "s.py"]))), plain);
}

#[test]
fn a_terminal_stays_a_terminal() {
    let context = Context::new();
    script(&context, "s.py", &["import sys", "print([each.isatty() for each in (sys.stdin, sys.stdout, sys.stderr)])"]);
    let driver = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)";
    let mut command = context.program(&context.interpreter().executable);
    command.args(["-c", driver]).arg(binary()).args(["run", "s.py"]);
    assert_eq!(run(command, b"").success().stdout, "[True, True, True]\r\n");
    assert_eq!(quiet_success(context.run(["run", "s.py"])), "[False, False, False]\n");
}

#[test]
fn a_script_that_starts_with_the_hash_bang_line_runs() {
    let context = Context::new();
    let path = script(&context, "s.py", &["#!/usr/bin/env -S omnipkg run", "import sys", "print(sys.argv[1:])"]);
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    std::os::unix::fs::symlink(binary(), context.work().join("omnipkg")).unwrap();
    let mut command = context.program(&path);
    let search = command.get_envs().find(|(name, _)| *name == "PATH").and_then(|(_, value)| value).unwrap();
    let search = format!("{}:{}", context.work().display(), search.to_str().unwrap());
    command.env("PATH", search).args(["--with", "x"]);
    assert_eq!(quiet_success(run(command, b"")), "['--with', 'x']\n");
}

#[test]
fn wrong_usage_is_code_2() {
    let context = Context::new();
    for line in [&["run"][..], &["no-such-verb"], &["install"], &["run", "--heal=perhaps", "s.py"]] {
        let output = context.run(line).expect_code(2);
        assert!(output.stdout.is_empty() && output.stderr.contains("For more information, try '--help'"), "{output}");
    }
}
