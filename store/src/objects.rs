//! Objects: immutable bytes named by their blake3 digest, added in batches that share one barrier.
//!
//! A [`Batch`] keeps what it adds in `tmp/` until [`Batch::commit`]: all data is synced once, then every
//! object is renamed into place, then the directories are synced once. Two batches that add the same
//! content at the same time both succeed: the rename replaces equal bytes by equal bytes.

use crate::digest::{Digest, DigestHasher};
use crate::error::{Error, IoContext, Result};
use crate::layout::{Layout, Store};
use crate::publish;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Above this many new objects one `syncfs` costs less than an fsync for each.
const SYNCFS_THRESHOLD: usize = 8;

/// How much is read and written at a time, in bytes.
const BUFFER: usize = 256 * 1024;

/// The modification time, in seconds since the epoch, of every object and of every file in a view: 1980-01-01,
/// the oldest that zip knows.
///
/// Constant, so that a hardlink to an object looks like the same file served through FUSE.
pub const CONSTANT_SECONDS: u64 = 315_532_800;

/// [`CONSTANT_SECONDS`] as a time.
pub fn constant_time() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(CONSTANT_SECONDS)
}

/// What adding some bytes came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Added {
    /// The object's name.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// True if the store did not have it before this batch.
    pub new: bool,
}

/// Objects on their way into the store.
pub struct Batch<'store> {
    store: &'store Store,
    /// Where new ones are written; made with the first of them, which hardly ever comes where omnipkg's own files are added.
    scratch: Option<tempfile::TempDir>,
    pending: BTreeMap<Digest, PathBuf>,
    sequence: u64,
    buffer: Vec<u8>,
}

impl<'store> Batch<'store> {
    /// An empty batch.
    pub fn new(store: &'store Store) -> Self {
        Self { store, scratch: None, pending: BTreeMap::new(), sequence: 0, buffer: Vec::new() }
    }

    /// Adds all bytes of a reader, hashing while writing.
    ///
    /// # Errors
    /// [`Error::Io`]; errors of the reader are named as reading the temporary file's source.
    pub fn add(&mut self, reader: &mut impl Read) -> Result<Added> {
        let name = self.sequence.to_string();
        self.sequence += 1;
        let path = self.scratch()?.join(name);
        self.buffer.resize(BUFFER, 0);
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(&path).at("create", &path)?;
        let mut hasher = DigestHasher::new();
        let mut size = 0u64;
        loop {
            let count = match reader.read(&mut self.buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error).at("read the data for", &path),
            };
            hasher.update(&self.buffer[..count]);
            file.write_all(&self.buffer[..count]).at("write", &path)?;
            size += count as u64;
        }
        let digest = hasher.finish();
        let new = self.place(digest, size, file, path)?;
        Ok(Added { digest, size, new })
    }

    fn scratch(&mut self) -> Result<&Path> {
        let scratch = match self.scratch.take() {
            Some(scratch) => scratch,
            None => {
                let tmp = self.store.layout().tmp();
                let scratch = tempfile::Builder::new().prefix("batch-").tempdir_in(&tmp);
                scratch.at("create a directory in", &tmp)?
            }
        };
        Ok(self.scratch.insert(scratch).path())
    }

    /// Adds bytes that are in memory; content that the store has is not written again.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn add_bytes(&mut self, bytes: &[u8]) -> Result<Added> {
        self.add_known(Digest::of(bytes), bytes)
    }

    /// As [`Self::add_bytes`], for bytes whose digest is known.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn add_known(&mut self, digest: Digest, bytes: &[u8]) -> Result<Added> {
        let size = bytes.len() as u64;
        if self.pending.contains_key(&digest) || self.is_stored(&digest, size)? {
            return Ok(Added { digest, size, new: false });
        }
        self.add(&mut &bytes[..])
    }

    /// Keeps the temporary file as a pending object, or drops it if the content is there already.
    fn place(&mut self, digest: Digest, size: u64, file: File, path: PathBuf) -> Result<bool> {
        if self.pending.contains_key(&digest) || self.is_stored(&digest, size)? {
            fs::remove_file(&path).at("remove", &path)?;
            return Ok(false);
        }
        file.set_permissions(fs::Permissions::from_mode(0o444)).at("set the mode of", &path)?;
        file.set_modified(constant_time()).at("set the time of", &path)?;
        self.pending.insert(digest, path);
        Ok(true)
    }

    /// An object of the wrong size is damage (a disk that lied): it is replaced by the good bytes.
    fn is_stored(&self, digest: &Digest, size: u64) -> Result<bool> {
        let path = self.store.layout().object(digest);
        match fs::symlink_metadata(&path) {
            Ok(metadata) => Ok(metadata.is_file() && metadata.len() == size && is_sealed(&metadata)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error).at("look at", &path),
        }
    }

    /// How many objects and bytes the store will gain.
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Makes every added object durable and visible.
    ///
    /// # Errors
    /// [`Error::Io`]; objects already renamed then stay, which is harmless: nothing names them yet.
    pub fn commit(self) -> Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        self.sync_data()?;
        let mut directories = BTreeSet::new();
        for (digest, temporary) in &self.pending {
            let target = self.store.layout().object(digest);
            publish::make_parent(&target)?;
            fs::rename(temporary, &target).at("publish", &target)?;
            directories.extend(target.parent().map(PathBuf::from));
        }
        if directories.len() > SYNCFS_THRESHOLD {
            return self.sync_filesystem();
        }
        directories.iter().try_for_each(|directory| publish::sync_directory(directory))
    }

    fn sync_data(&self) -> Result<()> {
        if self.pending.len() > SYNCFS_THRESHOLD {
            return self.sync_filesystem();
        }
        for path in self.pending.values() {
            File::open(path).and_then(|file| file.sync_all()).at("sync", path)?;
        }
        Ok(())
    }

    /// One `syncfs`: on Linux ≥ 5.8 it reports write-back errors since the descriptor was opened.
    fn sync_filesystem(&self) -> Result<()> {
        let path = self.store.layout().tmp();
        let directory = File::open(&path).at("open", &path)?;
        nix::unistd::syncfs(&directory).at("sync", &path)
    }
}

