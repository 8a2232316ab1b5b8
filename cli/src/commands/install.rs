//! `omnipkg install`: a new generation of an environment.
//!
//! Nothing is locked while wheels are found, fetched and put together. If another command was quicker to publish,
//! the work is done again over what is there now.

use crate::arguments::InstallOptions;
use crate::commands::{mount, open_store, parse_requirements};
use crate::context::{Base, Beneath, Context};
use crate::interpreters;
use crate::output;
use crate::projection;
use crate::settings::Settings;
use crate::workshop::{Composed, Workshop};
use anyhow::{Context as _, Result, bail};
use omnipkg_store::Store;
use omnipkg_store::environment::{Environments, Generation};
use omnipkg_store::view::description::ViewDescription;
use pep440_rs::Version;
use pep508_rs::{Requirement, VersionOrUrl};
use std::io::IsTerminal;
use std::str::FromStr;

/// Tries to publish before giving up: each failure means that another command has succeeded.
const ATTEMPTS: usize = 20;

/// Installs requirements.
pub fn install(settings: &Settings, options: &InstallOptions) -> Result<u8> {
    let store = open_store(settings)?;
    let wanted = parse_requirements(&options.requirements)?;
    for _ in 0..ATTEMPTS {
        let context = context(settings, &store, options)?;
        if let Some(generation) = install_into(settings, &store, context, &wanted, options.upgrade)? {
            if options.compile {
                mount::compile_view(&store, &generation.composed.id)?;
            }
            tell(settings, &generation);
            return Ok(0);
        }
    }
    bail!("other commands kept changing the environment; nothing was installed")
}

/// What an install came to.
pub struct Installed {
    /// The environment.
    pub environment: String,
    /// Its new generation; `None` if everything was there already.
    pub generation: Option<Generation>,
    /// What it was before.
    pub before: ViewDescription,
    /// What it is now.
    pub composed: Composed,
}

fn context(settings: &Settings, store: &Store, options: &InstallOptions) -> Result<Context> {
    let python = options.selection.python.as_deref();
    // An environment that is not there yet is made by the install itself, and only if that succeeds.
    if Beneath::look(store.layout(), python)? == Beneath::Nothing {
        return Context::of_default(store, interpreters::find(store, python, None)?);
    }
    let context = Context::find(settings, store, python)?;
    // What omnipkg does not manage is never changed: the interpreter's own environment takes the packages.
    match context.environment {
        Some(_) => Ok(context),
        None => Context::of_default(store, context.interpreter),
    }
}

/// Installs over a context's environment; `None` if another command published meanwhile.
pub fn install_into(
    settings: &Settings,
    store: &Store,
    context: Context,
    wanted: &[Requirement],
    upgrade: bool,
) -> Result<Option<Installed>> {
    let name = context.environment.clone().context("there is no environment to install into")?;
    let (before, current) = match context.base.clone() {
        Base::Managed { description, generation, .. } => (*description, generation),
        _ => (ViewDescription::new(&context.interpreter, Vec::new(), Vec::new(), None), None),
    };
    let kept = current.iter().flat_map(|generation| &generation.requirements);
    let kept = kept.map(|text| Requirement::from_str(text)).collect::<Result<Vec<_>, _>>()?;
    let mut requirements: Vec<Requirement> =
        kept.into_iter().filter(|old| !wanted.iter().any(|new| new.name == old.name)).collect();
    requirements.extend(wanted.iter().cloned());
    // One order, whatever was installed first: the same requirements are the same question and the same record.
    requirements.sort_by_cached_key(ToString::to_string);
    let texts: Vec<String> = requirements.iter().map(ToString::to_string).collect();

    if let Some(generation) = current.as_ref().filter(|generation| generation.requirements == texts)
        && !upgrade
        && !settings.refresh
    {
        let path = projection::make_visible(settings, store, &generation.view)?;
        let composed = Composed::known(generation.view, path, &before);
        return Ok(Some(Installed { environment: name, generation: None, before, composed }));
    }
    let mut workshop = Workshop::new(settings, store.clone(), context.clone());
    workshop.upgrade = upgrade;
    let mut composed = workshop.compose(&requirements, &[])?;
    // A preference may hold back what was named with a wider range: that is what "installed already" means.
    if !upgrade && !is_answered(&composed.description, wanted) {
        workshop.upgrade = true;
        composed = workshop.compose(&requirements, &[])?;
    }
    if current.as_ref().is_some_and(|old| old.view == composed.id && old.requirements == texts) {
        return Ok(Some(Installed { environment: name, generation: None, before, composed }));
    }
    let reason = format!("install {}", wanted.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "));
    let new = composed.generation(texts, reason);
    let environments = Environments::new(store);
    let published = environments.publish(&name, current.map(|generation| generation.number), new)?;
    if published.is_some() && environments.active()?.is_none() {
        environments.set_active(&name)?;
    }
    Ok(published.map(|generation| Installed { environment: name, generation: Some(generation), before, composed }))
}

/// True if every requirement's project is there in a version that it accepts.
fn is_answered(description: &ViewDescription, wanted: &[Requirement]) -> bool {
    wanted.iter().all(|requirement| {
        let Some(wheel) = description.wheel(requirement.name.as_ref()) else {
            // A marker may have excluded it.
            return requirement.marker != pep508_rs::MarkerTree::TRUE;
        };
        match &requirement.version_or_url {
            Some(VersionOrUrl::VersionSpecifier(specifiers)) => {
                Version::from_str(&wheel.version).is_ok_and(|version| specifiers.contains(&version))
            }
            _ => true,
        }
    })
}

fn tell(settings: &Settings, installed: &Installed) {
    let changes = changes(&installed.before, &installed.composed.description);
    if settings.json {
        let changes: Vec<_> = changes
            .iter()
            .map(|(name, from, to)| serde_json::json!({ "name": name, "from": from, "to": to }))
            .collect();
        let json = serde_json::json!({
            "schema": 1,
            "environment": installed.environment,
            "generation": installed.generation.as_ref().map(|generation| generation.number),
            "view": installed.composed.id,
            "changes": changes,
        });
        println!("{json}");
        return;
    }
    let Some(generation) = &installed.generation else { return };
    if settings.quiet || !(settings.verbose || std::io::stderr().is_terminal()) {
        return;
    }
    let words: Vec<String> = changes
        .iter()
        .map(|(name, from, to)| match (from, to) {
            (None, Some(to)) => format!("+ {name} {to}"),
            (Some(from), None) => format!("- {name} {from}"),
            (from, to) => format!("{name} {} → {}", from.as_deref().unwrap_or(""), to.as_deref().unwrap_or("")),
        })
        .collect();
    output::talk(&format!("{} generation {}: {}", installed.environment, generation.number, words.join(", ")));
}

/// Projects whose version differs: name, before, after.
fn changes(before: &ViewDescription, after: &ViewDescription) -> Vec<(String, Option<String>, Option<String>)> {
    let mut names: Vec<&String> = before.wheels.iter().chain(&after.wheels).map(|wheel| &wheel.name).collect();
    names.sort();
    names.dedup();
    let version = |of: &ViewDescription, name: &str| of.wheel(name).map(|wheel| wheel.version.clone());
    let all = names.into_iter().map(|name| (name.clone(), version(before, name), version(after, name)));
    all.filter(|(_, from, to)| from != to).collect()
}
