//! Modules that are not there: healed where the project is certain, and only then.

use crate::support::{COUNT, install, plain_python, quiet_success, rich_installed, runs, said_after_traceback, script};
use insta::assert_snapshot;
use omnipkg_tests::{Context, WheelBuilder};

fn publish_yaml(context: &Context) {
    let wheel = WheelBuilder::new("PyYAML", "6.0").file("yaml/__init__.py", "__version__ = '6.0'\n");
    context.index().add(&wheel.build());
}

#[test]
fn a_module_that_the_table_knows_is_healed() {
    let context = Context::new();
    publish_yaml(&context);
    script(&context, "s.py", &["import yaml", "print(yaml.__version__)"]);
    let output = context.run(["run", "s.py"]).success();
    assert_eq!(output.stdout, "6.0\n");
    assert_snapshot!(context.filter(&output.stderr), @"omnipkg: s.py:1 needs the module yaml: running with pyyaml 6.0");
    context.index().stop();
    assert_eq!(quiet_success(context.run(["run", "s.py"])), "6.0\n");
    assert_eq!(quiet_success(context.run(["list"])), "");
}

#[test]
fn projects_of_another_name_than_their_module_are_known() {
    let context = Context::new();
    for (module, project) in [
        ("cv2", "opencv-python"),
        ("sklearn", "scikit-learn"),
        ("PIL", "pillow"),
        ("bs4", "beautifulsoup4"),
        ("dateutil", "python-dateutil"),
    ] {
        let wheel = WheelBuilder::new(project, "1.0").file(&format!("{module}/__init__.py"), "");
        context.index().add(&wheel.build());
        script(&context, "s.py", &[&format!("import {module}"), "print('runs')"]);
        let output = context.run(["run", "s.py"]).success();
        assert_eq!(output.stdout, "runs\n");
        let line = format!("omnipkg: s.py:1 needs the module {module}: running with {project} 1.0\n");
        assert_eq!(output.stderr, line);
    }
}

#[test]
fn all_that_a_script_imports_is_added_at_once_and_optional_imports_are_not() {
    let context = Context::new();
    let modules = ["yaml", "bs4", "dateutil", "PIL", "sklearn", "cv2", "requests"];
    let projects =
        ["PyYAML", "beautifulsoup4", "python-dateutil", "pillow", "scikit-learn", "opencv-python", "requests"];
    for (module, project) in modules.iter().zip(projects) {
        let wheel = WheelBuilder::new(project, "1.0").file(&format!("{module}/__init__.py"), "");
        context.index().add(&wheel.build());
    }
    context.index().add(&WheelBuilder::new("numpy", "1.0").file("numpy/__init__.py", "").build());
    let imports: Vec<String> = modules.iter().map(|module| format!("import {module}")).collect();
    let optional = "try:\n    import numpy\nexcept ImportError:\n    numpy = None";
    script(&context, "s.py", &[&imports.join("\n"), optional, "print(numpy)"]);
    let output = context.run(["run", "s.py"]).success();
    assert_eq!(output.stdout, "None\n");
    assert_eq!(output.stderr.lines().count(), 1, "{}", output.stderr);
}

#[test]
fn a_foreseen_module_that_cannot_be_had_does_not_keep_back_what_is_needed_now() {
    let context = Context::new();
    publish_yaml(&context);
    script(&context, "s.py", &["import yaml", "print('first', flush=True)", "import requests"]);
    let output = context.run(["run", "s.py"]).expect_code(1);
    assert_eq!(output.stdout, "first\n", "yaml was added though requests is on no index");
}

#[test]
fn a_module_that_a_wheel_in_the_store_proves_is_healed() {
    let context = Context::new();
    context.index().add(&WheelBuilder::new("strange-project", "1.0").file("zonk/__init__.py", "").build());
    script(&context, "s.py", &["import zonk", "print('runs')"]);
    context.run(["run", "s.py"]).expect_code(1);
    quiet_success(context.run(["run", "--with", "strange-project", "s.py"]));
    let output = context.run(["run", "s.py"]).success();
    assert_eq!(output.stdout, "runs\n");
    assert_snapshot!(context.filter(&output.stderr), @"omnipkg: s.py:1 needs the module zonk: running with strange-project 1.0");
}