/// Publishes a small object that is whole for every process but not durable yet: without the constant time, a batch
/// that adds the same content puts it there anew, until [`seal`] was called.
///
/// # Errors
/// [`Error::Io`].
pub(crate) fn publish_unsealed(store: &Store, bytes: &[u8]) -> Result<Digest> {
    let digest = Digest::of(bytes);
    let path = store.layout().object(&digest);
    let known = fs::symlink_metadata(&path).is_ok_and(|metadata| is_sealed(&metadata));
    if !known {
        publish::unsealed_with(store, &path, || [], &[bytes], is_sealed)?;
    }
    Ok(digest)
}

/// Makes an object of [`publish_unsealed`] durable, and one like any other.
///
/// # Errors
/// [`Error::Io`].
pub(crate) fn seal(store: &Store, digest: &Digest) -> Result<()> {
    let path = store.layout().object(digest);
    publish::seal_with(&path, is_sealed, |file| {
        file.set_permissions(fs::Permissions::from_mode(0o444))?;
        file.set_modified(constant_time())
    })
}

/// True if somebody wrote to an object, through a hardlink: that gives it another time than every object has.
pub fn is_written_to(metadata: &fs::Metadata) -> bool {
    metadata.modified().map_or(true, |modified| modified != constant_time())
}

/// True if the file has the time and the mode that every object gets: whoever changes one, through a hardlink, breaks
/// this seal.
pub(crate) fn is_sealed(metadata: &fs::Metadata) -> bool {
    !is_written_to(metadata) && metadata.permissions().mode() & 0o7777 == 0o444
}

/// Looks whether an object's bytes have its name.
///
/// # Errors
/// [`Error::Damaged`] if they have not; [`Error::Io`].
pub fn verify(layout: &Layout, digest: &Digest) -> Result<()> {
    let path = layout.object(digest);
    verify_file(layout, digest, &File::open(&path).at("read object", &path)?)
}

/// As [`verify`], for an object that is open; reads it from where the file stands.
///
/// # Errors
/// As [`verify`].
pub fn verify_file(layout: &Layout, digest: &Digest, mut file: &File) -> Result<()> {
    let path = layout.object(digest);
    let mut hasher = DigestHasher::new();
    let mut buffer = vec![0; BUFFER];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return check(digest, &path, &hasher.finish()),
            Ok(count) => hasher.update(&buffer[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error).at("read object", &path),
        }
    }
}

/// Seals an object again whose bytes are still the right ones: somebody gave it another time or mode (a copied store).
///
/// # Errors
/// As [`verify`].
pub(crate) fn seal_again(store: &Store, digest: &Digest) -> Result<()> {
    verify(store.layout(), digest)?;
    seal(store, digest)
}

fn check(digest: &Digest, path: &Path, found: &Digest) -> Result<()> {
    if found == digest {
        return Ok(());
    }
    let reason =
        "its bytes have another digest: somebody wrote to it, perhaps through a link of another view".to_owned();
    Err(Error::Damaged { what: "object", path: path.to_owned(), reason })
}

/// Opens an object for reading.
///
/// # Errors
/// [`Error::Io`] if the store does not have it.
pub fn open(store: &Store, digest: &Digest) -> Result<File> {
    let path = store.layout().object(digest);
    File::open(&path).at("open object", &path)
}

