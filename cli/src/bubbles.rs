//! Bubbles, by the name that users of the first omnipkg know: `bubbles/<environment>/<name>-<version>` leads to a
//! site-packages directory that has a version which the environment does not have active.
//!
//! They are links for people and scripts to find things by; nothing of omnipkg reads them. Like the links themselves, a new
//! view that one leads to may be lost in a crash until it is sealed: a run does not wait for the disk for their sake.

use crate::context::Base;
use crate::projection;
use crate::workshop::{Composed, Workshop};
use anyhow::{Context as _, Result};
use omnipkg_store::view::description::ViewDescription;
use omnipkg_store::{Store, ViewId, publish};
use pep440_rs::Version;
use pep508_rs::Requirement;
use std::fs;
use std::path::{Path, PathBuf};

/// Notes where a version that is not the environment's active one can be found.
pub fn note(store: &Store, environment: &str, name: &str, version: &str, site_packages: &Path) -> Result<()> {
    let link = store.layout().bubbles(environment).join(format!("{name}-{version}"));
    let target = match site_packages.strip_prefix(store.layout().root()) {
        Ok(relative) => Path::new("../..").join(relative),
        Err(_) => site_packages.to_owned(),
    };
    // One view that has the version is as good as another, as long as it is there.
    if fs::read_link(&link).is_ok_and(|now| now == target || leads_to_a_view(store, &now)) {
        return Ok(());
    }
    Ok(publish::volatile_link(store, &target, &link)?)
}

/// True if a bubble leads to where a view of the store is projected now.
fn leads_to_a_view(store: &Store, target: &Path) -> bool {
    let layout = store.layout();
    let view = |path: &Path| path.components().next()?.as_os_str().to_str()?.parse::<ViewId>().ok();
    let projected = target.strip_prefix("../../mnt").ok().and_then(view);
    projected.is_some_and(|view| layout.view(&view).exists() && !layout.links().join(view.to_string()).exists())
}

/// After a change: what was active is a bubble now, and what is active is none.
pub fn follow(
    store: &Store,
    environment: &str,
    (old, before): (&ViewId, &ViewDescription),
    after: &ViewDescription,
) -> Result<()> {
    let layout = store.layout();
    let old =
        if layout.mnt().join(old.to_string()).is_dir() { layout.mnt() } else { layout.links() }.join(old.to_string());
    for (name, from, to) in crate::change::differences(before, after) {
        if let Some(version) = from {
            note(store, environment, &name, &version, &old.join(&before.site_packages))?;
        }
        if let Some(version) = to {
            // Best effort: a link too many misleads nobody.
            let _ = fs::remove_file(layout.bubbles(environment).join(format!("{name}-{version}")));
        }
    }
    Ok(())
}

/// Takes a project's bubbles away but for the `keep` newest, and returns the versions that went. What they led to stays
/// in the store.
pub fn prune(store: &Store, environment: &str, name: &str, keep: usize) -> Result<Vec<String>> {
    let directory = store.layout().bubbles(environment);
    let mut versions: Vec<Version> = fs::read_dir(&directory)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let file = entry.file_name();
            file.to_str()?.strip_prefix(name)?.strip_prefix('-')?.parse().ok()
        })
        .collect();
    versions.sort();
    versions.truncate(versions.len().saturating_sub(keep));
    for version in &versions {
        let link = directory.join(format!("{name}-{version}"));
        fs::remove_file(&link).with_context(|| format!("cannot remove {}", link.display()))?;
    }
    Ok(versions.iter().map(ToString::to_string).collect())
}

/// What was asked for in another version than the environment's active one: it is beside it once it is noted.
#[derive(Default)]
pub struct Beside {
    environment: String,
    versions: Vec<(String, String)>,
    site_packages: PathBuf,
}

impl Beside {
    pub fn of(workshop: &Workshop<'_>, own: &[Requirement], composed: &Composed) -> Result<Self> {
        let context = workshop.context();
        let (Some(environment), Base::Managed { description: base, .. }) = (&context.environment, &context.base) else {
            return Ok(Self::default());
        };
        let beside = |requirement: &Requirement| {
            let name = requirement.name.as_ref();
            let version = |of: &ViewDescription| of.wheel(name).map(|wheel| wheel.version.clone());
            let version = version(&composed.description).filter(|now| version(base).as_ref() != Some(now))?;
            Some((name.to_owned(), version))
        };
        let versions: Vec<_> = own.iter().filter_map(beside).collect();
        if versions.is_empty() {
            return Ok(Self::default());
        }
        let view = projection::lasting(workshop.store(), &composed.id, &composed.path)?;
        let site_packages = view.join(&composed.description.site_packages);
        Ok(Self { environment: environment.clone(), versions, site_packages })
    }

    /// Notes them.
    pub fn note(&self, store: &Store) -> Result<()> {
        let one =
            |(name, version): &(String, String)| note(store, &self.environment, name, version, &self.site_packages);
        self.versions.iter().try_for_each(one)
    }
}
