//! Changes of environments: what is asked for becomes one new generation, or nothing.
//!
//! Nothing is locked while wheels are found, fetched and put together. If another command was quicker to publish, the
//! work is done again over what is there now.

use crate::arguments::Selection;
use crate::bubbles;
use crate::compiling::compile_view;
use crate::context::{Base, Context};
use crate::inputs;
use crate::output;
use crate::projection;
use crate::settings::Settings;
use crate::trial;
use crate::workshop::{Composed, Upgrade, Workshop};
use anyhow::{Context as _, Result, bail};
use omnipkg_store::Store;
use omnipkg_store::environment::{Environments, Generation};
use omnipkg_store::interpreter::registry::Registry;
use omnipkg_store::view::description::ViewDescription;
use pep440_rs::Version;
use pep508_rs::{Requirement, VersionOrUrl};
use std::io::IsTerminal;
use std::str::FromStr;

/// Tries to publish before giving up: each failure means that another command has succeeded.
const ATTEMPTS: usize = 200;

/// What an environment is, and what it is asked for.
pub struct Before {
    /// Where it stands.
    pub context: Context,
    /// Its name.
    pub name: String,
    /// What it is made of.
    pub description: ViewDescription,
    /// Its current generation, if it exists.
    pub generation: Option<Generation>,
    /// What its generation records as asked for.
    pub requirements: Vec<Requirement>,
}

impl Before {
    /// Reads what a context's environment is now.
    pub fn new(context: Context) -> Result<Self> {
        let name = context.environment.clone().context("there is no environment to change")?;
        let (description, generation) = match context.base.clone() {
            Base::Managed { description, generation, .. } => (*description, generation),
            _ => (ViewDescription::new(&context.interpreter, Vec::new(), Vec::new(), None), None),
        };
        let texts = generation.iter().flat_map(|generation| &generation.requirements);
        let requirements = texts.map(|text| Requirement::from_str(text)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { context, name, description, generation, requirements })
    }
}

/// What an environment is to become.
pub struct Edit {
    /// All that is asked for then, in any order.
    pub requirements: Vec<Requirement>,
    /// How the view is found.
    pub way: Way,
    /// The command, in words.
    pub reason: String,
    /// Import what is new before it is published.
    pub check: bool,
}

/// How the view of an edit is found.
pub enum Way {
    /// By asking the solver; what is asked for anew must be answered, whatever is preferred.
    Solve {
        /// What is asked for anew.
        wanted: Vec<Requirement>,
        /// What is to be taken newer.
        upgrade: Upgrade,
    },
    /// It is known.
    Known(Box<Composed>),
}

/// What a change came to.
pub struct Changed {
    /// The environment.
    pub environment: String,
    /// Its new generation; `None` if everything was so already.
    pub generation: Option<Generation>,
    /// What it was before.
    pub before: ViewDescription,
    /// What it is now.
    pub composed: Composed,
}

/// Changes the selected environment, says so, and returns the exit code.
pub fn change(
    settings: &Settings,
    store: &Store,
    selection: &Selection,
    compile: bool,
    edit: impl Fn(&Before) -> Result<Option<Edit>>,
) -> Result<u8> {
    for _ in 0..ATTEMPTS {
        let before = Before::new(Context::to_change(settings, store, selection)?)?;
        let Some(edit) = edit(&before)? else { return Ok(0) };
        if let Some(changed) = apply(settings, store, before, edit)? {
            if compile {
                compile_view(settings, store, &changed.composed.id)?;
            }
            tell(settings, &changed);
            return Ok(0);
        }
    }
    bail!("other commands kept changing the environment; nothing was changed")
}

