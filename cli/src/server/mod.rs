//! The server process: one for a store, it holds the mount and makes bytecode in the background.
//!
//! It is alive as long as it holds the lock on `run/server.lock`; the lock goes with the process, so there is
//! no stale state to clean but the mount itself. The first command that needs a view starts it and goes on when
//! it is ready; two commands that start at once are put in order by `run/start.lock`.

mod compile;
mod serve;

pub use serve::serve;

use anyhow::{Context, Result, anyhow, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use omnipkg_fusefs::Rung;
use omnipkg_store::Layout;
use std::fs::{self, File, TryLockError};
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

fn lock_path(layout: &Layout) -> PathBuf {
    layout.run().join("server.lock")
}

/// True if a server holds its lock: one open and one flock.
pub fn is_alive(layout: &Layout) -> bool {
    let Ok(file) = File::open(lock_path(layout)) else { return false };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

/// The server's process number, if one is alive.
pub fn process(layout: &Layout) -> Option<Pid> {
    if !is_alive(layout) {
        return None;
    }
    fs::read_to_string(lock_path(layout)).ok()?.split_whitespace().next()?.parse().ok().map(Pid::from_raw)
}

/// Sees to it that the mount is served, starting the server if need be; returns when it is ready.
pub fn ensure(layout: &Layout, rung: Rung) -> Result<()> {
    let start_lock = layout.run().join("start.lock");
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&start_lock)
        .with_context(|| format!("cannot open {}", start_lock.display()))?;
    lock.lock().with_context(|| format!("cannot lock {}", start_lock.display()))?;
    // A mount in a namespace is not seen from here: its server is ready when it lives, for it was waited for.
    if is_alive(layout) && (rung == Rung::Namespace || omnipkg_fusefs::is_mounted(&layout.mnt())?) {
        return Ok(());
    }
    start(layout, rung)
}

/// This very program: by its path, or, if its file was replaced since it was started, by what the kernel still has of it.
pub fn program() -> PathBuf {
    let path = std::env::current_exe().unwrap_or_default();
    if path.is_file() { path } else { PathBuf::from("/proc/self/exe") }
}

/// Starts the server process and reads what it says of its readiness from a pipe.
fn start(layout: &Layout, rung: Rung) -> Result<()> {
    let log_path = layout.run().join("server.log");
    let log = File::create(&log_path).with_context(|| format!("cannot create {}", log_path.display()))?;
    let (mut ours, theirs) = std::io::pipe().context("cannot make a pipe")?;
    let executable = program();
    let mut command = Command::new(&executable);
    command
        .arg0("omnipkg")
        .args(["server", "start", "--foreground", "--ready-fd", "1", "--rung", rung.name()])
        .env("OMNIPKG_HOME", layout.root())
        .env_remove("OMNIPKG_REPORT")
        .envs(helper_of(rung))
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(theirs)
        .stderr(log)
        // A group of its own: a key pressed in the user's terminal is not meant for it.
        .process_group(0);
    command.spawn().with_context(|| format!("cannot start {}", executable.display()))?;
    // The command owns our copy of the pipe's other end.
    drop(command);
    let mut answer = String::new();
    ours.read_to_string(&mut answer).context("cannot hear from the server")?;
    match answer.trim() {
        "ready" => Ok(()),
        "" => bail!("the server ended before it was ready; see {}", log_path.display()),
        reason => Err(anyhow!("{reason}")),
    }
}

/// Where a direct mount was asked for in so many words, the helper must not be taken instead, as fuser does.
fn helper_of(rung: Rung) -> Option<(&'static str, &'static str)> {
    let forced = rung == Rung::Direct && std::env::var_os("OMNIPKG_PROJECTION").is_some_and(|word| word == "direct");
    forced.then_some(("FUSERMOUNT_PATH", "/nonexistent/fusermount3"))
}

/// Stops the server, if one is alive, and waits for its end; true if there was one.
pub fn stop(layout: &Layout) -> Result<bool> {
    let Some(process) = process(layout) else {
        omnipkg_fusefs::clear_stale(&layout.mnt())?;
        return Ok(false);
    };
    kill(process, Signal::SIGTERM).with_context(|| format!("cannot stop the server (process {process})"))?;
    // Its lock is free when it is gone.
    let path = lock_path(layout);
    let file = File::open(&path).with_context(|| format!("cannot open {}", path.display()))?;
    file.lock().with_context(|| format!("cannot lock {}", path.display()))?;
    Ok(true)
}
