//! Builds a manifest: collects a tree of paths, then writes it in its one canonical order.
//!
//! Views of tens of thousands of files are built while somebody waits: files mostly come directory by directory and
//! in order, so the directory of the last one is remembered and entries are appended.

use super::writer::{Tables, too_large};
use super::{MAX_NAME, MAX_NODES};
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
        self.write(&mut tables)?;
        Ok(tables.encode()?.to_bytes())
    }

    fn write(&self, tables: &mut Tables<'_>) -> Result<()> {
        let children = |place: Place| self.directories.get(place.0).map_or(&[][..], Vec::as_slice);
        let mut queue = VecDeque::from([(0u32, children(Place::ROOT))]);
        // the index that the first child of the next directory will have; all fit, see `finish`
        let mut next = 1 + children(Place::ROOT).len() as u32;
        tables.push_directory(b"", 0, (1, u64::from(next) - 1))?;
        while let Some((parent, entries)) = queue.pop_front() {
            for Child { name, entry } in entries {
                let name = name.as_bytes();
                match entry {
                    Entry::Directory(place) => {
                        let below = children(*place);
                        queue.push_back((tables.count, below));
                        tables.push_directory(name, parent, (next, below.len() as u64))?;
                        next += below.len() as u32;
                    }
                    Entry::File { digest, size, executable } => {
                        tables.push_file(name, parent, (digest, *size, *executable))?;
                    }
                    Entry::Symlink(target) => tables.push_symlink(name, parent, target)?,
                }
            }
        }
        Ok(())
    }
}

fn conflict(path: &str) -> Error {
    Error::View(format!("{path:?} is there twice with different content"))
}

fn check_name(path: &str, name: &str) -> Result<()> {
    let bad = matches!(name, "" | "." | "..") || name.len() > MAX_NAME || name.contains('\0');
    if bad { Err(Error::View(format!("{path:?} is not an acceptable relative path"))) } else { Ok(()) }
}
