//! A script that fails for its own reasons: what Python prints and how it ends, once, and nothing of omnipkg's.

use crate::support::{COUNT, plain_python, runs, script};
use omnipkg_tests::Context;

/// Scripts that fail or end in ways of their own.
const SCRIPTS: &[&[&str]] = &[
    &["1/0"],
    &["def f(x):", "    return 1 / x", "print('before')", "f(0)"],
    &["this is no Python"],
    &["if True:", "print('not indented')"],
    &["try:", "    {}['key']", "except KeyError as error:", "    raise ValueError('second') from error"],
    &["try:", "    {}['key']", "except KeyError:", "    raise ValueError('second')"],
    &["class Own(Exception):", "    pass", "raise Own('text', 3)"],
    &["assert 1 + 1 == 3, 'sums'"],
    &["import os", "os.nothing"],
    &["raise KeyboardInterrupt"],
    &[
        "import threading",
        "thread = threading.Thread(target=lambda: 1/0, name='own')",
        "thread.start()",
        "thread.join()",
    ],
    &["import sys", "sys.excepthook = lambda *_: print('hook', file=sys.stderr)", "1/0"],
    &["import atexit", "atexit.register(print, 'at exit')", "1/0"],
    &["import sys", "sys.exit(7)"],
    &["import sys", "sys.exit('a text')"],
    &["import sys", "sys.exit(259)"],
    &["raise SystemExit"],
    &["import os", "os._exit(9)"],
    &["import os", "os.abort()"],
    &["import os, signal", "os.kill(os.getpid(), signal.SIGKILL)"],
    &["import os, signal", "os.kill(os.getpid(), signal.SIGTERM)"],
    &["import os, sys", "pid = os.fork()", "if pid == 0:", "    1/0", "os.waitpid(pid, 0)", "sys.exit(3)"],
    &["import subprocess, sys", "sys.exit(subprocess.run([sys.executable, '-c', '1/0']).returncode)"],
    &["import sys", "sys.stderr = None", "1/0"],
];

#[test]
fn it_fails_as_with_python_itself_and_runs_once() {
    let context = Context::new();
    for (number, lines) in SCRIPTS.iter().enumerate() {
        let name = format!("s{number}.py");
        script(&context, &name, lines);
        let plain = plain_python(&context, &[&name]);
        let output = context.run(["run", &name]);
        let said = |output: &omnipkg_tests::Output| (output.code(), output.stdout.clone(), output.stderr.clone());
        assert_eq!(said(&output), said(&plain), "{lines:?}");
    }
}

#[test]
fn exit_codes_are_the_scripts() {
    let context = Context::new();
    for (end, code) in [("sys.exit(7)", 7), ("os._exit(9)", 9), ("os.kill(os.getpid(), 9)", 137), ("1/0", 1)] {
        script(&context, "s.py", &["import os, sys", end]);
        assert_eq!(context.run(["run", "s.py"]).code(), code, "{end}");
    }
}

#[test]
fn a_failure_runs_once() {
    let context = Context::new();
    script(&context, "s.py", &[COUNT, "1/0"]);
    let output = context.run(["run", "s.py"]).expect_code(1);
    assert!(output.stderr.ends_with("ZeroDivisionError: division by zero\n"), "{output}");
    assert_eq!(runs(&context), 1);
    context.run(["run", "s.py"]).expect_code(1);
    assert_eq!(runs(&context), 2);
}

#[test]
fn a_closed_pipe_ends_a_script_as_it_does_without_omnipkg() {
    let context = Context::new();
    script(&context, "s.py", &["for number in range(100000):", "    print(number)"]);
    let first_line = |start: &str| {
        let mut command = context.program("/bin/bash");
        command.args(["-c", &format!("{start} s.py | head -n 1; echo ${{PIPESTATUS[0]}}")]);
        omnipkg_tests::process::run(command, b"").success()
    };
    let plain = first_line(context.interpreter().executable.to_str().unwrap());
    let output = first_line(&format!("{} run", omnipkg_tests::context::binary().display()));
    assert_eq!((output.stdout, output.stderr), (plain.stdout, plain.stderr));
}

#[test]
fn nobody_reading_ends_a_command_quietly_and_a_full_disk_with_an_error() {
    let context = crate::support::rich_installed(omnipkg_tests::Context::new());
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = context.command(["info", "rich"]);
    command.stdout(writer).stderr(std::process::Stdio::piped());
    let output = command.spawn().unwrap().wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(141), 0), "{output:?}");
    let mut command = context.command(["list"]);
    command.stdout(std::fs::File::options().write(true).open("/dev/full").unwrap());
    let output = command.stderr(std::process::Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && said.starts_with("omnipkg: error: cannot write to standard"), "{said}");
}
