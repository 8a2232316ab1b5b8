//! Bytecode shared by all views: one `.pyc` for each (source object, cache tag).
//!
//! The bytecode is an object like any other; `pyc/<cache tag>/ab/<62>` names it for its source's digest.
//! It is an unchecked-hash pyc (PEP 552), so it is valid for that source in whatever view, at whatever path:
//! the import system puts the real path into the code. Names may be lost in a crash; they are made again.

use crate::digest::Digest;
use crate::error::{Error, IoContext, Result};
use crate::interpreter::Interpreter;
use crate::layout::{Layout, Store};
use crate::objects::Batch;
use crate::publish;
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

const COMPILE: &str = include_str!("compile.py");

/// A `.pyc` larger than this is not believed.
const MAXIMUM_PYC: u32 = 256 << 20;

/// What compiling some sources came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Compiled {
    /// Sources that now have bytecode and had none before.
    pub made: usize,
    /// Sources that this Python cannot compile.
    pub refused: usize,
}

/// The bytecode object of a source, if it is known.
pub fn lookup(layout: &Layout, cache_tag: &str, source: &Digest) -> Option<Digest> {
    std::fs::read_to_string(layout.pyc(cache_tag, source)).ok()?.trim_end().parse().ok()
}

/// Compiles what has no bytecode yet, in one process of that interpreter at low priority.
///
/// # Errors
/// [`Error::Interpreter`] if the compiling process fails; [`Error::Io`].
pub fn compile(store: &Store, interpreter: &Interpreter, sources: &BTreeSet<Digest>) -> Result<Compiled> {
    let tag = &interpreter.facts.cache_tag;
    if tag.is_empty() || interpreter.facts.version.0 < 3 {
        return Ok(Compiled::default());
    }
    let missing: Vec<Digest> =
        sources.iter().filter(|source| lookup(store.layout(), tag, source).is_none()).copied().collect();
    if missing.is_empty() {
        return Ok(Compiled::default());
    }
    let mut batch = Batch::new(store)?;
    let mut names = Vec::new();
    let mut compiled = Compiled::default();
    run(store.layout(), interpreter.path(), &missing, |source, pyc| {
        if pyc.is_empty() {
            compiled.refused += 1;
            return Ok(());
        }
        names.push((source, batch.add_bytes(pyc)?.digest));
        compiled.made += 1;
        Ok(())
    })?;
    batch.commit()?;
    for (source, pyc) in names {
        publish::volatile_file(store, &store.layout().pyc(tag, &source), pyc.to_hex().as_bytes())?;
    }
    Ok(compiled)
}

fn run(
    layout: &Layout,
    python: &Path,
    sources: &[Digest],
    mut each: impl FnMut(Digest, &[u8]) -> Result<()>,
) -> Result<()> {
    let refuse = |reason: &str| Error::Interpreter { path: python.to_owned(), reason: reason.to_owned() };
    let mut input = tempfile::tempfile_in(layout.tmp()).at("create a file in", &layout.tmp())?;
    for source in sources {
        writeln!(input, "{}", layout.object(source).display()).at("write to", &layout.tmp())?;
    }
    std::io::Seek::rewind(&mut input).at("rewind a file in", &layout.tmp())?;
    let mut child = Command::new("nice")
        .args(["-n", "19"])
        .arg(python)
        .args(["-I", "-S", "-B", "-W", "ignore", "-c", COMPILE])
        .stdin(Stdio::from(input))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .at("start", python)?;
    let mut output = child.stdout.take().ok_or_else(|| refuse("no output of the compiling process"))?;
    let mut pyc = Vec::new();
    let mut result = Ok(());
    for source in sources {
        result = read_frame(&mut output, &mut pyc)
            .map_err(|_| refuse("the compiling process ended early"))
            .and_then(|()| each(*source, &pyc));
        if result.is_err() {
            break;
        }
    }
    drop(output);
    child.wait().at("wait for", python)?;
    result
}

fn read_frame(output: &mut impl Read, pyc: &mut Vec<u8>) -> std::io::Result<()> {
    let mut length = [0u8; 4];
    output.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length);
    if length > MAXIMUM_PYC {
        return Err(std::io::Error::other("a .pyc of an impossible size"));
    }
    pyc.clear();
    let read = output.take(u64::from(length)).read_to_end(pyc)?;
    if read == length as usize { Ok(()) } else { Err(std::io::ErrorKind::UnexpectedEof.into()) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::interpreter::{discover, probe};

    #[test]
    fn sources_are_compiled_once_and_bad_ones_are_counted() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path().join("s")).unwrap();
        let mut batch = Batch::new(&store).unwrap();
        let good = batch.add_bytes(b"VALUE = 40 + 2\n").unwrap().digest;
        let bad = batch.add_bytes(b"print 'two'\n").unwrap().digest;
        batch.commit().unwrap();
        let python = discover::on_path("python3").into_iter().next().unwrap();
        let interpreter = probe(&python).unwrap();
        let sources = BTreeSet::from([good, bad]);
        let first = compile(&store, &interpreter, &sources).unwrap();
        assert_eq!(first, Compiled { made: 1, refused: 1 });
        let tag = &interpreter.facts.cache_tag;
        let pyc = lookup(store.layout(), tag, &good).unwrap();
        // Flags 1: hash-based, source not checked.
        assert_eq!(crate::objects::read(&store, &pyc).unwrap()[4..8], [1, 0, 0, 0]);
        assert_eq!(compile(&store, &interpreter, &BTreeSet::from([good])).unwrap(), Compiled::default());
        assert_eq!(lookup(store.layout(), tag, &bad), None);
    }
}
