//! `omnipkg env`: environments and their history.

use crate::arguments::EnvVerb;
use crate::change;
use crate::commands::open_store;
use crate::context::{self, Context};
use crate::output;
use crate::settings::Settings;
use crate::workshop::Workshop;
use anyhow::{Context as _, Result, bail};
use omnipkg_store::Store;
use omnipkg_store::environment::{Environments, Generation};
use omnipkg_store::view::description::ViewDescription;

/// Does what a verb says.
pub fn environments(settings: &Settings, verb: &EnvVerb) -> Result<u8> {
    let store = open_store(settings)?;
    match verb {
        EnvVerb::List => list(settings, &store),
        EnvVerb::Create { name, python } => create(settings, &store, name, python.as_deref()),
        EnvVerb::Remove { name } => {
            if !Environments::new(&store).remove(name)? {
                bail!("no environment is called {name}");
            }
            if settings.json {
                println!("{}", serde_json::json!({ "schema": 1, "environment": name, "removed": true }));
            }
            Ok(0)
        }
        EnvVerb::History { name } => history(settings, &store, name.as_deref()),
    }
}

fn list(settings: &Settings, store: &Store) -> Result<u8> {
    let environments = Environments::new(store);
    let active = environments.active()?;
    let mut rows = Vec::new();
    for name in environments.names()? {
        // Another command may have removed it by now.
        let Some(view) = environments.view(&name)? else { continue };
        let description = ViewDescription::load(store, &view)?;
        let path = store.layout().envs().join(&name);
        rows.push((active.as_ref() == Some(&name), name, description, path));
    }
    rows.sort_by_cached_key(|(_, name, ..)| context::by_version(name));
    if settings.json {
        let rows: Vec<_> = rows
            .iter()
            .map(|(active, name, description, path)| {
                serde_json::json!({
                    "name": name, "active": active, "version": description.version, "path": path,
                    "interpreter": description.interpreter, "usable": description.interpreter.exists(), "distributions": description.wheels.len(),
                })
            })
            .collect();
        println!("{}", serde_json::json!({ "schema": 1, "environments": rows }));
        return Ok(0);
    }
    let width = rows.iter().map(|(_, name, ..)| name.len()).max().unwrap_or(0);
    for (active, name, description, path) in rows {
        let mark = if active { '*' } else { ' ' };
        let count = output::count(description.wheels.len(), "distribution");
        let gone = if description.interpreter.exists() { "" } else { "  (its Python is gone)" };
        println!("{mark} {name:width$}  Python {:8}  {count:17}  {}{gone}", description.version, path.display());
    }
    Ok(0)
}

fn create(settings: &Settings, store: &Store, name: &str, python: Option<&str>) -> Result<u8> {
    if context::is_default_name(name) {
        bail!("{name} is the name of a Python's own environment: `omnipkg python adopt {name}` makes that");
    }
    let environments = Environments::new(store);
    let taken = || bail!("there is an environment {name} already");
    if environments.view(name)?.is_some() {
        return taken();
    }
    let selection = crate::arguments::Selection { python: python.map(str::to_owned), env: None };
    let interpreter = Context::to_change(settings, store, &selection)?.interpreter;
    // Every Python in use has its own environment too.
    Context::default_environment(settings, store, interpreter.clone(), false)?;
    let composed = Workshop::new(settings, store.clone(), Context::isolated(interpreter)).compose(&[], &[])?;
    if environments.publish(name, None, composed.generation(store, Vec::new(), "made".to_owned())?)?.is_none() {
        return taken();
    }
    if settings.json {
        let path = store.layout().envs().join(name);
        println!("{}", serde_json::json!({ "schema": 1, "environment": name, "view": composed.id, "path": path }));
    }
    Ok(0)
}

fn history(settings: &Settings, store: &Store, name: Option<&str>) -> Result<u8> {
    let environments = Environments::new(store);
    let name = match name {
        Some(name) => name.to_owned(),
        None => {
            let context = Context::to_change(settings, store, &crate::arguments::Selection::default())?;
            context.environment.context("there is no active environment")?
        }
    };
    let Some(current) = environments.current(&name)? else { bail!("no environment is called {name}") };
    let mut rows = Vec::new();
    let mut before: Option<ViewDescription> = None;
    for generation in environments.history(&name)? {
        let description = ViewDescription::load(store, &generation.view)?;
        let changes = before.as_ref().map(|before| change::differences(before, &description));
        rows.push((generation, changes));
        before = Some(description);
    }
    show(settings, &name, &current, &rows);
    Ok(0)
}

fn show(settings: &Settings, name: &str, current: &Generation, rows: &[(Generation, Option<Vec<change::Difference>>)]) {
    if settings.json {
        let rows: Vec<_> = rows
            .iter()
            .map(|(generation, changes)| {
                let changes = changes.iter().flatten();
                let changes: Vec<_> = changes
                    .map(|(name, from, to)| serde_json::json!({ "name": name, "from": from, "to": to }))
                    .collect();
                serde_json::json!({
                    "number": generation.number, "created": generation.created, "reason": generation.reason,
                    "view": generation.view, "requirements": generation.requirements,
                    "current": generation.number == current.number, "changes": changes,
                })
            })
            .collect();
        println!("{}", serde_json::json!({ "schema": 1, "environment": name, "generations": rows }));
        return;
    }
    for (generation, changes) in rows {
        let mark = if generation.number == current.number { '*' } else { ' ' };
        let made = output::moment(generation.created);
        println!("{mark} {:>3}  {made}  {}", generation.number, generation.reason);
        // What came before the oldest that is kept is not known any more.
        if let Some(changes) = changes.as_ref().filter(|changes| !changes.is_empty()) {
            println!("       {}", change::in_words(changes));
        }
    }
}
