//! The kernel's side: turns FUSE requests into questions to [`ViewFs`].
//!
//! Everything is answered so that the kernel need not ask again: times to live of a year, misses as
//! entries with inode 0, `ENOSYS` to open and opendir (the kernel then opens by itself and keeps pages
//! and listings), symlinks cached. What would change something is refused with `EROFS`.

use crate::attributes::{Attributes, FileKind};
use crate::counters::{Counters, Request as Kind};
use crate::errno::{errno, is_damage};
use crate::error::Error;
use crate::inode::Inode;
use crate::view_fs::{AccessMode, Lookup, ViewFs};
use fuser::{
    AccessFlags, BsdFileFlags, CopyFileRangeFlags, Errno, FileAttr, FileHandle, FileType, Filesystem, Generation,
    INodeNo, InitFlags, IoctlFlags, KernelConfig, LockOwner, Notifier, OpenFlags, PollEvents, PollFlags, PollNotifier,
    RenameFlags, ReplyAttr, ReplyBmap, ReplyCreate, ReplyData, ReplyDirectory, ReplyDirectoryPlus, ReplyEmpty,
    ReplyEntry, ReplyIoctl, ReplyLseek, ReplyOpen, ReplyPoll, ReplyStatfs, ReplyWrite, ReplyXattr, Request, TimeOrNow,
    WriteFlags,
};
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::mpsc::Sender;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

/// How long the kernel may keep what never changes.
const FOREVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);

const GENERATION: Generation = Generation(0);

/// Requests of the kernel's own accord (reading ahead) that may wait at the same time.
const MAX_BACKGROUND: u16 = 64;

/// What the kernel is asked to do, each only if it can.
const CAPABILITIES: [InitFlags; 6] = [
    InitFlags::FUSE_DO_READDIRPLUS,
    InitFlags::FUSE_READDIRPLUS_AUTO,
    InitFlags::FUSE_CACHE_SYMLINKS,
    InitFlags::FUSE_PARALLEL_DIROPS,
    InitFlags::FUSE_NO_OPEN_SUPPORT,
    InitFlags::FUSE_NO_OPENDIR_SUPPORT,
];

/// Answers the kernel's first question and nothing else: whoever mounts does this, whoever serves comes later.
pub(crate) struct Greeting;

impl Filesystem for Greeting {
    fn init(&mut self, _: &Request, config: &mut KernelConfig) -> io::Result<()> {
        negotiate(config)
    }
}

fn negotiate(config: &mut KernelConfig) -> io::Result<()> {
    for capability in CAPABILITIES {
        // an older kernel asks more often, and gets the same answers
        let _unsupported = config.add_capabilities(capability);
    }
    config.set_max_background(MAX_BACKGROUND).map(drop).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))
}

/// Serves a [`ViewFs`] to the kernel.
pub(crate) struct Adapter {
    fs: ViewFs,
    counters: Arc<Counters>,
    /// Known once the mount stands.
    notifier: Arc<OnceLock<Notifier>>,
    owner: (u32, u32),
    /// Dropped with the adapter, which is how others learn that the mount is gone.
    _alive: Sender<()>,
}

impl Adapter {
    pub(crate) fn new(
        fs: ViewFs,
        counters: Arc<Counters>,
        notifier: Arc<OnceLock<Notifier>>,
        alive: Sender<()>,
    ) -> Self {
        let owner = (nix::unistd::geteuid().as_raw(), nix::unistd::getegid().as_raw());
        Self { fs, counters, notifier, owner, _alive: alive }
    }

    fn file_attr(&self, attributes: &Attributes) -> FileAttr {
        let time = attributes.time();
        FileAttr {
            ino: INodeNo(attributes.inode.0),
            size: attributes.size,
            blocks: attributes.blocks(),
            atime: time,
            mtime: time,
            ctime: time,
            crtime: time,
            kind: file_type(attributes.kind),
            perm: attributes.permissions(),
            nlink: attributes.links(),
            uid: self.owner.0,
            gid: self.owner.1,
            rdev: 0,
            blksize: 4096,
            flags: 0,
        }
    }

    /// A miss that the kernel may keep: an entry without an inode.
    fn never(&self) -> FileAttr {
        FileAttr { ino: INodeNo(0), ..self.file_attr(&Attributes::file(Inode(0), 0, false)) }
    }

    fn refuse_change(&self) -> Errno {
        drop(self.counters.begin(Kind::Mutation));
        refuse("change", &Error::ReadOnly)
    }

    /// `ENOSYS`: the kernel answers this kind of request by itself from now on.
    fn leave_to_kernel(&self, kind: Kind) -> Errno {
        drop(self.counters.begin(kind));
        Errno::ENOSYS
    }