/// Applies an edit; `None` if another command published meanwhile.
pub fn apply(settings: &Settings, store: &Store, before: Before, edit: Edit) -> Result<Option<Changed>> {
    let Before { context, name, description: before, generation: mut current, .. } = before;
    let interpreter = context.interpreter.clone();
    // One order, whatever was asked for first: the same requirements are the same question and the same record.
    let mut requirements = edit.requirements;
    requirements.sort_by_cached_key(ToString::to_string);
    let texts: Vec<String> = requirements.iter().map(ToString::to_string).collect();
    let asks_anew = settings.refresh || !matches!(&edit.way, Way::Solve { upgrade: Upgrade::Nothing, .. });
    if let Some(generation) = current.as_ref().filter(|generation| generation.requirements == texts)
        && !asks_anew
        && !requirements.iter().any(inputs::is_local)
    {
        let path = projection::make_visible(settings, store, &generation.view)?;
        Environments::new(store).reproject(&name, &generation.view, &path)?;
        let composed = Composed::known(generation.view, path, &before);
        return Ok(Some(Changed { environment: name, generation: None, before, composed }));
    }
    let composed = match edit.way {
        Way::Known(composed) => *composed,
        Way::Solve { wanted, upgrade } => solve(settings, store, context, &requirements, &wanted, upgrade)?,
    };
    if current.as_ref().is_some_and(|old| old.view == composed.id && old.requirements == texts) {
        return Ok(Some(Changed { environment: name, generation: None, before, composed }));
    }
    if edit.check {
        trial::import_what_is_new(store, &before, &composed)?;
    }
    let environments = Environments::new(store);
    if current.is_none() {
        // The first generation is the empty one, so that the first change can be reverted too.
        Registry::new(store).adopt(&interpreter)?;
        let empty = Workshop::new(settings, store.clone(), Context::isolated(interpreter)).compose(&[], &[])?;
        current = environments.publish(&name, None, empty.generation(store, Vec::new(), "made".to_owned())?)?;
        if current.is_none() {
            return Ok(None);
        }
    }
    let new = composed.generation(store, texts, edit.reason)?;
    let published = environments.publish(&name, current.as_ref().map(|generation| generation.number), new)?;
    let Some(generation) = published else { return Ok(None) };
    if environments.active()?.is_none() {
        environments.set_active(&name)?;
    }
    if let Some(old) = &current {
        bubbles::follow(store, &name, (&old.view, &before), &composed.description)?;
    }
    Ok(Some(Changed { environment: name, generation: Some(generation), before, composed }))
}

fn solve(
    settings: &Settings,
    store: &Store,
    context: Context,
    requirements: &[Requirement],
    wanted: &[Requirement],
    upgrade: Upgrade,
) -> Result<Composed> {
    let asks_newer = upgrade != Upgrade::Nothing;
    let mut workshop = Workshop::new(settings, store.clone(), context);
    workshop.upgrade = upgrade;
    let composed = workshop.compose(requirements, &[])?;
    // A preference may hold back what was named with a wider range: that is what "installed already" means.
    if asks_newer || is_answered(&composed.description, wanted) {
        return Ok(composed);
    }
    workshop.upgrade = Upgrade::Everything;
    workshop.compose(requirements, &[])
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
                Version::from_str(&wheel.version).is_ok_and(|version| omnipkg_resolver::satisfies(specifiers, &version))
            }
            _ => true,
        }
    })
}

fn tell(settings: &Settings, changed: &Changed) {
    let differences = differences(&changed.before, &changed.composed.description);
    if settings.json {
        let changes: Vec<_> = differences
            .iter()
            .map(|(name, from, to)| serde_json::json!({ "name": name, "from": from, "to": to }))
            .collect();
        let json = serde_json::json!({
            "schema": 1,
            "environment": changed.environment,
            "generation": changed.generation.as_ref().map(|generation| generation.number),
            "view": changed.composed.id,
            "changes": changes,
        });
        println!("{json}");
        return;
    }
    let Some(generation) = &changed.generation else { return };
    if settings.quiet || !(settings.verbose || std::io::stderr().is_terminal()) {
        return;
    }
    let words = in_words(&differences);
    output::talk(&format!("{} generation {}: {words}", changed.environment, generation.number));
}

/// A difference: name, version before, version after.
pub type Difference = (String, Option<String>, Option<String>);

/// `+ rich 13.7.1, - mdurl 0.1.2, attrs 22.1 → 23.2`.
pub fn in_words(differences: &[Difference]) -> String {
    let words: Vec<String> = differences
        .iter()
        .map(|(name, from, to)| match (from, to) {
            (None, Some(to)) => format!("+ {name} {to}"),
            (Some(from), None) => format!("- {name} {from}"),
            (from, to) => format!("{name} {} → {}", from.as_deref().unwrap_or(""), to.as_deref().unwrap_or("")),
        })
        .collect();
    if words.is_empty() { "the same distributions".to_owned() } else { words.join(", ") }
}

/// Projects whose version differs between two views, by name.
pub fn differences(before: &ViewDescription, after: &ViewDescription) -> Vec<Difference> {
    let mut names: Vec<&String> = before.wheels.iter().chain(&after.wheels).map(|wheel| &wheel.name).collect();
    names.sort();
    names.dedup();
    let version = |of: &ViewDescription, name: &str| of.wheel(name).map(|wheel| wheel.version.clone());
    let all = names.into_iter().map(|name| (name.clone(), version(before, name), version(after, name)));
    all.filter(|(_, from, to)| from != to).collect()
}
