//! The directory in which everything happens: omnipkg's store, environments, uv's cache, scripts.
//!
//! Whatever happens, the server of the store is stopped and the directory is taken away at the end.

use crate::process::{self, Finished};
use crate::sets::UnseenSets;
use anyhow::{Context, Result, ensure};
use std::cell::RefCell;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The stage.
pub struct Stage {
    directory: tempfile::TempDir,
    omnipkg: PathBuf,
    python: Option<String>,
    unseen: RefCell<UnseenSets>,
}

impl Stage {
    /// An empty stage for an omnipkg and the user's choice of interpreter.
    pub fn new(omnipkg: PathBuf, python: Option<String>) -> Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("omnipkg-bench-")
            .tempdir()
            .context("cannot make a directory to work in")?;
        let stage = Self { directory, omnipkg, python, unseen: RefCell::default() };
        for path in [stage.work(), stage.scratch()] {
            fs::create_dir(&path).with_context(|| format!("cannot create {}", path.display()))?;
        }
        Ok(stage)
    }

    /// The working directory of every process; scripts and environments lie here.
    pub fn work(&self) -> PathBuf {
        self.directory.path().join("work")
    }

    fn scratch(&self) -> PathBuf {
        self.directory.path().join("scratch")
    }

    /// The store.
    pub fn home(&self) -> PathBuf {
        self.directory.path().join("store")
    }

    /// A command that favours no side.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = process::command(program, &self.work());
        command.env("OMNIPKG_HOME", self.home()).env("UV_CACHE_DIR", self.directory.path().join("uv-cache"));
        command
    }

    /// omnipkg with a verb that takes `--python`.
    pub fn omnipkg(&self, verb: &str) -> Command {
        let mut command = self.command(&self.omnipkg);
        command.arg(verb);
        if let Some(python) = &self.python {
            command.args(["--python", python]);
        }
        command
    }

    /// A directory of its own for the output of processes beside others.
    pub fn scratch_of(&self, name: &str) -> Result<PathBuf> {
        let path = self.scratch().join(name);
        fs::create_dir_all(&path).with_context(|| format!("cannot create {}", path.display()))?;
        Ok(path)
    }

    /// Runs a command that must succeed.
    pub fn run(&self, command: &mut Command) -> Result<Finished> {
        process::run(command, &self.scratch())
    }

    /// Runs a command that may fail.
    pub fn time(&self, command: &mut Command) -> Result<Finished> {
        process::time(command, &self.scratch())
    }

    /// Waits until the disk has what was written before, so that nobody pays for another's writes.
    pub fn settle(&self) -> Result<()> {
        self.run(self.command("sync").arg("-f").arg(self.directory.path())).map(drop)
    }

    /// Writes a script.
    pub fn script(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.work().join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    /// Small wheels in a set that nobody has seen, of projects that are not among `taken`.
    pub fn unseen_without(&self, taken: &[String]) -> Result<Vec<&'static str>> {
        self.unseen.borrow_mut().next_without(taken)
    }

    /// Makes a view of requirements and returns its path.
    pub fn mount(&self, requirements: &[String], options: &[&str]) -> Result<PathBuf> {
        let finished = self.run(self.omnipkg("mount").args(options).args(requirements))?;
        let path = PathBuf::from(finished.stdout.trim_end());
        ensure!(path.join("bin/python").exists(), "`omnipkg mount` printed no view: {:?}", finished.stdout);
        Ok(path)
    }

    /// How many views the store holds: a view that was really made is one more.
    pub fn views(&self) -> Result<usize> {
        let path = self.home().join("views");
        Ok(fs::read_dir(&path).with_context(|| format!("cannot list {}", path.display()))?.count())
    }

    /// What `omnipkg status` calls the projection in use.
    pub fn projection(&self) -> Result<String> {
        let finished = self.run(self.command(&self.omnipkg).args(["--json", "status"]))?;
        let status: serde_json::Value =
            serde_json::from_str(&finished.stdout).context("`omnipkg status` is no JSON")?;
        Ok(status["projection"].as_str().unwrap_or("unknown").to_owned())
    }

    /// The first line of what a program says of its version.
    pub fn version(&self, program: &Path) -> Result<String> {
        let finished = self.run(self.command(program).arg("--version"))?;
        Ok(finished.stdout.lines().next().unwrap_or_default().to_owned())
    }

    /// The omnipkg that is measured.
    pub fn program(&self) -> &Path {
        &self.omnipkg
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Err(error) = self.run(self.command(&self.omnipkg).args(["server", "stop"])) {
            eprintln!("warning: {error:#}");
        }
        // Views that are made of links are read-only: opened, so that they can be removed.
        open_directories(&self.home().join("links"));
    }
}

fn open_directories(directory: &Path) {
    let _ = fs::set_permissions(directory, fs::Permissions::from_mode(0o700));
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            open_directories(&entry.path());
        }
    }
}
