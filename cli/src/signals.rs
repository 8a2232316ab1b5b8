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
        // Not SIGCHLD: that a program which waits to be healed has ended is for whoever runs it to see.
        let set = PASSED_ON.iter().copied().collect::<SigSet>();
        let descriptor = SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK);
        let descriptor = descriptor.context("cannot open a signal descriptor")?;
        let (ours, theirs) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC).context("cannot make a pipe")?;
        // Nobody waits for its end, which would be a good part of a short run.
        std::thread::spawn(move || watch(&descriptor, &ours));
        Ok(Interruptible { _stop: theirs })
    }
}

/// While it lives, a signal ends the process with 128 + its number.
pub struct Interruptible {
    /// Closed when it is dropped, which the watcher sees.
    _stop: OwnedFd,
}

fn watch(descriptor: &SignalFd, stop: &OwnedFd) {
    loop {
        let mut descriptors =
            [PollFd::new(stop.as_fd(), PollFlags::POLLIN), PollFd::new(descriptor.as_fd(), PollFlags::POLLIN)];
        match poll(&mut descriptors, PollTimeout::NONE) {
            Ok(_) => {}
            Err(nix::errno::Errno::EINTR) => continue,
            Err(_) => return,
        }
        // Looked at once more, after the signal was seen: one that came later than the end is not this thread's.
        let mut ended = [PollFd::new(stop.as_fd(), PollFlags::POLLIN)];
        if poll(&mut ended, PollTimeout::ZERO) != Ok(0) {
            return;
        }
        if let Ok(Some(information)) = descriptor.read_signal() {
            std::process::exit(128 + information.ssi_signo as i32);
        }
    }
}
