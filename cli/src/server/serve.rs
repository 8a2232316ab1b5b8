//! The life of the server process: take the lock, clear a dead mount, mount, say so, serve, unmount.

use super::{compile, lock_path};
use anyhow::{Context, Result, bail};
use nix::sys::signal::{SigSet, Signal};
use omnipkg_store::{Layout, Store};
use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::sync::mpsc;
use std::time::{Duration, SystemTime};

/// What an interrupted command left in `tmp/` is garbage after this long.
const ABANDONED: Duration = Duration::from_secs(24 * 3600);

/// Serves the store's mount until it is told to stop; `ready` hears `ready` or why it could not be done.
pub fn serve(layout: &Layout, ready: Option<OwnedFd>) -> Result<()> {
    let mut ready = ready.map(File::from);
    let result = begin(layout, &mut ready);
    if let (Err(error), Some(ready)) = (&result, &mut ready) {
        let _ = writeln!(ready, "{error:#}");
    }
    result
}

fn begin(layout: &Layout, ready: &mut Option<File>) -> Result<()> {
    let store = Store::open(layout.root())?;
    let path = lock_path(layout);
    let mut lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .with_context(|| format!("cannot open {}", path.display()))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => bail!("a server is running already"),
        Err(TryLockError::Error(error)) => {
            return Err(error).with_context(|| format!("cannot lock {}", path.display()));
        }
    }
    lock.set_len(0)
        .and_then(|()| writeln!(lock, "{}", std::process::id()))
        .context("cannot write the server's lock file")?;

    let mut stop_signals = SigSet::empty();
    [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP].into_iter().for_each(|signal| stop_signals.add(signal));
    stop_signals.thread_block().context("cannot block signals")?;

    omnipkg_fusefs::clear_stale(&layout.mnt())?;
    let (sender, receiver) = mpsc::channel();
    let mounted = omnipkg_fusefs::mount(layout, omnipkg_fusefs::Options { bytecode_misses: Some(sender) })?;
    let unmounter = mounted.unmounter();
    std::thread::spawn(move || {
        let _ = stop_signals.wait();
        // Programs that still use a view keep what they have; the process ends when the last one lets go.
        if unmounter.detach().is_err() {
            std::process::exit(1);
        }
    });
    let compiling = store.clone();
    std::thread::spawn(move || compile::run(&compiling, &receiver));
    if let Some(mut ready) = ready.take() {
        let _ = writeln!(ready, "ready");
    }
    sweep(layout);
    mounted.wait();
    Ok(())
}

/// Removes what interrupted commands left in `tmp/` long ago. Nothing refers to it.
fn sweep(layout: &Layout) {
    let Ok(entries) = fs::read_dir(layout.tmp()) else { return };
    for entry in entries.flatten() {
        let old = entry
            .metadata()
            .and_then(|metadata| metadata.modified())
            .is_ok_and(|modified| SystemTime::now().duration_since(modified).is_ok_and(|age| age > ABANDONED));
        if old {
            let path = entry.path();
            let _ = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        }
    }
}
