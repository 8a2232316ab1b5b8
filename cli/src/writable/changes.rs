//! What a program wrote over a view: an overlay's upper layer, or a copy, held against the view's manifest.
//!
//! Only what differs counts: a file that was opened for writing and has its old bytes is none. Bytecode that Python keeps
//! in `__pycache__` is not listed.

use super::sys::attribute;
use anyhow::{Context, Result};
use omnipkg_store::view::manifest::{NodeIndex, NodeKind, ViewManifest};
use omnipkg_store::{Digest, DigestHasher};
use serde::Serialize;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt;
use std::fs::{self, DirEntry, File, Metadata};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::Path;

/// What became of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The view has no such path.
    New,
    /// The view has other bytes there, or another kind of file.
    Changed,
    /// The view has it.
    Deleted,
}

/// One path that is not as in the view. A directory's ends in `/` and stands for all beneath it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Change {
    /// Below the view.
    pub path: String,
    /// What became of it.
    pub kind: Kind,
    /// Its bytes now.
    pub size: u64,
    /// When it was last written, to tell this run's from an earlier one's.
    #[serde(skip)]
    pub stamp: (i64, i64),
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::New => write!(f, "new      {} ({})", self.path, crate::output::bytes(self.size)),
            Kind::Changed => write!(f, "changed  {} ({})", self.path, crate::output::bytes(self.size)),
            Kind::Deleted => write!(f, "deleted  {}", self.path),
        }
    }
}

/// What a tree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tree {
    /// Only what was written: what is missing is as in the view.
    Upper,
    /// All of it: what is missing was deleted.
    Whole,
}

/// Every path in which a tree differs from a view, in order.
pub fn changes(manifest: &ViewManifest, tree: Tree, root: &Path) -> Result<Vec<Change>> {
    let mut walker = Walker { manifest, tree, found: Vec::new() };
    walker.directory(root, "", Some(manifest.root()))?;
    walker.found.sort();
    Ok(walker.found)
}

struct Walker<'a> {
    manifest: &'a ViewManifest,
    tree: Tree,
    found: Vec<Change>,
}

impl Walker<'_> {
    fn directory(&mut self, path: &Path, name: &str, below: Option<NodeIndex>) -> Result<()> {
        let is_cache = name.ends_with("__pycache__/");
        let listed = fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<DirEntry>, _>>);
        let listed = listed.with_context(|| format!("cannot list {}", path.display()))?;
        let mut seen = BTreeSet::new();
        for entry in &listed {
            seen.insert(entry.file_name());
            let bytes = entry.file_name();
            if is_cache && bytes.as_bytes().ends_with(b".pyc") {
                continue;
            }
            let child = match below {
                Some(directory) => self.manifest.lookup(directory, bytes.as_bytes())?,
                None => None,
            };
            self.entry(entry, &format!("{name}{}", bytes.to_string_lossy()), child)?;
        }
        if let Some(directory) = below
            && (self.tree == Tree::Whole || is_opaque(path))
        {
            self.missing(directory, name, &seen)?;
        }
        Ok(())
    }

    fn entry(&mut self, entry: &DirEntry, name: &str, child: Option<NodeIndex>) -> Result<()> {
        let path = entry.path();
        let metadata = entry.metadata().with_context(|| format!("cannot look at {}", path.display()))?;
        if self.tree == Tree::Upper && is_whiteout(&path, &metadata) {
            return child.map_or(Ok(()), |child| self.deleted(name, child));
        }
        let node = child.map(|child| self.manifest.node(child)).transpose()?;
        if metadata.is_dir() {
            let inside = format!("{name}/");
            let below = node.as_ref().filter(|node| node.kind == NodeKind::Directory).map(|node| node.index);
            let before = self.found.len();
            self.directory(&path, &inside, below)?;
            // An empty directory is told by itself, any other by what is in it.
            if below.is_none() && self.found.len() == before && !inside.ends_with("__pycache__/") {
                self.found.push(Change { path: inside, kind: Kind::New, size: 0, stamp: stamp(&metadata) });
            }
            return Ok(());
        }
        let kind = match node.map(|node| node.kind) {
            None => Kind::New,
            Some(kind) if is_same(&kind, &path, &metadata)? => return Ok(()),
            Some(_) => Kind::Changed,
        };
        self.found.push(Change { path: name.to_owned(), kind, size: metadata.len(), stamp: stamp(&metadata) });
        Ok(())
    }

    fn missing(&mut self, directory: NodeIndex, name: &str, seen: &BTreeSet<OsString>) -> Result<()> {
        let children = self.manifest.children(directory)?.collect::<Result<Vec<_>, _>>()?;
        for (child_name, child) in children {
            if !seen.contains(std::ffi::OsStr::from_bytes(child_name)) {
                self.deleted(&format!("{name}{}", String::from_utf8_lossy(child_name)), child)?;
            }
        }
        Ok(())
    }

    fn deleted(&mut self, name: &str, child: NodeIndex) -> Result<()> {
        let end = if self.manifest.node(child)?.kind == NodeKind::Directory { "/" } else { "" };
        self.found.push(Change { path: format!("{name}{end}"), kind: Kind::Deleted, size: 0, stamp: (0, 0) });
        Ok(())
    }
}

/// Cannot be set back, as the time of change can.
fn stamp(metadata: &Metadata) -> (i64, i64) {
    (metadata.ctime(), metadata.ctime_nsec())
}

/// A deleted name: a device 0:0, or in a namespace of another's an empty file that is marked.
fn is_whiteout(path: &Path, metadata: &Metadata) -> bool {
    (metadata.file_type().is_char_device() && metadata.rdev() == 0)
        || (metadata.is_file()
            && metadata.len() == 0
            && has(path, c"trusted.overlay.whiteout", c"user.overlay.whiteout"))
}

/// A directory that was deleted and made again: nothing of the view's shows through.
fn is_opaque(path: &Path) -> bool {
    [c"trusted.overlay.opaque", c"user.overlay.opaque"]
        .into_iter()
        .any(|name| attribute(path, name).is_some_and(|value| value == b"y"))
}

fn has(path: &Path, privileged: &std::ffi::CStr, user: &std::ffi::CStr) -> bool {
    attribute(path, privileged).or_else(|| attribute(path, user)).is_some()
}

fn is_same(kind: &NodeKind<'_>, path: &Path, metadata: &Metadata) -> Result<bool> {
    Ok(match kind {
        NodeKind::Directory => false,
        NodeKind::Symlink { target } => {
            fs::read_link(path).is_ok_and(|now| now.as_path() == AsRef::<Path>::as_ref(target))
        }
        NodeKind::File { digest, size, executable } => {
            metadata.is_file()
                && metadata.len() == *size
                && (metadata.permissions().mode() & 0o100 != 0) == *executable
                && digest_of(path)? == *digest
        }
    })
}

fn digest_of(path: &Path) -> Result<Digest> {
    let mut file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let mut hasher = DigestHasher::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer).with_context(|| format!("cannot read {}", path.display()))? {
            0 => return Ok(hasher.finish()),
            length => hasher.update(&buffer[..length]),
        }
    }
}
