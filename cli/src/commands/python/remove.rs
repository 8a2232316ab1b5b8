//! `omnipkg python remove`: an interpreter goes out of use, with its default environment.
//!
//! Nothing of an adopted interpreter is touched; one that was installed into the store loses its name there, and its files stay
//! for whoever is running them.

use crate::commands::open_store;
use crate::settings::Settings;
use anyhow::{Result, bail};
use omnipkg_store::Store;
use omnipkg_store::environment::Environments;
use omnipkg_store::interpreter::installed::{self, Place};
use omnipkg_store::interpreter::registry::{self, Origin, Record, Registry};
use omnipkg_store::interpreter::{PythonRequest, discover, probe_cached};
use omnipkg_store::view::description::ViewDescription;
use std::path::Path;

/// Removes the interpreter that a name or a request means.
pub fn remove(settings: &Settings, request: &str) -> Result<u8> {
    let store = open_store(settings)?;
    let registry = Registry::new(&store);
    let record = record_of(&store, request)?;
    let environments = Environments::new(&store);
    let name = &record.name;
    let others = bound_to(&store, record.path(), name)?;
    if !others.is_empty() {
        let (list, first) = (others.join(", "), &others[0]);
        bail!("Python {name} is in use by {list}: remove what needs it first, with `omnipkg env remove {first}`");
    }
    if environments.active()?.as_deref() == Some(name) {
        bail!("Python {name} is the active one: make another one active first, with `omnipkg swap python VERSION`");
    }
    environments.remove(name)?;
    registry.remove(name)?;
    if record.origin == Origin::Installed
        && let Some(place) = Place::of(store.layout(), record.path())
    {
        installed::remove(&store, &place.name)?;
    }
    if settings.json {
        println!("{}", serde_json::json!({ "schema": 1, "name": name, "removed": true }));
    }
    Ok(0)
}

fn record_of(store: &Store, request: &str) -> Result<Record> {
    let registry = Registry::new(store);
    if let Some(record) = registry.get(request)? {
        return Ok(record);
    }
    let parsed = PythonRequest::parse(request);
    let by_path = match &parsed {
        PythonRequest::Path(path) => {
            let real = discover::candidates(&parsed).first().and_then(|path| probe_cached(store, path).ok());
            registry.by_path(real.as_ref().map_or(path.as_path(), |interpreter| interpreter.path()))?
        }
        _ => None,
    };
    let found = match by_path {
        Some(record) => Some(record),
        None => {
            registry::name_of_request(store.layout(), &parsed).map(|name| registry.get(&name)).transpose()?.flatten()
        }
    };
    if let Some(record) = found {
        return Ok(record);
    }
    let names: Vec<String> = registry.all()?.into_iter().map(|record| record.name).collect();
    let used = if names.is_empty() { "none is".to_owned() } else { format!("in use: {}", names.join(", ")) };
    bail!("no Python {request} is in use ({used})")
}

/// Environments that an interpreter is needed for, besides its own.
fn bound_to(store: &Store, interpreter: &Path, own: &str) -> Result<Vec<String>> {
    let environments = Environments::new(store);
    let mut names = environments.names()?;
    names.retain(|name| name != own);
    let mut bound = Vec::new();
    for name in names {
        let Some(view) = environments.view(&name)? else { continue };
        if ViewDescription::load(store, &view)?.interpreter == interpreter {
            bound.push(name);
        }
    }
    Ok(bound)
}
