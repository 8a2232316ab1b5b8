//! The versions of a project, for one target: which wheel each would give, and why others were passed over.
//!
//! The choice depends on nothing but the page, the target and what the user permits; a narrower range never
//! makes a version possible. Reasons are kept, because an explanation that says only "no version" helps nobody.

use crate::formats::Allowed;
use crate::lock::{LockedWheel, Origin};
use crate::metadata::parse_specifiers;
use crate::permission::{Permission, Prereleases};
use crate::range::VersionRange;
use crate::request::{Installed, Target};
use crate::simple::{CoreMetadata, File, Page, Row};
use crate::source::{Place, Source};
use omnipkg_store::sdist::Packing;
use omnipkg_store::tags::{WheelFilename, WheelTag};
use pep440_rs::Version;
use pep508_rs::PackageName;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use url::Url;

/// Which versions are the best.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Newest,
    Oldest,
}

/// An archive that the target can use.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub(crate) file: Arc<File>,
    pub(crate) url: Url,
    pub(crate) kind: Kind,
    /// The user named its URL; no index did.
    pub(crate) is_direct: bool,
    /// Of a source: a wheel of the same version for another Python or platform, which tells its needs without a build.
    pub(crate) sibling: Option<Arc<Candidate>>,
    /// It is there already: the entry that it was.
    pub(crate) installed: Option<Arc<LockedWheel>>,
}

impl Candidate {
    /// What is there already.
    pub(crate) fn installed(there: &Installed, wheel: WheelFilename) -> Self {
        let (entry, url) = (Arc::new(there.entry.clone()), there.entry.url.clone());
        let file = Arc::new(File::bare(there.filename.clone(), url.clone(), entry.wheel()));
        let kind = Kind::Wheel(Arc::new(wheel));
        Self { file, url, kind, is_direct: false, sibling: None, installed: Some(entry) }
    }

    /// A source that a lock names.
    pub(crate) fn locked(entry: &LockedWheel, source: Arc<Source>) -> Self {
        let bare = File::bare(entry.filename.clone(), entry.url.clone(), entry.sha256);
        let file = File { size: entry.size, ..bare };
        let is_direct = entry.origin != Origin::Index;
        Self {
            file: Arc::new(file),
            url: entry.url.clone(),
            kind: Kind::Source(source),
            is_direct,
            sibling: None,
            installed: None,
        }
    }
}

/// What a candidate is.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// A wheel for the target.
    Wheel(Arc<WheelFilename>),
    /// A source distribution, or a tree, of which a wheel is to be built.
    Source(Arc<Source>),
}

/// Why a version gives no wheel, or is not taken.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum PassedOver {
    /// A pre-release, where none may be taken.
    Prerelease,
    /// Yanked, with the reason, and not pinned by the user.
    Yanked(String),
    /// Its wheels want another Python: the specifier.
    Python(String),
    /// It has wheels, but none for this Python and platform: the tags there are.
    Tags(Vec<WheelTag>),
    /// It has only source distributions, and nothing is to be built of it.
    SourceOnly,
    /// The user's limit of time withholds it: why.
    Withheld(Arc<str>),
    /// It has wheels, which may not be taken, and no source.
    WheelsOnly,
    /// Its source is packed in a way that is not understood.
    Packing,
}

/// All versions of a project.
#[derive(Debug)]
pub(crate) struct Candidates {
    name: PackageName,
    target: Arc<Target>,
    permission: Permission,
    allowed: Allowed,
    versions: BTreeMap<Version, Release>,
}

#[derive(Debug, Default)]
struct Release {
    files: Vec<Row>,
    choice: OnceLock<Result<Candidate, PassedOver>>,
}

impl Candidates {
    /// Sorts a project's files into versions; rows without a readable version are left out.
    pub(crate) fn new(
        name: &PackageName,
        page: &Page,
        target: Arc<Target>,
        permission: Permission,
        allowed: Allowed,
    ) -> Self {
        let mut versions: BTreeMap<Version, Release> = BTreeMap::new();
        let mut last: Option<(&str, Version)> = None;
        for row in &page.rows {
            let Some(text) = version_of(row.filename(), name) else { continue };
            let version = match &last {
                Some((same, version)) if *same == text => version.clone(),
                _ => match text.parse::<Version>() {
                    Ok(version) => version,
                    Err(_) => continue,
                },
            };
            last = Some((text, version.clone()));
            versions.entry(version).or_default().files.push(row.clone());
        }
        Self { name: name.clone(), target, permission, allowed, versions }
    }

    /// The one version that a URL gives, wherever it came from.
    pub(crate) fn only(name: &PackageName, version: Version, candidate: Candidate, target: Arc<Target>) -> Self {
        let release = Release { files: vec![candidate.file.clone().into()], choice: OnceLock::from(Ok(candidate)) };
        let versions = BTreeMap::from([(version, release)]);
        let allowed = Allowed { wheels: true, sources: true };
        // Who names a URL names its version, whatever that is.
        let permission = Permission { prereleases: Prereleases::Equal, ..Permission::default() };
        Self { name: name.clone(), target, permission, allowed, versions }
    }

