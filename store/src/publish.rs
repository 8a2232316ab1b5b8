//! Durable publishing: write in `tmp/`, fsync, rename, fsync the directory.
//!
//! After a function here returns, what it published survives a crash; before, nothing of it is visible.

use crate::digest::Digest;
use crate::error::{IoContext, Result};
use crate::layout::Store;
use std::fs::{self, File, Metadata};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

/// The mode of an immutable file that is durable.
const SEALED: u32 = 0o444;

/// Pieces of a file are joined up to this many bytes.
const WRITE_BUFFER: usize = 64 * 1024;

/// How often sealing starts again because the file was replaced meanwhile; only a damaged one is, so that once is rare.
const SEAL_ATTEMPTS: u32 = 8;

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
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error.error).at("publish", target),
    }
}

/// Writes a file that may be lost in a crash but is never half-visible: remembered answers, caches.
///
/// # Errors
/// [`crate::Error::Io`].
pub fn volatile_file(store: &Store, target: &Path, bytes: &[u8]) -> Result<()> {
    let temporary = write_volatile(store, &[bytes])?;
    make_parent(target)?;
    temporary.persist(target).map(drop).map_err(|error| error.error).at("publish", target)
}

/// Publishes an immutable file that is whole for every process, but not durable yet: its mode says so until [`seal`].
/// What is there already stays, if it is sealed or has these bytes: somebody may have named it as durable.
///
/// The pieces are written one after the other behind the header, which is asked for at the end.
///
/// After a crash it may be gone, or not whole: [`is_certainly_whole`] tells.
///
/// # Errors
/// [`crate::Error::Io`].
pub fn unsealed_file<const N: usize>(
    store: &Store,
    target: &Path,
    header: impl FnOnce() -> [u8; N],
    pieces: &[&[u8]],
) -> Result<()> {
    unsealed_with(store, target, header, pieces, has_sealed_mode)
}

/// As [`unsealed_file`], for files that say in another way that they are sealed.
pub(crate) fn unsealed_with<const N: usize>(
    store: &Store,
    target: &Path,
    header: impl FnOnce() -> [u8; N],
    pieces: &[&[u8]],
    is_sealed: fn(&Metadata) -> bool,
) -> Result<()> {
    let temporary = write_volatile(store, &[&[&[0; N][..]], pieces].concat())?;
    let header = header();
    temporary.as_file().write_all_at(&header, 0).at("write", temporary.path())?;
    mark_whole(temporary.as_file());
    make_parent(target)?;
    let temporary = match temporary.persist_noclobber(target) {
        Ok(_) => return Ok(()),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => error.file,
        Err(error) => return Err(error.error).at("publish", target),
    };
    // One at a time: of two that found it damaged, the second keeps what the first put there.
    let _held = store.layout().hold("replace")?;
    if is_good(target, &[&[&header[..]], pieces].concat(), is_sealed) {
        return Ok(());
    }
    temporary.persist(target).map(drop).map_err(|error| error.error).at("publish", target)
}

/// True if what is published there need not be replaced; what cannot be read is to be.
fn is_good(target: &Path, pieces: &[&[u8]], is_sealed: fn(&Metadata) -> bool) -> bool {
    let look = || -> io::Result<bool> {
        let mut file = File::open(target)?;
        let metadata = file.metadata()?;
        if is_sealed(&metadata) {
            return Ok(true);
        }
        let mut found = Vec::new();
        file.read_to_end(&mut found)?;
        Ok(found == pieces.concat())
    };
    look().unwrap_or(false)
}

/// Makes a file of [`unsealed_file`] durable, and marks it so: [`is_sealed`] then holds, also after a crash.
///
/// # Errors
/// [`crate::Error::Io`].
pub fn seal(target: &Path) -> Result<()> {
    seal_with(target, has_sealed_mode, |file| file.set_permissions(fs::Permissions::from_mode(SEALED)))
}

/// As [`seal`], for files that say in another way that they are sealed: `mark` makes one say so.
pub(crate) fn seal_with(
    target: &Path,
    is_sealed: fn(&Metadata) -> bool,
    mut mark: impl FnMut(&File) -> io::Result<()>,
) -> Result<()> {
    for _ in 0..SEAL_ATTEMPTS {
        let file = File::open(target).at("open", target)?;
        let synced = file.metadata().at("look at", target)?;
        if is_sealed(&synced) {
            return Ok(());
        }
        file.sync_all().at("sync", target)?;
        sync_parent(target)?;
        // The mark may be lost in a crash: then the file is only looked at once more.
        mark(&file).at("set the mode of", target)?;
        let published = fs::metadata(target).at("look at", target)?;
        if (published.dev(), published.ino()) == (synced.dev(), synced.ino()) {
            return Ok(());
        }
    }
    Err(io::Error::other("it is replaced again and again")).at("make durable", target)
}

/// True if what is published there is durable; `None` if nothing is.
///
/// # Errors
/// [`crate::Error::Io`].
pub fn is_sealed(target: &Path) -> Result<Option<bool>> {
    match fs::metadata(target) {
        Ok(metadata) => Ok(Some(has_sealed_mode(&metadata))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).at("look at", target),
    }
}

