//! `omnipkgLoader` with the program behind it: what it asks, what is remembered, and what a script sees.

use crate::support::{install, publish, quiet_success, rich_installed};
use omnipkg_tests::process::run;
use omnipkg_tests::{Context, Output, WheelBuilder, require_fuse};
use std::fs;
use std::path::PathBuf;

/// A script in the active environment's own Python.
fn loading(context: &Context, lines: &[&str]) -> Output {
    let head = "import sys\nfrom importlib import import_module as load\nfrom omnipkg.loader import omnipkgLoader\n";
    context.script("loading.py", &format!("{head}{}\n", lines.join("\n")));
    let mut command = context.program(context.store().join("active/bin/python"));
    command.arg("loading.py");
    run(command, b"")
}

/// What `omnipkg activate` answers about the active environment.
fn activation(context: &Context, more: &[&str]) -> serde_json::Value {
    let view = context.store().join("active").canonicalize().unwrap();
    let arguments = [&["activate", "--json", "--view", view.to_str().unwrap()], more].concat();
    serde_json::from_str(&quiet_success(context.run(arguments))).unwrap()
}

fn projects(answer: &serde_json::Value, role: &str) -> Vec<String> {
    let parts = answer[role].as_array().unwrap();
    parts.iter().map(|part| part["project"].as_str().unwrap().to_owned()).collect()
}

/// An application that needs rich, and a plain one beside it, over rich 13.7.1.
fn installed(context: Context) -> Context {
    publish(&context, &[("rich", "13.4.2"), ("rich", "13.7.1"), ("plain", "1.0")]);
    let code = "import rich\nRICH = rich.__version__\n";
    context.publish(&[WheelBuilder::new("app", "1.0").file("app/__init__.py", code).requires("rich").build()]);
    install(&context, &["rich==13.7.1", "app", "plain"]);
    context
}

const SWITCH: &[&str] = &[
    "import rich, plain",
    "path, modules = list(sys.path), dict(sys.modules)",
    "for _ in range(2):",
    "    with omnipkgLoader('rich==13.4.2'):",
    "        print(load('rich').__version__, load('app').RICH, load('plain') is plain)",
    "    print(load('rich') is rich, load('app').RICH, path == sys.path, modules.items() <= sys.modules.items())",
    "    del sys.modules['app']",
];
const SWITCHED: &str = "13.4.2 13.4.2 True\nTrue 13.7.1 True True\n13.4.2 13.4.2 True\nTrue 13.7.1 True True\n";

#[test]
fn another_version_for_the_time_of_a_block_over_a_mount() {
    if require_fuse() {
        let context = installed(Context::new().fuse());
        assert_eq!(quiet_success(loading(&context, SWITCH)), SWITCHED);
    }
}

#[test]
fn another_version_for_the_time_of_a_block_over_links() {
    let context = installed(Context::new().link());
    assert_eq!(quiet_success(loading(&context, SWITCH)), SWITCHED);
}

#[test]
fn what_is_remembered_starts_no_process() {
    let context = installed(Context::new().link());
    assert_eq!(quiet_success(loading(&context, SWITCH)), SWITCHED);
    let program = context.store().join("bin/omnipkg");
    fs::remove_file(&program).unwrap();
    std::os::unix::fs::symlink("/bin/false", &program).unwrap();
    assert_eq!(quiet_success(loading(&context, SWITCH)), SWITCHED);
    let other = loading(&context, &["omnipkgLoader('rich==13.7.1').__enter__()"]).expect_code(1);
    assert!(other.stderr.contains("NotAvailableError"), "what is not remembered is asked for\n{other}");
}

#[test]
fn a_projection_that_was_lost_is_made_again() {
    let context = installed(Context::new().link());
    assert_eq!(quiet_success(loading(&context, SWITCH)), SWITCHED);
    let view = activation(&context, &["rich==13.4.2"])["path"].as_str().unwrap().to_owned();
    let mut remove = context.program("/bin/rm");
    remove.args(["-rf", &view]);
    run(remove, b"").success();
    assert_eq!(quiet_success(loading(&context, SWITCH)), SWITCHED);
}

#[test]
fn a_new_generation_is_another_question() {
    let context = installed(Context::new().link());
    assert_eq!(quiet_success(loading(&context, SWITCH)), SWITCHED);
    publish(&context, &[("plain", "2.0")]);
    install(&context, &["plain==2.0"]);
    let lines =
        ["with omnipkgLoader('rich==13.4.2'):", "    print(load('rich').__version__, load('plain').__version__)"];
    assert_eq!(quiet_success(loading(&context, &lines)), "13.4.2 2.0\n");
    assert_eq!(context.store_files("activations").len(), 4, "two answers and two links");
}

#[test]
fn strict_shows_only_what_was_asked_for() {
    let context = installed(Context::new().link());
    let lines = [
        "import plain, rich",
        "with omnipkgLoader(['app', 'rich==13.4.2'], isolation_mode='strict'):",
        "    print(load('app').RICH)",
        "    try:",
        "        load('plain')",
        "    except ImportError as error:",
        "        print(error)",
        "print(load('plain') is plain, load('rich') is rich)",
    ];
    assert_eq!(quiet_success(loading(&context, &lines)), "13.4.2\nNo module named 'plain'\nTrue True\n");
}

