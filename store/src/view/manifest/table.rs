//! One table of nodes, read in place: every number is checked before it is used. Knows only itself; what it says of
//! directories of other tables is for [`super::ViewManifest`] to follow.

use super::{
    CHECKSUM, DIGEST_SIZE, FileBytes, GRAFT_SIZE, HEADER_SIZE, KIND_DIRECTORY, KIND_FILE, KIND_GRAFT, KIND_SYMLINK,
    MAGIC, MAX_NAME, MAX_NODES, NODE_SIZE, NodeIndex, NodeKind, PLACE_SIZE, VERSION_ALONE, VERSION_GRAFTED,
};
use crate::digest::{Digest, DigestHasher};
use crate::error::{Error, Result};
use std::cmp::Ordering;
use std::ffi::OsStr;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// A table, its header checked.
pub(super) struct Table {
    pub(super) path: PathBuf,
    data: FileBytes,
    part: Range<usize>,
    nodes: u32,
    digests: u32,
    digest_table: usize,
    names: usize,
    grafts: usize,
    places: usize,
}

/// The numbers of one node, not yet checked against the other tables.
pub(super) struct Record {
    name: (u32, u16),
    pub(super) kind: u8,
    executable: u8,
    pub(super) parent: u32,
    /// See the layout: what they mean follows from the kind.
    pub(super) first: u32,
    pub(super) extent: u64,
}

impl Table {
    pub(super) fn new(path: PathBuf, data: FileBytes, part: Range<usize>) -> Result<Self> {
        let (nodes, digests, digest_table, names, grafts, places) = Default::default();
        let mut table = Self { path, data, part, nodes, digests, digest_table, names, grafts, places };
        let bytes = table.bytes();
        if bytes.get(..8) != Some(MAGIC.as_slice()) {
            return Err(table.damaged("it does not start like one"));
        }
        let number = |at| read_u32(bytes, at).ok_or_else(|| table.damaged("its header is cut short"));
        let (version, nodes, digests) = (number(8)?, number(12)?, number(16)?);
        let (names, grafts, places) = (number(20)? as usize, number(56)? as usize, number(60)? as usize);
        match version {
            VERSION_ALONE if (grafts, places) == (0, 0) => {}
            VERSION_GRAFTED => {}
            _ => return Err(table.damaged(format!("its format version {version} is unknown"))),
        }
        if nodes == 0 || nodes > MAX_NODES {
            return Err(table.damaged(format!("it cannot have {nodes} nodes")));
        }
        table.digest_table = HEADER_SIZE + nodes as usize * NODE_SIZE;
        table.names = table.digest_table + digests as usize * DIGEST_SIZE;
        table.grafts = table.names + names;
        table.places = table.grafts + grafts * GRAFT_SIZE;
        let (found, expected) = (table.bytes().len(), table.places + places * PLACE_SIZE);
        if found != expected {
            return Err(table.damaged(format!("it has {found} bytes and not {expected}")));
        }
        (table.nodes, table.digests) = (nodes, digests);
        Ok(table)
    }

    fn bytes(&self) -> &[u8] {
        self.data.get(self.part.clone()).unwrap_or_default()
    }

    fn part(&self, range: Range<usize>) -> &[u8] {
        self.bytes().get(range).unwrap_or_default()
    }

    /// An error that names this table.
    pub(super) fn damaged(&self, reason: impl Into<String>) -> Error {
        Error::Damaged { what: "view manifest", path: self.path.clone(), reason: reason.into() }
    }

    /// The number of nodes, the root included.
    pub(super) fn len(&self) -> u32 {
        self.nodes
    }

    /// The checksum that the header names.
    pub(super) fn checksum(&self) -> &[u8] {
        self.part(CHECKSUM)
    }

    pub(super) fn verify_checksum(&self) -> Result<()> {
        if self.checksum() == checksum(self.bytes(), &[]).as_bytes() {
            return Ok(());
        }
        Err(self.damaged("its checksum does not match"))
    }

    /// The tables of digests and of names, as they are.
    pub(super) fn digests_and_names(&self) -> (&[u8], &[u8]) {
        (self.part(self.digest_table..self.names), self.part(self.names..self.grafts))
    }

    /// The tables of what is referred to and of its places, as they are.
    pub(super) fn grafts_and_places(&self) -> (&[u8], &[u8]) {
        (self.part(self.grafts..self.places), self.part(self.places..self.bytes().len()))
    }

    /// Nodes' records as they are.
    pub(super) fn raw(&self, nodes: Range<u32>) -> Result<&[u8]> {
        let place = |index: u32| HEADER_SIZE + index as usize * NODE_SIZE;
        let bytes = if nodes.end <= self.nodes { self.bytes().get(place(nodes.start)..place(nodes.end)) } else { None };
        bytes.ok_or_else(|| self.damaged(format!("it has no nodes {} to {}", nodes.start, nodes.end)))
    }

    pub(super) fn record(&self, index: NodeIndex) -> Result<Record> {
        if index.0 >= self.nodes {
            return Err(self.damaged(format!("it has no node {}", index.0)));
        }
        let start = HEADER_SIZE + index.0 as usize * NODE_SIZE;
        let read = || {
            let bytes = self.bytes().get(start..start + NODE_SIZE)?;
            Some(Record {
                name: (read_u32(bytes, 0)?, u16::from_le_bytes(bytes.get(4..6)?.try_into().ok()?)),
                kind: *bytes.get(6)?,
                executable: *bytes.get(7)?,
                parent: read_u32(bytes, 8)?,
                first: read_u32(bytes, 12)?,
                extent: u64::from_le_bytes(bytes.get(16..24)?.try_into().ok()?),
            })
        };
        let record = read().ok_or_else(|| self.damaged("its node table is cut short"))?;
        // a parent comes before its children, so that climbing ends
        if record.parent < index.0 || (index.0 == 0 && record.parent == 0) {
            return Ok(record);
        }
        Err(self.damaged(format!("node {} has the impossible parent {}", index.0, record.parent)))
    }

