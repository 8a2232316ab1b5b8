//! Environments whose interpreter changed or vanished: bound again to one that can take its place, or refused.
//!
//! Only an interpreter that takes the very wheels of the view may take the place of another; the set stays what it is.

use crate::context::{Base, Context};
use crate::output;
use crate::settings::Settings;
use crate::workshop::{Composed, Workshop};
use anyhow::{Result, bail};
use omnipkg_store::environment::{Environments, NewGeneration};
use omnipkg_store::interpreter::discover::{self, PythonRequest};
use omnipkg_store::interpreter::registry::Registry;
use omnipkg_store::interpreter::{Interpreter, probe_cached};
use omnipkg_store::tags::WheelFilename;
use omnipkg_store::view::description::ViewDescription;
use omnipkg_store::{Store, ViewId};

/// The view that an environment has now: `view`, or the one that a new generation binds it to.
pub fn environment(settings: &Settings, store: &Store, name: &str, view: ViewId) -> Result<ViewId> {
    let description = ViewDescription::load(store, &view)?;
    let Some((interpreter, why)) = successor(store, &description, &format!("the environment {name}"))? else {
        return Ok(view);
    };
    let environments = Environments::new(store);
    let Some(current) = environments.current(name)?.filter(|current| current.view == view) else {
        // Another command was quicker.
        return Ok(environments.view(name)?.unwrap_or(view));
    };
    let composed = compose(settings, store, interpreter.clone(), view, description)?;
    let new = NewGeneration { reason: why.clone(), ..composed.generation(store, current.requirements, String::new())? };
    if environments.publish(name, Some(current.number), new)?.is_some() {
        let registry = Registry::new(store);
        if registry.get(name)?.is_some() {
            registry.rebind(name, &interpreter)?;
        }
        output::talk(&format!("{name}: {why}"));
    }
    Ok(environments.view(name)?.unwrap_or(composed.id))
}

/// The same set at the interpreter of today, for a view of an earlier generation.
pub fn view(settings: &Settings, store: &Store, view: ViewId) -> Result<ViewId> {
    let description = ViewDescription::load(store, &view)?;
    match successor(store, &description, "that generation")? {
        Some((interpreter, _)) => Ok(compose(settings, store, interpreter, view, description)?.id),
        None => Ok(view),
    }
}

fn compose(
    settings: &Settings,
    store: &Store,
    interpreter: Interpreter,
    view: ViewId,
    description: ViewDescription,
) -> Result<Composed> {
    let wheels = description.wheels.clone();
    let base = Base::Managed { view, description: Box::new(description), generation: None };
    Workshop::new(settings, store.clone(), Context { interpreter, base, environment: None }).bind(&wheels)
}

/// The interpreter that a view has to be bound to, and why; `None` if it is bound to one that is as it was.
fn successor(store: &Store, description: &ViewDescription, whose: &str) -> Result<Option<(Interpreter, String)>> {
    let path = description.interpreter.display();
    let old = &description.version;
    let why = match probe_cached(store, &description.interpreter) {
        Ok(now) if is_same(&now, description) => return Ok(None),
        Ok(now) if takes_place(&now, description) => {
            let new = now.facts.full_version();
            return Ok(Some((now, format!("Python {old} at {path} is {new} now: bound to it anew"))));
        }
        Ok(now) => format!("Python {old} at {path} is another one now ({})", now.facts.full_version()),
        Err(_) if !description.interpreter.exists() => format!("Python {old} at {path} is gone"),
        Err(error) => format!("Python {old} at {path} cannot be used any more ({error})"),
    };
    let short: Vec<&str> = description.version.split('.').take(2).collect();
    let builds = ["", "t", "d"].map(|build| format!("{}{}{build}", description.implementation, short.join(".")));
    let others = builds
        .iter()
        .flat_map(|request| discover::candidates_with_adopted(store.layout(), &PythonRequest::parse(request)))
        .filter_map(|path| probe_cached(store, &path).ok());
    match { others }.find(|other| takes_place(other, description)) {
        Some(other) => {
            let bound = format!("{why}: bound to {} at {}", other.facts.full_version(), other.path().display());
            Ok(Some((other, bound)))
        }
        None => bail!("{whose} has no interpreter: {why}, and none on this machine can take its place"),
    }
}

/// True if a view is bound to the interpreter as it is.
pub fn is_same(interpreter: &Interpreter, description: &ViewDescription) -> bool {
    interpreter.path() == description.interpreter
        && interpreter.facts.full_version() == description.version
        && interpreter.facts.cache_tag == description.cache_tag
        && interpreter.facts.site_packages == description.site_packages
}

/// True if every wheel of the view suits the interpreter, and its files lie where it looks for them.
fn takes_place(interpreter: &Interpreter, description: &ViewDescription) -> bool {
    let facts = &interpreter.facts;
    let tags = facts.tags();
    facts.implementation == description.implementation
        && facts.cache_tag == description.cache_tag
        && facts.site_packages == description.site_packages
        && description.wheels.iter().all(|wheel| {
            WheelFilename::parse(&wheel.filename).is_ok_and(|parsed| tags.priority(&parsed.tags).is_some())
        })
}
