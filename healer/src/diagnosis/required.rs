//! A distribution that refuses to be imported because of the version of another one: "tokenizers>=0.14,<0.19 is required",
//! "Numba needs NumPy 2.0 or less", "Pandas requires version '3.1.0' or newer of 'openpyxl'".
//!
//! It is an ImportError that a distribution raised. Of its message only names and versions are read: what it asks for must
//! be of a distribution that is there, and in a version that is not the one that is there.

use super::{Diagnosis, Kind};
use crate::knowledge::distribution_for;
use crate::remedy::{Remedy, specifiers_in_words, versioned};
use crate::report::{Report, line};
use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::{PackageName, Requirement, VersionOrUrl};
use std::str::FromStr;

pub(super) fn diagnose(report: &Report) -> Option<Diagnosis> {
    let exception = report.exceptions().find(|one| one.bases.iter().any(|base| base == "ImportError"))?;
    let raised = report.frames.last().filter(|frame| frame.place == "site")?;
    let asks = raised.distribution.as_deref()?;
    let words: Vec<&str> = exception.message.split_whitespace().take(200).collect();
    let (project, specifiers) = words_that_ask(&words).find(|(project, specifiers)| {
        let installed = report.distributions.get(project.as_ref());
        let version = installed.and_then(|version| Version::from_str(version).ok());
        project.as_ref() != asks && version.is_some_and(|version| !specifiers.contains(&version))
    })?;
    let installed = report.distributions.get(project.as_ref())?;
    let version = report.distributions.get(asks).map(|version| format!(" {}", line(version))).unwrap_or_default();
    let evidence = format!(
        "{}{version} (from {}) needs {project} {}, and {} is there",
        line(asks),
        report.site(),
        specifiers_in_words(&specifiers),
        line(installed)
    );
    let mut diagnosis = Diagnosis::new(Kind::Required, evidence);
    diagnosis.remedies = vec![Remedy::Require(versioned(project, specifiers))];
    Some(diagnosis)
}

/// Every (project, versions) that the words of a message may ask for, in their order.
fn words_that_ask<'a>(words: &'a [&'a str]) -> impl Iterator<Item = (PackageName, VersionSpecifiers)> + 'a {
    (0..words.len()).filter_map(|place| requirement(words[place]).or_else(|| prose(&words[place..])))
}

fn bare(word: &str) -> &str {
    word.trim_matches(|c: char| !c.is_ascii_alphanumeric())
}

/// `tokenizers>=0.14,<0.19`; what was found is written with `==` and is no demand.
fn requirement(word: &str) -> Option<(PackageName, VersionSpecifiers)> {
    let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '*');
    if !word.contains(['<', '>', '~', '!']) {
        return None;
    }
    let requirement: Requirement = word.parse().ok()?;
    let Some(VersionOrUrl::VersionSpecifier(specifiers)) = requirement.version_or_url else { return None };
    Some((requirement.name, specifiers))
}

/// `needs NumPy 2.0 or less`, `requires version '3.1.0' or newer of 'openpyxl'`.
fn prose(words: &[&str]) -> Option<(PackageName, VersionSpecifiers)> {
    let [verb, rest @ ..] = words else { return None };
    if !matches!(bare(verb), "needs" | "requires" | "require" | "need") {
        return None;
    }
    let [first, second, third, fourth, more @ ..] = rest else { return None };
    let is_version = |word: &str| word.starts_with(|c: char| c.is_ascii_digit());
    let (name, version, or, bound) = match (bare(first), more) {
        ("version", [of, name, ..]) if bare(of) == "of" => (bare(name), bare(second), bare(third), bare(fourth)),
        ("version", _) => return None,
        (name, [bound, ..]) if bare(second) == "version" => (name, bare(third), bare(fourth), bare(bound)),
        (name, _) => (name, bare(second), bare(third), bare(fourth)),
    };
    if !is_version(version) || or != "or" {
        return None;
    }
    let specifier = match bound {
        "less" | "lower" | "older" | "earlier" => at_most(version)?,
        "newer" | "later" | "greater" | "higher" | "above" | "more" => format!(">={version}"),
        _ => return None,
    };
    // It may be the name by which it is imported: bs4.
    let project = distribution_for(name).map_or(name, |(row, _)| row.distribution);
    Some((project.parse().ok()?, VersionSpecifiers::from_str(&specifier).ok()?))
}

/// `2.0 or less` means every 2.0.x.
fn at_most(version: &str) -> Option<String> {
    let parsed = Version::from_str(version).ok()?;
    let (last, first) = parsed.release().split_last()?;
    let next: Vec<u64> = first.iter().copied().chain([last + 1]).collect();
    Some(format!("<{}", Version::new(next)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use crate::diagnosis::testing::{exception, found, frame, report};

    fn remedy(message: &str) -> Option<String> {
        let there = [("numpy", "2.1.3"), ("tokenizers", "0.20.0"), ("openpyxl", "2.6.0"), ("numba", "0.59.0")];
        let mut report = report("3.11.7", &there);
        report.exception = exception("ImportError", message);
        report.exception.bases = vec!["ImportError".into(), "Exception".into()];
        report.frames.push(frame("/v/numba/__init__.py", 53, "site", Some("numba")));
        found(&report).and_then(|diagnosis| diagnosis.remedies.first().map(ToString::to_string))
    }

    #[test]
    fn what_a_distribution_asks_for_is_taken() {
        for (message, expected) in [
            ("Numba needs NumPy 2.0 or less. Got NumPy 2.1.", "numpy <2.1"),
            ("Numba needs NumPy 1.26 or less", "numpy <1.27"),
            (
                "tokenizers>=0.14,<0.19 is required for a normal functioning of this module, but found tokenizers==0.20.0.",
                "tokenizers >=0.14, <0.19",
            ),
            (
                "Pandas requires version '3.1.0' or newer of 'openpyxl' (version '2.6.0' currently installed).",
                "openpyxl >=3.1.0",
            ),
            ("numba requires openpyxl version 3.0 or greater", "openpyxl >=3.0"),
        ] {
            assert_eq!(remedy(message).as_deref(), Some(expected), "{message}");
        }
    }

    #[test]
    fn anything_else_is_not() {
        for message in [
            "Numba needs NumPy 2.1 or less",
            "tokenizers==0.19 is required",
            "needs unheard 2.0 or less",
            "numba>=0.60 is required",
            "you need NumPy 2",
            "requires version",
            "numpy<2; rm -rf /",
        ] {
            assert!(remedy(message).is_none_or(|remedy| remedy == "numpy <2"), "{message}");
        }
    }
}
