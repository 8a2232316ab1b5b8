//! Why there is no solution, in words.
//!
//! The leaves of pubgrub's derivation tree are facts that together leave no way out. They are shown as such,
//! merged where they say the same of many versions, in the order in which a user meets them: what was asked
//! for, what that needs, and so on, then what is not to be had and why. At most [`LINES`] lines.

use crate::candidates::{Candidates, PassedOver};
use crate::provider::{Package, Provider};
use crate::range::{VersionRange, shown};
use crate::session::{Project, applying};
use omnipkg_store::tags::WheelTag;
use pep440_rs::Version;
use pep508_rs::PackageName;
use pubgrub::{DerivationTree, External};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use version_ranges::Ranges;

/// Most lines of an explanation.
const LINES: usize = 10;

type Tree = DerivationTree<Package, VersionRange, String>;

/// The leaves, merged.
#[derive(Default)]
struct Facts {
    /// (dependent, dependency, its range) → versions of the dependent; in order of appearance.
    needs: Vec<(Package, Package, VersionRange, VersionRange)>,
    /// Project → versions that are not to be had.
    missing: BTreeMap<PackageName, VersionRange>,
    /// Versions that cannot be used, and why.
    unusable: Vec<(Package, VersionRange, String)>,
}

/// Explains a derivation tree.
pub(crate) fn explain(tree: &Tree, provider: &Provider<'_>) -> String {
    let mut facts = Facts::default();
    facts.collect(tree, &mut HashSet::new());
    facts.drop_doubles();
    let writer = Writer { provider };
    let mut lines = writer.needs(&facts);
    lines.extend(writer.unusable(&facts));
    lines.extend(writer.missing(&facts));
    if lines.len() > LINES - 1 {
        let more = lines.len() - (LINES - 2);
        lines.truncate(LINES - 2);
        lines.push(format!("and {more} more facts of this kind"));
    }
    let python = &provider.session.target.python;
    format!("no versions fit together on Python {python}:\n  {}", lines.join("\n  "))
}

impl Facts {
    fn collect(&mut self, tree: &Tree, seen: &mut HashSet<usize>) {
        // A loop over a stack, since trees can be thousands deep.
        let mut stack = vec![tree];
        while let Some(tree) = stack.pop() {
            match tree {
                DerivationTree::Derived(derived) => {
                    if derived.shared_id.is_none_or(|id| seen.insert(id)) {
                        stack.push(&derived.cause2);
                        stack.push(&derived.cause1);
                    }
                }
                DerivationTree::External(external) => self.add(external),
            }
        }
    }

    fn add(&mut self, external: &External<Package, VersionRange, String>) {
        match external {
            External::NotRoot(..) => {}
            External::FromDependencyOf(Package::Extra(name, _), _, Package::Project(other), _) if name == other => {}
            External::FromDependencyOf(package, versions, needed, range) => {
                let same = |fact: &&mut (Package, Package, VersionRange, VersionRange)| {
                    (&fact.0, &fact.1, &fact.2) == (package, needed, range)
                };
                match self.needs.iter_mut().find(same) {
                    Some(fact) => fact.3 = fact.3.union(versions),
                    None => self.needs.push((package.clone(), needed.clone(), range.clone(), versions.clone())),
                }
            }
            External::NoVersions(package, range) => {
                if let Some(name) = package.name() {
                    let known = self.missing.entry(name.clone()).or_insert_with(Ranges::empty);
                    *known = known.union(range);
                }
            }
            External::Custom(package, versions, reason) => {
                let fact = (package.clone(), versions.clone(), reason.clone());
                if !self.unusable.contains(&fact) {
                    self.unusable.push(fact);
                }
            }
        }
    }

    /// `needs a[x]>=1` says `needs a>=1` too.
    fn drop_doubles(&mut self) {
        let extras: Vec<_> = self.needs.iter().filter(|fact| matches!(fact.1, Package::Extra(..))).cloned().collect();
        self.needs.retain(|(package, needed, range, _)| {
            !matches!(needed, Package::Project(name) if extras.iter().any(|(other, extra, same, _)| {
                other == package && extra.name() == Some(name) && same == range
            }))
        });
    }
}

