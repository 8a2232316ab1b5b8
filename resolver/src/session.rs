//! One resolution's view of the indexes: everything is asked for ahead, at once, and waited for when needed.
//!
//! When a project becomes known its page is requested; when the page is there, the metadata of its best
//! candidate; when that is there, the pages of what it requires. The solver only waits, so what it decides
//! never depends on the order in which answers come.

use crate::candidates::{Candidate, Candidates, Kind, Order};
use crate::direct::{self, DirectProject, DirectProjects};
use crate::error::{Error, Result};
use crate::formats::Formats;
use crate::metadata::{Metadata, Requirement};
use crate::permission::Permissions;
use crate::range::{self, VersionRange};
use crate::request::{Installed, Request, Resolution, Target};
use crate::shared::{Lookup, Shared, lock};
use crate::urls::without_login;
use crate::{hashes, pages, wheel_metadata};
use omnipkg_store::Sha256;
use omnipkg_store::tags::WheelFilename;
use pep440_rs::Version;
use pep508_rs::{PackageName, VersionOrUrl};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use tokio::runtime::Handle;
use url::Url;

/// A value that a task will set and that a thread may wait for.
pub(crate) struct Slot<T> {
    value: Mutex<Option<Result<T>>>,
    ready: Condvar,
}

impl<T: Clone> Slot<T> {
    fn new() -> Arc<Self> {
        Arc::new(Self { value: Mutex::new(None), ready: Condvar::new() })
    }

    fn set(&self, value: Result<T>) {
        lock(&self.value).get_or_insert(value);
        self.ready.notify_all();
    }

    /// The value if it is there.
    pub(crate) fn peek(&self) -> Option<Result<T>> {
        lock(&self.value).clone()
    }

