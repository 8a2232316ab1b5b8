//! What of a view is needed by what: requirements followed through the metadata of its wheels (`Requires-Dist`).

use anyhow::{Context as _, Result};
use omnipkg_store::Store;
use omnipkg_store::interpreter::Interpreter;
use omnipkg_store::view::description::ViewDescription;
use omnipkg_store::wheel::WheelManifest;
use pep508_rs::{ExtraName, MarkerEnvironment, Requirement};
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

/// The distributions of a view that requirements lead to, each with those that need it.
pub struct Closure {
    needed_by: BTreeMap<String, BTreeSet<String>>,
}

impl Closure {
    /// Follows `roots` through the wheels of a view, under the markers of its interpreter.
    pub fn of(
        store: &Store,
        description: &ViewDescription,
        interpreter: &Interpreter,
        roots: &[Requirement],
    ) -> Result<Self> {
        let markers = interpreter.facts.marker_environment()?;
        let mut this = Self { needed_by: BTreeMap::new() };
        let mut followed: BTreeSet<(String, Vec<ExtraName>)> = BTreeSet::new();
        let mut open: Vec<(String, Vec<ExtraName>)> = Vec::new();
        for root in roots.iter().filter(|root| root.evaluate_markers(&markers, &[])) {
            this.needed_by.entry(root.name.to_string()).or_default();
            open.push((root.name.to_string(), root.extras.clone()));
        }
        while let Some((name, extras)) = open.pop() {
            let Some(wheel) = description.wheel(&name) else { continue };
            if !followed.insert((name.clone(), extras.clone())) {
                continue;
            }
            let manifest = WheelManifest::read(store, &wheel.sha256)?;
            for needed in requires(&manifest, &markers, &extras)? {
                this.needed_by.entry(needed.name.to_string()).or_default().insert(name.clone());
                open.push((needed.name.to_string(), needed.extras.clone()));
            }
        }
        Ok(this)
    }

    /// True if the project is reached.
    pub fn has(&self, name: &str) -> bool {
        self.needed_by.contains_key(name)
    }

    /// What a project requires, among what is reached and is `there`, sorted.
    pub fn required_by(&self, name: &str, there: impl Fn(&str) -> bool) -> Vec<String> {
        let required = self.needed_by.iter().filter(|(other, by)| *other != name && by.contains(name));
        required.map(|(other, _)| other.clone()).filter(|other| there(other)).collect()
    }

    /// True if another project than itself needs it.
    pub fn is_needed_by_another(&self, name: &str) -> bool {
        self.needed_by.get(name).is_some_and(|needed_by| needed_by.iter().any(|other| other != name))
    }

    /// Who needs a project, in words, if it is reached.
    pub fn needed_by(&self, name: &str) -> Option<String> {
        let needed_by = self.needed_by.get(name)?;
        Some(needed_by.iter().map(String::as_str).collect::<Vec<_>>().join(" and "))
    }
}

/// What a wheel requires with these extras.
pub fn requires(
    manifest: &WheelManifest,
    markers: &MarkerEnvironment,
    extras: &[ExtraName],
) -> Result<Vec<Requirement>> {
    let mut required = Vec::new();
    for text in &manifest.requires_dist {
        let requirement: Requirement = Requirement::from_str(text)
            .ok()
            .with_context(|| format!("{}: {text:?} is no requirement", manifest.filename))?;
        if requirement.evaluate_markers(markers, extras) {
            required.push(requirement);
        }
    }
    Ok(required)
}
