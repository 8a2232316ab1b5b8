//! Files that no index lists: the archive of an interpreter, and the small text that tells its hash.
//!
//! An archive is a temporary file of the store that has just the hash that was promised, or it is an error.

use crate::client::{bad_status, identity};
use crate::error::{Error, Result};
use crate::fetch::download;
use crate::http_options::HttpOptions;
use crate::indexes::Indexes;
use crate::lock::{LockedWheel, Origin};
use crate::progress::Progress;
use crate::resolver::Resolver;
use omnipkg_store::{Sha256, Store};
use std::io;
use std::sync::Arc;
use tempfile::NamedTempFile;
use url::Url;

/// A text that is longer than this is none of checksums.
const TEXT: usize = 16 << 20;

impl Resolver {
    /// One that asks no index: it fetches from URLs only.
    pub fn without_index(store: Store, http: HttpOptions, progress: Arc<dyn Progress>) -> Self {
        Self::new(store, &Indexes::default(), http, progress)
    }

    /// Fetches a file from the first of `urls` (`http`, `https`, `file`) that has it, and checks its hash.
    ///
    /// # Errors
    /// [`Error::HashMismatch`], [`Error::Offline`], and that of the last URL if none has it.
    pub fn archive(&self, filename: &str, urls: &[Url], sha256: Sha256) -> Result<NamedTempFile> {
        let fetched = self.first_of(urls, filename, |url| {
            let archive = LockedWheel {
                name: filename.to_owned(),
                version: pep440_rs::Version::new([0]),
                filename: filename.to_owned(),
                url: url.clone(),
                index: None,
                sha256: Some(sha256),
                size: None,
                built: None,
                assumed: None,
                origin: Origin::default(),
                requires: Vec::new(),
            };
            Ok(self.handle()?.block_on(download(&self.shared, archive))?.1)
        });
        self.shared.progress.done();
        fetched
    }

    /// Fetches a text; `None` if there is none at that URL.
    ///
    /// # Errors
    /// [`Error::Offline`], [`Error::Answer`] for what is no text, and what keeps a server from answering.
    pub fn text(&self, url: &Url) -> Result<Option<String>> {
        let read = |url: &Url| {
            if url.scheme() == "file" {
                let path = url.to_file_path().map_err(|()| Error::answer(url, "it is no local path"))?;
                return std::fs::read(&path).map_err(|error| Error::io("read", &path, error));
            }
            let body = self.handle()?.block_on(self.shared.client.body(url, &identity(), TEXT))?;
            if body.status.is_success() { Ok(body.bytes) } else { Err(bad_status(url, body.status)) }
        };
        match self.first_of(std::slice::from_ref(url), "a list of checksums", read) {
            Ok(bytes) => String::from_utf8(bytes).map(Some).map_err(|_| Error::answer(url, "it is no text")),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The first URL that has it; anything but "not there" ends the search.
    fn first_of<T>(&self, urls: &[Url], what: &str, get: impl Fn(&Url) -> Result<T>) -> Result<T> {
        let mut missing = None;
        for url in urls {
            if url.scheme() != "file" && self.shared.client.offline() {
                return Err(Error::Offline { needed: what.to_owned() });
            }
            match get(url) {
                Err(error) if is_missing(&error) => missing = missing.or(Some(error)),
                other => return other,
            }
        }
        Err(missing.unwrap_or_else(|| Error::Internal(format!("there is no URL for {what}"))))
    }
}

fn is_missing(error: &Error) -> bool {
    match error {
        Error::Status { status, .. } => matches!(status, 404 | 410),
        Error::Io { source, .. } => source.kind() == io::ErrorKind::NotFound,
        _ => false,
    }
}