struct Writer<'a> {
    provider: &'a Provider<'a>,
}

impl Writer<'_> {
    fn candidates(&self, name: &PackageName) -> Option<Arc<Candidates>> {
        match self.provider.session.project(name, &Ranges::full()).peek()? {
            Ok(Project::Known(candidates)) => Some(candidates),
            _ => None,
        }
    }

    /// What the user asked for, then breadth-first what that needs.
    fn needs(&self, facts: &Facts) -> Vec<String> {
        let mut lines = Vec::new();
        let mut reached = vec![Package::Root];
        let mut next = 0;
        while let Some(package) = reached.get(next).cloned() {
            next += 1;
            for (_, needed, range, versions) in facts.needs.iter().filter(|fact| fact.0 == package) {
                if !reached.contains(needed) {
                    reached.push(needed.clone());
                }
                // The extra's project is the same node to a reader.
                if let Package::Extra(name, _) = needed
                    && !reached.contains(&Package::Project(name.clone()))
                {
                    reached.push(Package::Project(name.clone()));
                }
                let line = self.need(&package, versions, needed, range);
                if !lines.contains(&line) {
                    lines.push(line);
                }
            }
        }
        let unreached = facts.needs.iter().filter(|fact| !reached.contains(&fact.0));
        lines.extend(unreached.map(|(package, needed, range, versions)| self.need(package, versions, needed, range)));
        lines
    }

    fn need(&self, package: &Package, versions: &VersionRange, needed: &Package, range: &VersionRange) -> String {
        if *package == Package::Root {
            return format!("you asked for {}", self.asked(needed, range));
        }
        format!("{} needs {needed}{}", self.versions(package, versions), shown(range))
    }

    /// The user's own words, which may contradict each other.
    fn asked(&self, needed: &Package, range: &VersionRange) -> String {
        let session = self.provider.session;
        let asked = applying(self.provider.requirements, &session.target)
            .filter(|requirement| Some(&requirement.name) == needed.name())
            .map(|requirement| requirement.to_string().split(" ;").next().unwrap_or_default().to_owned());
        let asked: Vec<String> = asked.collect();
        match &asked[..] {
            [] => format!("{needed}{}", shown(range)),
            [one] => one.clone(),
            several if range.is_empty() => format!("{}, which contradict each other", several.join(" and ")),
            several => several.join(" and "),
        }
    }

    /// "rich 13.4.2", "every version of rich", "rich >=13".
    fn versions(&self, package: &Package, versions: &VersionRange) -> String {
        let known = package.name().and_then(|name| self.candidates(name));
        let all: Vec<&Version> = known.as_ref().map(|known| known.versions().collect()).unwrap_or_default();
        let inside: Vec<&&Version> = all.iter().filter(|version| versions.contains(version)).collect();
        match &inside[..] {
            [one] => format!("{package} {one}"),
            _ if !all.is_empty() && inside.len() == all.len() => format!("every version of {package}"),
            _ => format!("{package} {}", shown(&versions.simplify(all.iter().copied()))),
        }
    }

    fn unusable(&self, facts: &Facts) -> Vec<String> {
        let line = |(package, versions, reason): &(Package, VersionRange, String)| {
            format!("{} cannot be used: {reason}", self.versions(package, versions))
        };
        facts.unusable.iter().map(line).collect()
    }

    fn missing(&self, facts: &Facts) -> Vec<String> {
        facts.missing.iter().flat_map(|(name, range)| self.not_to_be_had(name, range, facts)).collect()
    }

    fn not_to_be_had(&self, name: &PackageName, range: &VersionRange, facts: &Facts) -> Vec<String> {
        let session = self.provider.session;
        let known = match session.project(name, &Ranges::full()).peek() {
            Some(Ok(Project::Known(known))) => known,
            Some(Ok(Project::Unknown(asked))) => {
                return vec![format!("no index knows project {name} (asked: {})", asked.join(", "))];
            }
            _ => return Vec::new(),
        };
        let mut lines = Vec::new();
        if let Some(constraint) = session.constraint(name) {
            lines.push(format!("your constraints allow only {name}{}", shown(constraint)));
        }
        let range = session.constrained(name, range);
        let passed = known.passed_over(&range);
        lines.extend(self.reasons(name, passed));
        // A range in which nothing exists is worth a line only if somebody needs just that.
        let wanted = facts.needs.iter().filter(|fact| fact.1.name() == Some(name) && !fact.2.is_empty());
        for (_, _, wanted, _) in wanted {
            if !known.versions().any(|version| wanted.contains(version)) && wanted.subset_of(&range) {
                let line = match (known.versions().next(), known.versions().next_back()) {
                    (Some(oldest), Some(newest)) => {
                        format!("there is no {name}{} (there are {oldest} to {newest})", shown(wanted))
                    }
                    _ => format!("{name} has no files that can be used at all"),
                };
                if !lines.contains(&line) {
                    lines.push(line);
                }
            }
        }
        lines
    }

    /// One line for each kind of reason.
    fn reasons(&self, name: &PackageName, passed: Vec<(&Version, PassedOver)>) -> Vec<String> {
        let mut kinds: BTreeMap<String, Vec<&Version>> = BTreeMap::new();
        let mut tags: Vec<WheelTag> = Vec::new();
        for (version, reason) in passed {
            let words = match reason {
                PassedOver::Prerelease => "is a pre-release that was not asked for".to_owned(),
                PassedOver::Yanked(why) if why.trim().is_empty() => "was yanked".to_owned(),
                PassedOver::Yanked(why) => format!("was yanked ({})", why.trim()),
                PassedOver::Python(wanted) => format!("needs Python {wanted}"),
                PassedOver::Withheld(why) => why.to_string(),
                PassedOver::SourceOnly => "has no wheel, only source, which may not be built".to_owned(),
                PassedOver::WheelsOnly => "has no source, only wheels, which may not be taken".to_owned(),
                PassedOver::Packing => "has only source in an archive that is not understood".to_owned(),
                PassedOver::Tags(there) => {
                    tags.extend(there);
                    "has no wheel for this Python and platform".to_owned()
                }
            };
            kinds.entry(words).or_default().push(version);
        }
        let line = |(words, versions): (String, Vec<&Version>)| {
            let there = if words.contains("platform") { self.made_for(&tags) } else { String::new() };
            let (plural, count) = (versions.len() > 1, versions.len());
            let list: Vec<String> = versions.iter().take(3).map(ToString::to_string).collect();
            let more = if count > 3 { format!(" and {} more", count - 3) } else { String::new() };
            format!("{name} {}{more} {}{there}", list.join(", "), if plural { many(&words) } else { words })
        };
        kinds.into_iter().map(line).collect()
    }

    /// " (only for cp37, cp38)"; if this Python is among them, the platforms that they are for.
    fn made_for(&self, tags: &[WheelTag]) -> String {
        let pair = |tag: &'_ WheelTag| (tag.python.clone(), tag.abi.clone());
        let target: HashSet<_> = self.provider.session.target.tags.iter().map(pair).collect();
        let fitting: BTreeSet<&str> =
            tags.iter().filter(|tag| target.contains(&pair(tag))).map(|tag| tag.platform.as_str()).collect();
        let pythons: BTreeSet<&str> = tags.iter().map(|tag| tag.python.as_str()).collect();
        let shown: Vec<&str> = if fitting.is_empty() { pythons } else { fitting }.into_iter().collect();
        let more = if shown.len() > 6 { ", …" } else { "" };
        format!(" (only for {}{more})", shown[..shown.len().min(6)].join(", "))
    }
}

fn many(words: &str) -> String {
    let turned = [("is a pre-release", "are pre-releases"), ("was ", "were "), ("needs ", "need "), ("has ", "have ")];
    let found = turned.iter().find_map(|(one, many)| Some(format!("{many}{}", words.strip_prefix(one)?)));
    found.unwrap_or_else(|| words.to_owned()).replace("that was not asked", "that were not asked")
}
