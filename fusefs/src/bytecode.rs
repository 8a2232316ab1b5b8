//! Bytecode that views share: the names in a made-up `__pycache__`, and what is missing there.
//!
//! `NAME.<cache tag>.pyc` stands for the bytecode object that [`omnipkg_store::bytecode`] knows for the source.
//! Damaged bytecode would break the import, so its bytes are checked before it is shown for the first time.
//! Other names (optimised bytecode, temporary files of an interpreter) are never there.

use omnipkg_store::bytecode::{self as shared, Key};
use omnipkg_store::{Digest, Layout, ViewId};
use std::collections::{HashMap, HashSet};
use std::fs;
use std::sync::mpsc::Sender;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

pub(crate) use shared::Bytecode as Known;

/// The directory that is made up wherever there is Python source.
pub(crate) const DIRECTORY: &str = "__pycache__";

/// After this many reported misses, old ones may be reported again.
const MAX_REPORTED: usize = 1 << 16;

/// A miss may be reported again after this long: what was made may be lost, or could not be written.
const REPORTED_FOR: Duration = Duration::from_secs(60);

/// An interpreter asked for bytecode that is not known yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BytecodeMiss {
    /// The interpreter's cache tag (`cpython-311`).
    pub cache_tag: String,
    /// The source object.
    pub source: Digest,
    /// The view that it was asked for in; its `bin/python` is the interpreter to compile with.
    pub view: ViewId,
}

/// Finds bytecode and reports what is missing, each miss once.
pub(crate) struct Bytecode {
    misses: Option<Sender<BytecodeMiss>>,
    reported: Mutex<HashMap<(String, Digest), Instant>>,
    whole: Mutex<HashSet<Digest>>,
}

impl Bytecode {
    pub(crate) fn new(misses: Option<Sender<BytecodeMiss>>) -> Self {
        Self { misses, reported: Mutex::default(), whole: Mutex::default() }
    }

    /// What is known of a source's bytecode, its bytes checked.
    pub(crate) fn find(&self, layout: &Layout, key: &Key, source: &Digest) -> Known {
        let found = shared::find(layout, key, source);
        match found {
            Known::Known { object, .. } if !self.is_whole(layout, &object) => {
                tracing::warn!(%object, "this bytecode is damaged");
                Known::Missing
            }
            found => found,
        }
    }

    fn is_whole(&self, layout: &Layout, object: &Digest) -> bool {
        let lock = || self.whole.lock().unwrap_or_else(PoisonError::into_inner);
        if lock().contains(object) {
            return true;
        }
        let whole = shared::is_whole(layout, object);
        if whole {
            lock().insert(*object);
        }
        whole
    }

    pub(crate) fn report(&self, miss: BytecodeMiss) {
        let Some(sender) = &self.misses else { return };
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        if reported.len() >= MAX_REPORTED {
            reported.clear();
        }
        let now = Instant::now();
        let before = reported.get(&(miss.cache_tag.clone(), miss.source));
        if before.is_some_and(|before| now.duration_since(*before) < REPORTED_FOR) {
            return;
        }
        reported.insert((miss.cache_tag.clone(), miss.source), now);
        if sender.send(miss).is_err() {
            tracing::debug!("nobody compiles bytecode any more");
        }
    }
}

/// Splits `NAME.<cache tag>.pyc` into the source's name and the cache tag.
pub(crate) fn parse_name(name: &str) -> Option<(String, &str)> {
    let (module, cache_tag) = name.strip_suffix(".pyc")?.rsplit_once('.')?;
    let acceptable = is_cache_tag(cache_tag) && !cache_tag.starts_with("opt-") && !module.is_empty();
    acceptable.then(|| (format!("{module}.py"), cache_tag))
}

/// The cache tags that any bytecode is known for, sorted.
pub(crate) fn cache_tags(layout: &Layout) -> Vec<String> {
    let Ok(entries) = fs::read_dir(layout.bytecode()) else { return Vec::new() };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut tags: Vec<String> = names.filter(|name| is_cache_tag(name)).collect();
    tags.sort_unstable();
    tags
}

/// A cache tag becomes the name of a folder: nothing may be in it that leads elsewhere.
fn is_cache_tag(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 64
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_bytecode_names_are_taken() {
        assert_eq!(parse_name("core.cpython-311.pyc"), Some(("core.py".to_owned(), "cpython-311")));
        assert_eq!(parse_name("a.b.pypy39.pyc"), Some(("a.b.py".to_owned(), "pypy39")));
        for name in [
            "core.pyc",
            "core.cpython-311.opt-1.pyc",
            ".cpython-311.pyc",
            "core..pyc",
            "core.cpython-311.pyc.140",
            "core.c/311.pyc",
            "x",
        ] {
            assert_eq!(parse_name(name), None, "{name}");
        }
    }

    #[test]
    fn a_miss_is_reported_once() {
        let (sender, receiver) = std::sync::mpsc::channel();
        let bytecode = Bytecode::new(Some(sender));
        let source = Digest::of(b"source");
        let view = ViewId::from_digest(&source);
        for cache_tag in ["cpython-311", "cpython-311", "cpython-312"] {
            bytecode.report(BytecodeMiss { cache_tag: cache_tag.to_owned(), source, view });
        }
        drop(bytecode);
        let tags: Vec<_> = receiver.iter().map(|miss| miss.cache_tag).collect();
        assert_eq!(tags, ["cpython-311", "cpython-312"]);
    }
}
