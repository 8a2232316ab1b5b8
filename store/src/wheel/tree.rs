//! A wheel as a tree that views are put together from: `cache/trees/<sha256>`, made again from its manifest when lost.
//!
//! The manifest is text, one line a file; a view of tens of thousands of files is made while somebody waits, so for it
//! the same facts are kept as tables that are copied, not parsed. A tree is a view manifest whose root holds the wheel's
//! schemes (`site`, `bin`, `data`, `include`).
//!
//! ```text
//! magic[8]  stamp[32]                        of which wheel manifest it was made
//! files:u64  bytes:u64  head:u32             sizes of the wheel, and of what follows
//! head                                       the wheel manifest without its files
//! tree                                       a view manifest
//! checksum[32]                               blake3 of everything before it
//! ```
//!
//! The stamp is the manifest's inode, size and time (seconds, nanoseconds): one that replaced it has another.
//!
//! The tree follows from the wheel's manifest alone, with its nodes in the same order always: views refer to it.

use super::WheelManifest;
use crate::digest::{Digest, Sha256};
use crate::error::{Error, IoContext, Result};
use crate::layout::{Layout, Store};
use crate::publish;
use crate::view::manifest::{FileBytes, ManifestBuilder, ViewManifest};
use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

const MAGIC: &[u8; 8] = b"OMNITRE2";
const STAMP: usize = 32;
const HEADER: usize = 8 + STAMP + 20;
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
    tree: ViewManifest,
}

impl WheelTree {
    /// Its files: a tree whose root holds the wheel's schemes.
    pub fn tree(&self) -> &ViewManifest {
        &self.tree
    }

    /// The tree of a wheel that the store has.
    ///
    /// # Errors
    /// [`Error::Io`] if the store does not have it; [`Error::Damaged`] if its manifest is.
    pub fn open(store: &Store, sha256: &Sha256) -> Result<Self> {
        let (path, source) = (store.layout().wheel_tree(sha256), store.layout().wheel(sha256));
        let stamp = stamp(&source)?;
        // A cache: whatever is wrong with it, the manifest is the truth. A wheel that is gone is gone with its tree.
        if let Ok(tree) = Kept::read(&path, &stamp).and_then(|kept| kept.open(&path)) {
            return Ok(tree);
        }
        let manifest = WheelManifest::read(store, sha256)?;
        let (head, tree) = (manifest.without_files(), tree(&manifest)?);
        let (files, bytes) = (manifest.files.len() as u64, manifest.size());
        let encoded = encode(&stamp, (files, bytes), &head, &tree)?;
        // Best effort: what cannot be kept is made again.
        let _ = publish::volatile_file(store, &path, &encoded);
        Ok(Self { head, files, bytes, tree: ViewManifest::from_bytes(tree)? })
    }
}

/// The tree of a wheel that views refer to. Of one that is open in this process already there is no second one, however
/// many views refer to it.
pub(crate) fn shared(layout: &Layout, sha256: &Sha256) -> Result<Arc<ViewManifest>> {
    static OPEN: Mutex<BTreeMap<PathBuf, Weak<ViewManifest>>> = Mutex::new(BTreeMap::new());
    // Every change is one insertion or removal: a panic cannot leave half of one.
    let open = || OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    let path = layout.wheel_tree(sha256);
    if let Some(tree) = open().get(&path).and_then(Weak::upgrade) {
        return Ok(tree);
    }
    // Not while others wait: the disk may take its time.
    let opened = Arc::new(look_up(layout, sha256, &path)?);
    let mut open = open();
    open.retain(|_, tree| tree.strong_count() > 0);
    let first = open.get(&path).and_then(Weak::upgrade);
    let tree = first.unwrap_or(opened);
    open.insert(path, Arc::downgrade(&tree));
    Ok(tree)
}

fn look_up(layout: &Layout, sha256: &Sha256, path: &Path) -> Result<ViewManifest> {
    let stamp = stamp(&layout.wheel(sha256))?;
    if let Ok(tree) = Kept::read(path, &stamp).and_then(|kept| kept.tree(path)) {
        return Ok(tree);
    }
    // Whoever only looks keeps nothing.
    ViewManifest::from_bytes(tree(&WheelManifest::read_in(layout, sha256)?)?)
}

/// What was kept of a wheel, found to be whole.
struct Kept {
    bytes: FileBytes,
    files: u64,
    size: u64,
    head: Range<usize>,
    tree: Range<usize>,
}

impl Kept {
    fn read(path: &Path, stamp: &[u8; STAMP]) -> Result<Self> {
        let file = File::open(path).at("open wheel tree", path)?;
        let metadata = file.metadata().at("look at", path)?;
        let known = publish::is_certainly_whole(&metadata);
        let bytes = FileBytes::of(&file, metadata.len()).at("map wheel tree", path)?;
        let parts = || {
            let end = bytes.len().checked_sub(CHECKSUM)?;
            let (content, checksum) = bytes.split_at_checked(end)?;
            let fits = content.strip_prefix(MAGIC)?.starts_with(stamp);
            let whole = fits && (known || Digest::of(content).as_bytes() == checksum);
            let number = |at: usize| Some(u64::from_le_bytes(content.get(at..at + 8)?.try_into().ok()?));
            let head = u32::from_le_bytes(content.get(HEADER - 4..HEADER)?.try_into().ok()?) as usize;
            let start = HEADER.checked_add(head).filter(|start| *start <= end)?;
            whole.then_some((number(HEADER - 20)?, number(HEADER - 12)?, HEADER..start, start..end))
        };
        let parts = parts().ok_or_else(|| damaged(path, "it is not whole, or of another manifest"));
        let (files, size, head, tree) = parts?;
        if !known {
            publish::mark_whole(&file);
        }
        Ok(Self { bytes, files, size, head, tree })
    }

