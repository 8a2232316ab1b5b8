//! Bytecode shared by all views: one `.pyc` for each (source object, cache tag, magic number).
//!
//! The bytecode is an object like any other; `pyc/<cache tag>/ab/<62>` names it for its source's digest.
//! It is an unchecked-hash pyc (PEP 552), so it is valid for that source in whatever view, at whatever path:
//! the import system puts the real path into the code. What must stay true:
//!
//! * bytecode is made by omnipkg's own compiling process alone, from bytes that were just checked against the
//!   source's digest: nothing that a script wrote is ever shared;
//! * a source that its interpreter cannot compile is named too, by the word `refused`, and not tried again;
//! * names are volatile: a crash may lose them or leave them empty, and what does not parse counts as missing;
//! * builds of one cache tag with another magic number (alphas) do not share: the first magic number owns
//!   `pyc/<cache tag>/`, and others have `pyc/<cache tag>/magic-<number>/`.

mod child;
mod compiler;
mod publisher;
#[cfg(test)]
mod tests;

pub use compiler::{Compiled, Compiler, Effort, Report, compile};

use crate::digest::{Digest, ViewId};
use crate::error::{IoContext, Result};
use crate::interpreter::Facts;
use crate::layout::{Layout, Store};
use crate::{objects, publish};
use std::fs;
use std::path::PathBuf;

/// What stands in a source's name instead of an object if its interpreter cannot compile it.
const REFUSED: &str = "refused";

/// What is known of a source's bytecode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bytecode {
    /// It is there.
    Known {
        /// The `.pyc`.
        object: Digest,
        /// Its size in bytes.
        size: u64,
    },
    /// The interpreter cannot compile this source: there will never be any.
    Refused,
    /// Not yet made, or lost.
    Missing,
}

/// Which interpreters share bytecode: the folder below `pyc/`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

impl Key {
    /// The key of interpreters with this cache tag and magic number; an unknown one is 0.
    pub fn of(layout: &Layout, cache_tag: &str, magic: u32) -> Self {
        Self::owned(cache_tag, magic, if magic == 0 { None } else { owner(layout, cache_tag) })
    }

    /// As [`Key::of`]; `None` while nobody owns the cache tag, so that the answer may still change.
    pub fn settled(layout: &Layout, cache_tag: &str, magic: u32) -> Option<Self> {
        owner(layout, cache_tag).map(|owner| Self::owned(cache_tag, magic, Some(owner)))
    }

    fn owned(cache_tag: &str, magic: u32, owner: Option<u32>) -> Self {
        match owner {
            Some(owner) if magic != 0 && owner != magic => Self(format!("{cache_tag}/magic-{magic}")),
            _ => Self(cache_tag.to_owned()),
        }
    }

    /// The key of an interpreter that is about to compile: the first of its cache tag becomes the owner.
    ///
    /// # Errors
    /// [`crate::Error::Io`].
    fn claim(store: &Store, facts: &Facts) -> Result<Self> {
        let (layout, cache_tag, magic) = (store.layout(), &facts.cache_tag, facts.magic);
        if magic != 0 && owner(layout, cache_tag).is_none() {
            let path = owner_path(layout, cache_tag);
            // One that does not parse is in the way of the next.
            let _ = fs::remove_file(&path);
            publish::new_file(store, &path, magic.to_string().as_bytes())?;
        }
        Ok(Self::of(layout, cache_tag, magic))
    }

    /// The folder, relative to `pyc/`.
    pub fn folder(&self) -> &str {
        &self.0
    }
}

fn owner_path(layout: &Layout, cache_tag: &str) -> PathBuf {
    layout.bytecode().join(cache_tag).join("magic")
}

fn owner(layout: &Layout, cache_tag: &str) -> Option<u32> {
    fs::read_to_string(owner_path(layout, cache_tag)).ok()?.parse().ok()
}

/// What is known of a source's bytecode: two system calls, the object's bytes are not read.
///
/// Bytecode only saves time: whatever is wrong with it (no object, another size, somebody wrote to it), it counts
/// as missing, and is made again.
pub fn find(layout: &Layout, key: &Key, source: &Digest) -> Bytecode {
    let Ok(text) = fs::read_to_string(layout.pyc(key.folder(), source)) else { return Bytecode::Missing };
    let text = text.trim_end();
    if text == REFUSED {
        return Bytecode::Refused;
    }
    let Ok(object) = text.parse::<Digest>() else { return Bytecode::Missing };
    match fs::metadata(layout.object(&object)) {
        Ok(metadata) if metadata.is_file() && metadata.len() > 0 && !objects::is_written_to(&metadata) => {
            Bytecode::Known { object, size: metadata.len() }
        }
        _ => Bytecode::Missing,
    }
}

/// True if the object's bytes are what its name says.
pub fn is_whole(layout: &Layout, object: &Digest) -> bool {
    fs::read(layout.object(object)).is_ok_and(|bytes| Digest::of(&bytes) == *object)
}

fn mark_path(layout: &Layout, key: &Key, view: &ViewId) -> PathBuf {
    layout.bytecode().join(key.folder()).join("views").join(view.to_string())
}

/// True if everything in the view was compiled once, or refused.
///
/// Nothing that is named by bytecode objects is looked at: who collects them removes these marks, and what else is lost
/// is noticed and made again when an interpreter asks for it.
pub fn is_compiled(layout: &Layout, key: &Key, view: &ViewId) -> bool {
    mark_path(layout, key, view).exists()
}

/// Notes that everything in the view is compiled. The names are made durable first: the mark must not outlive them.
///
/// # Errors
/// [`crate::Error::Io`].
pub fn mark_compiled(store: &Store, key: &Key, view: &ViewId) -> Result<()> {
    let path = mark_path(store.layout(), key, view);
    let root = store.layout().bytecode();
    let directory = fs::File::open(&root).at("open", &root)?;
    nix::unistd::syncfs(&directory).at("sync", &root)?;
    publish::volatile_file(store, &path, b"")
}
