//! Why versions are not to be had, and what would mend it.

use super::{Facts, Writer, listed};
use crate::candidates::{Candidates, PassedOver};
use crate::metadata::parse_specifiers;
use crate::range::{VersionRange, shown};
use crate::request::Prerelease;
use crate::session::Project;
use omnipkg_store::tags::WheelTag;
use pep440_rs::Version;
use pep508_rs::PackageName;
use std::collections::{BTreeSet, HashSet};
use version_ranges::Ranges;

/// Most versions that are listed instead of the oldest and the newest.
const FEW: usize = 4;
/// Most tags that are listed.
const TAGS: usize = 6;
/// No Python 3 is newer than this.
const LAST_MINOR: u64 = 40;

/// One kind of reason, and the versions that it holds for, newest first.
struct Reason<'a> {
    kind: PassedOver,
    versions: Vec<&'a Version>,
}

impl Writer<'_> {
    /// A line for each project and reason.
    pub(super) fn missing(&self, facts: &Facts) -> Vec<String> {
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
        lines.extend(reasons(known.passed_over(&range)).iter().map(|reason| self.reason(name, reason)));
        // A range in which nothing exists is worth a line only if somebody needs just that.
        let needs = facts.needs.iter().filter(|need| need.needed.name() == Some(name));
        let mut nowhere: Vec<String> = Vec::new();
        for wanted in needs.flat_map(|need| &need.ranges).filter(|wanted| !wanted.is_empty()) {
            let word = format!("{name}{}", shown(wanted));
            let exists = known.versions().any(|version| wanted.contains(version));
            if !exists && wanted.subset_of(&range) && !nowhere.contains(&word) {
                nowhere.push(word);
            }
        }
        if known.versions().next().is_none() {
            lines.push(format!("{name} has no files that can be used at all"));
        } else if !nowhere.is_empty() {
            lines.push(format!("there is no {} ({})", listed(&nowhere), there_are(&known)));
        }
        lines
    }

    fn reason(&self, name: &PackageName, Reason { kind, versions }: &Reason<'_>) -> String {
        let is_one = versions.len() == 1;
        let shown: Vec<String> = versions.iter().map(ToString::to_string).collect();
        let subject = format!("{name} {}", listed(&shown));
        let verb = |one: &'static str, many: &'static str| if is_one { one } else { many };
        match kind {
            PassedOver::Prerelease => {
                let what = verb("is a pre-release", "are pre-releases");
                let unnamed = match self.provider.session.target.prerelease {
                    Prerelease::Explicit => " that you did not name",
                    _ => "",
                };
                let them = verb("it", "one");
                format!("{subject} {what}{unnamed}: --prerelease if-necessary would take {them}")
            }
            PassedOver::Yanked(why) => {
                let why = why.trim();
                let why = if why.is_empty() { String::new() } else { format!(" ({why})") };
                let newest = shown.first().map_or("", String::as_str);
                format!("{subject} {} yanked{why}: only your own {name}=={newest} takes it", verb("was", "were"))
            }
            PassedOver::Python(wanted) => {
                let mend = self.other_python(wanted);
                format!("{subject} {} Python {wanted}{mend}", verb("needs", "need"))
            }
            PassedOver::Withheld(why) => {
                let (was, has) = (why.strip_prefix("was "), why.strip_prefix("has "));
                let many = was.map(|rest| format!("were {rest}")).or(has.map(|rest| format!("have {rest}")));
                format!("{subject} {}", many.filter(|_| !is_one).unwrap_or_else(|| why.to_string()))
            }
            PassedOver::SourceOnly => {
                format!(
                    "{subject} {} no wheel, only source, which --only-binary or --no-build forbids",
                    verb("has", "have")
                )
            }
            PassedOver::WheelsOnly => {
                format!("{subject} {} no source, only wheels, which --no-binary forbids", verb("has", "have"))
            }
            PassedOver::Packing => {
                format!("{subject} {} only source in an archive that is not understood", verb("has", "have"))
            }
            PassedOver::Tags(tags) => {
                format!(
                    "{subject} {} no wheel for this Python and platform{}",
                    verb("has", "have"),
                    self.made_for(tags)
                )
            }
        }
    }

    /// ": --python 3.12 would do", if there is such a Python.
    pub(super) fn other_python(&self, wanted: &str) -> String {
        self.python_for(wanted).map_or(String::new(), |minor| format!(": --python 3.{minor} would do"))
    }

    /// The minor version of Python 3 nearest to this one that the specifier accepts, newer ones first.
    fn python_for(&self, specifier: &str) -> Option<u64> {
        let wanted = parse_specifiers(specifier)?;
        let here = *self.provider.session.target.python.release().get(1)?;
        let accepted = |minor: &u64| wanted.contains(&Version::new([3, *minor, 0]));
        (here + 1..LAST_MINOR).find(accepted).or_else(|| (0..here).rev().find(accepted))
    }

    /// " (only for cp37, cp38): --python 3.8 would do"; if this Python is among them, the platforms they are for.
    fn made_for(&self, tags: &[WheelTag]) -> String {
        let target = &self.provider.session.target;
        let pair = |tag: &'_ WheelTag| (tag.python.clone(), tag.abi.clone());
        let pairs: HashSet<_> = target.tags.iter().map(pair).collect();
        let platforms: HashSet<&str> = target.tags.iter().map(|tag| tag.platform.as_str()).collect();
        let fitting: BTreeSet<&str> =
            tags.iter().filter(|tag| pairs.contains(&pair(tag))).map(|tag| tag.platform.as_str()).collect();
        let pythons: BTreeSet<&str> = tags.iter().map(|tag| tag.python.as_str()).collect();
        let all: Vec<&str> = if fitting.is_empty() { pythons } else { fitting }.into_iter().collect();
        let more = if all.len() > TAGS { ", …" } else { "" };
        let here = target.python.release().get(1).copied().unwrap_or_default();
        let others = tags.iter().filter(|tag| platforms.contains(tag.platform.as_str()));
        let minors = others.filter_map(|tag| tag.python.strip_prefix("cp3")?.parse::<u64>().ok());
        let nearest = minors.filter(|minor| *minor != here).min_by_key(|minor| (minor.abs_diff(here), *minor < here));
        let mend = nearest.map_or(String::new(), |minor| format!(": --python 3.{minor} would do"));
        format!(" (only for {}{more}){mend}", all.into_iter().take(TAGS).collect::<Vec<_>>().join(", "))
    }
}

