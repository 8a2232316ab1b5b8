//! One compiling process: an interpreter that takes sources on its standard input and answers each with bytecode.
//!
//! It is given bytes, never a path, and reads no variable or module of the user's. It ends when its input does, so that it
//! cannot outlive its parent, and a source that takes too long ends it.

use crate::error::{IoContext, Result};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

const COMPILE: &str = include_str!("compile.py");

/// A `.pyc` larger than this is not believed.
const MAXIMUM_PYC: u32 = 256 << 20;

/// The answer for a source that did not compile for lack of memory.
const NOT_THIS_TIME: u32 = u32::MAX;

/// What became of a source.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Its bytecode.
    Pyc(Vec<u8>),
    /// The interpreter cannot compile it.
    Refused,
    /// It was not compiled, for a reason that may not come again.
    Failed,
    /// The process came to an end over it, by its own fault (true) or somebody else's, and is gone.
    Ended(bool),
}

/// See the module.
pub(super) struct Child {
    process: std::process::Child,
    input: ChildStdin,
    output: ChildStdout,
    patience: Duration,
}

impl Child {
    /// Starts one; `background` leaves the processors to whoever else wants them.
    ///
    /// # Errors
    /// [`crate::Error::Io`].
    pub(super) fn start(python: &Path, background: bool, patience: Duration) -> Result<Self> {
        let mut process = Command::new(python)
            .args(["-I", "-S", "-B", "-W", "ignore", "-c", COMPILE, if background { "19" } else { "0" }])
            // Its own clock is for when nobody waits for it any more.
            .arg((patience.as_secs() + 5).to_string())
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .at("start", python)?;
        let (input, output) = match (process.stdin.take(), process.stdout.take()) {
            (Some(input), Some(output)) => (input, output),
            _ => return Err(io::Error::from(io::ErrorKind::BrokenPipe)).at("start", python),
        };
        // A process that hangs before it has read all of a source must not take us with it.
        fcntl(&input, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).map_err(io::Error::from).at("start", python)?;
        Ok(Self { process, input, output, patience })
    }

    /// Compiles one source. After [`Answer::Ended`] the process is of no more use.
    pub(super) fn compile(&mut self, source: &[u8]) -> Answer {
        let deadline = Instant::now() + self.patience;
        match self.exchange(source, deadline) {
            Ok(answer) => answer,
            Err(error) => {
                let hung = error.kind() == io::ErrorKind::TimedOut;
                Answer::Ended(self.end().is_some_and(|signal| !hung && is_own_fault(signal)))
            }
        }
    }

    fn exchange(&mut self, source: &[u8], deadline: Instant) -> io::Result<Answer> {
        let length = u32::try_from(source.len()).map_err(|_| io::Error::other("a source of an impossible size"))?;
        self.send(&length.to_be_bytes(), deadline)?;
        self.send(source, deadline)?;
        let mut head = [0u8; 4];
        self.receive(&mut head, deadline)?;
        match u32::from_be_bytes(head) {
            0 => Ok(Answer::Refused),
            NOT_THIS_TIME => Ok(Answer::Failed),
            length if length > MAXIMUM_PYC => Err(io::Error::other("a .pyc of an impossible size")),
            length => {
                let mut pyc = vec![0; length as usize];
                self.receive(&mut pyc, deadline)?;
                Ok(Answer::Pyc(pyc))
            }
        }
    }

    fn send(&mut self, mut bytes: &[u8], deadline: Instant) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.input.write(bytes) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => bytes = &bytes[count..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    wait(&self.input, PollFlags::POLLOUT, deadline)?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn receive(&mut self, mut bytes: &mut [u8], deadline: Instant) -> io::Result<()> {
        while !bytes.is_empty() {
            wait(&self.output, PollFlags::POLLIN, deadline)?;
            match self.output.read(bytes) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => bytes = &mut bytes[count..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Ends the process; the signal that it had ended by before, if any.
    fn end(&mut self) -> Option<i32> {
        // One that closed its output is about to end by itself; one that hangs is not.
        let _ = self.process.kill();
        self.process.wait().ok()?.signal()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.end();
    }
}

/// A crash comes again; being killed (for want of memory, say) need not.
fn is_own_fault(signal: i32) -> bool {
    [nix::libc::SIGSEGV, nix::libc::SIGABRT, nix::libc::SIGBUS, nix::libc::SIGILL].contains(&signal)
}

fn wait(descriptor: &impl AsFd, events: PollFlags, deadline: Instant) -> io::Result<()> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let milliseconds = i32::try_from(left.as_millis() + 1).unwrap_or(i32::MAX);
        let timeout = PollTimeout::try_from(milliseconds).unwrap_or(PollTimeout::MAX);
        match poll(&mut [PollFd::new(descriptor.as_fd(), events)], timeout) {
            // Whatever happened there, reading or writing tells.
            Ok(count) if count > 0 => return Ok(()),
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
