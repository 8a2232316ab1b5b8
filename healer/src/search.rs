//! Where knowledge ends: versions of the distribution that failed are tried, until one is found with which what failed does
//! not fail.
//!
//! What is tried is a probe that only imports (and looks names up), never the script, which has effects. Each trial is a view.
//! What must stay true: trials are bounded by count and time; the answer is a version that was seen to pass, and the next
//! newer one was seen to fail or cannot be had, unless the bound was reached.

use crate::diagnosis::{Diagnosis, Kind};
use crate::heal::Views;
use crate::remedy::{Plan, Remedy, versioned};
use crate::report::{Report, line};
use pep440_rs::{Version, VersionSpecifier, VersionSpecifiers};
use pep508_rs::PackageName;
use std::str::FromStr;
use std::time::{Duration, Instant};

/// How many versions are tried at most.
pub const TRIALS: usize = 14;
/// How long is searched at most; a trial that has begun is ended.
pub const PATIENCE: Duration = Duration::from_secs(180);

/// What is searched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The distribution whose versions are tried.
    pub project: PackageName,
    /// The version that failed.
    pub installed: Version,
    /// A program that fails as the script did, by imports alone.
    pub probe: String,
    /// What it is about.
    pub what: String,
}

/// What a failure may be searched by; `None` where no import alone would fail as it did.
pub fn subject(report: &Report) -> Option<Subject> {
    let of_site = |name: &str| report.distributions.contains_key(name).then(|| name.to_owned());
    let in_frames = || report.frames.iter().rev().find_map(|frame| of_site(frame.distribution.as_deref()?));
    let (project, probe, what) = if let Some(name) = report.names.iter().find(|name| is_dotted(name)) {
        // What is Python's own has no versions to try.
        let top_level = name.split('.').next()?;
        (owner(report, top_level)?, lookup(name), name.clone())
    } else if let Some(missing) = report.missing.as_ref().filter(|missing| missing.top_level_present && !missing.local)
    {
        let name = missing.module.as_str();
        (owner(report, &missing.top_level).or_else(in_frames)?, lookup(name), name.to_owned())
    } else {
        let importing = report.frames.iter().rev().find(|frame| frame.place == "script")?;
        let statement = importing.source.as_str();
        let is_import = statement.starts_with("import ") || statement.starts_with("from ");
        // A statement that stands with others on its line, or over several with comments, is not taken apart here.
        if !is_import || statement.starts_with("from .") || statement.contains([';', '#']) {
            return None;
        }
        (in_frames()?, statement.to_owned(), line(statement))
    };
    let installed = Version::from_str(report.distributions.get(&project)?).ok()?;
    Some(Subject { project: project.parse().ok()?, installed, probe, what })
}

/// The distribution of a top-level module, by its own name or by the table of import names.
fn owner(report: &Report, top_level: &str) -> Option<String> {
    let normalised = top_level.parse::<PackageName>().ok()?.to_string();
    let known = crate::knowledge::distribution_for(top_level);
    let known = known.and_then(|(row, _)| row.distribution.parse::<PackageName>().ok()).map(|name| name.to_string());
    [Some(normalised), known].into_iter().flatten().find(|name| report.distributions.contains_key(name))
}

fn is_dotted(name: &str) -> bool {
    let identifier = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_');
    name.contains('.') && name.len() < 200 && name.split('.').all(identifier)
}

/// A program that imports as much of a dotted name as is a module, and looks the rest up.
fn lookup(name: &str) -> String {
    format!(
        "import importlib\nparts = '{name}'.split('.')\nvalue = importlib.import_module(parts[0])\n\
         for end in range(1, len(parts)):\n    if not hasattr(value, parts[end]):\n        \
         importlib.import_module('.'.join(parts[:end + 1]))\n    value = getattr(value, parts[end])\n"
    )
}

/// The newest older version with which the probe passes, or else the newest newer one; as a diagnosis with its remedy.
pub fn search<V: Views>(report: &Report, plan: &Plan, views: &mut V) -> Option<Diagnosis> {
    let subject = subject(report)?;
    let versions = views.versions(&subject.project);
    let own = versions.partition_point(|version| *version < subject.installed);
    let newer = versions.partition_point(|version| *version <= subject.installed);
    let mut trials = Trials { subject: &subject, plan, versions: &versions, began: Instant::now(), count: 0 };
    let found = trials.older(own, views).or_else(|| trials.newer(newer, views))?;
    let version = versions.get(found)?.clone();
    let evidence = format!(
        "{} fails with {} {} ({}): of {} versions that were tried {version} is the newest that does not",
        report.site(),
        subject.project,
        subject.installed,
        line(&subject.what),
        trials.count
    );
    let mut diagnosis = Diagnosis::new(Kind::Searched, evidence);
    let exactly = VersionSpecifiers::from_iter([VersionSpecifier::equals_version(version)]);
    diagnosis.remedies = vec![Remedy::Require(versioned(subject.project.clone(), exactly))];
    diagnosis.known_from = vec![format!("{} trials of a probe that only imports", trials.count)];
    Some(diagnosis)
}

/// How a trial ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    Passes,
    Fails,
    /// The version cannot be had.
    Untestable,
}

