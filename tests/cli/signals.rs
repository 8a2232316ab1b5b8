//! Signals reach the program, and end omnipkg while it works itself.

use crate::support::{pinned, quiet_success, rich_installed, script};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use omnipkg_tests::context::binary;
use omnipkg_tests::process::run;
use omnipkg_tests::{Context, Fault};
use std::process::Stdio;

#[test]
fn a_signal_sent_to_omnipkg_is_the_programs() {
    let context = Context::new();
    let lines = [
        "import os, signal, sys",
        "number = int(sys.argv[1])",
        "signal.signal(number, lambda *_: print('caught', number))",
        "signal.pthread_sigmask(signal.SIG_BLOCK, [number])",
        "os.kill(os.getppid(), number)",
        "signal.sigwait([number])",
        "print('came')",
        "signal.pthread_sigmask(signal.SIG_UNBLOCK, [number])",
        "os.kill(os.getpid(), number)",
        "sys.exit(5)",
    ];
    script(&context, "s.py", &lines);
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGQUIT, Signal::SIGUSR1, Signal::SIGUSR2] {
        let number = (signal as i32).to_string();
        let output = context.run(["run", "s.py", &number]).expect_code(5);
        assert_eq!((output.stdout, output.stderr), (format!("came\ncaught {number}\n"), String::new()));
    }
}

#[test]
fn a_program_that_a_signal_ends_is_128_and_its_number() {
    let context = Context::new();
    script(&context, "s.py", &["import os, signal, sys", "os.kill(os.getppid(), int(sys.argv[1]))", "signal.pause()"]);
    for signal in [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGUSR1, Signal::SIGQUIT] {
        let output = context.run(["run", "s.py", &(signal as i32).to_string()]).expect_code(128 + signal as i32);
        assert_eq!(output.stderr, "", "{signal}");
    }
    let output = context.run(["run", "s.py", "2"]).expect_code(130);
    assert!(output.stderr.ends_with("\nKeyboardInterrupt\n") && !output.stderr.contains("omnipkg:"), "{output}");
}

#[test]
fn signals_that_were_ignored_stay_ignored_and_none_is_blocked() {
    let context = Context::new();
    let lines = [
        "import signal",
        "print(sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])))",
        "print(signal.getsignal(signal.SIGHUP), signal.getsignal(signal.SIGPIPE), signal.getsignal(signal.SIGCHLD))",
    ];
    script(&context, "s.py", &lines);
    let shell = |start: &str| {
        let mut command = context.program("/bin/sh");
        command.args(["-c", &format!("trap '' HUP; exec {start} s.py")]);
        quiet_success(run(command, b""))
    };
    let plain = shell(context.interpreter().executable.to_str().unwrap());
    assert_eq!(shell(&format!("{} run", binary().display())), plain);
}

#[test]
fn control_c_in_a_terminal_is_the_programs() {
    let context = Context::new();
    let lines = [
        "import signal",
        "try:",
        "    print('ready', flush=True)",
        "    signal.pause()",
        "except KeyboardInterrupt:",
        "    print('interrupted', flush=True)",
        "    raise SystemExit(3)",
    ];
    script(&context, "s.py", &lines);
    let driver = [
        "import os, pty, sys",
        "pid, terminal = pty.fork()",
        "if pid == 0:",
        "    os.execv(sys.argv[1], sys.argv[1:])",
        "seen, pressed = b'', False",
        "while True:",
        "    try:",
        "        read = os.read(terminal, 1000)",
        "    except OSError:",
        "        break",
        "    seen += read",
        "    if b'ready' in seen and not pressed:",
        "        pressed = os.write(terminal, b'\\x03')",
        "print(seen.replace(b'\\r\\n', b' ').decode())",
        "sys.exit(os.WEXITSTATUS(os.waitpid(pid, 0)[1]))",
    ];
    let driver = script(&context, "driver.py", &driver);
    let mut command = context.program(&context.interpreter().executable);
    command.arg(driver).arg(binary()).args(["run", "s.py"]);
    assert_eq!(run(command, b"").expect_code(3).stdout, "ready ^Cinterrupted \n");
}

#[test]
fn a_signal_while_healing_waits_ends_omnipkg_and_the_script() {
    let context = rich_installed(Context::new());
    pinned(&context, "s.py", "rich", "13.4.2");
    let before = ["wheels", "views", "runs"].map(|folder| context.store_files(folder));
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        context.index().clear_requests();
        let wheel = "/files/rich-13.4.2-py3-none-any.whl";
        context.index().fault(wheel, Fault::Hang);
        let mut command = context.command(["run", "s.py"]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        while context.index().count(wheel) == 0 {
            std::thread::yield_now();
        }
        kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
        // The script's end is waited for too: it holds the pipes.
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        assert_eq!(["wheels", "views", "runs"].map(|folder| context.store_files(folder)), before);
    }
    context.index().mend("/files/rich-13.4.2-py3-none-any.whl");
    assert_eq!(context.run(["run", "s.py"]).success().stdout, "rich 13.4.2\n");
}
