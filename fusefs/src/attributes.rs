//! Attributes of what is in a view: constant but for kind, size and the executable bit.

use crate::inode::Inode;
use std::time::{Duration, SystemTime};

/// The time of every file in a view, in seconds since 1970: 1980-01-01 00:00:00 UTC, the first that a
/// zip archive can hold. Bytecode is not checked against it, and nothing else may depend on it.
pub const FILE_TIME_SECONDS: u64 = 315_532_800;

/// The kinds of files that a view can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A directory.
    Directory,
    /// A regular file.
    File,
    /// A symbolic link.
    Symlink,
}

/// What `stat` shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attributes {
    /// The inode number.
    pub inode: Inode,
    /// What it is.
    pub kind: FileKind,
    /// Size in bytes; of a symlink, the length of its target.
    pub size: u64,
    /// True if a file may be executed.
    pub executable: bool,
}

impl Attributes {
    pub(crate) fn directory(inode: Inode) -> Self {
        Self { inode, kind: FileKind::Directory, size: 0, executable: true }
    }

    pub(crate) fn symlink(inode: Inode, size: u64) -> Self {
        Self { inode, kind: FileKind::Symlink, size, executable: true }
    }

    pub(crate) fn file(inode: Inode, size: u64, executable: bool) -> Self {
        Self { inode, kind: FileKind::File, size, executable }
    }

    /// Permission bits.
    pub fn permissions(&self) -> u16 {
        match self.kind {
            FileKind::Directory => 0o755,
            FileKind::File if self.executable => 0o755,
            FileKind::File => 0o644,
            FileKind::Symlink => 0o777,
        }
    }

    /// The number of links: the conventional 2 of a directory, else 1.
    pub fn links(&self) -> u32 {
        if self.kind == FileKind::Directory { 2 } else { 1 }
    }

    /// Size in blocks of 512 bytes.
    pub fn blocks(&self) -> u64 {
        self.size.div_ceil(512)
    }

    /// Every time of the file.
    pub fn time(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(FILE_TIME_SECONDS)
    }
}
