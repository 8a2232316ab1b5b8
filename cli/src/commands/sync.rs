//! `omnipkg sync`: an environment becomes exactly what a file says, `pylock.toml` or pinned requirements.
//!
//! What the file does not say leaves. The environment is then asked for what the file says that it answers, if that leads
//! to just this set; else for what nothing else in the set needs, at its version. So a later `install` or `uninstall`
//! follows dependencies as it would otherwise.

use crate::arguments::{FileArguments, SyncOptions};
use crate::change::{self, Before, Edit, Manner, Way};
use crate::closure::Closure;
use crate::commands::open_store;
use crate::inputs::Inputs;
use crate::output;
use crate::pylock::{Document, Wanted, names_a_place, requirement_of};
use crate::requirement_files::{RequirementFiles, is_pinned};
use crate::rules::Rules;
use crate::settings::Settings;
use crate::workshop::{Composed, Workshop};
use anyhow::{Context as _, Result, bail};
use omnipkg_resolver::{Lock, Origin};
use omnipkg_store::Store;
use pep508_rs::{PackageName, Requirement};
use std::collections::BTreeSet;
use std::path::Path;

/// Makes the environment what the file says.
pub fn sync(settings: &Settings, options: &SyncOptions) -> Result<u8> {
    let store = open_store(settings)?;
    let wanted = Wanted { extras: options.extras.clone(), groups: options.groups.clone() };
    let source = Source::read(&options.file, &Inputs::new(settings, options.selection.python.as_deref()))?;
    let settings = &source.settings(settings);
    if let (Source::Pins(_), false) = (&source, options.extras.is_empty() && options.groups.is_empty()) {
        bail!("{} is no lock file: only those have extras and groups", options.file.display());
    }
    let manner = Manner { compile: options.compile, dry_run: options.dry_run };
    change::change(settings, &store, &options.selection, manner, |before| {
        let lock = source.lock(settings, &store, before, &wanted, &options.file)?;
        edit(settings, &store, before, lock, &source.asked()?, options).map(Some)
    })
}

/// What a file says.
enum Source {
    Lock(Document),
    Pins(RequirementFiles),
}

impl Source {
    fn read(path: &Path, inputs: &Inputs<'_>) -> Result<Self> {
        if path.extension().is_some_and(|ending| ending == "toml") {
            return Ok(Self::Lock(Document::read(path)?));
        }
        let files = FileArguments { files: vec![path.to_owned()], ..FileArguments::default() };
        Ok(Self::Pins(RequirementFiles::of(&files, inputs)?))
    }

    /// The settings, with the indexes that the file names.
    fn settings(&self, settings: &Settings) -> Settings {
        match self {
            Self::Lock(_) => settings.clone(),
            Self::Pins(files) => files.options.settings(settings),
        }
    }

    /// What the file says that it is the answer to.
    fn asked(&self) -> Result<Vec<Requirement>> {
        match self {
            Self::Lock(document) => document.asked(),
            Self::Pins(_) => Ok(Vec::new()),
        }
    }

    /// The exact set for the interpreter of an environment.
    fn lock(&self, settings: &Settings, store: &Store, before: &Before, wanted: &Wanted, path: &Path) -> Result<Lock> {
        match self {
            Self::Lock(document) => document
                .choose(&before.context.interpreter.facts, wanted, &settings.formats)
                .with_context(|| format!("cannot use the lock file {}", path.display())),
            Self::Pins(files) => pinned(settings, store, before, files)
                .with_context(|| format!("cannot make the environment what {} says", path.display())),
        }
    }
}

/// The wheels of pinned requirements, and none of what they require beyond that.
fn pinned(settings: &Settings, store: &Store, before: &Before, files: &RequirementFiles) -> Result<Lock> {
    if files.requirements.is_empty() {
        bail!("it names no project, and nothing is to be taken out for that: `omnipkg uninstall` takes projects out");
    }
    let markers = before.context.interpreter.facts.marker_environment()?;
    files.options.check_hashes(&files.requirements, &markers)?;
    let applying = files.requirements.iter().filter(|requirement| requirement.evaluate_markers(&markers, &[]));
    let pins = applying.map(pin).collect::<Result<Vec<Requirement>>>()?;
    if pins.is_empty() {
        return Ok(Lock::default());
    }
    let mut workshop = Workshop::new(settings, store.clone(), before.context.clone());
    // What is pinned is what it is, whatever the others require of it: the file is the answer, not a question.
    workshop.rules = Rules {
        overrides: pins.iter().filter(|pin| !names_a_place(pin)).cloned().collect(),
        constraints: files.constraints.clone(),
        hashes: files.options.hashes.clone(),
        ..Rules::default()
    }
    .with(settings);
    let mut lock = workshop.lock(&pins)?;
    let named: BTreeSet<&str> = pins.iter().map(|pin| pin.name.as_ref()).collect();
    for absent in lock.wheels.iter().filter(|wheel| !named.contains(wheel.name.as_str())) {
        let by = lock.wheels.iter().find(|wheel| wheel.requires.contains(&absent.name));
        let by = by.map_or("something", |wheel| wheel.name.as_str());
        output::warn(&format!("{by} requires {}, which the file does not name: it is left out", absent.name));
    }
    lock.wheels.retain(|wheel| named.contains(wheel.name.as_str()));
    Ok(lock)
}

