//! A view as an environment: what works in a virtual environment works in it, and nothing can change it.

use crate::support::{install, over_both_projections, python, quiet_success, rich_installed, script};
use omnipkg_tests::process::run;
use omnipkg_tests::{Context, User, WheelBuilder, require_fuse};
use std::path::PathBuf;

/// A wheel with everything that wheels can have.
fn tool() -> WheelBuilder {
    WheelBuilder::with_version_attribute("tool", "1.0")
        .file("tool/main.py", "import sys\ndef main():\n    print('main', sys.argv[1:])\n    return 4\n")
        .file("tool/data/words.txt", "some words\n")
        .executable("tool/helper.sh", "#!/bin/sh\necho helped\n")
        .console_script("the-tool", "tool.main:main")
        .data_file("scripts", "py-script", "#!python\nimport sys, tool\nprint(tool.__version__, sys.argv[1:])\n")
        .data_file("scripts", "sh-script", "#!/bin/sh\necho shell \"$@\"\n")
        .data_file("data", "share/tool/manual.txt", "the manual\n")
        .data_file("purelib", "tool_pure.py", "WHERE = __file__\n")
}

fn tool_installed(context: Context) -> Context {
    context.publish(&[tool().build()]);
    install(&context, &["tool"]);
    context
}

over_both_projections!(
    tool_installed:
    pip_lists_what_is_there,
    entry_points_and_metadata_are_found,
    programs_of_wheels_run,
    data_of_wheels_is_found,
    other_processes_are_in_the_view_too,
    it_has_the_shape_of_a_virtual_environment,
    a_virtual_environment_can_be_made_from_it,
    compiled_ahead_has_bytecode,
);

fn pip_lists_what_is_there(context: Context) {
    let output = python(&context, &["-m", "pip", "--disable-pip-version-check", "list", "--format=freeze"]).success();
    let lines: Vec<&str> = output.stdout.lines().collect();
    assert!(lines.contains(&"tool==1.0") && lines.iter().any(|line| line.starts_with("pip==")), "{output}");
    let output = python(&context, &["-m", "pip", "--disable-pip-version-check", "show", "--files", "tool"]).success();
    assert!(output.stdout.contains("  tool/__init__.py\n") && output.stderr.is_empty(), "{output}");
    let output = python(&context, &["-m", "pip", "--disable-pip-version-check", "check"]).success();
    assert_eq!(output.stdout, "No broken requirements found.\n");
}

fn entry_points_and_metadata_are_found(context: Context) {
    let lines = [
        "import importlib.metadata as m",
        "points = m.entry_points()",
        "group = points.select(group='console_scripts') if hasattr(points, 'select') else points['console_scripts']",
        "print([point.value for point in group if point.name == 'the-tool'])",
        "print(m.version('tool'), (m.distribution('tool').read_text('INSTALLER') or '').strip())",
        "missing = [each for each in m.files('tool') if not each.locate().is_file()]",
        "print(len(m.files('tool')) > 8, missing)",
    ];
    script(&context, "s.py", &lines);
    assert_eq!(quiet_success(context.run(["run", "s.py"])), "['tool.main:main']\n1.0 omnipkg\nTrue []\n");
}

fn programs_of_wheels_run(context: Context) {
    let output = context.run(["run", "--", "the-tool", "a", "--b"]).expect_code(4);
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("main ['a', '--b']\n", ""));
    assert_eq!(quiet_success(context.run(["run", "--", "py-script", "x y"])), "1.0 ['x y']\n");
    assert_eq!(quiet_success(context.run(["run", "--", "sh-script", "x", "y"])), "shell x y\n");
    // By path, with nothing of omnipkg around it.
    let view = PathBuf::from(quiet_success(context.run(["mount", "tool"])).trim_end());
    for (name, expected) in [("py-script", "1.0 []\n"), ("sh-script", "shell\n"), ("the-tool", "main []\n")] {
        assert_eq!(run(context.program(view.join("bin").join(name)), b"").stdout, expected);
    }
}

fn data_of_wheels_is_found(context: Context) {
    let lines = [
        "import os, pkgutil, subprocess, sys, tool, tool_pure",
        "print(pkgutil.get_data('tool', 'data/words.txt').decode().strip())",
        "try:",
        "    from importlib.resources import files",
        "    print(files('tool').joinpath('data', 'words.txt').read_text().strip())",
        "except ImportError:",
        "    print('some words')",
        "print(open(os.path.join(sys.prefix, 'share/tool/manual.txt')).read().strip())",
        "print(subprocess.check_output([os.path.join(os.path.dirname(tool.__file__), 'helper.sh')]).decode().strip())",
        "print(os.path.dirname(tool_pure.WHERE) == os.path.dirname(os.path.dirname(tool.__file__)))",
    ];
    script(&context, "s.py", &lines);
    assert_eq!(quiet_success(context.run(["run", "s.py"])), "some words\nsome words\nthe manual\nhelped\nTrue\n");
}

