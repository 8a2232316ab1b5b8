//! The link projection: a view as a plain directory of reflinks, hardlinks or copies, where there is no FUSE.
//!
//! A projection is complete or not there: it is made in `tmp/` and published by one rename. Its directories
//! are read-only, except that each `__pycache__` may be written by its owner: Python keeps bytecode there,
//! and since every other file of the view never changes, that bytecode never goes stale.

use crate::bytecode;
use crate::digest::{Digest, ViewId};
use crate::error::{Error, IoContext, Result};
use crate::layout::Store;
use crate::objects::{self, constant_time};
use crate::view::description::ViewDescription;
use crate::view::manifest::{Node, NodeIndex, NodeKind, ViewManifest};
use crate::{publish, view};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// How a file got its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Means {
    Reflink,
    Hardlink,
    Copy,
}

/// Makes a view visible at `links/<view id>`, if it is not already, and returns that path.
///
/// # Errors
/// [`crate::Error::Io`], [`crate::Error::Damaged`]; nothing half-made is left.
pub fn project(store: &Store, id: &ViewId) -> Result<PathBuf> {
    let target = store.layout().links().join(id.to_string());
    if target.is_dir() {
        return Ok(target);
    }
    view::seal(store, id)?;
    let manifest = ViewManifest::open(&store.layout().view(id))?;
    manifest.verify()?;
    let description = ViewDescription::load(store, id)?;
    let tmp = store.layout().tmp();
    let scratch = tempfile::Builder::new().prefix("links-").tempdir_in(&tmp).at("create a directory in", &tmp)?;
    let root = scratch.path().join("view");
    let mut projector =
        Projector { store, manifest: &manifest, means: Means::Reflink, cache_tag: description.cache_tag };
    projector.directory(manifest.root(), &root)?;
    // One barrier: links and copies are durable before the name that promises them.
    let directory = File::open(&root).at("open", &root)?;
    nix::unistd::syncfs(&directory).at("sync", &root)?;
    match fs::rename(&root, &target) {
        Ok(()) => {}
        // Another command was quicker; its projection has the same files.
        Err(_) if target.is_dir() => return discard(&root).map(|()| target),
        Err(error) => return Err(error).at("publish", &target),
    }
    set_mode(&target, 0o555)?;
    publish::sync_directory(&store.layout().links())?;
    Ok(target)
}

/// Brings bytecode that was made since into a view's projection, if it has one. What is there already stays.
///
/// # Errors
/// [`crate::Error::Io`], [`crate::Error::Damaged`].
pub fn add_bytecode(store: &Store, id: &ViewId) -> Result<()> {
    let root = store.layout().links().join(id.to_string());
    if !root.is_dir() {
        return Ok(());
    }
    let manifest = ViewManifest::open(&store.layout().view(id))?;
    manifest.verify()?;
    let cache_tag = ViewDescription::load(store, id)?.cache_tag;
    let entries = manifest.walk().collect::<Result<Vec<_>>>()?;
    let own: BTreeSet<PathBuf> =
        entries.iter().filter(|entry| entry.node.name == b"__pycache__").map(|entry| root.join(&entry.path)).collect();
    let tmp = store.layout().tmp();
    let scratch = tempfile::Builder::new().prefix("pyc-").tempdir_in(&tmp).at("create a directory in", &tmp)?;
    let mut projector = Projector { store, manifest: &manifest, means: Means::Reflink, cache_tag };
    for entry in &entries {
        let path = root.join(&entry.path);
        let (NodeKind::File { digest, .. }, Some("py")) = (entry.node.kind, path.extension().and_then(OsStr::to_str))
        else {
            continue;
        };
        let cache = path.with_file_name("__pycache__");
        let target =
            cache.join(path.with_extension(format!("{}.pyc", projector.cache_tag)).file_name().unwrap_or_default());
        if own.contains(&cache) || target.exists() {
            continue;
        }
        if let Some(pyc) = bytecode::lookup(store.layout(), &projector.cache_tag, &digest) {
            // Python may be reading there: a file is whole or not there.
            let whole = scratch.path().join("whole");
            projector.file(&pyc, &whole, false)?;
            fs::rename(&whole, &target).at("publish", &target)?;
        }
    }
    Ok(())
}

/// Removes a projection, read-only directories included.
///
/// # Errors
/// [`crate::Error::Io`].
pub fn discard(path: &Path) -> Result<()> {
    for entry in fs::read_dir(path).at("list", path)? {
        let entry = entry.at("list", path)?;
        if entry.file_type().at("look at", &entry.path())?.is_dir() {
            set_mode(&entry.path(), 0o755)?;
            discard(&entry.path())?;
        }
    }
    set_mode(path, 0o755)?;
    fs::remove_dir_all(path).at("remove", path)
}

