//! Getting a wheel's METADATA with as few bytes as the server allows.
//!
//! In order: the store, the cache (by the wheel's promised sha256 and its place), `<url>.metadata` (PEP 658), ranges of the
//! wheel, the wheel.

use crate::candidates::{Candidate, Kind};
use crate::client::{identity, is_no_page, transport};
use crate::error::{Error, Result};
use crate::fetch::MAX_WHEEL;
use crate::metadata::Metadata;
use crate::ranges::{self, Opened, SparseFile};
use crate::shared::{Shared, lock};
use crate::simple::{CoreMetadata, File};
use crate::source;
use omnipkg_store::tags::WheelFilename;
use omnipkg_store::{Sha256, Sha256Hasher, wheel};
use reqwest::{Response, StatusCode};
use std::io::{Seek, Write};
use std::sync::Arc;
use tempfile::NamedTempFile;
use url::Url;

/// Bound on METADATA in bytes.
const MAX_METADATA: usize = 16 << 20;

/// The metadata of a candidate's wheel.
pub(crate) async fn get(shared: &Arc<Shared>, candidate: &Candidate) -> Result<Arc<Metadata>> {
    let file = &candidate.file;
    if let Some(known) = lock(&shared.metadata).get(&candidate.url) {
        return Ok(known.clone());
    }
    if let Some(sha256) = candidate.installed.as_ref().and_then(|entry| entry.wheel()) {
        let bytes = source::metadata_of_wheel(shared, &sha256)?;
        let metadata = Arc::new(Metadata::parse(&bytes, &file.filename, None)?);
        lock(&shared.metadata).insert(candidate.url.clone(), metadata.clone());
        return Ok(metadata);
    }
    let wheel = match &candidate.kind {
        Kind::Wheel(wheel) => wheel,
        Kind::Source(source) => {
            let known = source::known_metadata(shared, candidate, source)?;
            let metadata = match (&known, &candidate.sibling) {
                (None, Some(sibling)) => Box::pin(get(shared, sibling)).await?,
                _ => {
                    let bytes = match known {
                        Some(bytes) => bytes,
                        None => source::metadata_of(shared, candidate, source).await?,
                    };
                    Arc::new(Metadata::parse(&bytes, &source.label(&candidate.url), source.name.as_ref())?)
                }
            };
            lock(&shared.metadata).insert(candidate.url.clone(), metadata.clone());
            return Ok(metadata);
        }
    };
    let path = file.sha256.map(|hash| shared.metadata_file(&hash, &candidate.url));
    // A wheel that the store has was seen whole: it tells the truth.
    let stored = file.sha256.filter(|hash| shared.store.layout().wheel(hash).exists());
    let cached = match stored {
        Some(hash) => Some(source::metadata_of_wheel(shared, &hash)?),
        None => path.as_ref().and_then(|path| shared.read_cache(path)),
    };
    let bytes = match cached {
        Some(bytes) => bytes,
        None => {
            let bytes = fetch(shared, candidate, wheel).await?;
            if let Some(path) = &path {
                shared.write_cache(path, &bytes)?;
            }
            bytes
        }
    };
    let metadata = Arc::new(Metadata::parse(&bytes, &file.filename, Some(&wheel.name))?);
    lock(&shared.metadata).insert(candidate.url.clone(), metadata.clone());
    Ok(metadata)
}

async fn fetch(shared: &Arc<Shared>, candidate: &Candidate, wheel: &Arc<WheelFilename>) -> Result<Vec<u8>> {
    let Candidate { file, url, .. } = candidate;
    if url.scheme() == "file" {
        return from_disk(candidate, wheel.clone()).await;
    }
    if shared.client.offline() {
        return Err(Error::Offline { needed: format!("the metadata of {}", file.filename) });
    }
    let _permit = shared.requests.acquire().await;
    if file.core_metadata != CoreMetadata::No
        && let Some(bytes) = beside(shared, file, url).await?
    {
        return Ok(bytes);
    }
    match ranges::open(shared, url).await? {
        Opened::Ranges(parts) => from_parts(shared, candidate, wheel, parts).await,
        Opened::Whole(response) => from_whole(shared, candidate, wheel.clone(), *response).await,
    }
}