struct Trials<'a> {
    subject: &'a Subject,
    plan: &'a Plan,
    versions: &'a [Version],
    began: Instant,
    count: usize,
}

impl Trials<'_> {
    /// Back from the version that fails, in steps that double, and then between the last two.
    fn older<V: Views>(&mut self, end: usize, views: &mut V) -> Option<usize> {
        let (mut fails, mut step) = (end, 1);
        let mut passes = loop {
            let mut place = fails.checked_sub(step).or((fails > 0 && step > 1).then_some(0))?;
            // What cannot be had says nothing: the next newer one may be had.
            let ended = loop {
                match self.trial(place, views)? {
                    Ended::Untestable if place + 1 < fails => place += 1,
                    ended => break ended,
                }
            };
            match ended {
                Ended::Passes => break place,
                Ended::Fails | Ended::Untestable => (fails, step) = (place, step * 2),
            }
        };
        while passes + 1 < fails {
            let middle = passes + (fails - passes) / 2;
            match self.trial(middle, views) {
                Some(Ended::Passes) => passes = middle,
                Some(Ended::Fails | Ended::Untestable) => fails = middle,
                None => break,
            }
        }
        Some(passes)
    }

    /// What is not there yet is in the newest.
    fn newer<V: Views>(&mut self, start: usize, views: &mut V) -> Option<usize> {
        let newest = self.versions.len().checked_sub(1).filter(|newest| *newest >= start)?;
        (self.trial(newest, views)? == Ended::Passes).then_some(newest)
    }

    /// How the probe ends with a version. `None`: enough was tried.
    fn trial<V: Views>(&mut self, place: usize, views: &mut V) -> Option<Ended> {
        if self.count >= TRIALS || self.began.elapsed() > PATIENCE {
            return None;
        }
        self.count += 1;
        let exactly =
            VersionSpecifiers::from_iter([VersionSpecifier::equals_version(self.versions.get(place)?.clone())]);
        let remedy = Remedy::Require(versioned(self.subject.project.clone(), exactly));
        let Ok(view) = views.compose(&self.plan.with(&remedy)) else { return Some(Ended::Untestable) };
        Some(if views.probe(&view, &self.subject.probe) { Ended::Passes } else { Ended::Fails })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::report;

    /// Versions 1 to `count`; the probe passes with those in `passing`.
    struct Index {
        count: u64,
        first: u64,
        passing: std::ops::Range<u64>,
        tried: Vec<u64>,
    }

    #[derive(Debug, thiserror::Error)]
    #[error("no")]
    struct No;

    impl Views for Index {
        type View = u64;
        type Error = No;

        fn compose(&mut self, plan: &Plan) -> Result<u64, No> {
            let text = plan.requirements()[0].to_string();
            let version: u64 = text.rsplit_once("==").unwrap().1.parse().unwrap();
            if version < self.first { Err(No) } else { Ok(version) }
        }

        fn versions(&mut self, _project: &PackageName) -> Vec<Version> {
            (1..=self.count).map(|version| Version::new([version])).collect()
        }

        fn probe(&mut self, view: &u64, program: &str) -> bool {
            assert!(program.contains("'lib.old_name'"), "{program}");
            self.tried.push(*view);
            self.passing.contains(view)
        }
    }

    fn found(count: u64, passing: std::ops::Range<u64>, installed: u64) -> (Option<String>, usize) {
        found_from(1, count, passing, installed)
    }

    fn found_from(first: u64, count: u64, passing: std::ops::Range<u64>, installed: u64) -> (Option<String>, usize) {
        let mut report = report("3.11.7", &[("lib", &installed.to_string())]);
        report.names = vec!["lib.old_name".into()];
        let mut index = Index { count, first, passing, tried: Vec::new() };
        let diagnosis = search(&report, &Plan::default(), &mut index);
        (diagnosis.map(|diagnosis| diagnosis.remedies[0].to_string()), index.tried.len())
    }

    #[test]
    fn the_newest_version_that_passes_is_found() {
        for last in [1, 2, 37, 63, 99] {
            let (remedy, tried) = found(100, 1..last + 1, 100);
            assert_eq!(remedy, Some(format!("lib {last}")));
            assert!(tried <= TRIALS, "{tried}");
        }
        assert_eq!(found(100, 60..101, 50).0.as_deref(), Some("lib 100"), "what is not there yet");
    }

    #[test]
    fn the_oldest_versions_may_not_be_had() {
        assert_eq!(found_from(4, 50, 1..9, 50).0.as_deref(), Some("lib 8"));
    }

    #[test]
    fn it_ends_where_none_passes() {
        let (remedy, tried) = found(1000, 0..0, 1000);
        assert_eq!(remedy, None);
        assert!(tried <= TRIALS, "{tried}");
        assert_eq!(found(1, 0..0, 1), (None, 0));
    }

    #[test]
    fn only_what_an_import_shows_is_searched() {
        let mut own = report("3.11.7", &[("lib", "1")]);
        assert_eq!(subject(&own), None);
        own.names = vec!["lib.f(x)".into()];
        assert_eq!(subject(&own), None, "a call has effects");
        own.names = vec!["other.name".into()];
        assert_eq!(subject(&own), None, "nothing that is there has it");
        own.names = vec!["lib.name'); import os #".into()];
        assert_eq!(subject(&own), None);
    }
}
