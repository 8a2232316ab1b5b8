//! What can go wrong while answering for a view or mounting one.

use crate::inode::Inode;
use omnipkg_store::Digest;
use std::io;
use std::path::PathBuf;

/// An error of the filesystem or of its mount.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No object or view of the store has this inode number (any more).
    #[error("nothing has the inode number {0}")]
    Unknown(Inode),
    /// The operation needs a directory.
    #[error("inode {0} is not a directory")]
    NotDirectory(Inode),
    /// The operation needs a file and this is a directory.
    #[error("inode {0} is a directory")]
    IsDirectory(Inode),
    /// The operation needs a symbolic link or a regular file.
    #[error("inode {0} is of the wrong kind")]
    WrongKind(Inode),
    /// No file can have such a long name.
    #[error("a name of {0} bytes is too long")]
    NameTooLong(usize),
    /// Views cannot be changed.
    #[error("views are read-only")]
    ReadOnly,
    /// The file's mode does not allow the access.
    #[error("access to inode {0} is not allowed by its mode")]
    AccessDenied(Inode),
    /// Two contents or views have the same inode number; neither is served by it.
    #[error("inode number {inode} stands for both {first} and {second}")]
    Clash {
        /// The number.
        inode: Inode,
        /// What it stood for first.
        first: String,
        /// What it would stand for as well.
        second: String,
    },
    /// An object is shorter than its manifest says.
    #[error("object {digest} ends at byte {end} and should have {size}")]
    ShortObject {
        /// The object.
        digest: Digest,
        /// Where it ends.
        end: u64,
        /// Its size according to the manifest.
        size: u64,
    },
    /// An object cannot be read.
    #[error("cannot read object {digest}")]
    Object {
        /// The object.
        digest: Digest,
        /// The system's answer.
        source: io::Error,
    },
    /// The store answered with an error.
    #[error(transparent)]
    Store(#[from] omnipkg_store::Error),
    /// The store cannot be mounted here.
    #[error("cannot {operation} {}", path.display())]
    Mount {
        /// What was tried, as a verb.
        operation: &'static str,
        /// The mount point.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// A server serves this mount point already.
    #[error("{} is mounted already", .0.display())]
    AlreadyMounted(PathBuf),
}

/// The filesystem's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;
