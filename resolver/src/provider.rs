//! What pubgrub asks of Python packaging: versions, their dependencies, and what to decide next.
//!
//! Deterministic: every answer follows from the request, the pages and the metadata alone.

use crate::candidates::{Candidate, Candidates};
use crate::error::{Error, Result};
use crate::metadata::{Metadata, Requirement};
use crate::range::{self, VersionRange};
use crate::session::{Project, Session, applying};
use pep440_rs::Version;
use pep508_rs::{ExtraName, PackageName};
use pubgrub::{Dependencies, DependencyConstraints, DependencyProvider, PackageResolutionStatistics};
use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use version_ranges::Ranges;

/// Most versions whose metadata is fetched ahead while backtracking.
const AHEAD: usize = 32;
/// How often a package is tried before versions outside of its narrow range are fetched ahead.
const NARROW: usize = 4;

/// A project of which so many versions were tried is decided too late.
const LATE: usize = 5;

/// A node of the solver's graph.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Package {
    /// The user.
    Root,
    /// A project.
    Project(PackageName),
    /// A project's extra: needs the project at the same version, and what the extra needs.
    Extra(PackageName, ExtraName),
}

impl Package {
    pub(crate) fn name(&self) -> Option<&PackageName> {
        match self {
            Self::Root => None,
            Self::Project(name) | Self::Extra(name, _) => Some(name),
        }
    }
}

impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("your requirements"),
            Self::Project(name) => name.fmt(f),
            Self::Extra(name, extra) => write!(f, "{name}[{extra}]"),
        }
    }
}

/// Why a version that was chosen cannot be used after all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// Its metadata wants another Python, which its index did not say.
    Python(String),
    /// Anything else, in words.
    Other(String),
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Python(wanted) => write!(f, "it needs Python {wanted}"),
            Self::Other(words) => f.write_str(words),
        }
    }
}

pub(crate) struct Provider<'a> {
    pub(crate) session: &'a Arc<Session>,
    pub(crate) requirements: &'a [Requirement],
    /// Projects that are decided early, the first first.
    early: &'a [Package],
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    /// When a package was first heard of.
    order: HashMap<Package, usize>,
    /// The version last chosen for a project, which its extras follow.
    chosen: HashMap<PackageName, Version>,
    /// How often a version of a package was chosen.
    tries: HashMap<Package, usize>,
    /// Names of a version's direct dependencies.
    edges: HashMap<(Package, Version), Vec<PackageName>>,
    /// What could not be had because of being offline.
    offline: Option<Error>,
    /// What should have been decided earlier.
    late: Option<Package>,
}

type Edges = Vec<(Package, VersionRange)>;

impl<'a> Provider<'a> {
    pub(crate) fn new(session: &'a Arc<Session>, requirements: &'a [Requirement], early: &'a [Package]) -> Self {
        Self { session, requirements, early, state: RefCell::default() }
    }

    /// What is to be decided early: the solver, which has found that, is to begin again with it.
    pub(crate) fn late(&self) -> Option<Package> {
        self.state.borrow().late.clone()
    }

    /// The wheel of a version that was chosen.
    pub(crate) fn candidate(&self, name: &PackageName, version: &Version) -> Result<Candidate> {
        if let Some(there) = self.session.there(name, version) {
            return Ok(there.clone());
        }
        match self.session.project(name, &Ranges::full()).wait()? {
            Project::Known(candidates) => candidates
                .candidate(version)
                .cloned()
                .map_err(|_| Error::Internal(format!("{name} {version} was chosen but has no wheel"))),
            Project::Unknown(_) => Err(Error::Internal(format!("{name} was chosen but is unknown"))),
        }
    }

    /// The version that is there already, if it stays and no other was chosen for what follows it.
    fn kept(&self, name: &PackageName, range: &VersionRange, follows: Option<&Version>) -> Option<Version> {
        let entry = self.session.kept(name, range)?.installed.as_ref()?;
        follows
            .is_none_or(|version| *version == entry.version || !range.contains(version))
            .then(|| entry.version.clone())
    }

    /// Direct dependencies of a version that was chosen.
    pub(crate) fn edges(&self, package: &Package, version: &Version) -> Vec<PackageName> {
        self.state.borrow().edges.get(&(package.clone(), version.clone())).cloned().unwrap_or_default()
    }

    /// The first thing that was missing because of being offline.
    pub(crate) fn offline(&self) -> Option<Error> {
        self.state.borrow().offline.clone()
    }