    fn tree(self, path: &Path) -> Result<ViewManifest> {
        ViewManifest::from_part(path, self.bytes, self.tree)
    }

    fn open(self, path: &Path) -> Result<WheelTree> {
        let (files, bytes) = (self.files, self.size);
        let head = WheelManifest::parse(self.bytes.get(self.head.clone()).unwrap_or_default());
        let head = head.map_err(|error| damaged(path, &error.to_string()))?;
        Ok(WheelTree { head, files, bytes, tree: self.tree(path)? })
    }
}

fn damaged(path: &Path, reason: &str) -> Error {
    Error::Damaged { what: "wheel tree", path: path.to_owned(), reason: reason.into() }
}

/// Looked at before it is read: if it is replaced in between, the tree does not fit the next time.
fn stamp(manifest: &Path) -> Result<[u8; STAMP]> {
    let manifest: Metadata = fs::metadata(manifest).at("read wheel manifest", manifest)?;
    let numbers = [manifest.ino(), manifest.size(), manifest.mtime() as u64, manifest.mtime_nsec() as u64];
    let mut stamp = [0; STAMP];
    stamp.chunks_exact_mut(8).zip(numbers).for_each(|(slot, number)| slot.copy_from_slice(&number.to_le_bytes()));
    Ok(stamp)
}

fn tree(manifest: &WheelManifest) -> Result<Vec<u8>> {
    let mut builder = ManifestBuilder::new();
    for file in &manifest.files {
        builder.file(&file.path, file.digest, file.size, file.executable)?;
    }
    builder.finish()
}

fn encode(stamp: &[u8; STAMP], (files, size): (u64, u64), head: &WheelManifest, tree: &[u8]) -> Result<Vec<u8>> {
    let head = head.to_bytes();
    let length = u32::try_from(head.len()).map_err(|_| Error::View("the wheel's metadata is too large".to_owned()))?;
    let mut bytes = Vec::with_capacity(HEADER + head.len() + tree.len() + CHECKSUM);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(stamp);
    bytes.extend_from_slice(&files.to_le_bytes());
    bytes.extend_from_slice(&size.to_le_bytes());
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&head);
    bytes.extend_from_slice(tree);
    let checksum = Digest::of(&bytes);
    bytes.extend_from_slice(checksum.as_bytes());
    Ok(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::tags::WheelTag;
    use crate::wheel::WheelFile;

    /// A store with one wheel of so many files.
    fn store(files: usize) -> (tempfile::TempDir, Store, Sha256) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path().join("s")).unwrap();
        let sha256 = Sha256::of(b"a wheel");
        publish(&store, &sha256, files);
        (dir, store, sha256)
    }

    fn publish(store: &Store, sha256: &Sha256, files: usize) {
        let file = |n| WheelFile { digest: Digest::of(b"x"), size: 1, executable: false, path: format!("site/{n}.py") };
        let manifest = WheelManifest {
            filename: "pkg-1.0-py3-none-any.whl".to_owned(),
            name: "pkg".parse().unwrap(),
            display_name: "Pkg".to_owned(),
            version: "1.0".parse().unwrap(),
            tags: vec![WheelTag::new("py3", "none", "any")],
            requires_python: None,
            requires_dist: Vec::new(),
            provides_extra: Vec::new(),
            entry_points: Vec::new(),
            import_names: Vec::new(),
            warnings: Vec::new(),
            files: (0..files).map(file).collect(),
        };
        publish::file(store, &store.layout().wheel(sha256), &manifest.to_bytes()).unwrap();
    }

    #[test]
    fn a_tree_that_cannot_be_kept_is_a_tree_nevertheless() {
        let (_dir, store, sha256) = store(2);
        fs::write(store.layout().wheel_tree(&sha256).parent().unwrap(), b"no directory").unwrap();
        let tree = WheelTree::open(&store, &sha256).unwrap();
        assert_eq!((tree.files, tree.bytes, tree.head.display_name.as_str()), (2, 2, "Pkg"));
        assert!(tree.tree.resolve("site/1.py").unwrap().is_some());
    }

    #[test]
    fn a_kept_tree_says_the_same() {
        let (_dir, store, sha256) = store(2);
        let made = WheelTree::open(&store, &sha256).unwrap();
        let path = store.layout().wheel_tree(&sha256);
        let kept = WheelTree::open(&store, &sha256).unwrap();
        assert_eq!(kept.tree.path(), path, "the second time it is not made again");
        assert_eq!((&made.head, made.files, made.bytes), (&kept.head, kept.files, kept.bytes));
        assert_eq!(made.tree.len(), kept.tree.len());
    }

    #[test]
    fn another_manifest_makes_another_tree() {
        let (_dir, store, sha256) = store(2);
        WheelTree::open(&store, &sha256).unwrap();
        publish(&store, &sha256, 3);
        assert_eq!(WheelTree::open(&store, &sha256).unwrap().files, 3);
        fs::remove_file(store.layout().wheel(&sha256)).unwrap();
        assert!(WheelTree::open(&store, &sha256).unwrap_err().is_not_found(), "gone with its wheel");
    }
}
