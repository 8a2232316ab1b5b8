//! Where everything is on disk, and the check that a store is one that this version understands.
//!
//! ```text
//! version                  layout version; an unknown one is refused, never guessed
//! objects/ab/<62 hex>      one file per content, mode 0444
//! wheels/<sha256>          wheel manifest
//! views/<view id>          view manifest
//! pyc/<cache tag>/ab/<62>  bytecode digest for (source object, cache tag), or the word `refused`
//! pyc/<cache tag>/magic    the magic number of that bytecode; builds with another have magic-<number>/ab/<62>
//! pyc/<cache tag>/views/   empty files: the views of which everything is compiled
//! interpreters/<digest>    what probing an interpreter found
//! answers/<digest>         remembered answers: question -> lock and view
//! origins/<sha256>         where a wheel's archive was found: asked of the index again when lost
//! runs/<digest>            remembered runs: (script, context) -> view
//! envs/<name>              symlink to the projected path of the current generation
//! generations/<name>/<n>   history of an environment, one record a generation
//! active                   symlink to envs/<name>
//! pythons/<name>.json      an interpreter in use: which one the default environment of that name is bound to
//! pythons/<name>/          symlink to the projected tree of an interpreter that was installed here
//! activations/<digest>     symlink to the view that the loader puts in front, with <digest>.json beside it
//! bubbles/<env>/<name-version>  symlink to the site-packages that has a version beside the active one
//! bin/omnipkg              symlink to the program that used the store last
//! mnt/                     the FUSE mount; every view is a directory of it
//! links/<view id>/         the link projection
//! writable/<name>/         what was written over a view and kept by name
//! cache/                   index pages, metadata, trees of wheels and of omnipkg's own files: may be thrown away at any time
//! catalog.sqlite  tmp/  leases/  run/
//! ```

use crate::digest::{Digest, Sha256, ViewId};
use crate::error::{Error, IoContext, Result};
use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The layout that this version reads and writes.
pub const LAYOUT_VERSION: &str = "omnipkg-store 1";

/// A directory in `tmp/` with a locked file of this name is in use, whether its command lives or not.
pub const SCRATCH_LOCK: &str = "layer.json";

/// Directories of a store, made when it is opened.
const DIRECTORIES: &[&str] = &[
    "objects",
    "wheels",
    "views",
    "pyc",
    "interpreters",
    "answers",
    "runs",
    "envs",
    "generations",
    "mnt",
    "links",
    "cache",
    "tmp",
    "leases",
    "run",
];

