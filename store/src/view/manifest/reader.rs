//! Reads a manifest in place, checking every number before it is used.

use super::{
    CHECKSUM, DIGEST_SIZE, FORMAT_VERSION, HEADER_SIZE, KIND_DIRECTORY, KIND_FILE, KIND_SYMLINK, MAGIC, MAX_NAME,
    MAX_NODES, NODE_SIZE, Node, NodeIndex, NodeKind, Walk,
};
use crate::digest::{Digest, DigestHasher};
use crate::error::{Error, IoContext, Result};
use crate::publish;
use std::cmp::Ordering;
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::ops::{Deref, Range};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// An opened view manifest.
pub struct ViewManifest {
    path: PathBuf,
    data: FileBytes,
    part: Range<usize>,
    nodes: u32,
    digests: u32,
    digest_table: usize,
    names: usize,
}

/// Bytes of a file, or of none.
enum Data {
    Mapped(memmap2::Mmap),
    Owned(Vec<u8>),
}

/// A file of up to this many bytes that is soon let go of is read: mapping one, touching and unmapping it takes longer.
const MAPPED_FROM: u64 = 64 * 1024;

/// The bytes of a file that never changes.
pub(crate) struct FileBytes(Data);

impl FileBytes {
    /// All of a file that is kept open for long: its pages are the kernel's to drop.
    fn mapped(file: &File) -> io::Result<Self> {
        crate::sys::map_file(file).map(|map| Self(Data::Mapped(map)))
    }

    /// All of a file of a known length that is soon let go of.
    pub(crate) fn of(file: &File, length: u64) -> io::Result<Self> {
        if length > MAPPED_FROM {
            return Self::mapped(file);
        }
        let mut bytes = vec![0; length as usize];
        file.read_exact_at(&mut bytes, 0)?;
        Ok(Self(Data::Owned(bytes)))
    }
}

impl Deref for FileBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Data::Mapped(map) => map,
            Data::Owned(bytes) => bytes,
        }
    }
}

/// The numbers of one node, not yet checked against the other tables.
struct Record {
    name: (u32, u16),
    kind: u8,
    executable: u8,
    parent: u32,
    first: u32,
    extent: u64,
}

impl std::fmt::Debug for ViewManifest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ViewManifest").field("path", &self.path).field("nodes", &self.nodes).finish_non_exhaustive()
    }
}

impl ViewManifest {
    /// Maps a manifest; looks at its header only.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read, [`Error::Damaged`] if its header does not fit the file.
    pub fn open(path: &Path) -> Result<Self> {
        Self::from_file(path, &File::open(path).at("open view manifest", path)?)
    }

    fn from_file(path: &Path, file: &File) -> Result<Self> {
        let bytes = FileBytes::mapped(file).at("map view manifest", path)?;
        let whole = 0..bytes.len();
        Self::from_part(path, bytes, whole)
    }

    /// As [`Self::open`], and looks through one that a crash may have cut short.
    ///
    /// # Errors
    /// As [`Self::open`]; [`Error::Damaged`] if it is not whole.
    pub fn open_whole(path: &Path) -> Result<Self> {
        let file = File::open(path).at("open view manifest", path)?;
        let manifest = Self::from_file(path, &file)?;
        if !publish::is_certainly_whole(&file.metadata().at("look at", path)?) {
            manifest.verify_checksum()?;
        }
        Ok(manifest)
    }

    /// A manifest that is a part of a file.
    pub(crate) fn from_part(path: &Path, data: FileBytes, part: Range<usize>) -> Result<Self> {
        Self::new(path.to_owned(), data, part)
    }

