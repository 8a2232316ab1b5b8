//! Why there is no solution, in words.
//!
//! The leaves of pubgrub's derivation tree are facts that together leave no way out. They are shown as such,
//! merged where they say the same of many versions, in the order in which a user meets them: what was asked
//! for, what that needs, and so on, then what is not to be had, why, and what would mend it (`reasons`).
//! At most [`LINES`] lines, and no link of the chain is left out as long as there is room for it.

mod reasons;

use crate::candidates::Candidates;
use crate::provider::{Package, Provider, Unusable};
use crate::range::{VersionRange, shown};
use crate::session::{Project, applying};
use pep440_rs::Version;
use pep508_rs::PackageName;
use pubgrub::{DerivationTree, External};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use version_ranges::Ranges;

/// Most lines of an explanation, the first one included.
const LINES: usize = 10;
/// Most facts that one line may hold where there are too many.
const FACTS: usize = 3;
/// Most things of a kind that are listed before "and … more".
const LISTED: usize = 3;

type Tree = DerivationTree<Package, VersionRange, Unusable>;

/// The leaves, merged.
#[derive(Default)]
struct Facts {
    /// In order of appearance.
    needs: Vec<Need>,
    /// Project → versions that are not to be had.
    missing: BTreeMap<PackageName, VersionRange>,
    /// Versions that cannot be used, and why.
    unusable: Vec<(Package, VersionRange, Unusable)>,
}

/// Versions of a package need another in one of these ranges, which differ by version if there are several.
#[derive(Clone, PartialEq)]
struct Need {
    of: Package,
    versions: VersionRange,
    needed: Package,
    ranges: Vec<VersionRange>,
}

/// Explains a derivation tree.
pub(crate) fn explain(tree: &Tree, provider: &Provider<'_>) -> String {
    let mut facts = Facts::default();
    facts.collect(tree, &mut HashSet::new());
    facts.drop_doubles();
    let writer = Writer { provider };
    let ends = [writer.unusable(&facts), writer.missing(&facts)].concat();
    let mut needs = writer.needs(&facts.needs);
    if needs.len() + ends.len() > LINES - 1 {
        needs = writer.needs(&facts.needs_by_version());
    }
    let lines = fitted(needs, ends);
    let python = &provider.session.target.python;
    format!("no versions fit together on Python {python}:\n  {}", lines.join("\n  "))
}

/// The lines, several facts on one if they are too many; what must be left out is counted.
fn fitted(mut needs: Vec<String>, mut ends: Vec<String>) -> Vec<String> {
    let room = LINES - 1;
    if ends.len() > room / 2 && needs.len() + ends.len() > room {
        cut(&mut ends, (room / 2).max(room.saturating_sub(needs.len())));
    }
    let room = room - ends.len();
    if needs.len() > room {
        let together = needs.len().div_ceil(room).min(FACTS);
        needs = needs.chunks(together).map(|facts| facts.join("; ")).collect();
    }
    if needs.len() > room {
        cut(&mut needs, room);
    }
    [needs, ends].concat()
}

fn cut(lines: &mut Vec<String>, room: usize) {
    let more = lines.len() - (room - 1);
    lines.truncate(room - 1);
    lines.push(format!("and {more} more facts of this kind"));
}

