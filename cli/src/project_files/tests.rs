//! What project files say.

use super::*;

const PROJECT: &str = r#"
[project]
name = "Demo"
requires-python = ">=3.9"
dependencies = ["one>=1; os_name == 'posix'"]
[project.optional-dependencies]
web = ["two"]
cli = ["three", "demo[web]"]
All_of_it = ["demo[cli,all-of-it]", "four"]
[dependency-groups]
test = ["five", { include-group = "Typing.x" }]
typing_x = ["six"]
a = [{ include-group = "b" }]
b = ["seven", { include-group = "a" }]
odd = [{ include-group = "test", other = 1 }]
"#;

fn project(text: &str) -> Project {
    toml::from_str(text).unwrap()
}

fn texts(requirements: &[Requirement]) -> String {
    requirements.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

fn needs(text: &str, named: &[&str], all: bool) -> Result<Needs, String> {
    let extras = Extras { named: named.iter().map(|name| (*name).to_owned()).collect(), all };
    project(text).needs(&extras).map_err(|error| error.to_string())
}

/// The odd group is read with the others.
fn sound() -> String {
    PROJECT.replace(", other = 1", "")
}

#[test]
fn extras_may_name_each_other() {
    let of = |named: &[&str], all| texts(&needs(&sound(), named, all).unwrap().requirements);
    assert_eq!(of(&[], false), "one>=1 ; os_name == 'posix'");
    assert_eq!(of(&["CLI"], false), "one>=1 ; os_name == 'posix' three two");
    assert_eq!(of(&["all-of-it"], false), "one>=1 ; os_name == 'posix' three two four");
    assert_eq!(of(&[], true), "one>=1 ; os_name == 'posix' three two four");
    assert_eq!(needs(&sound(), &["gui"], false).unwrap_err(), "demo has no extra gui: it has all-of-it, cli, web");
}

#[test]
fn groups_include_groups_but_in_no_circle() {
    let of = |name: &str| groups::requirements(&project(&sound()).dependency_groups, name);
    assert_eq!(texts(&of("Test").unwrap()), "five six");
    let circle = of("a").unwrap_err().to_string();
    assert_eq!(circle, "dependency groups include each other in a circle: a -> b -> a");
    assert!(of("none").unwrap_err().to_string().contains("it has no dependency group none: it has a, b, odd, test"));
    assert!(toml::from_str::<Project>(PROJECT).is_err(), "what a table of a group may hold is known");
    let twice = "[dependency-groups]\na-b = []\nA_b = []\n";
    let error = groups::requirements(&project(twice).dependency_groups, "a.b").unwrap_err().to_string();
    assert_eq!(error, "it has the dependency group a-b twice, spelt differently");
}

#[test]
fn what_only_a_build_would_tell_is_refused() {
    let dynamic = "[project]\nname = 'a'\ndynamic = ['version', 'dependencies']\n";
    assert!(needs(dynamic, &[], false).unwrap_err().contains("its dependencies are dynamic"));
    let version_only = "[project]\nname = 'a'\ndynamic = ['version']\n";
    assert!(needs(version_only, &[], false).unwrap().requirements.is_empty());
    assert!(needs("[build-system]\nrequires = []\n", &[], false).unwrap_err().contains("no [project] table"));
    assert!(needs("[project]\nname = 'a'\ndependencies = ['b c']\n", &[], false).unwrap_err().contains("\"b c\""));
}

#[test]
fn the_python_that_a_file_is_for() {
    let needs = needs(&sound(), &[], false).unwrap();
    assert!(needs.check_python("3.11.7").is_ok() && needs.check_python("3.9.0rc1").is_ok());
    let refused = needs.check_python("3.8.18").unwrap_err().to_string();
    assert_eq!(refused, "it requires Python >=3.9, and this is 3.8.18: --python names another");
}
