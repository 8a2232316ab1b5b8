//! uv as a peer: its own cache, offline whenever it is measured, since that is when it is quickest.

use crate::stage::Stage;
use anyhow::{Context, Result};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// uv, with the interpreter of every other side.
pub struct Uv<'a> {
    stage: &'a Stage,
    program: PathBuf,
    interpreter: &'a Path,
}

impl<'a> Uv<'a> {
    /// The one on PATH, if there is one.
    pub fn find(stage: &'a Stage, interpreter: &'a Path) -> Option<Self> {
        let path = std::env::var_os("PATH")?;
        let program = std::env::split_paths(&path).map(|directory| directory.join("uv")).find(|path| path.is_file())?;
        Some(Self { stage, program, interpreter })
    }

    /// The same for another interpreter.
    pub fn with_interpreter(&self, interpreter: &'a Path) -> Self {
        Self { stage: self.stage, program: self.program.clone(), interpreter }
    }

    /// The program.
    pub fn program(&self) -> &Path {
        &self.program
    }

    fn command(&self, verb: &[&str], offline: bool) -> Command {
        let mut command = self.stage.command(&self.program);
        command.args(verb).arg("--quiet");
        if offline {
            command.arg("--offline");
        }
        command.arg("--python").arg(self.interpreter);
        command
    }

    /// Fetches all that requirements need, and makes what uv keeps for `uv run --with` of them.
    pub fn fetch(&self, requirements: &[String], script: &Path) -> Result<()> {
        self.stage.run(&mut self.run_with(requirements, script, false)).map(drop)
    }

    /// `uv run --no-project --with … script`.
    pub fn run_with<R: AsRef<OsStr>>(&self, requirements: &[R], script: &Path, offline: bool) -> Command {
        let mut command = self.command(&["run", "--no-project"], offline);
        for requirement in requirements {
            command.arg("--with").arg(requirement);
        }
        command.arg(script);
        command
    }

    /// `uv run script`, for a script with a PEP 723 block.
    pub fn run_script(&self, script: &Path, offline: bool) -> Command {
        let mut command = self.command(&["run"], offline);
        command.arg("--script").arg(script);
        command
    }

    /// `uv pip install`, offline, into the environment of this Python.
    pub fn install<R: AsRef<OsStr>>(&self, python: &Path, requirements: &[R]) -> Command {
        let mut install = self.stage.command(&self.program);
        install.args(["pip", "install", "--quiet", "--offline", "--python"]).arg(python).args(requirements);
        install
    }

    /// A new environment with requirements in it, made offline, and how long it took.
    pub fn environment<R: AsRef<OsStr>>(&self, name: &str, requirements: &[R]) -> Result<Environment> {
        let path = self.stage.work().join(name);
        let made = self.stage.run(self.command(&["venv"], true).arg(&path))?;
        let python = path.join("bin/python");
        let installed = self.stage.run(&mut self.install(&python, requirements))?;
        Ok(Environment { path, python, took: made.took + installed.took })
    }
}

/// An environment that uv made.
pub struct Environment {
    path: PathBuf,
    /// Its Python.
    pub python: PathBuf,
    /// How long making it took: the two processes.
    pub took: Duration,
}

impl Environment {
    /// Takes it away.
    pub fn remove(self) -> Result<()> {
        fs::remove_dir_all(&self.path).with_context(|| format!("cannot remove {}", self.path.display()))
    }
}
