//! `omnipkg prune`: bubbles of a project that nobody needs any more.

use crate::arguments::{PruneOptions, Selection};
use crate::bubbles;
use crate::commands::{open_store, parse_project};
use crate::context::Context;
use crate::settings::Settings;
use anyhow::{Context as _, Result};

/// Takes the names of a project's bubbles away, but for the newest ones.
pub fn prune(settings: &Settings, options: &PruneOptions) -> Result<u8> {
    let store = open_store(settings)?;
    let project = parse_project(&options.project)?;
    let selection: &Selection = &options.selection;
    let name = Context::to_change(settings, &store, selection)?.environment.context("there is no environment")?;
    let removed = bubbles::prune(&store, &name, project.as_ref(), options.keep_latest)?;
    if settings.json {
        let json = serde_json::json!({
            "schema": 1, "environment": name, "name": project.as_ref(), "removed": removed,
        });
        println!("{json}");
    }
    Ok(0)
}
