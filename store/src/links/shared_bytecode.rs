//! Bytecode of a link projection after it was made: what Python wrote there, and bringing in what was compiled since.
//!
//! A file that Python wrote is never read: a script could have written it. It tells by its name that a module was
//! imported, and shared bytecode takes its place.

use super::Projector;
use crate::bytecode::{self, Bytecode};
use crate::digest::{Digest, ViewId};
use crate::error::{IoContext, Result};
use crate::layout::Store;
use crate::objects;
use crate::view::description::ViewDescription;
use crate::view::manifest::{NodeKind, ViewManifest};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

/// A source of a view, and where its bytecode belongs in the view's projection.
struct Place {
    source: Digest,
    size: u64,
    pyc: PathBuf,
}

/// The sources whose bytecode lies in a view's projection without being shared bytecode, each with its size.
///
/// # Errors
/// [`crate::Error::Io`], [`crate::Error::Damaged`].
pub fn written_bytecode(store: &Store, id: &ViewId) -> Result<BTreeMap<Digest, u64>> {
    let manifest = ViewManifest::open(store.layout(), id)?;
    let cache_tag = ViewDescription::load(store, id)?.cache_tag;
    let places = places(store, id, &manifest, &cache_tag)?;
    let written = places.into_iter().filter(|place| is_there(&place.pyc).is_some_and(|file| !is_ours(&file)));
    Ok(written.map(|place| (place.source, place.size)).collect())
}

/// Brings bytecode that was made since into a view's projection, if it has one, also in place of what Python wrote.
///
/// # Errors
/// [`crate::Error::Io`], [`crate::Error::Damaged`].
pub fn add_bytecode(store: &Store, id: &ViewId) -> Result<()> {
    if !store.layout().links().join(id.to_string()).is_dir() {
        return Ok(());
    }
    let manifest = ViewManifest::open(store.layout(), id)?;
    manifest.verify()?;
    let description = ViewDescription::load(store, id)?;
    let mut projector = Projector::new(store, &manifest, &description);
    let tmp = store.layout().tmp();
    let scratch = tempfile::Builder::new().prefix("pyc-").tempdir_in(&tmp).at("create a directory in", &tmp)?;
    for Place { source, pyc: target, .. } in places(store, id, &manifest, &description.cache_tag)? {
        if is_there(&target).is_some_and(|file| is_ours(&file)) {
            continue;
        }
        if let Bytecode::Known { object, .. } = bytecode::find(store.layout(), &projector.key, &source) {
            // Python may be reading there: a file is whole or not there.
            let whole = scratch.path().join("whole");
            projector.file(&object, &whole, false)?;
            fs::rename(&whole, &target).at("publish", &target)?;
        }
    }
    Ok(())
}

fn is_there(path: &Path) -> Option<Metadata> {
    fs::symlink_metadata(path).ok()
}

/// Shared bytecode has the time of objects; what Python writes has the time at which it does.
fn is_ours(file: &Metadata) -> bool {
    file.is_file() && objects::is_sealed(file)
}

/// Every source of a view whose directory has a `__pycache__` that is made up and is still what was made.
fn places(store: &Store, id: &ViewId, manifest: &ViewManifest, cache_tag: &str) -> Result<Vec<Place>> {
    let root = store.layout().links().join(id.to_string());
    let entries = manifest.walk().collect::<Result<Vec<_>>>()?;
    let shipped: BTreeSet<PathBuf> =
        entries.iter().filter(|entry| entry.node.name == b"__pycache__").map(|entry| root.join(&entry.path)).collect();
    let mut directories: BTreeMap<PathBuf, bool> = BTreeMap::new();
    let mut places = Vec::new();
    for entry in &entries {
        let path = root.join(&entry.path);
        let (NodeKind::File { digest, size, .. }, Some("py")) =
            (entry.node.kind, path.extension().and_then(OsStr::to_str))
        else {
            continue;
        };
        let directory = path.with_file_name("__pycache__");
        let name = path.with_extension(format!("{cache_tag}.pyc")).file_name().unwrap_or_default().to_owned();
        let pyc = directory.join(name);
        // A script may have put a link in the directory's place: nothing is written through it.
        let usable = directories.entry(directory).or_insert_with_key(|directory| {
            !shipped.contains(directory) && is_there(directory).is_some_and(|file| file.is_dir())
        });
        if *usable {
            places.push(Place { source: digest, size, pyc });
        }
    }
    Ok(places)
}
