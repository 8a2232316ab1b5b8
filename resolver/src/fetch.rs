//! Downloading the wheels of a lock, several at a time, each checked against its hash before it is handed on.
//!
//! A download is a temporary file of the store: whatever happens, it is gone afterwards.

use crate::client::{bad_status, identity, is_no_page, shown, transport};
use crate::error::{Error, Result};
use crate::lock::LockedWheel;
use crate::ranges::content_range;
use crate::resolver::Resolver;
use crate::shared::{Shared, lock};
use omnipkg_store::{Sha256, Sha256Hasher};
use reqwest::header::{ETAG, HeaderMap, HeaderValue, IF_RANGE, RANGE};
use reqwest::{Response, StatusCode};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use tempfile::NamedTempFile;
use tokio::sync::Semaphore;

/// Downloads at once.
const DOWNLOADS: usize = 8;
/// Most bytes of a wheel of which no index tells the size.
pub(crate) const MAX_WHEEL: u64 = 16 << 30;
/// Most threads that ingest at once.
const INGESTERS: usize = 4;

/// Why a lock's wheels were not all ingested.
#[derive(Debug, thiserror::Error)]
pub enum FetchError<E: std::error::Error + 'static> {
    /// A wheel could not be had.
    #[error(transparent)]
    Fetch(#[from] Error),
    /// The caller could not ingest one.
    #[error("cannot ingest {filename}")]
    Ingest {
        /// The wheel's file name.
        filename: String,
        /// The caller's error.
        source: E,
    },
}

/// A wheel that has come: what it is (with its hash filled in) and where.
type Arrival = (usize, Result<(LockedWheel, NamedTempFile)>);

impl Resolver {
    /// Downloads wheels and hands each, as soon as it is there, to `ingest`, on a thread that may block.
    ///
    /// The wheel that `ingest` gets has its `sha256`, and the file has just that hash. Results are in the
    /// order of `wheels`. After the first failure nothing more is handed on.
    ///
    /// # Errors
    /// [`FetchError::Fetch`] if a wheel cannot be had or has another hash; [`FetchError::Ingest`].
    pub fn fetch<T, E>(
        &self,
        wheels: &[LockedWheel],
        ingest: impl Fn(&LockedWheel, &Path) -> Result<T, E> + Sync,
    ) -> Result<Vec<T>, FetchError<E>>
    where
        T: Send,
        E: std::error::Error + Send + 'static,
    {
        let runtime = self.handle()?;
        let (sender, receiver) = mpsc::channel::<Arrival>();
        let permits = Arc::new(Semaphore::new(DOWNLOADS));
        let mut order: Vec<usize> = (0..wheels.len()).collect();
        // The largest first, so that the last to come is not one that has only just begun.
        order.sort_by_key(|&index| std::cmp::Reverse(wheels[index].size));
        let tasks: Vec<_> = order
            .into_iter()
            .map(|index| {
                let (shared, wheel) = (self.shared.clone(), wheels[index].clone());
                let (permits, sender) = (permits.clone(), sender.clone());
                runtime.spawn(async move {
                    let _permit = permits.acquire().await;
                    let arrival = download(&shared, wheel).await;
                    // Nobody listens after a failure.
                    let _ = sender.send((index, arrival));
                })
            })
            .collect();
        drop(sender);
        let intake =
            Intake { receiver: Mutex::new(receiver), ingest: &ingest, progress: self, failed: AtomicBool::new(false) };
        let threads =
            std::thread::available_parallelism().map_or(2, |count| count.get()).min(INGESTERS).min(wheels.len());
        let cancel = || tasks.iter().for_each(tokio::task::JoinHandle::abort);
        let outcomes: Vec<_> = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| intake.work(&cancel))).collect();
            workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect()
        });
        self.shared.progress.done();
        in_order(outcomes, wheels.len())
    }
}

struct Intake<'a, F> {
    receiver: Mutex<mpsc::Receiver<Arrival>>,
    ingest: &'a F,
    progress: &'a Resolver,
    failed: AtomicBool,
}

impl<F> Intake<'_, F> {
    fn work<T, E>(&self, cancel: &dyn Fn()) -> Vec<(usize, Result<T, FetchError<E>>)>
    where
        E: std::error::Error + 'static,
        F: Fn(&LockedWheel, &Path) -> Result<T, E>,
    {
        let mut outcomes = Vec::new();
        loop {
            let arrival = lock(&self.receiver).recv();
            let Ok((index, arrival)) = arrival else { return outcomes };
            if self.failed.load(Ordering::Acquire) {
                continue;
            }
            let outcome = arrival.map_err(FetchError::Fetch).and_then(|(wheel, file)| {
                self.progress.shared.progress.fetched(&wheel.filename);
                (self.ingest)(&wheel, file.path())
                    .map_err(|source| FetchError::Ingest { filename: wheel.filename.clone(), source })
            });
            if outcome.is_err() {
                self.failed.store(true, Ordering::Release);
                cancel();
            }
            outcomes.push((index, outcome));
        }
    }
}

fn in_order<T, E: std::error::Error + 'static>(
    mut outcomes: Vec<(usize, Result<T, FetchError<E>>)>,
    expected: usize,
) -> Result<Vec<T>, FetchError<E>> {
    outcomes.sort_by_key(|(index, _)| *index);
    let results: Vec<T> = outcomes.into_iter().map(|(_, outcome)| outcome).collect::<Result<_, _>>()?;
    if results.len() != expected {
        return Err(Error::Internal("a download or an ingesting thread died".to_owned()).into());
    }
    Ok(results)
}

