//! /dev/fuse: whether tests have it, and its mode while a test needs another.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

const DEVICE: &str = "/dev/fuse";

/// Whether FUSE can be used; if not, a test that needs it prints why and returns.
///
/// # Panics
/// When there is none and `OMNIPKG_TEST_REQUIRE_FUSE=1`: there, a skip would hide what was to be tested.
pub fn require_fuse() -> bool {
    let Err(error) = OpenOptions::new().read(true).write(true).open(DEVICE) else { return true };
    let required = std::env::var_os("OMNIPKG_TEST_REQUIRE_FUSE").is_some_and(|value| value == "1");
    assert!(!required, "OMNIPKG_TEST_REQUIRE_FUSE=1, but {DEVICE} cannot be opened: {error}");
    eprintln!("skipped: {DEVICE} cannot be opened: {error}");
    false
}

/// Holds /dev/fuse at a mode that a test chose, alone on this machine, until it is dropped.
///
/// Its own mode is kept in the lock file while it is changed, so that a test that was killed is made
/// good by the next one.
#[derive(Debug)]
pub struct FuseDevice {
    lock: File,
    original: u32,
}

impl FuseDevice {
    /// Every user may open /dev/fuse. Prints why not, and is `None`, where that cannot be done.
    pub fn open_to_all() -> Option<Self> {
        Self::hold(0o666)
    }

    /// Only root may open /dev/fuse.
    pub fn closed_to_users() -> Option<Self> {
        Self::hold(0o600)
    }

    fn hold(mode: u32) -> Option<Self> {
        Self::try_hold(mode).map_err(|error| eprintln!("skipped: cannot set the mode of {DEVICE}: {error}")).ok()
    }

    fn try_hold(mode: u32) -> std::io::Result<Self> {
        let path = std::env::temp_dir().join("omnipkg-tests-dev-fuse.lock");
        let mut options = OpenOptions::new();
        let mut lock = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        lock.lock()?;
        // Not before: it is another's mode until then.
        let current = fs::metadata(DEVICE)?.permissions().mode() & 0o777;
        let mut left = String::new();
        lock.read_to_string(&mut left)?;
        let original = u32::from_str_radix(&left, 8).unwrap_or(current);
        write_whole(&mut lock, &format!("{original:o}"))?;
        let held = Self { lock, original };
        fs::set_permissions(DEVICE, Permissions::from_mode(mode))?;
        Ok(held)
    }
}

impl Drop for FuseDevice {
    fn drop(&mut self) {
        let restored = fs::set_permissions(Path::new(DEVICE), Permissions::from_mode(self.original));
        if let Err(error) = restored.and_then(|()| write_whole(&mut self.lock, "")) {
            eprintln!("cannot restore the mode of {DEVICE}: {error}");
        }
    }
}

fn write_whole(file: &mut File, text: &str) -> std::io::Result<()> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(text.as_bytes())
}
