//! What of a lock file is meant for one interpreter, as PEP 751's algorithm says, and the file of each entry.

use super::markers::Scope;
use super::read::{Archive, Document, Package};
use anyhow::{Context, Result, anyhow, bail};
use omnipkg_resolver::{Formats, Lock, LockedWheel, Origin};
use omnipkg_store::interpreter::Facts;
use omnipkg_store::tags::{Tags, WheelFilename};
use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::{ExtraName, PackageName};
use std::collections::BTreeMap;
use std::str::FromStr;

/// What is asked of a lock file beyond what everybody gets.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Extras.
    pub extras: Vec<String>,
    /// Groups of dependencies beside the default ones.
    pub groups: Vec<String>,
}

impl Document {
    /// The set that the file means for an interpreter: archives, each with its hash, directories and commits. A URL may have user information, which
    /// is for the request only.
    pub fn choose(&self, facts: &Facts, wanted: &Wanted, formats: &Formats) -> Result<Lock> {
        let extras = known("extra", &wanted.extras, &self.extras)?;
        let mut groups = known("dependency group", &wanted.groups, &self.dependency_groups)?;
        // A default group need not be one that can be asked for.
        groups.extend(self.default_groups.iter().filter_map(|group| ExtraName::from_str(group).ok()));
        let environment = facts.marker_environment()?;
        let scope = Scope { environment: &environment, extras: &extras, groups: &groups };
        let target = Target { python: Version::from_str(&facts.full_version())?, tags: facts.tags(), formats };
        target.check_python(self.requires_python.as_deref()).context("it is for other Pythons")?;
        self.check_environments(&scope, facts)?;
        let mut chosen: BTreeMap<String, LockedWheel> = BTreeMap::new();
        for package in &self.packages {
            if !package.marker.as_deref().map_or(Ok(true), |marker| scope.holds(marker))? {
                continue;
            }
            let wheel = self.wheel(package, &target).with_context(|| format!("its entry for {}", package.name))?;
            if let Some(other) = chosen.insert(wheel.name.clone(), wheel) {
                bail!("two of its entries for {} hold at once, version {} and another", other.name, other.version);
            }
        }
        Ok(Lock { wheels: chosen.into_values().collect() })
    }

    fn check_environments(&self, scope: &Scope<'_>, facts: &Facts) -> Result<()> {
        for marker in &self.environments {
            if scope.holds(marker).context("its environments")? {
                return Ok(());
            }
        }
        if self.environments.is_empty() {
            return Ok(());
        }
        let here = format!("Python {} on {}", facts.full_version(), facts.platform);
        bail!("it is not for {here}: it is for environments where {}", self.environments.join(", or "))
    }

    /// The wheel of an entry.
    fn wheel(&self, package: &Package, target: &Target<'_>) -> Result<LockedWheel> {
        let name = PackageName::from_str(&package.name).map_err(|_| anyhow!("that is no project name"))?;
        target.check_python(package.requires_python.as_deref())?;
        let listed = !package.wheels.is_empty() || package.sdist.is_some();
        let sources = [package.vcs.is_some(), package.directory.is_some(), package.archive.is_some(), listed];
        match sources.into_iter().filter(|there| *there).count() {
            1 => {}
            0 => bail!("it says of no file or directory to install from"),
            _ => bail!("it says of several sources, of which only one can be meant"),
        }
        let version = package.version.as_deref().map(Version::from_str).transpose().map_err(|error| anyhow!(error))?;
        let entry = |url: url::Url, filename: String, origin: Origin| LockedWheel {
            name: name.to_string(),
            // What only a build tells is told by it.
            version: version.clone().unwrap_or_else(|| Version::new([0])),
            filename,
            url,
            index: package.index.clone(),
            sha256: None,
            size: None,
            built: None,
            assumed: None,
            origin,
            requires: Vec::new(),
        };
        let is_built = package.vcs.is_some()
            || package.directory.is_some()
            || package.archive.as_ref().is_some_and(|file| !file.is_wheel());
        if is_built && !target.formats.of(&name).sources {
            bail!("it is to be built, which is not allowed (--only-binary, --no-build)");
        }
        if let Some(repository) = &package.vcs {
            let (commit, subdirectory) = (repository.commit_id.clone(), repository.subdirectory.clone());
            return Ok(entry(self.repository(repository)?, name.to_string(), Origin::Git { commit, subdirectory }));
        }
        if let Some(directory) = &package.directory {
            let origin = Origin::Directory { editable: directory.editable };
            return Ok(entry(self.directory(directory)?, name.to_string(), origin));
        }
        let (file, origin) = match &package.archive {
            Some(file) => (file, Origin::Archive { subdirectory: file.subdirectory.clone() }),
            None => (self.best(package, target, &name)?, Origin::Index),
        };
        let url = self.url(file)?;
        let filename = file.filename(&url);
        let sha256 = Some(file.sha256().with_context(|| filename.clone())?);
        let mut entry = LockedWheel { sha256, size: file.size, ..entry(url, filename, origin) };
        if entry.is_wheel() {
            let parsed = WheelFilename::parse(&entry.filename)?;
            if parsed.name != name || version.is_some_and(|version| version != parsed.version) {
                bail!("{} is no wheel of {name} {}", entry.filename, package.version.as_deref().unwrap_or_default());
            }
            if target.tags.priority(&parsed.tags).is_none() {
                return Err(no_wheel(&parsed.tags.iter().map(ToString::to_string).collect::<Vec<_>>()));
            }
            entry.version = parsed.version;
        }
        Ok(entry)
    }