fn other_processes_are_in_the_view_too(context: Context) {
    let lines = [
        "import multiprocessing, subprocess, sys",
        "def version(number):",
        "    import tool",
        "    return number, tool.__version__, sys.prefix",
        "if __name__ == '__main__':",
        "    with multiprocessing.get_context('spawn').Pool(2) as pool:",
        "        print({each[1:] for each in pool.map(version, range(4))} == {('1.0', sys.prefix)})",
        "    code = 'import sys, tool; print(tool.__version__, sys.prefix)'",
        "    for python in (sys.executable, 'python', 'python3'):",
        "        said = subprocess.check_output([python, '-c', code]).decode().split()",
        "        print(said == ['1.0', sys.prefix])",
    ];
    script(&context, "s.py", &lines);
    assert_eq!(quiet_success(context.run(["run", "s.py"])), "True\nTrue\nTrue\nTrue\n");
}

fn it_has_the_shape_of_a_virtual_environment(context: Context) {
    let lines = [
        "import os, site, sys, sysconfig",
        "print(sys.prefix != sys.base_prefix, os.environ['VIRTUAL_ENV'] == sys.prefix)",
        "print(os.path.isfile(os.path.join(sys.prefix, 'pyvenv.cfg')), site.ENABLE_USER_SITE)",
        "packages = sysconfig.get_path('purelib')",
        "print(packages in sys.path, packages.startswith(sys.prefix), packages == sysconfig.get_path('platlib'))",
        "print(sys.executable == os.path.join(sys.prefix, 'bin', 'python'), sys.flags.no_user_site)",
        "print([path for path in sys.path if 'site-packages' in path] == [packages])",
    ];
    script(&context, "s.py", &lines);
    assert_eq!(quiet_success(context.run(["run", "s.py"])), "True True\nTrue False\nTrue True True\nTrue 0\nTrue\n");
}

fn a_virtual_environment_can_be_made_from_it(context: Context) {
    quiet_success(python(&context, &["-m", "venv", "--without-pip", "made"]));
    let code = "import sys; print(sys.prefix); import tool";
    let mut command = context.program(context.work().join("made/bin/python"));
    command.args(["-c", code]);
    let output = run(command, b"").expect_code(1);
    assert_eq!(output.stdout, format!("{}\n", context.work().join("made").display()));
    assert!(output.stderr.ends_with("No module named 'tool'\n"), "{output}");
}

fn compiled_ahead_has_bytecode(context: Context) {
    let view = PathBuf::from(quiet_success(context.run(["mount", "--compile", "tool"])).trim_end());
    let mut command = context.program(view.join("bin/python"));
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command.args([
        "-c",
        "import os, tool.main; print(os.path.isfile(tool.__cached__), os.path.isfile(tool.main.__cached__))",
    ]);
    assert_eq!(quiet_success(run(command, b"")), "True True\n");
}

/// Every way to change a view that a script could try; prints how each was refused.
const CHANGES: &[&str] = &[
    "import errno, os, rich, sys",
    "folder = os.path.dirname(rich.__file__)",
    "def attempt(change):",
    "    try:",
    "        change()",
    "        print('changed')",
    "    except OSError as error:",
    "        print(errno.errorcode[error.errno])",
    "attempt(lambda: open(rich.__file__, 'a').write('x'))",
    "attempt(lambda: open(rich.__file__, 'r+b'))",
    "attempt(lambda: open(os.path.join(folder, 'new.py'), 'w'))",
    "attempt(lambda: os.mkdir(os.path.join(folder, 'new')))",
    "attempt(lambda: os.unlink(rich.__file__))",
    "attempt(lambda: os.rename(rich.__file__, os.path.join(folder, 'moved.py')))",
    "attempt(lambda: os.rmdir(folder))",
    "attempt(lambda: os.symlink('x', os.path.join(sys.prefix, 'bin', 'new')))",
    "attempt(lambda: open(os.path.join(sys.prefix, 'pyvenv.cfg'), 'a'))",
];

#[track_caller]
fn refuses_changes(context: &Context, error: &str) {
    script(context, "changes.py", CHANGES);
    let output = quiet_success(context.run(["run", "changes.py"]));
    assert_eq!(output, format!("{error}\n").repeat(CHANGES.iter().filter(|line| line.starts_with("attempt")).count()));
    script(context, "same.py", &["import os, rich", "print(rich.__version__, sorted(os.listdir(rich.__path__[0])))"]);
    let after = quiet_success(context.run(["run", "same.py"]));
    assert!(after.starts_with("13.7.1 ['__init__.py'"), "{after}");
}

#[test]
fn a_mounted_view_cannot_be_changed() {
    if require_fuse() {
        refuses_changes(&rich_installed(Context::new().fuse()), "EROFS");
    }
}

#[test]
fn a_view_of_links_cannot_be_changed_by_an_ordinary_user() {
    if User::ordinary().is_none() {
        return;
    }
    let Some(context) = Context::as_ordinary_user() else { return };
    refuses_changes(&rich_installed(context.link()), "EACCES");
}

#[test]
fn bytecode_that_was_missed_is_there_soon_after() {
    if !require_fuse() {
        return;
    }
    let context = rich_installed(Context::new().fuse());
    script(&context, "s.py", &["import os, rich", "print(os.path.isfile(rich.__cached__))"]);
    let known = || quiet_success(context.run(["run", "s.py"])) == "True\n";
    // It is compiled when imports have been quiet for a while: many starts of Python, and far from all of these.
    assert!((0..2000).any(|_| known()), "no bytecode came");
}
