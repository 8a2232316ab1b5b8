//! Scripts that state their own requirements (PEP 723).

use crate::support::{install, one_error, publish, quiet_success, rich_installed, script, store_state};
use insta::assert_snapshot;
use omnipkg_tests::Context;

const BLOCK: &[&str] =
    &["# /// script", "# requires-python = \">=3.8\"", "# dependencies = [", "#   \"rich==13.4.2\",", "# ]", "# ///"];

#[test]
fn the_block_is_what_the_script_gets_and_all_of_it() {
    let context = rich_installed(Context::new());
    publish(&context, &[("other", "1.0")]);
    install(&context, &["other"]);
    let lines = ["import importlib.util, rich", "print(rich.__version__, importlib.util.find_spec('other'))"];
    script(&context, "s.py", &[BLOCK, &lines].concat());
    assert_eq!(quiet_success(context.run(["run", "s.py"])), "13.4.2 None\n");
    context.index().stop();
    assert_eq!(quiet_success(context.run(["--offline", "run", "s.py"])), "13.4.2 None\n");
    // what the environment has does not matter, so its changes do not either
    install(&context, &["--offline", "rich==13.4.2"]);
    assert_eq!(quiet_success(context.run(["--offline", "run", "s.py"])), "13.4.2 None\n");
}

#[test]
fn with_adds_to_the_block() {
    let context = Context::new();
    publish(&context, &[("rich", "13.4.2"), ("other", "1.0")]);
    script(&context, "s.py", &[BLOCK, &["import rich, other", "print(rich.__version__, other.__version__)"]].concat());
    assert_eq!(quiet_success(context.run(["run", "--with", "other", "s.py"])), "13.4.2 1.0\n");
}

#[test]
fn a_script_with_a_block_is_healed_too() {
    let context = Context::new();
    publish(&context, &[("rich", "13.4.2"), ("other", "1.0"), ("other", "2.0")]);
    let block = ["# /// script", "# dependencies = ['rich', 'other']", "# ///"];
    let lines =
        ["import rich, other", "assert other.__version__ == '1.0'", "print(rich.__version__, other.__version__)"];
    script(&context, "s.py", &[&block[..], &lines].concat());
    let output = context.run(["run", "s.py"]).success();
    assert_eq!(output.stdout, "13.4.2 1.0\n");
    assert_snapshot!(context.filter(&output.stderr), @"omnipkg: s.py:5 needs other 1.0 (found 2.0): running with other 1.0");
    assert_eq!(quiet_success(context.run(["run", "s.py"])), "13.4.2 1.0\n");
}

#[test]
fn a_block_that_cannot_be_read_is_an_error() {
    let context = Context::new();
    let mut text = String::new();
    for block in [
        &["# /// script", "# dependencies = [", "# ///"][..],
        &["# /// script", "# dependencies = ['rich=1']", "# ///"],
        &["# /// script", "# requires-python = 'three'", "# ///"],
        &["# /// script", "# dependencies = []"],
        &["# /// script", "# ///", "", "# /// script", "# ///"],
    ] {
        script(&context, "s.py", &[block, &["", "print('runs')"]].concat());
        text += &one_error(&context, context.run(["run", "s.py"]));
    }
    assert_snapshot!(text, @r##"
    omnipkg: error: the PEP 723 block of s.py: not valid TOML in its line 1: unclosed array, expected `]`
    omnipkg: error: the PEP 723 block of s.py: "rich=1" is not a requirement: no such comparison operator "=", must be one of ~= == != <= >= < > ===
    omnipkg: error: the PEP 723 block of s.py: requires-python "three" is not valid: Failed to parse version: Unexpected end of version specifier, expected operator
    omnipkg: error: the PEP 723 block of s.py: the script block has no closing "# ///" line
    omnipkg: error: the PEP 723 block of s.py: there are two script blocks
    "##);
    assert!(store_state(&context).is_empty());
}

#[test]
fn requires_python_chooses_the_python() {
    let context = Context::new();
    script(&context, "s.py", &["# /// script", "# requires-python = '>=4'", "# ///", "print('runs')"]);
    let text = one_error(&context, context.run(["run", "s.py"]));
    assert!(text.starts_with("omnipkg: error: no Python that satisfies >=4 (found [VERSION]"), "{text}");
    let (Some(context), Some(other)) = (Context::with_python("3.11"), Context::python("3.9")) else { return };
    let context = context.also_python(other);
    let lines = ["import sys", "print(sys.version_info[:2])"];
    script(&context, "s.py", &[&["# /// script", "# requires-python = '<3.10'", "# ///"], &lines[..]].concat());
    assert_eq!(quiet_success(context.run(["run", "s.py"])), "(3, 9)\n");
    script(&context, "plain.py", &lines);
    assert_eq!(quiet_success(context.run(["run", "plain.py"])), "(3, 11)\n");
}