/// `a, b, c and 5 more`.
fn listed(words: &[String]) -> String {
    let first = words.iter().take(LISTED).cloned().collect::<Vec<_>>().join(", ");
    if words.len() > LISTED { format!("{first} and {} more", words.len() - LISTED) } else { first }
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

    fn add(&mut self, external: &External<Package, VersionRange, Unusable>) {
        match external {
            External::NotRoot(..) => {}
            External::FromDependencyOf(Package::Extra(name, _), _, Package::Project(other), _) if name == other => {}
            External::FromDependencyOf(package, versions, needed, range) => {
                let same = |need: &&mut Need| {
                    (&need.of, &need.needed, need.ranges.as_slice()) == (package, needed, std::slice::from_ref(range))
                };
                match self.needs.iter_mut().find(same) {
                    Some(need) => need.versions = need.versions.union(versions),
                    None => self.needs.push(Need {
                        of: package.clone(),
                        versions: versions.clone(),
                        needed: needed.clone(),
                        ranges: vec![range.clone()],
                    }),
                }
            }
            External::NoVersions(package, range) => {
                if let Some(name) = package.name() {
                    let known = self.missing.entry(name.clone()).or_insert_with(Ranges::empty);
                    *known = known.union(range);
                }
            }
            External::Custom(package, versions, reason) => {
                match self.unusable.iter_mut().find(|fact| (&fact.0, &fact.2) == (package, reason)) {
                    Some(fact) => fact.1 = fact.1.union(versions),
                    None => self.unusable.push((package.clone(), versions.clone(), reason.clone())),
                }
            }
        }
    }

    /// `needs a[x]>=1` says `needs a>=1` too.
    fn drop_doubles(&mut self) {
        let extras: Vec<Need> =
            self.needs.iter().filter(|need| matches!(need.needed, Package::Extra(..))).cloned().collect();
        self.needs.retain(|need| {
            !matches!(&need.needed, Package::Project(name) if extras.iter().any(|other| {
                other.of == need.of && other.needed.name() == Some(name) && other.ranges == need.ranges
            }))
        });
    }

    /// All that one package needs of another as one fact.
    fn needs_by_version(&self) -> Vec<Need> {
        let mut merged: Vec<Need> = Vec::new();
        for need in &self.needs {
            match merged.iter_mut().find(|known| known.of == need.of && known.needed == need.needed) {
                Some(known) => {
                    known.versions = known.versions.union(&need.versions);
                    known.ranges.extend(need.ranges.iter().cloned());
                }
                None => merged.push(need.clone()),
            }
        }
        merged
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
    fn needs(&self, needs: &[Need]) -> Vec<String> {
        let mut lines = Vec::new();
        let mut reached = vec![Package::Root];
        let mut next = 0;
        while let Some(package) = reached.get(next).cloned() {
            next += 1;
            for need in needs.iter().filter(|need| need.of == package) {
                // The extra's project is the same node to a reader.
                let project = need.needed.name().cloned().map(Package::Project);
                for package in [Some(need.needed.clone()), project].into_iter().flatten() {
                    if !reached.contains(&package) {
                        reached.push(package);
                    }
                }
                lines.push(self.need(need));
            }
        }
        lines.extend(needs.iter().filter(|need| !reached.contains(&need.of)).map(|need| self.need(need)));
        let mut seen = HashSet::new();
        lines.retain(|line| seen.insert(line.clone()));
        lines
    }

    fn need(&self, Need { of, versions, needed, ranges }: &Need) -> String {
        let overridden = needed.name().and_then(|name| self.provider.session.overrides(name));
        let overridden = overridden.map_or(String::new(), |overrides| {
            let wanted: Vec<String> = overrides.iter().map(ToString::to_string).collect();
            format!(", in place of which your overrides want {}", wanted.join(" and "))
        });
        if *of == Package::Root {
            let asked: Vec<String> = ranges.iter().map(|range| self.asked(needed, range)).collect();
            return format!("you asked for {}{overridden}", asked.join(" and "));
        }
        let of = self.versions(of, versions);
        if !overridden.is_empty() {
            return format!("{of} needs {needed}{overridden}");
        }
        match &ranges[..] {
            [range] if range.is_empty() => format!("{of} needs {needed} in a version that there cannot be"),
            [range] => format!("{of} needs {needed}{}", shown(range)),
            several => {
                let mut several: Vec<&VersionRange> = several.iter().collect();
                several.sort();
                let several: Vec<String> = several.iter().map(|range| format!("{needed}{}", shown(range))).collect();
                format!("{of} needs, by version, {}", listed(&several))
            }
        }
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
            [one] if range.is_empty() => format!("{one}, which no version can be"),
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
        let line = |(package, versions, reason): &(Package, VersionRange, Unusable)| {
            let mend = match reason {
                Unusable::Python(wanted) => self.other_python(wanted),
                Unusable::Other(_) => String::new(),
            };
            format!("{} cannot be used: {reason}{mend}", self.versions(package, versions))
        };
        facts.unusable.iter().map(line).collect()
    }
}
