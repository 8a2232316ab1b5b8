//! Asking the indexes for a project, in order, with the answers kept on disk.
//!
//! The first index that knows the name answers for it. Only 404 means "does not know": a login, an outage
//! or nonsense is an error, because going on to the next index could give a stranger's project instead.
//! A cached page is used without a question as long as its index allowed (see [`crate::freshness`]), else it is
//! asked whether it changed.

use crate::client::{Body, bad_status, shown};
use crate::error::{Error, Result};
use crate::shared::{Lookup, Shared, lock};
use crate::simple::{self, File, Page, Row, compact};
use crate::timestamp::Timestamp;
use crate::{flat, freshness};
use omnipkg_store::Sha256;
use pep508_rs::PackageName;
use reqwest::StatusCode;
use reqwest::header::{
    ACCEPT, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::SystemTime;
use url::Url;

/// Bound on a project page in bytes.
const MAX_PAGE: usize = 128 << 20;

/// What a cache file must begin with to be understood.
const FORMAT: u32 = 3;

/// The first line of a cached page; its files follow (see [`compact`]).
#[derive(Serialize, Deserialize)]
struct Header {
    format: u32,
    /// False if the index did not know the name.
    known: bool,
    etag: Option<String>,
    last_modified: Option<String>,
    /// Seconds since 1970 until which nobody needs to be asked.
    fresh_until: u64,
    /// Of the answer's body: the same body need not be parsed again.
    body: Sha256,
}

/// Looks a project up.
pub(crate) async fn look_up(shared: &Shared, name: &PackageName) -> Result<Lookup> {
    if let Some(known) = lock(&shared.pages).get(name) {
        return Ok(known.clone());
    }
    let beside = flat::files_of(shared, name).await?;
    let answer = match from_indexes(shared, name).await {
        Ok(Lookup::Found(page)) if beside.is_empty() && shared.sources.exclude_newer.is_none() => Lookup::Found(page),
        Ok(Lookup::Found(page)) => Lookup::Found(Arc::new(judged(shared, beside, &page))),
        Ok(Lookup::Unknown(asked)) if beside.is_empty() => Lookup::Unknown(asked),
        // Files that are here serve where no index does.
        Ok(Lookup::Unknown(_)) | Err(Error::Offline { .. }) if !beside.is_empty() => {
            Lookup::Found(Arc::new(judged(shared, beside, &Page::default())))
        }
        other => other?,
    };
    lock(&shared.pages).insert(name.clone(), answer.clone());
    Ok(answer)
}

async fn from_indexes(shared: &Shared, name: &PackageName) -> Result<Lookup> {
    let mut asked = Vec::new();
    for index in shared.client.indexes_for(name.as_ref()) {
        let url = index.join(&format!("{name}/")).map_err(|error| Error::answer(index, error.to_string()))?;
        if let Some(page) = page(shared, &url, || format!("the index page of {name}")).await? {
            lock(&shared.found_on).insert(name.clone(), index.clone());
            return Ok(Lookup::Found(Arc::new(page)));
        }
        asked.push(format!("{}{}", index.host_str().unwrap_or_default(), index.path().trim_end_matches('/')));
    }
    asked.extend(shared.sources.find_links.iter().map(shown));
    if asked.is_empty() {
        asked.push("none, because of --no-index".to_owned());
    }
    Ok(Lookup::Unknown(asked))
}

/// The files that lie beside the index first, then the page's, those withheld that are newer than the user's limit.
fn judged(shared: &Shared, beside: Vec<Arc<File>>, page: &Page) -> Page {
    let limit = shared.sources.exclude_newer;
    let judge = |row: &Row| {
        let late = limit.and_then(|limit| row.read().and_then(|file| Some((withheld(&file, limit)?, file))));
        match late {
            Some((reason, file)) => Row::from(File { withheld: Some(reason.into()), ..File::clone(&file) }),
            None => row.clone(),
        }
    };
    let rows = beside.into_iter().map(Row::from).chain(page.rows.iter().map(judge)).collect();
    Page { rows, skipped: page.skipped.clone() }
}

fn withheld(file: &File, limit: Timestamp) -> Option<String> {
    match file.uploaded {
        Some(time) if time < limit => None,
        Some(_) => Some(format!("was uploaded too late (--exclude-newer {limit})")),
        None => Some("has no upload time on its index, which --exclude-newer needs".to_owned()),
    }
}

/// The page at a URL; `None` if there is none. `needed` says what it is, for who is offline.
pub(crate) async fn page(shared: &Shared, url: &Url, needed: impl Fn() -> String) -> Result<Option<Page>> {
    let file = shared.page_file(url);
    let bytes = shared.read_cache(&file);
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok()).map(Arc::new);
    let cached = text.as_ref().and_then(decode);
    if shared.client.offline() {
        return cached.map(|(_, page)| page).ok_or_else(|| Error::Offline { needed: needed() });
    }
    let is_fresh = |header: &Header| freshness::is_fresh(header.fresh_until, SystemTime::now());
    if let Some((_, page)) = cached.as_ref().filter(|(header, _)| is_fresh(header) && !shared.client.refresh()) {
        return Ok(page.clone());
    }
    let answer = ask(shared, url, cached.as_ref().map(|(header, _)| header)).await?;
    let header = header(&answer, cached.as_ref().map(|(header, _)| header));
    let (page, is_known) = match (answer.status, cached) {
        (StatusCode::NOT_MODIFIED, Some((_, page))) => (page, true),
        (StatusCode::OK, Some((old, page))) if old.known && old.body == header.body => (page, true),
        (StatusCode::OK, _) => {
            let content_type = answer.header(CONTENT_TYPE).unwrap_or_default();
            (Some(simple::parse(content_type, &answer.bytes, &answer.url)?), false)
        }
        (StatusCode::NOT_FOUND, _) => (None, false),
        (status, _) => return Err(bad_status(url, status)),
    };
    for skipped in page.iter().flat_map(|page| &page.skipped) {
        tracing::debug!(url = shown(url), skipped.row, skipped.reason, "row skipped");
    }
    let mut record = serde_json::to_vec(&header).map_err(|error| Error::Internal(error.to_string()))?;
    record.push(b'\n');
    match text.as_ref().and_then(|text| rows(text.as_bytes())).filter(|_| is_known) {
        Some(rows) => record.extend(rows),
        None => record.extend(page.as_ref().map(compact::encode).unwrap_or_default()),
    }
    // Most answers say that nothing changed: then there is nothing to write.
    if text.as_ref().is_none_or(|text| text.as_bytes() != record) {
        shared.write_cache(&file, &record)?;
    }
    Ok(page)
}

