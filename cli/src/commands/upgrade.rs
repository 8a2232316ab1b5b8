//! `omnipkg upgrade`: newer versions of what an environment holds, as one new generation.

use crate::arguments::UpgradeOptions;
use crate::change::{self, Before, Edit, Manner, Way};
use crate::commands::{open_store, parse_project};
use crate::rules::Rules;
use crate::settings::Settings;
use crate::workshop::Upgrade;
use anyhow::{Result, bail};
use pep508_rs::{PackageName, Requirement, VersionOrUrl};

/// Upgrades all projects within what was asked for, or the named ones to whatever is newest.
pub fn upgrade(settings: &Settings, options: &UpgradeOptions) -> Result<u8> {
    let store = open_store(settings)?;
    let named = options.projects.iter().map(|text| parse_project(text)).collect::<Result<Vec<_>>>()?;
    let manner = Manner { compile: options.compile, dry_run: options.dry_run };
    change::change(settings, &store, &options.selection, manner, |before| {
        if before.requirements.is_empty() && named.is_empty() {
            return Ok(None);
        }
        edit(before, &named).map(Some)
    })
}

fn edit(before: &Before, named: &[PackageName]) -> Result<Edit> {
    if let Some(absent) = named.iter().find(|name| before.description.wheel(name.as_ref()).is_none()) {
        bail!("{absent} is not in the environment {}: `omnipkg install {absent}` puts it there", before.name);
    }
    // Who names a project wants a newer one whatever was asked for before: its pin goes.
    let requirements = before.requirements.iter().map(|old| match named.contains(&old.name) {
        // What comes from a URL is asked for there again.
        true if !matches!(old.version_or_url, Some(VersionOrUrl::Url(_))) => {
            Requirement { version_or_url: None, ..old.clone() }
        }
        _ => old.clone(),
    });
    let upgrade = match named {
        [] => Upgrade::Everything,
        named => Upgrade::Projects(named.iter().map(ToString::to_string).collect()),
    };
    let words: Vec<&str> = std::iter::once("upgrade").chain(named.iter().map(AsRef::as_ref)).collect();
    Ok(Edit {
        requirements: requirements.collect(),
        way: Way::Solve { wanted: Vec::new(), upgrade },
        reason: words.join(" "),
        rules: Rules::default(),
        check: false,
    })
}
