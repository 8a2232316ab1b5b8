//! What a change of an environment would come to (`--dry-run`): asked of the solver, and told.
//!
//! Nothing is changed: no generation, no view, no wheel; only index pages, metadata and the answer are remembered.

use crate::change::{self, Before, Edit, Versions, Way};
use crate::settings::Settings;
use crate::workshop::Workshop;
use anyhow::Result;
use omnipkg_resolver::Lock;
use omnipkg_store::Store;

/// Prints what the edit would change, a line each: `+ name version`, `- name version`, `name old -> new`.
pub fn foresee(settings: &Settings, store: &Store, before: Before, edit: Edit) -> Result<()> {
    let (name, now) = (before.name.clone(), change::versions(&before.description));
    let then = versions_after(settings, store, before, edit)?;
    let differences = change::differences_of(&now, &then);
    if settings.json {
        let changes = change::in_json(&differences);
        println!("{}", serde_json::json!({ "schema": 1, "environment": name, "dry_run": true, "changes": changes }));
        return Ok(());
    }
    for (project, from, to) in differences {
        match (from, to) {
            (Some(from), Some(to)) => println!("{project} {from} -> {to}"),
            (Some(from), None) => println!("- {project} {from}"),
            (None, to) => println!("+ {project} {}", to.unwrap_or_default()),
        }
    }
    Ok(())
}

fn versions_after(settings: &Settings, store: &Store, before: Before, edit: Edit) -> Result<Versions> {
    let (requirements, texts) = change::in_order(edit.requirements);
    let stands = before.generation.as_ref().is_some_and(|generation| generation.requirements == texts);
    if stands && !change::asks_anew(settings, &edit.way, &edit.rules) {
        return Ok(change::versions(&before.description));
    }
    match edit.way {
        Way::Known(composed) => Ok(change::versions(&composed.description)),
        Way::Wheels(wheels) => Ok(wheels.into_iter().map(|wheel| (wheel.name, wheel.version)).collect()),
        Way::Lock(lock) => Ok(versions_of(&lock)),
        Way::Solve { wanted, upgrade } => {
            let mut workshop = Workshop::new(settings, store.clone(), before.context);
            workshop.rules = edit.rules.with(settings);
            change::solve(&mut workshop, upgrade, &wanted, |workshop| {
                let versions = versions_of(&workshop.lock(&requirements)?);
                Ok((versions.clone(), versions))
            })
        }
    }
}

fn versions_of(lock: &Lock) -> Versions {
    lock.wheels.iter().map(|wheel| (wheel.name.clone(), wheel.version.to_string())).collect()
}