/// A requirement that leaves no choice of version, without its marker, which holds.
fn pin(requirement: &Requirement) -> Result<Requirement> {
    if !is_pinned(requirement) {
        bail!("{requirement} leaves a choice, and `sync` makes none: pin it with ==, or use `omnipkg install -r`");
    }
    Ok(Requirement { extras: Vec::new(), marker: pep508_rs::MarkerTree::TRUE, ..requirement.clone() })
}

fn edit(
    settings: &Settings,
    store: &Store,
    before: &Before,
    lock: Lock,
    asked: &[Requirement],
    options: &SyncOptions,
) -> Result<Edit> {
    let (requirements, way) = match options.dry_run {
        // What it will be asked for is not known before the wheels are there, and not told.
        true => (Vec::new(), Way::Lock(lock)),
        false => {
            let composed = Workshop::new(settings, store.clone(), before.context.clone()).compose_lock(&lock)?;
            let there = before.generation.as_ref().is_some_and(|generation| generation.view == composed.id);
            let requirements = match there {
                true => before.requirements.clone(),
                false => requirements(store, before, &composed, &lock, asked)?,
            };
            (requirements, Way::Known(Box::new(composed)))
        }
    };
    Ok(Edit {
        requirements,
        way,
        reason: format!("sync {}", options.file.display()),
        rules: Rules::default(),
        check: false,
    })
}

/// What the environment is asked for from now on.
fn requirements(
    store: &Store,
    before: &Before,
    composed: &Composed,
    lock: &Lock,
    asked: &[Requirement],
) -> Result<Vec<Requirement>> {
    // What no index has is found again by where it is.
    let elsewhere = lock.wheels.iter().filter(|wheel| wheel.origin != Origin::Index);
    let elsewhere = elsewhere.map(|wheel| Ok(requirement_of(wheel)?.parse()?)).collect::<Result<Vec<Requirement>>>()?;
    let is_elsewhere = |name: &PackageName| elsewhere.iter().any(|other| other.name == *name);
    let asked: Vec<Requirement> = asked.iter().filter(|one| !is_elsewhere(&one.name)).cloned().collect();
    let all = [asked, elsewhere.clone()].concat();
    if leads_to(store, before, composed, &all)? {
        return Ok(all);
    }
    let pins = roots(store, before, composed)?.into_iter().filter(|pin| !is_elsewhere(&pin.name));
    Ok(pins.chain(elsewhere.iter().cloned()).collect())
}

/// True if what was asked for is there, and all that is there is there for its sake.
fn leads_to(store: &Store, before: &Before, composed: &Composed, asked: &[Requirement]) -> Result<bool> {
    let (description, interpreter) = (&composed.description, &before.context.interpreter);
    let closure = Closure::of(store, description, interpreter, asked)?;
    let markers = interpreter.facts.marker_environment()?;
    let applying: Vec<Requirement> = asked.iter().filter(|one| one.evaluate_markers(&markers, &[])).cloned().collect();
    let is_needed = description.wheels.iter().all(|wheel| closure.has(&wheel.name));
    Ok(is_needed && !applying.is_empty() && change::is_answered(&change::versions(description), &applying))
}

/// Pins of the projects that lead to all of the set: those that no other needs, and of a circle one.
fn roots(store: &Store, before: &Before, composed: &Composed) -> Result<Vec<Requirement>> {
    let (description, interpreter) = (&composed.description, &before.context.interpreter);
    let bare = |name: &str| -> Result<Requirement> { Ok(name.parse()?) };
    let all = description.wheels.iter().map(|wheel| bare(&wheel.name)).collect::<Result<Vec<_>>>()?;
    let closure = Closure::of(store, description, interpreter, &all)?;
    let mut reached: BTreeSet<String> = BTreeSet::new();
    let mut roots = Vec::new();
    let (tops, others): (Vec<_>, Vec<_>) =
        description.wheels.iter().partition(|wheel| !closure.is_needed_by_another(&wheel.name));
    for wheel in tops.into_iter().chain(others) {
        if reached.contains(&wheel.name) {
            continue;
        }
        roots.push(format!("{}=={}", wheel.name, wheel.version).parse()?);
        let mut open = vec![wheel.name.clone()];
        while let Some(name) = open.pop() {
            open.extend(closure.required_by(&name, |other| !reached.contains(other)));
            reached.insert(name);
        }
    }
    Ok(roots)
}
