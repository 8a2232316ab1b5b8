//! `install`: what changes the active environment, and what does not.

use crate::support::{install, installed_version, one_error, publish, quiet_success, script, store_state};
use insta::assert_snapshot;
use omnipkg_tests::{Context, WheelBuilder};
use serde_json::{Value, json};

/// What `--json` answered.
#[track_caller]
fn json(output: omnipkg_tests::Output) -> Value {
    serde_json::from_str(&quiet_success(output)).expect("JSON")
}

fn generations(context: &Context) -> usize {
    context.store_files("generations").len()
}

#[test]
fn each_install_is_a_generation_and_a_satisfied_one_is_none() {
    let context = Context::new();
    publish(&context, &[("rich", "1.0"), ("other", "2.0")]);
    let name = context.interpreter().version();
    let first = json(context.run(["--json", "install", "rich"]));
    assert_eq!(first["environment"], json!(name));
    assert_eq!(first["changes"], json!([{"name": "rich", "from": null, "to": "1.0"}]));
    let second = json(context.run(["--json", "install", "other"]));
    assert_eq!(second["changes"], json!([{"name": "other", "from": null, "to": "2.0"}]));
    assert_eq!(second["generation"].as_u64(), first["generation"].as_u64().map(|number| number + 1));
    assert_ne!(first["view"], second["view"]);
    let before = (generations(&context), store_state(&context));
    context.index().clear_requests();
    let third = json(context.run(["--json", "install", "rich"]));
    assert_eq!((&third["generation"], &third["view"], &third["changes"]), (&Value::Null, &second["view"], &json!([])));
    install(&context, &["rich", "other"]);
    assert_eq!((generations(&context), store_state(&context)), before);
    assert!(context.index().requests().is_empty());
}

#[test]
fn versions_stay_until_an_upgrade() {
    let context = Context::new();
    publish(&context, &[("rich", "1.0")]);
    install(&context, &["rich"]);
    publish(&context, &[("rich", "2.0")]);
    install(&context, &["--refresh", "rich"]);
    assert_eq!(installed_version(&context, "rich"), "1.0");
    install(&context, &["--upgrade", "--refresh", "rich"]);
    assert_eq!(installed_version(&context, "rich"), "2.0");
    install(&context, &["rich<2"]);
    assert_eq!(installed_version(&context, "rich"), "1.0");
    install(&context, &["rich>=2"]);
    assert_eq!(installed_version(&context, "rich"), "2.0");
}

#[test]
fn dependencies_extras_and_markers_come_along() {
    let context = Context::new();
    let top = WheelBuilder::with_version_attribute("top", "1.0")
        .requires("base>=1")
        .requires("coloured; extra == 'colour'")
        .requires("never; python_version < '3'")
        .provides_extra("colour");
    context.index().add(&top.build());
    publish(&context, &[("base", "1.0"), ("coloured", "1.0"), ("never", "1.0")]);
    install(&context, &["top"]);
    assert_snapshot!(quiet_success(context.run(["list"])), @r"
    base  1.0
    top   1.0
    ");
    install(&context, &["top[colour]"]);
    assert_snapshot!(quiet_success(context.run(["list"])), @r"
    base      1.0
    coloured  1.0
    top       1.0
    ");
}

#[test]
fn a_conflict_is_explained_and_nothing_is_changed() {
    let context = Context::new();
    for (name, version) in [("one", "1.0"), ("two", "2.0")] {
        let needs = format!("base=={version}");
        context.index().add(&WheelBuilder::with_version_attribute(name, "1.0").requires(&needs).build());
    }
    publish(&context, &[("base", "1.0"), ("base", "2.0")]);
    install(&context, &["one"]);
    let before = (generations(&context), store_state(&context));
    assert_snapshot!(one_error(&context, context.run(["install", "two"])), @r"
    omnipkg: error: no versions fit together on Python [VERSION]:
      you asked for one
      you asked for two
      one 1.0 needs base==1.0
      two 1.0 needs base==2.0
    hint: loosen one of these requirements, or try another Python with --python
    ");
    assert_eq!((generations(&context), store_state(&context)), before);
    assert_eq!(installed_version(&context, "base"), "1.0");
}

#[test]
fn two_installs_at_once_both_land() {
    let context = Context::new();
    let projects = ["one", "two", "three", "four"];
    projects.iter().for_each(|project| publish(&context, &[(project, "1.0")]));
    std::thread::scope(|scope| {
        projects.iter().for_each(|project| {
            scope.spawn(|| install(&context, &[project]));
        });
    });
    assert_snapshot!(quiet_success(context.run(["list"])), @r"
    four   1.0
    one    1.0
    three  1.0
    two    1.0
    ");
    script(&context, "s.py", &["import one, two, three, four", "print('all')"]);
    assert_eq!(quiet_success(context.run(["run", "s.py"])), "all\n");
}

#[test]
fn each_python_has_an_environment_of_its_own() {
    let (Some(context), Some(other)) = (Context::with_python("3.11"), Context::python("3.9")) else { return };
    let context = context.also_python(other);
    publish(&context, &[("rich", "1.0"), ("rich", "2.0")]);
    install(&context, &["rich==2.0"]);
    install(&context, &["--python", "3.9", "rich==1.0"]);
    script(&context, "s.py", &["import rich, sys", "print(sys.version_info[:2], rich.__version__)"]);
    assert_eq!(quiet_success(context.run(["run", "s.py"])), "(3, 11) 2.0\n");
    assert_eq!(quiet_success(context.run(["run", "--python", "3.9", "s.py"])), "(3, 9) 1.0\n");
}

#[test]
fn an_environment_that_omnipkg_does_not_manage_is_never_changed() {
    let context = Context::new();
    publish(&context, &[("rich", "1.0")]);
    let venv = context.work().join("venv");
    crate::support::plain_python(&context, &["-m", "venv", "--without-pip", "venv"]).success();
    let context = context.env("VIRTUAL_ENV", &venv);
    install(&context, &["rich"]);
    let site_packages = format!("lib/python{}/site-packages", context.interpreter().version());
    assert_eq!(std::fs::read_dir(venv.join(site_packages)).unwrap().count(), 0);
    assert_snapshot!(quiet_success(context.run(["list"])), @"rich  1.0");
}
