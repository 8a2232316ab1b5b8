//! Builds a manifest: collects a tree of paths, then writes it in its one canonical order.

use super::{
    CHECKSUM, FORMAT_VERSION, HEADER_SIZE, KIND_DIRECTORY, KIND_FILE, KIND_SYMLINK, MAGIC, MAX_NAME, MAX_NODES,
};
use crate::digest::Digest;
use crate::error::{Error, Result};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Collects the files of a view; paths are relative, with `/` between names.
#[derive(Debug, Default)]
pub struct ManifestBuilder {
    root: Directory,
}

type Directory = BTreeMap<String, Tree>;

#[derive(Debug, PartialEq, Eq)]
enum Tree {
    Directory(Directory),
    File { digest: Digest, size: u64, executable: bool },
    Symlink(Vec<u8>),
}

impl ManifestBuilder {
    /// An empty view.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a directory and its parents; one that exists already is fine.
    ///
    /// # Errors
    /// [`Error::View`] if the path is not acceptable or a file is in the way.
    pub fn directory(&mut self, path: &str) -> Result<&mut Self> {
        descend(&mut self.root, path, path.split('/'))?;
        Ok(self)
    }

    /// Adds a file and its parents.
    ///
    /// # Errors
    /// [`Error::View`] if the path is not acceptable or something else is there already.
    pub fn file(&mut self, path: &str, digest: Digest, size: u64, executable: bool) -> Result<&mut Self> {
        self.leaf(path, Tree::File { digest, size, executable })
    }

    /// Adds a symbolic link and its parents; the target is kept as it is.
    ///
    /// # Errors
    /// [`Error::View`] if the path or target is not acceptable or something else is there already.
    pub fn symlink(&mut self, path: &str, target: impl AsRef<Path>) -> Result<&mut Self> {
        let target = target.as_ref().as_os_str().as_bytes();
        if target.is_empty() || target.len() > 4095 || target.contains(&0) {
            return Err(Error::View(format!("the link {path:?} cannot have this target")));
        }
        self.leaf(path, Tree::Symlink(target.to_vec()))
    }

    fn leaf(&mut self, path: &str, tree: Tree) -> Result<&mut Self> {
        let (parents, name) = match path.rsplit_once('/') {
            Some((parents, name)) => (Some(parents), name),
            None => (None, path),
        };
        check_name(path, name)?;
        let parents = parents.into_iter().flat_map(|parents| parents.split('/'));
        let directory = descend(&mut self.root, path, parents)?;
        match directory.get(name) {
            None => {
                directory.insert(name.to_owned(), tree);
                Ok(self)
            }
            Some(present) if *present == tree => Ok(self),
            Some(_) => Err(Error::View(format!("{path:?} is there twice with different content"))),
        }
    }

    /// The manifest's canonical bytes.
    ///
    /// # Errors
    /// [`Error::View`] if there are too many files for one view.
    pub fn finish(&self) -> Result<Vec<u8>> {
        let mut digests = BTreeSet::new();
        collect_digests(&self.root, &mut digests);
        let digests: Vec<Digest> = digests.into_iter().collect();
        let mut tables = Tables { digests: &digests, nodes: Vec::new(), count: 0, names: Names::default() };
        tables.write(&self.root)?;
        let names = tables.names.bytes;
        let name_bytes = u32::try_from(names.len()).map_err(|_| too_large())?;

        let mut bytes = vec![0; HEADER_SIZE];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..12].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
        bytes[12..16].copy_from_slice(&tables.count.to_le_bytes());
        // fewer digests than nodes, and those fit
        bytes[16..20].copy_from_slice(&(digests.len() as u32).to_le_bytes());
        bytes[20..24].copy_from_slice(&name_bytes.to_le_bytes());
        bytes.extend_from_slice(&tables.nodes);
        digests.iter().for_each(|digest| bytes.extend_from_slice(digest.as_bytes()));
        bytes.extend_from_slice(&names);
        let checksum = super::reader::checksum(&bytes);
        bytes[CHECKSUM].copy_from_slice(checksum.as_bytes());
        Ok(bytes)
    }
}

fn too_large() -> Error {
    Error::View(format!("it would have more than {MAX_NODES} files or too many names"))
}

