//! Starting a program in a view, and waiting for it.
//!
//! The program gets the terminal, the descriptors, the working directory and the environment that omnipkg
//! was given; it is never captured. Only an uncaught exception is seen: the reporter in the view sends it over
//! a socket and waits for the verdict, so a traceback is either printed by Python itself or not at all.

use crate::context::{RUN_OVER, STARTED_FROM};
use crate::healing::FAILURES;
use crate::signals::Signals;
use anyhow::{Context, Result, anyhow};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawn};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::ffi::{CString, OsStr, OsString};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

/// Reports larger than this are not read; the script then prints its traceback itself.
const MAXIMUM_REPORT: usize = 16 << 20;

/// What is to be started in a view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Program {
    /// `python script args…`
    Script(Vec<OsString>),
    /// `python -m module args…`
    Module(Vec<OsString>),
    /// A command: looked for in the view's `bin` first, then on PATH.
    Command(Vec<OsString>),
}

/// What the reporter is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Print the traceback as Python would.
    Print,
    /// Say nothing: the script is going to be run again.
    Quiet,
    /// Nothing: it does not wait.
    Unasked,
}

impl Program {
    fn command_line(&self, view: &Path) -> Vec<OsString> {
        let python = || view.join("bin/python").into_os_string();
        match self {
            Self::Script(rest) => [vec![python()], rest.clone()].concat(),
            Self::Module(rest) => [vec![python(), "-m".into()], rest.clone()].concat(),
            Self::Command(rest) => {
                let mut line = rest.clone();
                if let Some(first) = line.first_mut() {
                    *first = find_command(view, first);
                }
                line
            }
        }
    }
}

/// A command by its name: the view's own first, then as PATH has it.
pub fn find_command(view: &Path, name: &OsStr) -> OsString {
    if name.as_bytes().contains(&b'/') {
        return name.to_owned();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let directories = std::iter::once(view.join("bin")).chain(std::env::split_paths(&path));
    let mut candidates = directories.map(|directory| directory.join(name));
    candidates
        .find(|path| nix::unistd::access(path, nix::unistd::AccessFlags::X_OK).is_ok() && path.is_file())
        .map_or_else(|| name.to_owned(), PathBuf::into_os_string)
}

/// What stands between omnipkg and a program, so that it sees the view otherwise.
#[derive(Default)]
pub struct Wrapper {
    /// Words in front of the program; they look up what to start themselves.
    pub words: Vec<OsString>,
    /// Stays open in all that is started: a lock that lasts as long as anything uses what it guards.
    pub held: Option<OwnedFd>,
    /// What the program prints goes nowhere.
    pub silent: bool,
}

/// What programs are told in their environment.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// What lies beneath (see [`RUN_OVER`]).
    pub over: &'a str,
    /// Where the Pythons among what they start leave their reports (see [`FAILURES`]).
    pub failures: Option<&'a OsStr>,
}

/// What is asked about each report.
pub type OnFailure<'a> = &'a mut dyn FnMut(&[u8]) -> Answer;

/// Runs a program in a view to its end and returns its exit code (128 + n for a signal).
///
/// `on_failure` gets each report (JSON) and decides what the reporter is told; without it none is asked for.
pub fn run(
    signals: &Signals,
    view: &Path,
    wrapper: &Wrapper,
    program: &Program,
    told: Told<'_>,
    mut on_failure: Option<OnFailure<'_>>,
) -> Result<i32> {
    let (ours, theirs) = match on_failure {
        Some(_) => {
            let (ours, theirs) = socketpair(AddressFamily::Unix, SockType::Stream, None, SockFlag::SOCK_CLOEXEC)
                .context("cannot make a socket for the failure report")?;
            (Some(UnixStream::from(ours)), Some(theirs))
        }
        None => (None, None),
    };
    let child = spawn(signals, view, wrapper, program, told, theirs.as_ref())?;
    drop(theirs);
    let mut socket = ours;
    loop {
        let readable = wait_for_event(signals, socket.as_ref())?;
        if readable && let (Some(stream), Some(on_failure)) = (socket.as_mut(), on_failure.as_mut()) {
            match read_report(stream) {
                Some(report) => {
                    // A byte that nobody waits for would be the answer to the next Python that asks.
                    let byte: &[u8] = match on_failure(&report) {
                        Answer::Print => b"P",
                        Answer::Quiet => b"Q",
                        Answer::Unasked => b"",
                    };
                    let _ = stream.write_all(byte);
                }
                None => socket = None,
            }
        }
        // While a report was dealt with, the news that the program ended may have been read elsewhere.
        if (signals.pass_on(child) || readable)
            && let Some(code) = reap(child)?
        {
            return Ok(code);
        }
    }
}

fn wait_for_event(signals: &Signals, socket: Option<&UnixStream>) -> Result<bool> {
    let mut descriptors = vec![PollFd::new(signals.descriptor().as_fd(), PollFlags::POLLIN)];
    descriptors.extend(socket.map(|socket| PollFd::new(socket.as_fd(), PollFlags::POLLIN)));
    match poll(&mut descriptors, PollTimeout::NONE) {
        Ok(_) | Err(Errno::EINTR) => {}
        Err(error) => return Err(error).context("cannot wait for the program"),
    }
    Ok(descriptors.get(1).is_some_and(|descriptor| descriptor.revents().is_some_and(|events| !events.is_empty())))
}

