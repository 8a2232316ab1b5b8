//! Wheels that were built here: taken into the store, and remembered by source and interpreter.
//!
//! The record says in which environment a wheel was built; it may be lost at any time, and the wheel is built again.

use super::build::Build;
use super::environments::BuildEnvironments;
use super::tree::{self, Tree};
use super::{Place, Source, metadata};
use crate::candidates::Candidate;
use crate::error::{Error, Result};
use crate::shared::Shared;
use omnipkg_store::catalog::Catalog;
use omnipkg_store::tags::WheelFilename;
use omnipkg_store::{Digest, Sha256, publish, wheel};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::Arc;

/// What a build came to.
#[derive(Serialize, Deserialize)]
struct Record {
    wheel: Sha256,
    filename: String,
    environment: String,
}

/// The wheel that was built of a source here, if there is one and the store has it.
pub(super) fn known(shared: &Shared, identity: &str, source: &Source) -> Option<Sha256> {
    let environments = shared.environments.as_ref()?;
    read(shared, &tree::key(identity, source, &environments.identity()))
}

pub(super) fn read(shared: &Shared, key: &Digest) -> Option<Sha256> {
    let bytes = shared.read_cache(&shared.store.layout().built(key))?;
    let record: Record = serde_json::from_slice(&bytes).ok()?;
    shared.store.layout().wheel(&record.wheel).exists().then_some(record.wheel)
}

/// Builds a source's wheel and takes it into the store, unless it was built before.
pub(super) async fn take(shared: &Arc<Shared>, candidate: &Candidate, source: &Source) -> Result<(Arc<Tree>, Sha256)> {
    let tree = tree::obtain(shared, candidate, source).await?;
    let _turn = shared.builds.acquire().await;
    let (shared, candidate, source) = (shared.clone(), candidate.clone(), source.clone());
    tree::blocking(move || {
        let _held = tree::hold(&shared, &source)?;
        let environments = shared.environments()?;
        let key = tree::key(&tree.identity, &source, &environments.identity());
        if let Some(known) = read(&shared, &key) {
            return Ok((tree, known));
        }
        let label = source.label(&candidate.url);
        let mut build = Build::begin(&shared, &*environments, &tree.root, &label)?;
        let built = build.wheel(is_editable(&source))?;
        let sha256 = keep(&shared, &source, &key, &built, &build.environment.name, &label)?;
        Ok((tree, sha256))
    })
    .await
}

pub(super) fn is_editable(source: &Source) -> bool {
    matches!(source.place, Place::Directory { editable: true, .. })
}

/// Takes a wheel that was just built into the store.
pub(super) fn keep(
    shared: &Shared,
    source: &Source,
    key: &Digest,
    built: &Path,
    environment: &str,
    label: &str,
) -> Result<Sha256> {
    let filename = built.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let named = WheelFilename::parse(&filename).map_err(omnipkg_store::Error::from)?;
    let another = |what: &str, found: &str| {
        Error::build(label, format!("its backend built another {what}: {filename} is of {found}"))
    };
    if source.name.as_ref().is_some_and(|name| *name != named.name) {
        return Err(another("project", named.name.as_ref()));
    }
    if source.version.as_ref().is_some_and(|version| !is_same(version, &named.version)) {
        return Err(another("version", &named.version.to_string()));
    }
    // Ingesting compares the name with the wheel's own METADATA.
    let ingested = wheel::ingest(&shared.store, built, &filename, None)?;
    Catalog::open(&shared.store)?.add(&ingested.sha256, &ingested.manifest)?;
    let record = Record { wheel: ingested.sha256, filename, environment: environment.to_owned() };
    let bytes = serde_json::to_vec(&record).map_err(|error| Error::Internal(error.to_string()))?;
    publish::volatile_file(&shared.store, &shared.store.layout().built(key), &bytes)?;
    // What the wheel says of its needs goes before whatever was assumed.
    shared.write_cache(&metadata::file(shared, key), &metadata::of_wheel(shared, &ingested.sha256)?)?;
    Ok(ingested.sha256)
}

/// A build may add a local label to the version that was asked for.
fn is_same(asked: &pep440_rs::Version, built: &pep440_rs::Version) -> bool {
    asked == built || (!asked.is_local() && *asked == built.clone().without_local())
}

impl Shared {
    /// Where builds run.
    pub(super) fn environments(&self) -> Result<Arc<dyn BuildEnvironments>> {
        self.environments.clone().ok_or_else(|| Error::Internal("nothing can be built here".to_owned()))
    }
}
