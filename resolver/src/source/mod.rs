//! Sources: what wheels are built of, their metadata without a build where that can be had, and the builds.
//!
//! What must stay true:
//!
//! * a build sees an environment of what it declares that it needs (PEP 517, 518), and nothing is installed anywhere;
//! * what was built once of a source by an interpreter is used again, and so is what it said of its needs;
//! * whatever happens, nothing is left of a build but a wheel in the store.

mod build;
mod built;
mod environments;
mod git;
mod hints;
mod metadata;
mod project;
mod tree;

pub use environments::{BuildEnvironment, BuildEnvironments};
pub(crate) use metadata::{get as metadata_of, known as known_metadata, of_wheel as metadata_of_wheel};
pub(crate) use tree::Tree;
pub use tree::fingerprint;

use crate::candidates::Candidate;
use crate::error::{Error, Result};
use crate::lock::{LockedWheel, Origin};
use crate::metadata::Metadata;
use crate::shared::{Shared, lock};
use omnipkg_store::Sha256;
use pep440_rs::Version;
use pep508_rs::PackageName;
use std::path::PathBuf;
use std::sync::Arc;
use url::Url;

/// What a wheel is to be built of.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// Whose it is, if that is known before it is looked into.
    pub(crate) name: Option<PackageName>,
    /// Which version it is, if that is known before.
    pub(crate) version: Option<Version>,
    /// Where it is.
    pub(crate) place: Place,
}

/// Where a source is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// In an archive.
    Archive {
        /// The project's folder there, if it is not the whole.
        subdirectory: Option<String>,
    },
    /// In a directory, which stays as it is but for what its own backend writes there.
    Directory {
        /// Which.
        path: PathBuf,
        /// The wheel leads to that directory, instead of holding its files (PEP 660).
        editable: bool,
    },
    /// In a repository.
    Git {
        /// As git understands it.
        repository: Url,
        /// A commit, a branch or a tag; the repository's own choice if there is none.
        reference: Option<String>,
        /// The project's folder there, if it is not the whole.
        subdirectory: Option<String>,
    },
}

impl Source {
    /// For eyes: `rich 13.4.2`, or where it is.
    pub(crate) fn label(&self, url: &Url) -> String {
        match (&self.name, &self.version) {
            (Some(name), Some(version)) => format!("{name} {version}"),
            _ => crate::client::shown(url),
        }
    }

    /// The project's folder below what is fetched.
    fn subdirectory(&self) -> Option<&str> {
        match &self.place {
            Place::Archive { subdirectory } | Place::Git { subdirectory, .. } => subdirectory.as_deref(),
            Place::Directory { .. } => None,
        }
    }

    /// What an entry of a lock is built of.
    pub(crate) fn locked(entry: &LockedWheel) -> Result<Self> {
        let place = match &entry.origin {
            Origin::Index => Place::Archive { subdirectory: None },
            Origin::Archive { subdirectory } => Place::Archive { subdirectory: subdirectory.clone() },
            Origin::Directory { editable } => Place::Directory { path: path_of(&entry.url)?, editable: *editable },
            Origin::Git { commit, subdirectory } => {
                let (repository, _) = git::parse(&entry.url)?;
                Place::Git { repository, reference: Some(commit.clone()), subdirectory: subdirectory.clone() }
            }
        };
        // A lock file need not say what only a build tells.
        let version = Some(entry.version.clone()).filter(|version| *version != Version::new([0]));
        Ok(Self { name: entry.name.parse().ok(), version, place })
    }

    /// A repository, by a URL that begins with `git+`.
    pub(crate) fn git(url: &Url, subdirectory: Option<String>) -> Result<Self> {
        let (repository, reference) = git::parse(url)?;
        Ok(Self { name: None, version: None, place: Place::Git { repository, reference, subdirectory } })
    }
}

/// Fills in what only the fetched source tells: its hash, its commit, and the wheel that was built of it.
pub(crate) fn complete(shared: &Shared, candidate: &Candidate, source: &Source, entry: &mut LockedWheel) -> Result<()> {
    let tree = lock(&shared.trees).get(&candidate.url).cloned();
    if let Some(tree) = &tree {
        entry.sha256 = entry.sha256.or(tree.sha256);
        if let (Origin::Git { commit, .. }, Some(found)) = (&mut entry.origin, &tree.commit) {
            commit.clone_from(found);
        }
    }
    let identity = match tree {
        Some(tree) => Some(tree.identity.clone()),
        None => tree::identity(candidate, source)?,
    };
    entry.built = identity.and_then(|identity| built::known(shared, &identity, source));
    Ok(())
}

/// Builds the wheel of a lock's entry and takes it into the store; nothing else of the source is kept.
pub(crate) async fn build(shared: &Arc<Shared>, entry: &LockedWheel) -> Result<LockedWheel> {
    let source = Arc::new(Source::locked(entry)?);
    let candidate = Candidate::locked(entry, source.clone());
    // What was built before need not be fetched for it.
    let identity = tree::identity(&candidate, &source)?;
    if let Some(known) = identity.and_then(|identity| built::known(shared, &identity, &source)) {
        return Ok(LockedWheel { built: Some(known), ..entry.clone() });
    }
    let (tree, wheel) = built::take(shared, &candidate, &source).await?;
    lock(&shared.trees).remove(&candidate.url);
    check_needs(shared, entry, &wheel)?;
    let sha256 = entry.sha256.or(tree.sha256);
    Ok(LockedWheel { sha256, built: Some(wheel), ..entry.clone() })
}

/// Compares what was told of a wheel's needs with what it says itself, now that it is here.
pub(crate) fn check_needs(shared: &Shared, entry: &LockedWheel, wheel: &Sha256) -> Result<()> {
    let Some(assumed) = &entry.assumed else { return Ok(()) };
    let bytes = metadata::of_wheel(shared, wheel)?;
    if Metadata::parse(&bytes, &entry.filename, None)?.fingerprint() == *assumed {
        return Ok(());
    }
    // What it says is known from now on: asked again, the solver takes it.
    lock(&shared.metadata).clear();
    Err(Error::Misled { of: format!("{} {}", entry.name, entry.version) })
}

/// The local path of a `file:` URL.
pub(crate) fn path_of(url: &Url) -> Result<PathBuf> {
    url.to_file_path().map_err(|()| Error::answer(url, "it is no local path"))
}
