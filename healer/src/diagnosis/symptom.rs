//! Failures that are known by their symptom alone (`data/symptoms.toml`): an exception, words that its source has fixed, and
//! the versions in which it shows.

use super::{Context, Diagnosis, Kind};
use crate::remedy::{Remedy, has_a_python_3};
use crate::report::{Exception, Report, line};
use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::{Requirement, VersionOrUrl};
use serde::Deserialize;
use std::str::FromStr;
use std::sync::OnceLock;

const TABLE: &str = include_str!("../../data/symptoms.toml");
const PYTHON: &str = "python";

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Symptoms {
    symptom: Vec<Symptom>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Symptom {
    exception: String,
    message: Vec<String>,
    /// One of these stands in the failing statement.
    #[serde(default)]
    statement: Vec<String>,
    shows: Vec<Requirement>,
    #[serde(default)]
    requires: Vec<Requirement>,
    #[serde(default)]
    adds: Vec<Requirement>,
    python: Option<VersionSpecifiers>,
    source: String,
}

fn table() -> &'static [Symptom] {
    static READ: OnceLock<Symptoms> = OnceLock::new();
    // A test sees to it that it can be read.
    &READ.get_or_init(|| toml::from_str(TABLE).unwrap_or_default()).symptom
}

pub(super) fn diagnose(report: &Report, context: Context<'_>) -> Option<Diagnosis> {
    let exception = &report.exception;
    let symptom = table().iter().find(|symptom| symptom.holds(report, exception))?;
    let shows: Vec<String> = symptom.shows.iter().map(|one| in_words(report, one)).collect();
    let evidence = format!(
        "{} fails as is known of {}: {}",
        report.site(),
        shows.join(" with "),
        line(exception.message.lines().next().unwrap_or_default())
    );
    let mut diagnosis = Diagnosis::new(Kind::Symptom, evidence);
    diagnosis.need = format!("{} fails as is known of {}", report.site(), shows.join(" with "));
    diagnosis.known_from = vec![symptom.source.clone()];
    if let Some(python) = &symptom.python {
        let is_second = |version: &Version| version.release().first() == Some(&2);
        let has_a_second = context.pythons.known().iter().any(is_second);
        if !has_a_python_3(python) && (report.is_python_3 || !has_a_second) {
            return None;
        }
        diagnosis.remedies.push(Remedy::Python(python.clone()));
    }
    diagnosis.remedies.extend(symptom.requires.iter().cloned().map(Remedy::Require));
    diagnosis.remedies.extend(symptom.adds.iter().cloned().map(Remedy::Add));
    Some(diagnosis)
}

impl Symptom {
    fn holds(&self, report: &Report, exception: &Exception) -> bool {
        let is_class = exception.class == self.exception || exception.bases.contains(&self.exception);
        let statement = report.frames.iter().rev().map(|frame| frame.source.as_str()).take(4);
        let says = |text: &String| statement.clone().any(|source| source.contains(text.as_str()));
        is_class
            && self.message.iter().all(|text| exception.message.contains(text.as_str()))
            && (self.statement.is_empty() || self.statement.iter().any(says))
            && self.shows.iter().all(|one| has(report, one))
            && self.adds.iter().all(|one| !report.distributions.contains_key(one.name.as_ref()))
    }
}

/// Whether a distribution, or Python, is there in these versions. TensorFlow is there under several names.
fn has(report: &Report, wanted: &Requirement) -> bool {
    let Some(VersionOrUrl::VersionSpecifier(specifiers)) = &wanted.version_or_url else { return false };
    let fits = |text: &String| Version::from_str(text).is_ok_and(|version| specifiers.contains(&version));
    match wanted.name.as_ref() {
        PYTHON => fits(&report.python),
        "tensorflow" => ["tensorflow", "tensorflow-cpu", "tensorflow-gpu"]
            .iter()
            .any(|name| report.distributions.get(*name).is_some_and(fits)),
        name => report.distributions.get(name).is_some_and(fits),
    }
}

fn in_words(report: &Report, wanted: &Requirement) -> String {
    match wanted.name.as_ref() {
        PYTHON => format!("Python {}", line(&report.python)),
        name => format!("{name} {}", line(report.distributions.get(name).map_or("", String::as_str))).trim().to_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::{exception, found, report};

    #[test]
    fn the_table_can_be_read() {
        let Symptoms { symptom } = toml::from_str(TABLE).unwrap();
        for row in &symptom {
            assert!(row.source.len() > 10 && !row.source.contains("://"), "{:?}", row.message);
            assert!(!row.shows.is_empty() && row.message.iter().any(|text| text.len() > 9), "{:?}", row.message);
            assert!(row.python.is_some() || !row.requires.is_empty() || !row.adds.is_empty(), "{:?}", row.message);
        }
    }

    #[test]
    fn a_symptom_counts_in_the_versions_that_show_it() {
        let mut report = report("3.11.7", &[("xlrd", "2.0.1")]);
        report.exception = exception("XLRDError", "Excel xlsx file; not supported");
        let diagnosis = found(&report).unwrap();
        assert_eq!(diagnosis.need, "s.py:4 fails as is known of xlrd 2.0.1");
        assert_eq!(diagnosis.remedies[0].to_string(), "xlrd <2.0");
        report.distributions.insert("xlrd".into(), "1.2.0".into());
        assert_eq!(found(&report), None);
        report.exception = exception("ValueError", "invalid mode: 'rU'");
        assert_eq!(found(&report).unwrap().remedies[0].to_string(), "Python <3.11");
        report.exception = exception("ValueError", "invalid mode: 'x'");
        assert_eq!(found(&report), None);
    }

    #[test]
    fn what_is_not_there_is_added() {
        let mut report = report("3.11.7", &[("beautifulsoup4", "4.12.0")]);
        report.exception = exception(
            "FeatureNotFound",
            "Couldn't find a tree builder with the features you requested: lxml. Do you need to install a parser library?",
        );
        assert_eq!(found(&report).unwrap().remedies[0].to_string(), "lxml");
    }
}
