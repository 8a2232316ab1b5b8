//! What the user's own words permit beyond the ordinary: pre-releases, and yanked versions.
//!
//! Both are settled for each project before anything is chosen, from the request alone. A rule that looked at
//! the range at hand would permit in a narrow range what it refused in a wide one, and the solver, which
//! concludes from "nothing in the wide range" to "nothing in the narrow one", would miss solutions.

use crate::metadata::Requirement;
use crate::request::{Prerelease, Request};
use crate::session::applying;
use pep440_rs::{Operator, Version, VersionSpecifier};
use pep508_rs::{PackageName, VersionOrUrl};
use std::collections::{BTreeMap, BTreeSet};

/// How a project's pre-releases are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Prereleases {
    /// Like any other version.
    Equal,
    /// Where no other version is possible.
    #[default]
    Last,
    /// Not at all.
    Never,
}

/// What is permitted for one project.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Permission {
    pub(crate) prereleases: Prereleases,
    /// Versions that may be taken though they were yanked.
    pub(crate) pinned: BTreeSet<Version>,
}

/// What is permitted for every project.
#[derive(Debug, Default)]
pub(crate) struct Permissions {
    mode: Prerelease,
    /// Projects of which the user names a pre-release.
    named: BTreeSet<PackageName>,
    /// Versions that the user pins with `==` or `===` (PEP 592).
    pinned: BTreeMap<PackageName, BTreeSet<Version>>,
}

impl Permissions {
    pub(crate) fn new(request: &Request) -> Self {
        let mut this = Self { mode: request.target.prerelease, ..Self::default() };
        for requirements in [&request.requirements, &request.constraints, &request.overrides] {
            applying(requirements, &request.target).for_each(|requirement| this.add(requirement));
        }
        this
    }

    fn add(&mut self, requirement: &Requirement) {
        let Some(VersionOrUrl::VersionSpecifier(specifiers)) = &requirement.version_or_url else { return };
        if specifiers.iter().any(names_prerelease) {
            self.named.insert(requirement.name.clone());
        }
        let pins = specifiers.iter().filter(|one| matches!(one.operator(), Operator::Equal | Operator::ExactEqual));
        for pin in pins {
            self.pinned.entry(requirement.name.clone()).or_default().insert(pin.version().clone());
        }
    }

    pub(crate) fn of(&self, name: &PackageName) -> Permission {
        let prereleases = match self.mode {
            Prerelease::Allow => Prereleases::Equal,
            Prerelease::IfNecessary => Prereleases::Last,
            Prerelease::Explicit if self.named.contains(name) => Prereleases::Last,
            Prerelease::Explicit | Prerelease::Disallow => Prereleases::Never,
        };
        Permission { prereleases, pinned: self.pinned.get(name).cloned().unwrap_or_default() }
    }
}

/// True for `>=2.0rc1`; false for `!=2.0rc1`, which asks for no pre-release.
fn names_prerelease(specifier: &VersionSpecifier) -> bool {
    specifier.any_prerelease() && !matches!(specifier.operator(), Operator::NotEqual | Operator::NotEqualStar)
}