/// What follows the first line of a cache file.
fn rows(record: &[u8]) -> Option<&[u8]> {
    record.get(record.iter().position(|&byte| byte == b'\n')? + 1..)
}

/// What to keep of an answer; one that nothing changed leaves the old validators where it has none.
fn header(answer: &Body, old: Option<&Header>) -> Header {
    let old = old.filter(|_| answer.status == StatusCode::NOT_MODIFIED);
    let text = |name, old: Option<&String>| answer.header(name).map(str::to_owned).or_else(|| old.cloned());
    Header {
        format: FORMAT,
        known: old.map_or(answer.status == StatusCode::OK, |old| old.known),
        etag: text(ETAG, old.and_then(|old| old.etag.as_ref())),
        last_modified: text(LAST_MODIFIED, old.and_then(|old| old.last_modified.as_ref())),
        fresh_until: match answer.status {
            // That a name is unknown may change at any moment.
            StatusCode::NOT_FOUND => 0,
            _ => freshness::until(&answer.headers, SystemTime::now()),
        },
        body: old.map_or_else(|| Sha256::of(&answer.bytes), |old| old.body),
    }
}

async fn ask(shared: &Shared, url: &Url, cached: Option<&Header>) -> Result<Body> {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static(simple::ACCEPT));
    let etag = cached.and_then(|header| Some((IF_NONE_MATCH, header.etag.as_ref()?)));
    let date = cached.and_then(|header| Some((IF_MODIFIED_SINCE, header.last_modified.as_ref()?)));
    for (name, value) in etag.into_iter().chain(date) {
        headers.extend(HeaderValue::from_str(value).ok().map(|value| (name, value)));
    }
    let _permit = shared.requests.acquire().await;
    tracing::debug!(url = shown(url), "asking for a project page");
    shared.client.body(url, &headers, MAX_PAGE).await
}

/// The header and the page of a cache file, if it is a whole one of this format.
fn decode(record: &Arc<String>) -> Option<(Header, Option<Page>)> {
    let (header, _) = record.split_once('\n')?;
    let rows = header.len() + 1;
    let header: Header = serde_json::from_str(header).ok()?;
    if header.format != FORMAT {
        return None;
    }
    let page = if header.known { Some(compact::decode(record.clone(), rows)?) } else { None };
    Some((header, page))
}