/// Paths below one store root. Pure: makes no system call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// The layout below `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The store's root.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Directory of all objects.
    pub fn objects(&self) -> PathBuf {
        self.root.join("objects")
    }

    /// File of one object.
    pub fn object(&self, digest: &Digest) -> PathBuf {
        fan_out(self.objects(), digest)
    }

    /// Directory of all wheel manifests.
    pub fn wheels(&self) -> PathBuf {
        self.root.join("wheels")
    }

    /// Manifest of the wheel whose archive has this sha256.
    pub fn wheel(&self, sha256: &Sha256) -> PathBuf {
        self.wheels().join(sha256.to_hex())
    }

    /// Directory of all view manifests.
    pub fn views(&self) -> PathBuf {
        self.root.join("views")
    }

    /// The wheel as a tree that views are put together from; may be lost at any time.
    pub fn wheel_tree(&self, sha256: &Sha256) -> PathBuf {
        self.tree(&sha256.to_hex())
    }

    /// A tree that views are put together from.
    pub fn tree(&self, name: &str) -> PathBuf {
        self.cache().join("trees").join(name)
    }

    /// Manifest of one view.
    pub fn view(&self, id: &ViewId) -> PathBuf {
        self.views().join(id.to_string())
    }

    /// Directory of the names of bytecode.
    pub fn bytecode(&self) -> PathBuf {
        self.root.join("pyc")
    }

    /// File that names the bytecode object of a source object; `folder` is the cache tag (`cpython-311`), or what
    /// [`crate::bytecode::Key::folder`] says.
    pub fn pyc(&self, folder: &str, source: &Digest) -> PathBuf {
        fan_out(self.bytecode().join(folder), source)
    }

    /// Directory of remembered interpreter facts.
    pub fn interpreters(&self) -> PathBuf {
        self.root.join("interpreters")
    }

    /// A remembered answer, by the digest of its question.
    pub fn answer(&self, question: &Digest) -> PathBuf {
        self.root.join("answers").join(question.to_hex())
    }

    /// Where the archive of a wheel was found.
    pub fn origin(&self, sha256: &Sha256) -> PathBuf {
        self.root.join("origins").join(sha256.to_hex())
    }

    /// Which wheel was built of a source, by the digest of (source, interpreter).
    pub fn built(&self, source: &Digest) -> PathBuf {
        self.cache().join("built").join(source.to_hex())
    }

    /// A remembered run, by the digest of (script, context).
    pub fn remembered_run(&self, key: &Digest) -> PathBuf {
        self.root.join("runs").join(key.to_hex())
    }

    /// Directory of environment symlinks.
    pub fn envs(&self) -> PathBuf {
        self.root.join("envs")
    }

    /// Directory of generation records of one environment.
    pub fn generations(&self, name: &str) -> PathBuf {
        self.root.join("generations").join(name)
    }

    /// Symlink to the active environment.
    pub fn active(&self) -> PathBuf {
        self.root.join("active")
    }

    /// Directory of interpreters in use: `<name>.json` records, and links to installed trees.
    pub fn pythons(&self) -> PathBuf {
        self.root.join("pythons")
    }

    /// Directory of what the Python side's loader has activated before.
    pub fn activations(&self) -> PathBuf {
        self.root.join("activations")
    }

    /// Directory of the versions that an environment has beside its active ones (`rich-13.7.1`).
    pub fn bubbles(&self, environment: &str) -> PathBuf {
        self.root.join("bubbles").join(environment)
    }

    /// Link to the program that used the store last: what `bin/omnipkg` of every view leads to.
    pub fn program(&self) -> PathBuf {
        self.root.join("bin").join("omnipkg")
    }

    /// The FUSE mount point.
    pub fn mnt(&self) -> PathBuf {
        self.root.join("mnt")
    }

    /// Directory of the link projection.
    pub fn links(&self) -> PathBuf {
        self.root.join("links")
    }

    /// Directory of what was written over views and kept.
    pub fn writable(&self) -> PathBuf {
        self.root.join("writable")
    }

    /// The catalog's database.
    pub fn catalog(&self) -> PathBuf {
        self.root.join("catalog.sqlite")
    }

    /// What may be thrown away at any time.
    pub fn cache(&self) -> PathBuf {
        self.root.join("cache")
    }

    /// Unpublished files; same filesystem as everything else, so that rename publishes.
    pub fn tmp(&self) -> PathBuf {
        self.root.join("tmp")
    }

    /// Lock files, the server's state, the chosen projection.
    pub fn run(&self) -> PathBuf {
        self.root.join("run")
    }

    /// Waits until nobody else holds the lock of this name, and holds it until the file is closed.
    ///
    /// # Errors
    /// [`crate::Error::Io`].
    pub fn hold(&self, name: &str) -> Result<File> {
        let path = self.run().join(format!("{name}.lock"));
        let file = File::options().create(true).truncate(false).write(true).open(&path).at("open", &path)?;
        file.lock().at("lock", &path)?;
        Ok(file)
    }
}

/// `ab/<62 hex>` below `base`.
fn fan_out(base: PathBuf, digest: &Digest) -> PathBuf {
    let hex = digest.to_hex();
    base.join(&hex[..2]).join(&hex[2..])
}

/// An opened store: its layout was checked and its directories exist.
///
/// While a store is open somewhere, what lies in `tmp/` may be somebody's work; when it is open nowhere, all of it is
/// what killed commands left, and the next one to open the store removes it.
#[derive(Debug, Clone)]
pub struct Store {
    layout: Layout,
    /// A shared lock, let go of with the last clone.
    _in_use: Arc<File>,
}

