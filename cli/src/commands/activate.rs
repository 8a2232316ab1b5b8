//! `omnipkg activate`: what the Python side's loader calls when it has no memory of an activation.

use crate::activation::{self, Question};
use crate::arguments::ActivateOptions;
use crate::commands::{open_store, parse_requirements};
use crate::projection;
use crate::settings::Settings;
use anyhow::{Context as _, Result};

/// Makes and remembers an activation, and prints it.
pub fn activate(settings: &Settings, options: &ActivateOptions) -> Result<u8> {
    let store = open_store(settings)?;
    let requirements = parse_requirements(&options.requirements)?;
    let base = projection::view_of_path(store.layout(), &options.view)
        .or_else(|| {
            let home = store.layout().root().canonicalize().ok()?;
            projection::view_of_path(&omnipkg_store::Layout::new(home), &options.view.canonicalize().ok()?)
        })
        .with_context(|| format!("{} is no view of {}", options.view.display(), store.layout().root().display()))?;
    let question =
        Question { texts: &options.requirements, requirements: &requirements, isolation: options.isolation, base };
    let answer = activation::activate(settings, &store, &question)?;
    if settings.json {
        println!("{}", serde_json::to_string(&answer)?);
    } else {
        println!("{}", answer.site_packages.display());
    }
    Ok(0)
}
