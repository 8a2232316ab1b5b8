//! Every form of check, and the requirement that it becomes.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use serde_json::json;

fn check(subject: &str, op: &str, value: Value) -> Value {
    json!({"distribution": "rich", "installed": "13.7.1", "subject": subject, "op": op, "value": value,
           "file": "/w/s.py", "line": 4, "text": "x"})
}

fn with(mut check: Value, field: &str, value: Value) -> Value {
    check[field] = value;
    check
}

fn found(checks: &[Value]) -> Diagnosis {
    let report = json!({"schema": 1, "checks": checks});
    diagnose(&Report::from_json(report.to_string().as_bytes()).unwrap()).unwrap()
}

fn remedies(checks: &[Value]) -> Vec<String> {
    let requirement = |remedy: &Remedy| match remedy {
        Remedy::Require(requirement) => requirement.to_string(),
        other => panic!("{other:?}"),
    };
    found(checks).remedies.iter().map(requirement).collect()
}

#[test]
fn words() {
    let diagnosis = found(&[check("version", "==", json!("13.4.2"))]);
    assert_eq!(diagnosis.evidence, "s.py:4 asserts rich == 13.4.2, found 13.7.1");
    assert_eq!(diagnosis.need, "s.py:4 needs rich 13.4.2 (found 13.7.1)");
    let diagnosis = found(&[with(check("prefix", ">=", json!([14, 0])), "length", json!(2))]);
    assert_eq!(diagnosis.evidence, "s.py:4 asserts rich[:2] >= 14.0, found 13.7.1");
}

#[test]
fn whole_versions() {
    for op in ["==", "!=", "<", "<=", ">", ">="] {
        assert_eq!(remedies(&[check("version", op, json!("13.4.2"))]), [format!("rich{op}13.4.2")]);
    }
    assert_eq!(remedies(&[check("version", "==", json!([13, 4, 2]))]), ["rich==13.4.2"]);
    assert_eq!(remedies(&[check("version", "satisfies", json!(">=13, <13.5"))]), ["rich>=13,<13.5"]);
}

#[test]
fn members() {
    assert_eq!(remedies(&[check("version", "in", json!(["13.9", "13.10", "nonsense"]))]), ["rich==13.10"]);
    assert_eq!(remedies(&[check("version", "not in", json!(["13.7.0", "13.7.1"]))]), ["rich!=13.7.0,!=13.7.1"]);
    assert_eq!(remedies(&[check("starts_with", "in", json!(["12.", "11."]))]), ["rich==12.*"]);
}

#[test]
fn prefixes() {
    let two = |op, value| remedies(&[with(check("prefix", op, value), "length", json!(2))]);
    assert_eq!(two("==", json!([13, 4])), ["rich==13.4.*"]);
    assert_eq!(two("!=", json!("13.7")), ["rich!=13.7.*"]);
    assert_eq!(two(">=", json!([14, 0])), ["rich>=14.0"]);
    assert_eq!(two(">", json!([13, 7])), ["rich>=13.8"]);
    assert_eq!(two("<", json!([13, 7])), ["rich<13.7"]);
    assert_eq!(two("<=", json!([13, 6])), ["rich<13.7"]);
    assert_eq!(two(">", json!([14])), ["rich>=14"]);
    assert_eq!(two("==", json!([14])), [""; 0]);
    assert_eq!(remedies(&[check("prefix", ">=", json!([14, 0]))]), ["rich>=14.0"]);
}

#[test]
fn components() {
    let one = |index: u32, op, value: u32| with(check("component", op, json!(value)), "index", json!(index));
    assert_eq!(remedies(&[one(0, "==", 12)]), ["rich==12.*"]);
    assert_eq!(remedies(&[one(0, "<", 13)]), ["rich<13"]);
    assert_eq!(remedies(&[one(0, "<=", 12)]), ["rich<13"]);
    assert_eq!(remedies(&[one(1, "==", 4)]), ["rich==13.4.*"]);
    assert_eq!(remedies(&[one(1, ">=", 8)]), ["rich==13.*,>=13.8"]);
    assert_eq!(remedies(&[one(0, "==", 12), one(1, "==", 4)]), ["rich==12.*,==12.4.*"]);
    assert_eq!(remedies(&[one(4_000_000_000, "==", 4)]), [""; 0]);
}

#[test]
fn starts_with() {
    assert_eq!(remedies(&[check("starts_with", "==", json!("13.4."))]), ["rich==13.4.*"]);
    assert_eq!(remedies(&[check("starts_with", "!=", json!("13"))]), ["rich!=13.*"]);
}

#[test]
fn what_is_no_version_has_no_remedy() {
    for value in [json!("latest"), json!(null), json!({}), json!([]), json!(["a", "b"]), json!(true), json!("1.0; x")] {
        let diagnosis = found(&[check("version", "==", json!("13.4.2")), check("version", "==", value)]);
        assert!(diagnosis.remedies.is_empty(), "{diagnosis:?}");
        assert!(diagnosis.evidence.ends_with("which no version of it can be chosen by"), "{}", diagnosis.evidence);
    }
    assert!(found(&[check("epoch", "==", json!("1"))]).remedies.is_empty());
    assert!(found(&[check("version", "~", json!("1"))]).remedies.is_empty());
}

#[test]
fn two_distributions_at_once() {
    let numpy = with(check("version", "==", json!("1.24.3")), "distribution", json!("numpy"));
    let diagnosis = found(&[numpy, check("version", "==", json!("13.4.2"))]);
    assert_eq!(diagnosis.need, "s.py:4 needs numpy 1.24.3 (found 13.7.1) and rich 13.4.2 (found 13.7.1)");
    assert_eq!(diagnosis.remedies.len(), 2);
}
