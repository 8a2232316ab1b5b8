//! A thousand small universes: the solver agrees with one that tries everything, and its solutions hold.
//!
//! Universes are made from a number, so that every run asks the same; `OMNIPKG_TEST_UNIVERSES` asks for more.
//! What fails is made as small as it can be and printed as it would stand in `scenarios/`.

use crate::error::Error;
use crate::range;
use crate::testing::universe::{MemoryIndex, question, wheels};
use crate::testing::{Wheel, brute::Brute};
use pep440_rs::{Version, VersionSpecifiers};
use std::collections::BTreeMap;

/// A universe in the words of `testing::universe`.
#[derive(Clone, Debug, PartialEq)]
struct Case {
    offered: Vec<Vec<String>>,
    asked: Vec<String>,
}

impl Case {
    fn text(&self) -> String {
        let lines: Vec<String> = self.offered.iter().map(|fields| fields.join(" | ")).collect();
        format!("{}\n? {}", lines.join("\n"), self.asked.join(" | "))
    }

    /// What the solver gets wrong.
    fn fault(&self, index: &MemoryIndex) -> Option<String> {
        self.check(index).err()
    }

    /// Whether there is a solution, or what the solver gets wrong.
    fn check(&self, index: &MemoryIndex) -> Result<bool, String> {
        let offered: Vec<Wheel> = self.offered.iter().flat_map(|fields| wheels(&fields.join(" | "))).collect();
        let asked = question(&self.asked.join(" | "));
        let brute = Brute::new(&offered, &asked);
        match index.answer(&offered, &asked).0 {
            Ok(lock) => {
                let pins = lock.wheels.iter().map(|wheel| (wheel.name.parse().unwrap(), wheel.version.clone()));
                let fault = brute.fault(&pins.collect::<BTreeMap<_, _>>());
                fault.map_or(Ok(true), |fault| Err(format!("{fault}: {lock}")))
            }
            Err(error @ (Error::NoSolution(_) | Error::UnknownProject { .. })) if brute.has_solution() => {
                Err(format!("there is a solution, but: {error}"))
            }
            Err(Error::NoSolution(_) | Error::UnknownProject { .. }) => Ok(false),
            Err(error) => Err(format!("an error: {error}")),
        }
    }

    /// Every case with one line, field or requirement less.
    fn smaller(&self) -> Vec<Self> {
        let mut cases = Vec::new();
        for (line, fields) in self.offered.iter().enumerate() {
            let mut case = self.clone();
            case.offered.remove(line);
            cases.push(case);
            for field in 1..fields.len() {
                let mut case = self.clone();
                case.offered[line].remove(field);
                cases.push(case);
            }
        }
        for part in (0..self.asked.len()).filter(|_| self.asked.len() > 1) {
            let mut case = self.clone();
            case.asked.remove(part);
            cases.push(case);
        }
        cases
    }
}

/// Numbers that look random (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len())]
    }
}

const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "gone"];
const VERSIONS: [&str; 13] = [
    "1",
    "1.1",
    "2.0",
    "2.1",
    "3.0",
    "2.0rc1",
    "2.0b1",
    "3.1a1",
    "1.1.post1",
    "1.1.post1.dev0",
    "1+local",
    "2.0+local",
    "1!0.5",
];
const SPECIFIERS: [&str; 30] = [
    "",
    "",
    "",
    "",
    ">=1.1",
    ">=2.0",
    "<2.0",
    "<=1.1",
    "<=2.0",
    ">2.0",
    "==1.0",
    "==2.0",
    "!=2.0",
    "~=1.0",
    "==1.*",
    "!=1.*",
    ">1.0",
    "<3.1",
    ">=2.0rc1",
    "==3.1a1",
    ">=1.1,<3",
    "<2.0rc1",
    "==1.1.*",
    "===2.0",
    "==2.0+local",
    "<1.1.post1",
    ">2.0b1",
    "!=1.1,!=2.0",
    ">1.1.post1",
    "~=2.0b1",
];
const MARKERS: [&str; 7] = [
    "extra == 'x'",
    "extra == 'y'",
    "extra == 'x' and sys_platform == 'linux'",
    "extra == 'x' or extra == 'y'",
    "sys_platform == 'linux'",
    "python_version < '3.9'",
    "python_version < '3.9' or extra == 'y'",
];

fn requirement(dice: &mut Dice, projects: usize, markers: usize) -> String {
    let name = if dice.one_in(40) { NAMES[5] } else { NAMES[dice.below(projects)] };
    let extras = if dice.one_in(6) { dice.pick(&["[x]", "[y]", "[x,y]", "[z]"]) } else { "" };
    let marker = if dice.one_in(markers) { format!(" ; {}", dice.pick(&MARKERS)) } else { String::new() };
    format!("{name}{extras}{}{marker}", dice.pick(&SPECIFIERS))
}

