//! A script that checks the version of a distribution and found another one.
//!
//! The evidence is the comparison, not the message: each [`Check`] says what would have to hold, and it is turned into
//! version specifiers (PEP 440). All checks of a report have to hold together.

use pep440_rs::{Version, VersionSpecifier, VersionSpecifiers};
use pep508_rs::PackageName;
use serde_json::Value;

use super::{Diagnosis, Kind};
use crate::remedy::{Remedy, specifiers_in_words, versioned};
use crate::report::{Check, Report, Subject, line, site};
use crate::talk::join;

pub(super) fn diagnose(report: &Report) -> Option<Diagnosis> {
    let first = report.checks.first()?;
    let mut groups: Vec<(PackageName, Vec<&Check>)> = Vec::new();
    for check in &report.checks {
        let name: PackageName = check.distribution.parse().ok()?;
        match groups.iter_mut().find(|(known, _)| *known == name) {
            Some((_, checks)) => checks.push(check),
            None => groups.push((name, vec![check])),
        }
    }
    let asserted: Vec<String> =
        groups.iter().flat_map(|(_, checks)| checks.iter().map(|check| in_words(check))).collect();
    let evidence = format!("{} asserts {}", site(&first.file, first.line), join(&asserted));
    let mut diagnosis = Diagnosis::new(Kind::VersionAssertion, evidence);
    let mut needs = Vec::new();
    for (name, checks) in groups {
        match specifiers(&checks) {
            Some(specifiers) => {
                needs.push(format!(
                    "{name} {} (found {})",
                    specifiers_in_words(&specifiers),
                    line(&checks[0].installed)
                ));
                diagnosis.remedies.push(Remedy::Require(versioned(name, specifiers)));
            }
            // Half of a remedy mends nothing.
            None => {
                diagnosis.remedies.clear();
                diagnosis.evidence.push_str(", which no version of it can be chosen by");
                return Some(diagnosis);
            }
        }
    }
    diagnosis.need = format!("{} needs {}", site(&first.file, first.line), join(&needs));
    Some(diagnosis)
}

/// "rich == 13.4.2, found 13.7.1", with what of the version is compared where it is not all of it.
fn in_words(check: &Check) -> String {
    let of = match (check.subject, check.index, check.length) {
        (Subject::Component, Some(index), _) => format!("[{index}]"),
        (Subject::Prefix, _, Some(length)) => format!("[:{length}]"),
        _ => String::new(),
    };
    let op = match (check.subject, check.op.as_str()) {
        (Subject::StartsWith, "==") => "starts with",
        (Subject::StartsWith, "!=") => "does not start with",
        (_, op) => op,
    };
    let value = text_of(&check.value).unwrap_or_else(|| check.value.to_string());
    line(&format!("{}{of} {op} {value}, found {}", check.distribution, check.installed))
}

/// The specifiers under which all these checks of one distribution hold.
fn specifiers(checks: &[&Check]) -> Option<VersionSpecifiers> {
    let mut texts: Vec<String> = Vec::new();
    for check in checks {
        let more = match check.op.as_str() {
            "satisfies" => check.value.as_str()?.split(',').map(str::trim).map(str::to_owned).collect(),
            "in" => compare(check, "==", highest(check.value.as_array()?)?, checks)?,
            "not in" => {
                let values = check.value.as_array()?.iter();
                values.map(|value| compare(check, "!=", value, checks)).collect::<Option<Vec<_>>>()?.concat()
            }
            op => compare(check, op, &check.value, checks)?,
        };
        texts.extend(more);
    }
    let mut all: Vec<VersionSpecifier> = Vec::new();
    for text in texts {
        let specifier = text.parse().ok()?;
        if !all.contains(&specifier) {
            all.push(specifier);
        }
    }
    (!all.is_empty()).then(|| all.into_iter().collect())
}

/// The highest of some values that is a version.
fn highest(values: &[Value]) -> Option<&Value> {
    let versions =
        values.iter().filter_map(|value| Some((text_of(value)?.trim_end_matches('.').parse::<Version>().ok()?, value)));
    versions.max_by(|(first, _), (second, _)| first.cmp(second)).map(|(_, value)| value)
}

