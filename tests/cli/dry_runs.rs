//! `--dry-run`: what would change is printed, and nothing changes.

use crate::support::{install, publish, quiet_success, store_state};
use omnipkg_tests::{Context, WheelBuilder};

#[test]
fn changes_are_foreseen_and_not_made() {
    let context = Context::new();
    publish(&context, &[("lib", "1.0"), ("lib", "2.0"), ("alone", "1.0")]);
    context.publish(&[WheelBuilder::new("app", "1.0").requires("lib<2").build()]);
    let dry = |words: &[&str]| quiet_success(context.run([words, &["--dry-run"]].concat()));
    // There is no environment yet, and there is none afterwards.
    assert_eq!(dry(&["install", "app"]), "+ app 1.0\n+ lib 1.0\n");
    assert!(context.store_files("wheels").is_empty() && context.store_files("generations").is_empty());
    install(&context, &["lib"]);
    let before = (store_state(&context), context.store_files("generations"));
    assert_eq!(dry(&["install", "app", "alone"]), "+ alone 1.0\n+ app 1.0\nlib 2.0 -> 1.0\n");
    assert_eq!(dry(&["install", "lib<2"]), "lib 2.0 -> 1.0\n");
    assert_eq!(dry(&["install", "lib"]), "");
    assert_eq!(dry(&["uninstall", "lib"]), "- lib 2.0\n");
    publish(&context, &[("lib", "3.0")]);
    assert_eq!(dry(&["upgrade", "--refresh"]), "lib 2.0 -> 3.0\n");
    assert_eq!(dry(&["install", "lib>=3", "--refresh"]), "lib 2.0 -> 3.0\n");
    let json = dry(&["--json", "install", "alone"]);
    let changes = r#""changes":[{"from":null,"name":"alone","to":"1.0"}],"dry_run":true"#;
    assert!(json.contains(changes), "{json}");
    assert_eq!((store_state(&context), context.store_files("generations")), before);
    // What was foreseen is what is done.
    install(&context, &["app", "alone"]);
    assert_eq!(quiet_success(context.run(["list"])), "alone  1.0\napp    1.0\nlib    1.0\n");
}