/// The script fails as it does without omnipkg, and nobody is asked for a project; what omnipkg says of it.
#[track_caller]
fn not_healed(context: &Context, module: &str) -> String {
    script(context, "s.py", &[COUNT, &format!("import {module}")]);
    context.index().add(&WheelBuilder::with_version_attribute(module, "1.0").build());
    context.index().clear_requests();
    let before = runs(context);
    let output = context.run(["run", "s.py"]).expect_code(1);
    assert_eq!(runs(context), before + 1);
    assert!(context.index().requests().is_empty(), "{:?}", context.index().requests());
    said_after_traceback(context, &["s.py"], &output)
}

#[test]
fn a_module_of_ones_own_is_not_looked_for() {
    let context = rich_installed(Context::new());
    assert_snapshot!(not_healed(&context, "functions"), @r"
    omnipkg: s.py:2 imports functions, which nothing in this environment provides
    omnipkg: considered functions (the project of the same name, but it is a name that people give to their own modules)
    hint: to add a project that you trust: --with NAME
    ");
}

#[test]
fn a_misspelt_name_is_not_looked_for() {
    let context = rich_installed(Context::new());
    assert_snapshot!(not_healed(&context, "requsts"), @r"
    omnipkg: s.py:2 imports requsts, which nothing in this environment provides
    omnipkg: considered requests (provides requests, a name like requsts); requsts (the project of the same name, but it is perhaps a misspelling)
    hint: to add a project that you trust: --with NAME
    ");
}

#[test]
fn an_unknown_name_is_a_guess_and_taken_only_if_allowed() {
    let context = rich_installed(Context::new());
    assert_snapshot!(not_healed(&context, "strangemod"), @r"
    omnipkg: s.py:2 imports strangemod, which nothing in this environment provides
    omnipkg: considered strangemod (the project of the same name, which is a guess)
    hint: to allow it: --with strangemod, or --heal=any to take names as they are
    ");
    // nobody is at a terminal to be asked
    assert_eq!(context.run(["run", "--heal=ask", "s.py"]).code(), 1);
    let output = context.run(["run", "--heal=any", "s.py"]).success();
    assert_snapshot!(context.filter(&output.stderr), @"omnipkg: s.py:2 needs the module strangemod: running with strangemod 1.0");
    assert_eq!(context.index().count("/simple/strangemod/"), 1);
    assert_eq!(quiet_success(context.run(["run", "s.py"])), "", "what was allowed is remembered");
}

#[test]
fn heal_off_is_python_alone() {
    let context = Context::new();
    publish_yaml(&context);
    script(&context, "s.py", &[COUNT, "import yaml"]);
    let output = context.run(["run", "--heal=off", "s.py"]).expect_code(1);
    assert_eq!(output.stderr, plain_python(&context, &["-S", "s.py"]).stderr);
    assert_eq!(runs(&context), 2, "once each");
    assert!(context.index().requests().is_empty());
    assert_eq!(context.run(["run", "s.py"]).code(), 0);
    let output = context.run(["run", "--heal=off", "s.py"]).expect_code(1);
    assert!(output.stderr.contains("ModuleNotFoundError"), "a remembered heal is not used\n{output}");
}

#[test]
fn an_optional_module_is_the_scripts_own_affair() {
    let context = Context::new();
    publish_yaml(&context);
    script(&context, "s.py", &["try:", "    import yaml", "except ImportError:", "    yaml = None", "print(yaml)"]);
    assert_eq!(quiet_success(context.run(["run", "s.py"])), "None\n");
    assert!(context.index().requests().is_empty());
}

#[test]
fn a_missing_module_and_a_wrong_version_are_healed_together() {
    let context = rich_installed(Context::new());
    publish_yaml(&context);
    script(&context, "s.py", &["import rich, yaml", "assert rich.__version__ == '13.4.2'", "print(yaml.__version__)"]);
    let output = context.run(["run", "s.py"]).success();
    assert_eq!(output.stdout, "6.0\n");
    assert_snapshot!(context.filter(&output.stderr), @r"
    omnipkg: s.py:1 needs the module yaml: running with pyyaml 6.0
    omnipkg: s.py:2 needs rich 13.4.2 (found 13.7.1): running with rich 13.4.2
    ");
    install(&context, &["pyyaml"]);
    assert_eq!(context.run(["run", "s.py"]).success().stdout, "6.0\n");
}
