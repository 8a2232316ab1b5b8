//! Which file of a project is chosen, and why others are not.

use super::*;
use crate::formats::Formats;
use crate::range;
use crate::testing::target;
use pep440_rs::VersionSpecifiers;

fn file(filename: &str) -> File {
    File::bare(filename.to_owned(), format!("http://127.0.0.1/{filename}").parse().unwrap(), None)
}

fn candidates(files: Vec<File>, prereleases: Prereleases, pins: &[&str]) -> Candidates {
    let page = Page { rows: files.into_iter().map(Row::from).collect(), skipped: vec![] };
    let permission = Permission { prereleases, pinned: pins.iter().map(|pin| pin.parse().unwrap()).collect() };
    let name: PackageName = "foo-bar".parse().unwrap();
    Candidates::new(&name, &page, Arc::new(target()), permission, Formats::wheels_only().of(&name))
}

fn of(names: &[&str]) -> Candidates {
    candidates(names.iter().map(|name| file(name)).collect(), Prereleases::default(), &[])
}

fn range(text: &str) -> VersionRange {
    range::from_specifiers(text.parse::<VersionSpecifiers>().unwrap().iter())
}

fn selected(candidates: &Candidates, specifiers: &str) -> Option<String> {
    candidates.select(&range(specifiers), None, Order::Newest).map(|(version, _)| version.to_string())
}

#[test]
fn versions_are_found_in_file_names() {
    let name: PackageName = "foo-bar".parse().unwrap();
    for (filename, version) in [
        ("Foo_Bar-1.0-py3-none-any.whl", Some("1.0")),
        ("foo.bar-1.0-1-py3-none-any.whl", Some("1.0")),
        ("foo-bar-1.0.tar.gz", Some("1.0")),
        ("foo_bar-1.0-rc1.zip", Some("1.0-rc1")),
        ("foo-1.0.tar.gz", None),
        ("foo_barbaz-1.0-py3-none-any.whl", None),
        ("foo_bar-1.0.exe", None),
    ] {
        assert_eq!(version_of(filename, &name), version, "{filename}");
    }
}

#[test]
fn the_best_tag_wins_then_the_build_number() {
    let files = [
        "foo_bar-1.0-py3-none-any.whl",
        "foo_bar-1.0-cp311-cp311-manylinux_2_17_x86_64.whl",
        "foo_bar-1.0-2-cp311-cp311-manylinux_2_17_x86_64.whl",
        "foo_bar-1.0-10-cp311-cp311-manylinux_2_17_x86_64.whl",
        "foo_bar-1.0-cp312-cp312-manylinux_2_17_x86_64.whl",
    ];
    let (_, candidate) = of(&files).select(&range(">=1"), None, Order::Newest).unwrap();
    assert_eq!(candidate.file.filename, "foo_bar-1.0-10-cp311-cp311-manylinux_2_17_x86_64.whl");
}

#[test]
fn prereleases_come_in_their_place_or_last_or_not_at_all() {
    let there = || ["foo_bar-1.0-py3-none-any.whl", "foo_bar-2.0rc1-py3-none-any.whl"].map(file).to_vec();
    let last = candidates(there(), Prereleases::Last, &[]);
    assert_eq!(selected(&last, ">=0.5").as_deref(), Some("1.0"));
    assert_eq!(selected(&last, ">1.0").as_deref(), Some("2.0rc1"));
    assert_eq!(last.acceptable(&range(">=0"), None, Order::Newest).count(), 2);
    let never = candidates(there(), Prereleases::Never, &[]);
    assert_eq!(selected(&never, "==2.0rc1"), None);
    assert_eq!(never.passed_over(&range(">1.0"))[0].1, PassedOver::Prerelease);
    let preferred: Version = "2.0rc1".parse().unwrap();
    assert_eq!(never.select(&range(">=1"), Some(&preferred), Order::Newest).unwrap().0.to_string(), "1.0");
    let equal = candidates(there(), Prereleases::Equal, &[]);
    assert_eq!(selected(&equal, ">=1").as_deref(), Some("2.0rc1"));
}

