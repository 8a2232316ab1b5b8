//! The lock: the exact wheels, with hashes, that answer a set of requirements.

use crate::candidates::{Candidate, Kind};
use crate::client::{shown, without_login};
use crate::source::Place;
use omnipkg_store::Sha256;
use pep440_rs::Version;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The answer to a resolution: wheels sorted by name, each project once.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Lock {
    /// Sorted by name.
    pub wheels: Vec<LockedWheel>,
}

/// One wheel of a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockedWheel {
    /// The project, normalised (PEP 503).
    pub name: String,
    /// Its version.
    pub version: Version,
    /// The archive's file name; that of the source if the wheel is to be built.
    pub filename: String,
    /// Where it was found; without user information.
    pub url: url::Url,
    /// The index that it was found on, without user information; `None` where it came from elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<url::Url>,
    /// The archive's hash; `None` where the index gives none, until it was fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Sha256>,
    /// The archive's size in bytes, where the index gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// The wheel that was built of it here, if it is a source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub built: Option<Sha256>,
    /// The needs that were told of it before it was here, as one word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assumed: Option<String>,
    /// Where it comes from.
    #[serde(default, skip_serializing_if = "Origin::is_index")]
    pub origin: Origin,
    /// Names of its direct dependencies in the lock, sorted.
    #[serde(default)]
    pub requires: Vec<String>,
}

/// Where an entry of a lock comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Origin {
    /// An index.
    #[default]
    Index,
    /// An archive that a URL or a path names.
    Archive {
        /// The project's folder in the archive, if it is not the whole.
        subdirectory: Option<String>,
    },
    /// A project's own directory.
    Directory {
        /// Imported from that directory itself.
        editable: bool,
    },
    /// A repository.
    Git {
        /// The commit, in full.
        commit: String,
        /// The project's folder in the repository, if it is not the whole.
        subdirectory: Option<String>,
    },
}

impl Origin {
    fn of(candidate: &Candidate) -> Self {
        let place = match &candidate.kind {
            Kind::Wheel(_) => &Place::Archive { subdirectory: None },
            Kind::Source(source) => &source.place,
        };
        match place {
            Place::Archive { .. } if !candidate.is_direct => Self::Index,
            Place::Archive { subdirectory } => Self::Archive { subdirectory: subdirectory.clone() },
            Place::Directory { editable, .. } => Self::Directory { editable: *editable },
            Place::Git { reference, subdirectory, .. } => {
                Self::Git { commit: reference.clone().unwrap_or_default(), subdirectory: subdirectory.clone() }
            }
        }
    }

    fn is_index(&self) -> bool {
        *self == Self::Index
    }
}

impl LockedWheel {
    /// An entry for an archive, before it is known what it requires; of a URL, also before its project is.
    pub(crate) fn of(candidate: &Candidate) -> Self {
        let (name, version) = match &candidate.kind {
            Kind::Wheel(wheel) => (Some(&wheel.name), Some(&wheel.version)),
            Kind::Source(source) => (source.name.as_ref(), source.version.as_ref()),
        };
        Self {
            name: name.map_or_else(|| shown(&candidate.url), ToString::to_string),
            version: version.cloned().unwrap_or_else(|| Version::new([0])),
            filename: candidate.file.filename.clone(),
            url: without_login(candidate.url.clone()),
            index: None,
            sha256: candidate.file.sha256,
            size: candidate.file.size,
            built: None,
            assumed: None,
            origin: Origin::of(candidate),
            requires: Vec::new(),
        }
    }

    /// True if it is a wheel as it comes, and not to be built.
    pub fn is_wheel(&self) -> bool {
        matches!(self.origin, Origin::Index | Origin::Archive { .. }) && self.filename.ends_with(".whl")
    }

    /// The hash of the wheel itself, if it is known: that of a source's is known once it was built.
    pub fn wheel(&self) -> Option<Sha256> {
        if self.is_wheel() { self.sha256 } else { self.built }
    }
}

impl Lock {
    /// The wheel of a project, by its normalised name.
    pub fn get(&self, name: &str) -> Option<&LockedWheel> {
        let found = self.wheels.binary_search_by(|wheel| wheel.name.as_str().cmp(name));
        found.ok().and_then(|index| self.wheels.get(index))
    }
}

impl fmt::Display for Lock {
    /// `name==version`, a line each.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.wheels.iter().try_for_each(|wheel| writeln!(f, "{}=={}", wheel.name, wheel.version))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_survives_json_and_prints_pins() {
        let wheel = |name: &str, sha256| LockedWheel {
            name: name.to_owned(),
            version: "1.0+cpu".parse().unwrap(),
            filename: format!("{name}-1.0+cpu-py3-none-any.whl"),
            url: "http://127.0.0.1/x.whl".parse().unwrap(),
            index: None,
            sha256,
            size: Some(7),
            built: None,
            assumed: None,
            origin: Origin::Index,
            requires: vec!["b".to_owned()],
        };
        let lock = Lock { wheels: vec![wheel("a", Some(Sha256::of(b"a"))), wheel("b", None)] };
        let json = serde_json::to_string(&lock).unwrap();
        assert_eq!(serde_json::from_str::<Lock>(&json).unwrap(), lock);
        assert_eq!(lock.to_string(), "a==1.0+cpu\nb==1.0+cpu\n");
        assert_eq!(lock.get("b").unwrap().sha256, None);
        assert!(lock.get("c").is_none());
    }
}
