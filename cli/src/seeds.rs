//! Wheels that every environment of an interpreter has: the pip that its own ensurepip carries, as in a fresh
//! virtual environment. setuptools is not among them: since Python 3.12 `venv` leaves it out too.

use anyhow::Result;
use omnipkg_store::interpreter::{Identity, Interpreter};
use omnipkg_store::wheel::{WheelTree, ingest};
use omnipkg_store::{Digest, Sha256, Store, publish};
use std::fs;
use std::path::PathBuf;

/// The seeds of an interpreter, taken into the store; none if it comes without ensurepip.
///
/// Which wheel a bundled file is gets remembered by the file's identity: hashing it again for every view would cost
/// more than the view.
pub fn seeds(store: &Store, interpreter: &Interpreter) -> Result<Vec<(Sha256, WheelTree)>> {
    let Some(path) = bundled_pip(interpreter) else { return Ok(Vec::new()) };
    let Some(filename) = path.file_name().and_then(|name| name.to_str()) else { return Ok(Vec::new()) };
    let identity = Identity::of(&path)?;
    let key = format!("seed\0{}\0{}\0{}", identity.path.display(), identity.size, identity.modified);
    let memory = store.layout().interpreters().join(format!("seed-{}", Digest::of(key.as_bytes())));
    let remembered = fs::read_to_string(&memory).ok().and_then(|text| text.trim().parse::<Sha256>().ok());
    if let Some(sha256) = remembered
        && let Ok(tree) = WheelTree::open(store, &sha256)
    {
        return Ok(vec![(sha256, tree)]);
    }
    let ingested = ingest(store, &path, filename, None)?;
    publish::volatile_file(store, &memory, ingested.sha256.to_hex().as_bytes())?;
    Ok(vec![(ingested.sha256, WheelTree::open(store, &ingested.sha256)?)])
}

fn bundled_pip(interpreter: &Interpreter) -> Option<PathBuf> {
    // Debian keeps the wheels in one place for all its Pythons.
    let directories = [interpreter.facts.stdlib.join("ensurepip/_bundled"), PathBuf::from("/usr/share/python-wheels")];
    directories.into_iter().find_map(|directory| {
        let mut wheels: Vec<PathBuf> = fs::read_dir(directory)
            .ok()?
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| {
                let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
                name.starts_with("pip-") && name.ends_with(".whl")
            })
            .collect();
        wheels.sort();
        wheels.pop()
    })
}