#[test]
fn yanked_needs_a_pin() {
    let there = || {
        let yanked = File { yanked: Some("bad".to_owned()), ..file("foo_bar-2.0-py3-none-any.whl") };
        vec![file("foo_bar-1.0-py3-none-any.whl"), yanked]
    };
    let unpinned = candidates(there(), Prereleases::Last, &[]);
    assert_eq!(selected(&unpinned, ">=1").as_deref(), Some("1.0"));
    assert_eq!(selected(&unpinned, "==2.0"), None, "only the user's own pin counts");
    assert_eq!(unpinned.passed_over(&range(">=2.0"))[0].1, PassedOver::Yanked("bad".to_owned()));
    assert_eq!(selected(&candidates(there(), Prereleases::Last, &["2.0"]), "==2.0").as_deref(), Some("2.0"));
}

#[test]
fn reasons_for_passing_over() {
    let mut newer = file("foo_bar-3.0-py3-none-any.whl");
    newer.requires_python = Some(">=3.13".to_owned());
    let names = ["foo_bar-2.0-cp311-cp311-win_amd64.whl", "foo_bar-2.0-cp311-cp311-macosx_11_0_arm64.whl"];
    let mut files: Vec<File> = names.iter().map(|name| file(name)).collect();
    files.extend([newer, file("foo-bar-1.0.tar.gz"), file("foo_bar-0.9-py2-none-any.egg")]);
    let candidates = candidates(files, Prereleases::Last, &[]);
    assert_eq!(selected(&candidates, ">=0"), None);
    let reasons: Vec<_> =
        candidates.passed_over(&range(">=0")).into_iter().map(|(v, reason)| (v.to_string(), reason)).collect();
    assert_eq!(reasons.len(), 3);
    assert_eq!(reasons[0].1, PassedOver::Python(">=3.13".to_owned()));
    assert!(matches!(&reasons[1].1, PassedOver::Tags(tags) if tags.len() == 2));
    assert_eq!(reasons[2].1, PassedOver::SourceOnly);
}

#[test]
fn preferences_hold_only_inside_the_range() {
    let candidates = of(&["foo_bar-1.0-py3-none-any.whl", "foo_bar-1.5-py3-none-any.whl"]);
    let old: Version = "1.0".parse().unwrap();
    assert_eq!(candidates.select(&range(">=1"), Some(&old), Order::Newest).unwrap().0, old);
    assert_eq!(candidates.select(&range(">1.0"), Some(&old), Order::Newest).unwrap().0.to_string(), "1.5");
    assert_eq!(candidates.acceptable(&range(">=1"), Some(&old), Order::Newest).count(), 2);
}

#[test]
fn a_python_prerelease_counts_as_its_release() {
    assert!(accepts_python(">=3.14", &"3.14.0rc1".parse().unwrap()));
    assert!(!accepts_python("<3.11", &target().python));
    assert!(accepts_python("complete nonsense", &target().python));
}

#[test]
fn a_wheel_goes_before_a_source_of_its_version() {
    let names = ["foo_bar-1.0-py3-none-any.whl", "foo-bar-1.0.tar.gz", "foo_bar-1.1.tar.gz", "foo-bar-1.2.tar.xz"];
    let page = Page { rows: names.iter().map(|name| Row::from(file(name))).collect(), skipped: vec![] };
    let name: PackageName = "foo-bar".parse().unwrap();
    let chosen = |formats: &Formats, specifiers: &str| {
        let candidates = Candidates::new(&name, &page, Arc::new(target()), Permission::default(), formats.of(&name));
        let found = candidates.select(&range(specifiers), None, Order::Newest);
        found.map(|(_, candidate)| candidate.file.filename.clone())
    };
    let both = Formats::default();
    assert_eq!(chosen(&both, "").as_deref(), Some("foo_bar-1.1.tar.gz"));
    assert_eq!(chosen(&both, "==1.0").as_deref(), Some("foo_bar-1.0-py3-none-any.whl"));
    assert_eq!(chosen(&Formats::wheels_only(), "").as_deref(), Some("foo_bar-1.0-py3-none-any.whl"));
    let mut no_binary = Formats::default();
    no_binary.no_binary.add("Foo.Bar").unwrap();
    assert_eq!(chosen(&no_binary, "==1.0").as_deref(), Some("foo-bar-1.0.tar.gz"));
}
