//! One resolution, from request to lock.

use crate::candidates::Kind;
use crate::error::{Error, Result};
use crate::explain;
use crate::lock::{Lock, LockedWheel, Origin};
use crate::provider::{Package, Provider, root_version};
use crate::request::Request;
use crate::session::Session;
use crate::shared::{Shared, lock};
use crate::simple::File;
use crate::source;
use pep440_rs::Version;
use pep508_rs::PackageName;
use pubgrub::{PubGrubError, SelectedDependencies};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::runtime::Handle;

/// Resolves on the calling thread, which must not be one of the runtime's own.
pub(crate) fn solve(shared: &Arc<Shared>, runtime: Handle, request: &Request) -> Result<Lock> {
    let session = Session::new(shared.clone(), runtime, request)?;
    let mut early = Vec::new();
    loop {
        let provider = Provider::new(&session, &request.requirements, &early);
        let result = pubgrub::resolve(&provider, Package::Root, root_version());
        match provider.late() {
            // Each is late once, so this ends; and what was asked for before is there.
            Some(package) => early.push(package),
            None => return answer(shared, &provider, result),
        }
    }
}

fn answer(
    shared: &Shared,
    provider: &Provider<'_>,
    result: Result<SelectedDependencies<Package, Version>, PubGrubError<Provider<'_>>>,
) -> Result<Lock> {
    match result {
        Ok(solution) => {
            let solution: BTreeMap<Package, Version> = solution.into_iter().collect();
            for (package, version) in &solution {
                warning(provider, package, version)?.iter().for_each(|text| shared.progress.warning(text));
            }
            to_lock(shared, provider, solution)
        }
        Err(PubGrubError::NoSolution(tree)) => match provider.offline() {
            Some(missing) => Err(missing),
            None => Err(Error::NoSolution(explain::explain(&tree, provider))),
        },
        Err(
            PubGrubError::ErrorChoosingVersion { source, .. }
            | PubGrubError::ErrorRetrievingDependencies { source, .. }
            | PubGrubError::ErrorInShouldCancel(source),
        ) => Err(source),
    }
}

/// What a user should know of a version that was chosen.
fn warning(provider: &Provider<'_>, package: &Package, version: &Version) -> Result<Option<String>> {
    let Some(name) = package.name() else { return Ok(None) };
    let candidate = provider.candidate(name, version)?;
    Ok(match package {
        Package::Extra(_, extra) => {
            let metadata = provider.session.metadata(&candidate).wait()?;
            (!metadata.extras.contains(extra)).then(|| format!("{name} {version} has no extra {extra}"))
        }
        _ => match candidate.file.yanked.as_deref().map(str::trim) {
            Some("") => Some(format!("{name} {version} was yanked by its makers")),
            Some(reason) => Some(format!("{name} {version} was yanked by its makers: {reason}")),
            None => None,
        },
    })
}

fn to_lock(shared: &Shared, provider: &Provider<'_>, solution: BTreeMap<Package, Version>) -> Result<Lock> {
    let mut requires: BTreeMap<&PackageName, BTreeSet<String>> = BTreeMap::new();
    for (package, version) in &solution {
        if let Some(name) = package.name() {
            let direct = provider.edges(package, version).into_iter().filter(|other| other != name);
            requires.entry(name).or_default().extend(direct.map(|other| other.to_string()));
        }
    }
    let mut wheels = Vec::new();
    for (package, version) in &solution {
        let Package::Project(name) = package else { continue };
        let candidate = provider.candidate(name, version)?;
        let requires = requires.get(name).into_iter().flatten().cloned().collect();
        if let Some(there) = &candidate.installed {
            wheels.push(LockedWheel { requires, ..LockedWheel::clone(there) });
            continue;
        }
        let mut entry = LockedWheel::of(&candidate);
        (entry.name, entry.version) = (name.to_string(), version.clone());
        // What lies beside the indexes is on none.
        let is_beside = |files: &Vec<Arc<File>>| files.iter().any(|file| file.url == candidate.file.url);
        if entry.origin == Origin::Index && !shared.flat.get().is_some_and(is_beside) {
            entry.index = lock(&shared.found_on).get(name).cloned();
        }
        entry.requires = requires;
        entry.assumed = Some(provider.session.metadata(&candidate).wait()?.fingerprint());
        if let Kind::Source(source) = &candidate.kind {
            source::complete(shared, &candidate, source, &mut entry)?;
        }
        wheels.push(entry);
    }
    wheels.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Lock { wheels })
}