    /// The same with a version that is there already: in place of another archive of that version only if it `stays`.
    pub(crate) fn with_installed(mut self, version: Version, candidate: Candidate, stays: bool) -> Self {
        if stays || !self.versions.contains_key(&version) {
            let release = Release { files: vec![candidate.file.clone().into()], choice: OnceLock::from(Ok(candidate)) };
            self.versions.insert(version, release);
        }
        self
    }

    /// All versions, oldest first.
    pub(crate) fn versions(&self) -> impl DoubleEndedIterator<Item = &Version> {
        self.versions.keys()
    }

    /// The preferred version if the range accepts it, else the best that may be taken.
    pub(crate) fn select(
        &self,
        range: &VersionRange,
        preferred: Option<&Version>,
        order: Order,
    ) -> Option<(Version, Candidate)> {
        self.acceptable(range, preferred, order).next().map(|(version, candidate)| (version.clone(), candidate.clone()))
    }

    /// All versions that may be taken, best first. A preferred version is taken whatever it is, unless no pre-release
    /// may be.
    pub(crate) fn acceptable<'a>(
        &'a self,
        range: &'a VersionRange,
        preferred: Option<&'a Version>,
        order: Order,
    ) -> impl Iterator<Item = (&'a Version, &'a Candidate)> + 'a {
        let favourite = preferred
            .filter(|version| range.contains(version) && !self.is_barred(version))
            .and_then(|version| Some((self.versions.get_key_value(version)?.0, self.candidate(version).ok()?)));
        let favourite_version = favourite.map(|(version, _)| version);
        let others = self.by_rank(order).filter(move |version| {
            range.contains(version) && Some(*version) != favourite_version && self.obstacle(version).is_none()
        });
        favourite.into_iter().chain(others.filter_map(|version| Some((version, self.candidate(version).ok()?))))
    }

    /// All versions, best first: pre-releases in their place or behind all others.
    fn by_rank(&self, order: Order) -> Box<dyn Iterator<Item = &Version> + '_> {
        let in_order = || -> Box<dyn Iterator<Item = &Version> + '_> {
            match order {
                Order::Newest => Box::new(self.versions.keys().rev()),
                Order::Oldest => Box::new(self.versions.keys()),
            }
        };
        if self.permission.prereleases == Prereleases::Equal {
            return in_order();
        }
        let last = in_order().filter(|version| version.any_prerelease());
        Box::new(in_order().filter(|version| !version.any_prerelease()).chain(last))
    }

    /// The archive of a version.
    pub(crate) fn candidate(&self, version: &Version) -> Result<&Candidate, PassedOver> {
        let release = self.versions.get(version).ok_or(PassedOver::SourceOnly)?;
        release.choice.get_or_init(|| self.choose(version, &release.files)).as_ref().map_err(Clone::clone)
    }

    /// The best archive: not yanked before yanked, a wheel before a source, then tag order, then the higher build number,
    /// then file name.
    fn choose(&self, version: &Version, files: &[Row]) -> Result<Candidate, PassedOver> {
        let mut best = None;
        let mut passed = None;
        for file in files.iter().filter_map(Row::read) {
            match self.judge(version, &file) {
                Ok((rank, candidate)) => {
                    let build = match &candidate.kind {
                        Kind::Wheel(wheel) => wheel.build.clone(),
                        Kind::Source(_) => None,
                    };
                    let key = (file.yanked.is_some(), rank, std::cmp::Reverse(build), file.filename.clone());
                    if best.as_ref().is_none_or(|(least, _)| key < *least) {
                        best = Some((key, candidate));
                    }
                }
                Err(reason) => passed = Some(nearest(passed, reason)),
            }
        }
        let mut best = best.map(|(_, candidate)| candidate).ok_or(passed.unwrap_or(PassedOver::SourceOnly))?;
        if matches!(best.kind, Kind::Source(_)) {
            best.sibling = sibling(files).map(Arc::new);
        }
        Ok(best)
    }

    /// A candidate and its rank among those of its version; less is better.
    fn judge(&self, version: &Version, file: &Arc<File>) -> Result<(u32, Candidate), PassedOver> {
        if let Some(reason) = &file.withheld {
            return Err(PassedOver::Withheld(reason.clone()));
        }
        let (rank, kind) = if file.filename.ends_with(".whl") {
            let wheel = WheelFilename::parse(&file.filename).map_err(|_| PassedOver::SourceOnly)?;
            if !self.allowed.wheels {
                return Err(PassedOver::WheelsOnly);
            }
            let Some(rank) = self.target.tags.priority(&wheel.tags) else {
                return Err(PassedOver::Tags(wheel.tags));
            };
            (rank, Kind::Wheel(Arc::new(wheel)))
        } else {
            if !self.allowed.sources {
                return Err(PassedOver::SourceOnly);
            }
            if Packing::of(&file.filename).is_none() {
                return Err(PassedOver::Packing);
            }
            let place = Place::Archive { subdirectory: None };
            let source = Source { name: Some(self.name.clone()), version: Some(version.clone()), place };
            (u32::MAX, Kind::Source(Arc::new(source)))
        };
        if let Some(wanted) = file.requires_python.as_ref().filter(|text| !accepts_python(text, &self.target.python)) {
            return Err(PassedOver::Python(wanted.clone()));
        }
        let url = Url::parse(&file.url).map_err(|_| PassedOver::SourceOnly)?;
        Ok((rank, Candidate { file: file.clone(), url, kind, is_direct: false, sibling: None, installed: None }))
    }

    /// Versions of the range that exist but may not be taken, newest first, with the reasons.
    pub(crate) fn passed_over(&self, range: &VersionRange) -> Vec<(&Version, PassedOver)> {
        let inside = self.versions.keys().rev().filter(|version| range.contains(version));
        inside.filter_map(|version| Some((version, self.obstacle(version)?))).collect()
    }

    /// Why a version may not be taken.
    fn obstacle(&self, version: &Version) -> Option<PassedOver> {
        if self.is_barred(version) {
            return Some(PassedOver::Prerelease);
        }
        match self.candidate(version) {
            Err(reason) => Some(reason),
            Ok(Candidate { file, .. }) => {
                let reason = file.yanked.as_ref().filter(|_| !self.permission.pinned.contains(version))?;
                Some(PassedOver::Yanked(reason.clone()))
            }
        }
    }

    fn is_barred(&self, version: &Version) -> bool {
        self.permission.prereleases == Prereleases::Never && version.any_prerelease()
    }
}

