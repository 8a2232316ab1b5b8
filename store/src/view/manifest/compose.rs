//! Puts trees together to one: whole tables are taken as they are, nothing is parsed, and only directories that several
//! trees have are merged. What it costs follows from the number of nodes only by a few additions for each.
//!
//! Names and digests of the parts are kept as they are, one part after the other; the order of the nodes is the one that
//! a [`super::ManifestBuilder`] would give them. The same parts give the same bytes.

use super::builder::{Encoded, Tables};
use super::{KIND_DIRECTORY, KIND_FILE, KIND_SYMLINK, MAX_NODES, NODE_SIZE, NodeIndex, ViewManifest};
use crate::digest::Digest;
use crate::error::{Error, Result};
use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

/// Two parts with different files at one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlap {
    /// The path.
    pub path: String,
    /// The part whose file is kept.
    pub kept: usize,
    /// The part whose file is not.
    pub dropped: usize,
}

/// Trees to be put together; where files or links meet, the later part's is kept.
#[derive(Default)]
pub struct Composition<'part> {
    parts: Vec<&'part ViewManifest>,
    root: Skeleton,
}

/// Directories in which parts begin.
#[derive(Default)]
struct Skeleton {
    children: BTreeMap<String, Skeleton>,
    sources: Vec<Source>,
}

/// A node of a part.
#[derive(Debug, Clone, Copy)]
struct Source {
    part: usize,
    node: NodeIndex,
}

/// A directory that is to be written: its index in the result, and what it is made of.
enum Pending<'skeleton> {
    /// One part's alone, as nearly all are.
    Copy(u32, Source),
    /// Of several parts, or one in which parts begin, with its path.
    Merge(u32, String, Vec<Source>, Option<&'skeleton Skeleton>),
}

/// What becomes of a name.
enum Merged<'skeleton> {
    Directory(Vec<Source>, Option<&'skeleton Skeleton>),
    Leaf(Source),
}

impl<'part> Composition<'part> {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a tree: for each of `places`, its directory (a name in its root, or all of it) goes to a path. Returns the
    /// part's number.
    ///
    /// # Errors
    /// [`Error::Damaged`].
    pub fn add(&mut self, part: &'part ViewManifest, places: &[(Option<&str>, &str)]) -> Result<usize> {
        let number = self.parts.len();
        self.parts.push(part);
        for (directory, path) in places {
            let node = match directory {
                None => Some(NodeIndex::ROOT),
                Some(name) => part.lookup(NodeIndex::ROOT, name.as_bytes())?,
            };
            let Some(node) = node else { continue };
            let mut skeleton = &mut self.root;
            for name in path.split('/').filter(|name| !name.is_empty()) {
                skeleton = skeleton.children.entry(name.to_owned()).or_default();
            }
            skeleton.sources.push(Source { part: number, node });
        }
        Ok(number)
    }

    /// The manifest of it all, and where files of one part took the place of another's.
    ///
    /// # Errors
    /// [`Error::View`] if a file is where another part has a directory; [`Error::Damaged`].
    pub fn finish(self) -> Result<(Encoded<'part>, Vec<Overlap>)> {
        let mut writer = Writer::new(self.parts)?;
        let mut queue = VecDeque::new();
        writer.push_directory(0, b"", 0)?;
        let sources = self.root.sources.clone();
        queue.push_back(Pending::Merge(0, String::new(), sources, Some(&self.root)));
        while let Some(directory) = queue.pop_front() {
            match directory {
                Pending::Copy(index, source) => writer.copy(index, source, &mut queue)?,
                Pending::Merge(index, path, sources, skeleton) => {
                    writer.merge((index, &path), sources, skeleton, &mut queue)?;
                }
            }
        }
        let overlaps = std::mem::take(&mut writer.overlaps);
        Ok((writer.tables.encode()?, overlaps))
    }
}

struct Writer<'part> {
    parts: Vec<&'part ViewManifest>,
    /// Where the names and the digests of each part begin.
    bases: Vec<(u32, u32)>,
    tables: Tables<'part>,
    /// The index that the next directory's first child will have.
    next: u32,
    overlaps: Vec<Overlap>,
}

impl<'part> Writer<'part> {
    fn new(parts: Vec<&'part ViewManifest>) -> Result<Self> {
        let mut tables = Tables::with_capacity(parts.iter().map(|part| part.len()).sum());
        let mut bases = Vec::with_capacity(parts.len());
        for part in &parts {
            bases.push((tables.offset()?, tables.digest_count()?));
            let (_, digests, names) = part.tables();
            tables.digests.add_others(digests);
            tables.names.add_others(names);
        }
        Ok(Self { parts, bases, tables, next: 1, overlaps: Vec::new() })
    }

    /// The entries of a directory that one part alone has.
    fn copy(&mut self, index: u32, source: Source, queue: &mut VecDeque<Pending<'_>>) -> Result<()> {
        let part = self.part(source.part)?;
        let children = part.children_range(source.node)?;
        self.begin(index, children.len())?;
        self.copy_nodes(index, source.part, children, queue)
    }

    /// Nodes that stand side by side, as they are, with what they refer to moved.
    fn copy_nodes(
        &mut self,
        parent: u32,
        number: usize,
        nodes: Range<u32>,
        queue: &mut VecDeque<Pending<'_>>,
    ) -> Result<()> {
        let part = self.part(number)?;
        let (names, digests) = self.bases.get(number).copied().ok_or_else(too_large)?;
        let first = self.tables.count;
        let copies = self.tables.push_raw(part.raw(nodes.clone())?)?;
        for ((copy, node), index) in copies.as_chunks_mut::<NODE_SIZE>().0.iter_mut().zip(nodes).zip(first..) {
            move_number::<0>(copy, names)?;
            copy[8..12].copy_from_slice(&parent.to_le_bytes());
            match copy[6] {
                KIND_DIRECTORY => {
                    queue.push_back(Pending::Copy(index, Source { part: number, node: NodeIndex(node) }));
                }
                KIND_FILE => move_number::<12>(copy, digests)?,
                KIND_SYMLINK => move_number::<12>(copy, names)?,
                other => return Err(part.damaged(format!("node {node} is of the unknown kind {other}"))),
            }
        }
        Ok(())
    }

