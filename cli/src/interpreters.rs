//! Choosing an interpreter: what the user asked for, matched against what is found.

use crate::commands::python::known;
use anyhow::Result;
use omnipkg_store::Store;
use omnipkg_store::interpreter::discover::{self, PythonRequest};
use omnipkg_store::interpreter::{Interpreter, Variant, probe_cached};
use pep440_rs::{Version, VersionSpecifiers};
use std::str::FromStr;

/// No interpreter of this machine is what was asked for.
#[derive(Debug)]
pub struct MissingPython {
    request: Option<String>,
    requires_python: Option<String>,
    /// Full versions, with the letters of their build.
    found: Vec<String>,
    /// A request that one answers which differs in its build only.
    other_build: Option<String>,
}

impl std::fmt::Display for MissingPython {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.request, &self.requires_python) {
            (Some(request), None) => write!(formatter, "no Python {request} on this machine")?,
            (Some(request), Some(specifiers)) => write!(formatter, "no Python {request} that satisfies {specifiers}")?,
            (None, Some(specifiers)) => write!(formatter, "no Python that satisfies {specifiers}")?,
            (None, None) => write!(formatter, "no Python on this machine")?,
        }
        if self.found.is_empty() {
            write!(formatter, " (none was found)")
        } else {
            write!(formatter, " (found {})", self.found.join(", "))
        }
    }
}

impl std::error::Error for MissingPython {}

impl MissingPython {
    /// The next step.
    pub fn hint(&self) -> String {
        let request = self.request.as_deref().map_or(PythonRequest::Any, PythonRequest::parse);
        if let Some(build) = &self.other_build
            && !matches!(&request, PythonRequest::Version(version) if version.variant != Variant::default())
        {
            return format!("ask for {build} to take that build");
        }
        let specifiers = self.requires_python.as_deref().and_then(|text| VersionSpecifiers::from_str(text).ok());
        match known::offer(&request, specifiers.as_ref()) {
            Some(version) => format!("`omnipkg python install {version}` fetches it"),
            None => "`omnipkg python list` lists what there is; --python takes a version or a path".to_owned(),
        }
    }
}

/// Finds the interpreter for a request (`None`: any) that also satisfies `requires_python`.
pub fn find(store: &Store, request: Option<&str>, requires_python: Option<&VersionSpecifiers>) -> Result<Interpreter> {
    let parsed = request.map_or(PythonRequest::Any, PythonRequest::parse);
    let mut unfit = Vec::new();
    for path in discover::candidates_with_adopted(store.layout(), &parsed) {
        let interpreter = match probe_cached(store, &path) {
            Ok(interpreter) => interpreter,
            // A path was meant; anything else that cannot be used is passed over.
            Err(error) if matches!(parsed, PythonRequest::Path(_)) => return Err(error.into()),
            Err(_) => continue,
        };
        if parsed.accepts(&interpreter.facts) && satisfies(&interpreter, requires_python) {
            return Ok(interpreter);
        }
        unfit.push(interpreter);
    }
    // Python 2 is nobody's default, but a script may ask for it by its range.
    if let (None, Some(specifiers)) = (request, requires_python)
        && specifiers.contains(&Version::new([2, 7, 18]))
    {
        return find(store, Some("2.7"), requires_python);
    }
    // Names that are no precise ones may hide others of them behind the first.
    let missing = missing(store, request, &parsed, requires_python, unfit);
    Err(missing.into())
}

fn missing(
    store: &Store,
    request: Option<&str>,
    parsed: &PythonRequest,
    requires_python: Option<&VersionSpecifiers>,
    mut unfit: Vec<Interpreter>,
) -> MissingPython {
    if !matches!(parsed, PythonRequest::Path(_)) {
        unfit.extend(discover::all().iter().filter_map(|path| probe_cached(store, path).ok()));
    }
    let other_build = unfit
        .iter()
        .find(|interpreter| {
            parsed.accepts_but_for_variant(&interpreter.facts) && satisfies(interpreter, requires_python)
        })
        .map(|interpreter| interpreter.facts.name());
    unfit.sort_by_key(|interpreter| (interpreter.facts.implementation.clone(), interpreter.facts.version));
    let mut found: Vec<String> = unfit.iter().map(described).collect();
    found.dedup();
    let requires_python = requires_python.map(ToString::to_string);
    MissingPython { request: request.map(str::to_owned), requires_python, found, other_build }
}

/// The full version with the letters of its build, and the implementation where that is not CPython: `3.13.0t`.
pub fn described(interpreter: &Interpreter) -> String {
    let facts = &interpreter.facts;
    let implementation = if facts.implementation == "cpython" { "" } else { facts.implementation.as_str() };
    format!("{implementation}{}{}", facts.full_version(), facts.variant())
}

fn satisfies(interpreter: &Interpreter, requires_python: Option<&VersionSpecifiers>) -> bool {
    let Some(specifiers) = requires_python else { return true };
    Version::from_str(&interpreter.facts.full_version()).is_ok_and(|version| specifiers.contains(&version))
}
