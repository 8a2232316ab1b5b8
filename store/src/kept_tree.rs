//! Trees that views are put together from, kept in `cache/trees/` and made again when lost.
//!
//! ```text
//! magic[8]  stamp[32]        of what it was made
//! length:u32  head           what else is kept of it
//! tree                       a view manifest
//! checksum[32]               blake3 of everything before it
//! ```
//!
//! What must stay true: one is kept only once all objects that it names are in the store, and whatever removes objects
//! removes these first.

use crate::digest::Digest;
use crate::error::{Error, IoContext, Result};
use crate::publish;
use crate::view::manifest::{FileBytes, ViewManifest};
use std::fs::File;
use std::ops::Range;
use std::path::Path;

const MAGIC: &[u8; 8] = b"OMNITRE3";
const CHECKSUM: usize = 32;
const HEADER: usize = 8 + STAMP + 4;

/// Bytes of a stamp.
pub const STAMP: usize = 32;

/// A tree that was kept, found to be whole.
pub struct KeptTree {
    bytes: FileBytes,
    head: Range<usize>,
    tree: Range<usize>,
}

impl KeptTree {
    /// One that bears this stamp.
    pub fn read(path: &Path, stamp: &[u8; STAMP]) -> Result<Self> {
        let file = File::open(path).at("open tree", path)?;
        let metadata = file.metadata().at("look at", path)?;
        let known = publish::is_certainly_whole(&metadata);
        let bytes = FileBytes::of(&file, metadata.len()).at("map tree", path)?;
        let parts = || {
            let end = bytes.len().checked_sub(CHECKSUM)?;
            let (content, checksum) = bytes.split_at_checked(end)?;
            let fits = content.strip_prefix(MAGIC)?.starts_with(stamp);
            let whole = fits && (known || Digest::of(content).as_bytes() == checksum);
            let head = u32::from_le_bytes(content.get(HEADER - 4..HEADER)?.try_into().ok()?) as usize;
            let start = HEADER.checked_add(head).filter(|start| *start <= end)?;
            whole.then_some((HEADER..start, start..end))
        };
        let (head, tree) = parts().ok_or_else(|| damaged(path, "it is not whole, or of something else"))?;
        if !known {
            publish::mark_whole(&file);
        }
        Ok(Self { bytes, head, tree })
    }

    pub fn head(&self) -> &[u8] {
        self.bytes.get(self.head.clone()).unwrap_or_default()
    }

    pub fn tree(self, path: &Path) -> Result<ViewManifest> {
        ViewManifest::from_part(path, self.bytes, self.tree)
    }
}

/// What is kept of a tree (a view manifest's bytes).
pub fn encode(stamp: &[u8; STAMP], head: &[u8], tree: &[u8]) -> Result<Vec<u8>> {
    let length = u32::try_from(head.len()).map_err(|_| Error::View("the metadata is too large".to_owned()))?;
    let mut bytes = Vec::with_capacity(HEADER + head.len() + tree.len() + CHECKSUM);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(stamp);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(head);
    bytes.extend_from_slice(tree);
    let checksum = Digest::of(&bytes);
    bytes.extend_from_slice(checksum.as_bytes());
    Ok(bytes)
}

pub fn damaged(path: &Path, reason: &str) -> Error {
    Error::Damaged { what: "kept tree", path: path.to_owned(), reason: reason.into() }
}
