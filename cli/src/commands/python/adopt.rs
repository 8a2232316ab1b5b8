//! `omnipkg python adopt`: an interpreter of this machine is taken into use, by reference, and gets its environment.

use crate::commands::open_store;
use crate::context::Context;
use crate::interpreters::{self, described};
use crate::output;
use crate::settings::Settings;
use anyhow::Result;
use omnipkg_store::Store;
use omnipkg_store::interpreter::Interpreter;
use omnipkg_store::interpreter::registry::{Record, Registry};
use std::io::IsTerminal;

/// Adopts the interpreter that a request means.
pub fn adopt(settings: &Settings, request: &str) -> Result<u8> {
    let store = open_store(settings)?;
    let interpreter = interpreters::find(&store, Some(request), None)?;
    let (record, new) = into_use(settings, &store, interpreter)?;
    tell(settings, &store, &record, new, "adopted");
    Ok(0)
}

/// Records an interpreter and makes its default environment, where either is missing; true if it was not in use.
pub fn into_use(settings: &Settings, store: &Store, interpreter: Interpreter) -> Result<(Record, bool)> {
    let registry = Registry::new(store);
    let known = registry.by_path(interpreter.path())?.is_some();
    // The environment first: an interpreter that can have none is not in use.
    Context::default_environment(settings, store, interpreter.clone(), false)?;
    let (record, _) = registry.adopt(&interpreter)?;
    Ok((record, !known))
}

/// What there is to say of an interpreter that is in use now.
pub fn tell(settings: &Settings, store: &Store, record: &Record, new: bool, done: &str) {
    if settings.json {
        let json = serde_json::json!({
            "schema": 1,
            "name": record.name,
            "environment": record.name,
            "version": record.interpreter.facts.full_version(),
            "python": store.layout().envs().join(&record.name).join("bin/python"),
            "interpreter": record.path(),
            "adopted": new,
        });
        println!("{json}");
    } else if new && !settings.quiet && std::io::stderr().is_terminal() {
        let (version, path) = (described(&record.interpreter), record.path().display());
        output::talk(&format!("Python {version} at {path} is {done} as {}", record.name));
    }
}
