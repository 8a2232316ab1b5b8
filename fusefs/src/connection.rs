//! A mount and the descriptor behind it, apart from who serves it.
//!
//! Whoever mounts answers the kernel's greeting and keeps the descriptor; servers come and go. A server that takes over
//! finds the requests that wait, and those that a dead one had taken are handed out again ([`Connection::resend`]).
//! What must stay true: the kernel is greeted once, with what every server can do; inode numbers follow from content, so
//! that the next server knows what the kernel got from the last one.

use crate::adapter::{Adapter, Greeting};
use crate::counters::Counters;
use crate::error::{Error, Result};
use crate::session::{MountState, Mounted, Options, Unmounter, clear_stale, config, mount_state};
use crate::sys::replace_descriptor;
use crate::view_fs::ViewFs;
use fuser::{Session, SessionACL};
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use nix::unistd::write;
use omnipkg_store::Layout;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::sync::{Arc, OnceLock};

/// `FUSE_NOTIFY_RESEND`, Linux 6.9 and later: what was handed out and not answered is handed out again.
const NOTIFY_RESEND: i32 = 7;

/// A FUSE mount of a store's views.
#[derive(Debug)]
pub struct Connection {
    device: OwnedFd,
    mountpoint: PathBuf,
}

/// What the kernel wants at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demand {
    /// Nothing that no server has taken.
    None,
    /// Requests wait for a server to take them.
    Waiting,
    /// Nothing any more: the mount is gone and its last user too.
    Gone,
}

impl Connection {
    /// Mounts a store's views at its `mnt/`; requests wait until somebody serves.
    ///
    /// A dead mount that is in the way is cleared.
    ///
    /// # Errors
    /// [`Error::AlreadyMounted`] if another server is at work, [`Error::Mount`] if FUSE cannot be had.
    pub fn mount(layout: &Layout) -> Result<Self> {
        let path = layout.mnt();
        clear_stale(&path)?;
        if mount_state(&path)? == MountState::Serving {
            return Err(Error::AlreadyMounted(path));
        }
        let failed = |operation| move |source| Error::Mount { operation, path: layout.mnt(), source };
        let mountpoint = path.canonicalize().map_err(failed("find"))?;
        let session = Session::new(Greeting, &mountpoint, &config()).map_err(failed("mount"))?;
        let device = own_copy(session.as_fd()).map_err(failed("keep the device of"));
        // fuser's own handle would unmount when it is dropped. Costs a descriptor until the process ends.
        std::mem::forget(session);
        Ok(Self { device: device?, mountpoint })
    }

    /// A mount that another process made.
    pub fn adopt(device: OwnedFd, mountpoint: PathBuf) -> Self {
        Self { device, mountpoint }
    }

    /// The descriptor that the next process adopts.
    pub fn device(&self) -> BorrowedFd<'_> {
        self.device.as_fd()
    }

    /// Where the views are.
    pub fn mountpoint(&self) -> &Path {
        &self.mountpoint
    }

    /// Takes the mount down.
    pub fn unmounter(&self) -> Unmounter {
        Unmounter::new(self.mountpoint.clone())
    }

    /// What the kernel wants, without waiting.
    ///
    /// # Errors
    /// [`Error::Mount`] if poll(2) fails.
    pub fn demand(&self) -> Result<Demand> {
        let mut descriptors = [PollFd::new(self.device.as_fd(), PollFlags::POLLIN)];
        poll(&mut descriptors, PollTimeout::ZERO).map_err(|error| self.failed("poll")(error.into()))?;
        let events = descriptors[0].revents().unwrap_or(PollFlags::empty());
        Ok(if events.intersects(PollFlags::POLLERR | PollFlags::POLLHUP) {
            Demand::Gone
        } else if events.contains(PollFlags::POLLIN) {
            Demand::Waiting
        } else {
            Demand::None
        })
    }

    /// Has the kernel hand out again what a server took and did not answer; call it when that server is dead.
    ///
    /// # Errors
    /// [`Error::Mount`], with `EINVAL` as its source where the kernel cannot (before Linux 6.9).
    pub fn resend(&self) -> Result<()> {
        // struct fuse_out_header: length, code, and a unique of 0, which says that nobody asked
        let mut message = [0u8; 16];
        message[..4].copy_from_slice(&16u32.to_ne_bytes());
        message[4..8].copy_from_slice(&NOTIFY_RESEND.to_ne_bytes());
        write(&self.device, &message).map(drop).map_err(|error| self.failed("take over")(error.into()))
    }

    /// Answers the kernel's requests from threads of this process.
    ///
    /// # Errors
    /// [`Error::Mount`].
    pub fn serve(&self, layout: &Layout, options: Options, counters: Arc<Counters>) -> Result<Mounted> {
        let failed = |operation| self.failed(operation);
        let (sender, alive) = channel();
        let notifier = Arc::new(OnceLock::new());
        let fs = ViewFs::new(layout.clone(), options.bytecode_misses).telling(options.starts, options.imported);
        counters.server_begins(std::process::id());
        let adapter = Adapter::new(fs, Arc::clone(&counters), Arc::clone(&notifier), sender);
        let (_greeter, greeted) = greeting().map_err(failed("greet the server of"))?;
        let session = Session::from_fd(adapter, greeted, SessionACL::Owner, config()).map_err(failed("serve"))?;
        replace_descriptor(session.as_fd(), self.device.as_fd()).map_err(failed("serve"))?;
        // no request is read before the session is spawned, so none misses the notifier
        drop(notifier.set(session.notifier()));
        session.spawn().map_err(failed("serve"))?;
        Ok(Mounted::new(self.mountpoint.clone(), counters, alive))
    }

    fn failed(&self, operation: &'static str) -> impl FnOnce(io::Error) -> Error {
        let path = self.mountpoint.clone();
        move |source| Error::Mount { operation, path, source }
    }
}

/// A copy that is closed by exec, and the same of the original: `fusermount3` hands it over open.
fn own_copy(device: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    fcntl(device, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    device.try_clone_to_owned()
}

/// fuser serves only who greets it first. The kernel has greeted already, so a socket does, in the kernel's words;
/// the answer is read by nobody, since it was given when the store was mounted.
fn greeting() -> io::Result<(OwnedFd, OwnedFd)> {
    let (ours, theirs) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)?;
    // struct fuse_in_header and the first form of struct fuse_init_in
    const LENGTH: u32 = 40 + 16;
    const FUSE_INIT: u32 = 26;
    const VERSION: [u32; 2] = [7, 31];
    let mut message = Vec::with_capacity(LENGTH as usize);
    message.extend_from_slice(&LENGTH.to_ne_bytes());
    message.extend_from_slice(&FUSE_INIT.to_ne_bytes());
    message.extend_from_slice(&1u64.to_ne_bytes());
    message.resize(40, 0);
    VERSION.iter().for_each(|number| message.extend_from_slice(&number.to_ne_bytes()));
    message.resize(LENGTH as usize, 0);
    write(&ours, &message)?;
    Ok((ours, theirs))
}
