//! Distributions side by side: what each lets one import, what it needs, and an identity that covers both.
//!
//! Two distributions with one identity are the same code: the same wheel, with the same wheels for all that it needs.

use super::unmanaged;
use crate::workshop::Wheels;
use anyhow::Result;
use omnipkg_store::view::description::ViewDescription;
use omnipkg_store::wheel::{WheelManifest, WheelTree};
use omnipkg_store::{Sha256, Store};
use pep508_rs::{ExtraName, MarkerEnvironment, PackageName, Requirement};
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

/// By normalised project name.
pub type Identities = BTreeMap<String, Sha256>;

/// A distribution as a running Python meets it.
#[derive(Debug, Clone)]
pub struct Distribution {
    /// Its version.
    pub version: String,
    /// Its wheel; `None` where omnipkg did not install it.
    pub wheel: Option<Sha256>,
    /// What may be imported: names of modules and packages, dotted below namespaces.
    pub modules: BTreeSet<String>,
    /// True if there are extension modules in it.
    pub compiled: bool,
    /// `Requires-Dist`, raw.
    pub requires: Vec<String>,
}

impl Distribution {
    fn of_wheel(sha256: Sha256, manifest: &WheelManifest) -> Self {
        let mut modules: BTreeSet<String> = manifest.import_names.iter().cloned().collect();
        let site = || manifest.files.iter().filter_map(|file| file.path.strip_prefix("site/"));
        // Compilers make top-level extension modules whose names are no identifiers.
        modules.extend(site().filter_map(extension_at_top).map(str::to_owned));
        Self {
            version: manifest.version.to_string(),
            wheel: Some(sha256),
            modules,
            compiled: site().any(|path| path.ends_with(".so") && !in_libraries(path)),
            requires: manifest.requires_dist.clone(),
        }
    }

    /// True if the other one is of the same wheel; where one was not installed by omnipkg, of the same version.
    pub fn is_same(&self, other: &Self) -> bool {
        match (self.wheel, other.wheel) {
            (Some(own), Some(other)) => own == other,
            _ => self.version == other.version,
        }
    }

    fn requirements<'a>(
        &'a self,
        markers: &'a MarkerEnvironment,
        extras: &'a [ExtraName],
    ) -> impl Iterator<Item = Requirement> + 'a {
        // What is no requirement by today's rules was refused or repaired when it was resolved.
        let parsed = self.requires.iter().filter_map(|text| Requirement::from_str(text).ok());
        parsed.filter(move |requirement: &Requirement| requirement.evaluate_markers(markers, extras))
    }
}

/// The name of an extension module that lies at the top of site-packages.
pub(super) fn extension_at_top(path: &str) -> Option<&str> {
    (path.ends_with(".so") && !path.contains('/')).then(|| path.split('.').next()).flatten()
}

/// Libraries that wheels bring for their extension modules (`numpy.libs/`) are no modules.
pub(super) fn in_libraries(path: &str) -> bool {
    path.split_once('/').is_some_and(|(top, _)| top.ends_with(".libs"))
}

/// Distributions by normalised project name.
#[derive(Debug, Clone, Default)]
pub struct Distributions(BTreeMap<String, Distribution>);

impl Distributions {
    /// All that a Python in this view sees, also of an environment beneath that omnipkg does not manage.
    pub fn of_view(store: &Store, description: &ViewDescription) -> Result<Self> {
        let mut all = BTreeMap::new();
        if let Some(overlay) = &description.overlay {
            for folder in overlay.site_packages.iter().rev() {
                all.extend(unmanaged::distributions(folder));
            }
        }
        for wheel in description.seeds.iter().chain(&description.wheels) {
            let manifest = WheelManifest::read(store, &wheel.sha256)?;
            all.insert(wheel.name.clone(), Distribution::of_wheel(wheel.sha256, &manifest));
        }
        Ok(Self(all))
    }

    /// The distributions of these wheels.
    pub fn of_wheels(store: &Store, wheels: &Wheels) -> Result<Self> {
        let of = |(sha256, tree): &(Sha256, WheelTree)| {
            let manifest = WheelManifest::read(store, sha256)?;
            Ok((tree.head.name.to_string(), Distribution::of_wheel(*sha256, &manifest)))
        };
        wheels.iter().map(of).collect::<Result<_>>().map(Self)
    }

    /// What is visible when others are put in front.
    pub fn overlaid_with(&self, others: Self) -> Self {
        let mut all = self.0.clone();
        for (name, other) in others.0 {
            // What does not differ is not put in front.
            if !all.get(&name).is_some_and(|own| own.is_same(&other)) {
                all.insert(name, other);
            }
        }
        Self(all)
    }

    /// One of them.
    pub fn get(&self, name: &str) -> Option<&Distribution> {
        self.0.get(name)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Distribution)> {
        self.0.iter().map(|(name, distribution)| (name.as_str(), distribution))
    }

    /// Their names.
    pub fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    /// Their versions.
    pub fn versions(&self) -> BTreeMap<String, String> {
        self.iter().map(|(name, distribution)| (name.to_owned(), distribution.version.clone())).collect()
    }

