//! What the demos share: starting commands as a user would, and timing them.

use crate::settings::Settings;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Variables of the user's that would make a demo's commands do other work than the demo says.
const REMOVED: [&str; 12] = [
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONHOME",
    "PYTHONPATH",
    "OMNIPKG_PYTHON",
    "OMNIPKG_STARTED_FROM",
    "OMNIPKG_RUN_OVER",
    "OMNIPKG_FAILURES",
    "OMNIPKG_REPORT",
    "OMNIPKG_BINARY",
    "UV_PROJECT_ENVIRONMENT",
];

/// A demo's store and the directory of its scripts.
#[derive(Debug, Clone)]
pub struct Place {
    /// The user's settings with the demo's store.
    pub settings: Settings,
    /// Where scripts lie and commands run.
    pub work: PathBuf,
}

impl Place {
    /// Any program, in the working directory and with nothing of the user's own environments.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.work).env("OMNIPKG_HOME", &self.settings.home);
        REMOVED.iter().for_each(|name| {
            command.env_remove(name);
        });
        command
    }

    /// omnipkg itself on the demo's store.
    pub fn omnipkg(&self) -> Result<Command> {
        let mut command = self.command(std::env::current_exe().context("cannot find the omnipkg program itself")?);
        if let Some(url) = &self.settings.index.index_url {
            command.env("OMNIPKG_INDEX_URL", url);
        }
        if self.settings.offline {
            command.env("OMNIPKG_OFFLINE", "1");
        }
        Ok(command)
    }
}

/// Runs a command to its end and returns its standard output; an error with its last words if it fails.
pub fn output_of(command: &mut Command) -> Result<String> {
    finish(command.stderr(Stdio::piped()))
}

/// As [`output_of`], but what the command has to say is seen at once, and its progress if this is a terminal.
pub fn output_of_talking(command: &mut Command) -> Result<String> {
    finish(command.stderr(Stdio::inherit()))
}

fn finish(command: &mut Command) -> Result<String> {
    let name = Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let output = command.spawn().and_then(std::process::Child::wait_with_output);
    let output = output.with_context(|| format!("cannot start {name}"))?;
    let talk = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
        let talk = if talk.is_empty() { String::new() } else { format!(": {}", talk.trim()) };
        bail!("`{name} {}` failed ({}){talk}", words.join(" "), output.status);
    }
    eprint!("{talk}");
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Does something and says how long it took.
pub fn timed<T>(work: impl FnOnce() -> Result<T>) -> Result<(T, Duration)> {
    let started = Instant::now();
    let value = work()?;
    Ok((value, started.elapsed()))
}

/// The one in the middle.
pub fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
