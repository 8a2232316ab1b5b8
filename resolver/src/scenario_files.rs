//! The scenarios of `scenarios/*.txt`: what an index offers, what is asked, and the whole answer, in words.
//!
//! Lines are those of [`crate::testing::universe`]; `## name` begins a scenario, `? ` asks. The answer stands below:
//! `= ` the versions, or `! ` the refusal line by line, and `~ ` each warning. Every answer is also judged by a
//! solver that tries everything. `OMNIPKG_TEST_WRITE=1` writes what is answered now, to be read before it is kept.

use crate::error::Error;
use crate::testing::universe::{MemoryIndex, question, wheels};
use crate::testing::{Wheel, brute::Brute, pins};
use std::path::Path;

/// The answer as it stands in a file.
fn answer(index: &MemoryIndex, offered: &[Wheel], text: &str) -> String {
    let asked = question(text);
    let brute = Brute::new(offered, &asked);
    let (result, warnings) = index.answer(offered, &asked);
    let mut lines: Vec<String> = match &result {
        Ok(lock) => {
            let chosen = lock.wheels.iter().map(|wheel| (wheel.name.parse().unwrap(), wheel.version.clone()));
            assert_eq!(brute.fault(&chosen.collect()), None, "? {text}");
            vec![format!("= {}", pins(lock))]
        }
        Err(Error::NoSolution(_) | Error::UnknownProject { .. }) => {
            assert!(!brute.has_solution(), "? {text}");
            result.as_ref().unwrap_err().to_string().lines().map(|line| format!("! {line}")).collect()
        }
        Err(error) => vec![format!("! {error}")],
    };
    lines.extend(warnings.into_iter().map(|warning| format!("~ {warning}")));
    lines.join("\n")
}

/// A scenario with the answers of now.
fn answered(index: &MemoryIndex, scenario: &str) -> String {
    let mut offered = Vec::new();
    let mut lines = Vec::new();
    let said = |line: &&str| !["= ", "! ", "~ "].iter().any(|mark| line.starts_with(mark));
    for line in scenario.lines().filter(said) {
        lines.push(line.trim_end().to_owned());
        if let Some(text) = line.strip_prefix("? ") {
            lines.push(answer(index, &offered, text));
        } else if !line.is_empty() && !line.starts_with('#') {
            offered.extend(wheels(line));
        }
    }
    lines.join("\n")
}

fn check(topic: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(topic).with_extension("txt");
    let text = std::fs::read_to_string(&path).unwrap();
    let index = MemoryIndex::new();
    let (before, scenarios) = text.split_once("\n## ").unwrap();
    let scenarios: Vec<&str> = scenarios.split("\n## ").collect();
    let now: Vec<String> = scenarios.iter().map(|one| answered(&index, &format!("## {one}"))).collect();
    if std::env::var_os("OMNIPKG_TEST_WRITE").is_some() {
        let whole = format!("{before}\n{}\n", now.join("\n\n").replace("\n\n\n", "\n\n").trim_end());
        return std::fs::write(&path, whole).unwrap();
    }
    for (then, now) in scenarios.iter().zip(now) {
        assert_eq!(format!("## {then}").trim_end(), now.trim_end(), "{topic}: left is the file, right is the answer");
    }
}

#[test]
fn backtracking() {
    check("backtracking");
}

#[test]
fn extras() {
    check("extras");
}

#[test]
fn local_versions() {
    check("local_versions");
}

#[test]
fn markers() {
    check("markers");
}

#[test]
fn prereleases() {
    check("prereleases");
}

#[test]
fn pythons_and_platforms() {
    check("pythons_and_platforms");
}

#[test]
fn refusals() {
    check("refusals");
}

#[test]
fn rules() {
    check("rules");
}

#[test]
fn sources() {
    check("sources");
}

#[test]
fn versions() {
    check("versions");
}

#[test]
fn yanked() {
    check("yanked");
}
