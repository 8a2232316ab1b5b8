//! `omnipkg python list`: the interpreters in use, then those that could be adopted.

use super::find;
use crate::commands::open_store;
use crate::interpreters::described;
use crate::settings::Settings;
use anyhow::Result;
use omnipkg_store::Store;
use omnipkg_store::environment::Environments;
use omnipkg_store::interpreter::registry::{Origin, Record, Registry, State};
use omnipkg_store::view::description::ViewDescription;
use std::path::{Path, PathBuf};

/// One interpreter of the list.
struct Row {
    active: bool,
    name: Option<String>,
    version: String,
    path: PathBuf,
    /// `adopted`, `installed`, `found`; with what has become of it.
    origin: String,
    json: serde_json::Value,
}

/// Prints one a line: a star for the active one, name, version, path, where it came from.
pub fn list(settings: &Settings) -> Result<u8> {
    let store = open_store(settings)?;
    let registry = Registry::new(&store);
    let active = active_interpreter(&store)?;
    let mut records = registry.all()?;
    records.sort_by_cached_key(|record| {
        let facts = &record.interpreter.facts;
        (facts.implementation.clone(), facts.version, record.name.clone())
    });
    let mut rows: Vec<Row> =
        records.iter().map(|record| row(record, registry.check(record), active.as_deref())).collect();
    for interpreter in find::everything(&store)? {
        if records.iter().all(|record| record.path() != interpreter.path()) {
            let mut json = find::json(&interpreter);
            json["origin"] = "found".into();
            rows.push(Row {
                active: false,
                name: None,
                version: described(&interpreter),
                path: interpreter.path().to_owned(),
                origin: "found, not adopted".to_owned(),
                json,
            });
        }
    }
    if settings.json {
        let rows: Vec<_> = rows.into_iter().map(|row| row.json).collect();
        println!("{}", serde_json::json!({ "schema": 1, "pythons": rows }));
        return Ok(0);
    }
    let width = |text: fn(&Row) -> usize| rows.iter().map(text).max().unwrap_or(0);
    let names = width(|row| row.name.as_ref().map_or(1, String::len));
    let versions = width(|row| row.version.len());
    for row in &rows {
        let star = if row.active { "*" } else { " " };
        let name = row.name.as_deref().unwrap_or("-");
        println!("{star} {name:names$}  {:versions$}  {}  ({})", row.version, row.path.display(), row.origin);
    }
    Ok(0)
}

fn row(record: &Record, state: State, active: Option<&Path>) -> Row {
    let origin = match record.origin {
        Origin::Adopted => "adopted",
        Origin::Installed => "installed",
    };
    let state = match state {
        State::Current => None,
        State::Changed(_) => Some("changed"),
        State::Vanished => Some("vanished"),
    };
    let active = active == Some(record.path());
    let mut json = find::json(&record.interpreter);
    json["name"] = record.name.clone().into();
    json["origin"] = origin.into();
    json["active"] = active.into();
    json["state"] = state.unwrap_or("current").into();
    Row {
        active,
        name: Some(record.name.clone()),
        version: described(&record.interpreter),
        path: record.path().to_owned(),
        origin: state.map_or(origin.to_owned(), |state| format!("{origin}, {state}: `omnipkg python rescan`")),
        json,
    }
}

/// The interpreter of the active environment.
fn active_interpreter(store: &Store) -> Result<Option<PathBuf>> {
    let environments = Environments::new(store);
    let Some(name) = environments.active()? else { return Ok(None) };
    let Some(view) = environments.view(&name)? else { return Ok(None) };
    Ok(Some(ViewDescription::load(store, &view)?.interpreter))
}