    /// The entries of a directory that several parts have, or in which parts begin.
    fn merge<'skeleton>(
        &mut self,
        (index, path): (u32, &str),
        mut sources: Vec<Source>,
        skeleton: Option<&'skeleton Skeleton>,
        queue: &mut VecDeque<Pending<'skeleton>>,
    ) -> Result<()>
    where
        'part: 'skeleton,
    {
        sources.sort_by_key(|source| source.part);
        let entries = self.entries(path, &sources, skeleton)?;
        self.begin(index, entries.len())?;
        for (name, merged) in entries {
            match merged {
                Merged::Leaf(Source { part, node }) => self.copy_nodes(index, part, one(node), queue)?,
                Merged::Directory(sources, skeleton) => {
                    let below = self.tables.count;
                    queue.push_back(match (&sources[..], skeleton) {
                        ([only], None) => Pending::Copy(below, *only),
                        _ => Pending::Merge(below, join(path, name), sources, skeleton),
                    });
                    self.push_directory(index, name, 0)?;
                }
            }
        }
        Ok(())
    }

    fn entries<'skeleton>(
        &mut self,
        path: &str,
        sources: &[Source],
        skeleton: Option<&'skeleton Skeleton>,
    ) -> Result<BTreeMap<&'skeleton [u8], Merged<'skeleton>>>
    where
        'part: 'skeleton,
    {
        let mut entries: BTreeMap<&'skeleton [u8], Merged<'skeleton>> = BTreeMap::new();
        for (name, skeleton) in skeleton.iter().flat_map(|skeleton| &skeleton.children) {
            entries.insert(name.as_bytes(), Merged::Directory(skeleton.sources.clone(), Some(skeleton)));
        }
        for source in sources {
            let part = self.part(source.part)?;
            for child in part.children(source.node)? {
                let (name, node) = child?;
                let new = Source { part: source.part, node };
                let is_directory = part.raw(one(node))?.get(6) == Some(&KIND_DIRECTORY);
                match entries.get_mut(name) {
                    None if is_directory => drop(entries.insert(name, Merged::Directory(vec![new], None))),
                    None => drop(entries.insert(name, Merged::Leaf(new))),
                    Some(Merged::Directory(sources, _)) if is_directory => sources.push(new),
                    Some(Merged::Leaf(before)) if !is_directory => {
                        self.overlap(join(path, name), *before, new)?;
                        *before = new;
                    }
                    Some(_) => {
                        let path = join(path, name);
                        return Err(Error::View(format!("{path:?} needs a directory where there is a file")));
                    }
                }
            }
        }
        Ok(entries)
    }

    /// Two files or links at one path: the later is kept.
    fn overlap(&mut self, path: String, before: Source, now: Source) -> Result<()> {
        let (old, new) = (self.content(before)?, self.content(now)?);
        if old.is_none() || old != new {
            self.overlaps.push(Overlap { path, kept: now.part, dropped: before.part });
        }
        Ok(())
    }

    /// A file's digest; `None` for a link.
    fn content(&self, source: Source) -> Result<Option<Digest>> {
        match self.part(source.part)?.node(source.node)?.kind {
            super::NodeKind::File { digest, .. } => Ok(Some(digest)),
            _ => Ok(None),
        }
    }

    fn part(&self, number: usize) -> Result<&'part ViewManifest> {
        self.parts.get(number).copied().ok_or_else(too_large)
    }

    fn push_directory(&mut self, parent: u32, name: &[u8], extent: u64) -> Result<()> {
        self.tables.push(name, KIND_DIRECTORY, false, parent, (0, extent))
    }

    /// Writes into a directory's node where its entries begin, and how many they are.
    fn begin(&mut self, index: u32, count: usize) -> Result<()> {
        let count = u32::try_from(count).map_err(|_| too_large())?;
        let start = index as usize * NODE_SIZE;
        let node = self.tables.nodes.get_mut(start..start + NODE_SIZE).ok_or_else(too_large)?;
        node[12..16].copy_from_slice(&self.next.to_le_bytes());
        node[16..].copy_from_slice(&u64::from(count).to_le_bytes());
        self.next = self.next.checked_add(count).filter(|end| *end <= MAX_NODES).ok_or_else(too_large)?;
        Ok(())
    }
}

fn one(node: NodeIndex) -> Range<u32> {
    node.0..node.0.saturating_add(1)
}

fn too_large() -> Error {
    Error::View(format!("it would have more than {MAX_NODES} files or too many names"))
}

fn join(path: &str, name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name);
    if path.is_empty() { name.into_owned() } else { format!("{path}/{name}") }
}

/// Adds to the number at a place in a node's record.
fn move_number<const PLACE: usize>(node: &mut [u8; NODE_SIZE], by: u32) -> Result<()> {
    let slot = &mut node[PLACE..PLACE + 4];
    let number = slot.first_chunk::<4>().map(|bytes| u32::from_le_bytes(*bytes)).and_then(|old| old.checked_add(by));
    slot.copy_from_slice(&number.ok_or_else(too_large)?.to_le_bytes());
    Ok(())
}
