//! An ordinary user to run commands as, when the tests run as root.

use nix::unistd::{Uid, User as Account};
use std::io;
use std::os::unix::fs::{PermissionsExt, lchown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// A user that is not root. `fusermount3` asks for an account's name, so it is one that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    uid: u32,
    gid: u32,
}

impl User {
    /// The account `nobody`; prints why not, and is `None`, when this process may not become it.
    pub fn ordinary() -> Option<Self> {
        if !Uid::effective().is_root() {
            eprintln!("skipped: only root can run a test as another user");
            return None;
        }
        let account = Account::from_name("nobody").ok().flatten();
        if account.is_none() {
            eprintln!("skipped: there is no account named nobody");
        }
        account.map(|account| Self { uid: account.uid.as_raw(), gid: account.gid.as_raw() })
    }

    /// Lets `command` run as this user, with no group but its own.
    pub fn apply(&self, command: &mut Command) {
        // std clears the supplementary groups itself when root changes the user.
        command.uid(self.uid).gid(self.gid);
    }

    /// Gives `path`, and all that is beneath it, to this user. Links are not followed.
    pub fn own(&self, path: &Path) -> io::Result<()> {
        lchown(path, Some(self.uid), Some(self.gid))?;
        if path.symlink_metadata()?.is_dir() {
            for entry in path.read_dir()? {
                self.own(&entry?.path())?;
            }
        }
        Ok(())
    }
}

/// Whether a user that owns none of it can reach and execute the file at `path` (links are followed).
pub fn executable_by_others(path: &Path) -> bool {
    let Ok(real) = path.canonicalize() else { return false };
    let mode = |path: &Path| path.metadata().map_or(0, |metadata| metadata.permissions().mode());
    mode(&real) & 0o005 == 0o005
        && real.ancestors().skip(1).chain(path.ancestors().skip(1)).all(|directory| mode(directory) & 0o001 != 0)
}
