//! Sets that are pinned through and through: their lock follows from what was chosen before, without index or solver.
//!
//! Which wheel a pin (`name==version`) came to, for an interpreter and its indexes, is remembered like any other answer.
//! What must stay true: there is one lock that such a set can have, so this is the solver's; whatever leaves the solver
//! a choice (a dependency without a pin, a pre-release, a local version, a URL) is the solver's business.

use crate::answers::{Answer, Question};
use crate::workshop::Wheels;
use anyhow::Result;
use omnipkg_resolver::{Lock, LockedWheel, Origin, satisfies};
use omnipkg_store::wheel::WheelTree;
use omnipkg_store::{Sha256, Store};
use pep440_rs::{Operator, Version};
use pep508_rs::{ExtraName, MarkerEnvironment, PackageName, Requirement, VersionOrUrl};
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

/// What pins are remembered for: a question that begins with the interpreter and its indexes.
pub struct Pins<'a> {
    /// The store.
    pub store: &'a Store,
    /// Begins each question.
    pub question: Question,
}

/// From this many pins on, two threads look them up: each is a few small files to be read.
const SHARED: usize = 16;

/// A wheel of the set, and the extras that are asked of it.
struct Member {
    wheel: LockedWheel,
    sha256: Sha256,
    tree: WheelTree,
    extras: BTreeSet<ExtraName>,
}

impl Pins<'_> {
    /// The lock of a set that is pinned through and through, if every wheel of it is known and in the store.
    pub fn lock(&self, requirements: &[Requirement], markers: &MarkerEnvironment) -> Option<(Lock, Wheels)> {
        let pins: Vec<(&PackageName, &Version)> = pins(requirements)?.into_iter().collect();
        let mut members = self.members(&pins)?;
        close(&mut members, requirements, markers)?;
        let wheels = members.values().map(|member| member.wheel.clone()).collect();
        let trees = members.into_values().map(|member| (member.sha256, member.tree)).collect();
        Some((Lock { wheels }, trees))
    }

    /// Remembers what pins to the versions of a lock come to, whatever was asked for: a version's wheel is chosen alike.
    /// What is known already is put anew only if it was asked for.
    pub fn remember(&self, lock: &Lock, anew: bool) -> Result<()> {
        let of_an_index = |wheel: &&LockedWheel| wheel.is_wheel() && wheel.origin == Origin::Index;
        for wheel in lock.wheels.iter().filter(of_an_index).filter(|wheel| is_plain(&wheel.version)) {
            let Ok(name) = PackageName::from_str(&wheel.name) else { continue };
            let question = self.pin_question(&name, &wheel.version);
            if wheel.sha256.is_some() && (anew || Answer::read(self.store, &question).is_none()) {
                Answer { lock: Lock { wheels: vec![wheel.clone()] } }.write(self.store, &question)?;
            }
        }
        Ok(())
    }

    fn members(&self, pins: &[(&PackageName, &Version)]) -> Option<BTreeMap<PackageName, Member>> {
        let look_up = |pins: &[(&PackageName, &Version)]| -> Option<Vec<(PackageName, Member)>> {
            pins.iter().map(|(name, version)| Some(((*name).clone(), self.member(name, version)?))).collect()
        };
        if pins.len() < SHARED {
            return look_up(pins).map(BTreeMap::from_iter);
        }
        let (first, second) = pins.split_at(pins.len() / 2);
        std::thread::scope(|scope| {
            let second = scope.spawn(|| look_up(second));
            let first = look_up(first)?;
            Some(first.into_iter().chain(second.join().ok()??).collect())
        })
    }

    fn member(&self, name: &PackageName, version: &Version) -> Option<Member> {
        let answer = Answer::read(self.store, &self.pin_question(name, version))?;
        let mut wheel = answer.lock.wheels.into_iter().next()?;
        let sha256 = wheel.sha256?;
        let tree = WheelTree::open(self.store, &sha256).ok()?;
        wheel.requires.clear();
        Some(Member { wheel, sha256, tree, extras: BTreeSet::new() })
    }

    fn pin_question(&self, name: &PackageName, version: &Version) -> Question {
        let mut question = self.question.clone();
        question.add("pin", &format!("{name}=={version}"));
        question
    }
}

/// The project and version of a requirement that leaves no choice.
fn pin(requirement: &Requirement) -> Option<(&PackageName, &Version)> {
    let Some(VersionOrUrl::VersionSpecifier(specifiers)) = &requirement.version_or_url else { return None };
    let mut specifiers = specifiers.iter();
    let (only, None) = (specifiers.next()?, specifiers.next()) else { return None };
    let plain = *only.operator() == Operator::Equal && is_plain(only.version());
    (plain && requirement.marker.is_true()).then(|| (&requirement.name, only.version()))
}

/// True for versions of which pins and ranges mean the same.
fn is_plain(version: &Version) -> bool {
    !version.any_prerelease() && !version.is_local()
}

/// The pin of every project; `None` if there is a requirement for a project that has none.
fn pins(requirements: &[Requirement]) -> Option<BTreeMap<&PackageName, &Version>> {
    let pins: BTreeMap<&PackageName, &Version> = requirements.iter().filter_map(pin).collect();
    let pinned = requirements.iter().all(|requirement| pins.contains_key(&requirement.name));
    (pinned && !pins.is_empty()).then_some(pins)
}

