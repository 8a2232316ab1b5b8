//! Puts trees together to one: whole tables are taken as they are, nothing is parsed, and only directories that several
//! trees have are merged. What it costs follows from the number of nodes only by a few additions for each, and by nothing
//! for a large wheel's: its directories are referred to.
//!
//! Names and digests of the parts are kept as they are, one part after the other; the order of the nodes is the one that
//! a [`super::ManifestBuilder`] would give them. The same parts give the same bytes.

use super::table::Table;
use super::writer::{Encoded, Referred, Tables, too_large};
use super::{KIND_DIRECTORY, KIND_FILE, KIND_SYMLINK, MAX_NODES, NODE_SIZE, NodeIndex, NodeKind, ViewManifest};
use crate::digest::{Digest, Sha256};
use crate::error::{Error, Result};
use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;

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
    parts: Vec<Part<'part>>,
    root: Skeleton,
    /// Wheels of fewer nodes are copied.
    referred_from: u32,
}

/// A tree, and the wheel that it is of, if it may be referred to.
struct Part<'part> {
    table: &'part Table,
    wheel: Option<Sha256>,
}

/// What becomes of a part's names and digests.
#[derive(Clone, Copy)]
enum Kept {
    /// They are in the result, and begin there.
    Copied { names: u32, digests: u32 },
    /// They stay where they are, and the part is the wheel of this number.
    Referred(u32),
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
    /// Nothing yet; wheels of at least so many nodes will be referred to.
    pub fn referring_from(nodes: u32) -> Self {
        Self { referred_from: nodes, ..Self::default() }
    }

    /// Adds a tree: for each of `places`, its directory (a name in its root, or all of it) goes to a path. Returns the
    /// part's number. If it is the tree of a wheel, that may be referred to.
    ///
    /// # Errors
    /// [`Error::View`] if the tree itself refers to others; [`Error::Damaged`].
    pub fn add(
        &mut self,
        part: &'part ViewManifest,
        wheel: Option<Sha256>,
        places: &[(Option<&str>, &str)],
    ) -> Result<usize> {
        if part.is_grafted() {
            return Err(Error::View(format!("{} is not the tree of one wheel", part.path().display())));
        }
        let number = self.parts.len();
        let wheel = wheel.filter(|_| part.own.len() >= self.referred_from);
        self.parts.push(Part { table: &part.own, wheel });
        for (directory, path) in places {
            let node = match directory {
                None => Some(NodeIndex::ROOT),
                Some(name) => part.own.lookup(NodeIndex::ROOT, name.as_bytes())?,
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
        writer.tables.push_directory(b"", 0, (0, 0))?;
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
    parts: Vec<(&'part Table, Kept)>,
    tables: Tables<'part>,
    /// The index that the next directory's first child will have.
    next: u32,
    overlaps: Vec<Overlap>,
}

impl<'part> Writer<'part> {
    fn new(parts: Vec<Part<'part>>) -> Result<Self> {
        let copied = parts.iter().filter(|part| part.wheel.is_none()).map(|part| part.table.len() as usize).sum();
        let (mut tables, mut kept) = (Tables::with_capacity(copied), Vec::with_capacity(parts.len()));
        for Part { table, wheel } in parts {
            let become_of = match wheel {
                None => {
                    let (names, digests) = (tables.offset()?, tables.digest_count()?);
                    let (others_digests, others_names) = table.digests_and_names();
                    tables.digests.add_others(others_digests);
                    tables.names.add_others(others_names);
                    Kept::Copied { names, digests }
                }
                Some(sha256) => {
                    let number = u32::try_from(tables.grafts.len()).map_err(|_| too_large())?;
                    let (checksum, nodes, places) = (table.checksum().to_vec(), table.len(), Vec::new());
                    tables.grafts.push(Referred { sha256, checksum, nodes, places });
                    Kept::Referred(number)
                }
            };
            kept.push((table, become_of));
        }
        Ok(Self { parts: kept, tables, next: 1, overlaps: Vec::new() })
    }

    /// The entries of a directory that one part alone has.
    fn copy(&mut self, index: u32, source: Source, queue: &mut VecDeque<Pending<'_>>) -> Result<()> {
        let children = self.part(source.part)?.0.children(source.node)?;
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
        let (part, kept) = self.part(number)?;
        let Kept::Copied { names, digests } = kept else {
            return nodes.into_iter().try_for_each(|node| self.write_leaf(parent, part, NodeIndex(node)));
        };
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

    /// A file or link of a part whose names and digests are not in the result.
    fn write_leaf(&mut self, parent: u32, part: &Table, node: NodeIndex) -> Result<()> {
        let record = part.record(node)?;
        let name = part.name(node, &record)?;
        match part.kind(node, &record)? {
            NodeKind::File { digest, size, executable } => {
                self.tables.push_file(name, parent, (&digest, size, executable))
            }
            NodeKind::Symlink { target } => self.tables.push_symlink(name, parent, target.as_os_str().as_bytes()),
            NodeKind::Directory => Err(part.damaged(format!("node {} is a directory", node.0))),
        }
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
                    if let ([only], None) = (&sources[..], skeleton) {
                        if let Kept::Referred(wheel) = self.part(only.part)?.1 {
                            self.tables.push_graft(name, index, wheel, only.node)?;
                            continue;
                        }
                        queue.push_back(Pending::Copy(below, *only));
                    } else {
                        queue.push_back(Pending::Merge(below, join(path, name), sources, skeleton));
                    }
                    self.tables.push_directory(name, index, (0, 0))?;
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
            let (part, _) = self.part(source.part)?;
            for child in part.children(source.node)? {
                let (name, node) = (part.child_name(source.node, child)?, NodeIndex(child));
                let new = Source { part: source.part, node };
                let is_directory = part.record(node)?.kind == KIND_DIRECTORY;
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
        let (part, _) = self.part(source.part)?;
        match part.kind(source.node, &part.record(source.node)?)? {
            NodeKind::File { digest, .. } => Ok(Some(digest)),
            _ => Ok(None),
        }
    }

    fn part(&self, number: usize) -> Result<(&'part Table, Kept)> {
        self.parts.get(number).copied().ok_or_else(too_large)
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
