//! Views as a filesystem: one FUSE mount per store, every view a directory of it.
//!
//! [`ViewFs`] answers every question about files from view manifests and objects and knows nothing of
//! FUSE; `adapter` speaks to the kernel, [`session`] mounts. What must stay true:
//!
//! * nothing can be changed through the mount, and what was answered once stays the answer: the kernel
//!   may keep entries, attributes, misses and pages for a year;
//! * two exceptions: a name that is missing at the root, and bytecode that is missing. Both may appear
//!   at any time, so neither miss is ever cached;
//! * inode numbers follow from content alone ([`inode`]), so a new server goes on where another ended.

mod adapter;
pub mod attributes;
pub mod bytecode;
pub mod connection;
pub mod counters;
pub mod errno;
pub mod error;
mod folders;
pub mod imported;
pub mod inode;
mod objects;
pub mod probe;
pub mod session;
mod sys;
mod tables;
pub mod view_fs;

pub use attributes::{Attributes, FILE_TIME_SECONDS, FileKind};
pub use bytecode::BytecodeMiss;
pub use connection::{Connection, Demand};
pub use counters::Counters;
pub use error::{Error, Result};
pub use imported::{FirstImport, Imported, ImportedPackage};
pub use inode::Inode;
pub use probe::{Rung, Unavailable, find_fusermount, may_mount, probe};
pub use session::{MountState, Mounted, Options, Unmounter, clear_stale, is_mounted, mount, mount_state};
pub use view_fs::{AccessMode, DirectoryEntry, Lookup, Statistics, ViewFs};
