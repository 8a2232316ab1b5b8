//! The life of the server process: take the lock, clear a dead mount, mount, say so, serve, unmount.

use super::{compile, lock_path};
use anyhow::{Context, Result, bail};
use nix::sys::signal::{SigSet, Signal};
use omnipkg_store::{Layout, Store};
use std::fs::{File, TryLockError};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::sync::mpsc;

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
    // Opened for the check of its layout only: the server lives long, and a store that it kept open would keep what
    // killed commands leave in tmp/.
    drop(Store::open(layout.root())?);
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
    let root = layout.root().to_owned();
    std::thread::spawn(move || compile::run(&root, &receiver));
    if let Some(mut ready) = ready.take() {
        let _ = writeln!(ready, "ready");
    }
    mounted.wait();
    Ok(())
}
