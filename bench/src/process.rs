//! One process, timed from just before its start to just after its end.
//!
//! Its output goes to files, never to pipes: a server that it leaves behind could hold a pipe open, and then the
//! end of the output would be timed instead of the end of the process.

use anyhow::{Context, Result, bail};
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Variables that would make one side do other work than the other.
const REMOVED: [&str; 10] = [
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONPYCACHEPREFIX",
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONSTARTUP",
    "PYTHONPROFILEIMPORTTIME",
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "UV_PROJECT_ENVIRONMENT",
    "OMNIPKG_REPORT",
];

/// What a process came to.
#[derive(Debug)]
pub struct Finished {
    /// From before its start to after its end.
    pub took: Duration,
    /// How it ended.
    pub status: ExitStatus,
    /// What it said.
    pub stdout: String,
    stderr: String,
    name: String,
}

/// A command in a working directory, with an environment that favours no side.
pub fn command(program: impl AsRef<std::ffi::OsStr>, directory: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(directory).stdin(Stdio::null());
    for name in REMOVED {
        command.env_remove(name);
    }
    command
}

/// Runs a command to its end, however that is; `scratch` is a directory for its output.
pub fn time(command: &mut Command, scratch: &Path) -> Result<Finished> {
    let name = Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let place = |file: &str| scratch.join(file);
    let create =
        |file: &str| File::create(place(file)).with_context(|| format!("cannot create {}", place(file).display()));
    command.stdout(create("stdout")?).stderr(create("stderr")?);
    let started = Instant::now();
    let mut child = command.spawn().with_context(|| format!("cannot start {name}"))?;
    let status = child.wait().with_context(|| format!("cannot wait for {name}"))?;
    let took = started.elapsed();
    let text = |file: &str| -> Result<String> {
        let bytes = fs::read(place(file)).with_context(|| format!("cannot read {}", place(file).display()))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    Ok(Finished { took, status, stdout: text("stdout")?, stderr: text("stderr")?, name })
}

/// Runs a command that must succeed.
pub fn run(command: &mut Command, scratch: &Path) -> Result<Finished> {
    let finished = time(command, scratch)?;
    if !finished.status.success() {
        let arguments: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
        let Finished { name, status, stderr, .. } = finished;
        bail!("`{name} {}` failed ({status}): {}", arguments.join(" "), stderr.trim());
    }
    Ok(finished)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    fn shell(text: &str, directory: &Path) -> Command {
        let mut shell = command("sh", directory);
        shell.arg("-c").arg(text);
        shell
    }

    #[test]
    fn output_and_end_are_seen() {
        let scratch = tempfile::tempdir().unwrap();
        let finished = run(&mut shell("pwd", scratch.path()), scratch.path()).unwrap();
        assert_eq!(Path::new(finished.stdout.trim()), scratch.path().canonicalize().unwrap());
        let finished = time(&mut shell("exit 7", scratch.path()), scratch.path()).unwrap();
        assert_eq!(finished.status.code(), Some(7));
    }

    #[test]
    fn a_failure_carries_the_last_words() {
        let scratch = tempfile::tempdir().unwrap();
        let error = run(&mut shell("echo why >&2; exit 1", scratch.path()), scratch.path()).unwrap_err();
        assert!(error.to_string().ends_with(": why"), "{error}");
    }

    #[test]
    fn bytecode_writing_stays_on() {
        let scratch = tempfile::tempdir().unwrap();
        let command = shell("true", scratch.path());
        assert!(command.get_envs().any(|(name, value)| name == "PYTHONDONTWRITEBYTECODE" && value.is_none()));
    }
}
