//! `omnipkg python rescan`: every interpreter in use is looked at again, and environments follow what changed.

use crate::commands::open_store;
use crate::interpreters::described;
use crate::output;
use crate::rebind;
use crate::settings::Settings;
use anyhow::Result;
use omnipkg_store::Store;
use omnipkg_store::environment::Environments;
use omnipkg_store::interpreter::registry::{Record, Registry, State};
use omnipkg_store::interpreter::{forget_vanished, probe_cached};
use omnipkg_store::view::description::ViewDescription;

/// Prints what has become of each, one a line.
pub fn rescan(settings: &Settings) -> Result<u8> {
    let store = open_store(settings)?;
    let registry = Registry::new(&store);
    let mut rows = Vec::new();
    for record in registry.all()? {
        let state = registry.check(&record);
        rows.push((record, state));
    }
    forget_vanished(&store)?;
    report(settings, &rows);
    for (record, state) in &rows {
        if *state != State::Current {
            follow(settings, &store, record)?;
        }
    }
    Ok(0)
}

/// Binds the environments of an interpreter that is not what it was, and brings its record up to date.
fn follow(settings: &Settings, store: &Store, record: &Record) -> Result<()> {
    let environments = Environments::new(store);
    for name in environments.names()? {
        let Some(view) = environments.view(&name)? else { continue };
        if ViewDescription::load(store, &view)?.interpreter != record.path() {
            continue;
        }
        if let Err(error) = rebind::environment(settings, store, &name, view) {
            output::warn(&format!("{error:#}"));
            if let Some(hint) = crate::hints::hint_for(&error) {
                output::hint(&hint);
            }
        }
    }
    let Some(view) = environments.view(&record.name)? else { return Ok(()) };
    if let Ok(now) = probe_cached(store, &ViewDescription::load(store, &view)?.interpreter)
        && now.facts.name() == record.interpreter.facts.name()
    {
        Registry::new(store).rebind(&record.name, &now)?;
    }
    Ok(())
}

fn report(settings: &Settings, rows: &[(Record, State)]) {
    if settings.json {
        let rows: Vec<_> = rows
            .iter()
            .map(|(record, state)| {
                let (state, to) = match state {
                    State::Current => ("unchanged", None),
                    State::Changed(now) => ("changed", Some(described(now))),
                    State::Vanished => ("vanished", None),
                };
                serde_json::json!({
                    "name": record.name, "state": state, "from": described(&record.interpreter), "to": to,
                })
            })
            .collect();
        println!("{}", serde_json::json!({ "schema": 1, "pythons": rows }));
        return;
    }
    for (record, state) in rows {
        let was = described(&record.interpreter);
        match state {
            State::Current => println!("{}: unchanged", record.name),
            State::Changed(now) if described(now) == was => println!("{}: changed, still {was}", record.name),
            State::Changed(now) => println!("{}: changed {was} → {}", record.name, described(now)),
            State::Vanished => println!("{}: vanished", record.name),
        }
    }
}
