//! The wheels of a lock, in the store: what it does not have is fetched or built.
//!
//! A lock's entry is only what it says it is: the hash, and the project and version that the wheel itself names.

use super::{Cost, Upgrade, Wheels, Workshop};
use crate::context::Base;
use crate::origins;
use crate::output;
use anyhow::{Context as _, Result, bail};
use omnipkg_resolver::{Error as ResolveError, FetchError, Installed, Lock, LockedWheel};
use omnipkg_store::Sha256;
use omnipkg_store::catalog::Catalog;
use omnipkg_store::view::description::WheelReference;
use omnipkg_store::wheel::{WheelTree, ingest};
use pep440_rs::Version;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

impl Workshop<'_> {
    /// The wheels beneath, by name.
    pub(super) fn archives(&self) -> impl Iterator<Item = (&str, &WheelReference)> {
        let description = match &self.context.base {
            Base::Managed { description, .. } => Some(description),
            _ => None,
        };
        let wheels = description.into_iter().flat_map(|description| &description.wheels);
        wheels.map(|wheel| (wheel.name.as_str(), wheel)).filter(|(name, _)| !self.anew.contains(*name))
    }

    /// A lock without what is there already.
    pub(super) fn not_there(&self, lock: &Lock) -> Lock {
        let there: BTreeSet<Sha256> = self.archives().map(|(_, wheel)| wheel.sha256).collect();
        let is_new = |entry: &&LockedWheel| entry.wheel().is_none_or(|sha256| !there.contains(&sha256));
        Lock { wheels: lock.wheels.iter().filter(is_new).cloned().collect() }
    }

    /// True if what is there of a project is not to be replaced without need.
    pub(super) fn stays(&self, name: &str) -> bool {
        match &self.upgrade {
            Upgrade::Nothing => true,
            Upgrade::Projects(names) => !names.contains(name),
            Upgrade::Everything => false,
        }
    }

    /// What is there already, as far as it is known where it came from: a candidate, whatever the indexes know.
    pub(super) fn installed(&self) -> BTreeMap<String, Installed> {
        let there = self.archives().filter_map(|(name, wheel)| {
            let entry = origins::read(&self.store, &wheel.sha256)?;
            let filename = WheelTree::open(&self.store, &wheel.sha256).ok()?.head.filename;
            let entry = LockedWheel { version: Version::from_str(&wheel.version).ok()?, ..entry };
            Some((name.to_owned(), Installed { entry, filename, stays: self.stays(name) }))
        });
        there.collect()
    }

    /// True if a lock has another archive of a version that is there and stays: a lock file, or hashes, may have chosen
    /// another file than a pin comes to.
    pub(super) fn replaces_what_stays(&self, lock: &Lock) -> bool {
        self.archives().filter(|(name, _)| self.stays(name)).any(|(name, there)| {
            let same = lock.get(name).filter(|entry| entry.version.to_string() == there.version);
            same.is_some_and(|entry| entry.wheel() != Some(there.sha256))
        })
    }

    /// The manifests of all wheels of a lock; what the store does not have is fetched and ingested.
    pub(super) fn wheels(&mut self, lock: &mut Lock, cost: &mut Cost) -> Result<Wheels> {
        let mut known: BTreeMap<String, (Sha256, WheelTree)> = BTreeMap::new();
        let (mut missing, mut sizes) = (Vec::new(), BTreeMap::new());
        for wheel in &lock.wheels {
            match wheel.wheel().map(|sha256| (sha256, WheelTree::open(&self.store, &sha256))) {
                Some((sha256, Ok(tree))) => {
                    let (name, version) = (&tree.head.name, &tree.head.version);
                    // A lock from a file may say of a hash what it likes.
                    if name.as_ref() != wheel.name || (wheel.is_wheel() && *version != wheel.version) {
                        bail!("the wheel with sha256 {sha256} is {name} {version}, not {}", wheel.filename);
                    }
                    known.insert(wheel.name.clone(), (sha256, tree));
                }
                Some((_, Err(error))) if !error.is_not_found() => return Err(error.into()),
                _ => missing.push(wheel.clone()),
            }
        }
        let (sources, missing): (Vec<_>, Vec<_>) = missing.into_iter().partition(|wheel| !wheel.is_wheel());
        if !missing.is_empty() {
            for (name, sha256, size) in self.fetch(&missing, cost)? {
                known.insert(name.clone(), (sha256, WheelTree::open(&self.store, &sha256)?));
                sizes.insert(name, size);
            }
        }
        let built = if sources.is_empty() { Vec::new() } else { self.resolver()?.build(&sources)? };
        for built in built {
            let sha256 = built.built.context("a build gave no wheel")?;
            known.insert(built.name.clone(), (sha256, WheelTree::open(&self.store, &sha256)?));
            cost.new_wheels += 1;
            if let Some(entry) = lock.wheels.iter_mut().find(|entry| entry.name == built.name) {
                *entry = built;
            }
        }
        for wheel in &mut lock.wheels {
            let Some((sha256, tree)) = known.get(&wheel.name) else { continue };
            // Of a source, only what was built tells for certain.
            wheel.version.clone_from(&tree.head.version);
            if wheel.is_wheel() {
                wheel.sha256 = Some(*sha256);
                wheel.size = wheel.size.or(sizes.get(&wheel.name).copied().flatten());
            }
        }
        Ok(known.into_values().collect())
    }

    fn fetch(&mut self, missing: &[LockedWheel], cost: &mut Cost) -> Result<Vec<(String, Sha256, Option<u64>)>> {
        let (store, hashes) = (self.store.clone(), self.rules.hashes.clone());
        let arrived = self.resolver()?.fetch(missing, |wheel, path| {
            let size = std::fs::metadata(path).ok().map(|metadata| metadata.len());
            // An index that names no hash leaves it to what has come.
            let given = hashes.get(&wheel.name).filter(|all| wheel.sha256.is_none_or(|sha256| !all.contains(&sha256)));
            let expected = given.and_then(|all| all.first().copied()).or(wheel.sha256);
            ingest(&store, path, &wheel.filename, expected).map(|ingested| (wheel.name.clone(), ingested, size))
        });
        let arrived = arrived.map_err(|error| match error {
            FetchError::Fetch(error) => anyhow::Error::from(error),
            FetchError::Ingest { source, .. } => anyhow::Error::from(source),
        })?;
        let mut catalog = Catalog::open(&self.store)?;
        let mut wheels = Vec::new();
        for (name, ingested, size) in arrived {
            catalog.add(&ingested.sha256, &ingested.manifest)?;
            cost.new_wheels += 1;
            cost.new_objects += ingested.new_objects;
            cost.new_bytes += ingested.new_bytes;
            if self.settings.verbose {
                ingested.manifest.warnings.iter().for_each(|text| {
                    output::warn(&format!("{}: {text}", ingested.manifest.filename));
                });
            }
            wheels.push((name, ingested.sha256, size));
        }
        for (name, sha256, _) in &wheels {
            if let Some(entry) = missing.iter().find(|entry| entry.name == *name) {
                self.resolver()?.check_needs(entry, sha256)?;
            }
        }
        Ok(wheels)
    }
}

/// True if what has come needs other things than was told of it, which is known now.
pub(super) fn is_misled(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref::<ResolveError>(), Some(ResolveError::Misled { .. }))
}
