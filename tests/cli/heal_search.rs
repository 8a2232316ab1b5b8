//! Where knowledge ends: versions that are tried, the day of which a script is, guesses that are looked at, builds.

use crate::sources::publish_source;
use crate::support::{install, quiet_success, script};
use insta::assert_snapshot;
use omnipkg_tests::{Context, FileOptions, WheelBuilder};

/// A library of which nothing is known, with eight versions; the first five have a name that the others have not.
fn with_library() -> Context {
    let context = Context::new();
    for minor in 0..8 {
        let source = if minor < 5 { format!("def old(): return {minor}\n") } else { "def new(): pass\n".to_owned() };
        let wheel = WheelBuilder::new("unknown-lib", &format!("1.{minor}")).file("unknown_lib/__init__.py", source);
        context.index().add(&wheel.build());
    }
    install(&context, &["unknown-lib"]);
    context
}

#[test]
fn the_newest_version_that_works_is_found_by_trying() {
    let context = with_library();
    script(&context, "s.py", &["import unknown_lib", "print(unknown_lib.old())"]);
    let output = context.run(["run", "s.py"]).expect_code(1);
    assert!(!output.stderr.contains("omnipkg:"), "nothing is searched unasked: {output}");
    let output = context.run(["run", "--search", "s.py"]).success();
    assert_eq!(output.stdout, "4\n");
    assert_snapshot!(context.filter(&output.stderr), @"omnipkg: s.py:2 fails with unknown-lib 1.7 (unknown_lib.old): of 3 versions that were tried 1.4 is the newest that does not: running with unknown-lib 1.4");
    assert_eq!(quiet_success(context.run(["run", "s.py"])), "4\n");
    script(&context, "from.py", &["from unknown_lib import old", "print(old())"]);
    assert_eq!(context.run(["run", "--search", "from.py"]).success().stdout, "4\n");
    script(&context, "own.py", &["import unknown_lib", "print(unknown_lib.never_was)"]);
    let output = context.run(["run", "--search", "own.py"]).expect_code(1);
    assert!(output.stderr.ends_with("has no attribute 'never_was'\n"), "{output}");
}

#[test]
fn a_script_has_the_world_of_its_day() {
    let context = Context::new();
    for (version, day) in [("1.0", "2019-03-01"), ("2.0", "2021-03-01")] {
        let options = FileOptions::default().upload_time(&format!("{day}T00:00:00Z"));
        let source = format!("__version__ = {version:?}\n");
        let wheel = WheelBuilder::new("pyyaml", version).file("yaml/__init__.py", source).build();
        context.index().add_with(&wheel, options);
    }
    script(&context, "s.py", &["import yaml", "print(yaml.__version__)"]);
    assert_eq!(context.run(["run", "--as-of", "2020-01-01", "s.py"]).success().stdout, "1.0\n");
    assert_eq!(context.run(["run", "s.py"]).success().stdout, "2.0\n");
    let touched =
        std::process::Command::new("touch").args(["-d", "2020-06-01"]).arg(context.work().join("s.py")).status();
    assert!(touched.unwrap().success());
    assert_eq!(context.run(["run", "--as-of=script", "s.py"]).success().stdout, "1.0\n");
    let output = context.run(["run", "--as-of=script", "-m", "yaml"]).expect_code(1);
    assert!(output.stderr.contains("only a script in a file has a day of its own"), "{output}");
}

#[test]
fn a_guess_is_looked_at_before_it_is_taken() {
    let context = Context::new();
    context.index().add(&WheelBuilder::new("has-it-not", "1.0").file("other.py", "").build());
    context.index().add(&WheelBuilder::new("has-it", "1.0").file("has_it.py", "VALUE = 7\n").build());
    script(&context, "s.py", &["import has_it_not"]);
    script(&context, "first.py", &["pass"]);
    assert_eq!(quiet_success(context.run(["run", "first.py"])), "");
    let wheels = context.store_files("wheels");
    let output = context.run(["run", "--heal=any", "s.py"]).expect_code(1);
    assert!(output.stderr.contains("nothing in this environment provides, nor does has-it-not have it\n"), "{output}");
    assert!(output.stderr.contains("1 version, the newest 1.0"), "{output}");
    assert_eq!(context.store_files("wheels"), wheels, "its wheel was not fetched");
    script(&context, "s.py", &["import has_it", "print(has_it.VALUE)"]);
    assert_eq!(context.run(["run", "--heal=any", "s.py"]).success().stdout, "7\n");
}

#[test]
fn a_remedy_is_built_only_where_that_is_allowed() {
    let context = Context::new();
    publish_source(&context);
    script(&context, "s.py", &["import importlib.metadata as m", "print(m.version('own'))"]);
    let output = context.run(["run", "--heal=any", "s.py"]).expect_code(1);
    assert!(output.stderr.contains("hint: --heal-builds lets what heals a failure be built from source\n"), "{output}");
    let output = context.run(["run", "--heal=any", "--heal-builds", "s.py"]).success();
    assert_eq!(output.stdout, "1.0\n");
}
