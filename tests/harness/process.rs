//! Runs a child to its end and collects what it said; a child that hangs is killed and is a failure.

use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;
use std::fmt;
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

/// What a hang is measured by: far beyond what anything in the tests takes on a slow machine.
pub const WATCHDOG: Duration = Duration::from_secs(180);

/// How a child ended and what it said.
#[derive(Debug, Clone)]
pub struct Output {
    /// As `wait(2)` gave it.
    pub status: ExitStatus,
    /// Standard output; bytes that are no UTF-8 are replaced.
    pub stdout: String,
    /// Standard error, likewise.
    pub stderr: String,
}

/// The child did not end, or something kept its output open after it.
#[derive(Debug)]
pub struct Hung {
    what: &'static str,
    command: String,
}

impl Output {
    /// The exit code as a shell gives it: 128 + n for signal n.
    pub fn code(&self) -> i32 {
        self.status.code().unwrap_or_else(|| 128 + self.status.signal().unwrap_or(127))
    }

    /// Panics with all that was said unless the child ended with `code`.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code(), code, "unexpected exit code\n{self}");
        self
    }

    /// Panics with all that was said unless the child ended with 0.
    #[track_caller]
    pub fn success(self) -> Self {
        self.expect_code(0)
    }
}

impl fmt::Display for Output {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "exit code {}\n--- stdout\n{}--- stderr\n{}", self.code(), self.stdout, self.stderr)
    }
}

impl fmt::Display for Hung {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.what, self.command)
    }
}

/// Runs `command` with `input` on its standard input.
///
/// # Panics
/// When it cannot be started or hangs.
#[track_caller]
pub fn run(command: Command, input: &[u8]) -> Output {
    match run_within(command, input, WATCHDOG) {
        Ok(output) => output,
        Err(hung) => panic!("{hung}"),
    }
}

/// As [`run`], with the patience given; after it the child's process group is killed.
pub fn run_within(mut command: Command, input: &[u8], patience: Duration) -> Result<Output, Hung> {
    let description = format!("{command:?}");
    let hung = |what| Hung { what, command: description.clone() };
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let mut child = command.spawn().unwrap_or_else(|error| panic!("start {description}: {error}"));
    feed(&mut child, input.to_vec());
    let stdout = collect(child.stdout.take());
    let stderr = collect(child.stderr.take());
    let ended = await_end(&mut child, patience);
    let status = child.wait().unwrap_or_else(|error| panic!("wait for {description}: {error}"));
    if !ended {
        return Err(hung("killed, it did not end"));
    }
    let open = |_| hung("it ended, but something that it left behind holds its output open");
    let stdout = stdout.recv_timeout(patience).map_err(open)?;
    let stderr = stderr.recv_timeout(patience).map_err(open)?;
    Ok(Output { status, stdout, stderr })
}

/// Waits until the child has ended or patience has; then its whole group is killed.
///
/// The child is left unreaped (`WNOWAIT`), so that its id cannot belong to another when it is killed.
fn await_end(child: &mut Child, patience: Duration) -> bool {
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a process id"));
    let (ended, end) = channel();
    thread::spawn(move || {
        while waitid(Id::Pid(pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT) == Err(Errno::EINTR) {}
        ended.send(()).ok();
    });
    let ended = end.recv_timeout(patience).is_ok();
    if !ended {
        killpg(pid, Signal::SIGKILL).ok();
    }
    ended
}

/// Writes from a thread of its own: the child may answer before it has read everything, or never read.
fn feed(child: &mut Child, input: Vec<u8>) {
    let stdin = child.stdin.take();
    thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(&input)));
}

fn collect(stream: Option<impl Read + Send + 'static>) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        stream.map(|mut stream| stream.read_to_end(&mut bytes));
        sender.send(String::from_utf8_lossy(&bytes).into_owned()).ok();
    });
    receiver
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn codes_signals_and_both_streams_are_seen() {
        let output = run(shell("cat; echo talk >&2; exit 7"), b"data\n");
        assert_eq!((output.code(), output.stdout.as_str(), output.stderr.as_str()), (7, "data\n", "talk\n"));
        assert_eq!(run(shell("kill -TERM $$"), b"").code(), 143);
    }

    #[test]
    fn a_child_that_hangs_is_killed() {
        let hung = run_within(shell("tail -f /dev/null"), b"", Duration::from_millis(200)).unwrap_err();
        assert!(hung.to_string().starts_with("killed"), "{hung}");
    }
}
