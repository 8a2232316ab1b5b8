//! Choosing an interpreter: what the user asked for, matched against what is found.

use anyhow::{Result, bail};
use omnipkg_store::Store;
use omnipkg_store::interpreter::discover::{self, PythonRequest};
use omnipkg_store::interpreter::{Interpreter, probe_cached};
use pep440_rs::{Version, VersionSpecifiers};
use std::str::FromStr;

/// Finds the interpreter for a request (`None`: any) that also satisfies `requires_python`.
pub fn find(store: &Store, request: Option<&str>, requires_python: Option<&VersionSpecifiers>) -> Result<Interpreter> {
    let parsed = request.map_or(PythonRequest::Any, PythonRequest::parse);
    let mut unfit = Vec::new();
    for path in discover::candidates(&parsed) {
        let interpreter = match probe_cached(store, &path) {
            Ok(interpreter) => interpreter,
            // A path was meant; anything else that cannot be used is passed over.
            Err(error) if matches!(parsed, PythonRequest::Path(_)) => return Err(error.into()),
            Err(_) => continue,
        };
        if fits(&interpreter, &parsed, requires_python) {
            return Ok(interpreter);
        }
        unfit.push(interpreter.facts.full_version());
    }
    unfit.sort();
    unfit.dedup();
    let found = if unfit.is_empty() { "none was found".to_owned() } else { format!("found {}", unfit.join(", ")) };
    match (request, requires_python) {
        (Some(request), None) => bail!("no Python {request} on this machine ({found})"),
        (Some(request), Some(specifiers)) => bail!("no Python {request} that satisfies {specifiers} ({found})"),
        (None, Some(specifiers)) => bail!("no Python that satisfies {specifiers} ({found})"),
        (None, None) => bail!("no Python on this machine ({found})"),
    }
}

fn fits(interpreter: &Interpreter, request: &PythonRequest, requires_python: Option<&VersionSpecifiers>) -> bool {
    let facts = &interpreter.facts;
    // Python 2 only when it was asked for by version or path.
    let asked_for_2 = matches!(request, PythonRequest::Path(_))
        || matches!(request, PythonRequest::Version(parts) if parts.first() == Some(&2));
    if facts.version.0 < 3 && !asked_for_2 {
        return false;
    }
    let version = Version::from_str(&facts.full_version());
    let satisfies = requires_python.is_none_or(|specifiers| version.is_ok_and(|version| specifiers.contains(&version)));
    request.accepts(&facts.implementation, facts.version) && satisfies
}
