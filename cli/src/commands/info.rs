//! `omnipkg info`: what is known of a project, of the environment, or of the interpreters.

use crate::arguments::Selection;
use crate::commands::open_store;
use crate::context::{Base, Context};
use crate::output;
use crate::projection;
use crate::settings::Settings;
use anyhow::{Result, bail};
use omnipkg_store::Store;
use omnipkg_store::catalog::Catalog;
use omnipkg_store::environment::Environments;
use omnipkg_store::view::description::ViewDescription;
use omnipkg_store::wheel::WheelManifest;
use pep440_rs::Version;
use pep508_rs::PackageName;
use std::str::FromStr;

/// Prints what is known of the subject.
pub fn info(settings: &Settings, subject: Option<&str>, selection: &Selection) -> Result<u8> {
    let store = open_store(settings)?;
    match subject {
        Some("python") => pythons(settings, &store),
        Some(project) => project_info(settings, &store, project, selection),
        None => environment(settings, &store, selection),
    }
}

/// One line for each environment: `Python 3.11: /abs/path/bin/python`, the environment's own Python.
fn pythons(settings: &Settings, store: &Store) -> Result<u8> {
    // There is always one: the default environment is made where there is none.
    Context::find(settings, store, None)?;
    let environments = Environments::new(store);
    let mut rows = Vec::new();
    for name in environments.names()? {
        let Some(view) = environments.view(&name)? else { continue };
        let description = ViewDescription::load(store, &view)?;
        let path = projection::make_visible(settings, store, &view)?;
        environments.reproject(&name, &view, &path)?;
        let short: Vec<&str> = description.version.split('.').take(2).collect();
        let python = store.layout().envs().join(&name).join("bin/python");
        rows.push((short.join("."), python, description));
    }
    if settings.json {
        let rows: Vec<_> = rows
            .iter()
            .map(|(short, python, description)| {
                serde_json::json!({
                    "version": description.version,
                    "short": short,
                    "python": python,
                    "interpreter": description.interpreter,
                })
            })
            .collect();
        println!("{}", serde_json::json!({ "schema": 1, "pythons": rows }));
    } else {
        for (short, python, _) in rows {
            println!("Python {short}: {}", python.display());
        }
    }
    Ok(0)
}

fn project_info(settings: &Settings, store: &Store, project: &str, selection: &Selection) -> Result<u8> {
    let Ok(name) = PackageName::from_str(project) else { bail!("{project:?} is no project name") };
    let context = Context::find(settings, store, selection.python.as_deref())?;
    let active = match &context.base {
        Base::Managed { description, .. } => description.wheel(name.as_ref()).map(|wheel| wheel.version.clone()),
        Base::Overlay { installed, .. } => installed.get(name.as_ref()).cloned(),
        Base::Isolated => None,
    };
    let mut wheels = Catalog::open(store)?.wheels_of(name.as_ref())?;
    wheels.sort_by_key(|wheel| Version::from_str(&wheel.version).ok());
    if wheels.is_empty() && active.is_none() {
        bail!("the store holds no wheel of {name}");
    }
    if settings.json {
        let held: Vec<_> = wheels
            .iter()
            .map(|wheel| {
                serde_json::json!({
                    "version": wheel.version, "filename": wheel.filename, "sha256": wheel.sha256,
                    "files": wheel.files, "bytes": wheel.bytes,
                })
            })
            .collect();
        let json = serde_json::json!({ "schema": 1, "name": name.as_ref(), "active": active, "held": held });
        println!("{json}");
        return Ok(0);
    }
    println!("{name} {}", active.as_deref().unwrap_or("(not in the active environment)"));
    for wheel in &wheels {
        let mark = if Some(&wheel.version) == active.as_ref() { "*" } else { " " };
        println!("{mark} {}  {} files, {}  {}", wheel.version, wheel.files, output::bytes(wheel.bytes), wheel.filename);
    }
    let newest = wheels.iter().rev().find(|wheel| active.as_ref().is_none_or(|version| *version == wheel.version));
    if let Some(wheel) = newest {
        let manifest = WheelManifest::read(store, &wheel.sha256)?;
        println!("imports: {}", manifest.import_names.join(", "));
        manifest.requires_dist.iter().for_each(|text| println!("requires: {text}"));
        manifest.warnings.iter().for_each(|text| println!("defect: {text}"));
    }
    Ok(0)
}

fn environment(settings: &Settings, store: &Store, selection: &Selection) -> Result<u8> {
    let context = Context::find(settings, store, selection.python.as_deref())?;
    let facts = &context.interpreter.facts;
    let (view, wheels, generation) = match &context.base {
        Base::Managed { view, description, generation } => {
            (Some(*view), description.wheels.len(), generation.as_ref().map(|generation| generation.number))
        }
        Base::Overlay { installed, .. } => (None, installed.len(), None),
        Base::Isolated => (None, 0, None),
    };
    if settings.json {
        let json = serde_json::json!({
            "schema": 1, "environment": context.environment, "generation": generation, "view": view,
            "distributions": wheels, "python": facts.full_version(), "interpreter": context.interpreter.path(),
        });
        println!("{json}");
        return Ok(0);
    }
    println!("environment: {}", context.environment.as_deref().unwrap_or("(not managed by omnipkg)"));
    if let Some(number) = generation {
        println!("generation: {number}");
    }
    println!("python: {} ({})", facts.full_version(), context.interpreter.path().display());
    println!("distributions: {wheels}");
    if let Some(view) = view {
        println!("view: {}", projection::make_visible(settings, store, &view)?.display());
    }
    Ok(0)
}
