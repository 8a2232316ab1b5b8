//! Asking the indexes for a project, in order, with the answers kept on disk.
//!
//! The first index that knows the name answers for it. Only 404 means "does not know": a login, an outage
//! or nonsense is an error, because going on to the next index could give a stranger's project instead.

use crate::client::{Body, bad_status, shown};
use crate::error::{Error, Result};
use crate::shared::{Lookup, Shared, lock};
use crate::simple::{self, Page, compact};
use omnipkg_store::Sha256;
use pep508_rs::PackageName;
use reqwest::StatusCode;
use reqwest::header::{ACCEPT, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use url::Url;

/// Bound on a project page in bytes.
const MAX_PAGE: usize = 256 << 20;

/// What a cache file must begin with to be understood.
const FORMAT: u32 = 1;

/// The first line of a cached page; its files follow (see [`compact`]).
#[derive(Serialize, Deserialize)]
struct Header {
    format: u32,
    /// False if the index did not know the name.
    known: bool,
    etag: Option<String>,
    /// Of the answer's body: the same body need not be parsed again.
    body: Sha256,
}

/// Looks a project up.
pub(crate) async fn look_up(shared: &Shared, name: &PackageName) -> Result<Lookup> {
    if let Some(known) = lock(&shared.pages).get(name) {
        return Ok(known.clone());
    }
    let mut asked = Vec::new();
    for index in &shared.client.indexes {
        let url = index.join(&format!("{name}/")).map_err(|error| Error::answer(index, error.to_string()))?;
        if let Some(page) = page(shared, &url, name).await? {
            lock(&shared.found_on).insert(name.clone(), index.clone());
            return Ok(remember(shared, name, Lookup::Found(Arc::new(page))));
        }
        asked.push(format!("{}{}", index.host_str().unwrap_or_default(), index.path().trim_end_matches('/')));
    }
    Ok(remember(shared, name, Lookup::Unknown(asked)))
}

fn remember(shared: &Shared, name: &PackageName, answer: Lookup) -> Lookup {
    lock(&shared.pages).insert(name.clone(), answer.clone());
    answer
}

async fn page(shared: &Shared, url: &Url, name: &PackageName) -> Result<Option<Page>> {
    let file = shared.page_file(url);
    let bytes = shared.read_cache(&file);
    let cached = bytes.as_deref().and_then(decode);
    if shared.client.offline() {
        let needed = || Error::Offline { needed: format!("the index page of {name}") };
        return cached.map(|(_, page)| page).ok_or_else(needed);
    }
    let answer = ask(shared, url, cached.as_ref().and_then(|(header, _)| header.etag.as_deref())).await?;
    let header = Header {
        format: FORMAT,
        known: answer.status == StatusCode::OK,
        etag: answer.header(ETAG).map(str::to_owned),
        body: Sha256::of(&answer.bytes),
    };
    if let Some((old, page)) = cached {
        let same_body = header.known && old.known && old.body == header.body;
        if same_body || answer.status == StatusCode::NOT_MODIFIED {
            return Ok(page);
        }
    }
    let page = match answer.status {
        StatusCode::OK => {
            Some(simple::parse(answer.header(CONTENT_TYPE).unwrap_or_default(), &answer.bytes, &answer.url)?)
        }
        StatusCode::NOT_FOUND => None,
        status => return Err(bad_status(url, status)),
    };
    for skipped in page.iter().flat_map(|page| &page.skipped) {
        tracing::debug!(url = shown(url), skipped.row, skipped.reason, "row skipped");
    }
    let mut record = serde_json::to_vec(&header).map_err(|error| Error::Internal(error.to_string()))?;
    record.push(b'\n');
    record.extend(page.as_ref().map(compact::encode).unwrap_or_default());
    shared.write_cache(&file, &record)?;
    Ok(page)
}

async fn ask(shared: &Shared, url: &Url, etag: Option<&str>) -> Result<Body> {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static(simple::ACCEPT));
    if let Some(value) = etag.and_then(|etag| HeaderValue::from_str(etag).ok()) {
        headers.insert(IF_NONE_MATCH, value);
    }
    let _permit = shared.requests.acquire().await;
    tracing::debug!(url = shown(url), "asking for a project page");
    shared.client.body(url, &headers, MAX_PAGE).await
}

/// The header and the page of a cache file, if it is a whole one of this format.
fn decode(record: &[u8]) -> Option<(Header, Option<Page>)> {
    let end = record.iter().position(|&byte| byte == b'\n')?;
    let header: Header = serde_json::from_slice(&record[..end]).ok()?;
    if header.format != FORMAT {
        return None;
    }
    let page = if header.known { Some(compact::decode(&record[end + 1..])?) } else { None };
    Some((header, page))
}
