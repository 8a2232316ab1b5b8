//! Every file operation on views, answered from manifests and objects; knows no FUSE.
//!
//! The root holds a directory for every view in `views/`, by its id. Answers are final (see the crate's
//! header), so whoever asks may keep them. References are counted as FUSE does: each [`Lookup::Found`]
//! and each [`ViewFs::retain`] is one, [`ViewFs::forget`] gives them back, and what has none left is
//! dropped from memory. A number that is not in memory is found on disk again.

mod listing;

pub use listing::DirectoryEntry;

use crate::attributes::Attributes;
use crate::bytecode::{self, Bytecode, BytecodeMiss, Known};
use crate::error::{Error, Result};
use crate::imported::{FirstImport, Imported};
use crate::inode::{Inode, InodeKind, ViewPrefix};
use crate::objects::OpenObjects;
use crate::tables::{self, FileContent, Tables, View};
use omnipkg_store::view::manifest::{MAX_NAME, Node, NodeIndex, NodeKind, ViewManifest};
use omnipkg_store::{Layout, ViewId};
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};

/// The answer to a question for a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup {
    /// It is there; one more reference to it is counted.
    Found(Attributes),
    /// It is not there.
    Missing {
        /// True if it will never be.
        cacheable: bool,
    },
}

/// The access that is asked for; see `access(2)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AccessMode {
    /// To write.
    pub write: bool,
    /// To execute a file or search a directory.
    pub execute: bool,
}

/// The limits that `statfs` shows; sizes are 0: a view takes no room of its own, and `df` leaves it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statistics {
    /// Preferred size of reads, in bytes.
    pub block_size: u32,
    /// The longest name, in bytes.
    pub name_length: u32,
}

/// The filesystem; see the module.
pub struct ViewFs {
    layout: Layout,
    tables: Tables,
    objects: OpenObjects,
    bytecode: Bytecode,
    /// What the last listing of the root began with.
    listed: Mutex<Option<Arc<Vec<ViewId>>>>,
    starts: Option<Sender<FirstImport>>,
    imported: Arc<Imported>,
}

/// What a reference is counted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Identity {
    /// Never counted: `.`, `..` and the root.
    Uncounted,
    File(FileContent),
    View(ViewId),
}

impl ViewFs {
    /// The views of a store; bytecode that is asked for and not known is sent to `misses`.
    pub fn new(layout: Layout, misses: Option<Sender<BytecodeMiss>>) -> Self {
        let (tables, objects, listed, imported) = Default::default();
        Self { layout, tables, objects, bytecode: Bytecode::new(misses), listed, starts: None, imported }
    }

    /// Tells of each view that a program imports a package in for the first time, and of what is imported.
    pub fn telling(self, starts: Option<Sender<FirstImport>>, imported: Arc<Imported>) -> Self {
        Self { starts, imported, ..self }
    }

    /// Looks a name up in a directory.
    ///
    /// # Errors
    /// [`Error::NotDirectory`], [`Error::NameTooLong`], [`Error::Unknown`], [`Error::Clash`], or damage of the store.
    pub fn lookup(&self, parent: Inode, name: &OsStr) -> Result<Lookup> {
        if name.len() > MAX_NAME {
            // The kernel's own limit for FUSE is 1024 bytes; `statfs` says this one.
            return Err(Error::NameTooLong(name.len()));
        }
        match parent.kind() {
            InodeKind::Root => self.lookup_view(name),
            InodeKind::Node { view, node } => self.lookup_node(parent, view, node, name),
            InodeKind::Bytecode { view, parent: directory } => self.lookup_bytecode(parent, view, directory, name),
            InodeKind::File { .. } => Err(Error::NotDirectory(parent)),
        }
    }

    /// A view may appear at any time: a miss here is never cacheable.
    fn lookup_view(&self, name: &OsStr) -> Result<Lookup> {
        let missing = Ok(Lookup::Missing { cacheable: false });
        let Some(id) = name.to_str().and_then(|name| name.parse::<ViewId>().ok()) else { return missing };
        let view = View::new(id);
        match view.manifest(&self.layout) {
            Ok(_) => {}
            Err(Error::Store(error)) if error.is_not_found() => return missing,
            Err(error) => return Err(error),
        }
        let inode = Inode::node(view.prefix, NodeIndex::ROOT);
        self.tables.retain_view(inode, view, 1)?;
        Ok(Lookup::Found(Attributes::directory(inode)))
    }

