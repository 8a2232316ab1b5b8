//! Finds the Python interpreters that this machine has, for tests to run in.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// An interpreter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Python {
    /// `(3, 11)`.
    pub version: (u32, u32),
    /// Its executable, an absolute path that is no shim.
    pub executable: PathBuf,
}

impl Python {
    /// All that were found: pyenv's, then those on PATH.
    pub fn all() -> &'static [Python] {
        static FOUND: OnceLock<Vec<Python>> = OnceLock::new();
        FOUND.get_or_init(|| {
            let mut found = pyenv();
            found.extend(on_path());
            found.dedup_by(|a, b| a.executable == b.executable);
            found
        })
    }

    /// The first interpreter of a version, `"3.11"`; prints why a test is skipped if there is none.
    pub fn find(version: &str) -> Option<Python> {
        let wanted = parse(version).unwrap_or_else(|| panic!("{version} is no version of Python"));
        let found = Self::all().iter().find(|python| python.version == wanted).cloned();
        if found.is_none() {
            eprintln!("skipped: there is no Python {version} under ~/.pyenv/versions or on PATH");
        }
        found
    }

    /// Any interpreter of 3.8 or newer that `usable` accepts, 3.11 before others.
    pub fn any(usable: impl Fn(&Python) -> bool) -> Option<Python> {
        let mut candidates: Vec<&Python> = Self::all().iter().filter(|python| python.version >= (3, 8)).collect();
        candidates.sort_by_key(|python| (python.version != (3, 11), std::cmp::Reverse(python.version)));
        candidates.into_iter().find(|python| usable(python)).cloned()
    }

    /// `3.11`.
    pub fn version(&self) -> String {
        format!("{}.{}", self.version.0, self.version.1)
    }

    /// The directory that holds the executable.
    pub fn directory(&self) -> &Path {
        self.executable.parent().expect("an executable lies in a directory")
    }
}

/// `~/.pyenv/versions/*`; the folder's name is the version, so that nothing need be started.
fn pyenv() -> Vec<Python> {
    let Some(home) = std::env::var_os("HOME") else { return Vec::new() };
    let Ok(versions) = Path::new(&home).join(".pyenv/versions").read_dir() else { return Vec::new() };
    let mut found: Vec<Python> = versions
        .flatten()
        .filter_map(|entry| {
            let version = parse(entry.file_name().to_str()?)?;
            let executable = entry.path().join(format!("bin/python{}.{}", version.0, version.1));
            executable.exists().then_some(Python { version, executable })
        })
        .collect();
    found.sort_by(|a, b| a.executable.cmp(&b.executable));
    found
}

/// `pythonX.Y` and `python3` on PATH, each asked for its version; pyenv's shims are scripts and left out.
fn on_path() -> Vec<Python> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut found: Vec<Python> = Vec::new();
    for directory in std::env::split_paths(&path).filter(|directory| !directory.ends_with("shims")) {
        for name in (8..=14).map(|minor| format!("python3.{minor}")).chain(["python3".to_owned()]) {
            let executable = directory.join(name);
            if let Some(version) = executable.exists().then(|| ask(&executable)).flatten()
                && found.iter().all(|python| python.version != version)
            {
                found.push(Python { version, executable });
            }
        }
    }
    found
}

fn ask(executable: &Path) -> Option<(u32, u32)> {
    let code = "import sys; print('%d.%d' % sys.version_info[:2])";
    let output = Command::new(executable).args(["-I", "-c", code]).output().ok()?;
    parse(std::str::from_utf8(&output.stdout).ok()?.trim())
}

/// `3.11` or `3.11.7`.
fn parse(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.').map(str::parse);
    match (parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => Some((major, minor)),
        _ => None,
    }
}
