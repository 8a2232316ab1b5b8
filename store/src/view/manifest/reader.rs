//! A view manifest that is open: its own table, and the wheels' tables that it refers to, as one tree.
//!
//! A wheel's table is opened when first looked into; what of it is in no directory of the view is not to be reached.

use super::graft::{Graft, Grafts};
use super::table::{Record, Table};
use super::{FileBytes, KIND_DIRECTORY, KIND_GRAFT, Node, NodeIndex, Walk};
use crate::ViewId;
use crate::error::{Error, IoContext, Result};
use crate::layout::Layout;
use crate::publish;
use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// An opened view manifest.
pub struct ViewManifest {
    pub(super) own: Table,
    grafts: Grafts,
}

/// Where a node is: in which table, under which index there.
struct Home<'manifest> {
    table: &'manifest Table,
    index: NodeIndex,
    /// The wheel's, if the table is not the view's own.
    graft: Option<&'manifest Graft>,
}

impl Home<'_> {
    /// What a node of this table is called in the view.
    fn outside(&self, index: u32) -> NodeIndex {
        // A graft's nodes all have numbers below MAX_NODES.
        NodeIndex(index.saturating_add(self.graft.map_or(0, |graft| graft.first)))
    }
}

impl std::fmt::Debug for ViewManifest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ViewManifest").field("path", &self.own.path).field("nodes", &self.len()).finish_non_exhaustive()
    }
}

impl ViewManifest {
    /// Maps the manifest of a view; looks at its header only.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read, [`Error::Damaged`] if its header does not fit the file.
    pub fn open(layout: &Layout, id: &ViewId) -> Result<Self> {
        let path = layout.view(id);
        Self::from_file(layout, &path, &File::open(&path).at("open view manifest", &path)?)
    }

    /// As [`Self::open`], and looks through one that a crash may have cut short.
    ///
    /// # Errors
    /// As [`Self::open`]; [`Error::Damaged`] if it is not whole.
    pub fn open_whole(layout: &Layout, id: &ViewId) -> Result<Self> {
        let path = layout.view(id);
        let file = File::open(&path).at("open view manifest", &path)?;
        let manifest = Self::from_file(layout, &path, &file)?;
        if !publish::is_certainly_whole(&file.metadata().at("look at", &path)?) {
            manifest.verify_checksum()?;
        }
        Ok(manifest)
    }

    fn from_file(layout: &Layout, path: &Path, file: &File) -> Result<Self> {
        let bytes = FileBytes::mapped(file).at("map view manifest", path)?;
        let whole = 0..bytes.len();
        Self::new(Table::new(path.to_owned(), bytes, whole)?, Some(layout))
    }

    /// A manifest that is a part of a file and refers to no other.
    pub(crate) fn from_part(path: &Path, data: FileBytes, part: Range<usize>) -> Result<Self> {
        Self::new(Table::new(path.to_owned(), data, part)?, None)
    }

