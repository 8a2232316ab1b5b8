//! The link projection: a view as a plain directory of reflinks, hardlinks or copies, where there is no FUSE.
//!
//! No ordinary write to a projection reaches an object: a hardlink is read-only to its owner, and root, whom no mode holds
//! back, gets copies where there are no reflinks.
//!
//! A projection is complete or not there: it is made in `tmp/` and published by one rename. Its directories
//! are read-only, except that each `__pycache__` may be written by its owner: Python keeps bytecode there, and
//! since every other file of the view never changes, that bytecode never goes stale. What Python keeps there is this
//! view's alone; it only tells what is worth compiling for all ([`written_bytecode`]).
//!
//! A writable copy ([`copy`]) shares nothing with the store that could be written through: no hardlinks. Its sources may
//! be edited, so its bytecode is checked against them.

mod shared_bytecode;

pub use shared_bytecode::{add_bytecode, written_bytecode};

use crate::bytecode::{self, Bytecode, Key};
use crate::digest::{Digest, ViewId};
use crate::error::{Error, IoContext, Result};
use crate::layout::Store;
use crate::objects::{self, constant_time};
use crate::view::description::ViewDescription;
use crate::view::manifest::{Node, NodeIndex, NodeKind, ViewManifest};
use crate::{publish, view};
use nix::unistd::Uid;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
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
    let manifest = ViewManifest::open(store.layout(), id)?;
    manifest.verify()?;
    let description = ViewDescription::load(store, id)?;
    let tmp = store.layout().tmp();
    let scratch = tempfile::Builder::new().prefix("links-").tempdir_in(&tmp).at("create a directory in", &tmp)?;
    let root = scratch.path().join("view");
    let mut projector = Projector::new(store, &manifest, &description);
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

/// Makes a writable copy of a view at `target`, which must not exist: reflinks or real copies.
///
/// # Errors
/// [`crate::Error::Io`], [`crate::Error::Damaged`]; what was made until then is left to the caller.
pub fn copy(store: &Store, id: &ViewId, target: &Path) -> Result<()> {
    let manifest = ViewManifest::open(store.layout(), id)?;
    manifest.verify()?;
    let description = ViewDescription::load(store, id)?;
    let mut projector = Projector { writable: true, ..Projector::new(store, &manifest, &description) };
    projector.directory(manifest.root(), target)
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

/// Has Python check a `.pyc` against its source: who writes to a copy may edit that. The header has its hash all the same.
fn ask_for_check(pyc: &Path) -> io::Result<()> {
    const UNCHECKED_HASH: u32 = 0b01;
    const CHECKED_HASH: u32 = 0b11;
    let file = File::options().read(true).write(true).open(pyc)?;
    let mut flags = [0; 4];
    // One that is cut off is none to Python; 3.6 has the source's time there, which an edit changes.
    if file.read_at(&mut flags, 4)? == flags.len() && u32::from_le_bytes(flags) == UNCHECKED_HASH {
        file.write_all_at(&CHECKED_HASH.to_le_bytes(), 4)?;
    }
    Ok(())
}

struct Projector<'a> {
    store: &'a Store,
    manifest: &'a ViewManifest,
    means: Means,
    cache_tag: String,
    key: Key,
    /// For its owner to write to: then nothing is a hardlink.
    writable: bool,
}

impl<'a> Projector<'a> {
    fn new(store: &'a Store, manifest: &'a ViewManifest, description: &ViewDescription) -> Self {
        let cache_tag = description.cache_tag.clone();
        let key = Key::of(store.layout(), &cache_tag, description.magic);
        Self { store, manifest, means: Means::Reflink, cache_tag, key, writable: false }
    }

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
        if index != self.manifest.root() && !self.writable {
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
                self.file(&digest, target, executable && (self.writable || !library))
            }
        }
    }

    fn bytecode(&mut self, sources: &[(Vec<u8>, Digest)], directory: &Path) -> Result<()> {
        fs::create_dir(directory).at("create directory", directory)?;
        for (stem, source) in sources {
            if let Bytecode::Known { object: pyc, .. } = bytecode::find(self.store.layout(), &self.key, source) {
                let mut name = stem.clone();
                name.extend_from_slice(format!(".{}.pyc", self.cache_tag).as_bytes());
                let target = directory.join(OsStr::from_bytes(&name));
                self.file(&pyc, &target, false)?;
                if self.writable {
                    ask_for_check(&target).at("write", &target)?;
                }
            }
        }
        Ok(())
    }

    /// Reflink where the filesystem has it (objects stay out of reach), else hardlink (not for root), else copy.
    fn file(&mut self, digest: &Digest, target: &Path, executable: bool) -> Result<()> {
        let object = self.store.layout().object(digest);
        let metadata = fs::metadata(&object).at("read object", &object)?;
        if !objects::is_sealed(&metadata) {
            objects::seal_again(self.store, digest).map_err(|error| match error {
                Error::Damaged { what, path, .. } => {
                    let reason = "somebody wrote to it, perhaps through a link of another view".to_owned();
                    Error::Damaged { what, path, reason }
                }
                error => error,
            })?;
        }
        if self.means == Means::Reflink {
            match reflink_copy::reflink(&object, target) {
                Ok(()) => return self.finish_copy(target, executable),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(error).at("read object", &object),
                // Modes do not hold root back: through a hardlink it would write into the store.
                Err(_) if self.writable || Uid::effective().is_root() => self.means = Means::Copy,
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
        self.finish_copy(target, executable)
    }

    fn finish_copy(&self, target: &Path, executable: bool) -> Result<()> {
        let mode = if executable { 0o555 } else { 0o444 } | if self.writable { 0o200 } else { 0 };
        let file = File::open(target).at("open", target)?;
        file.set_permissions(fs::Permissions::from_mode(mode)).at("set the mode of", target)?;
        file.set_modified(constant_time()).at("set the time of", target)
    }
}

fn set_mode(path: &Path, mode: u32) -> Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).at("set the mode of", path)
}
