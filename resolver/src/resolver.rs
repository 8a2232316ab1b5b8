//! The synchronous front: owns the async runtime, which starts on first use.

use crate::client::Client;
use crate::direct;
use crate::error::{Error, Result};
use crate::http_options::HttpOptions;
use crate::indexes::Indexes;
use crate::lock::{Lock, LockedWheel};
use crate::progress::Progress;
use crate::request::{Request, Target};
use crate::shared::{Shared, Sources, lock};
use crate::solve;
use crate::source::{self, BuildEnvironments};
use omnipkg_store::{Sha256, Store};
use pep508_rs::PackageName;
use std::sync::{Arc, OnceLock};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinHandle;
use url::Url;

/// Resolves requirements and fetches wheels. Must not be used from inside an async runtime.
pub struct Resolver {
    runtime: OnceLock<Runtime>,
    pub(crate) shared: Arc<Shared>,
}

impl Resolver {
    /// A resolver over indexes, with its caches in `store`. Starts nothing yet.
    pub fn new(store: Store, indexes: &Indexes, http: HttpOptions, progress: Arc<dyn Progress>) -> Self {
        let (client, find_links) = Client::new(indexes, http);
        let sources = Sources { find_links, exclude_newer: indexes.exclude_newer };
        Self { runtime: OnceLock::new(), shared: Arc::new(Shared::new(client, sources, store, progress)) }
    }

    /// The same, which may build wheels of sources in environments that are composed by another.
    #[must_use]
    pub fn building_in(mut self, environments: Arc<dyn BuildEnvironments>) -> Self {
        // Nobody else has it before it is used.
        if let Some(shared) = Arc::get_mut(&mut self.shared) {
            shared.environments = Some(environments);
        }
        self
    }

    /// The project that a URL gives; its source may have to be fetched for that.
    ///
    /// # Errors
    /// [`Error::Requirement`] for what can give none, and whatever keeps it from being looked into.
    pub fn name_of(&self, url: &Url, target: &Target) -> Result<PackageName> {
        let name = direct::name(&self.shared, &self.handle()?, url, target);
        self.shared.progress.done();
        name
    }

    /// Builds the wheels of a lock's entries that are sources, and takes them into the store; the entries, in their order,
    /// with their hashes.
    ///
    /// # Errors
    /// [`Error::Build`] with the last lines of the backend's log, and what keeps a source from being had.
    pub fn build(&self, entries: &[LockedWheel]) -> Result<Vec<LockedWheel>> {
        let runtime = self.handle()?;
        let tasks: Vec<_> = entries
            .iter()
            .map(|entry| {
                let (shared, entry) = (self.shared.clone(), entry.clone());
                runtime.spawn(async move { source::build(&shared, &entry).await })
            })
            .collect();
        let ended = |task: JoinHandle<_>| {
            runtime.block_on(task).unwrap_or_else(|error| Err(Error::Internal(error.to_string())))
        };
        // All are waited for: none is left under way.
        let built: Vec<_> = tasks.into_iter().map(ended).collect();
        self.shared.progress.done();
        built.into_iter().collect()
    }

    /// Compares what was told of a fetched wheel's needs with what it says itself.
    ///
    /// # Errors
    /// [`Error::Misled`] if it is something else.
    pub fn check_needs(&self, entry: &LockedWheel, wheel: &Sha256) -> Result<()> {
        source::check_needs(&self.shared, entry, wheel)
    }

    /// The exact wheels that answer a request. The same request and indexes give the same lock.
    ///
    /// # Errors
    /// [`Error::NoSolution`] with an explanation, [`Error::UnknownProject`], [`Error::Offline`] naming what
    /// is missing, and whatever keeps an index from answering.
    pub fn resolve(&self, request: &Request) -> Result<Lock> {
        let result = solve::solve(&self.shared, self.handle()?, request);
        self.shared.progress.done();
        result
    }

    pub(crate) fn handle(&self) -> Result<Handle> {
        if let Some(runtime) = self.runtime.get() {
            return Ok(runtime.handle().clone());
        }
        let runtime = Builder::new_multi_thread()
            .worker_threads(std::thread::available_parallelism().map_or(2, |count| count.get().min(4)))
            .thread_name("omnipkg-resolver")
            .enable_all()
            .build()
            .map_err(|error| Error::Internal(format!("the async runtime does not start: {error}")))?;
        Ok(self.runtime.get_or_init(|| runtime).handle().clone())
    }
}

impl Drop for Resolver {
    fn drop(&mut self) {
        // A task that nobody waits for may still hold the rest; scratch directories must not wait for that.
        lock(&self.shared.trees).clear();
        // Requests made ahead may still be under way; nobody wants their answers any more.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