impl Store {
    /// Opens the store at `root`, making it if nothing is there.
    ///
    /// # Errors
    /// [`Error::Layout`] if another version wrote it; [`Error::Io`] if it cannot be made or read.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self> {
        let layout = Layout::new(root);
        let version_file = layout.root.join("version");
        let found = match fs::read_to_string(&version_file) {
            Ok(found) => Some(found),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error).at("read", &version_file),
        };
        match &found {
            Some(found) => check_version(&layout.root, found.trim_end())?,
            None => make_directories(&layout)?,
        }
        let in_use = claim_scratch(&layout)?;
        if found.is_none() {
            // Last, so that an interrupted creation is just done again.
            let version = format!("{LAYOUT_VERSION}\n");
            crate::publish::file_in(&layout.tmp(), &version_file, version.as_bytes(), 0o644)?;
        }
        Ok(Self { layout, _in_use: Arc::new(in_use) })
    }

    /// Paths of this store.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }
}

/// Takes the shared lock on `tmp/`, clearing it first if nobody else has the store open.
fn claim_scratch(layout: &Layout) -> Result<File> {
    let path = layout.run().join("tmp.lock");
    let lock = File::options().create(true).truncate(false).write(true).open(&path).at("open", &path)?;
    if lock.try_lock().is_ok() {
        clear(&layout.tmp());
    }
    // From exclusive to shared in one step or two: nothing of ours is in tmp/ yet that another could clear.
    lock.lock_shared().at("lock", &path)?;
    Ok(lock)
}

/// Best effort: what cannot be removed is in nobody's way.
fn clear(tmp: &Path) {
    for entry in fs::read_dir(tmp).into_iter().flatten().flatten() {
        let path = entry.path();
        let _ = match entry.file_type() {
            // A killed command's layer, which what it started still writes to.
            Ok(kind) if kind.is_dir() && is_held(&path) => Ok(()),
            // A link projection that was being made has read-only directories.
            Ok(kind) if kind.is_dir() => crate::links::discard(&path).map_err(io::Error::other),
            _ => fs::remove_file(&path),
        };
    }
}

/// True if somebody holds the lock of a directory in `tmp/` that has one.
fn is_held(directory: &Path) -> bool {
    let lock = File::open(directory.join(SCRATCH_LOCK));
    lock.is_ok_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)))
}

fn check_version(root: &Path, found: &str) -> Result<()> {
    if found == LAYOUT_VERSION {
        return Ok(());
    }
    Err(Error::Layout { path: root.to_owned(), found: found.chars().take(80).collect(), understood: LAYOUT_VERSION })
}

fn make_directories(layout: &Layout) -> Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder.create(&layout.root).at("create directory", &layout.root)?;
    for name in DIRECTORIES {
        let path = layout.root.join(name);
        builder.create(&path).at("create directory", &path)?;
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn open_makes_a_private_store_once_and_reads_it_again() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("store");
        Store::open(&root).unwrap();
        assert_eq!(fs::metadata(&root).unwrap().permissions().mode() & 0o777, 0o700);
        assert!(root.join("objects").is_dir());
        Store::open(&root).unwrap();
    }

    #[test]
    fn what_killed_commands_left_is_removed_once_nobody_has_the_store_open() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let left = store.layout().tmp().join("batch-x");
        fs::create_dir(&left).unwrap();
        fs::write(left.join("0"), b"half").unwrap();
        let second = Store::open(dir.path()).unwrap();
        assert!(left.exists(), "the first may still be at work");
        drop((store, second));
        let third = Store::open(dir.path()).unwrap();
        assert_eq!(fs::read_dir(third.layout().tmp()).unwrap().count(), 0);
    }

    #[test]
    fn an_unknown_layout_is_refused_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("version"), "omnipkg-store 9\n").unwrap();
        let error = Store::open(dir.path()).unwrap_err();
        assert!(error.to_string().contains("omnipkg-store 9"), "{error}");
        assert!(!dir.path().join("objects").exists());
    }
}
