//! What a choice of versions obeys besides the requirements: constraints, overrides, pre-releases, newest or oldest.

use crate::answers::Question;
use crate::settings::Settings;
use omnipkg_resolver::{Formats, Prerelease, Resolution};
use omnipkg_store::Sha256;
use pep508_rs::Requirement;
use std::collections::{BTreeMap, BTreeSet};

/// What a choice of versions obeys besides the requirements.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rules {
    /// What must hold for a project if it is there.
    pub constraints: Vec<Requirement>,
    /// What is required of a project whatever anybody requires of it.
    pub overrides: Vec<Requirement>,
    /// Hashes of which a file of a project (its normalised name) must have one; if there are any, all that comes anew
    /// must have been given one.
    pub hashes: BTreeMap<String, BTreeSet<Sha256>>,
    /// Which kinds of archives may be taken.
    pub formats: Formats,
    /// When pre-releases are taken.
    pub prerelease: Prerelease,
    /// Which of the versions that fit is taken.
    pub resolution: Resolution,
}

impl Rules {
    /// These, with what the settings say of all commands.
    pub fn with(self, settings: &Settings) -> Self {
        Self { formats: settings.formats.clone(), ..self }
    }

    /// True if there are none but those of every verb.
    pub fn are_usual(&self) -> bool {
        *self == Self::default()
    }

    /// Adds what differs from the default to a question.
    pub fn add_to(&self, question: &mut Question) {
        for (kind, requirements) in [("constraint", &self.constraints), ("override", &self.overrides)] {
            requirements.iter().for_each(|requirement| question.add(kind, &requirement.to_string()));
        }
        for (name, hashes) in &self.hashes {
            hashes.iter().for_each(|sha256| question.add("hash", &format!("{name} {sha256}")));
        }
        if self.formats != Formats::default() {
            question.add("formats", &format!("{:?}", self.formats));
        }
        if self.prerelease != Prerelease::default() {
            question.add("prerelease", &format!("{:?}", self.prerelease));
        }
        if self.resolution != Resolution::default() {
            question.add("resolution", &format!("{:?}", self.resolution));
        }
    }
}
