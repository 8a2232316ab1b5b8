//! Mounting and unmounting: one mount per store at its `mnt/`, served by two threads.
//!
//! The kernel is told `ro,nosuid,nodev,default_permissions`. Unmounting is done here and not by fuser,
//! whose own handle unmounts whatever is at the path when it is dropped: after a lazy unmount that would
//! be the mount of the next server. Mounting itself is [`crate::connection`]'s.

use crate::bytecode::BytecodeMiss;
use crate::connection::Connection;
use crate::counters::Counters;
use crate::error::{Error, Result};
use crate::imported::{FirstImport, Imported};
use crate::probe::find_fusermount;
use fuser::{Config, MountOption, SessionACL};
use nix::errno::Errno;
use nix::mount::{MntFlags, umount2};
use nix::sys::stat::minor;
use nix::sys::statfs::{FUSE_SUPER_MAGIC, statfs};
use omnipkg_store::Layout;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};

/// Enough that a slow disk read does not hold up a cached answer.
const THREADS: usize = 2;

/// Dead mounts can lie on top of each other; more than this is not cleared.
const MAX_STALE: usize = 16;

/// How to serve.
#[derive(Debug, Default)]
pub struct Options {
    /// Gets each bytecode file that an interpreter asks for and that is not known yet.
    pub bytecode_misses: Option<Sender<BytecodeMiss>>,
    /// Gets each view that a program imports a package in for the first time.
    pub starts: Option<Sender<FirstImport>>,
    /// Learns which packages are imported.
    pub imported: Arc<Imported>,
}

/// What is at a mount point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MountState {
    /// No FUSE mount.
    Absent,
    /// A mount whose server answers.
    Serving,
    /// A mount whose server is gone.
    Dead,
}

/// A mount that this process serves. Dropping it does not unmount: see [`Unmounter`].
pub struct Mounted {
    mountpoint: PathBuf,
    counters: Arc<Counters>,
    alive: Receiver<()>,
}

/// Takes a mount down; can be used from any thread.
#[derive(Debug, Clone)]
pub struct Unmounter {
    mountpoint: PathBuf,
}

/// Mounts a store's views at its `mnt/` and serves them from threads of this process.
///
/// The mount can be used when this returns. A dead mount that is in the way is cleared.
///
/// # Errors
/// As [`Connection::mount`] and [`Connection::serve`].
pub fn mount(layout: &Layout, options: Options) -> Result<Mounted> {
    let failed = |source| Error::Mount { operation: "count the requests of", path: layout.mnt(), source };
    let counters = Arc::new(Counters::create().map_err(failed)?);
    Connection::mount(layout)?.serve(layout, options, counters)
}

pub(crate) fn config() -> Config {
    let mut config = Config::default();
    config.mount_options = vec![
        MountOption::RO,
        MountOption::NoSuid,
        MountOption::NoDev,
        MountOption::DefaultPermissions,
        MountOption::FSName("omnipkg".to_owned()),
        // fuser's own `Subtype` does not reach the kernel by mount(2)
        MountOption::CUSTOM("subtype=omnipkg".to_owned()),
    ];
    config.acl = SessionACL::Owner;
    config.n_threads = Some(THREADS);
    config
}

impl Mounted {
    pub(crate) fn new(mountpoint: PathBuf, counters: Arc<Counters>, alive: Receiver<()>) -> Self {
        Self { mountpoint, counters, alive }
    }

    /// Where the views are.
    pub fn mountpoint(&self) -> &Path {
        &self.mountpoint
    }

    /// How many requests the kernel has made.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Takes the mount down from elsewhere, also while [`Mounted::wait`] blocks.
    pub fn unmounter(&self) -> Unmounter {
        Unmounter { mountpoint: self.mountpoint.clone() }
    }

    /// Blocks until the mount is gone and nobody uses its files any more.
    pub fn wait(&self) {
        // nothing is ever sent: this returns when the adapter is dropped
        let _disconnected = self.alive.recv();
    }
}

