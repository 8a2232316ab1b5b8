//! What a script will fail of, told from its text and composed before its first run.

use crate::support::{COUNT, install, quiet_success, rich_installed, runs, script};
use insta::assert_snapshot;
use omnipkg_tests::{Context, WheelBuilder};

fn publish(context: &Context, project: &str, version: &str, module: &str) {
    let source = format!("__version__ = {version:?}\n");
    context.index().add(&WheelBuilder::new(project, version).file(&format!("{module}/__init__.py"), source).build());
}

#[test]
fn modules_versions_and_comments_are_composed_before_the_first_run() {
    let context = rich_installed(Context::new());
    publish(&context, "PyYAML", "6.0", "yaml");
    publish(&context, "requests", "2.0", "requests");
    publish(&context, "attrs", "20.1.0", "attr");
    publish(&context, "attrs", "23.1.0", "attr");
    let lines = [
        "# pip install attrs==20.1.0",
        COUNT,
        "import rich, yaml",
        "import requests, attr",
        "assert rich.__version__ == '13.4.2'",
    ];
    script(&context, "s.py", &[&lines[..], &["print(yaml.__version__, attr.__version__)"]].concat());
    let output = context.run(["run", "s.py"]).success();
    assert_eq!(output.stdout, "6.0 20.1.0\n");
    assert_snapshot!(context.filter(&output.stderr), @r"
    omnipkg: s.py:3 needs the module yaml: running with pyyaml 6.0, requests 2.0 and attrs 20.1.0
    omnipkg: s.py:5 needs rich 13.4.2 (found 13.7.1): running with rich 13.4.2
    ");
    assert_eq!(runs(&context), 1);
    assert_eq!(quiet_success(context.run(["run", "s.py"])), "6.0 20.1.0\n");
}

#[test]
fn what_may_not_be_reached_is_not_foreseen() {
    let context = rich_installed(Context::new());
    publish(&context, "PyYAML", "6.0", "yaml");
    let lines = [
        "import sys, rich",
        "if len(sys.argv) > 9:",
        "    import yaml",
        "def later():",
        "    import yaml",
        "try:",
        "    import yaml",
        "except ImportError:",
        "    print('without')",
        "# we once had: pip install rich==13.4.2 but no more",
        "if sys.argv[1:] != ['on']:",
        "    sys.exit(0)",
        "import yaml",
        "assert rich.__version__ == '13.4.2'",
    ];
    script(&context, "s.py", &lines);
    context.index().clear_requests();
    assert_eq!(quiet_success(context.run(["run", "s.py"])), "without\n");
    assert!(context.index().requests().is_empty(), "{:?}", context.index().requests());
    let output = context.run(["run", "s.py", "on"]).success();
    assert_eq!(output.stderr.lines().count(), 2, "both were healed when they failed: {output}");
}

#[test]
fn what_a_script_brings_itself_is_not_foreseen() {
    let context = Context::new();
    publish(&context, "PyYAML", "6.0", "yaml");
    std::fs::create_dir_all(context.work().join("vendor/yaml")).unwrap();
    std::fs::write(context.work().join("vendor/yaml/__init__.py"), "__version__ = 'own'\n").unwrap();
    let lines = ["import os, sys", "sys.path.append(os.path.join(os.path.dirname(__file__), 'vendor'))", "import yaml"];
    script(&context, "s.py", &[&lines[..], &["print(yaml.__version__)"]].concat());
    assert_eq!(quiet_success(context.run(["run", "s.py"])), "own\n");
}

#[test]
fn a_module_that_is_run_by_its_name_is_added() {
    let context = rich_installed(Context::new());
    let wheel =
        WheelBuilder::new("PyYAML", "6.0").file("yaml/__init__.py", "").file("yaml/__main__.py", "print('main')\n");
    context.index().add(&wheel.build());
    let output = context.run(["run", "-m", "yaml"]).success();
    assert_eq!(output.stdout, "main\n");
    assert_eq!(output.stderr, "omnipkg: python -m yaml needs the module yaml: running with pyyaml 6.0\n");
    assert_eq!(quiet_success(context.run(["run", "-m", "yaml"])), "main\n");
    std::fs::write(context.work().join("requests.py"), "print('own')\n").unwrap();
    assert_eq!(quiet_success(context.run(["run", "-m", "requests"])), "own\n");
    let output = context.run(["run", "-m", "nothing_like_it"]).expect_code(1);
    assert!(output.stderr.ends_with("No module named nothing_like_it\n"), "{output}");
}

#[test]
fn what_is_a_scripts_own_is_taken_for_nothing_else() {
    let context = rich_installed(Context::new());
    let write = |name: &str, text: &str| {
        let path = context.work().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("own/fractions.py", "def gcd(): return 42\n");
    write("own/rich.py", "__version__ = '1.0'\n");
    write("own/email.py", "print('I was run')\n");
    write("own/real.py", "import nosuchmod\nprint(nosuchmod.VALUE)\n");
    write("own/nosuchmod.py", "VALUE = 7\n");
    write("own/a.py", "from fractions import gcd\nimport rich\nassert rich.__version__ == '1.0'\nprint(gcd())\n");
    write("own/b.py", "import rich\nif rich.__version__ != '13.4.2':\n    print('skipped')\n    raise SystemExit(0)\n");
    write("c.py", "# pip install rich==13.4.2 if you like it old\nimport rich\nprint(rich.__version__)\n");
    std::os::unix::fs::symlink("own/real.py", context.work().join("link.py")).unwrap();
    for (script, expected) in
        [("own/a.py", "42\n"), ("own/b.py", "skipped\n"), ("c.py", "13.7.1\n"), ("link.py", "7\n")]
    {
        assert_eq!(quiet_success(context.run(["run", script])), expected, "{script}");
    }
    write("own/d.py", "from importlib.metadata import version\nimport nothing_like_it\n");
    assert!(!context.run(["run", "own/d.py"]).stderr.contains("I was run"));
}

#[test]
fn what_cannot_be_had_waits_for_the_failure() {
    let context = rich_installed(Context::new());
    publish(&context, "PyYAML", "6.0", "yaml");
    script(&context, "s.py", &["# requires: rich==99", "import yaml", "print(yaml.__version__)"]);
    let output = context.run(["run", "s.py"]).success();
    assert_eq!(
        (output.stdout.as_str(), output.stderr.as_str()),
        ("6.0\n", "omnipkg: s.py:2 needs the module yaml: running with pyyaml 6.0\n")
    );
    script(&context, "s.py", &["import nothing_like_it"]);
    let output = context.run(["run", "s.py"]).expect_code(1);
    assert_eq!(output.stderr.matches("Traceback").count(), 1, "{output}");
}

#[test]
fn it_is_turned_off_and_asks_python_only_once() {
    let context = rich_installed(Context::new());
    publish(&context, "PyYAML", "6.0", "yaml");
    script(&context, "s.py", &[COUNT, "import yaml", "print(yaml.__version__)"]);
    context.run(["run", "--no-predict", "s.py"]).success();
    assert_eq!(runs(&context), 2);
    script(&context, "own.py", &["import rich", "if rich.__version__ == '13.7.1': print('own')"]);
    assert_eq!(quiet_success(context.run(["run", "own.py"])), "own\n");
    let known = std::fs::read_dir(context.store().join("cache/predicted")).unwrap().count();
    assert_eq!(known, 1, "there was nothing to tell, and that is known");
    assert_eq!(quiet_success(context.run(["run", "own.py"])), "own\n");
}

#[test]
fn a_script_is_explained_and_made_ready_without_being_run() {
    let context = rich_installed(Context::new());
    publish(&context, "PyYAML", "6.0", "yaml");
    script(&context, "s.py", &[COUNT, "import yaml, nothing_like_it", "assert __import__('rich')"]);
    context.index().clear_requests();
    let output = context.run(["heal", "s.py", "--explain"]).success();
    assert_snapshot!(context.filter(&output.stdout), @r"
    s.py:2 imports yaml, which nothing in this environment provides
      remedy: pyyaml
      known from: PyYAML documentation, installation
    s.py:2 imports nothing_like_it, which nothing in this environment provides
      considered: nothing_like_it (the project of the same name, which is a guess)
    plan: pyyaml
    ");
    assert!(context.index().requests().is_empty(), "nothing is asked of an index");
    let output = context.run(["--json", "heal", "s.py", "--explain"]).success();
    let told: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(told["diagnoses"][0]["kind"], "missing-module");
    assert_eq!(told["plan"]["requirements"][0], "pyyaml");
    let output = context.run(["heal", "s.py"]).success();
    assert_eq!(
        (output.stdout.as_str(), output.stderr.as_str()),
        ("", "omnipkg: s.py:2 needs the module yaml: running with pyyaml 6.0\n")
    );
    assert_eq!(runs(&context), 0, "it was not run");
    let output = context.run(["heal", "s.py", "--explain"]).success();
    assert!(output.stdout.starts_with("remembered: s.py runs with pyyaml\n"), "{output}");
}

#[test]
fn what_a_script_ran_with_is_saved() {
    let context = rich_installed(Context::new());
    publish(&context, "PyYAML", "6.0", "yaml");
    script(
        &context,
        "s.py",
        &["#!/usr/bin/env python", "import rich, yaml", "print(rich.__version__, yaml.__version__)"],
    );
    let output = context.run(["run", "--save=lock", "s.py"]).success();
    assert_eq!(output.stdout, "13.7.1 6.0\n");
    let lock = std::fs::read_to_string(context.work().join("pylock.s.toml")).unwrap();
    assert!(lock.contains("name = \"pyyaml\"\nversion = \"6.0\"") && lock.contains("name = \"rich\""), "{lock}");
    context.run(["run", "--save", "s.py"]).success();
    let text = std::fs::read_to_string(context.work().join("s.py")).unwrap();
    let (major, minor) = context.interpreter().version;
    let block = format!(
        "# /// script\n# requires-python = \">={major}.{minor}\"\n# dependencies = [\n#     \"pyyaml==6.0\",\n#     \
         \"rich==13.7.1\",\n# ]\n# ///\n"
    );
    assert!(text.starts_with(&format!("#!/usr/bin/env python\n{block}\nimport rich, yaml")), "{text}");
    install(&context, &["rich==13.4.2"]);
    assert_eq!(quiet_success(context.run(["run", "s.py"])), "13.7.1 6.0\n", "it stands for itself now");
    script(&context, "fails.py", &["import yaml", "raise SystemExit(3)"]);
    let output = context.run(["run", "--save", "fails.py"]).expect_code(3);
    assert!(output.stderr.contains("only a script that has ended well is written down"), "{output}");
}