    fn is_asked_for(&self, name: &PackageName) -> bool {
        applying(self.requirements, &self.session.target).any(|requirement| requirement.name == *name)
    }

    /// Requirements as edges: each package once, in order of appearance, with all its pages requested.
    fn to_edges<'r>(&self, requirements: impl Iterator<Item = &'r Requirement>) -> Result<Edges> {
        let mut edges = Edges::new();
        for requirement in requirements.flat_map(|requirement| self.session.overridden(requirement)) {
            let range = self.session.range_of(requirement)?;
            for extra in &requirement.extras {
                add(&mut edges, Package::Extra(requirement.name.clone(), extra.clone()), &range);
            }
            add(&mut edges, Package::Project(requirement.name.clone()), &range);
        }
        let mut state = self.state.borrow_mut();
        for (package, range) in &edges {
            let next = state.order.len();
            state.order.entry(package.clone()).or_insert(next);
            if let Package::Project(name) = package {
                self.session.will_need(name, range);
            }
        }
        Ok(edges)
    }

    fn dependencies(&self, package: &Package, version: &Version, metadata: &Metadata) -> Result<Edges, Unusable> {
        let markers = &self.session.target.markers;
        let words = |error: Error| Unusable::Other(error.to_string());
        let (name, mut edges) = match package {
            Package::Root => return Err(Unusable::Other("the root has no metadata".to_owned())),
            Package::Project(name) => {
                let python = self.session.target.python.only_release();
                if let Some(wanted) = metadata.requires_python.as_ref().filter(|wanted| !wanted.contains(&python)) {
                    return Err(Unusable::Python(wanted.to_string()));
                }
                (name, self.to_edges(applying(&metadata.requires, &self.session.target)).map_err(words)?)
            }
            Package::Extra(name, extra) => {
                let of_extra = metadata.requires.iter().filter(|requirement| {
                    requirement.evaluate_markers(markers, std::slice::from_ref(extra))
                        && !requirement.evaluate_markers(markers, &[])
                });
                (name, self.to_edges(of_extra).map_err(words)?)
            }
        };
        // What a project says of itself is either true or makes this version impossible.
        if edges.iter().any(|(other, range)| *other == Package::Project(name.clone()) && !range.contains(version)) {
            return Err(Unusable::Other(format!("it needs another version of {name}")));
        }
        edges.retain(|(other, _)| other != package && *other != Package::Project(name.clone()));
        let direct: Vec<PackageName> = edges.iter().filter_map(|(other, _)| other.name().cloned()).collect();
        self.state.borrow_mut().edges.insert((package.clone(), version.clone()), direct);
        if matches!(package, Package::Extra(..)) {
            edges.push((Package::Project(name.clone()), Ranges::singleton(version.clone())));
        }
        Ok(edges)
    }

    /// Backtracking through versions fetches the next ones ahead, the more the longer it goes on. A project that is
    /// narrowed again and again follows another one down: then the next are those after the version at hand.
    fn fetch_ahead(&self, name: &PackageName, package: &Package, at: (&Version, &VersionRange), known: &Candidates) {
        let (version, range) = at;
        let order = self.session.order(name);
        let mut state = self.state.borrow_mut();
        let tries = state.tries.entry(package.clone()).or_default();
        *tries += 1;
        let tries = *tries;
        // Its newest versions fall one after the other to what was decided before, most likely to one choice there: as in
        // uv, it is the other that is to give way.
        if tries == LATE && *package == Package::Project(name.clone()) && !self.early.contains(package) {
            state.late.get_or_insert_with(|| package.clone());
            return;
        }
        if tries == 1 || !(tries.is_power_of_two() || tries.is_multiple_of(AHEAD / 2)) {
            return;
        }
        let count = (tries * 2).min(AHEAD);
        let mut left = count;
        for (_, candidate) in known.acceptable(range, None, order).take(count) {
            self.session.ask_ahead(candidate, range);
            left -= 1;
        }
        if tries >= NARROW {
            let all = self.session.constrained(name, &Ranges::full());
            let next = known.acceptable(&all, None, order).skip_while(|(other, _)| *other != version).take(left);
            next.for_each(|(_, candidate)| self.session.ask_ahead(candidate, &all));
        }
    }
}

fn add(edges: &mut Edges, package: Package, range: &VersionRange) {
    match edges.iter_mut().find(|(known, _)| *known == package) {
        Some((_, known)) => *known = known.intersection(range),
        None => edges.push((package, range.clone())),
    }
}