#[test]
fn what_cannot_be_had_says_so_and_how_to_get_it() {
    let context = installed(Context::new().link());
    let lines =
        ["try:", "    omnipkgLoader('rich==99.0').__enter__()", "except ImportError as error:", "    print(error)"];
    let output = quiet_success(loading(&context, &lines));
    assert!(output.starts_with("rich==99.0 is not available: no versions fit together"), "{output}");
    assert!(output.contains("there is no rich==99.0") && output.ends_with("omnipkg install rich==99.0\n"), "{output}");
}

#[test]
fn an_answer_says_what_differs() {
    let context = installed(Context::new().link());
    let native = WheelBuilder::with_version_attribute("native", "1.0").file("native/_x.so", "").requires("plain");
    context.publish(&[native.build()]);
    let answer = activation(&context, &["rich==13.4.2", "native"]);
    let shown = |role: &str| projects(&answer, role);
    assert_eq!((shown("replaced"), shown("added")), (vec!["rich".to_owned()], vec!["native".to_owned()]));
    assert_eq!((shown("dependents"), shown("kept")), (vec!["app".to_owned()], Vec::new()));
    let rich = &answer["replaced"][0];
    assert_eq!((rich["from"].as_str(), rich["to"].as_str()), (Some("13.7.1"), Some("13.4.2")));
    assert_eq!((rich["modules"][0].as_str(), rich["compiled"].as_bool()), (Some("rich"), Some(false)));
    assert_eq!(answer["added"][0]["compiled"].as_bool(), Some(true));
    let site_packages = PathBuf::from(answer["site_packages"].as_str().unwrap());
    assert!(site_packages.join("native/_x.so").exists() && !site_packages.join("plain").exists(), "only what differs");

    let strict = activation(&context, &["--isolation=strict", "native", "app"]);
    assert_eq!(projects(&strict, "kept"), ["app", "plain", "rich"]);
    let nothing = activation(&context, &["plain"]);
    assert_eq!((projects(&nothing, "kept"), &nothing["view"]), (vec!["plain".to_owned()], &nothing["base"]));
}

#[test]
fn what_was_activated_is_a_bubble() {
    let context = rich_installed(Context::new().link());
    activation(&context, &["rich==13.4.2"]);
    let environment = fs::read_link(context.store().join("active")).unwrap();
    let bubbles = context.store().join("bubbles").join(environment.file_name().unwrap());
    let text = fs::read_to_string(bubbles.join("rich-13.4.2/rich/__init__.py")).unwrap();
    assert!(text.contains("13.4.2"), "{text}");
}

#[test]
fn the_environment_keeps_fitting_together() {
    let context = Context::new().link();
    let app = |version: &str, rich: &str| {
        let code = format!("import rich\nRICH = rich.__version__\n__version__ = {version:?}\n");
        WheelBuilder::new("app", version).file("app/__init__.py", code).requires(rich).build()
    };
    publish(&context, &[("rich", "13.4.2"), ("rich", "13.7.1")]);
    context.publish(&[app("1.0", "rich<13.5"), app("2.0", "rich>=13.5")]);
    install(&context, &["app", "rich"]);
    let lines = [
        "import app",
        "with omnipkgLoader('rich==13.4.2'):",
        "    print(load('app').__version__, load('app').RICH)",
        "print(load('app') is app, app.__version__, app.RICH)",
    ];
    assert_eq!(quiet_success(loading(&context, &lines)), "1.0 13.4.2\nTrue 2.0 13.7.1\n");
}

#[test]
fn over_an_environment_that_something_else_made() {
    let context = rich_installed(Context::new().link());
    let venv = context.work().join("venv");
    let mut make = context.program(&context.interpreter().executable);
    make.args(["-m", "venv", "--without-pip"]).arg(&venv);
    run(make, b"").success();
    let site_packages = venv.join(format!("lib/python{}/site-packages", context.interpreter().version()));
    for (path, text) in [
        ("rich/__init__.py", "__version__ = '13.7.1'\nWHERE = 'venv'\n"),
        ("rich-13.7.1.dist-info/METADATA", "Metadata-Version: 2.1\nName: rich\nVersion: 13.7.1\n"),
        ("rich-13.7.1.dist-info/RECORD", "rich/__init__.py,,\nrich-13.7.1.dist-info/METADATA,,\n"),
        ("mine/__init__.py", "import rich\nRICH = rich.__version__\n"),
        ("mine-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: mine\nVersion: 1.0\nRequires-Dist: rich\n"),
        ("mine-1.0.dist-info/RECORD", "mine/__init__.py,,\n"),
    ] {
        fs::create_dir_all(site_packages.join(path).parent().unwrap()).unwrap();
        fs::write(site_packages.join(path), text).unwrap();
    }
    fs::remove_file(context.store().join("active")).unwrap();
    let lines = "from omnipkg.loader import omnipkgLoader\nimport mine, rich\nwith omnipkgLoader('rich==13.4.2'):\n    import mine as inside, rich as other\n    print(other.__version__, inside.RICH)\nimport mine as after\nprint(rich.WHERE, after is mine, mine.RICH)\n";
    context.script("venv.py", lines);
    let context = context.env("VIRTUAL_ENV", &venv);
    assert_eq!(quiet_success(context.run(["run", "venv.py"])), "13.4.2 13.4.2\nvenv True 13.7.1\n");
}
