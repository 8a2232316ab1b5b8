//! The loop over an in-memory world: views are plans, scripts are functions of a plan.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::knowledge::{NoPythons, Nothing};
use serde_json::{Value, json};

#[derive(Debug, thiserror::Error)]
#[error("no such version")]
struct NotFound;

#[derive(Default)]
struct Memory {
    composed: usize,
    fails: bool,
}

impl Views for Memory {
    type View = Vec<String>;
    type Error = NotFound;

    fn compose(&mut self, plan: &Plan) -> Result<Self::View, NotFound> {
        self.composed += 1;
        if self.fails {
            return Err(NotFound);
        }
        Ok(plan.requirements().iter().map(ToString::to_string).collect())
    }
}

/// A script: given the view and how often it ran, exit code and report.
struct Script<F> {
    script: F,
    runs: usize,
    verdicts: Vec<Verdict>,
}

impl<F: FnMut(&[String], usize) -> (i32, Option<Value>)> Runner<Vec<String>> for Script<F> {
    type Error = NotFound;

    fn run(&mut self, view: &Vec<String>, on_failure: &mut dyn FnMut(Report) -> Verdict) -> Result<i32, NotFound> {
        self.runs += 1;
        let (exit, report) = (self.script)(view, self.runs);
        if let Some(report) = report {
            self.verdicts.push(on_failure(Report::from_json(report.to_string().as_bytes()).unwrap()));
        }
        Ok(exit)
    }
}

#[derive(Default)]
struct Heard {
    lines: Vec<String>,
    agrees: bool,
}

impl Listener for Heard {
    fn say(&mut self, talk: Talk) {
        self.lines.push(talk.text().to_owned());
    }

    fn consent(&mut self, _diagnosis: &Diagnosis) -> bool {
        self.agrees
    }
}

struct Ran {
    outcome: Outcome<Memory>,
    runs: usize,
    verdicts: Vec<Verdict>,
    lines: Vec<String>,
    composed: usize,
}

fn run(
    heal: Heal,
    mut views: Memory,
    agrees: bool,
    script: impl FnMut(&[String], usize) -> (i32, Option<Value>),
) -> Ran {
    let knowledge = Knowledge::embedded().unwrap();
    let healer = Healer {
        knowledge: &|| &knowledge,
        provides: &Nothing,
        pythons: &NoPythons,
        heal,
        attempts: DEFAULT_ATTEMPTS,
        search: false,
    };
    let mut runner = Script { script, runs: 0, verdicts: Vec::new() };
    let mut heard = Heard { agrees, ..Heard::default() };
    let plan = Plan::new(vec!["rich==13.7.1".parse().unwrap()]);
    let view = vec!["rich==13.7.1".to_owned()];
    let outcome = healer.run(plan, view, &mut views, &mut runner, &mut heard).unwrap();
    Ran { outcome, runs: runner.runs, verdicts: runner.verdicts, lines: heard.lines, composed: views.composed }
}

fn wants(project: &str, version: &str) -> Value {
    json!({"schema": 1, "held": true, "checks": [{"distribution": project, "installed": "13.7.1", "subject": "version",
           "op": "==", "value": version, "file": "/w/s.py", "line": 4}]})
}

fn needs(view: &[String], required: &[(&str, &str)]) -> (i32, Option<Value>) {
    for (project, version) in required {
        if !view.contains(&format!("{project}=={version}")) {
            return (1, Some(wants(project, version)));
        }
    }
    (0, None)
}

#[test]
fn one_heal() {
    let ran = run(Heal::Known, Memory::default(), false, |view, _| needs(view, &[("rich", "13.4.2")]));
    assert_eq!((ran.outcome.exit, ran.runs, ran.composed), (0, 2, 1));
    assert!(ran.outcome.healed());
    assert_eq!(ran.verdicts, [Verdict::Quiet]);
    assert_eq!(ran.lines, ["s.py:4 needs rich 13.4.2 (found 13.7.1): running with rich 13.4.2"]);
    assert_eq!(ran.outcome.view, ["rich==13.4.2"]);
    assert_eq!(ran.outcome.plan.remedies().len(), 1);
}

#[test]
fn two_heals_add_up() {
    let ran =
        run(Heal::Known, Memory::default(), false, |view, _| needs(view, &[("numpy", "1.24.3"), ("scipy", "1.10.1")]));
    assert_eq!((ran.outcome.exit, ran.runs, ran.lines.len()), (0, 3, 2));
    assert_eq!(ran.outcome.view, ["rich==13.7.1", "numpy==1.24.3", "scipy==1.10.1"]);
}

