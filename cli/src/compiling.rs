//! `--compile`: the bytecode of everything in a view, before the command goes on.
//!
//! That all of a view is compiled is remembered, so that asking again costs a look at one name.

use crate::progress::Display;
use crate::settings::Settings;
use anyhow::{Context, Result};
use omnipkg_store::bytecode::{self, Effort, Key};
use omnipkg_store::interpreter::probe_cached;
use omnipkg_store::view::description::ViewDescription;
use omnipkg_store::view::manifest::{NodeKind, ViewManifest};
use omnipkg_store::{Digest, Layout, Store, ViewId, links};
use std::collections::BTreeMap;

/// True if everything in the view is compiled already.
pub fn is_compiled(layout: &Layout, view: &ViewId) -> bool {
    let path = layout.view(view);
    let manifest =
        ViewManifest::open(layout, view).and_then(|manifest| ViewDescription::read(layout, &manifest, &path));
    manifest.is_ok_and(|description| {
        bytecode::is_compiled(layout, &Key::of(layout, &description.cache_tag, description.magic), view)
    })
}

/// Makes the bytecode of every source in a view that has none.
pub fn compile_view(settings: &Settings, store: &Store, view: &ViewId) -> Result<()> {
    if is_compiled(store.layout(), view) {
        return Ok(());
    }
    compile(settings, store, view).with_context(|| format!("cannot compile the view {view}"))
}

fn compile(settings: &Settings, store: &Store, view: &ViewId) -> Result<()> {
    let description = ViewDescription::load(store, view)?;
    if description.cache_tag.is_empty() {
        // Python 2 keeps bytecode beside the source.
        return Ok(());
    }
    let interpreter = probe_cached(store, &description.interpreter)?;
    let sources = sources(store, view)?;
    let display = Display::new(settings);
    let bar = display.clone();
    let compiled = bytecode::compile(store, &interpreter, &sources, Effort::at_once(), move |to_do| match to_do {
        0 => bar.compiled(),
        to_do => bar.compiling(to_do),
    });
    display.finish();
    let compiled = compiled?;
    links::add_bytecode(store, view)?;
    if compiled.failed == 0 {
        let key = Key::of(store.layout(), &description.cache_tag, description.magic);
        bytecode::mark_compiled(store, &key, view)?;
    }
    Ok(())
}

/// Every source of a view, with its size.
fn sources(store: &Store, view: &ViewId) -> Result<BTreeMap<Digest, u64>> {
    let manifest = ViewManifest::open(store.layout(), view)?;
    let mut sources = BTreeMap::new();
    for entry in manifest.walk() {
        let entry = entry?;
        if let NodeKind::File { digest, size, .. } = entry.node.kind
            && entry.node.name.ends_with(b".py")
        {
            sources.insert(digest, size);
        }
    }
    Ok(sources)
}
