//! The rules of a solution, written down a second time and without haste: every possibility is tried.
//!
//! Nothing here uses the solver's code: specifiers are judged one version at a time as PEP 440 words them (the
//! check in `pep440_rs` errs on `<2.0rc1` and on `==1.2.*` for version 1), markers by `pep508_rs`, tags as text.

use super::Wheel;
use crate::metadata::Requirement;
use crate::request::{Prerelease, Request};
use pep440_rs::{Operator, Version, VersionSpecifier, VersionSpecifiers};
use pep508_rs::{ExtraName, PackageName, VersionOrUrl};
use std::collections::{BTreeMap, BTreeSet};

/// Wheels with these tags are for the target of tests.
const TAGS: [&str; 4] =
    ["py3-none-any", "py2.py3-none-any", "cp311-cp311-manylinux_2_17_x86_64", "cp311-abi3-manylinux_2_17_x86_64"];

/// A universe and a question.
pub(crate) struct Brute<'a> {
    releases: BTreeMap<PackageName, Vec<Release>>,
    asked: &'a Request,
}

struct Release {
    version: Version,
    requires: Vec<Requirement>,
}

/// What was decided, and what must still be looked at.
#[derive(Clone, Default)]
struct State {
    chosen: BTreeMap<PackageName, usize>,
    extras: BTreeMap<PackageName, BTreeSet<ExtraName>>,
    pending: Vec<Requirement>,
}

impl<'a> Brute<'a> {
    pub(crate) fn new(offered: &[Wheel], asked: &'a Request) -> Self {
        let mut releases: BTreeMap<PackageName, Vec<Release>> = BTreeMap::new();
        for wheel in offered.iter().filter(|wheel| is_possible(wheel, asked)) {
            let requires = wheel.requires.iter().map(|text| text.parse().unwrap()).collect();
            let release = Release { version: wheel.version.parse().unwrap(), requires };
            releases.entry(wheel.name.parse().unwrap()).or_default().push(release);
        }
        Self { releases, asked }
    }

    /// True if some choice of versions answers the question.
    pub(crate) fn has_solution(&self) -> bool {
        let pending = self.applying(&self.asked.requirements, &[]);
        self.search(State { pending, ..State::default() }, &|_, _| true).is_some()
    }

    /// What is wrong with a choice of versions, if something is.
    pub(crate) fn fault(&self, pins: &BTreeMap<PackageName, Version>) -> Option<String> {
        let pending = self.applying(&self.asked.requirements, &[]);
        let only = |name: &PackageName, version: &Version| pins.get(name) == Some(version);
        let Some(state) = self.search(State { pending, ..State::default() }, &only) else {
            return Some("it does not satisfy all requirements".to_owned());
        };
        let superfluous: Vec<String> =
            pins.keys().filter(|name| !state.chosen.contains_key(name)).map(ToString::to_string).collect();
        (!superfluous.is_empty()).then(|| format!("nothing requires {}", superfluous.join(", ")))
    }

    /// Decides one requirement after the other, every way, with the versions that `may` be.
    fn search(&self, mut state: State, may: &dyn Fn(&PackageName, &Version) -> bool) -> Option<State> {
        let Some(requirement) = state.pending.pop() else { return Some(state) };
        let releases = self.releases.get(&requirement.name)?;
        let accepts = |release: &Release| accepts(&requirement, &release.version);
        if let Some(release) = state.chosen.get(&requirement.name).and_then(|index| releases.get(*index)) {
            if !accepts(release) {
                return None;
            }
            self.with_extras(&mut state, &requirement, release);
            return self.search(state, may);
        }
        for (index, release) in releases.iter().enumerate() {
            if accepts(release) && may(&requirement.name, &release.version) {
                let mut next = state.clone();
                next.chosen.insert(requirement.name.clone(), index);
                next.pending.extend(self.applying(&release.requires, &[]));
                self.with_extras(&mut next, &requirement, release);
                if let Some(found) = self.search(next, may) {
                    return Some(found);
                }
            }
        }
        None
    }

    fn with_extras(&self, state: &mut State, requirement: &Requirement, release: &Release) {
        for extra in &requirement.extras {
            if state.extras.entry(requirement.name.clone()).or_default().insert(extra.clone()) {
                state.pending.extend(self.applying(&release.requires, std::slice::from_ref(extra)));
            }
        }
    }

    /// The requirements whose markers hold, overridden where the user says so.
    fn applying(&self, requirements: &[Requirement], extras: &[ExtraName]) -> Vec<Requirement> {
        let markers = &self.asked.target.markers;
        let holding = requirements.iter().filter(|one| one.evaluate_markers(markers, extras));
        holding.flat_map(|one| self.overridden(one)).collect()
    }