/// The wheel that tells most cheaply what its version needs; of several, the last by name, which is of a newer Python.
fn sibling(files: &[Row]) -> Option<Candidate> {
    let wheels = files.iter().filter(|row| row.filename().ends_with(".whl")).filter_map(Row::read);
    let file = wheels
        .filter(|file| file.withheld.is_none())
        .max_by_key(|file| (file.core_metadata != CoreMetadata::No, file.filename.clone()))?;
    let kind = Kind::Wheel(Arc::new(WheelFilename::parse(&file.filename).ok()?));
    let url = Url::parse(&file.url).ok()?;
    Some(Candidate { file, url, kind, is_direct: false, sibling: None, installed: None })
}

/// True if the specifiers accept the Python; as in pip, a pre-release of Python counts as its release.
pub(crate) fn accepts_python(specifiers: &str, python: &Version) -> bool {
    parse_specifiers(specifiers).is_none_or(|parsed| parsed.contains(&python.only_release()))
}

/// The more telling of two reasons; tags are collected.
fn nearest(known: Option<PassedOver>, new: PassedOver) -> PassedOver {
    match (known, new) {
        (Some(PassedOver::Tags(mut tags)), PassedOver::Tags(more)) => {
            tags.extend(more);
            PassedOver::Tags(tags)
        }
        (Some(PassedOver::Python(known)), _) => PassedOver::Python(known),
        (Some(known @ PassedOver::Withheld(_)), PassedOver::SourceOnly) => known,
        (Some(PassedOver::Tags(_)), new @ PassedOver::Python(_)) => new,
        (Some(tags @ PassedOver::Tags(_)), _) => tags,
        (_, new) => new,
    }
}

/// The version in a file name: `Foo_Bar-1.0-py3-none-any.whl`, `foo-bar-1.0.tar.gz`.
pub(crate) fn version_of<'a>(filename: &'a str, name: &PackageName) -> Option<&'a str> {
    if let Some(stem) = filename.strip_suffix(".whl") {
        let (project, rest) = stem.split_once('-')?;
        return same_name(project, name).then(|| rest.split('-').next())?;
    }
    let stem = [".tar.gz", ".zip", ".tar.bz2", ".tgz", ".tar.xz"].iter().find_map(|end| filename.strip_suffix(end))?;
    let mut dashes = stem.match_indices('-').map(|(index, _)| stem.split_at(index));
    dashes.find(|(project, _)| same_name(project, name)).map(|(_, version)| &version[1..])
}

/// Compares without allocating: `text`, normalised, is `name`.
fn same_name(text: &str, name: &PackageName) -> bool {
    let mut expected = name.as_ref().bytes();
    let mut separator = false;
    for byte in text.bytes() {
        if matches!(byte, b'-' | b'_' | b'.') {
            if !separator && expected.next() != Some(b'-') {
                return false;
            }
            separator = true;
        } else {
            separator = false;
            if expected.next() != Some(byte.to_ascii_lowercase()) {
                return false;
            }
        }
    }
    expected.next().is_none()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