impl DependencyProvider for Provider<'_> {
    type P = Package;
    type V = Version;
    type VS = VersionRange;
    type M = Unusable;
    type Err = Error;
    /// The root; then what is pinned, and extras (which pin their project); then what made trouble; then the
    /// first heard of.
    type Priority = (bool, u8, u32, Reverse<usize>);

    fn prioritize(
        &self,
        package: &Package,
        range: &VersionRange,
        trouble: &PackageResolutionStatistics,
    ) -> Self::Priority {
        let Some(name) = package.name() else { return (true, 0, 0, Reverse(0)) };
        if self.session.kept(name, range).is_none()
            && let Some(Ok(Project::Known(candidates))) = self.session.project(name, range).peek()
        {
            self.session.look_ahead(name, &candidates, range);
        }
        let early = self.early.iter().position(|other| other == package);
        let class = match package {
            _ if range::pinned(range).is_some() => 3,
            Package::Extra(..) => 1,
            _ if early.is_some() => 2,
            _ => 0,
        };
        if let Some(place) = early {
            return (false, class, 0, Reverse(place));
        }
        let order = self.state.borrow().order.get(package).copied().unwrap_or(usize::MAX);
        (false, class, trouble.conflict_count() / 4, Reverse(order))
    }

    fn should_cancel(&self) -> Result<()> {
        match self.state.borrow().late {
            Some(_) => Err(Error::Internal("a resolution was to begin again".to_owned())),
            None => Ok(()),
        }
    }

    fn choose_version(&self, package: &Package, range: &VersionRange) -> Result<Option<Version>> {
        let Some(name) = package.name() else { return Ok(Some(root_version())) };
        let follows = self.state.borrow().chosen.get(name).filter(|_| matches!(package, Package::Extra(..))).cloned();
        if let Some(version) = self.kept(name, range, follows.as_ref()) {
            self.state.borrow_mut().chosen.insert(name.clone(), version.clone());
            return Ok(Some(version));
        }
        let project = match self.session.project(name, range).wait() {
            Err(error @ Error::Offline { .. }) => {
                self.state.borrow_mut().offline.get_or_insert(error);
                return Ok(None);
            }
            other => other?,
        };
        let candidates = match project {
            Project::Known(candidates) => candidates,
            Project::Unknown(asked) if self.is_asked_for(name) => {
                return Err(Error::UnknownProject { name: name.to_string(), asked });
            }
            Project::Unknown(_) => return Ok(None),
        };
        let range = self.session.constrained(name, range);
        let preferred = follows.as_ref().filter(|version| range.contains(version)).or(self.session.preferred(name));
        let Some((version, _)) = candidates.select(&range, preferred, self.session.order(name)) else {
            return Ok(None);
        };
        if let Package::Project(name) = package {
            self.session.progress(name, &version);
            self.state.borrow_mut().chosen.insert(name.clone(), version.clone());
        }
        self.fetch_ahead(name, package, (&version, &range), &candidates);
        Ok(Some(version))
    }

    fn get_dependencies(
        &self,
        package: &Package,
        version: &Version,
    ) -> Result<Dependencies<Package, VersionRange, Unusable>> {
        let Some(name) = package.name() else {
            let edges = self.to_edges(applying(self.requirements, &self.session.target))?;
            return Ok(Dependencies::Available(edges.into_iter().collect::<DependencyConstraints<_, _>>()));
        };
        let candidate = self.candidate(name, version)?;
        let metadata = match self.session.metadata(&candidate).wait() {
            Ok(metadata) => metadata,
            Err(error @ Error::Metadata { .. }) => {
                return Ok(Dependencies::Unavailable(Unusable::Other(error.to_string())));
            }
            Err(error @ Error::Offline { .. }) => {
                let reason = error.to_string();
                self.state.borrow_mut().offline.get_or_insert(error);
                return Ok(Dependencies::Unavailable(Unusable::Other(reason)));
            }
            Err(error) => return Err(error),
        };
        Ok(match self.dependencies(package, version, &metadata) {
            Ok(edges) => Dependencies::Available(edges.into_iter().collect()),
            Err(reason) => Dependencies::Unavailable(reason),
        })
    }
}

/// The version of [`Package::Root`], which nobody sees.
pub(crate) fn root_version() -> Version {
    Version::new([0])
}
