//! What every part of a resolver holds in common, and small helpers over its cache files.
//!
//! `cache/simple/<sha256 of URL>` and `cache/metadata/<sha256 of wheel and URL>` may be lost at any time and are
//! never half-written. What a process has fetched once it does not fetch again.

use crate::client::Client;
use crate::error::{Error, Result};
use crate::metadata::Metadata;
use crate::progress::Progress;
use crate::simple::{File, Page};
use crate::source::{BuildEnvironments, Tree};
use crate::timestamp::Timestamp;
use crate::urls::without_login;
use omnipkg_store::{Sha256, Store, publish};
use pep508_rs::PackageName;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{OnceCell, Semaphore};
use url::Url;

/// Requests that may be under way at once.
const REQUESTS: usize = 48;

pub(crate) struct Shared {
    pub(crate) client: Client,
    pub(crate) sources: Sources,
    pub(crate) store: Store,
    pub(crate) progress: Arc<dyn Progress>,
    pub(crate) requests: Semaphore,
    pub(crate) pages: Mutex<HashMap<PackageName, Lookup>>,
    /// The index that answered for a project.
    pub(crate) found_on: Mutex<HashMap<PackageName, Url>>,
    /// The files of `find_links`, once somebody needed them.
    pub(crate) flat: OnceCell<Vec<Arc<File>>>,
    pub(crate) metadata: Mutex<HashMap<Url, Arc<Metadata>>>,
    /// Sources that were fetched and not yet built.
    pub(crate) trees: Mutex<HashMap<Url, Arc<Tree>>>,
    /// Where builds run, if anything may be built.
    pub(crate) environments: Option<Arc<dyn BuildEnvironments>>,
    /// Builds that may be under way at once.
    pub(crate) builds: Semaphore,
}

/// What else is looked at, and what of it counts.
pub(crate) struct Sources {
    /// Without user information.
    pub(crate) find_links: Vec<Url>,
    pub(crate) exclude_newer: Option<Timestamp>,
}

/// What the indexes say about a name.
#[derive(Debug, Clone)]
pub(crate) enum Lookup {
    Found(Arc<Page>),
    /// `host/path` of the indexes that were asked.
    Unknown(Vec<String>),
}

impl Shared {
    pub(crate) fn new(client: Client, sources: Sources, store: Store, progress: Arc<dyn Progress>) -> Self {
        Self {
            client,
            sources,
            store,
            progress,
            requests: Semaphore::new(REQUESTS),
            pages: Mutex::default(),
            found_on: Mutex::default(),
            flat: OnceCell::new(),
            metadata: Mutex::default(),
            trees: Mutex::default(),
            environments: None,
            builds: Semaphore::new(std::thread::available_parallelism().map_or(1, usize::from)),
        }
    }

    pub(crate) fn page_file(&self, url: &Url) -> PathBuf {
        self.store.layout().cache().join("simple").join(Sha256::of(url.as_str().as_bytes()).to_hex())
    }

    /// Of a wheel that nobody has seen whole: that its hash is the one that its page tells is not known, so that it is kept
    /// for that place alone.
    pub(crate) fn metadata_file(&self, wheel: &Sha256, url: &Url) -> PathBuf {
        let key = Sha256::of(format!("{} {}", wheel.to_hex(), without_login(url.clone())).as_bytes());
        self.store.layout().cache().join("metadata").join(key.to_hex())
    }

    /// A cache file's bytes; whatever stands in the way counts as "not cached".
    pub(crate) fn read_cache(&self, path: &Path) -> Option<Vec<u8>> {
        std::fs::read(path).ok()
    }

    /// Writes a cache file. A full disk is an error: going on would only fail later.
    pub(crate) fn write_cache(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        publish::volatile_file(&self.store, path, bytes).map_err(Error::from)
    }

    /// A temporary file of the store, gone when dropped.
    pub(crate) fn temporary(&self) -> Result<tempfile::NamedTempFile> {
        let directory = self.store.layout().tmp();
        tempfile::NamedTempFile::new_in(&directory).map_err(|error| Error::io("create a file in", directory, error))
    }
}

/// Locks; a panic elsewhere does not make plain maps unusable.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
