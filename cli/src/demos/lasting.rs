//! The store of demos 5 and 8, `demo` below the user's own: it is kept, so that the second run is warm, and it is
//! apart, so that nothing in the user's environments changes.
//!
//! Demos that swap the active Python and then rely on it take the store for themselves; others share it. The lock goes
//! with the process, so a killed demo leaves nothing behind but work that need not be done again.

use super::stage::{Place, output_of};
use crate::interpreters;
use crate::output;
use crate::server;
use crate::settings::Settings;
use anyhow::{Context, Result, bail};
use nix::unistd::Pid;
use omnipkg_store::{Layout, Store, links};
use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// How a demo uses the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Beside others: every command says which Python it means.
    Shared,
    /// Alone: commands mean the active Python.
    Alone,
}

/// The store, for the time of one demo.
pub struct LastingStore {
    place: Place,
    user: Settings,
    _turn: File,
}

/// Where it is.
fn home(user: &Layout) -> PathBuf {
    user.root().join("demo")
}

/// The layout of the demos' store, if there is one.
pub fn layout(user: &Layout) -> Option<Layout> {
    Some(Layout::new(home(user))).filter(|layout| layout.run().is_dir())
}

/// Stops the server of the demos' store, if it runs.
pub fn stop_server(user: &Layout) -> Result<bool> {
    layout(user).map_or(Ok(false), |layout| server::stop(&layout))
}

/// The process that serves the demos' store, if it runs.
pub fn server(user: &Layout) -> Option<Pid> {
    layout(user).and_then(|layout| server::process(&layout))
}

/// Removes the store; false if there was none.
pub fn remove(user: &Settings) -> Result<bool> {
    let layout = Layout::new(&user.home);
    let home = home(&layout);
    if !home.exists() {
        return Ok(false);
    }
    let lock = lock_file(user)?;
    match lock.try_lock() {
        // Another command may have removed it before the lock was had.
        Ok(()) if home.exists() => remove_locked(&home).map(|()| true),
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => bail!("a demo is at work in {}: wait for its end", home.display()),
        Err(TryLockError::Error(error)) => Err(error).context("cannot lock the demos' store"),
    }
}

fn remove_locked(home: &Path) -> Result<()> {
    let layout = Layout::new(home);
    if layout.run().is_dir() {
        server::stop(&layout)?;
    }
    // Link projections are read-only: opened for removal.
    for entry in fs::read_dir(layout.links()).into_iter().flatten().flatten() {
        links::discard(&entry.path())?;
    }
    fs::remove_dir_all(home).with_context(|| format!("cannot remove {}", home.display()))
}

/// In the user's store, for the demos' comes and goes.
fn lock_file(user: &Settings) -> Result<File> {
    let path = Store::open(&user.home)?.layout().run().join("demo.lock");
    let opened = File::options().create(true).truncate(false).write(true).open(&path);
    opened.with_context(|| format!("cannot open {}", path.display()))
}

impl LastingStore {
    /// Takes the store, waiting for its turn, and writes the scripts where its commands find them.
    pub fn open(user: &Settings, turn: Turn, scripts: &[(&str, &str)]) -> Result<Self> {
        let lock = lock_file(user)?;
        take_turn(&lock, turn)?;
        let home = home(&Layout::new(&user.home));
        let work = home.join("work");
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&work)
            .with_context(|| format!("cannot create {}", work.display()))?;
        // Shields the demo from a `.python-version` further up, which would go before the active Python.
        write_if_new(&work.join(".python-version"), "system\n")?;
        scripts.iter().try_for_each(|(name, text)| write_if_new(&work.join(name), text))?;
        let place = Place { settings: Settings { home, ..user.clone() }, work };
        Ok(Self { place, user: user.clone(), _turn: lock })
    }

    /// Where it is.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Says where it is, and how it is removed.
    pub fn introduce(&self) {
        println!(
            "   store: {} (kept for the next run; `omnipkg demo --fresh` removes it)",
            self.place.settings.home.display()
        );
        println!("   scripts: {}", self.place.work.display());
    }

    /// Sees to it that these versions of Python can be had, before anything is begun: those that have an environment
    /// in this store can, others are looked for on the machine and in the user's store.
    pub fn require(&self, number: u32, versions: &[&str]) -> Result<()> {
        let envs = Layout::new(&self.place.settings.home).envs();
        let unknown: Vec<&str> = versions.iter().copied().filter(|version| !envs.join(version).is_symlink()).collect();
        let mut missing = Vec::new();
        for version in unknown {
            let own = Store::open(&self.place.settings.home)?;
            if interpreters::find(&own, Some(version), None).is_ok() {
                continue;
            }
            match interpreters::find(&Store::open(&self.user.home)?, Some(version), None) {
                Ok(found) => {
                    let mut adopt = self.place.omnipkg()?;
                    output_of(adopt.args(["python", "adopt", "--json"]).arg(found.path()))?;
                }
                Err(_) => missing.push(version),
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        let commands: Vec<String> =
            missing.iter().map(|version| format!("`omnipkg python install {version}`")).collect();
        bail!(
            "demo {number} needs Python {}, which this machine does not have: {}",
            missing.join(" and "),
            commands.join(", then ")
        )
    }
}

/// Waits for the other demos, and says so if that takes any time at all.
fn take_turn(lock: &File, turn: Turn) -> Result<()> {
    let tried = match turn {
        Turn::Shared => lock.try_lock_shared(),
        Turn::Alone => lock.try_lock(),
    };
    let taken = match tried {
        Err(TryLockError::WouldBlock) => {
            output::talk("another demo is using the demos' store: waiting for its end");
            match turn {
                Turn::Shared => lock.lock_shared(),
                Turn::Alone => lock.lock(),
            }
        }
        Err(TryLockError::Error(error)) => Err(error),
        Ok(()) => Ok(()),
    };
    taken.context("cannot lock the demos' store")
}

/// Writes a file whole, if it is not there as it should be: a demo beside this one may be reading it.
fn write_if_new(path: &Path, text: &str) -> Result<()> {
    if fs::read_to_string(path).is_ok_and(|found| found == text) {
        return Ok(());
    }
    let write = || -> std::io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(Path::new("/")))?;
        file.write_all(text.as_bytes())?;
        file.persist(path)?;
        Ok(())
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}
