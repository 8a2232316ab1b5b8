//! The launcher is run by a real `sh` and a real Python: its whole point is how these two read it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::super::entry_points::{EntryPoint, EntryPointKind};
use super::{LAUNCHER_LINE, entry_point, relocate};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A directory shaped like a view: `pyvenv.cfg`, `bin/python` and one script.
struct View {
    _dir: tempfile::TempDir,
    root: PathBuf,
}

/// Stands in for the interpreter and shows how it was called, then calls the real one.
const PYTHON: &str =
    "#!/bin/sh\necho \"python=$(realpath \"$0\")\"\nPYTHONPATH=\"${0%/*}/../site\" exec python3 \"$@\"\n";

impl View {
    fn new(script: &[u8]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap().join("a view");
        fs::create_dir_all(root.join("bin")).unwrap();
        fs::create_dir_all(root.join("site")).unwrap();
        fs::write(root.join("pyvenv.cfg"), "").unwrap();
        fs::write(root.join("site/tool.py"), MODULE).unwrap();
        write_executable(&root.join("bin/python"), PYTHON.as_bytes());
        write_executable(&root.join("bin/tool"), script);
        Self { _dir: dir, root }
    }

    fn expect(&self, output: &Output, code: i32) -> Vec<String> {
        let stdout = String::from_utf8(output.stdout.clone()).unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{stdout}{stderr}");
        let mut lines = stdout.lines().map(str::to_owned);
        let python = lines.next().unwrap();
        let python = Path::new(python.strip_prefix("python=").unwrap()).canonicalize().unwrap();
        assert_eq!(python, self.root.join("bin/python"));
        lines.collect()
    }
}

const MODULE: &str =
    "import sys\nclass App:\n    @staticmethod\n    def run():\n        print(sys.argv[1:])\n        return 3\n";

/// Copied by another process: a file that this one wrote may still be open for writing in a child that
/// another test's thread just forked, and could not be executed then.
fn write_executable(path: &Path, bytes: &[u8]) {
    let plain = path.with_extension("plain");
    fs::write(&plain, bytes).unwrap();
    assert!(Command::new("install").args(["-m", "755"]).args([&plain, path]).status().unwrap().success());
}

fn tool() -> Vec<u8> {
    entry_point(&EntryPoint {
        kind: EntryPointKind::Console,
        name: "tool".to_owned(),
        module: "tool".to_owned(),
        attribute: "App.run".to_owned(),
        extras: Vec::new(),
    })
}

#[test]
fn it_finds_python_beside_itself_and_passes_arguments_and_exit_code() {
    let view = View::new(&tool());
    let output = Command::new(view.root.join("bin/tool")).args(["a b", "$c", ""]).output().unwrap();
    assert_eq!(view.expect(&output, 3), ["['a b', '$c', '']"]);
}

#[test]
fn it_is_found_on_path_and_by_a_relative_path() {
    let view = View::new(&tool());
    let path = format!("{}:{}", view.root.join("bin").display(), std::env::var("PATH").unwrap());
    let output = Command::new("sh").args(["-c", "tool 1"]).env("PATH", path).output().unwrap();
    view.expect(&output, 3);
    let output = Command::new("sh").args(["-c", "./tool 1"]).current_dir(view.root.join("bin")).output().unwrap();
    view.expect(&output, 3);
    let output = Command::new("sh").args(["tool", "1"]).current_dir(view.root.join("bin")).output().unwrap();
    view.expect(&output, 3);
}

#[test]
fn a_link_from_elsewhere_leads_back_even_from_another_environment() {
    let view = View::new(&tool());
    let other = View::new(b"");
    let plain = view.root.parent().unwrap().join("link");
    let foreign = other.root.join("bin/foreign");
    for link in [&plain, &foreign] {
        symlink(view.root.join("bin/tool"), link).unwrap();
        view.expect(&Command::new(link).output().unwrap(), 3);
    }
    let directory = view.root.parent().unwrap().join("active");
    symlink(&view.root, &directory).unwrap();
    view.expect(&Command::new(directory.join("bin/tool")).output().unwrap(), 3);
}

#[test]
fn only_scripts_for_python_are_relocated() {
    for kept in ["#!/bin/sh\necho\n", "#!/usr/bin/python\n", "\x7fELF", "", "print()\n"] {
        assert_eq!(relocate(kept.as_bytes().to_vec()), kept.as_bytes());
    }
    let view = View::new(&relocate(b"#!python -u\nimport sys\nprint(sys.argv[1])\n".to_vec()));
    let output = Command::new(view.root.join("bin/tool")).arg("hi").output().unwrap();
    assert_eq!(view.expect(&output, 0), ["hi"]);
}

#[test]
fn a_relocated_script_keeps_docstring_future_and_encoding() {
    let script = b"#!pythonw\n# -*- coding: latin-1 -*-\n'''Doc.'''\nfrom __future__ import annotations\nimport sys\nprint(__doc__, ascii('\xe9'), sys.argv[1:])\n";
    let view = View::new(&relocate(script.to_vec()));
    let tool = view.root.join("bin/tool");
    let link = view.root.parent().unwrap().join("link");
    symlink(&tool, &link).unwrap();
    for path in [&tool, &link] {
        let output = Command::new(path).args(["a b", "$c"]).output().unwrap();
        assert_eq!(view.expect(&output, 0), [r"Doc. '\xe9' ['a b', '$c']"]);
    }
    assert!(LAUNCHER_LINE.len() <= 127);
}
