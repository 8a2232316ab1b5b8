//! What editors, shells and tools expect of a virtual environment, by its path or through a link to it.

use crate::support::{install, over_both_projections, python, quiet_success, script};
use omnipkg_tests::process::run;
use omnipkg_tests::{Context, Output, User, WheelBuilder, require_fuse};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn tool_installed(context: Context) -> Context {
    let tool = WheelBuilder::with_version_attribute("tool", "1.0").console_script("the-tool", "tool:main");
    let tool = tool.file("tool/lib/words.txt", "words").data_file("headers", "tool.h", "#define TOOL 1\n");
    context.publish(&[tool.build()]);
    install(&context, &["tool"]);
    context
}

over_both_projections!(
    tool_installed:
    an_editor_finds_the_environment_through_a_link,
    shells_activate_and_leave_it,
    a_virtual_environment_is_made_in_it_with_pip,
    extensions_are_built_against_its_headers,
);

/// `.venv`, a link to a view of the tool.
fn linked_view(context: &Context) -> PathBuf {
    quiet_success(context.run(["mount", "tool", "--at", ".venv"]));
    context.work().join(".venv")
}

/// Runs a shell's lines in the working directory.
fn shell(context: &Context, shell: &str, lines: &[&str]) -> Output {
    let mut command: Command = context.program(shell);
    command.args(["-c", &lines.join("\n")]);
    run(command, b"")
}

fn view_of(link: &Path) -> String {
    fs::canonicalize(link).unwrap().display().to_string()
}

fn an_editor_finds_the_environment_through_a_link(context: Context) {
    let link = linked_view(&context);
    let settings = fs::read_to_string(link.join("pyvenv.cfg")).unwrap();
    let value = |key: &str| {
        let found = settings.lines().find_map(|line| line.strip_prefix(key)?.trim_start().strip_prefix('='));
        found.unwrap_or_else(|| panic!("{key} in {settings}")).trim().to_owned()
    };
    let interpreter = fs::canonicalize(link.join("bin/python")).unwrap();
    assert_eq!(Path::new(&value("home")), interpreter.parent().unwrap());
    assert_eq!(value("version").split('.').count(), 3, "{settings}");
    let code = "import json, sys; print(json.dumps([sys.executable, sys.prefix, sys.base_prefix != sys.prefix, \
                '%d.%d.%d' % sys.version_info[:3], len(sys.path) == len(set(sys.path))]))";
    for (options, name) in [(&["-I", "-c", code][..], "-I"), (&["-c", code], "plain")] {
        let mut command = context.program(link.join("bin/python"));
        command.args(options);
        let shown: serde_json::Value = serde_json::from_str(&quiet_success(run(command, b""))).unwrap();
        let executable = link.join("bin/python").display().to_string();
        assert_eq!(shown, serde_json::json!([executable, view_of(&link), true, value("version"), true]), "{name}");
    }
    let mut command = context.program(link.join("bin/python"));
    command.args(["-m", "site"]);
    let shown = quiet_success(run(command, b""));
    assert_eq!(shown.matches("site-packages',").count(), 1, "each directory once\n{shown}");
}

fn shells_activate_and_leave_it(context: Context) {
    let link = linked_view(&context);
    let view = view_of(&link);
    let show = "echo \"$VIRTUAL_ENV|$VIRTUAL_ENV_PROMPT|$PS1|$(command -v python)\"";
    let lines = [
        "set -eu; PS1='$ '; before=$PATH; export PYTHONHOME=nowhere",
        ". .venv/bin/activate",
        show,
        "python -c 'import sys, tool; print(sys.prefix)'",
        "command -v the-tool",
        "cd .venv/bin; . ./activate",
        show,
        "cd /; . \"$VIRTUAL_ENV/bin/../bin/activate\"",
        show,
        "deactivate",
        "test \"$PATH\" = \"$before\"; echo \"${VIRTUAL_ENV-unset}|$PS1|$PYTHONHOME\"; type deactivate || true",
    ];
    let output = shell(&context, "bash", &lines).success();
    let at = link.display();
    let shown = format!("{at}|work|(work) $ |{at}/bin/python\n");
    let expected = format!("{shown}{view}\n{at}/bin/the-tool\n{shown}{shown}unset|$ |nowhere\n");
    assert_eq!(output.stdout, expected, "{output}");
    // By the view's own path, and for shells that cannot tell it.
    let own = shell(&context, "bash", &[&format!(". {view}/bin/activate"), "echo $VIRTUAL_ENV $VIRTUAL_ENV_PROMPT"]);
    assert_eq!(quiet_success(own), format!("{view} omnipkg\n"));
    let lines =
        ["test -n \"${BASH_VERSION:-}\" && echo bash", ". .venv/bin/activate || echo \"${VIRTUAL_ENV-refused}\""];
    let output = shell(&context, "sh", &lines).success();
    if output.stdout != "bash\n" {
        assert_eq!(output.stdout, "refused\n");
        assert!(output.stderr.contains("use bash, zsh or ksh"), "{output}");
    }
    for name in ["activate.fish", "activate.csh", "Activate.ps1"] {
        assert!(link.join("bin").join(name).is_file(), "{name}");
    }
    // What is active in the shell is what omnipkg means.
    let mut command = context.command(["run", "--", "python", "-c", "import sys; print(sys.prefix)"]);
    command.env("VIRTUAL_ENV", &link);
    assert_eq!(quiet_success(run(command, b"")), format!("{view}\n"));
}

