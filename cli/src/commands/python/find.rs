//! `omnipkg python find`: where the interpreter is that a request means, or where all of them are.

use crate::commands::open_store;
use crate::interpreters;
use crate::settings::Settings;
use anyhow::{Result, bail};
use omnipkg_store::Store;
use omnipkg_store::interpreter::registry::Registry;
use omnipkg_store::interpreter::{Interpreter, discover, probe_cached};
use std::collections::BTreeSet;

/// Prints a path a line.
pub fn find(settings: &Settings, request: Option<&str>) -> Result<u8> {
    let store = open_store(settings)?;
    let found = match request {
        Some(request) => vec![interpreters::find(&store, Some(request), None)?],
        None => everything(&store)?,
    };
    if found.is_empty() {
        bail!("no Python on this machine");
    }
    if settings.json {
        let rows: Vec<_> = found.iter().map(json).collect();
        println!("{}", serde_json::json!({ "schema": 1, "pythons": rows }));
    } else {
        found.iter().for_each(|interpreter| println!("{}", interpreter.path().display()));
    }
    Ok(0)
}

/// What is known of an interpreter that is not in use.
pub fn json(interpreter: &Interpreter) -> serde_json::Value {
    let facts = &interpreter.facts;
    serde_json::json!({
        "version": facts.full_version(),
        "implementation": facts.implementation,
        "variant": facts.variant().to_string(),
        "interpreter": interpreter.path(),
    })
}

/// Every interpreter that can be used, in the order in which a request would try them; each once.
pub fn everything(store: &Store) -> Result<Vec<Interpreter>> {
    let used = Registry::new(store).all()?.into_iter().map(|record| record.path().to_owned());
    let paths: Vec<_> = discover::all().into_iter().chain(used).collect();
    let mut seen = BTreeSet::new();
    let usable = paths.iter().filter_map(|path| probe_cached(store, path).ok());
    Ok(usable.filter(|interpreter| seen.insert(interpreter.path().to_owned())).collect())
}
