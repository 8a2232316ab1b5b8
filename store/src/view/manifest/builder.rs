//! Builds a manifest: collects a tree of paths, then writes it in its one canonical order.
//!
//! Views of tens of thousands of files are built while somebody waits: files mostly come directory by directory and
//! in order, so the directory of the last one is remembered and entries are appended.

use super::{
    CHECKSUM, DIGEST_SIZE, FORMAT_VERSION, HEADER_SIZE, KIND_DIRECTORY, KIND_FILE, KIND_SYMLINK, MAGIC, MAX_NAME,
    MAX_NODES, NODE_SIZE,
};
use crate::digest::Digest;
use crate::error::{Error, Result};
use std::collections::VecDeque;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// A tree under construction. Paths are relative, with `/` between names; parents are made as needed.
#[derive(Debug)]
pub struct ManifestBuilder {
    /// The first is the root.
    directories: Vec<Vec<Child>>,
    /// The directory that was descended to last, by its path.
    last: Option<(String, Place)>,
}

/// A directory of a tree under construction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place(usize);

impl Place {
    const ROOT: Place = Place(0);
}

/// The children of a directory are sorted by name.
#[derive(Debug)]
struct Child {
    name: Box<str>,
    entry: Entry,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    Directory(Place),
    File { digest: Digest, size: u64, executable: bool },
    Symlink(Vec<u8>),
}

impl Default for ManifestBuilder {
    fn default() -> Self {
        Self { directories: vec![Vec::new()], last: None }
    }
}

impl ManifestBuilder {
    /// An empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a directory; fine if it is there already.
    ///
    /// # Errors
    /// [`Error::View`] for an unacceptable path or one that leads through a file.
    pub fn directory(&mut self, path: &str) -> Result<&mut Self> {
        self.descend(path, path)?;
        Ok(self)
    }

    /// Adds a file; the same file again is fine, another one at its path is not.
    ///
    /// # Errors
    /// [`Error::View`] for an unacceptable path or a conflict.
    pub fn file(&mut self, path: &str, digest: Digest, size: u64, executable: bool) -> Result<&mut Self> {
        self.leaf(path, Entry::File { digest, size, executable })
    }

    /// Adds a symlink; its target is kept as it is.
    ///
    /// # Errors
    /// [`Error::View`] for an unacceptable path or target, or a conflict.
    pub fn symlink(&mut self, path: &str, target: impl AsRef<Path>) -> Result<&mut Self> {
        let target = target.as_ref().as_os_str().as_bytes();
        if target.is_empty() || target.len() > 4095 || target.contains(&0) {
            return Err(Error::View(format!("the link {path:?} cannot have this target")));
        }
        self.leaf(path, Entry::Symlink(target.to_vec()))
    }

    fn leaf(&mut self, path: &str, entry: Entry) -> Result<&mut Self> {
        let (directory, name) = self.parent(path)?;
        match self.find_or_add(directory, name, || entry.clone()) {
            Some(present) if *present != entry => Err(conflict(path)),
            _ => Ok(self),
        }
    }

