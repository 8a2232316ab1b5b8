//! A name that a distribution, or Python itself, has in other versions: an attribute, a name to import, a module, an
//! argument of a function.
//!
//! What is certain is the reviewed table ([`crate::knowledge::api`]): the remedy is a version that has the name,
//! of what is loaded already. A name that is in no table may as well be misspelt.

use super::{Context, Diagnosis, Kind};
use crate::knowledge::{Api, PYTHON, api, distribution_for};
use crate::remedy::{Remedy, has_a_python_3, versioned};
use crate::report::{Report, line};
use pep440_rs::Version;
use std::str::FromStr;

pub(super) fn diagnose(report: &Report, context: Context<'_>) -> Option<Diagnosis> {
    let missing = report.missing.as_ref().filter(|missing| !missing.local);
    // What another distribution brings in place of the standard library's is less of a change than another Python.
    let has_a_substitute = missing.is_some_and(|missing| {
        missing.stdlib
            && distribution_for(&missing.module)
                .is_some_and(|(row, _)| !report.distributions.contains_key(&row.distribution.to_lowercase()))
    });
    if has_a_substitute {
        return None;
    }
    let modules = missing.into_iter().flat_map(|missing| prefixes(&missing.module));
    let modules = modules.filter(|name| !AMBIGUOUS.contains(name));
    let names = report.names.iter().map(String::as_str).chain(modules);
    names.filter_map(|name| Some((name, api(name)?))).find_map(|(name, api)| of(report, name, &api, context))
}

/// `a.b.c`, `a.b`, `a`.
fn prefixes(module: &str) -> impl Iterator<Item = &str> {
    let ends = module.match_indices('.').map(|(end, _)| end).take(16).chain([module.len()]).collect::<Vec<_>>();
    ends.into_iter().rev().map(|end| &module[..end])
}

fn of(report: &Report, name: &str, api: &Api, context: Context<'_>) -> Option<Diagnosis> {
    let who = user(report, api);
    let name = line(name);
    if api.distribution == PYTHON {
        let python = Version::from_str(&report.python).ok()?;
        if api.versions.contains(&python) || (BUILTINS.contains(&name.as_str()) && !report.is_python_2) {
            return None;
        }
        let evidence = format!("{who} uses {name}, which Python {python} does not have");
        let mut diagnosis = Diagnosis::new(Kind::Api, evidence);
        if !has_a_python_3(&api.versions) && !can_be_python_2(report, context) {
            diagnosis.evidence += ", and there is no Python 2 on this machine";
            let is_told = !report.is_python_3 && !context.pythons.known().iter().any(is_second);
            return is_told.then_some(diagnosis);
        }
        diagnosis.remedies = vec![Remedy::Python(api.versions.clone())];
        diagnosis.known_from = vec![api.source.to_owned()];
        return Some(diagnosis);
    }
    let distributions = std::iter::once(&api.distribution).chain(api.also);
    let (distribution, installed) =
        distributions.filter_map(|name| Some((*name, report.distributions.get(*name)?))).next()?;
    if api.versions.contains(&Version::from_str(installed).ok()?) {
        return None;
    }
    let evidence = format!("{who} uses {name}, which {distribution} {} does not have", line(installed));
    let mut diagnosis = Diagnosis::new(Kind::Api, evidence);
    diagnosis.remedies = vec![Remedy::Require(versioned(distribution.parse().ok()?, api.versions.clone()))];
    diagnosis.known_from = vec![api.source.to_owned()];
    Some(diagnosis)
}

/// Modules of some standard library whose names people also give to files of their own: that one is missing says nothing.
const AMBIGUOUS: &[&str] = &[
    "chunk",
    "commands",
    "crypt",
    "exceptions",
    "formatter",
    "hotshot",
    "ihooks",
    "md5",
    "mhlib",
    "parser",
    "pipes",
    "rexec",
    "sets",
    "sha",
    "statvfs",
    "symbol",
    "thread",
    "ttk",
    "user",
    "uu",
];

