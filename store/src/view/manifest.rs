//! The view manifest: one flat, sorted, memory-mapped table that describes a whole view.
//!
//! All numbers are little-endian; nothing is aligned and nothing is parsed when a manifest is opened.
//!
//! ```text
//! header   64 bytes: magic[8] version:u32 nodes:u32 digests:u32 names:u32 checksum[32] grafts:u32 places:u32
//! nodes    24 bytes each: name offset:u32, name length:u16, kind:u8, executable:u8, parent:u32,
//!          first:u32, extent:u64
//!            directory  first child, number of children
//!            file       index of its digest, size in bytes
//!            symlink    offset of its target among the names, length of the target
//!            graft      number of a wheel, node of it: a directory that is one of the wheel's
//! digests  32 bytes each, one a file, in the order of the nodes
//! names    bytes of targets and names, in the order of the nodes
//! grafts   72 bytes each, one a wheel: sha256[32], checksum of its table[32], nodes:u32, places:u32
//! places   8 bytes each, of one wheel after the other: node of the wheel:u32, node that stands for it:u32; sorted
//! ```
//!
//! Version 1 has no grafts and stands alone. A large wheel's directories are not copied into every view that has it: they
//! are referred to ([`crate::wheel::WheelTree`]), so that a view takes what its own directories take, in bytes and in time.
//! The nodes of such wheels have the numbers behind the view's own, one wheel after the other; as a wheel's table follows
//! from its manifest, and the checksum sees to it, these never change either.
//!
//! What must stay true: node 0 is the root; the children of a directory are contiguous, come after it
//! and are sorted by the bytes of their names (no two alike); the same tree gives the same bytes. The
//! checksum is blake3 over everything but itself; what is referred to refers to nothing. Every read is
//! bounds-checked: a damaged manifest is [`crate::Error::Damaged`], never a panic and never an endless walk.

mod builder;
mod bytes;
mod compose;
mod graft;
#[cfg(test)]
mod graft_tests;
mod reader;
mod table;
#[cfg(test)]
mod tests;
mod walk;
mod writer;

pub use builder::ManifestBuilder;
pub(crate) use bytes::FileBytes;
pub use compose::{Composition, Overlap};
pub use reader::ViewManifest;
pub use walk::{Walk, WalkEntry};
pub use writer::Encoded;

use crate::digest::Digest;
use std::path::Path;

const MAGIC: &[u8; 8] = b"OMNIVIEW";
const VERSION_ALONE: u32 = 1;
const VERSION_GRAFTED: u32 = 2;
const HEADER_SIZE: usize = 64;
const CHECKSUM: std::ops::Range<usize> = 24..56;
const NODE_SIZE: usize = 24;
const DIGEST_SIZE: usize = 32;
const GRAFT_SIZE: usize = 72;
const PLACE_SIZE: usize = 8;

const KIND_DIRECTORY: u8 = 0;
const KIND_FILE: u8 = 1;
const KIND_SYMLINK: u8 = 2;
const KIND_GRAFT: u8 = 3;

/// A manifest has fewer nodes than this: inode numbers have 22 bits for a node and keep one of them
/// for directories that the server makes up.
pub const MAX_NODES: u32 = 1 << 21;

/// The longest name of a file, in bytes.
pub const MAX_NAME: usize = 255;

/// A node's place in its manifest's table; 0 is the root directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeIndex(pub u32);

impl NodeIndex {
    /// The root directory of every manifest.
    pub const ROOT: NodeIndex = NodeIndex(0);
}

/// One file, directory or symlink of a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node<'manifest> {
    /// Its own index.
    pub index: NodeIndex,
    /// The directory that holds it; the root is its own parent.
    pub parent: NodeIndex,
    /// Its name; empty for the root.
    pub name: &'manifest [u8],
    /// What it is.
    pub kind: NodeKind<'manifest>,
}

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeKind<'manifest> {
    /// A directory.
    Directory,
    /// A regular file: the bytes of one object.
    File {
        /// The object.
        digest: Digest,
        /// Its size in bytes.
        size: u64,
        /// True if it may be executed.
        executable: bool,
    },
    /// A symbolic link.
    Symlink {
        /// Where it points, as given to the builder.
        target: &'manifest Path,
    },
}
