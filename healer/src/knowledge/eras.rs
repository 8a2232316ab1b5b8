//! Which versions belong together in time (`data/eras.toml`): a distribution that was made before a companion changed, and
//! does not say so itself.

use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::{Requirement, VersionOrUrl};
use serde::Deserialize;
use std::str::FromStr;
use std::sync::OnceLock;

const TABLE: &str = include_str!("../../data/eras.toml");

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Eras {
    era: Vec<Era>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Era {
    distribution: String,
    #[serde(default)]
    also: Vec<String>,
    versions: VersionSpecifiers,
    companions: Vec<Requirement>,
    #[allow(dead_code, reason = "a row without a source must not load")]
    source: String,
}

fn table() -> &'static [Era] {
    static READ: OnceLock<Eras> = OnceLock::new();
    // A test sees to it that it can be read.
    &READ.get_or_init(|| toml::from_str(TABLE).unwrap_or_default()).era
}

/// The companions that are in a set in versions of another time than the distributions that use them. `version` gives the
/// version of a project (normalised name) that is in the set.
pub fn of_another_time(version: &dyn Fn(&str) -> Option<String>) -> Vec<Requirement> {
    let has = |name: &str| version(name).and_then(|text| Version::from_str(&text).ok());
    let mut found: Vec<Requirement> = Vec::new();
    for era in table() {
        let names = std::iter::once(&era.distribution).chain(&era.also);
        if !names.into_iter().filter_map(|name| has(name)).any(|version| era.versions.contains(&version)) {
            continue;
        }
        for companion in &era.companions {
            let Some(VersionOrUrl::VersionSpecifier(specifiers)) = &companion.version_or_url else { continue };
            let is_later = has(companion.name.as_ref()).is_some_and(|version| !specifiers.contains(&version));
            if is_later && !found.contains(companion) {
                found.push(companion.clone());
            }
        }
    }
    found
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn the_table_can_be_read() {
        let Eras { era } = toml::from_str(TABLE).unwrap();
        assert!(era.len() >= 15);
        for row in era {
            assert!(row.source.len() > 20 && !row.source.contains("://"), "{}", row.distribution);
            assert!(row.companions.iter().all(|companion| companion.version_or_url.is_some()), "{}", row.distribution);
        }
    }

    #[test]
    fn companions_of_another_time() {
        let of = |set: &[(&str, &str)]| {
            let version =
                |name: &str| set.iter().find(|(own, _)| *own == name).map(|(_, version)| (*version).to_owned());
            of_another_time(&version).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(of(&[("flask", "1.1.2"), ("jinja2", "3.1.4"), ("werkzeug", "1.0.1")]), ["jinja2<3.1"]);
        assert_eq!(of(&[("flask", "3.0.0"), ("jinja2", "3.1.4")]), [""; 0]);
        assert_eq!(of(&[("tensorflow-cpu", "1.15.5"), ("numpy", "1.21.6")]), ["numpy<1.20"]);
    }
}
