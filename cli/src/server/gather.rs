//! Bytecode under the link projection, where no server sees what is missed: after a run, a process of its own looks which
//! modules Python compiled for itself in that view, and compiles them for all views.
//!
//! It runs beside whatever comes next, at the lowest priority, and only now and then: no command waits for it. Not a
//! byte that Python or a script wrote is taken over (see [`links::written_bytecode`]).

use super::program;
use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use omnipkg_store::bytecode::{self, Effort};
use omnipkg_store::interpreter::probe_cached;
use omnipkg_store::view::description::ViewDescription;
use omnipkg_store::{Layout, Store, ViewId, links};
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

/// A view is looked at no more often than this.
const PAUSE: Duration = Duration::from_secs(60);

/// Starts it for a view that a program has just run in, if that is a projection of links and was not looked at lately.
pub fn after_run(layout: &Layout, view: &ViewId, path: &Path) {
    if path.starts_with(layout.links()) && is_due(&mark(layout, view)) {
        // Nobody asked for it, so nobody is told if it cannot be.
        let _ = start(layout, view);
    }
}

fn mark(layout: &Layout, view: &ViewId) -> PathBuf {
    layout.run().join("gathered").join(view.to_string())
}

/// True at most once in a while; the mark's time is when it was last.
fn is_due(mark: &Path) -> bool {
    let last = fs::metadata(mark).and_then(|metadata| metadata.modified()).ok();
    // A time in the future, of a clock that was wrong, is no time.
    let age = last.and_then(|last| SystemTime::now().duration_since(last).ok());
    if age.is_some_and(|age| age < PAUSE) {
        return false;
    }
    let _ = mark.parent().map(fs::create_dir_all);
    File::create(mark).and_then(|file| file.set_modified(SystemTime::now())).is_ok()
}

fn start(layout: &Layout, view: &ViewId) -> std::io::Result<()> {
    Command::new("nice")
        .args(["-n", "19"])
        .arg(program())
        .args(["server", "gather", &view.to_string()])
        .env("OMNIPKG_HOME", layout.root())
        .env_remove("OMNIPKG_REPORT")
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // A group of its own: a key pressed in the user's terminal is not meant for it.
        .process_group(0)
        .spawn()
        .map(drop)
}

fn lock_path(layout: &Layout) -> PathBuf {
    layout.run().join("gather.lock")
}

/// Compiles what Python compiled for itself in a view, and puts the shared bytecode in its place.
pub fn gather(store: &Store, view: &ViewId) -> Result<()> {
    let layout = store.layout();
    let path = lock_path(layout);
    let lock = File::options().create(true).truncate(false).read(true).write(true).open(&path);
    let mut lock = lock.with_context(|| format!("cannot open {}", path.display()))?;
    if lock.try_lock().is_err() {
        // One at a time; the next run in this view asks again.
        let _ = fs::remove_file(mark(layout, view));
        return Ok(());
    }
    lock.set_len(0).and_then(|()| write!(lock, "{}", std::process::id())).context("cannot write the lock file")?;
    let written = links::written_bytecode(store, view)?;
    if !written.is_empty() {
        let interpreter = probe_cached(store, &ViewDescription::load(store, view)?.interpreter)?;
        bytecode::compile(store, &interpreter, &written, Effort::background(), |_| ())?;
        links::add_bytecode(store, view)?;
    }
    Ok(())
}

/// Ends one that is at work.
pub fn stop(layout: &Layout) -> Result<()> {
    let path = lock_path(layout);
    let Ok(lock) = File::open(&path) else { return Ok(()) };
    if lock.try_lock_shared().is_ok() {
        return Ok(());
    }
    if let Ok(number) = fs::read_to_string(&path).unwrap_or_default().parse::<i32>()
        && number > 0
    {
        let _ = kill(Pid::from_raw(number), Signal::SIGTERM);
    }
    lock.lock().with_context(|| format!("cannot lock {}", path.display()))
}