#[test]
fn the_same_diagnosis_twice_stops() {
    let ran = run(Heal::Known, Memory::default(), false, |_, _| (1, Some(wants("rich", "13.4.2"))));
    assert!(matches!(ran.outcome.ended, Ended::Repeated));
    assert_eq!((ran.runs, ran.outcome.exit), (2, 1));
    assert_eq!(ran.verdicts, [Verdict::Quiet, Verdict::Print]);
    assert!(!ran.outcome.healed());
}

#[test]
fn a_remedy_that_the_plan_has_already_stops() {
    let moving = |_: &[String], runs| {
        let mut report = wants("rich", "13.4.2");
        report["checks"][0]["line"] = json!(runs);
        (1, Some(report))
    };
    let ran = run(Heal::Known, Memory::default(), false, moving);
    assert!(matches!(ran.outcome.ended, Ended::Repeated));
    assert_eq!((ran.runs, ran.composed), (2, 1));
}

#[test]
fn attempts_are_bounded() {
    let ran = run(Heal::Known, Memory::default(), false, |_, runs| (1, Some(wants(&format!("p{runs}"), "1"))));
    assert!(matches!(ran.outcome.ended, Ended::Exhausted));
    assert_eq!((ran.runs, ran.composed), (DEFAULT_ATTEMPTS + 1, DEFAULT_ATTEMPTS));
    assert_eq!(ran.verdicts.last(), Some(&Verdict::Print));
}

#[test]
fn a_view_that_cannot_be_composed_prints_the_traceback() {
    let views = Memory { fails: true, ..Memory::default() };
    let ran = run(Heal::Known, views, false, |view, _| needs(view, &[("rich", "99")]));
    assert!(matches!(ran.outcome.ended, Ended::NotComposed(NotFound)));
    assert_eq!((ran.runs, ran.outcome.exit, ran.verdicts), (1, 1, vec![Verdict::Print]));
    assert_eq!(ran.lines, ["s.py:4 needs rich 99 (found 13.7.1): no environment could be made for it"]);
    assert_eq!(ran.outcome.view, ["rich==13.7.1"]);
}

#[test]
fn the_scripts_own_failure_runs_once_and_says_nothing() {
    let ran = run(Heal::Known, Memory::default(), false, |_, _| {
        (1, Some(json!({"schema": 1, "exception": {"type": "ZeroDivisionError"}})))
    });
    assert!(matches!(ran.outcome.ended, Ended::NotOurs));
    assert_eq!((ran.runs, ran.composed, ran.verdicts, ran.lines), (1, 0, vec![Verdict::Print], vec![]));
}

#[test]
fn exit_codes_pass() {
    let ran = run(Heal::Known, Memory::default(), false, |_, _| (7, None));
    assert!(matches!(ran.outcome.ended, Ended::Finished));
    assert_eq!((ran.outcome.exit, ran.runs, ran.lines.len()), (7, 1, 0));
    assert!(!ran.outcome.healed());
}

#[test]
fn off_heals_nothing() {
    let ran = run(Heal::Off, Memory::default(), true, |view, _| needs(view, &[("rich", "13.4.2")]));
    assert_eq!((ran.runs, ran.composed, ran.verdicts, ran.lines), (1, 0, vec![Verdict::Print], vec![]));
}

#[test]
fn a_guess_needs_consent() {
    let missing = |view: &[String], _| match view.iter().any(|one| one == "unheard-of") {
        true => (0, None),
        false => (1, Some(json!({"schema": 1, "missing": {"module": "unheard_of", "top_level": "unheard_of"}}))),
    };
    let declined = run(Heal::Ask, Memory::default(), false, missing);
    assert!(matches!(declined.outcome.ended, Ended::Declined));
    assert_eq!((declined.runs, declined.composed), (1, 0));
    assert!(run(Heal::Ask, Memory::default(), true, missing).outcome.healed());
    assert!(run(Heal::Any, Memory::default(), false, missing).outcome.healed());
    let known = run(Heal::Known, Memory::default(), true, missing);
    assert!(matches!(known.outcome.ended, Ended::NoRemedy));
    assert_eq!(known.lines.len(), 3);
}
