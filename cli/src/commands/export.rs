//! `omnipkg export`: the exact set of an environment, as `pylock.toml` or as pinned requirements with hashes.

use crate::arguments::{ExportFormat, ExportOptions};
use crate::closure::Closure;
use crate::commands::open_store;
use crate::context::{Base, Context, Purpose, Target};
use crate::pylock;
use crate::settings::Settings;
use crate::workshop::Workshop;
use anyhow::{Context as _, Result, bail};
use omnipkg_resolver::{Lock, LockedWheel};
use omnipkg_store::Store;
use omnipkg_store::view::description::{ViewDescription, WheelReference};
use pep508_rs::Requirement;
use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Exports the active environment.
pub fn export(settings: &Settings, options: &ExportOptions) -> Result<u8> {
    let store = open_store(settings)?;
    let target = Target::find(store.layout(), &options.selection, Purpose::Use)?;
    let context = Context::find(settings, &store, &target)?;
    let description = match &context.base {
        Base::Managed { description, .. } if description.overlay.is_none() => (**description).clone(),
        Base::Isolated => ViewDescription::new(&context.interpreter, Vec::new(), Vec::new(), None),
        _ => bail!(
            "this environment is not one that omnipkg made, so where its packages come from is not known: name one \
             with --env or --python"
        ),
    };
    let format = options.format.unwrap_or_else(|| format_of(options.output.as_deref()));
    let facts = context.interpreter.facts.clone();
    let asked = match &context.base {
        Base::Managed { generation: Some(generation), .. } => generation.requirements.clone(),
        _ => Vec::new(),
    };
    let asked = asked.iter().map(|text| text.parse()).collect::<Result<Vec<Requirement>, _>>()?;
    let lock = lock_of(settings, &store, context, &description, &asked)?;
    let text = match format {
        ExportFormat::Pylock => pylock::pylock(&lock, &asked, &facts)?,
        ExportFormat::Requirements => pylock::requirements(&lock)?,
    };
    match &options.output {
        None => print!("{text}"),
        Some(path) => write(path, &text, format)?,
    }
    Ok(0)
}

/// What the ending of a file's name says.
fn format_of(path: Option<&Path>) -> ExportFormat {
    match path.and_then(Path::extension).and_then(|ending| ending.to_str()) {
        Some("txt" | "in") => ExportFormat::Requirements,
        _ => ExportFormat::Pylock,
    }
}

/// The lock of what an environment holds, with what each wheel requires of the others.
///
/// # Errors
/// If it is not known where a wheel comes from.
pub fn lock_of(
    settings: &Settings,
    store: &Store,
    context: Context,
    description: &ViewDescription,
    asked: &[Requirement],
) -> Result<Lock> {
    // Extras follow from what was asked for; beyond that each wheel requires what it does without any.
    let bare = description.wheels.iter().map(|wheel| wheel.name.parse()).collect::<Result<Vec<Requirement>, _>>()?;
    let closure = Closure::of(store, description, &context.interpreter, &[asked, &bare].concat())?;
    let mut workshop = Workshop::new(settings, store.clone(), context);
    let mut wheels = Vec::new();
    for wheel in &description.wheels {
        let mut known = archive(&mut workshop, wheel)?;
        known.requires = closure.required_by(&wheel.name, |other| description.wheel(other).is_some());
        wheels.push(known);
    }
    Ok(Lock { wheels })
}

/// A wheel, with where it can be had.
fn archive(workshop: &mut Workshop<'_>, wheel: &WheelReference) -> Result<LockedWheel> {
    let WheelReference { name, version, .. } = wheel;
    let origin = workshop.origin(wheel).with_context(|| format!("cannot tell where {} comes from", wheel.filename))?;
    origin.with_context(|| {
        format!(
            "where {} comes from is not remembered, and the index has no file of {name} {version} with its hash: \
             install {name} again from where it is",
            wheel.filename
        )
    })
}

/// Writes the file, if its name is one for what it holds.
fn write(path: &Path, text: &str, format: ExportFormat) -> Result<()> {
    if format == ExportFormat::Pylock && !pylock::is_name(path) {
        bail!("a lock file is called pylock.toml or pylock.NAME.toml, not {}", path.display());
    }
    write_text(path, text)
}

/// Writes a file whole or not at all.
///
/// # Errors
/// If it cannot be written.
pub fn write_text(path: &Path, text: &str) -> Result<()> {
    let full = std::path::absolute(path)?;
    let directory = full.parent().unwrap_or(&full);
    let written = || -> std::io::Result<()> {
        let permissions = Permissions::from_mode(0o666);
        let mut file = tempfile::Builder::new().permissions(permissions).tempfile_in(directory)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(&full).map(drop).map_err(|error| error.error)
    };
    written().with_context(|| format!("cannot write {}", path.display()))
}
