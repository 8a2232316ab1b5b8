//! Default environments: every interpreter has one, named after its version.

use super::Target;
use crate::interpreters;
use anyhow::{Context as _, Result};
use omnipkg_store::interpreter::discover::PythonRequest;
use omnipkg_store::interpreter::{Interpreter, registry};
use omnipkg_store::{Layout, Store};

/// True for names of default environments, which no other environment may have: `3.11`, `3.13t`, `pypy3.9`.
pub fn is_default_name(name: &str) -> bool {
    let version = name.trim_start_matches("pypy").trim_start_matches("cpython");
    version.starts_with(|first: char| first.is_ascii_digit()) && version.contains('.')
}

/// The name of the default environment that a request means, if it has one. `3.11` says it by itself; anything more
/// precise is looked up among the interpreters in use.
pub fn environment_of(layout: &Layout, request: &str) -> Option<String> {
    let exists = |name: &String| layout.envs().join(name).is_symlink();
    let is_short = request.split('.').count() == 2 && request.split('.').all(|part| part.parse::<u16>().is_ok());
    if is_short {
        return Some(request.to_owned()).filter(exists);
    }
    // As `python list` names it: `3.11-7b9c788f`.
    if is_default_name(request) && !request.contains('/') && exists(&request.to_owned()) {
        return Some(request.to_owned());
    }
    registry::name_of_request(layout, &PythonRequest::parse(request)).filter(exists)
}

/// The interpreter that a target means where it has no environment yet.
pub fn interpreter_for(store: &Store, target: &Target) -> Result<Interpreter> {
    let found = interpreters::find(store, target.request(), None);
    match target {
        Target::Python { said_by: Some(said_by), .. } => found.with_context(|| format!("as {said_by} asks")),
        _ => found,
    }
}

/// A key that puts names of environments in the order of their versions: `3.9` before `3.10`.
pub fn by_version(name: &str) -> Vec<(u64, String)> {
    name.split('.').map(|part| (part.parse().unwrap_or(u64::MAX), part.to_owned())).collect()
}