    fn lookup_node(&self, parent: Inode, prefix: ViewPrefix, node: NodeIndex, name: &OsStr) -> Result<Lookup> {
        let view = self.view(parent, prefix)?;
        let manifest = view.manifest(&self.layout)?;
        check_directory(parent, manifest, node)?;
        let (attributes, identity) = match manifest.lookup(node, name.as_bytes())? {
            Some(index) => describe(&view, &manifest.node(index)?),
            None if name == bytecode::DIRECTORY && has_source(manifest, node)? => {
                (Attributes::directory(Inode::bytecode(prefix, node)), Identity::View(view.id))
            }
            None => {
                if let Some(is_known) = self.imported.note(name, || manifest.path_of(node))?
                    && view.is_first_import()
                {
                    let first = FirstImport { view: view.id, is_known };
                    let _nobody_listens = self.starts.as_ref().map(|starts| starts.send(first));
                }
                return Ok(Lookup::Missing { cacheable: true });
            }
        };
        self.count(attributes.inode, identity)?;
        Ok(Lookup::Found(attributes))
    }

    fn lookup_bytecode(&self, inode: Inode, prefix: ViewPrefix, directory: NodeIndex, name: &OsStr) -> Result<Lookup> {
        let view = self.view(inode, prefix)?;
        let manifest = view.manifest(&self.layout)?;
        let never = Ok(Lookup::Missing { cacheable: true });
        let Some((source_name, cache_tag)) = name.to_str().and_then(bytecode::parse_name) else { return never };
        let Some(index) = manifest.lookup(directory, source_name.as_bytes())? else { return never };
        let NodeKind::File { digest: source, .. } = manifest.node(index)?.kind else { return never };
        let key = view.bytecode_key(&self.layout, cache_tag);
        let (digest, size) = match self.bytecode.find(&self.layout, &key, &source) {
            Known::Known { object, size } => (object, size),
            Known::Refused => return never,
            Known::Missing => {
                self.bytecode.report(BytecodeMiss { cache_tag: cache_tag.to_owned(), source, view: view.id });
                return Ok(Lookup::Missing { cacheable: false });
            }
        };
        let inode = Inode::file(&digest, false);
        self.count(inode, Identity::File(FileContent { digest, size }))?;
        Ok(Lookup::Found(Attributes::file(inode, size, false)))
    }

    /// The attributes of an inode.
    ///
    /// # Errors
    /// [`Error::Unknown`], [`Error::Clash`], or damage of the store.
    pub fn getattr(&self, inode: Inode) -> Result<Attributes> {
        match inode.kind() {
            InodeKind::Root => Ok(Attributes::directory(inode)),
            InodeKind::File { executable } => Ok(Attributes::file(inode, self.file_content(inode)?.size, executable)),
            InodeKind::Node { view, node } => {
                let view = self.view(inode, view)?;
                Ok(describe(&view, &view.manifest(&self.layout)?.node(node)?).0)
            }
            InodeKind::Bytecode { view, parent } => {
                check_directory(inode, self.view(inode, view)?.manifest(&self.layout)?, parent)?;
                Ok(Attributes::directory(inode))
            }
        }
    }

    /// The target of a symbolic link.
    ///
    /// # Errors
    /// [`Error::WrongKind`] if it is none; else as [`ViewFs::getattr`].
    pub fn readlink(&self, inode: Inode) -> Result<OsString> {
        let InodeKind::Node { view, node } = inode.kind() else { return Err(Error::WrongKind(inode)) };
        let view = self.view(inode, view)?;
        match view.manifest(&self.layout)?.node(node)?.kind {
            NodeKind::Symlink { target } => Ok(target.as_os_str().to_owned()),
            _ => Err(Error::WrongKind(inode)),
        }
    }

    /// Reads a file; fewer bytes than asked for only at its end.
    ///
    /// # Errors
    /// [`Error::IsDirectory`], [`Error::Object`] and [`Error::ShortObject`]; else as [`ViewFs::getattr`].
    pub fn read(&self, inode: Inode, offset: u64, length: u32) -> Result<Vec<u8>> {
        match inode.kind() {
            InodeKind::File { .. } => self.objects.read(&self.layout, self.file_content(inode)?, offset, length),
            _ => Err(Error::IsDirectory(inode)),
        }
    }

    /// Checks an access; everybody who reaches the mount may read.
    ///
    /// # Errors
    /// [`Error::ReadOnly`] for writing, [`Error::AccessDenied`] for executing a plain file.
    pub fn access(&self, inode: Inode, mode: AccessMode) -> Result<()> {
        let attributes = self.getattr(inode)?;
        match mode {
            AccessMode { write: true, .. } => Err(Error::ReadOnly),
            AccessMode { execute: true, .. } if !attributes.executable => Err(Error::AccessDenied(inode)),
            _ => Ok(()),
        }
    }

