//! The one place in the server with `unsafe`: descriptors that the parent process handed over by number, and priority.

use anyhow::{Context, Result, ensure};
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// Takes a descriptor over that this process was started with; from now on exec closes it.
#[allow(unsafe_code)]
pub fn inherited(number: RawFd) -> Result<OwnedFd> {
    ensure!(number > 2, "descriptor {number} is none that was handed over");
    // SAFETY: a number that is not open is refused by fcntl before anything owns it.
    let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
    fcntl(borrowed, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))
        .with_context(|| format!("descriptor {number} is not open"))?;
    // SAFETY: it is open, and was opened for this process to own: the hidden verbs that name it are started by nobody
    // but the holder and the server, once for each descriptor.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Lets everybody else go first. Best effort.
#[allow(unsafe_code)]
pub fn lowest_priority() {
    // SAFETY: it takes numbers only.
    let _refused = unsafe { nix::libc::setpriority(nix::libc::PRIO_PROCESS, 0, 19) };
}