    /// Waits for the value. Never call this on a task's thread.
    pub(crate) fn wait(&self) -> Result<T> {
        let mut value = lock(&self.value);
        loop {
            match &*value {
                Some(value) => return value.clone(),
                None => value = self.ready.wait(value).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }
}

/// Sets the slot even if its task dies, so that nobody waits for ever.
struct Promise<T: Clone>(Arc<Slot<T>>);

impl<T: Clone> Drop for Promise<T> {
    fn drop(&mut self) {
        self.0.set(Err(Error::Internal("a background request was abandoned".to_owned())));
    }
}

/// A project as this resolution sees it.
#[derive(Clone)]
pub(crate) enum Project {
    Known(Arc<Candidates>),
    /// `host/path` of the indexes that do not know it.
    Unknown(Vec<String>),
}

pub(crate) struct Session {
    shared: Arc<Shared>,
    runtime: Handle,
    pub(crate) target: Arc<Target>,
    permissions: Permissions,
    preferences: BTreeMap<PackageName, Version>,
    constraints: HashMap<PackageName, VersionRange>,
    /// What takes the place of every requirement of a project: those whose markers hold, perhaps none.
    overrides: HashMap<PackageName, Vec<Requirement>>,
    /// Of which a project's files must have one.
    hashes: HashMap<PackageName, BTreeSet<Sha256>>,
    resolution: Resolution,
    formats: Formats,
    from_urls: DirectProjects,
    /// What is there already, and whether it stays.
    installed: HashMap<PackageName, (Version, Candidate, bool)>,
    /// What is asked for by the user.
    direct: BTreeSet<PackageName>,
    projects: Mutex<HashMap<PackageName, Arc<Slot<Project>>>>,
    metadata: Mutex<HashMap<Url, Arc<Slot<Arc<Metadata>>>>>,
}

impl Session {
    pub(crate) fn new(shared: Arc<Shared>, runtime: Handle, request: &Request) -> Result<Arc<Self>> {
        let target = Arc::new(request.target.clone());
        let from_urls = direct::prepare(&shared, &runtime, request)?;
        let direct = applying(&request.requirements, &target).map(|requirement| requirement.name.clone()).collect();
        let constraints = ranges(&request.constraints, &target, &from_urls)?;
        let overrides = overrides(&request.overrides, &target);
        let named = |(name, version): (&String, &Version)| Some((name.parse().ok()?, version.clone()));
        Ok(Arc::new(Self {
            shared,
            runtime,
            target,
            permissions: Permissions::new(request),
            preferences: request.preferences.iter().filter_map(named).collect(),
            constraints,
            overrides,
            hashes: request.hashes.iter().filter_map(|(name, all)| Some((name.parse().ok()?, all.clone()))).collect(),
            resolution: request.resolution,
            formats: request.formats.clone(),
            installed: installed(request, &from_urls),
            from_urls,
            direct,
            projects: Mutex::default(),
            metadata: Mutex::default(),
        }))
    }

    pub(crate) fn progress(&self, name: &PackageName, version: &Version) {
        self.shared.progress.resolving(name.as_ref(), &version.to_string());
    }

    pub(crate) fn preferred(&self, name: &PackageName) -> Option<&Version> {
        self.preferences.get(name)
    }

    /// Which versions of a project are the best.
    pub(crate) fn order(&self, name: &PackageName) -> Order {
        match self.resolution {
            Resolution::Lowest => Order::Oldest,
            Resolution::LowestDirect if self.direct.contains(name) => Order::Oldest,
            _ => Order::Newest,
        }
    }

    /// The version that is there already and stays, if the range accepts it: then nobody needs to ask an index.
    pub(crate) fn kept(&self, name: &PackageName, range: &VersionRange) -> Option<&Candidate> {
        let (version, candidate, stays) = self.installed.get(name)?;
        (*stays && self.constrained(name, range).contains(version)).then_some(candidate)
    }

    /// A version that is there already.
    pub(crate) fn there(&self, name: &PackageName, version: &Version) -> Option<&Candidate> {
        let (there, candidate, stays) = self.installed.get(name)?;
        (*stays && there == version).then_some(candidate)
    }

    /// Requests a project's page if it was not before, unless what is there stays.
    pub(crate) fn will_need(self: &Arc<Self>, name: &PackageName, range: &VersionRange) {
        if self.kept(name, range).is_none() {
            self.project(name, range);
        }
    }

    /// The requirement, or what the user wants in its place.
    pub(crate) fn overridden<'r>(&'r self, requirement: &'r Requirement) -> &'r [Requirement] {
        self.overrides.get(&requirement.name).map_or(std::slice::from_ref(requirement), Vec::as_slice)
    }

    /// What the user wants of a project in place of anything else.
    pub(crate) fn overrides(&self, name: &PackageName) -> Option<&[Requirement]> {
        self.overrides.get(name).map(Vec::as_slice)
    }

    /// The versions that a requirement accepts.
    ///
    /// # Errors
    /// [`Error::Requirement`] for one that names a URL which is not the user's.
    pub(crate) fn range_of(&self, requirement: &Requirement) -> Result<VersionRange> {
        range_of(requirement, &self.from_urls)
    }

    /// The user's constraint on a project.
    pub(crate) fn constraint(&self, name: &PackageName) -> Option<&VersionRange> {
        self.constraints.get(name)
    }

    /// The range within the user's constraint.
    pub(crate) fn constrained(&self, name: &PackageName, range: &VersionRange) -> VersionRange {
        self.constraints.get(name).map_or_else(|| range.clone(), |constraint| range.intersection(constraint))
    }

    /// A project's slot; its page is requested if it was not before, then its best version in `range`.
    pub(crate) fn project(self: &Arc<Self>, name: &PackageName, range: &VersionRange) -> Arc<Slot<Project>> {
        let slot = match lock(&self.projects).entry(name.clone()) {
            std::collections::hash_map::Entry::Occupied(known) => return known.get().clone(),
            std::collections::hash_map::Entry::Vacant(vacant) => vacant.insert(Slot::new()).clone(),
        };
        if let Some(DirectProject { version, candidate, .. }) = self.from_urls.get(name) {
            let only = Candidates::only(name, version.clone(), candidate.clone(), self.target.clone());
            slot.set(Ok(Project::Known(Arc::new(only))));
            return slot;
        }
        let task = self.clone().load_project(Promise(slot.clone()), name.clone(), range.clone());
        self.runtime.spawn(task);
        slot
    }

    /// Boxed, because projects and metadata ask for each other without end.
    fn load_project(
        self: Arc<Self>,
        promise: Promise<Project>,
        name: PackageName,
        range: VersionRange,
    ) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            let project = match pages::look_up(&self.shared, &name).await {
                Ok(Lookup::Found(page)) => hashes::allowed(&name, page, self.hashes.get(&name)).map(|page| {
                    let (permission, allowed) = (self.permissions.of(&name), self.formats.of(&name));
                    let candidates = Candidates::new(&name, &page, self.target.clone(), permission, allowed);
                    Project::Known(Arc::new(match self.installed.get(&name) {
                        Some((version, there, stays)) => {
                            candidates.with_installed(version.clone(), there.clone(), *stays)
                        }
                        None => candidates,
                    }))
                }),
                Ok(Lookup::Unknown(asked)) => Ok(match self.installed.get(&name) {
                    Some((version, there, _)) => {
                        let only = Candidates::only(&name, version.clone(), there.clone(), self.target.clone());
                        Project::Known(Arc::new(only))
                    }
                    None => Project::Unknown(asked),
                }),
                Err(error) => Err(error),
            };
            if let Ok(Project::Known(candidates)) = &project {
                self.look_ahead(&name, candidates, &range);
            }
            promise.0.set(project);
        })
    }

    /// Requests the metadata of the version that would be chosen now.
    pub(crate) fn look_ahead(self: &Arc<Self>, name: &PackageName, candidates: &Candidates, range: &VersionRange) {
        let range = self.constrained(name, range);
        if let Some((_, candidate)) = candidates.select(&range, self.preferred(name), self.order(name)) {
            self.ask_ahead(&candidate, &range);
        }
    }

    /// Requests metadata that may be wanted soon; nothing is built for that which may not be taken after all.
    pub(crate) fn ask_ahead(self: &Arc<Self>, candidate: &Candidate, range: &VersionRange) {
        let is_cheap = matches!(candidate.kind, Kind::Wheel(_)) || candidate.sibling.is_some();
        if is_cheap || range::pinned(range).is_some() {
            self.metadata(candidate);
        }
    }

    /// The slot of a wheel's metadata; requested if it was not before.
    pub(crate) fn metadata(self: &Arc<Self>, candidate: &Candidate) -> Arc<Slot<Arc<Metadata>>> {
        let slot = match lock(&self.metadata).entry(candidate.url.clone()) {
            std::collections::hash_map::Entry::Occupied(known) => return known.get().clone(),
            std::collections::hash_map::Entry::Vacant(vacant) => vacant.insert(Slot::new()).clone(),
        };
        let (this, promise, candidate) = (self.clone(), Promise(slot.clone()), candidate.clone());
        self.runtime.spawn(async move {
            let metadata = wheel_metadata::get(&this.shared, &candidate).await;
            if let Ok(metadata) = &metadata {
                let requires = applying(&metadata.requires, &this.target).flat_map(|one| this.overridden(one));
                for requirement in requires {
                    if let Ok(range) = this.range_of(requirement) {
                        this.will_need(&requirement.name, &range);
                    }
                }
            }
            promise.0.set(metadata);
        });
        slot
    }
}

