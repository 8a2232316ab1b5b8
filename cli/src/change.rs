//! Changes of environments: what is asked for becomes one new generation, or nothing.
//!
//! Nothing is locked while wheels are found, fetched and put together. If another command was quicker to publish, the
//! work is done again over what is there now.

use crate::arguments::Selection;
use crate::bubbles;
use crate::compiling::compile_view;
use crate::context::{Base, Context};
use crate::foresight;
use crate::inputs;
use crate::output;
use crate::projection;
use crate::rules::Rules;
use crate::settings::Settings;
use crate::trial;
use crate::workshop::{Composed, Upgrade, Workshop};
use anyhow::{Context as _, Result, bail};
use omnipkg_resolver::Lock;
use omnipkg_store::Store;
use omnipkg_store::environment::{Environments, Generation};
use omnipkg_store::interpreter::registry::Registry;
use omnipkg_store::view::description::{ViewDescription, WheelReference};
use pep440_rs::Version;
use pep508_rs::{Requirement, VersionOrUrl};
use std::collections::{BTreeMap, BTreeSet};
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
    /// What the choice of versions obeys besides.
    pub rules: Rules,
    /// Import what is new before it is published.
    pub check: bool,
}

/// How a change is made.
#[derive(Debug, Clone, Copy, Default)]
pub struct Manner {
    /// Have bytecode ready before returning.
    pub compile: bool,
    /// Only say what would change.
    pub dry_run: bool,
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
    /// It has just these wheels, which the store has.
    Wheels(Vec<WheelReference>),
    /// It has just these wheels, which are fetched from where the lock says.
    Lock(Lock),
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

/// Changes the selected environment, or only foresees it, says so, and returns the exit code.
pub fn change(
    settings: &Settings,
    store: &Store,
    selection: &Selection,
    manner: Manner,
    edit: impl Fn(&Before) -> Result<Option<Edit>>,
) -> Result<u8> {
    for _ in 0..ATTEMPTS {
        let before = Before::new(Context::to_change(settings, store, selection)?)?;
        let Some(edit) = edit(&before)? else { return Ok(0) };
        if manner.dry_run {
            foresight::foresee(settings, store, before, edit)?;
            return Ok(0);
        }
        if let Some(changed) = apply(settings, store, before, edit)? {
            if manner.compile {
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
    let (requirements, texts) = in_order(edit.requirements);
    if let Some(generation) = current.as_ref().filter(|generation| generation.requirements == texts)
        && !asks_anew(settings, &edit.way, &edit.rules)
    {
        let path = projection::make_visible(settings, store, &generation.view)?;
        Environments::new(store).reproject(&name, &generation.view, &path)?;
        let composed = Composed::known(generation.view, path, &before);
        return Ok(Some(Changed { environment: name, generation: None, before, composed }));
    }
    let composed = match edit.way {
        Way::Known(composed) => *composed,
        Way::Wheels(wheels) => Workshop::new(settings, store.clone(), context).bind(&wheels)?,
        Way::Lock(lock) => Workshop::new(settings, store.clone(), context).compose_lock(&lock)?,
        Way::Solve { wanted, upgrade } => {
            let mut workshop = Workshop::new(settings, store.clone(), context);
            workshop.rules = edit.rules.with(settings);
            solve(&mut workshop, upgrade, &wanted, |workshop| {
                let composed = workshop.compose(&requirements, &[])?;
                Ok((versions(&composed.description), composed))
            })?
        }
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

/// Requirements and their texts in one order, whatever was asked for first: the same requirements are the same question
/// and the same record.
pub fn in_order(mut requirements: Vec<Requirement>) -> (Vec<Requirement>, Vec<String>) {
    requirements.sort_by_cached_key(ToString::to_string);
    let texts = requirements.iter().map(ToString::to_string).collect();
    (requirements, texts)
}

/// False if requirements that an environment has been asked for already leave it as it is.
pub fn asks_anew(settings: &Settings, way: &Way, rules: &Rules) -> bool {
    let is_usual = matches!(way, Way::Solve { upgrade: Upgrade::Nothing, .. }) && rules.are_usual();
    settings.refresh || !is_usual || names_local(way)
}

/// True if a file or directory is asked for anew, which may not be what it was.
fn names_local(way: &Way) -> bool {
    matches!(way, Way::Solve { wanted, .. } if wanted.iter().any(inputs::is_local))
}

/// Asks the solver; what it gives, and versions by project, are the caller's to make of the workshop.
pub fn solve<T>(
    workshop: &mut Workshop<'_>,
    upgrade: Upgrade,
    wanted: &[Requirement],
    ask: impl Fn(&mut Workshop<'_>) -> Result<(Versions, T)>,
) -> Result<T> {
    let asks_newer = upgrade != Upgrade::Nothing;
    workshop.upgrade = upgrade;
    workshop.anew = inputs::from_urls(wanted);
    let (versions, answer) = ask(workshop)?;
    // A preference may hold back what was named with a wider range: that is what "installed already" means.
    if asks_newer || is_answered(&versions, wanted) {
        return Ok(answer);
    }
    workshop.upgrade = Upgrade::Everything;
    Ok(ask(workshop)?.1)
}

/// True if every requirement's project is there in a version that it accepts.
pub fn is_answered(versions: &Versions, wanted: &[Requirement]) -> bool {
    wanted.iter().all(|requirement| {
        let Some(version) = versions.get(requirement.name.as_ref()) else {
            // A marker may have excluded it.
            return requirement.marker != pep508_rs::MarkerTree::TRUE;
        };
        match &requirement.version_or_url {
            Some(VersionOrUrl::VersionSpecifier(specifiers)) => {
                Version::from_str(version).is_ok_and(|version| omnipkg_resolver::satisfies(specifiers, &version))
            }
            _ => true,
        }
    })
}

fn tell(settings: &Settings, changed: &Changed) {
    let differences = differences(&changed.before, &changed.composed.description);
    if settings.json {
        let json = serde_json::json!({
            "schema": 1,
            "environment": changed.environment,
            "generation": changed.generation.as_ref().map(|generation| generation.number),
            "view": changed.composed.id,
            "changes": in_json(&differences),
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

/// Versions by project.
pub type Versions = BTreeMap<String, String>;

/// The versions that a view has.
pub fn versions(description: &ViewDescription) -> Versions {
    description.wheels.iter().map(|wheel| (wheel.name.clone(), wheel.version.clone())).collect()
}

/// Projects whose version differs between two views, by name.
pub fn differences(before: &ViewDescription, after: &ViewDescription) -> Vec<Difference> {
    differences_of(&versions(before), &versions(after))
}

/// Projects whose version differs, by name.
pub fn differences_of(before: &Versions, after: &Versions) -> Vec<Difference> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let all = names.into_iter().map(|name| (name.clone(), before.get(name).cloned(), after.get(name).cloned()));
    all.filter(|(_, from, to)| from != to).collect()
}

/// Differences as JSON.
pub fn in_json(differences: &[Difference]) -> Vec<serde_json::Value> {
    let json = |(name, from, to): &Difference| serde_json::json!({ "name": name, "from": from, "to": to });
    differences.iter().map(json).collect()
}
