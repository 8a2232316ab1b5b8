//! `omnipkg resolve`: what would be installed, and nothing is.

use crate::arguments::{PrereleaseChoice, ResolutionChoice, ResolveOptions};
use crate::commands::{open_store, parse_requirements};
use crate::context::Context;
use crate::interpreters;
use crate::requirement_files::RequirementFiles;
use crate::rules::Rules;
use crate::settings::Settings;
use crate::workshop::Workshop;
use anyhow::Result;
use omnipkg_resolver::{Prerelease, Resolution};

/// Prints `name==version` lines.
pub fn resolve(settings: &Settings, options: &ResolveOptions) -> Result<u8> {
    let store = open_store(settings)?;
    let files = RequirementFiles::read(&options.requirements, &options.constraints)?;
    let overrides = RequirementFiles::read(&options.overrides, &[])?;
    let requirements = [parse_requirements(&options.subjects)?, files.requirements].concat();
    let interpreter = interpreters::find(&store, options.python.as_deref(), None)?;
    let mut workshop = Workshop::new(settings, store, Context::isolated(interpreter));
    workshop.rules = Rules {
        constraints: files.constraints,
        overrides: overrides.requirements,
        prerelease: match options.prerelease {
            PrereleaseChoice::Allow => Prerelease::Allow,
            PrereleaseChoice::Disallow => Prerelease::Never,
            PrereleaseChoice::IfNamed => Prerelease::IfNamed,
        },
        resolution: match options.resolution {
            ResolutionChoice::Highest => Resolution::Highest,
            ResolutionChoice::Lowest => Resolution::Lowest,
            ResolutionChoice::LowestDirect => Resolution::LowestDirect,
        },
    };
    let lock = workshop.lock(&requirements)?;
    if settings.json {
        let projects: Vec<_> = lock
            .wheels
            .iter()
            .map(|wheel| serde_json::json!({ "name": wheel.name, "version": wheel.version.to_string() }))
            .collect();
        println!("{}", serde_json::json!({ "schema": 1, "projects": projects }));
    } else {
        print!("{lock}");
    }
    Ok(0)
}
