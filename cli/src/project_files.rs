//! What a project or a script says that it needs: `pyproject.toml` (PEP 621, dependency groups of PEP 735), and the
//! block of a script (PEP 723).
//!
//! A project's extras that name the project itself (`all = ["demo[web]"]`) are those extras' requirements. Groups that
//! include each other in a circle are refused, as is whatever the file leaves to be found out by building the project.

mod groups;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use crate::commands::parse_requirement;
use crate::output;
use crate::script::{Script, not_toml};
use anyhow::{Context, Result, anyhow, bail};
use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::{ExtraName, PackageName, Requirement};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::str::FromStr;

/// What is asked of projects beyond their dependencies.
#[derive(Debug, Clone, Default)]
pub struct Extras {
    /// These extras.
    pub named: Vec<String>,
    /// All that there are.
    pub all: bool,
}

/// What a file asks for.
#[derive(Debug, Default)]
pub struct Needs {
    /// What is required.
    pub requirements: Vec<Requirement>,
    /// Which Pythons it is for.
    pub requires_python: Option<VersionSpecifiers>,
}

impl Needs {
    /// Fails if this is not a Python that the file is for. As in pip, a pre-release of Python counts as its release.
    pub fn check_python(&self, python: &str) -> Result<()> {
        let version = Version::from_str(python).with_context(|| format!("{python} is no version"))?;
        match &self.requires_python {
            Some(specifiers) if !specifiers.contains(&version.only_release()) => {
                bail!("it requires Python {specifiers}, and this is {python}: --python names another")
            }
            _ => Ok(()),
        }
    }
}

/// True for files that are read here and not as lines of requirements.
pub fn is_one(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "toml" || ending == "py")
}

/// Reads what a script or a project needs.
pub fn read(path: &Path, extras: &Extras) -> Result<Needs> {
    let shown = path.display();
    if crate::pylock::is_name(path) {
        bail!("{shown} is a lock and no question: `omnipkg sync {shown}` makes an environment of it");
    }
    if path.extension().is_some_and(|ending| ending == "py") {
        let script = Script::read(path)?.with_context(|| format!("{shown} is no file"))?;
        let block = script.block.with_context(|| format!("{shown} has no PEP 723 block that says what it needs"))?;
        return Ok(Needs { requirements: block.dependencies, requires_python: block.requires_python });
    }
    Project::read(path)?.needs(extras).with_context(|| format!("cannot use {shown}"))
}

/// Reads a group of dependencies; `text` is `GROUP` or `FILE:GROUP`, and `usual` the file where it names none.
pub fn read_group(text: &str, usual: &Path) -> Result<Needs> {
    let (path, group) = match text.rsplit_once(':') {
        Some((path, group)) => (Path::new(path), group),
        None => (usual, text),
    };
    let project = Project::read(path)?;
    let requirements = groups::requirements(&project.dependency_groups, group);
    let requirements = requirements.with_context(|| format!("cannot use {}", path.display()))?;
    Ok(Needs { requirements, requires_python: None })
}

/// A `pyproject.toml`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Project {
    project: Option<Metadata>,
    #[serde(default)]
    dependency_groups: groups::Groups,
    tool: Option<Tools>,
}

/// Its `[project]`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Metadata {
    name: String,
    #[serde(default)]
    dynamic: Vec<String>,
    requires_python: Option<String>,
    #[serde(default)]
    dependencies: Vec<String>,
    #[serde(default)]
    optional_dependencies: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct Tools {
    uv: Option<UvTable>,
}

#[derive(Debug, Deserialize)]
struct UvTable {
    sources: Option<toml::Table>,
}

impl Project {
    fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let this: Self = toml::from_str(&text)
            .map_err(|error| not_toml(&text, &error))
            .with_context(|| format!("cannot use {}", path.display()))?;
        if this.tool.as_ref().and_then(|tool| tool.uv.as_ref()?.sources.as_ref()).is_some() {
            output::warn(&format!("tool.uv.sources of {} is not looked at: the index is asked", path.display()));
        }
        Ok(this)
    }

    fn needs(&self, extras: &Extras) -> Result<Needs> {
        let project = self.project.as_ref().context("it has no [project] table that says what is needed")?;
        for field in ["dependencies", "optional-dependencies", "requires-python"] {
            if project.dynamic.iter().any(|dynamic| dynamic == field) {
                bail!("its {field} are dynamic: only building the project would tell them");
            }
        }
        let name = PackageName::from_str(&project.name).map_err(|_| anyhow!("{:?} is no name", project.name))?;
        let optional = normalised(&project.optional_dependencies)?;
        let mut expansion = Expansion { name: &name, optional: &optional, done: BTreeSet::new(), found: Vec::new() };
        project.dependencies.iter().try_for_each(|text| expansion.add(text))?;
        let wanted = match extras.all {
            true => optional.keys().cloned().collect(),
            false => extras.named.iter().map(|text| extra(text)).collect::<Result<Vec<_>>>()?,
        };
        wanted.iter().try_for_each(|extra| expansion.extra(extra))?;
        let requires_python = project.requires_python.as_deref().map(VersionSpecifiers::from_str).transpose();
        let requires_python = requires_python.map_err(|_| anyhow!("its requires-python is no list of specifiers"))?;
        Ok(Needs { requirements: expansion.found, requires_python })
    }
}

type Optional = BTreeMap<ExtraName, Vec<String>>;

/// Requirements of a project, those by way of its own extras among them.
struct Expansion<'a> {
    name: &'a PackageName,
    optional: &'a Optional,
    done: BTreeSet<ExtraName>,
    found: Vec<Requirement>,
}

impl Expansion<'_> {
    fn add(&mut self, text: &str) -> Result<()> {
        let requirement = parse_requirement(text)?;
        if requirement.name != *self.name {
            self.found.push(requirement);
            return Ok(());
        }
        if !requirement.marker.is_true() {
            bail!("{text:?} asks for the project's own extra under a condition, which is not understood");
        }
        requirement.extras.iter().try_for_each(|extra| self.extra(extra))
    }

    fn extra(&mut self, extra: &ExtraName) -> Result<()> {
        let Some(texts) = self.optional.get(extra) else {
            let there: Vec<&str> = self.optional.keys().map(AsRef::as_ref).collect();
            let there = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
            bail!("{} has no extra {extra}: it has {there}", self.name);
        };
        // An extra that comes back to itself asks for nothing more.
        if self.done.insert(extra.clone()) {
            texts.iter().try_for_each(|text| self.add(text))?;
        }
        Ok(())
    }
}

fn extra(text: &str) -> Result<ExtraName> {
    ExtraName::from_str(text).map_err(|_| anyhow!("{text:?} is no name of an extra"))
}

fn normalised(optional: &BTreeMap<String, Vec<String>>) -> Result<Optional> {
    let mut normalised = Optional::new();
    for (name, texts) in optional {
        if normalised.insert(extra(name)?, texts.clone()).is_some() {
            bail!("it has the extra {name} twice, spelt differently");
        }
    }
    Ok(normalised)
}
