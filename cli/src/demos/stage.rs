//! What demos share: a store of their own, timing, and the table of times.

use crate::output;
use crate::server;
use crate::settings::Settings;
use anyhow::{Context, Result, bail};
use omnipkg_store::{Layout, links};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A store and a working directory that live as long as the demo.
pub struct DemoStore {
    directory: tempfile::TempDir,
    settings: Settings,
}

impl DemoStore {
    /// An empty store beside nothing of the user's.
    pub fn new(settings: &Settings) -> Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("omnipkg-demo-")
            .tempdir()
            .context("cannot make a directory for the demo")?;
        fs::create_dir(directory.path().join("work")).context("cannot make a directory for the demo")?;
        let settings = Settings { home: directory.path().join("store"), ..settings.clone() };
        Ok(Self { directory, settings })
    }

    /// The user's settings with the demo's store.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// A directory for scripts.
    pub fn work(&self) -> PathBuf {
        self.directory.path().join("work")
    }

    /// Runs omnipkg itself on the demo's store and returns its standard output.
    pub fn omnipkg(&self, arguments: &[&OsStr]) -> Result<String> {
        let program = std::env::current_exe().context("cannot find the omnipkg program itself")?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env("OMNIPKG_HOME", &self.settings.home)
            .env_remove("VIRTUAL_ENV")
            .env_remove("PYTHONDONTWRITEBYTECODE");
        output_of(&mut command)
    }
}

impl Drop for DemoStore {
    fn drop(&mut self) {
        let layout = Layout::new(&self.settings.home);
        if let Err(error) = server::stop(&layout) {
            output::warn(&format!("{error:#}"));
        }
        // Link projections are read-only: opened for removal.
        for entry in fs::read_dir(layout.links()).into_iter().flatten().flatten() {
            let _ = links::discard(&entry.path());
        }
    }
}

/// Runs a command to its end; an error with its last words if it fails.
pub fn output_of(command: &mut Command) -> Result<String> {
    let name = Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot start {name}"))?;
    if !output.status.success() {
        let talk = String::from_utf8_lossy(&output.stderr);
        bail!("{name} failed ({}): {}", output.status, talk.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Does something and says how long it took.
pub fn timed<T>(work: impl FnOnce() -> Result<T>) -> Result<(T, Duration)> {
    let started = Instant::now();
    let value = work()?;
    Ok((value, started.elapsed()))
}

/// A table of times.
pub struct Table {
    head: [&'static str; 3],
    rows: Vec<[String; 3]>,
}

impl Table {
    /// A table with three columns: what, and two times.
    pub fn new(head: [&'static str; 3]) -> Self {
        Self { head, rows: Vec::new() }
    }

    /// Adds a row; a missing time is a dash.
    pub fn row(&mut self, what: &str, ours: Option<Duration>, theirs: Option<Duration>) {
        let cell = |time: Option<Duration>| time.map_or_else(|| "–".to_owned(), output::duration);
        self.rows.push([what.to_owned(), cell(ours), cell(theirs)]);
    }

    /// Prints it.
    pub fn print(&self) {
        let width = self.rows.iter().map(|row| row[0].chars().count()).max().unwrap_or(0);
        let [what, ours, theirs] = self.head;
        println!("   {what:width$}  {ours:>10}  {theirs:>10}");
        for [what, ours, theirs] in &self.rows {
            println!("   {what:width$}  {ours:>10}  {theirs:>10}");
        }
    }
}
