//! Listing directories. Positions stay valid while a listing goes on in parts:
//! 0 is `.`, 1 is `..`, and the rest follows from the entry itself, not from what was listed before.

use super::{Identity, ViewFs, check_directory, describe, has_source, source_digest};
use crate::attributes::Attributes;
use crate::bytecode::{self, Known};
use crate::error::{Error, Result};
use crate::inode::{Inode, InodeKind, ViewPrefix};
use crate::tables::{FileContent, View};
use omnipkg_store::view::manifest::NodeIndex;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// More interpreters than this are not shown in a listing of bytecode.
const MAX_TAGS: u64 = 256;

/// An entry of a directory.
#[derive(Debug, Clone, Copy)]
pub struct DirectoryEntry<'name> {
    /// Its name.
    pub name: &'name OsStr,
    /// Its attributes.
    pub attributes: Attributes,
    /// Where a listing goes on after this entry.
    pub next_offset: u64,
    pub(super) identity: Identity,
}

/// Takes an entry; false if there is no room for it.
type Emit<'emit> = dyn FnMut(DirectoryEntry<'_>) -> Result<bool> + 'emit;

impl ViewFs {
    /// Hands the entries of a directory from `offset` on to `emit` until it answers false.
    ///
    /// # Errors
    /// [`Error::NotDirectory`]; else as [`ViewFs::getattr`], and whatever `emit` fails with.
    pub fn readdir(&self, inode: Inode, offset: u64, emit: &mut Emit<'_>) -> Result<()> {
        match inode.kind() {
            InodeKind::Root => {
                if dots(inode, inode, offset, emit)? {
                    self.emit_views(offset, emit)?;
                }
                Ok(())
            }
            InodeKind::Node { view, node } => self.list_node(inode, view, node, offset, emit),
            InodeKind::Bytecode { view, parent } => self.list_bytecode(inode, view, parent, offset, emit),
            InodeKind::File { .. } => Err(Error::NotDirectory(inode)),
        }
    }

    /// True for directories whose listing may change: nobody may keep it.
    pub fn is_listing_volatile(inode: Inode) -> bool {
        matches!(inode.kind(), InodeKind::Root | InodeKind::Bytecode { .. })
    }

    fn emit_views(&self, offset: u64, emit: &mut Emit<'_>) -> Result<()> {
        let views = self.list_views(offset)?;
        let start = views.partition_point(|id| ViewPrefix::of(id).value() + 2 < offset);
        for id in views.get(start..).unwrap_or_default().iter().copied() {
            let prefix = ViewPrefix::of(&id);
            let position = prefix.value() + 2;
            let attributes = Attributes::directory(Inode::node(prefix, NodeIndex::ROOT));
            let name = id.to_string();
            let identity = Identity::View(id);
            if !emit(DirectoryEntry { name: OsStr::new(&name), attributes, next_offset: position + 1, identity })? {
                return Ok(());
            }
        }
        Ok(())
    }

    fn list_node(
        &self,
        inode: Inode,
        prefix: ViewPrefix,
        node: NodeIndex,
        offset: u64,
        emit: &mut Emit<'_>,
    ) -> Result<()> {
        let view = self.view(inode, prefix)?;
        let manifest = view.manifest(&self.layout)?;
        check_directory(inode, manifest, node)?;
        let parent = match node {
            NodeIndex::ROOT => Inode::ROOT,
            _ => Inode::node(prefix, manifest.parent(node)?),
        };
        if !dots(inode, parent, offset, emit)? {
            return Ok(());
        }
        let children = manifest.children_range(node)?;
        let count = u64::from(children.end - children.start);
        for (position, index) in (2u64..).zip(children) {
            if position < offset {
                continue;
            }
            let child = manifest.node(NodeIndex(index))?;
            let (attributes, identity) = describe(&view, &child);
            let name = OsStr::from_bytes(child.name);
            if !emit(DirectoryEntry { name, attributes, next_offset: position + 1, identity })? {
                return Ok(());
            }
        }
        let position = count + 2;
        if offset <= position && has_source(manifest, node)? {
            let attributes = Attributes::directory(Inode::bytecode(prefix, node));
            let (name, identity) = (OsStr::new(bytecode::DIRECTORY), Identity::View(view.id));
            emit(DirectoryEntry { name, attributes, next_offset: position + 1, identity })?;
        }
        Ok(())
    }

    fn list_bytecode(
        &self,
        inode: Inode,
        prefix: ViewPrefix,
        directory: NodeIndex,
        offset: u64,
        emit: &mut Emit<'_>,
    ) -> Result<()> {
        let view = self.view(inode, prefix)?;
        let manifest = view.manifest(&self.layout)?;
        check_directory(inode, manifest, directory)?;
        if dots(inode, Inode::node(prefix, directory), offset, emit)? {
            self.emit_bytecode(&view, directory, offset, emit)?;
        }
        Ok(())
    }

    fn emit_bytecode(&self, view: &View, directory: NodeIndex, offset: u64, emit: &mut Emit<'_>) -> Result<()> {
        let manifest = view.manifest(&self.layout)?;
        let tags = bytecode::cache_tags(&self.layout).into_iter();
        let tags: Vec<_> = tags.map(|tag| (view.bytecode_key(&self.layout, &tag), tag)).collect();
        for (place, index) in (0u64..).zip(manifest.children_range(directory)?) {
            let child = manifest.node(NodeIndex(index))?;
            let Some(source) = source_digest(&child) else { continue };
            for (slot, (key, tag)) in (0..MAX_TAGS).zip(&tags) {
                let position = 2 + place * MAX_TAGS + slot;
                if position < offset {
                    continue;
                }
                let known = self.bytecode.find(&self.layout, key, &source);
                let Known::Known { object: digest, size } = known else { continue };
                let mut name = child.name[..child.name.len() - ".py".len()].to_vec();
                name.extend_from_slice(format!(".{tag}.pyc").as_bytes());
                let attributes = Attributes::file(Inode::file(&digest, false), size, false);
                let identity = Identity::File(FileContent { digest, size });
                let name = OsStr::from_bytes(&name);
                if !emit(DirectoryEntry { name, attributes, next_offset: position + 1, identity })? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

/// The first two entries; false if there is no room for more.
fn dots(inode: Inode, parent: Inode, offset: u64, emit: &mut Emit<'_>) -> Result<bool> {
    for (position, name, inode) in [(0, ".", inode), (1, "..", parent)] {
        if position < offset {
            continue;
        }
        let attributes = Attributes::directory(inode);
        let entry = DirectoryEntry {
            name: OsStr::new(name),
            attributes,
            next_offset: position + 1,
            identity: Identity::Uncounted,
        };
        if !emit(entry)? {
            return Ok(false);
        }
    }
    Ok(true)
}
