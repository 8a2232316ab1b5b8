//! Plain virtual environments of the same interpreter: what omnipkg is compared with.

use crate::stage::Stage;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

/// Prints `name==version` of all that an environment holds but pip, which plain environments here do without.
const FREEZE: &str = "\
import importlib.metadata
for found in importlib.metadata.distributions():
    name = found.metadata['Name']
    if name.lower() not in ('pip', 'omnipkg'):
        print(name + '==' + found.version)
";

/// Makes plain environments.
pub struct Plain<'a> {
    stage: &'a Stage,
    interpreter: &'a Path,
}

impl<'a> Plain<'a> {
    /// With an interpreter.
    pub fn new(stage: &'a Stage, interpreter: &'a Path) -> Self {
        Self { stage, interpreter }
    }

    /// An empty environment; its Python.
    pub fn empty(&self, name: &str) -> Result<PathBuf> {
        let path = self.stage.work().join(name);
        let mut command = self.stage.command(self.interpreter);
        self.stage.run(command.args(["-m", "venv", "--without-pip"]).arg(&path))?;
        Ok(path.join("bin/python"))
    }

    /// An environment with exactly what another holds, its bytecode written; its Python.
    pub fn like(&self, name: &str, view: &Path, imports: &str) -> Result<PathBuf> {
        let python = self.empty(name)?;
        let pins = freeze(self.stage, view)?;
        let mut command = self.stage.command(self.pip()?);
        command.args(["-m", "pip", "--disable-pip-version-check", "--python"]).arg(&python);
        command.args(["install", "--quiet", "--no-deps"]).args(&pins);
        self.stage.run(&mut command)?;
        // Importing writes what bytecode pip has not written.
        for _ in 0..2 {
            self.stage.run(self.stage.command(&python).args(["-c", &format!("import {imports}")]))?;
        }
        Ok(python)
    }

    /// A Python with a pip: the one that the interpreter brings along.
    fn pip(&self) -> Result<PathBuf> {
        let path = self.stage.work().join("pip");
        if !path.exists() {
            let mut command = self.stage.command(self.interpreter);
            self.stage.run(command.args(["-m", "venv"]).arg(&path)).context("cannot make an environment with pip")?;
        }
        Ok(path.join("bin/python"))
    }
}

/// `name==version` of what a view or an environment holds.
pub fn freeze(stage: &Stage, environment: &Path) -> Result<Vec<String>> {
    let finished = stage.run(stage.command(environment.join("bin/python")).args(["-c", FREEZE]))?;
    Ok(finished.stdout.lines().map(str::to_owned).collect())
}