    fn overridden(&self, requirement: &Requirement) -> Vec<Requirement> {
        let named = || self.asked.overrides.iter().filter(|other| other.name == requirement.name);
        if named().next().is_none() {
            return vec![requirement.clone()];
        }
        let holding = named().filter(|other| other.evaluate_markers(&self.asked.target.markers, &[]));
        holding.cloned().collect()
    }
}

fn accepts(requirement: &Requirement, version: &Version) -> bool {
    match &requirement.version_or_url {
        None => true,
        Some(VersionOrUrl::VersionSpecifier(specifiers)) => specifiers.iter().all(|one| matches(one, version)),
        Some(VersionOrUrl::Url(_)) => false,
    }
}

fn matches(specifier: &VersionSpecifier, version: &Version) -> bool {
    let named = specifier.version();
    let public = version.clone().without_local();
    let release = |version: &Version| {
        let padded = version.release().iter().copied().chain(std::iter::repeat(0)).take(8).collect::<Vec<u64>>();
        (version.epoch(), padded)
    };
    let begins_alike = |count: usize| {
        let (mine, theirs) = (release(&public), release(named));
        mine.0 == theirs.0 && mine.1[..count] == theirs.1[..count]
    };
    let is_of_one_release = release(&public) == release(named);
    match specifier.operator() {
        Operator::Equal if named.is_local() => version == named,
        Operator::Equal => public == *named,
        Operator::NotEqual if named.is_local() => version != named,
        Operator::NotEqual => public != *named,
        Operator::ExactEqual => version == named,
        Operator::EqualStar => begins_alike(named.release().len()),
        Operator::NotEqualStar => !begins_alike(named.release().len()),
        Operator::TildeEqual => public >= *named && begins_alike(named.release().len() - 1),
        Operator::GreaterThanEqual => public >= *named,
        Operator::LessThanEqual => public <= *named,
        // Not a pre-release of the version that is named, nor a post-release of it, unless it is such a one itself.
        Operator::LessThan => {
            let is_own = is_of_one_release && public.post() == named.post() && public.any_prerelease();
            public < *named && (named.any_prerelease() || !is_own)
        }
        Operator::GreaterThan => {
            let is_own = is_of_one_release && public.pre() == named.pre() && named.dev().is_none() && public.is_post();
            public > *named && (named.is_post() || !is_own)
        }
    }
}

/// Everything that can be said of a wheel before anybody requires it.
fn is_possible(wheel: &Wheel, asked: &Request) -> bool {
    let target = &asked.target;
    let (name, version): (PackageName, Version) = (wheel.name.parse().unwrap(), wheel.version.parse().unwrap());
    let applies = |one: &&Requirement| one.name == name && one.evaluate_markers(&target.markers, &[]);
    let mut own = [&asked.requirements, &asked.constraints, &asked.overrides].into_iter().flatten().filter(applies);
    let python = wheel.requires_python.as_ref().and_then(|text| text.parse::<VersionSpecifiers>().ok());
    let is_named = |names: &crate::formats::Names| names.all || names.names.contains(&name);
    let fits = match wheel.is_source {
        true => !is_named(&asked.formats.only_binary),
        false => !is_named(&asked.formats.no_binary) && TAGS.contains(&wheel.tag.as_str()),
    };
    if !fits || python.is_some_and(|python| !python.contains(&target.python)) {
        return false;
    }
    if !asked.constraints.iter().filter(applies).all(|one| accepts(one, &version)) {
        return false;
    }
    let operators = |one: &Requirement| match &one.version_or_url {
        Some(VersionOrUrl::VersionSpecifier(specifiers)) => {
            specifiers.iter().map(|one| (*one.operator(), one.version().clone())).collect::<Vec<_>>()
        }
        _ => Vec::new(),
    };
    if version.any_prerelease() {
        let names_one = |one: &Requirement| {
            let mut all = operators(one).into_iter();
            all.any(|(operator, named)| {
                named.any_prerelease() && !matches!(operator, Operator::NotEqual | Operator::NotEqualStar)
            })
        };
        match target.prerelease {
            Prerelease::Disallow => return false,
            Prerelease::Explicit if !own.clone().any(names_one) => return false,
            _ => {}
        }
    }
    let pins = |one: &Requirement| {
        let mut all = operators(one).into_iter();
        all.any(|(operator, named)| matches!(operator, Operator::Equal | Operator::ExactEqual) && named == version)
    };
    wheel.yanked.is_none() || own.any(pins) || asked.preferences.get(name.as_ref()) == Some(&version)
}