pub(crate) async fn download(shared: &Arc<Shared>, mut wheel: LockedWheel) -> Result<(LockedWheel, NamedTempFile)> {
    if wheel.url.scheme() == "file" {
        let shared = shared.clone();
        let copied = tokio::task::spawn_blocking(move || copy(&shared, &wheel).map(|done| (wheel, done)));
        let (mut wheel, (file, got)) = copied.await.map_err(|error| Error::Internal(error.to_string()))??;
        check(&wheel, got)?;
        wheel.sha256 = Some(got);
        return Ok((wheel, file));
    }
    if shared.client.offline() {
        return Err(Error::Offline { needed: format!("the wheel {}", wheel.filename) });
    }
    shared.progress.fetching(&wheel.filename, wheel.size);
    let mut partial = Partial { file: shared.temporary()?, hasher: Sha256Hasher::new(), written: 0, etag: None };
    let mut attempt = 1;
    // A later try goes on where the last broke off, if the server can.
    while let Err(error) = partial.go_on(shared, &wheel).await {
        if !shared.client.again(&wheel.url, attempt, &error).await {
            return Err(error);
        }
        attempt += 1;
    }
    let got = partial.hasher.finish();
    check(&wheel, got)?;
    if let Some(size) = wheel.size.filter(|size| *size != partial.written) {
        return Err(Error::answer(&wheel.url, format!("it has {} bytes, {size} were announced", partial.written)));
    }
    wheel.sha256 = Some(got);
    Ok((wheel, partial.file))
}

fn check(wheel: &LockedWheel, got: Sha256) -> Result<()> {
    match wheel.sha256 {
        Some(expected) if expected != got => {
            Err(Error::HashMismatch { filename: wheel.filename.clone(), expected, got })
        }
        _ => Ok(()),
    }
}

fn copy(shared: &Shared, wheel: &LockedWheel) -> Result<(NamedTempFile, Sha256)> {
    let path = wheel.url.to_file_path().map_err(|()| Error::answer(&wheel.url, "it is no local path"))?;
    let mut source = std::fs::File::open(&path).map_err(|error| Error::io("open", &path, error))?;
    let mut target = shared.temporary()?;
    let mut hasher = Sha256Hasher::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = source.read(&mut buffer).map_err(|error| Error::io("read", &path, error))?;
        if count == 0 {
            return Ok((target, hasher.finish()));
        }
        hasher.update(&buffer[..count]);
        target.write_all(&buffer[..count]).map_err(|error| Error::io("write", target.path(), error))?;
    }
}

/// A download under way.
struct Partial {
    file: NamedTempFile,
    hasher: Sha256Hasher,
    written: u64,
    /// What the server calls the very bytes that are here.
    etag: Option<HeaderValue>,
}

impl Partial {
    /// Asks for what is missing and takes it in.
    async fn go_on(&mut self, shared: &Shared, wheel: &LockedWheel) -> Result<()> {
        // Without a hash or a tag nothing would show that the two parts are of different files.
        let resume = self.written > 0 && (wheel.sha256.is_some() || self.etag.is_some());
        let mut response = shared.client.send_once(&wheel.url, &self.headers(resume)?).await?;
        match response.status() {
            StatusCode::PARTIAL_CONTENT if resume && self.is_continued_by(&response, wheel) => {}
            StatusCode::OK => {
                is_no_page(&wheel.url, response.headers())?;
                self.start_again()?;
                let strong = |tag: &&HeaderValue| !tag.as_bytes().starts_with(b"W/");
                self.etag = response.headers().get(ETAG).filter(strong).cloned();
            }
            // What is here is not what the server has: the next try begins anew.
            StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => {
                self.start_again()?;
                let reason = "it answered a range request with something else".to_owned();
                return Err(Error::Interrupted { url: shown(&wheel.url), reason });
            }
            status => return Err(bad_status(&wheel.url, status)),
        }
        tracing::debug!(url = shown(&wheel.url), resumed = resume, "downloading");
        while let Some(chunk) = response.chunk().await.map_err(|error| transport(&wheel.url, error))? {
            self.written += chunk.len() as u64;
            if self.written > wheel.size.unwrap_or(MAX_WHEEL) {
                return Err(Error::answer(&wheel.url, "it is longer than was announced"));
            }
            self.hasher.update(&chunk);
            self.file.write_all(&chunk).map_err(|error| Error::io("write", self.file.path(), error))?;
            shared.progress.fetched_bytes(&wheel.filename, chunk.len() as u64);
        }
        Ok(())
    }

    fn headers(&self, resume: bool) -> Result<HeaderMap> {
        let mut headers = identity();
        if resume {
            let range = HeaderValue::from_str(&format!("bytes={}-", self.written));
            headers.insert(RANGE, range.map_err(|error| Error::Internal(error.to_string()))?);
            // A file that was replaced meanwhile comes whole.
            headers.extend(self.etag.iter().map(|tag| (IF_RANGE, tag.clone())));
        }
        Ok(headers)
    }

    /// True if an answer begins where this ends, in a file of the same length and tag.
    fn is_continued_by(&self, response: &Response, wheel: &LockedWheel) -> bool {
        let Some((start, length)) = content_range(response.headers()) else { return false };
        let same_tag = match (&self.etag, response.headers().get(ETAG)) {
            (Some(known), Some(now)) => known == now,
            _ => true,
        };
        start == self.written && same_tag && wheel.size.is_none_or(|size| size == length)
    }

    fn start_again(&mut self) -> Result<()> {
        self.hasher = Sha256Hasher::new();
        (self.written, self.etag) = (0, None);
        let file = self.file.as_file_mut();
        let emptied = file.set_len(0).and_then(|()| file.rewind());
        emptied.map_err(|error| Error::io("write", self.file.path(), error))
    }
}