/// Reads a whole object and checks that its bytes have its name.
///
/// # Errors
/// [`Error::Io`], or [`Error::Damaged`] if the content is not what the name says.
pub fn read(store: &Store, digest: &Digest) -> Result<Vec<u8>> {
    read_in(store.layout(), digest)
}

/// As [`read`], for who has no store open.
///
/// # Errors
/// As [`read`].
pub fn read_in(layout: &Layout, digest: &Digest) -> Result<Vec<u8>> {
    let path = layout.object(digest);
    let bytes = fs::read(&path).at("read object", &path)?;
    check(digest, &path, &Digest::of(&bytes))?;
    Ok(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    fn store() -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path().join("s")).unwrap();
        (dir, store)
    }

    #[test]
    fn content_is_stored_once_and_read_back() {
        let (_dir, store) = store();
        let mut batch = Batch::new(&store);
        let first = batch.add_bytes(b"hello").unwrap();
        let again = batch.add(&mut &b"hello"[..]).unwrap();
        assert!(first.new && !again.new && first.digest == again.digest);
        assert!(open(&store, &first.digest).is_err(), "not visible before commit");
        batch.commit().unwrap();
        assert_eq!(read(&store, &first.digest).unwrap(), b"hello");
        let mode = fs::metadata(store.layout().object(&first.digest)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o444);
        let mut later = Batch::new(&store);
        assert!(!later.add_bytes(b"hello").unwrap().new);
    }

    #[test]
    fn many_objects_share_one_barrier() {
        let (_dir, store) = store();
        let mut batch = Batch::new(&store);
        let digests: Vec<_> = (0..40u32).map(|n| batch.add_bytes(&n.to_le_bytes()).unwrap().digest).collect();
        batch.commit().unwrap();
        for (n, digest) in digests.iter().enumerate() {
            assert_eq!(read(&store, digest).unwrap(), (n as u32).to_le_bytes());
        }
    }

    #[test]
    fn a_dropped_batch_leaves_nothing() {
        let (_dir, store) = store();
        let mut batch = Batch::new(&store);
        batch.add_bytes(b"lost").unwrap();
        drop(batch);
        assert_eq!(fs::read_dir(store.layout().tmp()).unwrap().count(), 0);
        assert_eq!(fs::read_dir(store.layout().objects()).unwrap().count(), 0);
    }

    #[test]
    fn a_failing_reader_is_an_error_and_adds_nothing() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
                Err(std::io::Error::other("cut"))
            }
        }
        let (_dir, store) = store();
        let mut batch = Batch::new(&store);
        assert!(batch.add(&mut Broken).is_err());
        assert_eq!(batch.pending(), 0);
    }

    #[test]
    fn a_truncated_object_is_noticed_and_replaced() {
        let (_dir, store) = store();
        let mut batch = Batch::new(&store);
        let added = batch.add_bytes(b"precious").unwrap();
        batch.commit().unwrap();
        let path = store.layout().object(&added.digest);
        fs::remove_file(&path).unwrap();
        fs::write(&path, b"pre").unwrap();
        assert!(matches!(read(&store, &added.digest), Err(Error::Damaged { .. })));
        let mut batch = Batch::new(&store);
        assert!(batch.add_bytes(b"precious").unwrap().new);
        batch.commit().unwrap();
        assert_eq!(read(&store, &added.digest).unwrap(), b"precious");
    }

    #[test]
    fn publishing_unsealed_again_keeps_what_is_there() {
        let (_dir, store) = store();
        let digest = publish_unsealed(&store, b"words").unwrap();
        let path = store.layout().object(&digest);
        let inode = fs::metadata(&path).unwrap().ino();
        publish_unsealed(&store, b"words").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().ino(), inode, "somebody may be sealing it right now");
        seal(&store, &digest).unwrap();
        // As a process does that looked before it was sealed.
        publish::unsealed_with(&store, &path, || [], &[b"words"], is_sealed).unwrap();
        assert!(is_sealed(&fs::metadata(&path).unwrap()));
    }

    #[test]
    fn an_object_is_verified_in_parts() {
        let (_dir, store) = store();
        let mut batch = Batch::new(&store);
        let bytes: Vec<u8> = (0..700_001u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
        let digest = batch.add_bytes(&bytes).unwrap().digest;
        batch.commit().unwrap();
        verify(store.layout(), &digest).unwrap();
        let path = store.layout().object(&digest);
        fs::remove_file(&path).unwrap();
        fs::write(&path, &bytes[..700_000]).unwrap();
        assert!(matches!(verify(store.layout(), &digest), Err(Error::Damaged { .. })));
    }
}