    /// The directory that holds the last name of a path, and that name.
    fn parent<'path>(&mut self, path: &'path str) -> Result<(Place, &'path str)> {
        let (parents, name) = path.rsplit_once('/').map_or((None, path), |(parents, name)| (Some(parents), name));
        check_name(path, name)?;
        let directory = match (parents, &self.last) {
            (None, _) => Place::ROOT,
            (Some(parents), Some((last, place))) if last == parents => *place,
            (Some(parents), _) => self.descend(path, parents)?,
        };
        Ok((directory, name))
    }

    /// Walks down a way, making directories as needed; `path` is what errors speak of.
    fn descend(&mut self, path: &str, way: &str) -> Result<Place> {
        let mut directory = Place::ROOT;
        for name in way.split('/') {
            check_name(path, name)?;
            let new = Place(self.directories.len());
            directory = match self.find_or_add(directory, name, || Entry::Directory(new)) {
                Some(Entry::Directory(next)) => *next,
                Some(_) => return Err(Error::View(format!("{path:?} needs a directory where there is a file"))),
                None => {
                    self.directories.push(Vec::new());
                    new
                }
            };
        }
        self.last = Some((way.to_owned(), directory));
        Ok(directory)
    }

    /// What a directory has of a name; if it has nothing, `make` is added.
    fn find_or_add(&mut self, directory: Place, name: &str, make: impl FnOnce() -> Entry) -> Option<&mut Entry> {
        let children = self.directories.get_mut(directory.0)?;
        let place = match children.last() {
            Some(last) if *last.name < *name => children.len(),
            _ => match children.binary_search_by(|child| (*child.name).cmp(name)) {
                Ok(found) => return children.get_mut(found).map(|child| &mut child.entry),
                Err(place) => place,
            },
        };
        children.insert(place, Child { name: name.into(), entry: make() });
        None
    }

    /// The manifest's bytes. The same tree gives the same bytes.
    ///
    /// # Errors
    /// [`Error::View`] if the view is too large for the format.
    pub fn finish(&self) -> Result<Vec<u8>> {
        let count = 1 + self.directories.iter().map(Vec::len).sum::<usize>();
        if count > MAX_NODES as usize {
            return Err(too_large());
        }
        let mut tables = Tables::with_capacity(count);
        tables.write(&self.directories)?;
        Ok(tables.encode()?.to_bytes())
    }
}

/// A manifest's bytes in pieces: what lies in other manifests already is not copied to be written.
pub struct Encoded<'part> {
    /// Without the checksum.
    header: [u8; HEADER_SIZE],
    nodes: Vec<u8>,
    digests: Table<'part>,
    names: Table<'part>,
}

impl Encoded<'_> {
    /// What the manifest begins with. It is made of all the rest, which takes its time.
    pub fn header(&self) -> [u8; HEADER_SIZE] {
        let mut header = self.header;
        let checksum = super::reader::checksum(&self.header, &self.tables());
        header[CHECKSUM].copy_from_slice(checksum.as_bytes());
        header
    }

    /// One after the other they follow the header.
    pub fn tables(&self) -> Vec<&[u8]> {
        [&self.nodes[..]].into_iter().chain(self.digests.pieces()).chain(self.names.pieces()).collect()
    }

    /// All of it.
    pub fn to_bytes(&self) -> Vec<u8> {
        [&self.header()[..]].into_iter().chain(self.tables()).collect::<Vec<_>>().concat()
    }
}

/// Entries of other manifests, and then one's own.
#[derive(Default)]
pub(super) struct Table<'part> {
    others: Vec<&'part [u8]>,
    others_length: usize,
    own: Vec<u8>,
}

impl<'part> Table<'part> {
    fn len(&self) -> usize {
        self.others_length + self.own.len()
    }

    /// Adds another manifest's; only while there is nothing of one's own.
    pub(super) fn add_others(&mut self, bytes: &'part [u8]) {
        debug_assert!(self.own.is_empty());
        self.others.push(bytes);
        self.others_length += bytes.len();
    }

    fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        self.others.iter().copied().chain([&self.own[..]])
    }
}

fn too_large() -> Error {
    Error::View(format!("it would have more than {MAX_NODES} files or too many names"))
}

fn conflict(path: &str) -> Error {
    Error::View(format!("{path:?} is there twice with different content"))
}

fn check_name(path: &str, name: &str) -> Result<()> {
    let bad = matches!(name, "" | "." | "..") || name.len() > MAX_NAME || name.contains('\0');
    if bad { Err(Error::View(format!("{path:?} is not an acceptable relative path"))) } else { Ok(()) }
}

/// The tables while they are written: directories first come, first served.
pub(super) struct Tables<'part> {
    pub(super) nodes: Vec<u8>,
    pub(super) digests: Table<'part>,
    pub(super) names: Table<'part>,
    pub(super) count: u32,
}