fn a_virtual_environment_is_made_in_it_with_pip(context: Context) {
    let link = linked_view(&context);
    let without_pip = |option| [option, "--without-pip"];
    for (name, options) in
        [("with-pip", &[][..]), ("site", &without_pip("--system-site-packages")), ("copies", &without_pip("--copies"))]
    {
        let mut command = context.program(link.join("bin/python"));
        command.args(["-m", "venv"]).args(options).arg(name);
        quiet_success(run(command, b""));
        let made = context.work().join(name);
        let mut command = context.program(made.join("bin/python"));
        let code = "import os, sys; print(sys.prefix, os.path.exists(os.path.join(sys.prefix, 'bin/pip')))";
        command.args(["-c", code]);
        let with_pip = if name == "with-pip" { "True" } else { "False" };
        assert_eq!(quiet_success(run(command, b"")), format!("{} {with_pip}\n", made.display()));
    }
}

fn extensions_are_built_against_its_headers(context: Context) {
    let lines = [
        "import os, sysconfig",
        "print(os.path.isfile(os.path.join(sysconfig.get_path('include'), 'Python.h')) or 'no headers here')",
        "folder = os.path.join(os.environ['VIRTUAL_ENV'], 'include/site', 'python' + sysconfig.get_python_version())",
        "print(open(os.path.join(folder, 'tool', 'tool.h')).read())",
        "print(os.path.isfile(sysconfig.get_config_h_filename()), os.path.isfile(sysconfig.get_makefile_filename()))",
    ];
    script(&context, "s.py", &lines);
    let through_view = quiet_success(context.run(["run", "s.py"]));
    assert!(through_view.contains("#define TOOL 1"), "{through_view}");
    let code = "import os, sysconfig; print(os.path.isfile(sysconfig.get_config_h_filename()))";
    let plain = quiet_success(crate::support::plain_python(&context, &["-c", code]));
    assert_eq!(quiet_success(python(&context, &["-c", code])), plain);
}

/// pip says in one line why it installed nothing, and the view is as it was.
#[track_caller]
fn pip_changes_nothing(context: &Context, reason: &str) {
    let wheels = context.work().join("wheels");
    let mut command = context.program("mkdir");
    command.arg(&wheels);
    run(command, b"").success();
    WheelBuilder::with_version_attribute("other", "1.0").build().write_to(&wheels);
    let pip = ["-m", "pip", "--disable-pip-version-check", "--no-cache-dir"];
    let install = ["install", "--no-index", "--find-links", "wheels", "other"];
    let output = python(context, &[&pip[..], &install[..]].concat()).expect_code(1);
    let errors: Vec<&str> = output.stderr.lines().filter(|line| line.starts_with("ERROR")).collect();
    assert!(matches!(errors[..], [one] if one.contains(reason)), "{output}");
    let output = python(context, &[&pip[..], &["uninstall", "--yes", "tool"]].concat());
    assert!(output.stderr.contains(reason), "{output}");
    let output = python(context, &[&pip[..], &["freeze"]].concat());
    assert_eq!(quiet_success(output), "tool==1.0\n");
    quiet_success(python(context, &["-c", "import tool"]));
}

#[test]
fn pip_cannot_change_a_mounted_view() {
    if require_fuse() {
        pip_changes_nothing(&tool_installed(Context::new().fuse()), "Read-only file system");
    }
}

#[test]
fn pip_cannot_change_a_view_of_links_for_an_ordinary_user() {
    if User::ordinary().is_none() {
        return;
    }
    let Some(context) = Context::as_ordinary_user() else { return };
    pip_changes_nothing(&tool_installed(context.link()), "Permission denied");
}