    /// The identity of each. Extras count that anything here asks for, or `requirements`.
    pub fn identities(&self, requirements: &[Requirement], markers: &MarkerEnvironment) -> Identities {
        let edges = self.edges(&self.extras(requirements), markers);
        self.0.keys().map(|name| (name.clone(), self.identity(name, &edges))).collect()
    }

    fn extras(&self, requirements: &[Requirement]) -> BTreeMap<PackageName, Vec<ExtraName>> {
        let mut extras: BTreeMap<PackageName, Vec<ExtraName>> = BTreeMap::new();
        let texts = self.0.values().flat_map(|distribution| &distribution.requires);
        let required = texts.filter(|text| text.contains('[')).filter_map(|text| Requirement::from_str(text).ok());
        for requirement in required.chain(requirements.iter().cloned()) {
            extras.entry(requirement.name).or_default().extend(requirement.extras);
        }
        extras
    }

    /// What each needs directly, of what is there.
    fn edges(
        &self,
        extras: &BTreeMap<PackageName, Vec<ExtraName>>,
        markers: &MarkerEnvironment,
    ) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut edges = BTreeMap::new();
        for (name, distribution) in self.iter() {
            let own = PackageName::from_str(name).ok().and_then(|name| extras.get(&name));
            let own = own.map_or(&[][..], Vec::as_slice);
            let needed = distribution.requirements(markers, own);
            let there = needed.filter_map(|requirement| self.0.get_key_value(requirement.name.as_ref()));
            edges.insert(name, there.map(|(name, _)| name.as_str()).collect());
        }
        edges
    }

    fn identity(&self, name: &str, edges: &BTreeMap<&str, BTreeSet<&str>>) -> Sha256 {
        let mut reached: BTreeSet<&str> = BTreeSet::new();
        let mut open: Vec<&str> = edges.get(name).into_iter().flatten().copied().collect();
        while let Some(next) = open.pop() {
            if next != name && reached.insert(next) {
                open.extend(edges.get(next).into_iter().flatten().copied());
            }
        }
        let mut text = String::from("omnipkg distribution 1\n");
        for name in std::iter::once(name).chain(reached) {
            let Some(distribution) = self.get(name) else { continue };
            match &distribution.wheel {
                Some(sha256) => text.push_str(&format!("{sha256}\n")),
                None => text.push_str(&format!("{name} {}\n", distribution.version)),
            }
        }
        Sha256::of(text.as_bytes())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn distribution(wheel: &str, requires: &[&str]) -> Distribution {
        Distribution {
            version: wheel.to_owned(),
            wheel: Some(Sha256::of(wheel.as_bytes())),
            modules: BTreeSet::new(),
            compiled: false,
            requires: requires.iter().map(|text| (*text).to_owned()).collect(),
        }
    }

    fn identities(all: &[(&str, &str, &[&str])]) -> Identities {
        let all = all.iter().map(|(name, wheel, requires)| ((*name).to_owned(), distribution(wheel, requires)));
        Distributions(all.collect()).identities(&[], &markers())
    }

    fn markers() -> MarkerEnvironment {
        let builder = pep508_rs::MarkerEnvironmentBuilder {
            implementation_name: "cpython",
            implementation_version: "3.11.7",
            os_name: "posix",
            platform_machine: "x86_64",
            platform_python_implementation: "CPython",
            platform_release: "6",
            platform_system: "Linux",
            platform_version: "1",
            python_full_version: "3.11.7",
            python_version: "3.11",
            sys_platform: "linux",
        };
        MarkerEnvironment::try_from(builder).unwrap()
    }

    #[test]
    fn an_identity_changes_with_anything_that_is_needed() {
        let one = identities(&[("a", "a1", &["b"]), ("b", "b1", &["c>1"]), ("c", "c1", &[]), ("d", "d1", &[])]);
        let two = identities(&[("a", "a1", &["b"]), ("b", "b1", &["c>1"]), ("c", "c2", &[]), ("d", "d1", &[])]);
        assert!(["a", "b", "c"].iter().all(|name| one[*name] != two[*name]));
        assert_eq!(one["d"], two["d"]);
        assert_ne!(one["a"], one["b"]);
    }

    #[test]
    fn what_needs_each_other_has_an_identity_too() {
        let one = identities(&[("a", "a1", &["b"]), ("b", "b1", &["a"])]);
        let two = identities(&[("a", "a1", &["b"]), ("b", "b2", &["a"])]);
        assert_ne!(one["a"], two["a"]);
    }

    #[test]
    fn extras_count_where_they_are_asked_for() {
        let needs: &[&str] = &["c ; extra == 'x'"];
        let changed = |requires: &'static [&'static str]| {
            let one = identities(&[("a", "a1", needs), ("b", "b1", requires), ("c", "c1", &[])]);
            let two = identities(&[("a", "a1", needs), ("b", "b1", requires), ("c", "c2", &[])]);
            one["a"] != two["a"]
        };
        assert!(changed(&["a[x]"]));
        assert!(!changed(&["a"]));
        assert!(!changed(&["c ; python_version < '3'", "a"]));
    }
}