fn line(dice: &mut Dice, name: &str, version: &str, projects: usize) -> Vec<String> {
    let mut fields = vec![format!("{name} {version}")];
    for _ in 0..dice.below(4) {
        fields.push(format!("needs {}", requirement(dice, projects, 2)));
    }
    fields.extend(["extra x".to_owned(), "extra y".to_owned()]);
    if dice.one_in(12) {
        fields.push(format!("python {}", dice.pick(&[">=3.12", ">=3.8", "<3.11", "==3.11.*"])));
    }
    if dice.one_in(12) {
        fields.push(format!("tag {}", dice.pick(&["cp311-cp311-win_amd64", "cp311-abi3-manylinux_2_17_x86_64"])));
    }
    if dice.one_in(4) {
        fields.push("silent".to_owned());
    }
    if dice.one_in(12) {
        fields.push("sdist".to_owned());
    }
    if dice.one_in(10) {
        fields.push("yanked broken".to_owned());
    }
    fields
}

fn case(seed: u64) -> Case {
    let mut dice = Dice(seed);
    let projects = 2 + dice.below(4);
    let mut offered = Vec::new();
    for name in &NAMES[..projects] {
        let mut versions = VERSIONS.to_vec();
        for _ in 0..1 + dice.below(4) {
            let version = versions.remove(dice.below(versions.len()));
            offered.push(line(&mut dice, name, version, projects));
        }
    }
    let mut asked: Vec<String> = (0..1 + dice.below(3)).map(|_| requirement(&mut dice, projects, 20)).collect();
    for kind in ["constraint", "override"] {
        if dice.one_in(4) {
            let (name, range) = (NAMES[dice.below(projects)], dice.pick(&SPECIFIERS[4..]));
            let marker = if dice.one_in(6) { " ; sys_platform == 'win32'" } else { "" };
            asked.push(format!("{kind} {name}{range}{marker}"));
        }
    }
    if dice.one_in(5) {
        asked.push(format!("prefer {}=={}", NAMES[dice.below(projects)], dice.pick(&VERSIONS)));
    }
    if dice.one_in(2) {
        asked.push(format!("prerelease {}", dice.pick(&["allow", "disallow", "explicit", "if-necessary"])));
    }
    if dice.one_in(4) {
        asked.push(format!("resolution {}", dice.pick(&["lowest", "lowest-direct"])));
    }
    if dice.one_in(8) {
        let kind = dice.pick(&["only-binary", "no-binary"]);
        asked.push(format!("{kind} {}", dice.pick(&[":all:", "a", "b"])));
    }
    Case { offered, asked }
}

#[test]
fn the_solver_agrees_with_one_that_tries_everything() {
    let count = std::env::var("OMNIPKG_TEST_UNIVERSES").map_or(1000, |count| count.parse().unwrap());
    let index = MemoryIndex::new();
    let (mut solved, mut faults) = (0, Vec::new());
    for seed in 0..count {
        let mut failing = case(seed);
        if let Ok(is_solved) = failing.check(&index) {
            solved += usize::from(is_solved);
            continue;
        }
        while let Some(smaller) = failing.smaller().into_iter().find(|case| case.fault(&index).is_some()) {
            failing = smaller;
        }
        faults.push(format!("## universe {seed}\n{}\n{}", failing.text(), failing.fault(&index).unwrap()));
        if faults.len() == 5 {
            break;
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
    // Universes that are all alike would show nothing.
    let share = solved as f64 / count as f64;
    assert!((0.25..0.85).contains(&share), "{solved} of {count} universes have a solution");
}

#[test]
fn ranges_are_shown_as_specifiers_that_mean_the_same() {
    let versions: Vec<Version> = VERSIONS.iter().map(|text| text.parse().unwrap()).collect();
    let range = |text: &str| range::from_specifiers(text.parse::<VersionSpecifiers>().unwrap().iter());
    let written = || SPECIFIERS.iter().filter(|text| !text.is_empty());
    for (one, other) in written().flat_map(|one| written().map(move |other| (one, other))) {
        let meant = range(one).intersection(&range(other));
        let shown = range::shown(&meant);
        if meant.is_empty() || shown.contains(" or ") {
            continue;
        }
        let again = range(&shown);
        // "<2.0" is said of what ends before 2.0, be it before its pre-releases or after them.
        let is_vague = |version: &&Version| version.any_prerelease() && shown.contains('<');
        for version in versions.iter().filter(|version| !is_vague(version)) {
            assert_eq!(
                meant.contains(version),
                again.contains(version),
                "{one},{other} is shown as {shown}: {version}"
            );
        }
    }
}