/// A batch beside this one may put equal bytes in an object's place just now. The kernel then has looked up a file that has
/// no name any more when it comes to linking it, and says that there is none: the one that is there now is looked up.
fn hard_link(object: &Path, target: &Path) -> io::Result<()> {
    for _ in 0..16 {
        match fs::hard_link(object, target) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && object.exists() => {}
            result => return result,
        }
    }
    fs::hard_link(object, target)
}

struct Projector<'a> {
    store: &'a Store,
    manifest: &'a ViewManifest,
    means: Means,
    cache_tag: String,
}

impl Projector<'_> {
    fn directory(&mut self, index: NodeIndex, path: &Path) -> Result<()> {
        fs::create_dir(path).at("create directory", path)?;
        let mut sources = Vec::new();
        let mut has_cache = false;
        for child in self.manifest.children(index)? {
            let (name, child) = child?;
            let node = self.manifest.node(child)?;
            let target = path.join(OsStr::from_bytes(name));
            has_cache |= name == b"__pycache__";
            if let (NodeKind::File { digest, .. }, Some(stem)) = (node.kind, name.strip_suffix(b".py")) {
                sources.push((stem.to_vec(), digest));
            }
            self.node(&node, &target)?;
        }
        if !sources.is_empty() && !has_cache {
            self.bytecode(&sources, &path.join("__pycache__"))?;
        }
        // The root is closed by the caller: renaming a directory to another parent needs it writable.
        if index != self.manifest.root() {
            set_mode(path, 0o555)?;
        }
        Ok(())
    }

    fn node(&mut self, node: &Node<'_>, target: &Path) -> Result<()> {
        match node.kind {
            NodeKind::Directory => self.directory(node.index, target),
            NodeKind::Symlink { target: destination } => symlink(destination, target).at("create link", target),
            NodeKind::File { digest, executable, .. } => {
                // A shared library is loaded without its executable bit, so that it can be a hardlink.
                let library =
                    target.extension().is_some_and(|end| end == "so") || target.to_string_lossy().contains(".so.");
                self.file(&digest, target, executable && !library)
            }
        }
    }

    fn bytecode(&mut self, sources: &[(Vec<u8>, Digest)], directory: &Path) -> Result<()> {
        fs::create_dir(directory).at("create directory", directory)?;
        for (stem, source) in sources {
            if let Some(pyc) = bytecode::lookup(self.store.layout(), &self.cache_tag, source) {
                let mut name = stem.clone();
                name.extend_from_slice(format!(".{}.pyc", self.cache_tag).as_bytes());
                self.file(&pyc, &directory.join(OsStr::from_bytes(&name)), false)?;
            }
        }
        Ok(())
    }

    /// Reflink where the filesystem has it (objects stay out of reach), else hardlink, else copy.
    fn file(&mut self, digest: &Digest, target: &Path, executable: bool) -> Result<()> {
        let object = self.store.layout().object(digest);
        let metadata = fs::metadata(&object).at("read object", &object)?;
        if !objects::is_sealed(&metadata) {
            let reason = "somebody wrote to it, perhaps through a link of another view".to_owned();
            return Err(Error::Damaged { what: "object", path: object, reason });
        }
        if self.means == Means::Reflink {
            match reflink_copy::reflink(&object, target) {
                Ok(()) => return finish_copy(target, executable),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(error).at("read object", &object),
                Err(_) => self.means = Means::Hardlink,
            }
        }
        if self.means == Means::Hardlink && !executable {
            match hard_link(&object, target) {
                Ok(()) => return Ok(()),
                // A content that very many views share runs out of links on some filesystems.
                Err(error) if error.raw_os_error() == Some(nix::libc::EMLINK) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(error).at("read object", &object),
                Err(_) => self.means = Means::Copy,
            }
        }
        fs::copy(&object, target).at("copy object to", target)?;
        finish_copy(target, executable)
    }
}

fn finish_copy(target: &Path, executable: bool) -> Result<()> {
    let file = File::open(target).at("open", target)?;
    file.set_permissions(fs::Permissions::from_mode(if executable { 0o555 } else { 0o444 }))
        .at("set the mode of", target)?;
    file.set_modified(constant_time()).at("set the time of", target)
}

fn set_mode(path: &Path, mode: u32) -> Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).at("set the mode of", path)
}
