//! Project pages of the simple API: PEP 503 and 691, with PEP 592, 629, 658, 700 and 714.
//!
//! Both formats become one [`Page`]. A row that cannot be used is skipped and remembered with its reason;
//! a page that is no project page is an error that names it.

pub(crate) mod compact;
mod html;
mod json;
mod row;

pub(crate) use row::Row;

use crate::client::{percent_decode, without_login};
use crate::error::{Error, Result};
use crate::timestamp::Timestamp;
use omnipkg_store::Sha256;
use std::str::FromStr;
use std::sync::Arc;
use url::Url;

/// What to ask an index for: JSON if it can, HTML otherwise.
pub(crate) const ACCEPT: &str = "application/vnd.pypi.simple.v1+json, \
     application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01";

/// All files of a project, in the page's order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Page {
    pub(crate) rows: Vec<Row>,
    pub(crate) skipped: Vec<SkippedRow>,
}

impl Page {
    /// All files, read.
    pub(crate) fn files(&self) -> impl Iterator<Item = Arc<File>> + '_ {
        self.rows.iter().filter_map(Row::read)
    }
}

/// A row that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SkippedRow {
    pub(crate) row: String,
    pub(crate) reason: String,
}

/// One file of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct File {
    pub(crate) filename: String,
    /// Absolute, without a fragment; a string, since few of a page's URLs are ever used.
    pub(crate) url: String,
    pub(crate) sha256: Option<Sha256>,
    pub(crate) requires_python: Option<String>,
    /// The reason, perhaps empty, if it was yanked (PEP 592).
    pub(crate) yanked: Option<String>,
    pub(crate) core_metadata: CoreMetadata,
    pub(crate) size: Option<u64>,
    /// When it came to the index (PEP 700); pages of HTML do not tell.
    pub(crate) uploaded: Option<Timestamp>,
    /// Why the user's limit of time withholds it; no part of a page.
    pub(crate) withheld: Option<Arc<str>>,
}

impl File {
    /// One of which nothing is known but its name and place.
    pub(crate) fn bare(filename: String, url: Url, sha256: Option<Sha256>) -> Self {
        Self {
            filename,
            url: url.into(),
            sha256,
            requires_python: None,
            yanked: None,
            core_metadata: CoreMetadata::No,
            size: None,
            uploaded: None,
            withheld: None,
        }
    }
}

/// True for names that an archive of a distribution has.
pub(crate) fn is_distribution(filename: &str) -> bool {
    [".whl", ".tar.gz", ".zip", ".tar.bz2", ".tgz", ".tar.xz", ".egg", ".exe"]
        .iter()
        .any(|extension| filename.ends_with(extension))
}

/// Whether `<url>.metadata` exists (PEP 658, PEP 714).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum CoreMetadata {
    #[default]
    No,
    Yes,
    Hashed(Sha256),
}

/// Parses an answer that came from `base`.
pub(crate) fn parse(content_type: &str, bytes: &[u8], base: &Url) -> Result<Page> {
    let media = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match media.as_str() {
        "application/vnd.pypi.simple.v1+json" | "application/json" => json::parse(bytes, base),
        "application/vnd.pypi.simple.v1+html" | "text/html" | "application/xhtml+xml" => html::parse(bytes, base),
        "" => Err(Error::answer(base, "it has no content type")),
        other => Err(Error::answer(base, format!("a project page cannot be {other:?}"))),
    }
}

/// Only major version 1 of the API is understood (PEP 629).
fn check_api_version(version: &str, base: &Url) -> Result<()> {
    if version.split('.').next() == Some("1") {
        return Ok(());
    }
    Err(Error::answer(base, format!("it has version {version:?} of the simple API, only 1.x is understood")))
}

/// Resolves a link; the file name is the last segment of its path, its sha256 may be in the fragment.
fn link(base: &Url, href: &str) -> std::result::Result<(Url, String, Option<Sha256>), String> {
    let mut url = base.join(href.trim()).map_err(|error| format!("its URL is wrong: {error}"))?;
    if !matches!(url.scheme(), "http" | "https" | "file") {
        return Err(format!("its URL has scheme {:?}", url.scheme()));
    }
    let filename = percent_decode(url.path().rsplit('/').next().unwrap_or_default());
    let told = url.fragment().and_then(|fragment| fragment.split('&').find_map(|pair| pair.strip_prefix("sha256=")));
    let sha256 = told.map(|hex| parse_sha256(hex).ok_or_else(|| format!("its sha256 {hex:?} is none"))).transpose()?;
    url.set_fragment(None);
    Ok((without_login(url), filename, sha256))
}

pub(crate) fn parse_sha256(text: &str) -> Option<Sha256> {
    Sha256::from_str(&text.to_ascii_lowercase()).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn other_media_types_are_refused_by_name() {
        let base: Url = "http://u:p@127.0.0.1/simple/a/".parse().unwrap();
        let error = parse("image/png", b"", &base).unwrap_err().to_string();
        assert_eq!(error, "http://127.0.0.1/simple/a/ gave a wrong answer: a project page cannot be \"image/png\"");
        assert!(parse("application/vnd.pypi.simple.v1+json; charset=utf-8", b"{\"files\":[]}", &base).is_ok());
    }

    #[test]
    fn api_versions() {
        let base: Url = "http://127.0.0.1/simple/a/".parse().unwrap();
        assert!(check_api_version("1.9", &base).is_ok());
        assert!(check_api_version("2.0", &base).is_err());
        assert!(check_api_version("10", &base).is_err());
    }
}