    pub(super) fn name(&self, index: NodeIndex, record: &Record) -> Result<&[u8]> {
        let (offset, length) = record.name;
        let name = self.name_bytes(offset, u64::from(length));
        let name = name.ok_or_else(|| self.damaged(format!("the name of node {} is out of bounds", index.0)))?;
        let acceptable = name.len() <= MAX_NAME
            && !name.iter().any(|byte| matches!(byte, 0 | b'/'))
            && !matches!(name, b"." | b"..")
            && name.is_empty() == (index.0 == 0);
        if acceptable { Ok(name) } else { Err(self.damaged(format!("node {} has an impossible name", index.0))) }
    }

    /// What a node of this table is.
    pub(super) fn kind(&self, index: NodeIndex, record: &Record) -> Result<NodeKind<'_>> {
        Ok(match record.kind {
            KIND_DIRECTORY => {
                self.child_range(index, record)?;
                NodeKind::Directory
            }
            KIND_GRAFT if self.grafts < self.places => NodeKind::Directory,
            KIND_FILE => NodeKind::File {
                digest: self.digest(index, record.first)?,
                size: record.extent,
                executable: self.flag(index, record.executable)?,
            },
            KIND_SYMLINK => NodeKind::Symlink { target: self.target(index, record)? },
            other => return Err(self.damaged(format!("node {} is of the unknown kind {other}", index.0))),
        })
    }

    /// Finds a name among the entries that the table itself has for a directory, by binary search.
    pub(super) fn lookup(&self, directory: NodeIndex, name: &[u8]) -> Result<Option<NodeIndex>> {
        let mut range = self.children(directory)?;
        while range.start < range.end {
            let middle = range.start + (range.end - range.start) / 2;
            match self.child_name(directory, middle)?.cmp(name) {
                Ordering::Equal => return Ok(Some(NodeIndex(middle))),
                Ordering::Less => range.start = middle + 1,
                Ordering::Greater => range.end = middle,
            }
        }
        Ok(None)
    }

    /// The indexes of the entries that the table itself has for a directory; empty if it is none.
    pub(super) fn children(&self, directory: NodeIndex) -> Result<Range<u32>> {
        let record = self.record(directory)?;
        if record.kind == KIND_DIRECTORY { self.child_range(directory, &record) } else { Ok(0..0) }
    }

    /// The name of a node that must be in `directory`: no node is in two directories.
    pub(super) fn child_name(&self, directory: NodeIndex, index: u32) -> Result<&[u8]> {
        let record = self.record(NodeIndex(index))?;
        if record.parent != directory.0 {
            return Err(self.damaged(format!("node {index} is not in the directory {} that lists it", directory.0)));
        }
        self.name(NodeIndex(index), &record)
    }

    fn child_range(&self, index: NodeIndex, record: &Record) -> Result<Range<u32>> {
        let end = u32::try_from(record.extent).ok().and_then(|count| record.first.checked_add(count));
        match end {
            Some(end) if record.extent == 0 || (record.first > index.0 && end <= self.nodes) => Ok(record.first..end),
            _ => Err(self.damaged(format!("the entries of directory {} are out of bounds", index.0))),
        }
    }

    fn digest(&self, index: NodeIndex, slot: u32) -> Result<Digest> {
        let start = self.digest_table + slot as usize * DIGEST_SIZE;
        let bytes = if slot < self.digests { self.bytes().get(start..start + DIGEST_SIZE) } else { None };
        bytes
            .and_then(|bytes| bytes.try_into().ok())
            .map(Digest::from_bytes)
            .ok_or_else(|| self.damaged(format!("file {} has no digest", index.0)))
    }

    fn flag(&self, index: NodeIndex, value: u8) -> Result<bool> {
        match value {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.damaged(format!("file {} has an impossible mode", index.0))),
        }
    }

    fn target(&self, index: NodeIndex, record: &Record) -> Result<&Path> {
        self.name_bytes(record.first, record.extent)
            .filter(|target| !target.is_empty() && !target.contains(&0))
            .map(|target| Path::new(OsStr::from_bytes(target)))
            .ok_or_else(|| self.damaged(format!("the target of link {} is out of bounds", index.0)))
    }

    fn name_bytes(&self, offset: u32, length: u64) -> Option<&[u8]> {
        let names = self.bytes().get(self.names..self.grafts)?;
        let start = offset as usize;
        names.get(start..start.checked_add(usize::try_from(length).ok()?)?)
    }
}

/// blake3 over all bytes but the checksum's own, which are in the first ones.
pub(super) fn checksum(first: &[u8], rest: &[&[u8]]) -> Digest {
    let mut hasher = DigestHasher::new();
    hasher.update(first.get(..CHECKSUM.start).unwrap_or(first));
    hasher.update(first.get(CHECKSUM.end..).unwrap_or_default());
    rest.iter().for_each(|piece| hasher.update(piece));
    hasher.finish()
}

pub(super) fn read_u32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}
