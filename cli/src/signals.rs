//! Signals of a command that runs another program.
//!
//! They are blocked before any thread exists, so that none is lost: while the program runs they are passed on
//! to it, and while omnipkg itself works they end it, as they would anywhere else.

use anyhow::{Context, Result};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill, sigprocmask};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::Pid;
use std::os::fd::{AsFd, OwnedFd};
use std::thread::JoinHandle;

/// Signals that end or steer a program, and that somebody may send to omnipkg meaning the program.
const PASSED_ON: &[Signal] =
    &[Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT, Signal::SIGUSR1, Signal::SIGUSR2];

/// Blocked signals and where they are read.
pub struct Signals {
    original: SigSet,
    descriptor: SignalFd,
}

impl Signals {
    /// Blocks the signals for this process. Call it before any thread is started.
    pub fn block() -> Result<Self> {
        let mut set = SigSet::empty();
        PASSED_ON.iter().chain(&[Signal::SIGCHLD]).for_each(|signal| set.add(*signal));
        let mut original = SigSet::empty();
        sigprocmask(SigmaskHow::SIG_BLOCK, Some(&set), Some(&mut original)).context("cannot block signals")?;
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        let descriptor = SignalFd::with_flags(&set, flags).context("cannot open a signal descriptor")?;
        Ok(Self { original, descriptor })
    }

    /// The mask that the program is to start with.
    pub fn original(&self) -> &SigSet {
        &self.original
    }

    /// Readable when a signal is there.
    pub fn descriptor(&self) -> &SignalFd {
        &self.descriptor
    }

    /// Passes every pending signal on; returns true if a child may have changed.
    ///
    /// A signal that the kernel made for a key press has gone to the program already: the terminal sends it
    /// to the whole foreground group.
    pub fn pass_on(&self, child: Pid) -> bool {
        let mut child_changed = false;
        while let Ok(Some(information)) = self.descriptor.read_signal() {
            let Ok(signal) = Signal::try_from(information.ssi_signo as i32) else { continue };
            if signal == Signal::SIGCHLD {
                child_changed = true;
            } else if information.ssi_code <= 0 {
                // The child may be gone by now, which waiting for it will tell.
                let _ = kill(child, signal);
            }
        }
        child_changed
    }

    /// Lets signals end this process while it does work of its own, until the guard is dropped.
    pub fn interruptible(&self) -> Result<Interruptible> {
        let descriptor = self.descriptor.as_fd().try_clone_to_owned().context("cannot copy the signal descriptor")?;
        let (ours, theirs) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC).context("cannot make a pipe")?;
        let watcher = std::thread::spawn(move || watch(&descriptor, &ours));
        Ok(Interruptible { stop: Some(theirs), watcher: Some(watcher) })
    }
}

/// While it lives, a signal ends the process with 128 + its number.
pub struct Interruptible {
    stop: Option<OwnedFd>,
    watcher: Option<JoinHandle<()>>,
}

impl Drop for Interruptible {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(watcher) = self.watcher.take() {
            let _ = watcher.join();
        }
    }
}

fn watch(descriptor: &OwnedFd, stop: &OwnedFd) {
    loop {
        let mut descriptors =
            [PollFd::new(stop.as_fd(), PollFlags::POLLIN), PollFd::new(descriptor.as_fd(), PollFlags::POLLIN)];
        match poll(&mut descriptors, PollTimeout::NONE) {
            Ok(_) => {}
            Err(nix::errno::Errno::EINTR) => continue,
            Err(_) => return,
        }
        if descriptors[0].revents().is_some_and(|events| !events.is_empty()) {
            return;
        }
        let mut information = [0u8; size_of::<nix::libc::signalfd_siginfo>()];
        let read = nix::unistd::read(descriptor, &mut information).unwrap_or(0);
        let number = u32::from_ne_bytes([information[0], information[1], information[2], information[3]]);
        if read == information.len() && number != Signal::SIGCHLD as u32 {
            std::process::exit(128 + number as i32);
        }
    }
}