    /// With no-opendir the kernel keeps every listing that was read to its end; the few that may change
    /// are taken back before it learns that this is the end, so that no reader can see them again.
    fn end_listing(&self, inode: Inode) {
        let Some(notifier) = self.notifier.get().filter(|_| ViewFs::is_listing_volatile(inode)) else { return };
        if let Err(error) = notifier.inval_inode(INodeNo(inode.0), 0, 0) {
            tracing::debug!(%inode, %error, "cannot drop a listing from the kernel's cache");
        }
    }
}

fn file_type(kind: FileKind) -> FileType {
    match kind {
        FileKind::Directory => FileType::Directory,
        FileKind::File => FileType::RegularFile,
        FileKind::Symlink => FileType::Symlink,
    }
}

/// The error number; damage is logged, because the asking process only learns `EIO`.
fn refuse(operation: &'static str, error: &Error) -> Errno {
    if is_damage(error) {
        let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
        tracing::error!(operation, %error, cause, "a request failed");
    }
    Errno::from_i32(errno(error) as i32)
}

impl Filesystem for Adapter {
    fn init(&mut self, _: &Request, config: &mut KernelConfig) -> io::Result<()> {
        negotiate(config)
    }

    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let _in_flight = self.counters.begin(Kind::Lookup);
        match self.fs.lookup(Inode(parent.0), name) {
            Ok(Lookup::Found(attributes)) => reply.entry(&FOREVER, &self.file_attr(&attributes), GENERATION),
            Ok(Lookup::Missing { cacheable: true }) => reply.entry(&FOREVER, &self.never(), GENERATION),
            Ok(Lookup::Missing { cacheable: false }) => reply.error(Errno::ENOENT),
            Err(error) => reply.error(refuse("lookup", &error)),
        }
    }

    fn forget(&self, _: &Request, inode: INodeNo, count: u64) {
        let _in_flight = self.counters.begin(Kind::Forget);
        self.fs.forget(Inode(inode.0), count);
    }

    fn getattr(&self, _: &Request, inode: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        let _in_flight = self.counters.begin(Kind::Getattr);
        match self.fs.getattr(Inode(inode.0)) {
            Ok(attributes) => reply.attr(&FOREVER, &self.file_attr(&attributes)),
            Err(error) => reply.error(refuse("getattr", &error)),
        }
    }

    fn readlink(&self, _: &Request, inode: INodeNo, reply: ReplyData) {
        let _in_flight = self.counters.begin(Kind::Readlink);
        match self.fs.readlink(Inode(inode.0)) {
            Ok(target) => reply.data(target.as_bytes()),
            Err(error) => reply.error(refuse("readlink", &error)),
        }
    }

    fn open(&self, _: &Request, _: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        reply.error(self.leave_to_kernel(Kind::Open));
    }

    fn read(
        &self,
        _: &Request,
        inode: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let _in_flight = self.counters.begin(Kind::Read);
        match self.fs.read(Inode(inode.0), offset, size) {
            Ok(bytes) => reply.data(&bytes),
            Err(error) => reply.error(refuse("read", &error)),
        }
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.error(self.leave_to_kernel(Kind::Flush));
    }

    fn fsync(&self, _: &Request, _: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        reply.error(self.leave_to_kernel(Kind::Other));
    }

    fn fsyncdir(&self, _: &Request, _: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        reply.error(self.leave_to_kernel(Kind::Other));
    }

    fn opendir(&self, _: &Request, _: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        reply.error(self.leave_to_kernel(Kind::Opendir));
    }

    fn readdir(&self, _: &Request, inode: INodeNo, _: FileHandle, offset: u64, mut reply: ReplyDirectory) {
        let _in_flight = self.counters.begin(Kind::Readdir);
        let inode = Inode(inode.0);
        let mut at_end = true;
        let listed = self.fs.readdir(inode, offset, &mut |entry| {
            at_end = false;
            let (attributes, next) = (entry.attributes, entry.next_offset);
            Ok(!reply.add(INodeNo(attributes.inode.0), next, file_type(attributes.kind), entry.name))
        });
        if at_end {
            self.end_listing(inode);
        }
        match listed {
            Ok(()) => reply.ok(),
            Err(error) => reply.error(refuse("readdir", &error)),
        }
    }

    fn readdirplus(&self, _: &Request, inode: INodeNo, _: FileHandle, offset: u64, mut reply: ReplyDirectoryPlus) {
        let _in_flight = self.counters.begin(Kind::Readdirplus);
        let inode = Inode(inode.0);
        let mut at_end = true;
        let listed = self.fs.readdir(inode, offset, &mut |entry| {
            at_end = false;
            let attr = self.file_attr(&entry.attributes);
            self.fs.retain(&entry)?;
            let full = reply.add(attr.ino, entry.next_offset, entry.name, &FOREVER, &attr, GENERATION);
            if full {
                self.fs.release(&entry);
            }
            Ok(!full)
        });
        if at_end {
            self.end_listing(inode);
        }
        match listed {
            Ok(()) => reply.ok(),
            Err(error) => reply.error(refuse("readdirplus", &error)),
        }
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        let _in_flight = self.counters.begin(Kind::Statfs);
        let statistics = self.fs.statfs();
        reply.statfs(0, 0, 0, 0, 0, statistics.block_size, statistics.name_length, statistics.block_size);
    }

    fn access(&self, _: &Request, inode: INodeNo, mask: AccessFlags, reply: ReplyEmpty) {
        let _in_flight = self.counters.begin(Kind::Access);
        let mode = AccessMode { write: mask.contains(AccessFlags::W_OK), execute: mask.contains(AccessFlags::X_OK) };
        match self.fs.access(Inode(inode.0), mode) {
            Ok(()) => reply.ok(),
            Err(error) => reply.error(refuse("access", &error)),
        }
    }

    fn getxattr(&self, _: &Request, _: INodeNo, _: &OsStr, _: u32, reply: ReplyXattr) {
        reply.error(self.leave_to_kernel(Kind::Xattr));
    }

    fn listxattr(&self, _: &Request, _: INodeNo, _: u32, reply: ReplyXattr) {
        reply.error(self.leave_to_kernel(Kind::Xattr));
    }

    /// CPython asks every file that it opens whether it is a terminal.
    fn ioctl(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        _: IoctlFlags,
        _: u32,
        _: &[u8],
        _: u32,
        reply: ReplyIoctl,
    ) {
        let _in_flight = self.counters.begin(Kind::Ioctl);
        reply.error(Errno::ENOTTY);
    }

    fn bmap(&self, _: &Request, _: INodeNo, _: u32, _: u64, reply: ReplyBmap) {
        reply.error(self.leave_to_kernel(Kind::Other));
    }

    fn lseek(&self, _: &Request, _: INodeNo, _: FileHandle, _: i64, _: i32, reply: ReplyLseek) {
        reply.error(self.leave_to_kernel(Kind::Other));
    }

    fn poll(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        _: PollNotifier,
        _: PollEvents,
        _: PollFlags,
        reply: ReplyPoll,
    ) {
        reply.error(self.leave_to_kernel(Kind::Other));
    }

    // What follows would change something. The mount is read-only, so the kernel does not even ask.

    fn setattr(
        &self,
        _: &Request,
        _: INodeNo,
        _: Option<u32>,
        _: Option<u32>,
        _: Option<u32>,
        _: Option<u64>,
        _: Option<TimeOrNow>,
        _: Option<TimeOrNow>,
        _: Option<SystemTime>,
        _: Option<FileHandle>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        reply.error(self.refuse_change());
    }

    fn mknod(&self, _: &Request, _: INodeNo, _: &OsStr, _: u32, _: u32, _: u32, reply: ReplyEntry) {
        reply.error(self.refuse_change());
    }

    fn mkdir(&self, _: &Request, _: INodeNo, _: &OsStr, _: u32, _: u32, reply: ReplyEntry) {
        reply.error(self.refuse_change());
    }

    fn unlink(&self, _: &Request, _: INodeNo, _: &OsStr, reply: ReplyEmpty) {
        reply.error(self.refuse_change());
    }

    fn rmdir(&self, _: &Request, _: INodeNo, _: &OsStr, reply: ReplyEmpty) {
        reply.error(self.refuse_change());
    }

    fn symlink(&self, _: &Request, _: INodeNo, _: &OsStr, _: &Path, reply: ReplyEntry) {
        reply.error(self.refuse_change());
    }

    fn rename(&self, _: &Request, _: INodeNo, _: &OsStr, _: INodeNo, _: &OsStr, _: RenameFlags, reply: ReplyEmpty) {
        reply.error(self.refuse_change());
    }

    fn link(&self, _: &Request, _: INodeNo, _: INodeNo, _: &OsStr, reply: ReplyEntry) {
        reply.error(self.refuse_change());
    }

    fn write(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        _: u64,
        _: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        reply.error(self.refuse_change());
    }

    fn create(&self, _: &Request, _: INodeNo, _: &OsStr, _: u32, _: u32, _: i32, reply: ReplyCreate) {
        reply.error(self.refuse_change());
    }

    fn fallocate(&self, _: &Request, _: INodeNo, _: FileHandle, _: u64, _: u64, _: i32, reply: ReplyEmpty) {
        reply.error(self.refuse_change());
    }

    fn setxattr(&self, _: &Request, _: INodeNo, _: &OsStr, _: &[u8], _: i32, _: u32, reply: ReplyEmpty) {
        reply.error(self.refuse_change());
    }

    fn removexattr(&self, _: &Request, _: INodeNo, _: &OsStr, reply: ReplyEmpty) {
        reply.error(self.refuse_change());
    }

    fn copy_file_range(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        _: u64,
        _: INodeNo,
        _: FileHandle,
        _: u64,
        _: u64,
        _: CopyFileRangeFlags,
        reply: ReplyWrite,
    ) {
        reply.error(self.refuse_change());
    }
}
