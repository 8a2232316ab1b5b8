//! Inode numbers: they follow from content, so they are the same in every view and after a restart.
//!
//! ```text
//! root                   1
//! regular file           0 | first 62 bits of the digest | executable
//! directory or symlink   1 | first 41 bits of the view id | 0 | 21 bits node index
//! made-up __pycache__    1 | first 41 bits of the view id | 1 | 21 bits node index of its parent
//! ```
//!
//! A file has one number in all views, so its pages are cached once. Directories are never shared.
//! The truncation can clash: whoever hands out a number checks what else it stands for.

use omnipkg_store::view::manifest::{MAX_NODES, NodeIndex};
use omnipkg_store::{Digest, ViewId};
use std::fmt;

const NODE_BIT: u64 = 1 << 63;
const VIEW_SHIFT: u32 = 22;
const BYTECODE_BIT: u64 = MAX_NODES as u64;
const _: () = assert!(BYTECODE_BIT == 1 << (VIEW_SHIFT - 1), "node indexes must fit below the bytecode bit");

/// An inode number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Inode(pub u64);

/// The first 41 bits of a view id: what inode numbers know of a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ViewPrefix(u64);

/// What an inode number stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InodeKind {
    /// The directory of all views.
    Root,
    /// A regular file; see [`Inode::is_file_of`].
    File {
        /// True if its mode has the executable bits.
        executable: bool,
    },
    /// A directory or symlink of a view.
    Node {
        /// The view.
        view: ViewPrefix,
        /// Its node.
        node: NodeIndex,
    },
    /// The directory of bytecode that is made up in a directory of a view.
    Bytecode {
        /// The view.
        view: ViewPrefix,
        /// The directory that holds it.
        parent: NodeIndex,
    },
}

impl Inode {
    /// The directory of all views.
    pub const ROOT: Inode = Inode(1);

    /// A regular file.
    pub fn file(digest: &Digest, executable: bool) -> Self {
        // 0 and 1 are taken; a digest of 62 zero bits shares the next number and clashes are noticed
        let prefix = (leading_bits(digest.as_bytes()) >> 2).max(1);
        Self(prefix << 1 | u64::from(executable))
    }

    /// A directory or symlink of a view.
    pub fn node(view: ViewPrefix, node: NodeIndex) -> Self {
        Self(NODE_BIT | view.0 << VIEW_SHIFT | u64::from(node.0 & (MAX_NODES - 1)))
    }

    /// The made-up `__pycache__` of a directory of a view.
    pub fn bytecode(view: ViewPrefix, parent: NodeIndex) -> Self {
        Self(Self::node(view, parent).0 | BYTECODE_BIT)
    }

    /// What the number stands for.
    pub fn kind(self) -> InodeKind {
        if self == Self::ROOT {
            return InodeKind::Root;
        }
        if self.0 & NODE_BIT == 0 {
            return InodeKind::File { executable: self.0 & 1 == 1 };
        }
        let view = ViewPrefix((self.0 & !NODE_BIT) >> VIEW_SHIFT);
        // 21 bits
        let node = NodeIndex((self.0 & (BYTECODE_BIT - 1)) as u32);
        if self.0 & BYTECODE_BIT == 0 {
            InodeKind::Node { view, node }
        } else {
            InodeKind::Bytecode { view, parent: node }
        }
    }

    /// True if this number is the one of a file with this content.
    pub fn is_file_of(self, digest: &Digest) -> bool {
        matches!(self.kind(), InodeKind::File { executable } if Self::file(digest, executable) == self)
    }

    /// The first byte that the digest of such a file may have, as its folder in `objects/` is named.
    pub fn object_folder(self) -> String {
        format!("{:02x}", (self.0 >> 55) as u8)
    }
}

impl ViewPrefix {
    /// The part of a view id that inode numbers hold.
    pub fn of(id: &ViewId) -> Self {
        Self(leading_bits(id.as_bytes()) >> 23)
    }

    /// As a number; views sorted by id are sorted by it too.
    pub fn value(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Inode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#018x}", self.0)
    }
}

/// The first 64 bits.
fn leading_bits<const N: usize>(bytes: &[u8; N]) -> u64 {
    bytes.iter().take(8).fold(0, |bits, byte| bits << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_kinds_are_each_others_inverse() {
        let digest = Digest::of(b"content");
        let view = ViewPrefix::of(&ViewId::from_digest(&digest));
        for executable in [false, true] {
            let inode = Inode::file(&digest, executable);
            assert_eq!(inode.kind(), InodeKind::File { executable });
            assert!(inode.is_file_of(&digest));
            assert!(!inode.is_file_of(&Digest::of(b"other")));
        }
        for node in [NodeIndex(0), NodeIndex(7), NodeIndex(MAX_NODES - 1)] {
            assert_eq!(Inode::node(view, node).kind(), InodeKind::Node { view, node });
            assert_eq!(Inode::bytecode(view, node).kind(), InodeKind::Bytecode { view, parent: node });
            assert!(!Inode::node(view, node).is_file_of(&digest));
        }
        assert_eq!(Inode::ROOT.kind(), InodeKind::Root);
    }

    #[test]
    fn the_numbers_of_the_layout_in_the_header() {
        let mut bytes = [0u8; 32];
        assert_eq!(Inode::file(&Digest::from_bytes(bytes), false), Inode(2), "0 and 1 are never a file");
        bytes[..8].copy_from_slice(&0xfedc_ba98_7654_3213u64.to_be_bytes());
        let digest = Digest::from_bytes(bytes);
        assert_eq!(Inode::file(&digest, true), Inode((0xfedc_ba98_7654_3213 >> 2) << 1 | 1));
        assert_eq!(Inode::file(&digest, true).object_folder(), "fe");
        let view = ViewPrefix::of(&ViewId::from_digest(&digest));
        let expected = 1 << 63 | (0xfedc_ba98_7654_3213u64 >> 23) << 22 | 5;
        assert_eq!(Inode::node(view, NodeIndex(5)), Inode(expected));
        assert_eq!(Inode::bytecode(view, NodeIndex(5)), Inode(expected | 1 << 21));
    }

    #[test]
    fn the_folder_is_found_for_every_first_byte() {
        for first in 0..=255u8 {
            let mut bytes = *Digest::of(&[first]).as_bytes();
            bytes[0] = first;
            let digest = Digest::from_bytes(bytes);
            assert_eq!(Inode::file(&digest, false).object_folder(), digest.to_hex()[..2]);
        }
    }
}
