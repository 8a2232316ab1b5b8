//! `omnipkg revert`: an earlier generation of an environment comes back, as a new one.

use crate::arguments::RevertOptions;
use crate::change::{self, Before, Edit, Manner, Way};
use crate::commands::open_store;
use crate::projection;
use crate::rebind;
use crate::rules::Rules;
use crate::settings::Settings;
use crate::workshop::Composed;
use anyhow::{Result, anyhow, bail};
use omnipkg_store::Store;
use omnipkg_store::environment::{Environments, Generation};
use omnipkg_store::view::description::ViewDescription;
use std::str::FromStr;

/// Brings a generation back.
pub fn revert(settings: &Settings, options: &RevertOptions) -> Result<u8> {
    let store = open_store(settings)?;
    change::change(settings, &store, &options.selection, Manner::default(), |before| {
        let wanted = choose(&store, before, options.generation)?;
        edit(settings, &store, wanted).map(Some)
    })
}

/// The generation that is meant: the named one, else the one before the current one that is another. A revert is a generation too, so a
/// second one takes the first one back.
fn choose(store: &Store, before: &Before, number: Option<u64>) -> Result<Generation> {
    let history = Environments::new(store).history(&before.name)?;
    let Some(current) = &before.generation else { bail!("there is no environment {} yet", before.name) };
    let found = match number {
        Some(number) => history.iter().find(|generation| generation.number == number),
        None => {
            let earlier = history.iter().rev().filter(|generation| generation.number < current.number);
            earlier.into_iter().find(|generation| differs(store, before, generation))
        }
    };
    let numbers: Vec<String> = history.iter().map(|generation| generation.number.to_string()).collect();
    found.cloned().ok_or_else(|| match number {
        Some(number) => anyhow!("{} has no generation {number}: it has {}", before.name, numbers.join(", ")),
        None => anyhow!("{} has no generation before this one: it has {}", before.name, numbers.join(", ")),
    })
}

/// False if going there would change nothing: an environment that was only bound to another interpreter in between.
fn differs(store: &Store, before: &Before, generation: &Generation) -> bool {
    let same_requests =
        before.generation.as_ref().is_some_and(|current| current.requirements == generation.requirements);
    let same_wheels = ViewDescription::load(store, &generation.view)
        .is_ok_and(|description| description.wheels == before.description.wheels);
    !(same_requests && same_wheels)
}

fn edit(settings: &Settings, store: &Store, wanted: Generation) -> Result<Edit> {
    let view = rebind::view(settings, store, wanted.view)?;
    let description = ViewDescription::load(store, &view)?;
    let path = projection::make_visible(settings, store, &view)?;
    let requirements = wanted.requirements.iter().map(|text| pep508_rs::Requirement::from_str(text));
    Ok(Edit {
        requirements: requirements.collect::<Result<_, _>>()?,
        way: Way::Known(Box::new(Composed::known(view, path, &description))),
        reason: format!("revert to {}", wanted.number),
        rules: Rules::default(),
        check: false,
    })
}
