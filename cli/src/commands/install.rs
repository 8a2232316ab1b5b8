//! `omnipkg install`: a new generation of an environment that also has what is asked for.

use crate::arguments::InstallOptions;
use crate::change::{self, Before, Changed, Edit, Manner, Way};
use crate::commands::open_store;
use crate::context::Context;
use crate::inputs::Inputs;
use crate::requirement_files::RequirementFiles;
use crate::rules::Rules;
use crate::settings::Settings;
use crate::workshop::Upgrade;
use anyhow::Result;
use omnipkg_resolver::Prerelease;
use omnipkg_store::Store;
use pep508_rs::Requirement;

/// Installs requirements.
pub fn install(settings: &Settings, options: &InstallOptions) -> Result<u8> {
    let store = open_store(settings)?;
    let python = options.selection.python.as_deref();
    let mut files = RequirementFiles::of(&options.from, &Inputs::new(settings, python))?;
    files.options.require_hashes |= options.require_hashes;
    let settings = &files.options.settings(settings);
    let named = Inputs::new(settings, python).read(&options.requirements, &options.editable)?;
    let wanted = [named, std::mem::take(&mut files.requirements)].concat();
    let rules = Rules {
        constraints: std::mem::take(&mut files.constraints),
        overrides: std::mem::take(&mut files.overrides),
        hashes: files.options.hashes.clone(),
        prerelease: if files.options.prereleases { Prerelease::Allow } else { Prerelease::default() },
        ..Rules::default()
    };
    let upgrade = if options.upgrade { Upgrade::Everything } else { Upgrade::Nothing };
    let manner = Manner { compile: options.compile, dry_run: options.dry_run };
    change::change(settings, &store, &options.selection, manner, |before| {
        let facts = &before.context.interpreter.facts;
        files.check_python(&facts.full_version())?;
        files.options.check_hashes(&wanted, &facts.marker_environment()?)?;
        let edit = edit(before, &wanted, upgrade.clone(), "install");
        Ok(Some(Edit { check: options.check, rules: rules.clone(), ..edit }))
    })
}

/// Installs over a context's environment; `None` if another command published meanwhile.
pub fn install_into(
    settings: &Settings,
    store: &Store,
    context: Context,
    wanted: &[Requirement],
) -> Result<Option<Changed>> {
    let before = Before::new(context)?;
    let edit = edit(&before, wanted, Upgrade::Nothing, "install");
    change::apply(settings, store, before, edit)
}

/// What the environment has been asked for, with what is asked for now in the place of what it was of those projects.
///
/// A project that is there already and is named with no version says nothing new: what was asked of it before stands.
pub fn edit(before: &Before, wanted: &[Requirement], upgrade: Upgrade, verb: &str) -> Edit {
    let says_something = |new: &&Requirement| {
        let old = before.requirements.iter().find(|old| old.name == new.name);
        new.version_or_url.is_some() || old.is_none_or(|old| old.extras != new.extras || old.marker != new.marker)
    };
    let wanted: Vec<Requirement> = match upgrade {
        Upgrade::Nothing => wanted.iter().filter(says_something).cloned().collect(),
        _ => wanted.to_vec(),
    };
    let kept = before.requirements.iter().filter(|old| !wanted.iter().any(|new| new.name == old.name));
    let words: Vec<String> = wanted.iter().map(ToString::to_string).collect();
    Edit {
        requirements: kept.chain(&wanted).cloned().collect(),
        way: Way::Solve { wanted, upgrade },
        reason: format!("{verb} {}", words.join(" ")),
        rules: Rules::default(),
        check: false,
    }
}