/// Functions of Python 2 whose names a script of Python 3 may as well have forgotten to define or to import.
const BUILTINS: &[&str] =
    &["builtins.apply", "builtins.cmp", "builtins.file", "builtins.intern", "builtins.reduce", "builtins.reload"];

fn is_second(version: &Version) -> bool {
    version.release().first() == Some(&2)
}

/// A file of a person's own may be missing that is called like a module of Python 2 was: only a script that Python 2 can read may be one of Python 2's.
fn can_be_python_2(report: &Report, context: Context<'_>) -> bool {
    if report.is_python_3 {
        return false;
    }
    let script = report.frames.iter().find(|frame| frame.place == "script");
    let readers = script.map(|frame| context.pythons.that_read(&frame.file)).unwrap_or_default();
    readers.iter().any(is_second)
}

/// "s.py:4", or "old-library 1.0 (from s.py:4)" if it is not the script itself that uses the name.
fn user(report: &Report, api: &Api) -> String {
    let innermost = report.frames.iter().rev().find(|frame| {
        let own = frame.distribution.as_deref() == Some(api.distribution);
        frame.place == "script" || (frame.place == "site" && !own)
    });
    match innermost.and_then(|frame| frame.distribution.as_ref()) {
        Some(distribution) => {
            let version = report.distributions.get(distribution).map(|version| format!(" {}", line(version)));
            format!("{}{} (from {})", line(distribution), version.unwrap_or_default(), report.site())
        }
        None => report.site(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use crate::diagnosis::testing::{found, frame, report};
    use crate::report::MissingModule;

    #[test]
    fn a_name_that_went_is_had_from_a_version_that_has_it() {
        let mut report = report("3.11.7", &[("numpy", "1.26.4")]);
        report.names = vec!["numpy.float".to_owned()];
        let diagnosis = found(&report).unwrap();
        assert_eq!(diagnosis.evidence, "s.py:4 uses numpy.float, which numpy 1.26.4 does not have");
        assert_eq!(diagnosis.remedies[0].to_string(), "numpy <1.24");
        report.distributions.insert("numpy".into(), "1.23.5".into());
        assert_eq!(found(&report), None, "that version has it");
        report.names = vec!["numpy.flaot".to_owned()];
        assert_eq!(found(&report), None);
    }

    #[test]
    fn a_name_of_the_standard_library_needs_another_python() {
        let mut report = report("3.11.7", &[]);
        report.names = vec!["collections.Mapping".to_owned()];
        let diagnosis = found(&report).unwrap();
        assert_eq!(diagnosis.evidence, "s.py:4 uses collections.Mapping, which Python 3.11.7 does not have");
        assert_eq!(diagnosis.remedies[0].to_string(), "Python <3.10");
    }

    #[test]
    fn a_module_counts_by_its_parts() {
        let mut report = report("3.11.7", &[("scikit-learn", "1.3.0")]);
        report.missing = Some(MissingModule {
            module: "sklearn.externals.six.moves".into(),
            top_level: "sklearn".into(),
            top_level_present: true,
            ..MissingModule::default()
        });
        let diagnosis = found(&report).unwrap();
        assert!(diagnosis.evidence.contains("uses sklearn.externals.six, "), "{}", diagnosis.evidence);
    }

    #[test]
    fn a_library_that_uses_the_name_is_named() {
        let mut report = report("3.11.7", &[("numpy", "1.26.4"), ("old-library", "1.0")]);
        report.names = vec!["numpy.float".to_owned()];
        report.frames.push(frame("/v/old/__init__.py", 1, "site", Some("old-library")));
        let diagnosis = found(&report).unwrap();
        assert_eq!(
            diagnosis.evidence,
            "old-library 1.0 (from s.py:4) uses numpy.float, which numpy 1.26.4 does not have"
        );
    }
}