    /// A manifest that is in memory.
    ///
    /// # Errors
    /// [`Error::Damaged`] if its header does not fit.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self> {
        let whole = 0..bytes.len();
        Self::new(PathBuf::from("(in memory)"), FileBytes(Data::Owned(bytes)), whole)
    }

    fn new(path: PathBuf, data: FileBytes, part: Range<usize>) -> Result<Self> {
        let mut manifest = Self { path, data, part, nodes: 0, digests: 0, digest_table: 0, names: 0 };
        let bytes = manifest.bytes();
        if bytes.get(..8) != Some(MAGIC.as_slice()) {
            return Err(manifest.damaged("it does not start like one"));
        }
        let header = (read_u32(bytes, 8), read_u32(bytes, 12), read_u32(bytes, 16), read_u32(bytes, 20));
        let (Some(version), Some(nodes), Some(digests), Some(names)) = header else {
            return Err(manifest.damaged("its header is cut short"));
        };
        if version != FORMAT_VERSION {
            return Err(manifest.damaged(format!("its format version {version} is unknown")));
        }
        if nodes == 0 || nodes > MAX_NODES {
            return Err(manifest.damaged(format!("it cannot have {nodes} nodes")));
        }
        manifest.digest_table = HEADER_SIZE + nodes as usize * NODE_SIZE;
        manifest.names = manifest.digest_table + digests as usize * DIGEST_SIZE;
        let expected = manifest.names + names as usize;
        if manifest.bytes().len() != expected {
            let found = manifest.bytes().len();
            return Err(manifest.damaged(format!("it has {found} bytes and not {expected}")));
        }
        (manifest.nodes, manifest.digests) = (nodes, digests);
        Ok(manifest)
    }

    fn bytes(&self) -> &[u8] {
        self.data.get(self.part.clone()).unwrap_or_default()
    }

    /// An error that names this manifest.
    pub(super) fn damaged(&self, reason: impl Into<String>) -> Error {
        Error::Damaged { what: "view manifest", path: self.path.clone(), reason: reason.into() }
    }

    /// Checks that the bytes are those that the builder wrote.
    ///
    /// # Errors
    /// [`Error::Damaged`].
    pub fn verify_checksum(&self) -> Result<()> {
        if self.bytes().get(CHECKSUM) == Some(checksum(self.bytes(), &[]).as_bytes().as_slice()) {
            return Ok(());
        }
        Err(self.damaged("its checksum does not match"))
    }

    /// Reads everything once: the checksum, then every node.
    ///
    /// # Errors
    /// [`Error::Damaged`].
    pub fn verify(&self) -> Result<()> {
        self.verify_checksum()?;
        let visited = self.walk().try_fold(1usize, |count, entry| entry.map(|_| count + 1))?;
        if visited == self.len() { Ok(()) } else { Err(self.damaged("some of its nodes are in no directory")) }
    }

    /// Where it was read from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The number of nodes, the root included.
    pub fn len(&self) -> usize {
        self.nodes as usize
    }

    /// True if the view has nothing in its root directory.
    pub fn is_empty(&self) -> bool {
        self.nodes == 1
    }

    /// The root directory.
    pub fn root(&self) -> NodeIndex {
        NodeIndex::ROOT
    }

    /// Reads one node.
    ///
    /// # Errors
    /// [`Error::Damaged`]; also for an index that this manifest does not have.
    pub fn node(&self, index: NodeIndex) -> Result<Node<'_>> {
        let record = self.record(index)?;
        let name = self.record_name(index, &record)?;
        let kind = match record.kind {
            KIND_DIRECTORY => {
                self.child_range(index, &record)?;
                NodeKind::Directory
            }
            KIND_FILE => NodeKind::File {
                digest: self.digest(index, record.first)?,
                size: record.extent,
                executable: self.flag(index, record.executable)?,
            },
            KIND_SYMLINK => NodeKind::Symlink { target: self.target(index, &record)? },
            other => return Err(self.damaged(format!("node {} is of the unknown kind {other}", index.0))),
        };
        Ok(Node { index, parent: NodeIndex(record.parent), name, kind })
    }

    /// The directory that holds a node; the root is its own parent.
    ///
    /// # Errors
    /// [`Error::Damaged`].
    pub fn parent(&self, index: NodeIndex) -> Result<NodeIndex> {
        Ok(NodeIndex(self.record(index)?.parent))
    }

    /// The relative path of a node, as text.
    ///
    /// # Errors
    /// [`Error::Damaged`].
    pub fn path_of(&self, mut index: NodeIndex) -> Result<String> {
        let mut names = Vec::new();
        // A parent comes before its children, so this ends.
        while index != NodeIndex::ROOT {
            let record = self.record(index)?;
            names.push(String::from_utf8_lossy(self.record_name(index, &record)?));
            index = NodeIndex(record.parent);
        }
        names.reverse();
        Ok(names.join("/"))
    }

    /// Finds a name in a directory by binary search; `None` also if `directory` is not one.
    ///
    /// # Errors
    /// [`Error::Damaged`].
    pub fn lookup(&self, directory: NodeIndex, name: &[u8]) -> Result<Option<NodeIndex>> {
        let record = self.record(directory)?;
        if record.kind != KIND_DIRECTORY {
            return Ok(None);
        }
        let mut range = self.child_range(directory, &record)?;
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

    /// The entries of a directory in the order of their names' bytes; none if it is not a directory.
    ///
    /// # Errors
    /// [`Error::Damaged`], also for single entries.
    pub fn children(&self, directory: NodeIndex) -> Result<impl Iterator<Item = Result<(&[u8], NodeIndex)>> + '_> {
        let range = self.children_range(directory)?;
        Ok(range.map(move |index| Ok((self.child_name(directory, index)?, NodeIndex(index)))))
    }

    /// The indexes of a directory's entries; empty if it is not a directory.
    ///
    /// # Errors
    /// [`Error::Damaged`].
    pub fn children_range(&self, directory: NodeIndex) -> Result<Range<u32>> {
        let record = self.record(directory)?;
        if record.kind == KIND_DIRECTORY { self.child_range(directory, &record) } else { Ok(0..0) }
    }

    /// Finds a relative path (`lib/python3.11/site-packages`); symlinks are not followed.
    ///
    /// # Errors
    /// [`Error::Damaged`].
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

    /// The tables of nodes, digests and names, as they are.
    pub(super) fn tables(&self) -> (&[u8], &[u8], &[u8]) {
        let bytes = self.bytes();
        let part = |range: Range<usize>| bytes.get(range).unwrap_or_default();
        (part(HEADER_SIZE..self.digest_table), part(self.digest_table..self.names), part(self.names..bytes.len()))
    }

    /// Nodes' records as they are.
    pub(super) fn raw(&self, nodes: Range<u32>) -> Result<&[u8]> {
        let place = |index: u32| HEADER_SIZE + index as usize * NODE_SIZE;
        let bytes = if nodes.end <= self.nodes { self.bytes().get(place(nodes.start)..place(nodes.end)) } else { None };
        bytes.ok_or_else(|| self.damaged(format!("it has no nodes {} to {}", nodes.start, nodes.end)))
    }

    fn record(&self, index: NodeIndex) -> Result<Record> {
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

    fn record_name(&self, index: NodeIndex, record: &Record) -> Result<&[u8]> {
        let (offset, length) = record.name;
        let name = self.name_bytes(offset, u64::from(length));
        let name = name.ok_or_else(|| self.damaged(format!("the name of node {} is out of bounds", index.0)))?;
        let acceptable = name.len() <= MAX_NAME
            && !name.iter().any(|byte| matches!(byte, 0 | b'/'))
            && !matches!(name, b"." | b"..")
            && name.is_empty() == (index.0 == 0);
        if acceptable { Ok(name) } else { Err(self.damaged(format!("node {} has an impossible name", index.0))) }
    }

    /// The name of a node that must be in `directory`: no node is in two directories.
    fn child_name(&self, directory: NodeIndex, index: u32) -> Result<&[u8]> {
        let record = self.record(NodeIndex(index))?;
        if record.parent != directory.0 {
            return Err(self.damaged(format!("node {index} is not in the directory {} that lists it", directory.0)));
        }
        self.record_name(NodeIndex(index), &record)
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
        let start = self.names.checked_add(offset as usize)?;
        let end = start.checked_add(usize::try_from(length).ok()?)?;
        self.bytes().get(start..end)
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

fn read_u32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}
