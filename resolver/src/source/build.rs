//! One build: a backend's hooks, each in a process of its own, in an environment of what the project says it needs.
//!
//! What a backend says is kept in a log until it is known whether it matters; scratch files go with the [`Build`].

use super::environments::{BuildEnvironment, BuildEnvironments};
use super::{hints, metadata, project};
use crate::error::{Error, Result};
use crate::metadata::Requirement;
use crate::shared::Shared;
use serde::Deserialize;
use serde_json::{Value, json};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::str::FromStr;
use tempfile::TempDir;

const HOOKS: &str = include_str!("hooks.py");

/// Of a failed build's log, this many lines are shown.
const LAST_LINES: usize = 25;

/// Of a line of it, so many characters.
const LINE: usize = 400;

/// A build under way.
pub(super) struct Build<'a> {
    environments: &'a dyn BuildEnvironments,
    /// Where its hooks run.
    pub(super) environment: BuildEnvironment,
    system: project::BuildSystem,
    root: &'a Path,
    label: &'a str,
    scratch: TempDir,
}

/// What a hook came to.
#[derive(Deserialize)]
struct Outcome {
    #[serde(default)]
    missing: bool,
    #[serde(default)]
    value: Value,
}

impl<'a> Build<'a> {
    /// Reads how the project is built, and makes the environment for it.
    pub(super) fn begin(
        shared: &Shared,
        environments: &'a dyn BuildEnvironments,
        root: &'a Path,
        label: &'a str,
    ) -> Result<Self> {
        shared.progress.building(label);
        let system = project::build_system(root, label)?;
        let environment = compose(environments, &system.requires, label)?;
        let tmp = shared.store.layout().tmp();
        let scratch = tempfile::Builder::new().prefix("build-").tempdir_in(&tmp);
        let scratch = scratch.map_err(|error| Error::io("create a directory in", tmp, error))?;
        Ok(Self { environments, environment, system, root, label, scratch })
    }

    /// The project's METADATA, if its backend tells it without a whole wheel.
    pub(super) fn metadata(&mut self, editable: bool) -> Result<Option<Vec<u8>>> {
        self.add_requires(editable)?;
        let directory = self.directory("metadata")?;
        let kind = if editable { "editable" } else { "wheel" };
        let hook = format!("prepare_metadata_for_build_{kind}");
        match self.call(&hook, json!([directory]))? {
            Some(name) => metadata::written(&directory.join(self.name(&hook, &name)?)).map(Some),
            None => Ok(None),
        }
    }

    /// The project's wheel, in the scratch directory.
    pub(super) fn wheel(&mut self, editable: bool) -> Result<PathBuf> {
        self.add_requires(editable)?;
        let directory = self.directory("wheel")?;
        let hook = if editable { "build_editable" } else { "build_wheel" };
        let name = self.call(hook, json!([directory, {}]))?;
        let lacks = || Error::build(self.label, format!("its backend {} has no {hook}", self.system.backend));
        Ok(directory.join(self.name(hook, &name.ok_or_else(lacks)?)?))
    }

    /// What the backend finds that it needs itself.
    fn add_requires(&mut self, editable: bool) -> Result<()> {
        let kind = if editable { "editable" } else { "wheel" };
        let Some(more) = self.call(&format!("get_requires_for_build_{kind}"), json!([{}]))? else { return Ok(()) };
        let wrong =
            |text: &str| Error::build(self.label, format!("its backend asks for {text}, which is no requirement"));
        for text in more.as_array().into_iter().flatten() {
            let text = text.as_str().ok_or_else(|| wrong(&text.to_string()))?;
            let requirement = Requirement::from_str(text).map_err(|_| wrong(text))?;
            if !self.system.requires.contains(&requirement) {
                self.system.requires.push(requirement);
            }
        }
        self.environment = compose(self.environments, &self.system.requires, self.label)?;
        Ok(())
    }

    /// A plain file or directory name that a hook gave.
    fn name(&self, hook: &str, value: &Value) -> Result<String> {
        let plain = value.as_str().filter(|name| !name.is_empty() && !name.contains('/') && !name.starts_with('.'));
        plain.map(str::to_owned).ok_or_else(|| Error::build(self.label, format!("{hook} of its backend gave {value}")))
    }

