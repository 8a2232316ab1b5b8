//! `omnipkg info`: what is known of a project, of the environment, or of the interpreters.

use crate::arguments::Selection;
use crate::commands::open_store;
use crate::context::{Base, Context, Purpose, Target};
use crate::output;
use crate::projection;
use crate::rebind;
use crate::settings::Settings;
use anyhow::{Context as _, Result, bail};
use omnipkg_store::catalog::Catalog;
use omnipkg_store::environment::Environments;
use omnipkg_store::view::description::ViewDescription;
use omnipkg_store::wheel::WheelManifest;
use omnipkg_store::{Digest, Sha256, Store};
use pep440_rs::Version;
use pep508_rs::PackageName;
use std::collections::{BTreeMap, HashMap};
use std::fs;
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
    let asked = Target::find(store.layout(), &Selection::default(), Purpose::Use)
        .and_then(|target| Context::find(settings, store, &target));
    let environments = Environments::new(store);
    if environments.names()?.is_empty() {
        asked?;
    }
    let active = environments.active()?;
    let mut rows = Vec::new();
    for name in environments.names()? {
        let Some(view) = environments.view(&name)? else { continue };
        // One that cannot be used is told of and left out: the others are not its concern.
        let Ok(view) = rebind::environment(settings, store, &name, view)
            .inspect_err(|error| output::warn(&format!("{error:#}: `omnipkg python rescan` tells more")))
        else {
            continue;
        };
        let description = ViewDescription::load(store, &view)?;
        let path = projection::make_visible(settings, store, &view)?;
        environments.reproject(&name, &view, &path)?;
        let short: Vec<&str> = description.version.split('.').take(2).collect();
        let python = store.layout().envs().join(&name).join("bin/python");
        let is_active = active.as_ref() == Some(&name);
        rows.push((short.join("."), python, description, name, is_active));
    }
    rows.sort_by_key(|(short, _, _, name, _)| {
        let parts: Vec<u32> = short.split('.').filter_map(|part| part.parse().ok()).collect();
        (parts, name != short, name.clone())
    });
    if settings.json {
        let rows: Vec<_> = rows
            .iter()
            .map(|(short, python, description, name, active)| {
                serde_json::json!({
                    "environment": name,
                    "active": active,
                    "version": description.version,
                    "short": short,
                    "python": python,
                    "interpreter": description.interpreter,
                })
            })
            .collect();
        println!("{}", serde_json::json!({ "schema": 1, "pythons": rows }));
    } else {
        // One line a version, for scripts that look a version up: environments of other names have their own verbs.
        for (short, python, ..) in rows.iter().filter(|(short, _, _, name, _)| name == short) {
            println!("Python {short}: {}", python.display());
        }
    }
    Ok(0)
}

fn project_info(settings: &Settings, store: &Store, project: &str, selection: &Selection) -> Result<u8> {
    let Ok(name) = PackageName::from_str(project) else { bail!("{project:?} is no project name") };
    let context = Context::find(settings, store, &Target::find(store.layout(), selection, Purpose::Use)?)?;
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
    let sharing = Sharing::of(store)?;
    if settings.json {
        let held = wheels.iter().map(|wheel| {
            let (shared, own) = sharing.of_wheel(store, &wheel.sha256)?;
            Ok(serde_json::json!({
                "version": wheel.version, "filename": wheel.filename, "sha256": wheel.sha256,
                "active": Some(&wheel.version) == active.as_ref(),
                "files": wheel.files, "bytes": wheel.bytes, "files_shared": shared, "bytes_own": own,
            }))
        });
        let held: Vec<_> = held.collect::<Result<_>>()?;
        let json = serde_json::json!({ "schema": 1, "name": name.as_ref(), "active": active, "held": held });
        println!("{json}");
        return Ok(0);
    }
    println!("{name} {}", active.as_deref().unwrap_or("(not in the active environment)"));
    for wheel in &wheels {
        let mark = if Some(&wheel.version) == active.as_ref() { "*" } else { " " };
        let (shared, own) = sharing.of_wheel(store, &wheel.sha256)?;
        println!(
            "{mark} {}  {}, {} ({shared} shared with other wheels, {} of its own)  {}",
            wheel.version,
            output::count(wheel.files as usize, "file"),
            output::bytes(wheel.bytes),
            output::bytes(own),
            wheel.filename
        );
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

/// Which objects more than one wheel of the store has.
struct Sharing(HashMap<Digest, (Sha256, bool)>);

impl Sharing {
    fn of(store: &Store) -> Result<Self> {
        let mut seen: HashMap<Digest, (Sha256, bool)> = HashMap::new();
        let directory = store.layout().wheels();
        let entries = fs::read_dir(&directory).with_context(|| format!("cannot list {}", directory.display()))?;
        for name in entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()) {
            let Ok(sha256) = Sha256::from_str(&name) else { continue };
            for file in WheelManifest::read(store, &sha256)?.files {
                let (first, shared) = seen.entry(file.digest).or_insert((sha256, false));
                *shared |= *first != sha256;
            }
        }
        Ok(Self(seen))
    }

    /// Files of a wheel that another wheel has too, and the bytes that only it has.
    fn of_wheel(&self, store: &Store, sha256: &Sha256) -> Result<(usize, u64)> {
        let files = WheelManifest::read(store, sha256)?.files;
        let is_shared = |digest: &Digest| self.0.get(digest).is_some_and(|(_, shared)| *shared);
        let own: BTreeMap<Digest, u64> =
            files.iter().filter(|file| !is_shared(&file.digest)).map(|file| (file.digest, file.size)).collect();
        Ok((files.iter().filter(|file| is_shared(&file.digest)).count(), own.values().sum()))
    }
}

fn environment(settings: &Settings, store: &Store, selection: &Selection) -> Result<u8> {
    let context = Context::find(settings, store, &Target::find(store.layout(), selection, Purpose::Use)?)?;
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
    let unnamed = if view.is_some() { "(a view of no environment's)" } else { "(not managed by omnipkg)" };
    println!("environment: {}", context.environment.as_deref().unwrap_or(unnamed));
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