/// Reads again and again, each time with more of the file, until nothing is missing.
async fn from_parts(
    shared: &Shared,
    candidate: &Candidate,
    wheel: &Arc<WheelFilename>,
    mut parts: SparseFile,
) -> Result<Vec<u8>> {
    loop {
        let wheel = wheel.clone();
        let (read, result) = blocking(move || {
            let result = wheel::read_metadata(&mut parts, &wheel);
            Ok((parts, result))
        })
        .await?;
        parts = read;
        match result {
            Ok(bytes) => return Ok(bytes),
            Err(_) if parts.fill(shared, &candidate.url).await? => {}
            Err(error) => return Err(unreadable(&candidate.file.filename, &error)),
        }
    }
}

/// `<url>.metadata`; `None` if the index promised it and does not have it.
async fn beside(shared: &Shared, file: &File, url: &Url) -> Result<Option<Vec<u8>>> {
    let mut url = url.clone();
    url.set_path(&format!("{}.metadata", url.path()));
    let body = shared.client.body(&url, &identity(), MAX_METADATA).await?;
    match body.status {
        StatusCode::OK => is_no_page(&url, &body.headers)?,
        StatusCode::NOT_FOUND => return Ok(None),
        status => return Err(crate::client::bad_status(&url, status)),
    }
    let got = Sha256::of(&body.bytes);
    match file.core_metadata {
        CoreMetadata::Hashed(expected) if expected != got => {
            Err(Error::HashMismatch { filename: format!("{}.metadata", file.filename), expected, got })
        }
        _ => Ok(Some(body.bytes)),
    }
}

async fn from_disk(candidate: &Candidate, wheel: Arc<WheelFilename>) -> Result<Vec<u8>> {
    let Candidate { file, url, .. } = candidate;
    let path = url.to_file_path().map_err(|()| Error::answer(url, "it is no local path"))?;
    let filename = file.filename.clone();
    blocking(move || {
        let archive = std::fs::File::open(&path).map_err(|error| Error::io("open", path, error))?;
        wheel::read_metadata(archive, &wheel).map_err(|error| unreadable(&filename, &error))
    })
    .await
}

async fn from_whole(
    shared: &Shared,
    candidate: &Candidate,
    wheel: Arc<WheelFilename>,
    mut response: Response,
) -> Result<Vec<u8>> {
    let (mut attempt, url) = (1, &candidate.url);
    let temporary = loop {
        let error = match save(shared, candidate, response).await {
            Ok(temporary) => break temporary,
            Err(error) => error,
        };
        if !shared.client.again(url, attempt, &error).await {
            return Err(error);
        }
        attempt += 1;
        response = shared.client.send_once(url, &identity()).await?;
        if response.status() != StatusCode::OK {
            return Err(crate::client::bad_status(url, response.status()));
        }
    };
    let filename = candidate.file.filename.clone();
    blocking(move || wheel::read_metadata(temporary.as_file(), &wheel).map_err(|error| unreadable(&filename, &error)))
        .await
}

/// The whole wheel as a file of its own, if it is the one that the index promised.
async fn save(shared: &Shared, candidate: &Candidate, mut response: Response) -> Result<NamedTempFile> {
    let Candidate { file, url, .. } = candidate;
    let (mut temporary, mut hasher, mut written) = (shared.temporary()?, Sha256Hasher::new(), 0);
    let write_error = |error, path: &std::path::Path| Error::io("write", path, error);
    while let Some(chunk) = response.chunk().await.map_err(|error| transport(url, error))? {
        written += chunk.len() as u64;
        if written > file.size.unwrap_or(MAX_WHEEL) {
            return Err(Error::answer(url, "it is longer than was announced"));
        }
        hasher.update(&chunk);
        temporary.write_all(&chunk).map_err(|error| write_error(error, temporary.path()))?;
    }
    let got = hasher.finish();
    if let Some(expected) = file.sha256.filter(|expected| *expected != got) {
        return Err(Error::HashMismatch { filename: file.filename.clone(), expected, got });
    }
    temporary.rewind().map_err(|error| write_error(error, temporary.path()))?;
    Ok(temporary)
}

fn unreadable(filename: &str, error: &omnipkg_store::Error) -> Error {
    let mut reason = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        reason = format!("{reason}: {cause}");
        source = cause.source();
    }
    Error::metadata(filename, reason)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(Error::Internal(error.to_string())))
}
