//! omnipkg's own files in a view, as a tree: `cache/trees/runtime-<stamp>`, so that only the first view that a build of
//! omnipkg makes hashes them and looks whether the store has them.

use super::manifest::{ManifestBuilder, ViewManifest};
use super::python2;
use crate::digest::{Digest, DigestHasher};
use crate::error::Result;
use crate::interpreter::Facts;
use crate::kept_tree::{self, KeptTree, STAMP};
use crate::layout::Store;
use crate::objects::Batch;
use crate::publish;
use std::path::Path;

/// A file that omnipkg itself puts into every view.
#[derive(Debug, Clone, Copy)]
pub struct RuntimeFile {
    /// As in a wheel manifest: `site/…` is relative to site-packages, anything else to the view's root.
    pub path: &'static str,
    /// Its content.
    pub bytes: &'static [u8],
}

/// All of them.
#[derive(Debug, Clone, Copy)]
pub struct Runtime<'a> {
    /// The files.
    pub files: &'a [RuntimeFile],
    /// Changes when any of them does.
    pub stamp: &'a str,
}

impl Runtime<'_> {
    /// None of them.
    pub const NONE: Runtime<'static> = Runtime { files: &[], stamp: "none" };
}

/// Where the directories of the tree go, by their names.
pub(super) const SITE: &str = "site";
pub(super) const ROOT: &str = "root";

/// The files of one kind of interpreter, in the store.
pub(super) struct RuntimeTree {
    /// Stands for all of them in a view's name.
    pub(super) digest: Digest,
    /// Has the directories [`SITE`] and [`ROOT`].
    pub(super) tree: ViewManifest,
}

impl RuntimeTree {
    pub(super) fn open(store: &Store, facts: &Facts, runtime: Runtime<'_>) -> Result<Self> {
        let kind = if python2::is_python2(facts) { "-python2" } else { "" };
        let name = format!("runtime-{}{kind}", runtime.stamp);
        let (path, stamp) = (store.layout().tree(&name), *Digest::of(name.as_bytes()).as_bytes());
        if let Ok(tree) = KeptTree::read(&path, &stamp).and_then(|kept| Self::of_kept(kept, &path)) {
            return Ok(tree);
        }
        let mut builder = ManifestBuilder::new();
        let (mut batch, mut hasher) = (Batch::new(store), DigestHasher::new());
        for file in python2::runtime_for(facts, runtime.files) {
            let digest = Digest::of(file.bytes);
            hasher.update(format!("{} {} ", file.path, file.bytes.len()).as_bytes());
            hasher.update(digest.as_bytes());
            let added = batch.add_known(digest, file.bytes)?;
            let site = file.path.strip_prefix("site/").map(|path| format!("{SITE}/{path}"));
            let path = site.unwrap_or_else(|| format!("{ROOT}/{}", file.path));
            builder.file(&path, added.digest, added.size, false)?;
        }
        batch.commit()?;
        let (digest, tree) = (hasher.finish(), builder.finish()?);
        // Best effort: what cannot be kept is made again.
        let _ = publish::volatile_file(store, &path, &kept_tree::encode(&stamp, digest.as_bytes(), &tree)?);
        Ok(Self { digest, tree: ViewManifest::from_bytes(tree)? })
    }

    fn of_kept(kept: KeptTree, path: &Path) -> Result<Self> {
        let digest: Option<[u8; STAMP]> = kept.head().try_into().ok();
        let digest = digest.ok_or_else(|| kept_tree::damaged(path, "its head is cut short"))?;
        Ok(Self { digest: Digest::from_bytes(digest), tree: kept.tree(path)? })
    }
}
