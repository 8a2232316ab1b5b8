//! What lies beneath a run: environments that omnipkg does not manage, and views that a command is started from.

use crate::support::{install, plain_python, publish, quiet_success, rich_installed, script};
use omnipkg_tests::{Context, WheelBuilder};
use std::fs;
use std::path::{Path, PathBuf};

/// A virtual environment as the user made it, with rich 13.7.1 and a project that no index has.
fn venv(context: Context) -> (Context, PathBuf) {
    let path = context.work().join("venv");
    plain_python(&context, &["-m", "venv", "--without-pip", "venv"]).success();
    let site_packages = format!("venv/lib/python{}/site-packages", context.interpreter().version());
    for (name, version) in [("rich", "13.7.1"), ("local-only", "0.1")] {
        let wheel = WheelBuilder::with_version_attribute(name, version).build().write_to(&context.work());
        plain_python(&context, &["-m", "zipfile", "-e", wheel.to_str().unwrap(), &site_packages]).success();
    }
    publish(&context, &[("rich", "13.4.2"), ("rich", "13.7.1")]);
    (context.env("VIRTUAL_ENV", &path), path)
}

/// Every file beneath a directory with its size, times left out.
fn files(directory: &Path) -> Vec<(PathBuf, u64)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap().flatten() {
        let metadata = entry.metadata().unwrap();
        if metadata.is_dir() {
            found.extend(
                files(&entry.path()).into_iter().filter(|(path, _)| !path.iter().any(|part| part == "__pycache__")),
            );
        } else {
            found.push((entry.path(), metadata.len()));
        }
    }
    found.sort();
    found
}

#[test]
fn a_users_own_environment_stays_beneath_and_as_it_is() {
    let (context, path) = venv(Context::new());
    let before = files(&path);
    let lines = ["import local_only, rich", "print(rich.__version__, local_only.__version__)"];
    script(&context, "plain.py", &lines);
    assert_eq!(quiet_success(context.run(["run", "plain.py"])), "13.7.1 0.1\n");

    script(&context, "s.py", &[lines[0], "assert rich.__version__ == '13.4.2'", lines[1]]);
    let output = context.run(["run", "s.py"]).success();
    assert_eq!(output.stdout, "13.4.2 0.1\n");
    assert_eq!(output.stderr, "omnipkg: s.py:2 needs rich 13.4.2 (found 13.7.1): running with rich 13.4.2\n");
    context.index().stop();
    assert_eq!(quiet_success(context.run(["run", "s.py"])), "13.4.2 0.1\n");
    assert_eq!(quiet_success(context.run(["run", "plain.py"])), "13.7.1 0.1\n");
    assert_eq!(files(&path), before);
}

#[test]
fn a_change_of_the_users_own_environment_is_noticed() {
    let (context, path) = venv(Context::new());
    script(&context, "s.py", &["import rich", "assert rich.__version__ == '13.4.2'", "print('runs')"]);
    context.run(["run", "s.py"]).success();
    let site_packages = path.join(format!("lib/python{}/site-packages", context.interpreter().version()));
    fs::rename(site_packages.join("rich-13.7.1.dist-info"), site_packages.join("rich-13.4.2.dist-info")).unwrap();
    fs::write(site_packages.join("rich/__init__.py"), "# changed\n__version__ = '13.4.2'\n").unwrap();
    assert_eq!(quiet_success(context.run(["run", "s.py"])), "runs\n");
}

#[test]
fn a_run_within_a_run_is_in_the_same_view() {
    let context = rich_installed(Context::new());
    publish(&context, &[("other", "1.0")]);
    let lines = ["import sys", "print(sys.prefix)"];
    script(&context, "inner.py", &lines);
    let code =
        "import subprocess, sys; print(sys.prefix, flush=True); subprocess.run([sys.argv[1], 'run', 'inner.py'])";
    script(&context, "outer.py", &[code]);
    let omnipkg = omnipkg_tests::context::binary();
    let output = context.run(["run", "--with", "other", "outer.py", omnipkg.to_str().unwrap()]);
    let output = quiet_success(output);
    let prefixes: Vec<&str> = output.lines().collect();
    assert_eq!((prefixes.len(), prefixes[0]), (2, prefixes[1]));
    assert_ne!(quiet_success(context.run(["run", "inner.py"])).trim_end(), prefixes[0]);
}

#[test]
fn the_active_environment_is_found_by_its_path() {
    let context = rich_installed(Context::new());
    let python = context.store().join("active/bin/python");
    let code = "import importlib.metadata as m; print(m.version('rich'))";
    let version = || {
        let mut command = context.program(&python);
        command.args(["-c", code]);
        quiet_success(omnipkg_tests::process::run(command, b""))
    };
    assert_eq!(version(), "13.7.1\n");
    install(&context, &["rich==13.4.2"]);
    assert_eq!(version(), "13.4.2\n");
}
