//! Bytecode that views share: the names in a made-up `__pycache__`, and what is missing there.
//!
//! `NAME.<cache tag>.pyc` stands for the bytecode object that `pyc/<cache tag>/<source digest>` names.
//! Other names (optimised bytecode, temporary files of an interpreter) are never there.

use omnipkg_store::{Digest, Layout, ViewId};
use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::sync::mpsc::Sender;
use std::sync::{Mutex, PoisonError};

/// The directory that is made up wherever there is Python source.
pub(crate) const DIRECTORY: &str = "__pycache__";

/// After this many reported misses, old ones may be reported again.
const MAX_REPORTED: usize = 1 << 16;

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
    reported: Mutex<HashSet<(String, Digest)>>,
}

impl Bytecode {
    pub(crate) fn new(misses: Option<Sender<BytecodeMiss>>) -> Self {
        Self { misses, reported: Mutex::new(HashSet::new()) }
    }

    pub(crate) fn report(&self, miss: BytecodeMiss) {
        let Some(sender) = &self.misses else { return };
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        if reported.len() >= MAX_REPORTED {
            reported.clear();
        }
        if reported.insert((miss.cache_tag.clone(), miss.source)) && sender.send(miss).is_err() {
            tracing::debug!("nobody compiles bytecode any more");
        }
    }
}

/// The bytecode object of a source object and its size in bytes.
///
/// Bytecode only saves time: whatever is wrong with it, it counts as missing.
pub(crate) fn find(layout: &Layout, cache_tag: &str, source: &Digest) -> Option<(Digest, u64)> {
    let path = layout.pyc(cache_tag, source);
    let text = match read_name(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "cannot read the name of bytecode");
            return None;
        }
    };
    let Some(digest) = std::str::from_utf8(&text).ok().and_then(|text| text.trim_end().parse::<Digest>().ok()) else {
        tracing::warn!(path = %path.display(), "this file does not name an object");
        return None;
    };
    match fs::metadata(layout.object(&digest)) {
        Ok(metadata) => Some((digest, metadata.len())),
        Err(error) => {
            tracing::warn!(object = %digest, %error, "cannot use this bytecode");
            None
        }
    }
}

/// What a name file holds, as far as it may be a digest; without asking for its size first, which costs as much.
fn read_name(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; 128];
    let length = File::open(path)?.read(&mut bytes)?;
    bytes.truncate(length);
    Ok(bytes)
}

/// Splits `NAME.<cache tag>.pyc` into the source's name and the cache tag.
pub(crate) fn parse_name(name: &str) -> Option<(String, &str)> {
    let (module, cache_tag) = name.strip_suffix(".pyc")?.rsplit_once('.')?;
    let acceptable = is_cache_tag(cache_tag) && !cache_tag.starts_with("opt-") && !module.is_empty();
    acceptable.then(|| (format!("{module}.py"), cache_tag))
}

/// The cache tags that any bytecode is known for, sorted.
pub(crate) fn cache_tags(layout: &Layout) -> Vec<String> {
    let Ok(entries) = fs::read_dir(layout.root().join("pyc")) else { return Vec::new() };
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
