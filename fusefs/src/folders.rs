//! Finding objects by their inode numbers, for a server that goes on where another ended.
//!
//! A number tells the folder of its object and all but a few bits of its name. The kernel may ask for thousands of
//! numbers in one go, so a folder's names are kept, sorted: as many as make 32 MB, and no longer than there is room.

use crate::error::{Error, Result};
use crate::inode::Inode;
use omnipkg_store::{Digest, Layout};
use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Names that are kept at a time, 32 bytes each.
const MAX_NAMES: usize = 1 << 20;

#[derive(Default)]
struct State {
    folders: HashMap<String, Arc<Vec<Digest>>>,
    names: usize,
}

/// See the module.
#[derive(Default)]
pub(crate) struct Folders {
    state: Mutex<State>,
}

impl Folders {
    /// The object of an inode number.
    ///
    /// # Errors
    /// [`Error::Unknown`], or [`Error::Clash`] if two objects could be meant.
    pub(crate) fn find(&self, layout: &Layout, inode: Inode) -> Result<Digest> {
        let folder = inode.object_folder();
        if let Some(names) = self.known(&folder)
            && let Ok(digest) = find_in(&names, inode)
        {
            return Ok(digest);
        }
        // Objects may have come since.
        let parse = |name: &str| format!("{folder}{name}").parse::<Digest>().ok();
        let mut names = list(&layout.objects().join(&folder), parse).map_err(|error| match error {
            Error::Store(error) if error.is_not_found() => Error::Unknown(inode),
            other => other,
        })?;
        names.sort_unstable();
        let found = find_in(&names, inode);
        self.keep(folder, names);
        found
    }

    fn known(&self, folder: &str) -> Option<Arc<Vec<Digest>>> {
        // a cache: any state of it is valid
        self.state.lock().unwrap_or_else(PoisonError::into_inner).folders.get(folder).map(Arc::clone)
    }

    fn keep(&self, folder: String, names: Vec<Digest>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.names + names.len() > MAX_NAMES {
            *state = State::default();
        }
        state.names += names.len();
        if let Some(old) = state.folders.insert(folder, Arc::new(names)) {
            state.names -= old.len();
        }
    }
}

/// Numbers begin as digests do, so that those of one number are neighbours.
fn find_in(names: &[Digest], inode: Inode) -> Result<Digest> {
    let executable = inode.0 & 1 == 1;
    let start = names.partition_point(|digest| Inode::file(digest, executable) < inode);
    only_one(
        inode,
        names.get(start..).unwrap_or_default().iter().copied().take_while(|digest| inode.is_file_of(digest)),
    )
}

/// The one that is meant.
///
/// # Errors
/// [`Error::Unknown`] and [`Error::Clash`].
pub(crate) fn only_one<T: std::fmt::Display>(inode: Inode, mut candidates: impl Iterator<Item = T>) -> Result<T> {
    match (candidates.next(), candidates.next()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(Error::Unknown(inode)),
        (Some(first), Some(second)) => {
            Err(Error::Clash { inode, first: first.to_string(), second: second.to_string() })
        }
    }
}

/// The names of a folder that mean something.
pub(crate) fn list<T>(folder: &Path, parse: impl Fn(&str) -> Option<T>) -> Result<Vec<T>> {
    let failed = |source: io::Error| {
        Error::Store(omnipkg_store::Error::Io { operation: "list", path: folder.to_owned(), source })
    };
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        names.extend(entry.map_err(failed)?.file_name().to_str().and_then(&parse));
    }
    Ok(names)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_found_by_its_number_also_if_it_came_later() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::new(dir.path());
        let add = |digest: &Digest| {
            let path = layout.object(digest);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, b"").unwrap();
        };
        let folders = Folders::default();
        for content in 0..600u32 {
            let digest = Digest::of(&content.to_le_bytes());
            for executable in [false, true] {
                let inode = Inode::file(&digest, executable);
                assert!(matches!(folders.find(&layout, inode), Err(Error::Unknown(_))) || executable);
                add(&digest);
                assert_eq!(folders.find(&layout, inode).unwrap(), digest);
            }
        }
    }

    #[test]
    fn two_objects_of_one_number_are_a_clash() {
        let bytes = *Digest::of(b"one").as_bytes();
        let mut other = bytes;
        other[31] ^= 1;
        let mut names = vec![Digest::from_bytes(bytes), Digest::from_bytes(other), Digest::of(b"two")];
        names.sort_unstable();
        let inode = Inode::file(&Digest::from_bytes(bytes), false);
        assert!(matches!(find_in(&names, inode), Err(Error::Clash { .. })));
        assert_eq!(find_in(&names, Inode::file(&Digest::of(b"two"), true)).unwrap(), Digest::of(b"two"));
    }
}
