//! `run/server.lock`: who holds the mount. Its lock is the truth, its text only says more.
//!
//! The holder and its server share one lock, so that it is free when both are gone, or when the holder lets go of it
//! because its mount was taken down and only serves those who still use it.

use anyhow::{Context, Result, bail};
use nix::unistd::Pid;
use omnipkg_store::Layout;
use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::PathBuf;
use std::time::Duration;

/// What the holder says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// The process that holds the descriptor.
    pub holder: Pid,
    /// The version of omnipkg that it is; the first ones did not say.
    pub version: Option<Version>,
    /// The holder's descriptor of the counters.
    pub counters: Option<i32>,
}

/// Major, minor, patch.
pub type Version = [u64; 3];

/// A reader that looks whether somebody holds the lock has it for an instant.
const ATTEMPTS: u32 = 40;
const PAUSE: Duration = Duration::from_millis(5);

/// The file.
pub fn path(layout: &Layout) -> PathBuf {
    layout.run().join("server.lock")
}

/// This program's version.
pub fn our_version() -> Option<Version> {
    parse_version(env!("CARGO_PKG_VERSION"))
}

impl Record {
    /// True if the holder is of an older omnipkg than this one: it may not know what this one makes.
    pub fn is_older(&self) -> bool {
        self.version < our_version()
    }
}

/// Who holds the mount, if anybody does: one open, one flock, one read.
pub fn read(layout: &Layout) -> Option<Record> {
    let mut file = File::open(path(layout)).ok()?;
    if !matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)) {
        return None;
    }
    let mut text = String::new();
    // a holder that begins just now has written nothing yet
    let _ = file.read_to_string(&mut text);
    Some(parse(&text))
}

/// Takes the lock for this process.
pub fn take(layout: &Layout) -> Result<File> {
    let path = path(layout);
    let file = File::options().create(true).truncate(false).read(true).write(true).open(&path);
    let file = file.with_context(|| format!("cannot open {}", path.display()))?;
    for _ in 0..ATTEMPTS {
        match file.try_lock() {
            Ok(()) => {
                // whoever stood in it is gone
                file.set_len(0).context("cannot write the server's lock file")?;
                return Ok(file);
            }
            Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", path.display()));
            }
        }
    }
    bail!("a server is running already")
}

/// Says who holds the lock.
pub fn write(mut lock: &File, counters: i32) -> Result<()> {
    let text = format!("{}\n{}\n{counters}\n", std::process::id(), env!("CARGO_PKG_VERSION"));
    lock.rewind()
        .and_then(|()| lock.write_all(text.as_bytes()))
        .and_then(|()| lock.set_len(text.len() as u64))
        .context("cannot write the server's lock file")
}

/// True if this process shares the lock that it was handed: nobody else has it.
pub fn is_ours(lock: &File) -> bool {
    lock.try_lock().is_ok()
}

/// Lets go of the lock, for this process and its server.
pub fn release(lock: &File) {
    if let Err(error) = lock.set_len(0).and_then(|()| lock.unlock()) {
        eprintln!("cannot release the server's lock: {error}");
    }
}

fn parse(text: &str) -> Record {
    let mut lines = text.lines();
    let holder = Pid::from_raw(lines.next().and_then(|line| line.trim().parse().ok()).unwrap_or(0));
    let version = lines.next().and_then(parse_version);
    Record { holder, version, counters: lines.next().and_then(|line| line.trim().parse().ok()) }
}

fn parse_version(text: &str) -> Option<Version> {
    let mut numbers = text.trim().split('.').map(|part| part.parse().ok());
    Some([numbers.next()??, numbers.next()??, numbers.next()??])
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_while_it_is_locked() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::new(dir.path());
        std::fs::create_dir_all(layout.run()).unwrap();
        assert_eq!(read(&layout), None);
        let lock = take(&layout).unwrap();
        write(&lock, 9).unwrap();
        let holder = Pid::this();
        assert_eq!(read(&layout), Some(Record { holder, version: our_version(), counters: Some(9) }));
        release(&lock);
        assert_eq!(read(&layout), None, "nobody holds it");
    }

    #[test]
    fn older_ones_are_known() {
        let record = |text: &str| parse(text);
        assert!(record("12\n").is_older(), "the first ones did not say what they are");
        assert!(record("12\n0.0.9\n3\n").is_older());
        assert!(!record(&format!("12\n{}\n3\n", env!("CARGO_PKG_VERSION"))).is_older());
        assert!(!record("12\n9999.0.0\n3\n").is_older());
        assert_eq!(record("garbage").holder, Pid::from_raw(0));
    }
}