impl Unmounter {
    pub(crate) fn new(mountpoint: PathBuf) -> Self {
        Self { mountpoint }
    }

    /// Unmounts if nobody uses the mount.
    ///
    /// # Errors
    /// [`Error::Mount`], with `EBUSY` as its source if it is used.
    pub fn unmount(&self) -> Result<()> {
        unmount(&self.mountpoint, false)
    }

    /// Takes the mount out of sight at once; what is open stays readable until it is closed.
    ///
    /// # Errors
    /// [`Error::Mount`].
    pub fn detach(&self) -> Result<()> {
        unmount(&self.mountpoint, true)
    }

    /// Takes the mount away from everybody: whoever waits for an answer gets an error. For when nobody can answer.
    ///
    /// # Errors
    /// [`Error::Mount`].
    pub fn abort(&self) -> Result<()> {
        // both reach the connection also where the mount itself is in use; the first is for who may not unmount
        let switch =
            fs::metadata(&self.mountpoint).map(|root| format!("/sys/fs/fuse/connections/{}/abort", minor(root.dev())));
        let _ = switch.and_then(|switch| fs::write(switch, "1"));
        let _ = umount2(&self.mountpoint, MntFlags::MNT_FORCE);
        self.detach()
    }
}

/// True if a living server serves this mount point.
///
/// # Errors
/// As [`mount_state`].
pub fn is_mounted(path: &Path) -> Result<bool> {
    Ok(mount_state(path)? == MountState::Serving)
}

/// What is at a mount point. Asks the server: attributes would come from the kernel's cache.
///
/// # Errors
/// [`Error::Mount`] if the path cannot be looked at.
pub fn mount_state(path: &Path) -> Result<MountState> {
    let failed = |source| Error::Mount { operation: "look at", path: path.to_owned(), source };
    match statfs(path) {
        Ok(statistics) if statistics.filesystem_type() != FUSE_SUPER_MAGIC => Ok(MountState::Absent),
        // the store itself may be on FUSE: a mount point is another device than its parent
        Ok(_) if is_other_device(path).map_err(failed)? => Ok(MountState::Serving),
        Ok(_) | Err(Errno::ENOENT) => Ok(MountState::Absent),
        Err(Errno::ENOTCONN | Errno::ECONNABORTED) => Ok(MountState::Dead),
        Err(error) => Err(failed(error.into())),
    }
}

fn is_other_device(path: &Path) -> io::Result<bool> {
    let parent = path.parent().unwrap_or(path);
    Ok(fs::metadata(path)?.dev() != fs::metadata(parent)?.dev())
}

/// Detaches mounts whose server is gone; true if there was one.
///
/// # Errors
/// [`Error::Mount`] if one is there and cannot be detached.
pub fn clear_stale(path: &Path) -> Result<bool> {
    let mut cleared = false;
    for _ in 0..MAX_STALE {
        if mount_state(path)? != MountState::Dead {
            break;
        }
        unmount(path, true)?;
        cleared = true;
    }
    Ok(cleared)
}

/// By umount2(2), or by fusermount3 where that is not allowed.
fn unmount(path: &Path, lazily: bool) -> Result<()> {
    let failed = |source| Error::Mount { operation: "unmount", path: path.to_owned(), source };
    let flags = if lazily { MntFlags::MNT_DETACH } else { MntFlags::empty() };
    match umount2(path, flags) {
        Ok(()) => Ok(()),
        Err(Errno::EPERM) => fusermount(path, lazily).map_err(failed),
        Err(error) => Err(failed(error.into())),
    }
}

fn fusermount(path: &Path, lazily: bool) -> io::Result<()> {
    let program = find_fusermount().ok_or_else(|| io::Error::from(Errno::EPERM))?;
    let mode = if lazily { "-uz" } else { "-u" };
    let output = Command::new(program).arg(mode).arg("--").arg(path).stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    let kind = if message.contains("busy") { io::ErrorKind::ResourceBusy } else { io::ErrorKind::Other };
    Err(io::Error::new(kind, message))
}
