//! The lock: the exact wheels, with hashes, that answer a set of requirements.

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
    /// The archive's file name.
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
    /// Names of its direct dependencies in the lock, sorted.
    #[serde(default)]
    pub requires: Vec<String>,
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