/// True if a file of [`unsealed_file`], or one that was [`marked`](mark_whole), is certainly whole, so that its checksum
/// need not be looked at: it is sealed, or this kernel itself has had all of it since it was written or verified.
pub fn is_certainly_whole(metadata: &Metadata) -> bool {
    has_sealed_mode(metadata) || boot_mark().is_some_and(|mark| metadata.modified().is_ok_and(|time| time == mark))
}

/// Marks a file as whole until the machine starts anew. Best effort: an unmarked one is only looked through again.
pub fn mark_whole(file: &File) {
    if let Some(mark) = boot_mark() {
        let _ = file.set_modified(mark);
    }
}

/// A time that stands for this start of the kernel, as no real one does: with the files that it marks it outlives no
/// crash, after which another is looked for.
fn boot_mark() -> Option<SystemTime> {
    static MARK: OnceLock<Option<SystemTime>> = OnceLock::new();
    *MARK.get_or_init(|| {
        let boot = fs::read("/proc/sys/kernel/random/boot_id").ok().filter(|boot| boot.len() > 30)?;
        let digest = Digest::of(&boot);
        let number = |at: usize| digest.as_bytes().get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes);
        // Between 2017 and 2036: filesystems that count seconds in 32 bits know it too.
        let seconds = 1_500_000_000 + number(0)? % 600_000_000;
        Some(SystemTime::UNIX_EPOCH + Duration::new(seconds.into(), number(4)? % 1_000_000_000))
    })
}

fn has_sealed_mode(metadata: &Metadata) -> bool {
    metadata.permissions().mode() & 0o777 == SEALED
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
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        result => return result.at("create link", link),
    }
    let tmp = store.layout().tmp();
    let scratch = tempfile::tempdir_in(&tmp).at("create a directory in", &tmp)?;
    let temporary = scratch.path().join("link");
    symlink(target, &temporary).at("create link", &temporary)?;
    fs::rename(&temporary, link).at("publish", link)
}

fn write_volatile(store: &Store, pieces: &[&[u8]]) -> Result<tempfile::NamedTempFile> {
    let tmp = store.layout().tmp();
    let mut temporary = tempfile::NamedTempFile::new_in(&tmp).at("create a file in", &tmp)?;
    // Small pieces are joined, large ones are written from where they are.
    let mut writer = BufWriter::with_capacity(WRITE_BUFFER, temporary.as_file_mut());
    let written = pieces.iter().try_for_each(|piece| writer.write_all(piece)).and_then(|()| writer.flush());
    drop(writer);
    written.at("write", temporary.path())?;
    Ok(temporary)
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, Store, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path().join("s")).unwrap();
        let target = store.layout().views().join("x");
        (dir, store, target)
    }

    fn inode(path: &Path) -> u64 {
        fs::metadata(path).unwrap().ino()
    }

    #[test]
    fn publishing_unsealed_does_not_undo_anothers_seal() {
        let (_dir, store, target) = store();
        unsealed_file(&store, &target, || *b"wh", &[b"ole"]).unwrap();
        let first = inode(&target);
        unsealed_file(&store, &target, || *b"wh", &[b"ole"]).unwrap();
        assert_eq!(inode(&target), first, "somebody may be sealing it right now");
        seal(&target).unwrap();
        unsealed_file(&store, &target, || *b"wh", &[b"ole"]).unwrap();
        assert_eq!(is_sealed(&target).unwrap(), Some(true));
        assert_eq!(fs::read_dir(store.layout().tmp()).unwrap().count(), 0);
    }

    #[test]
    fn what_this_kernel_has_had_since_it_was_written_is_certainly_whole() {
        let (_dir, store, target) = store();
        unsealed_file(&store, &target, || *b"wh", &[b"ole"]).unwrap();
        let is_certain = || is_certainly_whole(&fs::metadata(&target).unwrap());
        assert!(is_certain());
        // As after a crash: the mark is another start's.
        let file = File::options().write(true).open(&target).unwrap();
        file.set_modified(boot_mark().unwrap() - Duration::from_nanos(1)).unwrap();
        assert!(!is_certain());
        mark_whole(&file);
        assert!(is_certain());
        file.set_modified(SystemTime::now()).unwrap();
        assert!(!is_certain());
        seal(&target).unwrap();
        assert!(is_certain());
    }

    #[test]
    fn what_a_crash_cut_short_is_replaced() {
        let (_dir, store, target) = store();
        unsealed_file(&store, &target, || *b"wh", &[b"o"]).unwrap();
        unsealed_file(&store, &target, || *b"wh", &[b"ole"]).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"whole");
        assert_eq!(is_sealed(&target).unwrap(), Some(false));
    }

    #[test]
    fn what_is_replaced_while_it_is_sealed_is_sealed_after_all() {
        let (_dir, store, target) = store();
        unsealed_file(&store, &target, || *b"wh", &[b"o"]).unwrap();
        let mut marks = 0;
        let mark = |file: &File| {
            if marks == 0 {
                unsealed_file(&store, &target, || *b"wh", &[b"ole"]).unwrap();
            }
            marks += 1;
            file.set_permissions(fs::Permissions::from_mode(SEALED))
        };
        seal_with(&target, has_sealed_mode, mark).unwrap();
        assert_eq!((marks, is_sealed(&target).unwrap()), (2, Some(true)));
        assert_eq!(fs::read(&target).unwrap(), b"whole");
    }
}