/// One comparison as specifiers; `None` when no specifier says the same.
fn compare(check: &Check, op: &str, value: &Value, all: &[&Check]) -> Option<Vec<String>> {
    let text = text_of(value)?;
    match check.subject {
        Subject::Version => direct(op, &text),
        Subject::StartsWith => {
            numbers(text.trim_end_matches('.'))?;
            matches!(op, "==" | "!=").then(|| vec![format!("{op}{}.*", text.trim_end_matches('.'))])
        }
        Subject::Prefix => match check.length {
            None => direct(op, &text),
            Some(length) => prefix(op, &numbers(&text)?, length as usize),
        },
        Subject::Component => component(op, text.parse().ok()?, check, all),
        Subject::Unknown => None,
    }
}

fn direct(op: &str, version: &str) -> Option<Vec<String>> {
    version.parse::<Version>().ok()?;
    matches!(op, "==" | "!=" | "<" | "<=" | ">" | ">=").then(|| vec![format!("{op}{version}")])
}

/// The first `length` components, compared with `value`.
fn prefix(op: &str, value: &[u64], length: usize) -> Option<Vec<String>> {
    let dotted = dotted(value);
    // A shorter tuple is less than a longer one that starts with it; a longer value only orders.
    let text = match (op, value.len().cmp(&length)) {
        ("==" | "!=", std::cmp::Ordering::Equal) => format!("{op}{dotted}.*"),
        ("==" | "!=", _) => return None,
        (">", std::cmp::Ordering::Equal) => format!(">={}", dotted_next(value)?),
        ("<=", std::cmp::Ordering::Equal) => format!("<{}", dotted_next(value)?),
        (">=" | ">", std::cmp::Ordering::Less) => format!(">={dotted}"),
        ("<" | "<=", std::cmp::Ordering::Less) => format!("<{dotted}"),
        (">=" | "<" | ">" | "<=", _) => format!("{op}{dotted}"),
        _ => return None,
    };
    Some(vec![text])
}

/// One component, compared with `value`, the ones before it being what other checks say, else what is installed.
fn component(op: &str, value: u64, check: &Check, all: &[&Check]) -> Option<Vec<String>> {
    let index = check.index? as usize;
    let installed: Version = check.installed.parse().ok()?;
    if index > 8 {
        return None;
    }
    let mut base: Vec<u64> =
        (0..index).map(|position| installed.release().get(position).copied().unwrap_or(0)).collect();
    for other in all.iter().filter(|other| other.subject == Subject::Component && other.op == "==") {
        if let (Some(position), Some(number)) = (other.index, text_of(&other.value).and_then(|text| text.parse().ok()))
            && let Some(slot) = base.get_mut(position as usize)
        {
            *slot = number;
        }
    }
    let mut texts =
        if index == 0 || matches!(op, "==" | "!=") { Vec::new() } else { vec![format!("=={}.*", dotted(&base))] };
    base.push(value);
    texts.push(match op {
        "==" | "!=" => format!("{op}{}.*", dotted(&base)),
        ">=" | "<" => format!("{op}{}", dotted(&base)),
        ">" => format!(">={}", dotted_next(&base)?),
        "<=" => format!("<{}", dotted_next(&base)?),
        _ => return None,
    });
    Some(texts)
}

/// A value as text: a string, a number, or a list of them as components.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(items) if !items.is_empty() && items.iter().all(|item| item.is_string() || item.is_u64()) => {
            Some(items.iter().filter_map(text_of).collect::<Vec<_>>().join("."))
        }
        _ => None,
    }
}

fn numbers(text: &str) -> Option<Vec<u64>> {
    text.split('.').map(|part| part.parse().ok()).collect()
}

fn dotted(numbers: &[u64]) -> String {
    numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(".")
}

/// The next one at the last component: 1.3 for 1.2.
fn dotted_next(value: &[u64]) -> Option<String> {
    let (last, start) = value.split_last()?;
    let next = [start, &[last.checked_add(1)?]].concat();
    Some(dotted(&next))
}

#[cfg(test)]
#[path = "version_assertion/tests.rs"]
mod tests;
