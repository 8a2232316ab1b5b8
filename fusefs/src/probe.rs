//! Whether FUSE can be had here, and how: a few system calls, no process started, nothing mounted.

use nix::unistd::geteuid;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// The ways to a FUSE mount, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rung {
    /// mount(2) by ourselves.
    Direct,
    /// The set-uid helper fusermount3.
    Fusermount,
    /// mount(2) by ourselves in a user namespace of our own: seen only by what is started in there.
    Namespace,
}

impl Rung {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Direct, Self::Fusermount, Self::Namespace];

    /// Its name in settings and on command lines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Fusermount => "fusermount",
            Self::Namespace => "namespace",
        }
    }

    /// The rung of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rung| rung.name() == name)
    }
}

/// Why there is no FUSE mount that everybody sees, in words for the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// The device cannot be used, so nothing else helps.
    #[error("{0}")]
    Device(String),
    /// The device can be used, but neither mount(2) nor the helper: a user namespace may do.
    #[error("fusermount3 is not on PATH, and mounting without it needs root")]
    Mounter,
}

const DEVICE: &str = "/dev/fuse";

/// `CAP_SYS_ADMIN` in the capability sets of `/proc/self/status`.
const MOUNT_CAPABILITY: u64 = 1 << 21;

/// Finds the way to a FUSE mount that everybody sees. [`Rung::Namespace`] is never found here: it takes a process to try.
///
/// # Errors
/// [`Unavailable`] with the reason; a mount can fail in spite of a way (in a sandbox).
pub fn probe() -> Result<Rung, Unavailable> {
    check_device(Path::new(DEVICE))?;
    if may_mount() {
        return Ok(Rung::Direct);
    }
    match find_fusermount() {
        Some(_) => Ok(Rung::Fusermount),
        None => Err(Unavailable::Mounter),
    }
}

fn check_device(device: &Path) -> Result<(), Unavailable> {
    let reason = match File::options().read(true).write(true).open(device) {
        Ok(_) => return Ok(()),
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound => "does not exist".to_owned(),
            io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
            _ => error.to_string(),
        },
    };
    let separator = if reason.starts_with("does") { " " } else { ": " };
    Err(Unavailable::Device(format!("{}{separator}{reason}", device.display())))
}

/// Whether this process may mount: root in a container often may not.
pub fn may_mount() -> bool {
    if !geteuid().is_root() {
        return false;
    }
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return true };
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    effective.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok()).is_none_or(|set| set & MOUNT_CAPABILITY != 0)
}

/// The helper, searched as fuser searches it: `FUSERMOUNT_PATH`, then `PATH`, then the usual places.
pub fn find_fusermount() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("FUSERMOUNT_PATH") {
        return Some(PathBuf::from(path)).filter(|path| path.is_file());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/bin", "/bin", "/sbin"].map(PathBuf::from);
    let folders: Vec<PathBuf> = std::env::split_paths(&path).chain(usual).collect();
    let names = ["fusermount3", "fusermount"];
    names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))).find(|path| path.is_file())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_device_is_said_in_words() {
        let missing = Path::new("/dev/there-is-no-such-device");
        assert_eq!(check_device(missing).unwrap_err().to_string(), "/dev/there-is-no-such-device does not exist");
    }
}