fn check_name(path: &str, name: &str) -> Result<()> {
    let bad = name.is_empty() || name == "." || name == ".." || name.len() > MAX_NAME || name.contains('\0');
    if bad { Err(Error::View(format!("{path:?} is not an acceptable relative path"))) } else { Ok(()) }
}

/// The directory that the names lead to, made where it is missing.
fn descend<'tree, 'path>(
    mut directory: &'tree mut Directory,
    path: &str,
    names: impl Iterator<Item = &'path str>,
) -> Result<&'tree mut Directory> {
    for name in names {
        check_name(path, name)?;
        let child = directory.entry(name.to_owned()).or_insert_with(|| Tree::Directory(Directory::new()));
        let Tree::Directory(next) = child else {
            return Err(Error::View(format!("{path:?} needs a directory where there is a file")));
        };
        directory = next;
    }
    Ok(directory)
}

fn collect_digests(directory: &Directory, digests: &mut BTreeSet<Digest>) {
    for tree in directory.values() {
        match tree {
            Tree::Directory(children) => collect_digests(children, digests),
            Tree::File { digest, .. } => drop(digests.insert(*digest)),
            Tree::Symlink(_) => {}
        }
    }
}

/// Bytes that are each kept once.
#[derive(Default)]
struct Names<'tree> {
    bytes: Vec<u8>,
    known: HashMap<&'tree [u8], u32>,
}

impl<'tree> Names<'tree> {
    fn offset(&mut self, name: &'tree [u8]) -> Result<u32> {
        if let Some(offset) = self.known.get(name) {
            return Ok(*offset);
        }
        let offset = u32::try_from(self.bytes.len()).map_err(|_| too_large())?;
        self.bytes.extend_from_slice(name);
        self.known.insert(name, offset);
        Ok(offset)
    }
}

struct Tables<'tree> {
    digests: &'tree [Digest],
    nodes: Vec<u8>,
    count: u32,
    names: Names<'tree>,
}

impl<'tree> Tables<'tree> {
    /// Breadth first, so that siblings are contiguous; each directory's first child is known when the
    /// directory itself is written: all nodes already queued come before it.
    fn write(&mut self, root: &'tree Directory) -> Result<()> {
        let mut queue = std::collections::VecDeque::new();
        let mut next = 1u32;
        self.push("", KIND_DIRECTORY, false, 0, next, root.len() as u64)?;
        next = reserve(next, root)?;
        queue.push_back((0u32, root));
        while let Some((parent, directory)) = queue.pop_front() {
            for (name, tree) in directory {
                let index = self.count;
                match tree {
                    Tree::Directory(children) => {
                        self.push(name, KIND_DIRECTORY, false, parent, next, children.len() as u64)?;
                        next = reserve(next, children)?;
                        queue.push_back((index, children));
                    }
                    Tree::File { digest, size, executable } => {
                        // every digest was collected; the error arm cannot be reached
                        let slot = self.digests.binary_search(digest).map_err(|_| too_large())?;
                        self.push(name, KIND_FILE, *executable, parent, slot as u32, *size)?;
                    }
                    Tree::Symlink(target) => {
                        let offset = self.names.offset(target)?;
                        self.push(name, KIND_SYMLINK, false, parent, offset, target.len() as u64)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn push(
        &mut self,
        name: &'tree str,
        kind: u8,
        executable: bool,
        parent: u32,
        first: u32,
        extent: u64,
    ) -> Result<()> {
        let offset = self.names.offset(name.as_bytes())?;
        self.nodes.extend_from_slice(&offset.to_le_bytes());
        // at most MAX_NAME
        self.nodes.extend_from_slice(&(name.len() as u16).to_le_bytes());
        self.nodes.extend_from_slice(&[kind, u8::from(executable)]);
        self.nodes.extend_from_slice(&parent.to_le_bytes());
        self.nodes.extend_from_slice(&first.to_le_bytes());
        self.nodes.extend_from_slice(&extent.to_le_bytes());
        self.count += 1;
        Ok(())
    }
}

/// The index after the children of `directory`, if they still fit.
fn reserve(next: u32, directory: &Directory) -> Result<u32> {
    u32::try_from(directory.len())
        .ok()
        .and_then(|count| next.checked_add(count))
        .filter(|end| *end <= MAX_NODES)
        .ok_or_else(too_large)
}