    /// The same for all views.
    pub fn statfs(&self) -> Statistics {
        Statistics { block_size: 4096, name_length: MAX_NAME as u32 }
    }

    /// Gives references back.
    pub fn forget(&self, inode: Inode, count: u64) {
        let content = self.tables.file(inode);
        if let (true, Some(content)) = (self.tables.forget(inode, count), content) {
            self.objects.close(&content.digest);
        }
    }

    /// Counts a reference to an entry of a listing.
    ///
    /// # Errors
    /// [`Error::Clash`].
    pub fn retain(&self, entry: &DirectoryEntry<'_>) -> Result<()> {
        self.count(entry.attributes.inode, entry.identity)
    }

    /// Gives back what [`ViewFs::retain`] counted for an entry that was not handed on after all.
    pub fn release(&self, entry: &DirectoryEntry<'_>) {
        if entry.identity != Identity::Uncounted {
            self.forget(entry.attributes.inode, 1);
        }
    }

    /// How many files, views and open objects are held in memory.
    pub fn held(&self) -> (usize, usize, usize) {
        let (files, views) = self.tables.sizes();
        (files, views, self.objects.count())
    }

    fn count(&self, inode: Inode, identity: Identity) -> Result<()> {
        match identity {
            Identity::Uncounted => Ok(()),
            Identity::File(content) => self.tables.retain_file(inode, content, 1),
            Identity::View(id) => self.tables.retain_view(inode, View::new(id), 1).map(drop),
        }
    }

    fn view(&self, inode: Inode, prefix: ViewPrefix) -> Result<Arc<View>> {
        match self.tables.view(prefix) {
            Some(view) => Ok(view),
            None => self.tables.retain_view(inode, tables::find_view(&self.layout, inode, prefix)?, 0),
        }
    }

    fn file_content(&self, inode: Inode) -> Result<FileContent> {
        if let Some(content) = self.tables.file(inode) {
            return Ok(content);
        }
        let content = self.tables.find_file(&self.layout, inode)?;
        self.tables.retain_file(inode, content, 0)?;
        Ok(content)
    }

    /// The views, sorted. A listing that goes on goes on with what it began with: listing ten thousand views for every
    /// part of it would take longer with every view.
    fn list_views(&self, offset: u64) -> Result<Arc<Vec<ViewId>>> {
        let mut known = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(views) = known.as_ref().filter(|_| offset > 0) {
            return Ok(Arc::clone(views));
        }
        let views = Arc::new(self.read_views()?);
        *known = Some(Arc::clone(&views));
        Ok(views)
    }

    fn read_views(&self) -> Result<Vec<ViewId>> {
        let path = self.layout.views();
        let failed = |source: io::Error| omnipkg_store::Error::Io { operation: "list", path: path.clone(), source };
        let mut views = Vec::new();
        for entry in std::fs::read_dir(&path).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            views.extend(name.to_str().and_then(|name| name.parse::<ViewId>().ok()));
        }
        views.sort_unstable();
        Ok(views)
    }
}

/// A node's attributes, and what to count references to it by.
fn describe(view: &View, node: &Node<'_>) -> (Attributes, Identity) {
    let inode = Inode::node(view.prefix, node.index);
    match node.kind {
        NodeKind::Directory => (Attributes::directory(inode), Identity::View(view.id)),
        NodeKind::Symlink { target } => {
            (Attributes::symlink(inode, target.as_os_str().len() as u64), Identity::View(view.id))
        }
        NodeKind::File { digest, size, executable } => {
            let inode = Inode::file(&digest, executable);
            (Attributes::file(inode, size, executable), Identity::File(FileContent { digest, size }))
        }
    }
}

fn check_directory(inode: Inode, manifest: &ViewManifest, node: NodeIndex) -> Result<()> {
    match manifest.node(node)?.kind {
        NodeKind::Directory => Ok(()),
        _ => Err(Error::NotDirectory(inode)),
    }
}

/// True if a directory holds Python source and no `__pycache__` of its own.
fn has_source(manifest: &ViewManifest, directory: NodeIndex) -> Result<bool> {
    if manifest.lookup(directory, bytecode::DIRECTORY.as_bytes())?.is_some() {
        return Ok(false);
    }
    for index in manifest.children_range(directory)? {
        if source_digest(&manifest.node(NodeIndex(index))?).is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The object of a node that is Python source.
fn source_digest(node: &Node<'_>) -> Option<omnipkg_store::Digest> {
    match node.kind {
        NodeKind::File { digest, .. } if node.name.ends_with(b".py") => Some(digest),
        _ => None,
    }
}
