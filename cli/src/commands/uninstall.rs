//! `omnipkg uninstall`: a new generation of an environment without some projects, and without what only they needed.
//!
//! Nothing is resolved: what stays is what stays reachable from the other requirements, wheel for wheel.

use crate::arguments::UninstallOptions;
use crate::change::{self, Before, Edit, Manner, Way};
use crate::closure::Closure;
use crate::commands::{open_store, parse_project};
use crate::output;
use crate::rules::Rules;
use crate::settings::Settings;
use anyhow::{Result, bail};
use omnipkg_store::Store;
use pep508_rs::{PackageName, Requirement};

/// Takes projects out.
pub fn uninstall(settings: &Settings, options: &UninstallOptions) -> Result<u8> {
    let store = open_store(settings)?;
    let projects = options.projects.iter().map(|text| parse_project(text)).collect::<Result<Vec<_>>>()?;
    let manner = Manner { dry_run: options.dry_run, ..Manner::default() };
    change::change(settings, &store, &options.selection, manner, |before| {
        let (there, absent): (Vec<_>, Vec<_>) =
            projects.iter().cloned().partition(|name| before.description.wheel(name.as_ref()).is_some());
        for name in absent.iter().filter(|_| !settings.quiet) {
            output::warn(&format!("{name} is not in the environment {}", before.name));
        }
        if there.is_empty() && !settings.json {
            return Ok(None);
        }
        edit(&store, before, &there).map(Some)
    })
}

fn edit(store: &Store, before: &Before, projects: &[PackageName]) -> Result<Edit> {
    let requirements: Vec<Requirement> =
        before.requirements.iter().filter(|old| !projects.contains(&old.name)).cloned().collect();
    let closure = Closure::of(store, &before.description, &before.context.interpreter, &requirements)?;
    if let Some((name, needed_by)) = projects.iter().find_map(|name| Some((name, closure.needed_by(name.as_ref())?))) {
        bail!("{name} is needed by {needed_by}: uninstall that too, or nothing");
    }
    let wheels: Vec<_> = before.description.wheels.iter().filter(|wheel| closure.has(&wheel.name)).cloned().collect();
    let words: Vec<&str> = projects.iter().map(AsRef::as_ref).collect();
    Ok(Edit {
        requirements,
        way: Way::Wheels(wheels),
        reason: format!("uninstall {}", words.join(" ")),
        rules: Rules::default(),
        check: false,
    })
}
