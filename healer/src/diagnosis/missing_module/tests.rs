//! Missing modules: what is certain, what is a guess, what is neither.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::knowledge::{Knowledge, Provides};
use crate::report::{Frame, MissingDistribution};
use crate::talk;

struct Store(&'static [(&'static str, &'static [&'static str])]);

impl Provides for Store {
    fn distributions_for(&self, import_name: &str) -> Vec<String> {
        let rows = self.0.iter().filter(|(name, _)| *name == import_name);
        rows.flat_map(|(_, projects)| projects.iter().map(|project| (*project).to_owned())).collect()
    }
}

fn report(module: &str) -> Report {
    let top_level = module.split('.').next().unwrap().to_owned();
    Report {
        python: "3.11.7".into(),
        frames: vec![Frame { file: "/w/s.py".into(), line: 2, place: "script".into(), ..Frame::default() }],
        missing: Some(MissingModule { module: module.into(), top_level, ..MissingModule::default() }),
        ..Report::default()
    }
}

fn found(report: &Report, heal: Heal) -> Diagnosis {
    let store = Store(&[
        ("in_store", &["from-store"]),
        ("pkg_resources", &["setuptools"]),
        ("utils", &["careless-project"]),
        ("twice", &["one", "other"]),
        ("space.part", &["space-part"]),
    ]);
    let knowledge = Knowledge::embedded().unwrap();
    diagnose(report, Context { knowledge: &knowledge, provides: &store, pythons: &crate::knowledge::NoPythons, heal })
        .unwrap()
}

fn remedies(module: &str, heal: Heal) -> Vec<String> {
    found(&report(module), heal).remedies.iter().map(ToString::to_string).collect()
}

#[test]
fn certain_names_are_added() {
    assert_eq!(remedies("yaml", Heal::Known), ["pyyaml"]);
    assert_eq!(remedies("pkg_resources", Heal::Known), ["setuptools <81"]);
    assert_eq!(remedies("sklearn.svm", Heal::Known), ["scikit-learn"]);
    assert_eq!(remedies("in_store.part", Heal::Known), ["from-store"]);
    assert_eq!(remedies("space.part.more", Heal::Known), ["space-part"]);
    assert!(remedies("utils", Heal::Known).is_empty(), "whatever a wheel has of that name");
    let diagnosis = found(&report("yaml"), Heal::Known);
    assert_eq!(
        talk::healing(&diagnosis, &["pyyaml 6.0".into()]),
        "s.py:2 needs the module yaml: running with pyyaml 6.0"
    );
}

#[test]
fn other_imports_are_foreseen_where_they_are_certain() {
    let missing = |module: &str| report(module).missing.unwrap();
    let mut report = report("yaml");
    report.also_missing =
        ["cv2", "unheard_of_thing", "ruamel.yaml", "yaml.nodes", "../x", "cv2"].into_iter().map(missing).collect();
    let diagnosis = found(&report, Heal::Any);
    let foreseen: Vec<String> = diagnosis.foreseen.iter().map(ToString::to_string).collect();
    assert_eq!(foreseen, ["opencv-python", "ruamel-yaml"]);
}

#[test]
fn a_guess_is_made_only_when_allowed() {
    for (module, known, ask, any) in [
        ("unheard_of_thing", false, true, true),
        ("functions", false, false, true),
        ("_private", false, false, false), // no project can have that name
        ("reqeusts", false, false, true),
        ("twice", false, false, true),
    ] {
        assert_eq!(!remedies(module, Heal::Known).is_empty(), known, "{module} known");
        assert_eq!(!remedies(module, Heal::Ask).is_empty(), ask, "{module} ask");
        assert_eq!(!remedies(module, Heal::Any).is_empty(), any, "{module} any");
        assert!(!found(&report(module), Heal::Known).considered.is_empty(), "{module}");
    }
    assert!(found(&report("unheard_of_thing"), Heal::Ask).guessed);
}

#[test]
fn what_was_considered_is_said() {
    let lines = talk::unhealed(&found(&report("reqeusts"), Heal::Known));
    let text: Vec<&str> = lines.iter().map(talk::Talk::text).collect();
    assert_eq!(text[0], "s.py:2 imports reqeusts, which nothing in this environment provides");
    assert!(text[1].starts_with("considered requests (provides requests, a name like reqeusts)"), "{text:?}");
    assert_eq!(text[2], "to add a project that you trust: --with NAME");
    let lines = talk::unhealed(&found(&report("unheard_of_thing"), Heal::Known));
    assert_eq!(
        lines.last().unwrap().text(),
        "to allow it: --with unheard_of_thing, or --heal=any to take names as they are"
    );
}

#[test]
fn local_stdlib_and_present_names_are_left_alone() {
    let change = |change: fn(&mut MissingModule)| {
        let mut report = report("yaml.nothing");
        change(report.missing.as_mut().unwrap());
        found(&report, Heal::Any)
    };
    for diagnosis in [
        change(|missing| missing.local = true),
        change(|missing| {
            missing.module = "ossaudiodev".into();
            missing.stdlib = true;
        }),
        change(|missing| missing.top_level_present = true),
    ] {
        assert!(diagnosis.remedies.is_empty(), "{diagnosis:?}");
        assert!(diagnosis.considered.is_empty(), "{diagnosis:?}");
    }
    let mut namespace = report("google.cloud.storage");
    namespace.missing.as_mut().unwrap().top_level_present = true;
    assert_eq!(found(&namespace, Heal::Known).remedies[0].to_string(), "google-cloud-storage");
    namespace.distributions.insert("google-cloud-storage".into(), "2.0".into());
    assert!(found(&namespace, Heal::Known).remedies.is_empty());
}

#[test]
fn distributions_asked_for_by_name() {
    let asked = |text: &str, heal| {
        let missing_distribution = Some(MissingDistribution { requirement: text.into() });
        found(&Report { missing: None, missing_distribution, ..report("x") }, heal)
    };
    assert_eq!(asked("rich>=13", Heal::Known).remedies[0].to_string(), "rich >=13");
    assert!(asked("unheard-of-thing", Heal::Known).remedies.is_empty());
    assert!(asked("unheard-of-thing", Heal::Ask).guessed);
    assert!(asked("rich @ file:///etc/passwd", Heal::Any).remedies.is_empty());
}

#[test]
fn names_that_are_none_are_no_diagnosis() {
    let knowledge = Knowledge::embedded().unwrap();
    let (provides, pythons) = (&crate::knowledge::Nothing, &crate::knowledge::NoPythons);
    let context = Context { knowledge: &knowledge, provides, pythons, heal: Heal::Any };
    for name in ["", ".", "a..b", "a b", "a;b", "1a", "\u{1b}[31m", "--index-url"] {
        assert_eq!(diagnose(&report(name), context), None, "{name:?}");
    }
}
