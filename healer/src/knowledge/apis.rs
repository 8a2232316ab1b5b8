//! The reviewed table of APIs (`data/apis.toml`): names, and the versions of a distribution that have them. The build
//! script sorts it.

use pep440_rs::VersionSpecifiers;
use std::str::FromStr;

/// What the table calls the standard library's distribution.
pub const PYTHON: &str = "python";

struct Row {
    distribution: &'static str,
    also: &'static [&'static str],
    versions: &'static str,
    source: &'static str,
}

include!(concat!(env!("OUT_DIR"), "/apis.rs"));

/// What is known of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Api {
    /// The distribution that has it (normalised), or [`PYTHON`].
    pub distribution: &'static str,
    /// Other distributions with the same modules and versions.
    pub also: &'static [&'static str],
    /// The versions that have it.
    pub versions: VersionSpecifiers,
    /// Where that is known from.
    pub source: &'static str,
}

/// The row of a name: `module.attribute`, `module.Class.attribute`, `module.function(argument)`.
pub fn api(name: &str) -> Option<Api> {
    // TensorFlow's modules call themselves by where they are made, not by where they are had.
    let public = name.replacen("._api.v2.", ".", 1);
    let found = NAMES.binary_search_by(|(known, _)| (*known).cmp(public.as_str())).ok()?;
    let Row { distribution, also, versions, source } = ROWS.get(NAMES.get(found)?.1)?;
    let versions = VersionSpecifiers::from_str(versions).ok()?;
    Some(Api { distribution, also, versions, source })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;
    use pep508_rs::PackageName;

    #[test]
    fn every_row_can_be_read() {
        assert!(NAMES.len() > 3000, "{}", NAMES.len());
        for (name, _) in NAMES {
            let api = api(name).unwrap_or_else(|| panic!("{name} is not found"));
            assert!(!api.versions.is_empty(), "{name}");
            assert!(!api.source.contains("://"), "{name}: a source is documentary");
            for project in api.also.iter().chain([&api.distribution]) {
                assert_eq!(PackageName::from_str(project).unwrap().as_ref(), *project, "{name}");
            }
        }
    }

    #[test]
    fn names() {
        assert_eq!(api("numpy.float").unwrap().versions.to_string(), "<1.24");
        assert_eq!(api("collections.Mapping").unwrap().distribution, PYTHON);
        assert_eq!(api("tensorflow._api.v2.train.AdamOptimizer"), api("tensorflow.train.AdamOptimizer"));
        for name in ["", "numpy", "numpy.array", "numpy.flaot", "zzz.zzz"] {
            assert_eq!(api(name), None, "{name}");
        }
    }
}