    /// A manifest that is in memory and refers to no other.
    ///
    /// # Errors
    /// [`Error::Damaged`] if its header does not fit.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self> {
        let whole = 0..bytes.len();
        Self::new(Table::new(PathBuf::from("(in memory)"), bytes.into(), whole)?, None)
    }

    fn new(own: Table, layout: Option<&Layout>) -> Result<Self> {
        let grafts = Grafts::of(&own, layout)?;
        Ok(Self { own, grafts })
    }

    /// An error that names this manifest.
    pub(super) fn damaged(&self, reason: impl Into<String>) -> Error {
        self.own.damaged(reason)
    }

    /// Checks that the bytes are those that the builder wrote; of wheels that are referred to, their names only.
    ///
    /// # Errors
    /// [`Error::Damaged`].
    pub fn verify_checksum(&self) -> Result<()> {
        self.own.verify_checksum()
    }

    /// Reads everything once: the checksums, then every node.
    ///
    /// # Errors
    /// [`Error::Damaged`]; [`Error::Io`] if a wheel that is referred to cannot be read.
    pub fn verify(&self) -> Result<()> {
        self.verify_checksum()?;
        for graft in self.grafts.iter() {
            self.grafts.table(&self.own, graft)?.verify_checksum()?;
        }
        let mut visited = 1;
        for entry in self.walk() {
            visited += u32::from(entry?.node.index.0 < self.own.len());
        }
        if visited == self.own.len() { Ok(()) } else { Err(self.damaged("some of its nodes are in no directory")) }
    }

    /// Where it was read from.
    pub fn path(&self) -> &Path {
        &self.own.path
    }

    /// All indexes are below this number, which the nodes of wheels that are referred to count into.
    pub fn len(&self) -> usize {
        self.grafts.end(&self.own) as usize
    }

    /// True if the view has nothing in its root directory.
    pub fn is_empty(&self) -> bool {
        self.own.len() == 1
    }

    /// True if it refers to wheels.
    pub fn is_grafted(&self) -> bool {
        self.grafts.iter().next().is_some()
    }

    /// The root directory.
    pub fn root(&self) -> NodeIndex {
        NodeIndex::ROOT
    }

    /// Reads one node.
    ///
    /// # Errors
    /// [`Error::Damaged`], also for an index that this manifest does not have; [`Error::Io`] if the node's wheel cannot
    /// be read.
    pub fn node(&self, index: NodeIndex) -> Result<Node<'_>> {
        let home = self.home(index)?;
        let record = home.table.record(home.index)?;
        let name = home.table.name(home.index, &record)?;
        let kind = home.table.kind(home.index, &record)?;
        Ok(Node { index, parent: self.parent_in(&home, &record)?, name, kind })
    }

    /// The directory that holds a node; the root is its own parent.
    ///
    /// # Errors
    /// As [`Self::node`].
    pub fn parent(&self, index: NodeIndex) -> Result<NodeIndex> {
        let home = self.home(index)?;
        self.parent_in(&home, &home.table.record(home.index)?)
    }

    /// The relative path of a node, as text.
    ///
    /// # Errors
    /// As [`Self::node`].
    pub fn path_of(&self, mut index: NodeIndex) -> Result<String> {
        let mut names = Vec::new();
        // In each table a parent comes before its children, and from a wheel's the way leads only into the view's own,
        // so this ends.
        while index != NodeIndex::ROOT {
            let node = self.node(index)?;
            names.push(String::from_utf8_lossy(node.name));
            index = node.parent;
        }
        names.reverse();
        Ok(names.join("/"))
    }

    /// Finds a name in a directory by binary search; `None` also if `directory` is not one.
    ///
    /// # Errors
    /// As [`Self::node`].
    pub fn lookup(&self, directory: NodeIndex, name: &[u8]) -> Result<Option<NodeIndex>> {
        let Some(home) = self.directory(directory)? else { return Ok(None) };
        Ok(home.table.lookup(home.index, name)?.map(|found| home.outside(found.0)))
    }

    /// The entries of a directory in the order of their names' bytes; none if it is not a directory.
    ///
    /// # Errors
    /// As [`Self::node`], also for single entries.
    pub fn children(&self, directory: NodeIndex) -> Result<impl Iterator<Item = Result<(&[u8], NodeIndex)>> + '_> {
        let home = self.directory(directory)?;
        let range = home.as_ref().map(|home| home.table.children(home.index)).transpose()?;
        let entries = home.into_iter().flat_map(move |home| {
            range
                .clone()
                .unwrap_or_default()
                .map(move |index| Ok((home.table.child_name(home.index, index)?, home.outside(index))))
        });
        Ok(entries)
    }

    /// The indexes of a directory's entries; empty if it is not a directory.
    ///
    /// # Errors
    /// As [`Self::node`].
    pub fn children_range(&self, directory: NodeIndex) -> Result<Range<u32>> {
        let Some(home) = self.directory(directory)? else { return Ok(0..0) };
        let range = home.table.children(home.index)?;
        Ok(home.outside(range.start).0..home.outside(range.end).0)
    }

    /// Finds a relative path (`lib/python3.11/site-packages`); symlinks are not followed.
    ///
    /// # Errors
    /// As [`Self::node`].
    pub fn resolve(&self, path: &str) -> Result<Option<NodeIndex>> {
        let mut index = self.root();
        for name in path.split('/').filter(|name| !name.is_empty()) {
            match self.lookup(index, name.as_bytes())? {
                Some(next) => index = next,
                None => return Ok(None),
            }
        }
        Ok(Some(index))
    }

    /// Every node but the root with its path: a directory before its entries, entries in order.
    pub fn walk(&self) -> Walk<'_> {
        Walk::new(self)
    }

    fn home(&self, index: NodeIndex) -> Result<Home<'_>> {
        if index.0 < self.own.len() {
            return Ok(Home { table: &self.own, index, graft: None });
        }
        let graft = self.grafts.holding(index);
        let graft = graft.ok_or_else(|| self.damaged(format!("it has no node {}", index.0)))?;
        let table = self.grafts.table(&self.own, graft)?;
        Ok(Home { table, index: NodeIndex(index.0.saturating_sub(graft.first)), graft: Some(graft) })
    }

    /// Where the entries of a directory are; `None` if it is none.
    fn directory(&self, index: NodeIndex) -> Result<Option<Home<'_>>> {
        let home = self.home(index)?;
        let record = home.table.record(home.index)?;
        match (record.kind, home.graft) {
            (KIND_DIRECTORY, _) => Ok(Some(home)),
            (KIND_GRAFT, None) => {
                let (graft, node) = self.grafts.of_node(&self.own, index, &record)?;
                Ok(Some(Home { table: self.grafts.table(&self.own, graft)?, index: node, graft: Some(graft) }))
            }
            _ => Ok(None),
        }
    }

    fn parent_in(&self, home: &Home<'_>, record: &Record) -> Result<NodeIndex> {
        match home.graft {
            None => Ok(NodeIndex(record.parent)),
            Some(graft) => match graft.place(&self.own, NodeIndex(record.parent)) {
                Some(own) => Ok(own),
                // The wheel's own root is in no view.
                None if record.parent == 0 => {
                    let node = home.outside(home.index.0).0;
                    Err(self.damaged(format!("node {node} is in no directory")))
                }
                None => Ok(home.outside(record.parent)),
            },
        }
    }
}
