//! The recorded failures of the corpus (`tests/corpus/`, see its `run.py`): each is diagnosed as its script says.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use omnipkg_healer::diagnosis::{Context, diagnose};
use omnipkg_healer::{Heal, Knowledge, Provides, Pythons, Remedy, Report};
use pep440_rs::Version;
use std::fs;
use std::path::{Path, PathBuf};

/// A store that proves nothing.
struct Nothing;

impl Provides for Nothing {
    fn distributions_for(&self, _import_name: &str) -> Vec<String> {
        Vec::new()
    }
}

/// Reads what the script says that it is written for.
struct Reader(Vec<Version>);

impl Pythons for Reader {
    fn that_read(&self, _file: &str) -> Vec<Version> {
        self.0.clone()
    }

    fn known(&self) -> Vec<Version> {
        ["2.7.18", "3.11.7"].iter().map(|text| text.parse().unwrap()).collect()
    }
}

fn scripts() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let folders = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let files = folders.flat_map(|folder| fs::read_dir(folder).unwrap()).map(|entry| entry.unwrap().path());
    let mut scripts: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|end| end == "py")).collect();
    scripts.sort();
    scripts
}

/// What the script says that its first failure is mended with.
fn expected(script: &Path) -> Option<String> {
    let text = fs::read_to_string(script).unwrap();
    let said = text.lines().find_map(|line| line.strip_prefix("# heals: "))?;
    said.split("; ").next().map(str::to_owned).filter(|remedy| remedy != "own" && remedy != "nothing")
}

fn in_words(remedy: &Remedy) -> String {
    match remedy {
        Remedy::Add(requirement) => format!("add {}", requirement.name),
        Remedy::Require(requirement) if !requirement.extras.is_empty() => requirement.to_string(),
        other => other.to_string(),
    }
}

#[test]
fn every_recorded_failure_is_diagnosed_as_its_script_says() {
    let knowledge = Knowledge::embedded().unwrap();
    let (mut wrong, mut count) = (Vec::new(), 0);
    for script in scripts() {
        let Ok(bytes) = fs::read(script.with_extension("json")) else {
            // Nothing was reported of it: no exception ended it, or its own file could not be read by Python 2.
            continue;
        };
        count += 1;
        let expected = expected(&script);
        let reader = expected.as_deref().and_then(|remedy| match remedy {
            "Python <3" => Some("2.7.18"),
            other => other.strip_prefix("Python ==")?.strip_suffix(".*"),
        });
        let pythons = Reader(reader.into_iter().map(|version| version.parse().unwrap()).collect());
        let context = Context { knowledge: &knowledge, provides: &Nothing, pythons: &pythons, heal: Heal::Known };
        let report = Report::from_json(&bytes).unwrap();
        let found = diagnose(&report, context).filter(|diagnosis| !diagnosis.remedies.is_empty());
        let found = found.map(|diagnosis| in_words(&diagnosis.remedies[0]));
        // What a Python that the script started reports is told in the whole run only.
        if found.is_none() && script.parent().is_some_and(|kind| kind.ends_with("processes")) {
            continue;
        }
        if found != expected {
            wrong.push(format!("{}: {found:?} and not {expected:?}", script.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 400, "{count} recorded failures");
}
