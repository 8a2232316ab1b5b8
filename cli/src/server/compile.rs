//! Bytecode in the background: what programs looked for and did not find is compiled at low priority, so that
//! the next start has it.

use omnipkg_fusefs::BytecodeMiss;
use omnipkg_store::interpreter::probe_cached;
use omnipkg_store::view::description::ViewDescription;
use omnipkg_store::{Digest, Store, ViewId, bytecode};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

/// Misses come in bursts, one import after the other: a batch ends when none came for this long.
const QUIET: Duration = Duration::from_millis(300);

/// One process compiles at most this many sources, so that much is kept if it is killed.
const BATCH: usize = 500;

/// Compiles misses until the sender is gone.
pub fn run(root: &Path, misses: &Receiver<BytecodeMiss>) {
    while let Ok(first) = misses.recv() {
        let mut batch: BTreeMap<String, (ViewId, BTreeSet<Digest>)> = BTreeMap::new();
        let mut add = |miss: BytecodeMiss| {
            batch.entry(miss.cache_tag).or_insert_with(|| (miss.view, BTreeSet::new())).1.insert(miss.source);
        };
        add(first);
        for _ in 1..BATCH {
            match misses.recv_timeout(QUIET) {
                Ok(miss) => add(miss),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        for (cache_tag, (view, sources)) in batch {
            let result = Store::open(root).and_then(|store| compile(&store, &cache_tag, &view, &sources));
            if let Err(error) = result {
                eprintln!("cannot compile {} sources for {cache_tag}: {error}", sources.len());
            }
        }
    }
}

/// The view's own interpreter compiles; a tag that is another's (a program looked at names) is left alone.
fn compile(store: &Store, cache_tag: &str, view: &ViewId, sources: &BTreeSet<Digest>) -> omnipkg_store::Result<()> {
    let description = ViewDescription::load(store, view)?;
    let interpreter = probe_cached(store, &description.interpreter)?;
    if interpreter.facts.cache_tag == cache_tag {
        bytecode::compile(store, &interpreter, sources)?;
    }
    Ok(())
}