    /// The file of an entry that is taken: the best wheel that may be, else the source.
    fn best<'p>(&self, package: &'p Package, target: &Target<'_>, name: &PackageName) -> Result<&'p Archive> {
        let allowed = target.formats.of(name);
        let mut best: Option<(Rank, &Archive)> = None;
        let mut others = Vec::new();
        for file in package.wheels.iter().filter(|_| allowed.wheels) {
            let parsed = WheelFilename::parse(&file.filename(&self.url(file)?))?;
            let Some(priority) = target.tags.priority(&parsed.tags) else {
                others.extend(parsed.tags.iter().map(ToString::to_string));
                continue;
            };
            let rank = (priority, std::cmp::Reverse(parsed.build));
            if best.as_ref().is_none_or(|(least, _)| rank < *least) {
                best = Some((rank, file));
            }
        }
        let wheel = best.map(|(_, file)| file);
        match wheel.or(package.sdist.as_ref().filter(|_| allowed.sources)) {
            Some(file) => Ok(file),
            None if others.is_empty() => {
                bail!("it has no file of a kind that may be taken (--only-binary, --no-binary)")
            }
            None => Err(no_wheel(&others)),
        }
    }
}

/// How good a wheel is: its tag, then the higher build number.
type Rank = (u32, std::cmp::Reverse<Option<(u64, String)>>);

/// What files are chosen for.
struct Target<'a> {
    python: Version,
    tags: Tags,
    formats: &'a Formats,
}

impl Target<'_> {
    /// As in pip, a pre-release of Python counts as its release.
    fn check_python(&self, specifiers: Option<&str>) -> Result<()> {
        let Some(text) = specifiers else { return Ok(()) };
        let parsed = VersionSpecifiers::from_str(text)
            .map_err(|_| anyhow!("its requires-python {text:?} is no list of version specifiers"))?;
        if !parsed.contains(&self.python.only_release()) {
            bail!("it requires Python {text}, and this is {}", self.python);
        }
        Ok(())
    }
}

fn no_wheel(tags: &[String]) -> anyhow::Error {
    anyhow!("it has no wheel for this Python and platform: there are {}", tags.join(", "))
}

/// Names that were asked for, if the file knows them.
fn known(kind: &str, wanted: &[String], there: &[String]) -> Result<Vec<ExtraName>> {
    let read = |text: &String| ExtraName::from_str(text).map_err(|_| anyhow!("{text:?} is no name of an {kind}"));
    let there = there.iter().map(read).collect::<Result<Vec<_>>>()?;
    let wanted = wanted.iter().map(read).collect::<Result<Vec<_>>>()?;
    match wanted.iter().find(|name| !there.contains(name)) {
        Some(absent) => {
            let names: Vec<&str> = there.iter().map(AsRef::as_ref).collect();
            bail!(
                "it has no {kind} {absent}: it has {}",
                if names.is_empty() { "none".into() } else { names.join(", ") }
            )
        }
        None => Ok(wanted),
    }
}
