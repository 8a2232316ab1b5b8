//! `omnipkg list`: what an environment holds.

use crate::arguments::Selection;
use crate::commands::open_store;
use crate::context::{Base, Context, Purpose, Target};
use crate::settings::Settings;
use anyhow::Result;

/// Prints name and version of each distribution.
pub fn list(settings: &Settings, selection: &Selection) -> Result<u8> {
    let store = open_store(settings)?;
    let context = Context::find(settings, &store, &Target::find(store.layout(), selection, Purpose::Use)?)?;
    let pairs: Vec<(String, String)> = match context.base {
        Base::Managed { description, .. } => {
            description.wheels.into_iter().map(|wheel| (wheel.name, wheel.version)).collect()
        }
        Base::Overlay { installed, .. } => installed.into_iter().collect(),
        Base::Isolated => Vec::new(),
    };
    if settings.json {
        let rows: Vec<_> =
            pairs.iter().map(|(name, version)| serde_json::json!({ "name": name, "version": version })).collect();
        let json = serde_json::json!({ "schema": 1, "environment": context.environment, "distributions": rows });
        println!("{json}");
    } else {
        let width = pairs.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, version) in pairs {
            println!("{name:width$}  {version}");
        }
    }
    Ok(0)
}