impl<'part> Tables<'part> {
    /// Room for so many nodes.
    pub(super) fn with_capacity(count: usize) -> Self {
        let nodes = Vec::with_capacity(count * NODE_SIZE);
        Self { nodes, digests: Table::default(), names: Table::default(), count: 0 }
    }

    /// The tables behind their header.
    pub(super) fn encode(self) -> Result<Encoded<'part>> {
        let mut header = [0; HEADER_SIZE];
        header[..8].copy_from_slice(MAGIC);
        header[8..12].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
        header[12..16].copy_from_slice(&self.count.to_le_bytes());
        header[16..20].copy_from_slice(&self.digest_count()?.to_le_bytes());
        header[20..24].copy_from_slice(&self.offset()?.to_le_bytes());
        let Self { nodes, digests, names, .. } = self;
        Ok(Encoded { header, nodes, digests, names })
    }

    fn write(&mut self, directories: &[Vec<Child>]) -> Result<()> {
        let children = |place: Place| directories.get(place.0).map_or(&[][..], Vec::as_slice);
        let mut queue = VecDeque::from([(0u32, children(Place::ROOT))]);
        // the index that the first child of the next directory will have; all fit, see `finish`
        let mut next = 1 + children(Place::ROOT).len() as u32;
        self.push(b"", KIND_DIRECTORY, false, 0, (1, u64::from(next) - 1))?;
        while let Some((parent, entries)) = queue.pop_front() {
            for Child { name, entry } in entries {
                match entry {
                    Entry::Directory(place) => {
                        let below = children(*place);
                        queue.push_back((self.count, below));
                        self.push(name.as_bytes(), KIND_DIRECTORY, false, parent, (next, below.len() as u64))?;
                        next += below.len() as u32;
                    }
                    Entry::File { digest, size, executable } => {
                        let slot = self.digest_count()?;
                        self.digests.own.extend_from_slice(digest.as_bytes());
                        self.push(name.as_bytes(), KIND_FILE, *executable, parent, (slot, *size))?;
                    }
                    Entry::Symlink(target) => {
                        let offset = self.offset()?;
                        self.names.own.extend_from_slice(target);
                        self.push(name.as_bytes(), KIND_SYMLINK, false, parent, (offset, target.len() as u64))?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Where the next name begins.
    pub(super) fn offset(&self) -> Result<u32> {
        u32::try_from(self.names.len()).map_err(|_| too_large())
    }

    pub(super) fn digest_count(&self) -> Result<u32> {
        u32::try_from(self.digests.len() / DIGEST_SIZE).map_err(|_| too_large())
    }

    pub(super) fn push(
        &mut self,
        name: &[u8],
        kind: u8,
        executable: bool,
        parent: u32,
        (first, extent): (u32, u64),
    ) -> Result<()> {
        let offset = self.offset()?;
        self.names.own.extend_from_slice(name);
        let mut node = [0u8; NODE_SIZE];
        node[..4].copy_from_slice(&offset.to_le_bytes());
        // at most MAX_NAME
        node[4..6].copy_from_slice(&(name.len() as u16).to_le_bytes());
        node[6..8].copy_from_slice(&[kind, u8::from(executable)]);
        node[8..12].copy_from_slice(&parent.to_le_bytes());
        node[12..16].copy_from_slice(&first.to_le_bytes());
        node[16..].copy_from_slice(&extent.to_le_bytes());
        self.push_raw(&node).map(drop)
    }

    /// Adds whole records, and returns them.
    pub(super) fn push_raw(&mut self, nodes: &[u8]) -> Result<&mut [u8]> {
        let count = u32::try_from(nodes.len() / NODE_SIZE).ok().and_then(|more| self.count.checked_add(more));
        self.count = count.filter(|count| *count <= MAX_NODES).ok_or_else(too_large)?;
        let start = self.nodes.len();
        self.nodes.extend_from_slice(nodes);
        Ok(&mut self.nodes[start..])
    }
}