/// What requirements whose markers hold accept of each project, taken together.
fn ranges(
    requirements: &[Requirement],
    target: &Target,
    from_urls: &DirectProjects,
) -> Result<HashMap<PackageName, VersionRange>> {
    let mut ranges: HashMap<PackageName, VersionRange> = HashMap::new();
    for requirement in applying(requirements, target) {
        let accepted = range_of(requirement, from_urls)?;
        let known = ranges.entry(requirement.name.clone()).or_insert_with(VersionRange::full);
        *known = known.intersection(&accepted);
    }
    Ok(ranges)
}

fn overrides(requirements: &[Requirement], target: &Target) -> HashMap<PackageName, Vec<Requirement>> {
    let mut overrides: HashMap<PackageName, Vec<Requirement>> = HashMap::new();
    for requirement in requirements {
        let of_project = overrides.entry(requirement.name.clone()).or_default();
        of_project.extend(applying(std::slice::from_ref(requirement), target).cloned());
    }
    overrides
}

/// What is there already and may be taken for the target, of projects that no URL gives.
fn installed(request: &Request, from_urls: &DirectProjects) -> HashMap<PackageName, (Version, Candidate, bool)> {
    let usable = |(name, there): (&String, &Installed)| {
        let name: PackageName = name.parse().ok()?;
        let allowed = request.formats.of(&name);
        let given = request.hashes.get(name.as_ref());
        let is_given = given.is_none_or(|all| there.entry.sha256.is_some_and(|sha256| all.contains(&sha256)));
        let wheel = WheelFilename::parse(&there.filename).ok()?;
        let fits = request.target.tags.priority(&wheel.tags).is_some() && allowed.wheels && allowed.sources;
        let is_free = fits && is_given && !from_urls.contains_key(&name);
        is_free.then(|| (name, (there.entry.version.clone(), Candidate::installed(there, wheel), there.stays)))
    };
    request.installed.iter().filter_map(usable).collect()
}

/// The requirements whose markers hold, extras aside.
pub(crate) fn applying<'a>(
    requirements: &'a [Requirement],
    target: &'a Target,
) -> impl Iterator<Item = &'a Requirement> + 'a {
    requirements.iter().filter(|requirement| requirement.evaluate_markers(&target.markers, &[]))
}

/// The versions that a requirement accepts.
///
/// # Errors
/// [`Error::Requirement`] for one that names a URL which is not the user's.
fn range_of(requirement: &Requirement, from_urls: &DirectProjects) -> Result<VersionRange> {
    match &requirement.version_or_url {
        None => Ok(VersionRange::full()),
        Some(VersionOrUrl::VersionSpecifier(specifiers)) => Ok(range::from_specifiers(specifiers.iter())),
        Some(VersionOrUrl::Url(url))
            if from_urls.get(&requirement.name).is_some_and(|known| known.url == without_login(url.clone())) =>
        {
            Ok(VersionRange::full())
        }
        Some(VersionOrUrl::Url(url)) => Err(Error::Requirement {
            requirement: format!("{} @ {}", requirement.name, crate::client::shown(url)),
            reason: "a project of an index cannot say where another comes from: require that URL yourself".to_owned(),
        }),
    }
}
