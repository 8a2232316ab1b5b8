//! Descriptors that holder and server hand each other across exec, by their numbers on the command line.

use super::sys::inherited;
use anyhow::{Context, Result};
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};

/// Numbers of descriptors that this process was started with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::Args)]
pub struct Handed {
    /// The FUSE device
    #[arg(long)]
    device: RawFd,
    /// The memory of the counters
    #[arg(long)]
    counters: RawFd,
    /// The locked file of the server
    #[arg(long)]
    lock: RawFd,
    /// The socket to the holder
    #[arg(long)]
    control: Option<RawFd>,
}

/// In the order of [`Handed::arguments`].
const NAMES: [&str; 4] = ["--device", "--counters", "--lock", "--control"];

impl Handed {
    /// The command line that hands descriptors to a hidden verb of `server`.
    pub fn arguments(verb: &str, descriptors: &[BorrowedFd<'_>]) -> Vec<String> {
        let numbers = NAMES.iter().zip(descriptors);
        let pairs = numbers.flat_map(|(name, descriptor)| [(*name).to_owned(), descriptor.as_raw_fd().to_string()]);
        ["server".to_owned(), verb.to_owned()].into_iter().chain(pairs).collect()
    }

    /// The FUSE device.
    pub fn take_device(&self) -> Result<OwnedFd> {
        inherited(self.device)
    }

    /// The memory of the counters.
    pub fn take_counters(&self) -> Result<OwnedFd> {
        inherited(self.counters)
    }

    /// The locked file.
    pub fn take_lock(&self) -> Result<OwnedFd> {
        inherited(self.lock)
    }

    /// The socket to the holder.
    pub fn take_control(&self) -> Result<OwnedFd> {
        inherited(self.control.context("there is no --control")?)
    }
}

/// Does something while exec leaves these descriptors open.
pub fn with_open<T>(descriptors: &[BorrowedFd<'_>], act: impl FnOnce() -> T) -> Result<T> {
    let set =
        |flags| descriptors.iter().try_for_each(|descriptor| fcntl(*descriptor, FcntlArg::F_SETFD(flags)).map(drop));
    set(FdFlag::empty()).context("cannot hand descriptors over")?;
    let result = act();
    set(FdFlag::FD_CLOEXEC).context("cannot keep descriptors")?;
    Ok(result)
}
