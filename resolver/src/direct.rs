//! Requirements that name a URL: which project and version each gives, found out before anything is chosen.
//!
//! A project that a URL is given for comes from there and from nowhere else, whoever requires it. URLs count where the user
//! gave them, and in what came from such a URL itself; a project of an index cannot send a user elsewhere.

use crate::candidates::{Candidate, Kind};
use crate::client::{percent_decode, shown, without_login};
use crate::error::{Error, Result};
use crate::lock::Origin;
use crate::metadata::{Metadata, Requirement};
use crate::request::{Request, Target};
use crate::session::applying;
use crate::shared::Shared;
use crate::simple::{File, parse_sha256};
use crate::source::{self, Place, Source};
use crate::wheel_metadata;
use omnipkg_store::sdist::Packing;
use omnipkg_store::tags::WheelFilename;
use pep440_rs::Version;
use pep508_rs::{ExtraName, PackageName, VersionOrUrl};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use tokio::runtime::Handle;
use url::Url;

/// A project that comes from a URL.
pub(crate) struct DirectProject {
    pub(crate) url: Url,
    pub(crate) version: Version,
    pub(crate) candidate: Candidate,
}

/// Projects by name.
pub(crate) type DirectProjects = HashMap<PackageName, DirectProject>;

/// Finds out what all URLs of a request give.
pub(crate) fn prepare(shared: &Arc<Shared>, runtime: &Handle, request: &Request) -> Result<DirectProjects> {
    let mut projects = DirectProjects::new();
    let mut queue: VecDeque<(PackageName, Url, Vec<ExtraName>)> = VecDeque::new();
    for requirements in [&request.requirements, &request.constraints, &request.overrides] {
        queue.extend(applying(requirements, &request.target).filter_map(url_of));
    }
    while let Some((name, url, extras)) = queue.pop_front() {
        let wrong = |reason: String| Error::Requirement { requirement: format!("{name} @ {}", shown(&url)), reason };
        let candidate = match projects.get(&name) {
            Some(known) if known.url != url => {
                return Err(wrong(format!("it is required from {} too", shown(&known.url))));
            }
            Some(known) => known.candidate.clone(),
            None => match request.installed.get(name.as_ref()) {
                // What came from there stays, as anything else does that nobody asks for anew.
                Some(there) if there.stays && there.entry.origin != Origin::Index && there.entry.url == url => {
                    let wheel = WheelFilename::parse(&there.filename).map_err(|error| wrong(error.to_string()))?;
                    Candidate::installed(there, wheel)
                }
                _ => candidate(&url, &request.target)?,
            },
        };
        let metadata = runtime.block_on(wheel_metadata::get(shared, &candidate))?;
        if metadata.name != name {
            return Err(wrong(format!("it is the project {}", metadata.name)));
        }
        let transitive = metadata.requires.iter();
        queue.extend(
            transitive
                .filter(|requirement| requirement.evaluate_markers(&request.target.markers, &extras))
                .filter_map(url_of)
                // What is asked with other extras is known to be from there already.
                .filter(|(name, url, _)| projects.get(name).is_none_or(|known| known.url != *url)),
        );
        let version = version(&candidate, &metadata);
        let version = version.ok_or_else(|| wrong("its version is none of PEP 440".to_owned()))?;
        projects.entry(name).or_insert(DirectProject { url, version, candidate });
    }
    Ok(projects)
}

/// The name of the project that a URL gives.
pub(crate) fn name(shared: &Arc<Shared>, runtime: &Handle, url: &Url, target: &Target) -> Result<PackageName> {
    let candidate = candidate(url, target)?;
    if let Kind::Wheel(wheel) = &candidate.kind {
        return Ok(wheel.name.clone());
    }
    runtime.block_on(wheel_metadata::get(shared, &candidate)).map(|metadata| metadata.name.clone())
}

fn url_of(requirement: &Requirement) -> Option<(PackageName, Url, Vec<ExtraName>)> {
    match &requirement.version_or_url {
        Some(VersionOrUrl::Url(url)) => {
            Some((requirement.name.clone(), without_login(url.clone()), requirement.extras.clone()))
        }
        _ => None,
    }
}

fn version(candidate: &Candidate, metadata: &Metadata) -> Option<Version> {
    match &candidate.kind {
        Kind::Wheel(wheel) => Some(wheel.version.clone()),
        Kind::Source(_) => metadata.version.clone(),
    }
}

/// What a URL leads to. Its fragment may say `sha256=…`, `subdirectory=…` and, for a directory, `editable`.
fn candidate(url: &Url, target: &Target) -> Result<Candidate> {
    let wrong = |reason: &str| Error::Requirement { requirement: shown(url), reason: reason.to_owned() };
    let fragment = |key: &str| {
        let mut parts = url.fragment().unwrap_or_default().split('&');
        parts.find_map(|part| part.strip_prefix(key)?.strip_prefix('=')).map(percent_decode)
    };
    let subdirectory = fragment("subdirectory").filter(|path| !path.is_empty());
    let source = |place| Kind::Source(Arc::new(Source { name: None, version: None, place }));
    let filename = percent_decode(url.path().trim_end_matches('/').rsplit('/').next().unwrap_or_default());
    let kind = match url.scheme() {
        scheme if scheme.starts_with("git+") => Kind::Source(Arc::new(Source::git(url, subdirectory)?)),
        "file" if source::path_of(url)?.is_dir() => {
            source(Place::Directory { path: source::path_of(url)?, editable: is_editable(url) })
        }
        "file" | "http" | "https" if is_editable(url) => {
            return Err(wrong("only a project's directory can be editable"));
        }
        "file" | "http" | "https" if filename.ends_with(".whl") => {
            let wheel = WheelFilename::parse(&filename).map_err(|error| wrong(&error.to_string()))?;
            if target.tags.priority(&wheel.tags).is_none() {
                return Err(wrong("this wheel is for another Python or platform"));
            }
            Kind::Wheel(Arc::new(wheel))
        }
        "file" | "http" | "https" if Packing::of(&filename).is_some() => source(Place::Archive { subdirectory }),
        "file" | "http" | "https" => {
            return Err(wrong("it is neither a wheel, nor a .tar.gz, nor a .zip, nor a project's directory"));
        }
        _ => return Err(wrong("only http, https, file and git+ URLs are understood")),
    };
    let mut plain = url.clone();
    plain.set_fragment(None);
    let sha256 = fragment("sha256").and_then(|text| parse_sha256(&text));
    let file = File::bare(filename, plain, sha256);
    Ok(Candidate { file: Arc::new(file), url: url.clone(), kind, is_direct: true, sibling: None, installed: None })
}

/// True if a directory is to be imported from itself; who gives the URL says so in its fragment.
pub(crate) fn is_editable(url: &Url) -> bool {
    url.fragment().is_some_and(|fragment| fragment.split('&').any(|part| part == "editable"))
}
