//! The question: what is required, of what, for which interpreter.

use crate::formats::Formats;
use crate::lock::LockedWheel;
use crate::metadata::Requirement;
use omnipkg_store::Sha256;
use omnipkg_store::tags::Tags;
use pep440_rs::Version;
use pep508_rs::MarkerEnvironment;
use std::collections::{BTreeMap, BTreeSet};

/// What the lock is for: one interpreter on one machine.
#[derive(Debug, Clone)]
pub struct Target {
    /// PEP 508 markers of the interpreter.
    pub markers: MarkerEnvironment,
    /// Its full version.
    pub python: Version,
    /// The wheel tags that it accepts, best first.
    pub tags: Tags,
    /// When pre-releases may be taken.
    pub prerelease: Prerelease,
}

/// When pre-releases may be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Prerelease {
    /// Where no other version is possible.
    #[default]
    IfNecessary,
    /// Of projects of which the request itself names a pre-release, and of those where no other is possible.
    Explicit,
    /// Always, as if they were versions like others.
    Allow,
    /// Never, even when named.
    Disallow,
}

/// Which of the versions that fit is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Resolution {
    /// The newest.
    #[default]
    Highest,
    /// The oldest.
    Lowest,
    /// The oldest of what is asked for, the newest of what that requires.
    LowestDirect,
}

/// A version that is there already, in the store.
#[derive(Debug, Clone)]
pub struct Installed {
    /// Where it came from; its wheel is in the store.
    pub entry: LockedWheel,
    /// The wheel's own file name, also where it was built.
    pub filename: String,
    /// It stays wherever the requirements allow it; else it is one version among others.
    pub stays: bool,
}

/// A resolution to be made.
#[derive(Debug, Clone)]
pub struct Request {
    /// What must be there. One that names a URL takes its project from there, whoever requires it.
    pub requirements: Vec<Requirement>,
    /// What must hold for a project if it is there; extras are not allowed here.
    pub constraints: Vec<Requirement>,
    /// What is required of a project instead of whatever anybody requires of it, extras included; where the markers
    /// of all its overrides are false, nothing.
    pub overrides: Vec<Requirement>,
    /// Which kinds of archives may be taken.
    pub formats: Formats,
    /// Which of the versions that fit is taken.
    pub resolution: Resolution,
    /// Versions, by normalised project name, that are taken wherever the requirements allow them.
    pub preferences: BTreeMap<String, Version>,
    /// Hashes of which a file of a project, by its normalised name, must have one.
    pub hashes: BTreeMap<String, BTreeSet<Sha256>>,
    /// What is there already, by normalised project name: candidates whether an index knows them or not.
    pub installed: BTreeMap<String, Installed>,
    /// For which interpreter.
    pub target: Target,
}