/// One report: a big-endian u32 and that many bytes. `None` at the end of the stream or if it makes no sense.
fn read_report(stream: &mut UnixStream) -> Option<Vec<u8>> {
    let mut length = [0u8; 4];
    stream.read_exact(&mut length).ok()?;
    let length = u32::from_be_bytes(length) as usize;
    if length > MAXIMUM_REPORT {
        return None;
    }
    let mut report = vec![0; length];
    stream.read_exact(&mut report).ok()?;
    Some(report)
}

fn reap(child: Pid) -> Result<Option<i32>> {
    match waitpid(child, Some(WaitPidFlag::WNOHANG)) {
        Ok(WaitStatus::Exited(_, code)) => Ok(Some(code)),
        Ok(WaitStatus::Signaled(_, signal, _)) => Ok(Some(128 + signal as i32)),
        Ok(_) | Err(Errno::EINTR) => Ok(None),
        Err(error) => Err(error).context("cannot wait for the program"),
    }
}

fn spawn(
    signals: &Signals,
    view: &Path,
    wrapper: &Wrapper,
    program: &Program,
    told: Told<'_>,
    socket: Option<&OwnedFd>,
) -> Result<Pid> {
    let line = match program {
        Program::Command(rest) if !wrapper.words.is_empty() => rest.clone(),
        _ => program.command_line(view),
    };
    let line = [wrapper.words.clone(), line].concat();
    let executable = line.first().cloned().ok_or_else(|| anyhow!("there is nothing to run"))?;
    let arguments = line.into_iter().map(c_string).collect::<Result<Vec<_>>>()?;
    let environment = environment(view, told, socket)?;
    let nowhere =
        wrapper.silent.then(|| File::options().write(true).open("/dev/null").context("cannot open /dev/null"));
    let nowhere = nowhere.transpose()?;
    let prepare = || -> nix::Result<(PosixSpawnAttr, PosixSpawnFileActions)> {
        let mut attributes = PosixSpawnAttr::init()?;
        attributes.set_flags(PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK | PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF)?;
        attributes.set_sigmask(signals.original())?;
        // Rust ignores SIGPIPE; a program expects it as the shell leaves it.
        let mut default = SigSet::empty();
        default.add(Signal::SIGPIPE);
        attributes.set_sigdefault(&default)?;
        let mut actions = PosixSpawnFileActions::init()?;
        for socket in socket.into_iter().chain(&wrapper.held) {
            // Onto itself: clears close-on-exec in the child only.
            actions.add_dup2(socket.as_raw_fd(), socket.as_raw_fd())?;
        }
        if let Some(nowhere) = &nowhere {
            actions.add_dup2(nowhere.as_raw_fd(), 1)?;
            actions.add_dup2(nowhere.as_raw_fd(), 2)?;
        }
        Ok((attributes, actions))
    };
    let (attributes, actions) = prepare().context("cannot prepare the start of the program")?;
    posix_spawn(Path::new(&executable), &actions, &attributes, &arguments, &environment).map_err(|error| {
        let error = std::io::Error::from(error);
        anyhow!(error).context(format!("cannot start {}", executable.display()))
    })
}

/// The user's environment with the view's `bin` in front of PATH, as an activated environment has it.
fn environment(view: &Path, told: Told<'_>, socket: Option<&OwnedFd>) -> Result<Vec<CString>> {
    let mut variables: Vec<(OsString, OsString)> = std::env::vars_os()
        .filter(|(name, _)| {
            !matches!(
                name.to_str(),
                Some("PATH" | "VIRTUAL_ENV" | "PYTHONHOME" | "OMNIPKG_REPORT" | FAILURES | RUN_OVER | STARTED_FROM)
            )
        })
        .collect();
    let mut path = view.join("bin").into_os_string();
    if let Some(rest) = std::env::var_os("PATH").filter(|path| !path.is_empty()) {
        path.push(":");
        path.push(rest);
    }
    variables.push(("PATH".into(), path));
    variables.push(("VIRTUAL_ENV".into(), view.as_os_str().to_owned()));
    variables.push((RUN_OVER.into(), told.over.into()));
    variables.extend(told.failures.map(|failures| (FAILURES.into(), failures.to_owned())));
    if let Some(socket) = socket {
        let status = nix::sys::stat::fstat(socket).context("cannot look at the report socket")?;
        let value = format!("{}:{}:{}", socket.as_raw_fd(), status.st_dev, status.st_ino);
        variables.push(("OMNIPKG_REPORT".into(), value.into()));
    }
    variables
        .into_iter()
        .map(|(mut name, value)| {
            name.push("=");
            name.push(value);
            c_string(name)
        })
        .collect()
}

/// As a program gets it.
pub fn c_string(text: OsString) -> Result<CString> {
    CString::new(text.into_vec()).map_err(|_| anyhow!("an argument or variable holds a NUL byte"))
}
