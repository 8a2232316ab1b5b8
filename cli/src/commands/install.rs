//! `omnipkg install`: a new generation of an environment that also has what is asked for.

use crate::arguments::InstallOptions;
use crate::change::{self, Before, Changed, Edit, Way};
use crate::commands::open_store;
use crate::context::Context;
use crate::inputs::Inputs;
use crate::settings::Settings;
use crate::workshop::Upgrade;
use anyhow::Result;
use omnipkg_store::Store;
use pep508_rs::Requirement;

/// Installs requirements.
pub fn install(settings: &Settings, options: &InstallOptions) -> Result<u8> {
    let store = open_store(settings)?;
    let inputs = Inputs::new(settings, options.selection.python.as_deref());
    let wanted = inputs.read(&options.requirements, &options.editable)?;
    let upgrade = if options.upgrade { Upgrade::Everything } else { Upgrade::Nothing };
    change::change(settings, &store, &options.selection, options.compile, |before| {
        let edit = edit(before, &wanted, upgrade.clone(), "install");
        Ok(Some(Edit { check: options.check, ..edit }))
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
        check: false,
    }
}