    fn directory(&self, name: &str) -> Result<PathBuf> {
        let path = self.scratch.path().join(name);
        fs::create_dir_all(&path).map_err(|error| Error::io("create directory", &path, error))?;
        Ok(path)
    }

    /// Calls a hook; `None` if the backend has no such one.
    fn call(&self, hook: &str, arguments: Value) -> Result<Option<Value>> {
        let (backend, backend_path) = (&self.system.backend, &self.system.backend_path);
        let call = json!({ "backend": backend, "backend_path": backend_path, "hook": hook, "arguments": arguments });
        let path = |name: &str| self.scratch.path().join(name);
        let (program, question, answer, log) = (path("hooks.py"), path("call.json"), path("result.json"), path("log"));
        let write = |path: &Path, text: &str| fs::write(path, text).map_err(|error| Error::io("write", path, error));
        write(&program, HOOKS)?;
        write(&question, &call.to_string())?;
        // What another hook answered is no answer to this one.
        match fs::remove_file(&answer) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::io("remove", &answer, error));
            }
            _ => {}
        }
        let output = File::create(&log).map_err(|error| Error::io("create", &log, error))?;
        let errors = output.try_clone().map_err(|error| Error::io("create", &log, error))?;
        let python = self.environment.prefix.join("bin/python");
        let mut command = Command::new(&python);
        command.arg(&program).arg(&question).arg(&answer).current_dir(self.root);
        command.stdin(Stdio::null()).stdout(output).stderr(errors);
        self.surround(&mut command)?;
        let status = command.status().map_err(|error| Error::io("start", &python, error))?;
        if !status.success() {
            return Err(self.failed(hook, &log, &status.to_string()));
        }
        let Ok(bytes) = fs::read(&answer) else { return Err(self.failed(hook, &log, "it ended without an answer")) };
        let outcome: Outcome = serde_json::from_slice(&bytes)
            .map_err(|error| Error::build(self.label, format!("{hook} of its backend gave no answer ({error})")))?;
        Ok((!outcome.missing).then_some(outcome.value))
    }

    /// The variables that a build sees: its own environment's programs first, nothing of the user's Python.
    fn surround(&self, command: &mut Command) -> Result<()> {
        for name in ["PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "OMNIPKG_REPORT"] {
            command.env_remove(name);
        }
        let own = self.environment.prefix.join("bin");
        let path = std::env::var_os("PATH").unwrap_or_default();
        let all = std::iter::once(own).chain(std::env::split_paths(&path));
        let joined = std::env::join_paths(all).map_err(|error| Error::Internal(error.to_string()))?;
        command.env("PATH", joined).env("VIRTUAL_ENV", &self.environment.prefix);
        command.env("PYTHONNOUSERSITE", "1").env("TMPDIR", self.directory("tmp")?);
        // Bytecode is told from its source's by a time in seconds: a backend in the tree, changed within one, would be run
        // as it was before. And a build leaves nothing in a user's directory that it need not leave.
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        if std::env::var_os("SOURCE_DATE_EPOCH").is_none() {
            // The first time that a zip archive can hold: the same source gives the same wheel, and the same view.
            command.env("SOURCE_DATE_EPOCH", "315532800");
        }
        Ok(())
    }

    fn failed(&self, hook: &str, log: &Path, status: &str) -> Error {
        let said = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
        let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = lines.iter().skip(lines.len().saturating_sub(LAST_LINES));
        let mut reason = format!("{hook} failed ({status})");
        last.for_each(|line| reason.push_str(&format!("\n  | {}", line.chars().take(LINE).collect::<String>())));
        let hint = hints::of(&said).unwrap_or_else(|| hints::GENERAL.to_owned());
        reason.push_str(&format!("\n  {hint}"));
        Error::build(self.label, reason)
    }
}

fn compose(environments: &dyn BuildEnvironments, requires: &[Requirement], label: &str) -> Result<BuildEnvironment> {
    environments
        .compose(requires, label)
        .map_err(|source| Error::BuildEnvironment { of: label.to_owned(), source: source.into() })
}
