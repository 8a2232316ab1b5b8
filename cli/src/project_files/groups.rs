//! Dependency groups (PEP 735): lists of requirements that may include each other, but not in a circle.

use crate::commands::not_a_requirement;
use anyhow::{Result, anyhow, bail};
use pep508_rs::{ExtraName, Requirement};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::str::FromStr;

/// The groups as they are written.
pub type Groups = BTreeMap<String, Vec<Item>>;

/// What a group may hold.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Item {
    /// A requirement.
    Requirement(String),
    /// Another group.
    Include(Include),
}

/// What may stand in an item that is a table.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Include {
    include_group: String,
}

/// All that a group asks for.
pub fn requirements(groups: &Groups, wanted: &str) -> Result<Vec<Requirement>> {
    let mut found = Vec::new();
    follow(groups, wanted, &mut Vec::new(), &mut found)?;
    Ok(found)
}

fn follow(groups: &Groups, wanted: &str, including: &mut Vec<ExtraName>, found: &mut Vec<Requirement>) -> Result<()> {
    let name = normalised(wanted)?;
    if including.contains(&name) {
        let circle: Vec<&str> = including.iter().chain([&name]).map(AsRef::as_ref).collect();
        bail!("dependency groups include each other in a circle: {}", circle.join(" -> "));
    }
    let mut items = None;
    for (other, its_items) in groups {
        if normalised(other)? == name && items.replace(its_items).is_some() {
            bail!("it has the dependency group {name} twice, spelt differently");
        }
    }
    let Some(items) = items else {
        let there: Vec<&str> = groups.keys().map(String::as_str).collect();
        let there = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
        bail!("it has no dependency group {name}: it has {there}");
    };
    including.push(name);
    for item in items {
        match item {
            Item::Requirement(text) => {
                found.push(Requirement::from_str(text).map_err(|error| not_a_requirement(text, &error))?);
            }
            Item::Include(include) => follow(groups, &include.include_group, including, found)?,
        }
    }
    including.pop();
    Ok(())
}

/// Names of groups are normalised as those of extras are.
fn normalised(name: &str) -> Result<ExtraName> {
    ExtraName::from_str(name).map_err(|_| anyhow!("{name:?} is no name of a dependency group"))
}
