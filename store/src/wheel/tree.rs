//! A wheel as a tree that views are put together from: `cache/trees/<sha256>`, made again from its manifest when lost.
//!
//! The manifest is text, one line a file; a view of tens of thousands of files is made while somebody waits, so for it
//! the same facts are kept as tables that are copied, not parsed. A tree is a view manifest whose root holds the wheel's
//! schemes (`site`, `bin`, `data`, `include`).
//!
//! ```text
//! magic[8]  files:u64  bytes:u64  head:u32   sizes of the wheel, and of what follows
//! head                                       the wheel manifest without its files
//! tree                                       a view manifest
//! checksum[32]                               blake3 of everything before it
//! ```

use super::WheelManifest;
use crate::digest::{Digest, Sha256};
use crate::error::{Error, IoContext, Result};
use crate::layout::Store;
use crate::publish;
use crate::view::manifest::{ManifestBuilder, ViewManifest};
use std::fs::File;
use std::path::Path;

const MAGIC: &[u8; 8] = b"OMNITREE";
const HEADER: usize = 28;
const CHECKSUM: usize = 32;

/// A wheel of the store, ready to be put into views.
#[derive(Debug)]
pub struct WheelTree {
    /// What the wheel is; without its files, which are in the tree.
    pub head: WheelManifest,
    /// How many files it has.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    pub(crate) tree: ViewManifest,
}

impl WheelTree {
    /// The tree of a wheel that the store has.
    ///
    /// # Errors
    /// [`Error::Io`] if the store does not have it; [`Error::Damaged`] if its manifest is.
    pub fn open(store: &Store, sha256: &Sha256) -> Result<Self> {
        let path = store.layout().wheel_tree(sha256);
        // A cache: whatever is wrong with it, the manifest is the truth. A wheel that is gone is gone with its tree.
        if store.layout().wheel(sha256).exists()
            && let Ok(tree) = Self::read(&path)
        {
            return Ok(tree);
        }
        let manifest = WheelManifest::read(store, sha256)?;
        publish::volatile_file(store, &path, &encode(&manifest)?)?;
        Self::read(&path)
    }

    fn read(path: &Path) -> Result<Self> {
        let damaged =
            |reason: &str| Error::Damaged { what: "wheel tree", path: path.to_owned(), reason: reason.into() };
        let file = File::open(path).at("open wheel tree", path)?;
        let map = crate::sys::map_file(&file).at("map wheel tree", path)?;
        let parts = || {
            let end = map.len().checked_sub(CHECKSUM)?;
            let (content, checksum) = map.split_at_checked(end)?;
            let whole = content.starts_with(MAGIC) && Digest::of(content).as_bytes() == checksum;
            let number = |at: usize| Some(u64::from_le_bytes(content.get(at..at + 8)?.try_into().ok()?));
            let head = u32::from_le_bytes(content.get(24..HEADER)?.try_into().ok()?) as usize;
            let head = HEADER..HEADER.checked_add(head)?;
            whole.then_some((number(8)?, number(16)?, head, end))
        };
        let (files, bytes, head, end) = parts().ok_or_else(|| damaged("it is not whole"))?;
        let start = head.end;
        let text = map.get(head).ok_or_else(|| damaged("it is cut off"))?;
        let head = WheelManifest::parse(text).map_err(|error| damaged(&error.to_string()))?;
        let tree = ViewManifest::from_part(path, map, start..end)?;
        Ok(Self { head, files, bytes, tree })
    }
}

fn encode(manifest: &WheelManifest) -> Result<Vec<u8>> {
    let mut builder = ManifestBuilder::new();
    for file in &manifest.files {
        builder.file(&file.path, file.digest, file.size, file.executable)?;
    }
    let tree = builder.finish()?;
    let head = manifest.without_files().to_bytes();
    let length = u32::try_from(head.len()).map_err(|_| Error::View("the wheel's metadata is too large".to_owned()))?;
    let mut bytes = Vec::with_capacity(HEADER + head.len() + tree.len() + CHECKSUM);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&(manifest.files.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&manifest.size().to_le_bytes());
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&head);
    bytes.extend_from_slice(&tree);
    let checksum = Digest::of(&bytes);
    bytes.extend_from_slice(checksum.as_bytes());
    Ok(bytes)
}
