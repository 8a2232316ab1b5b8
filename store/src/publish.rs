//! Durable publishing: write in `tmp/`, fsync, rename, fsync the directory.
//!
//! After a function here returns, what it published survives a crash; before, nothing of it is visible.

use crate::error::{IoContext, Result};
use crate::layout::Store;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// The mode of an immutable file that is durable.
const SEALED: u32 = 0o444;

/// Publishes an immutable file (mode 0444), replacing what is there.
///
/// # Errors
/// [`crate::Error::Io`]; nothing is visible at `target` then that was not there before.
pub fn file(store: &Store, target: &Path, bytes: &[u8]) -> Result<()> {
    file_in(&store.layout().tmp(), target, bytes, SEALED)
}

pub(crate) fn file_in(tmp: &Path, target: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    let temporary = write_temporary(tmp, bytes, mode)?;
    make_parent(target)?;
    temporary.persist(target).map_err(|error| error.error).at("publish", target)?;
    sync_parent(target)
}

/// Publishes an immutable file only if nothing is there yet; false if something was.
///
/// # Errors
/// [`crate::Error::Io`].
pub fn new_file(store: &Store, target: &Path, bytes: &[u8]) -> Result<bool> {
    let temporary = write_temporary(&store.layout().tmp(), bytes, SEALED)?;
    make_parent(target)?;
    match temporary.persist_noclobber(target) {
        Ok(_) => sync_parent(target).map(|()| true),
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error.error).at("publish", target),
    }
}

/// Writes a file that may be lost in a crash but is never half-visible: remembered answers, caches.
///
/// # Errors
/// [`crate::Error::Io`].
pub fn volatile_file(store: &Store, target: &Path, bytes: &[u8]) -> Result<()> {
    let tmp = store.layout().tmp();
    let mut temporary = tempfile::NamedTempFile::new_in(&tmp).at("create a file in", &tmp)?;
    temporary.write_all(bytes).at("write", temporary.path())?;
    make_parent(target)?;
    temporary.persist(target).map(drop).map_err(|error| error.error).at("publish", target)
}

/// Publishes an immutable file that is whole for every process, but not durable yet: its mode says so until [`seal`].
///
/// After a crash it may be gone, or not whole.
///
/// # Errors
/// [`crate::Error::Io`].
pub fn unsealed_file(store: &Store, target: &Path, bytes: &[u8]) -> Result<()> {
    volatile_file(store, target, bytes)
}

/// Makes a file of [`unsealed_file`] durable, and marks it so: [`is_sealed`] then holds, also after a crash.
///
/// # Errors
/// [`crate::Error::Io`].
pub fn seal(target: &Path) -> Result<()> {
    let file = File::open(target).at("open", target)?;
    file.sync_all().at("sync", target)?;
    sync_parent(target)?;
    // The mark may be lost in a crash: then the file is only looked at once more.
    file.set_permissions(fs::Permissions::from_mode(SEALED)).at("set the mode of", target)
}

/// True if what is published there is durable; `None` if nothing is.
///
/// # Errors
/// [`crate::Error::Io`].
pub fn is_sealed(target: &Path) -> Result<Option<bool>> {
    match fs::metadata(target) {
        Ok(metadata) => Ok(Some(metadata.permissions().mode() & 0o777 == SEALED)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).at("look at", target),
    }
}

/// Points `link` at `target` by one rename: readers see the old or the new target, never neither.
///
/// # Errors
/// [`crate::Error::Io`].
pub fn link(store: &Store, target: &Path, link: &Path) -> Result<()> {
    volatile_link(store, target, link)?;
    sync_parent(link)
}

/// Like [`link()`], for what may be the older link again after a crash.
///
/// # Errors
/// [`crate::Error::Io`].
pub fn volatile_link(store: &Store, target: &Path, link: &Path) -> Result<()> {
    make_parent(link)?;
    // Where there is nothing yet, making the link is one step already.
    match symlink(target, link) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        result => return result.at("create link", link),
    }
    let tmp = store.layout().tmp();
    let scratch = tempfile::tempdir_in(&tmp).at("create a directory in", &tmp)?;
    let temporary = scratch.path().join("link");
    symlink(target, &temporary).at("create link", &temporary)?;
    fs::rename(&temporary, link).at("publish", link)
}

fn write_temporary(tmp: &Path, bytes: &[u8], mode: u32) -> Result<tempfile::NamedTempFile> {
    let mut temporary = tempfile::NamedTempFile::new_in(tmp).at("create a file in", tmp)?;
    temporary.write_all(bytes).at("write", temporary.path())?;
    let file = temporary.as_file();
    file.set_permissions(fs::Permissions::from_mode(mode)).at("set the mode of", temporary.path())?;
    file.sync_all().at("sync", temporary.path())?;
    Ok(temporary)
}

/// Makes the directory that holds `target`, private to the user.
pub(crate) fn make_parent(target: &Path) -> Result<()> {
    let Some(parent) = target.parent() else { return Ok(()) };
    if parent.is_dir() {
        return Ok(());
    }
    fs::DirBuilder::new().recursive(true).mode(0o700).create(parent).at("create directory", parent)?;
    sync_parent(parent)
}

pub(crate) fn sync_parent(target: &Path) -> Result<()> {
    let parent = target.parent().map_or_else(|| PathBuf::from("/"), Path::to_path_buf);
    sync_directory(&parent)
}

/// Makes a directory's entries durable.
pub(crate) fn sync_directory(path: &Path) -> Result<()> {
    File::open(path).and_then(|directory| directory.sync_all()).at("sync", path)
}
