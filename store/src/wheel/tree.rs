//! A wheel as a tree that views are put together from: `cache/trees/<sha256>`, made again from its manifest when lost.
//!
//! The manifest is text, one line a file; a view of tens of thousands of files is made while somebody waits, so for it
//! the same facts are kept as tables that are copied, not parsed. A tree is a view manifest whose root holds the wheel's
//! schemes (`site`, `bin`, `data`, `include`).
//!
//! What is kept ([`crate::kept_tree`]) bears the stamp of the wheel manifest that it was made of, its inode, size and time
//! (seconds, nanoseconds), so that of one that replaced it another is made; its head is the number of files (u64), their
//! bytes (u64), and the manifest without its files.
//!
//! The tree follows from the wheel's manifest alone, with its nodes in the same order always: views refer to it.

use super::WheelManifest;
use crate::digest::Sha256;
use crate::error::{IoContext, Result};
use crate::kept_tree::{self, KeptTree, STAMP};
use crate::layout::{Layout, Store};
use crate::publish;
use crate::view::manifest::{ManifestBuilder, ViewManifest};
use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

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
    /// [`crate::Error::Io`] if the store does not have it; [`crate::Error::Damaged`] if its manifest is.
    pub fn open(store: &Store, sha256: &Sha256) -> Result<Self> {
        let (path, source) = (store.layout().wheel_tree(sha256), store.layout().wheel(sha256));
        let stamp = stamp(&source)?;
        // A cache: whatever is wrong with it, the manifest is the truth. A wheel that is gone is gone with its tree.
        if let Ok(tree) = KeptTree::read(&path, &stamp).and_then(|kept| of_kept(kept, &path)) {
            return Ok(tree);
        }
        let manifest = WheelManifest::read(store, sha256)?;
        let (head, tree) = (manifest.without_files(), tree(&manifest)?);
        let (files, bytes) = (manifest.files.len() as u64, manifest.size());
        let head_bytes = [&files.to_le_bytes()[..], &bytes.to_le_bytes(), &head.to_bytes()].concat();
        let encoded = kept_tree::encode(&stamp, &head_bytes, &tree)?;
        // Best effort: what cannot be kept is made again.
        let _ = publish::volatile_file(store, &path, &encoded);
        Ok(Self { head, files, bytes, tree: ViewManifest::from_bytes(tree)? })
    }
}

/// The tree of a wheel that views refer to; whoever asks sees to it that it `fits`. Of one that is open in this process already there is no second one, however
/// many views refer to it.
pub(crate) fn shared(
    layout: &Layout,
    sha256: &Sha256,
    fits: impl Fn(&ViewManifest) -> bool,
) -> Result<Arc<ViewManifest>> {
    static OPEN: Mutex<BTreeMap<PathBuf, Weak<ViewManifest>>> = Mutex::new(BTreeMap::new());
    // Every change is one insertion or removal: a panic cannot leave half of one.
    let open = || OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    let path = layout.wheel_tree(sha256);
    let known = || open().get(&path).and_then(Weak::upgrade).filter(|tree| fits(tree));
    if let Some(tree) = known() {
        return Ok(tree);
    }
    // Not while others wait: the disk may take its time.
    let opened = Arc::new(look_up(layout, sha256, &path)?);
    let mut open = open();
    open.retain(|_, tree| tree.strong_count() > 0);
    let first = open.get(&path).and_then(Weak::upgrade).filter(|tree| fits(tree));
    let tree = first.unwrap_or(opened);
    open.insert(path, Arc::downgrade(&tree));
    Ok(tree)
}

fn look_up(layout: &Layout, sha256: &Sha256, path: &Path) -> Result<ViewManifest> {
    let stamp = stamp(&layout.wheel(sha256))?;
    if let Ok(tree) = KeptTree::read(path, &stamp).and_then(|kept| kept.tree(path)) {
        return Ok(tree);
    }
    // Whoever only looks keeps nothing.
    ViewManifest::from_bytes(tree(&WheelManifest::read_in(layout, sha256)?)?)
}

fn of_kept(kept: KeptTree, path: &Path) -> Result<WheelTree> {
    let number = |at: usize| Some(u64::from_le_bytes(kept.head().get(at..at + 8)?.try_into().ok()?));
    let parts = number(0).zip(number(8)).zip(kept.head().get(16..));
    let ((files, bytes), text) = parts.ok_or_else(|| kept_tree::damaged(path, "its head is cut short"))?;
    let head = WheelManifest::parse(text).map_err(|error| kept_tree::damaged(path, &error.to_string()))?;
    Ok(WheelTree { head, files, bytes, tree: kept.tree(path)? })
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::digest::Digest;
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
        let manifest = WheelManifest::sample((0..files).map(file).collect());
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
