//! What a script ran with, written beside it or into it: `run --save`.

use super::RunView;
use crate::arguments::SaveForm;
use crate::commands::export;
use crate::context::{Base, Context};
use crate::pylock;
use crate::script::write::write_block;
use crate::settings::Settings;
use anyhow::{Result, bail};
use omnipkg_healer::Plan;
use omnipkg_store::Store;
use omnipkg_store::interpreter::{Interpreter, probe_cached};
use omnipkg_store::view::description::ViewDescription;
use pep440_rs::VersionSpecifiers;
use pep508_rs::{PackageName, Requirement};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Writes what a script ran with: its own requirements and those of the environment beneath it, in the versions of the view.
///
/// # Errors
/// If the view is not wholly omnipkg's own, or a file cannot be written.
pub fn save(
    settings: &Settings,
    store: &Store,
    (script, form, own): (&Path, SaveForm, Option<&VersionSpecifiers>),
    (plan, view): (&Plan, &RunView),
    base: &Base,
) -> Result<()> {
    let description = ViewDescription::load(store, &view.id)?;
    if description.overlay.is_some() {
        bail!(
            "{} runs over an environment that is not omnipkg's own: what it needs of it is not known",
            script.display()
        );
    }
    let interpreter = probe_cached(store, &description.interpreter)?;
    let asked = asked(plan, base, &description, &interpreter)?;
    match form {
        SaveForm::Block => {
            let own = own.filter(|_| plan.python().is_none()).map(ToString::to_string);
            write_block(script, &asked, &own.unwrap_or_else(|| requires_python(plan, &description)))
        }
        SaveForm::Lock => {
            let facts = interpreter.facts.clone();
            let lock = export::lock_of(settings, store, Context::isolated(interpreter), &description, &asked)?;
            let path = lock_path(script)?;
            export::write_text(&path, &pylock::pylock(&lock, &asked, &facts)?)
        }
    }
}

/// The projects that were asked for, in the versions that the view has.
fn asked(
    plan: &Plan,
    base: &Base,
    description: &ViewDescription,
    interpreter: &Interpreter,
) -> Result<Vec<Requirement>> {
    let markers = interpreter.facts.marker_environment()?;
    let beneath = match base {
        Base::Managed { generation: Some(generation), .. } => generation.requirements.clone(),
        _ => Vec::new(),
    };
    let beneath = beneath.iter().filter_map(|text| Requirement::from_str(text).ok());
    let mut found: Vec<Requirement> = Vec::new();
    for requirement in plan.requirements().iter().cloned().chain(beneath) {
        let pinned = found.iter().filter(|one| one.evaluate_markers(&markers, &[]));
        let known: Option<&PackageName> = pinned.map(|one| &one.name).find(|name| **name == requirement.name);
        let is_url = matches!(requirement.version_or_url, Some(pep508_rs::VersionOrUrl::Url(_)));
        if is_url || !requirement.evaluate_markers(&markers, &[]) {
            // It names its place, or is for others: it stays as it is.
            found.push(requirement);
            continue;
        }
        if known.is_some() {
            continue;
        }
        if let Some(wheel) = description.wheel(requirement.name.as_ref()) {
            let exactly = VersionSpecifiers::from_str(&format!("=={}", wheel.version))?;
            let version_or_url = Some(pep508_rs::VersionOrUrl::VersionSpecifier(exactly));
            found.push(Requirement { version_or_url, ..requirement });
        }
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}

/// Just this Python where a remedy chose it, else this one and later ones.
fn requires_python(plan: &Plan, description: &ViewDescription) -> String {
    let minor: Vec<&str> = description.version.split('.').take(2).collect();
    match plan.python() {
        Some(_) => format!("=={}.*", minor.join(".")),
        None => format!(">={}", minor.join(".")),
    }
}

/// `pylock.NAME.toml` beside `NAME.py` (PEP 751).
fn lock_path(script: &Path) -> Result<PathBuf> {
    let stem = script.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let name: String = stem.chars().map(|c| if c == '.' { '-' } else { c }).collect();
    let path = script.with_file_name(format!("pylock.{name}.toml"));
    if name.is_empty() || !pylock::is_name(&path) {
        bail!("no lock file can be named after {}", script.display());
    }
    Ok(path)
}
