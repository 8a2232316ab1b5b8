//! `omnipkg resolve`: what would be installed, and nothing is.

use crate::arguments::{PrereleaseChoice, ResolutionChoice, ResolveFormat, ResolveOptions};
use crate::commands::open_store;
use crate::context::Context;
use crate::inputs::Inputs;
use crate::interpreters;
use crate::pylock;
use crate::requirement_files::RequirementFiles;
use crate::rules::Rules;
use crate::settings::Settings;
use crate::workshop::Workshop;
use anyhow::{Context as _, Result};
use omnipkg_resolver::{Prerelease, Resolution};
use omnipkg_store::interpreter::Interpreter;

/// Prints `name==version` lines, or the lock in another format.
pub fn resolve(settings: &Settings, options: &ResolveOptions) -> Result<u8> {
    let store = open_store(settings)?;
    let files = RequirementFiles::of(&options.from, &Inputs::new(settings, options.python.as_deref()))?;
    let settings = &files.options.settings(settings);
    let inputs = Inputs::new(settings, options.python.as_deref());
    let requirements = [inputs.read(&options.subjects, &options.editable)?, files.requirements.clone()].concat();
    let builder = interpreters::find(&store, options.python.as_deref(), None)?;
    let interpreter = target(options, builder.clone())?;
    files.check_python(&interpreter.facts.full_version())?;
    files.options.check_hashes(&requirements, &interpreter.facts.marker_environment()?)?;
    let mut workshop = Workshop::new(settings, store, Context::isolated(interpreter));
    // What is built to be asked for its needs is built by a Python that there is.
    workshop.builder = Some(builder);
    workshop.rules = Rules {
        constraints: files.constraints,
        overrides: files.overrides,
        formats: settings.formats.clone(),
        hashes: files.options.hashes,
        prerelease: match options.prerelease {
            PrereleaseChoice::IfNecessary if files.options.prereleases => Prerelease::Allow,
            PrereleaseChoice::Allow => Prerelease::Allow,
            PrereleaseChoice::Disallow => Prerelease::Disallow,
            PrereleaseChoice::IfNecessary => Prerelease::IfNecessary,
            PrereleaseChoice::Explicit => Prerelease::Explicit,
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
        return Ok(0);
    }
    match options.format {
        ResolveFormat::Lines => print!("{lock}"),
        ResolveFormat::Pylock => {
            print!("{}", pylock::pylock(&lock, &requirements, &workshop.context().interpreter.facts)?)
        }
        ResolveFormat::Requirements => print!("{}", pylock::requirements(&lock)?),
    }
    Ok(0)
}

/// The interpreter with the facts of another version or platform, if that is asked for: nothing is run with it.
fn target(options: &ResolveOptions, mut interpreter: Interpreter) -> Result<Interpreter> {
    if let Some(version) = &options.python_version {
        let facts = interpreter.facts.of_version(version);
        interpreter.facts =
            facts.with_context(|| format!("{version:?} is no version of Python: 3.9 and 3.9.7 are ones"))?;
    }
    if let Some(platform) = &options.python_platform {
        let facts = interpreter.facts.of_platform(platform);
        interpreter.facts = facts.with_context(|| {
            format!(
                "the platform {platform:?} is not known: there are linux, MACHINE-unknown-linux-gnu, \
                 MACHINE-unknown-linux-musl, MACHINE-manylinux_2_17, MACHINE-musllinux_1_2 and the like"
            )
        })?;
    }
    Ok(interpreter)
}