/// Versions with one reason together; tags are collected.
fn reasons(passed: Vec<(&Version, PassedOver)>) -> Vec<Reason<'_>> {
    let mut reasons: Vec<Reason<'_>> = Vec::new();
    for (version, kind) in passed {
        let same = |reason: &&mut Reason<'_>| match (&reason.kind, &kind) {
            (PassedOver::Tags(_), PassedOver::Tags(_)) => true,
            (one, other) => one == other,
        };
        match reasons.iter_mut().find(same) {
            Some(reason) => {
                reason.versions.push(version);
                if let (PassedOver::Tags(all), PassedOver::Tags(more)) = (&mut reason.kind, kind) {
                    all.extend(more);
                }
            }
            None => reasons.push(Reason { kind, versions: vec![version] }),
        }
    }
    reasons
}

/// "there is only 1.0", "there are 1.0, 1.1", "there are 30 versions, 1.0 to 30.0".
fn there_are(known: &Candidates) -> String {
    let all: Vec<String> = known.versions().map(ToString::to_string).collect();
    match &all[..] {
        [one] => format!("there is only {one}"),
        [oldest, .., newest] if all.len() > FEW => format!("there are {} versions, {oldest} to {newest}", all.len()),
        few => format!("there are {}", few.join(", ")),
    }
}