/// Follows what the members require among each other; `None` if one requires what is not there or another version.
fn close(
    members: &mut BTreeMap<PackageName, Member>,
    requirements: &[Requirement],
    markers: &MarkerEnvironment,
) -> Option<()> {
    let mut queue: Vec<PackageName> = Vec::new();
    for requirement in requirements {
        queue.extend(meet(members, requirement)?);
    }
    // Every member is asked once for itself, and again whenever more extras are asked of it.
    queue.extend(members.keys().cloned());
    while let Some(name) = queue.pop() {
        let member = members.get(&name)?;
        let extras: Vec<ExtraName> = member.extras.iter().cloned().collect();
        let mut required = Vec::new();
        for text in &member.tree.head.requires_dist {
            if extras.is_empty() && is_for_an_extra(text) {
                continue;
            }
            let requirement = Requirement::from_str(text).ok()?;
            if requirement.evaluate_markers(markers, &extras) {
                required.push(requirement);
            }
        }
        let names: BTreeSet<String> = required.iter().map(|requirement| requirement.name.to_string()).collect();
        for requirement in &required {
            queue.extend(meet(members, requirement)?);
        }
        members.get_mut(&name)?.wheel.requires = names.into_iter().filter(|other| *other != name.as_ref()).collect();
    }
    Some(())
}

/// Checks a requirement against the member that answers it; the member's name if more extras are asked of it now.
fn meet(members: &mut BTreeMap<PackageName, Member>, requirement: &Requirement) -> Option<Option<PackageName>> {
    let member = members.get_mut(&requirement.name)?;
    let satisfied = match &requirement.version_or_url {
        None => true,
        Some(VersionOrUrl::VersionSpecifier(specifiers)) => satisfies(specifiers, &member.wheel.version),
        Some(VersionOrUrl::Url(_)) => false,
    };
    let before = member.extras.len();
    member.extras.extend(requirement.extras.iter().cloned());
    satisfied.then(|| (member.extras.len() > before).then(|| requirement.name.clone()))
}

/// True if a requirement certainly holds only where an extra is asked for; what is written in another way is parsed.
///
/// Parsing hundreds of them takes its time, and nearly all end in `extra == 'x'`, alone or after an `and`.
fn is_for_an_extra(text: &str) -> bool {
    let Some((project, marker)) = text.split_once(';') else { return false };
    let Some((before, extra)) = marker.trim().rsplit_once("==") else { return false };
    let quoted = |quote| extra.trim_start().strip_prefix(quote)?.strip_suffix(quote);
    let Some(name) = quoted('\'').or_else(|| quoted('"')) else { return false };
    let Some(before) = before.trim_end().strip_suffix("extra") else { return false };
    let is_part = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.');
    let mut words = before.split(|character| !is_part(character)).filter(|word| !word.is_empty());
    let is_a_term =
        before.is_empty() || (before.ends_with(|last| !is_part(last)) && before.trim_end().ends_with("and"));
    let has_no_choice = words.all(|word| !word.eq_ignore_ascii_case("or"));
    is_a_term && has_no_choice && !project.contains('@') && !name.is_empty() && name.chars().all(is_part)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn requirements(texts: &[&str]) -> Vec<Requirement> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn only_what_leaves_no_choice_is_a_pin() {
        assert!(pin(&requirements(&["a==1.0"])[0]).is_some());
        for text in ["a", "a>=1", "a==1.*", "a==1.0,!=1.1", "a===1.0", "a==1.0rc1", "a==1.0+cpu", "a==1; os_name=='x'"]
        {
            assert!(pin(&requirements(&[text])[0]).is_none(), "{text}");
        }
        assert!(pins(&requirements(&["a==1", "b==2", "a>=1"])).is_some());
        assert!(pins(&requirements(&["a==1", "b"])).is_none());
        assert!(pins(&[]).is_none());
    }

    #[test]
    fn requirements_of_extras_are_told_by_their_text_where_it_is_certain() {
        let certain = [
            "a; extra == 'x'",
            "a>=1; python_version<'3.9' and extra == 'x'",
            "a ; (python_version<'3.9')and extra==\"x-y\" ",
        ];
        for text in certain {
            assert!(is_for_an_extra(text), "{text}");
            assert!(!requirements(&[text])[0].marker.evaluate_extras(&[]), "{text}");
        }
        let holds_without = [
            "a",
            "a; os_name=='x'",
            "a; extra == 'x' or os_name=='y'",
            "a; extra == 'x'or os_name=='y'",
            "a; os_name=='y'or python_version>'3'and extra == 'x'",
            "a; os_name=='y' or extra == 'x'",
            "a; (os_name=='y')or os_name=='z'and extra == 'x'",
            "a; os_name==\"and extra == 'x'\"",
            "a; extra != 'x'",
        ];
        for text in holds_without {
            assert!(!is_for_an_extra(text), "{text}");
            assert!(requirements(&[text])[0].marker.evaluate_extras(&[]), "{text}");
        }
        for text in ["extra ==1", "a; extra == ''", "a; brandextra == 'x'", "a @ http://127.0.0.1/;y and extra == 'x'"]
        {
            assert!(!is_for_an_extra(text), "{text}");
        }
    }
}
