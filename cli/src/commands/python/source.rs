//! Which archive `python install` means, where it comes from, and what its bytes must be.
//!
//! A version is looked up in the list of known archives and fetched from a mirror. An archive that is named by path or
//! URL must have a hash too: given, of the list, or beside it. Nothing is taken without one.

use super::known::{Known, checksum_line};
use crate::arguments::PythonInstallOptions;
use crate::settings::non_empty;
use anyhow::{Context, Result, anyhow, bail};
use omnipkg_resolver::Resolver;
use omnipkg_store::Sha256;
use omnipkg_store::interpreter::PythonRequest;
use std::path::Path;
use url::Url;

/// Where the project that builds the archives publishes them.
const DEFAULT_MIRROR: &str = "https://github.com/astral-sh/python-build-standalone/releases/download";

/// An archive that is to be installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its file name.
    pub filename: String,
    /// What its bytes must be.
    pub sha256: Sha256,
    /// Where it may be, best first.
    pub urls: Vec<Url>,
}

/// Finds what is meant.
pub fn find(fetcher: &Resolver, known: &Known, options: &PythonInstallOptions) -> Result<Source> {
    let given = options.sha256.as_deref().map(parse_sha256).transpose()?;
    if is_archive(&options.request) {
        return of_archive(fetcher, known, &options.request, given);
    }
    let request = PythonRequest::parse(&options.request);
    if !matches!(request, PythonRequest::Version(_)) {
        bail!("{:?} is neither a version nor an archive (a path or a URL)", options.request);
    }
    let Some(archive) = known.newest(&request, None) else { return Err(unknown(known, &options.request)) };
    let mirror = mirror(options)?;
    let urls =
        vec![below(&mirror, &[&archive.name.release, &archive.filename])?, below(&mirror, &[&archive.filename])?];
    Ok(Source { filename: archive.filename.clone(), sha256: given.unwrap_or(archive.sha256), urls })
}

fn unknown(known: &Known, request: &str) -> anyhow::Error {
    let versions = known.versions();
    let wanted: Vec<&str> = request.splitn(3, '.').take(2).collect();
    let prefix = format!("{}.", wanted.join("."));
    let near: Vec<&str> = versions.iter().map(String::as_str).filter(|version| version.starts_with(&prefix)).collect();
    let list = match near[..] {
        [] => {
            let mut minors: Vec<&str> =
                versions.iter().filter_map(|version| Some(version.rsplit_once('.')?.0)).collect();
            minors.dedup();
            minors.join(", ")
        }
        _ => near.join(", "),
    };
    anyhow!("no archive of Python {request} is known for this machine (known: {list})")
}

fn is_archive(request: &str) -> bool {
    let endings = [".tar.gz", ".tgz", ".tar.zst", ".tar"];
    request.contains("://")
        || request.starts_with("file:")
        || request.contains('/')
        || endings.iter().any(|ending| request.ends_with(ending))
}

fn of_archive(fetcher: &Resolver, known: &Known, request: &str, given: Option<Sha256>) -> Result<Source> {
    let mut url = url(request)?;
    let fragment = url.fragment().map(str::to_owned);
    url.set_fragment(None);
    let last = url.path_segments().and_then(Iterator::last).unwrap_or_default();
    let filename = decoded(last);
    if filename.is_empty() {
        bail!("{request:?} names no archive");
    }
    let in_url = match fragment.as_deref().and_then(|fragment| fragment.strip_prefix("sha256=")) {
        Some(hash) => Some(parse_sha256(hash)?),
        None => None,
    };
    let listed = known.get(&filename).map(|archive| archive.sha256);
    if let (None, Some(in_url), Some(listed)) = (given, in_url, listed)
        && in_url != listed
    {
        bail!("the sha256 in the URL of {filename} is {in_url}, that of the list of known archives {listed}");
    }
    let sha256 = match given.or(listed).or(in_url) {
        Some(sha256) => sha256,
        None => beside(fetcher, &url, &filename)?.ok_or_else(|| {
            anyhow!("the hash of {filename} is not known: give it with --sha256, as {filename}.sha256 beside the archive, or as #sha256=… in its URL")
        })?,
    };
    Ok(Source { filename, sha256, urls: vec![url] })
}

/// The hash that lies beside an archive: `<archive>.sha256`, else its line in `SHA256SUMS`.
fn beside(fetcher: &Resolver, url: &Url, filename: &str) -> Result<Option<Sha256>> {
    let mut own = url.clone();
    own.set_path(&format!("{}.sha256", url.path()));
    if let Some(text) = fetcher.text(&own)? {
        let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        return checksum_line(line).map(|(sha256, _)| Some(sha256)).with_context(|| format!("{filename}.sha256"));
    }
    let Some(text) = fetcher.text(&url.join("SHA256SUMS")?)? else { return Ok(None) };
    let lines = text.lines().filter_map(|line| checksum_line(line.trim()).ok());
    Ok(lines.into_iter().find(|(_, name)| *name == filename).map(|(sha256, _)| sha256))
}

fn mirror(options: &PythonInstallOptions) -> Result<Url> {
    if let Some(mirror) = &options.mirror {
        return url(mirror).context("--mirror");
    }
    for name in ["OMNIPKG_PYTHON_MIRROR", "UV_PYTHON_INSTALL_MIRROR"] {
        if let Some(mirror) = non_empty(name) {
            let Some(mirror) = mirror.to_str() else { bail!("{name} is no text: {}", mirror.display()) };
            return url(mirror).context(name);
        }
    }
    url(DEFAULT_MIRROR)
}

/// A URL as it is, or that of a path.
pub fn url(text: &str) -> Result<Url> {
    // The parser's own text would repeat a URL with whatever secret it holds.
    if text.contains("://") || text.starts_with("file:") {
        let url = Url::parse(text).map_err(|error| anyhow!("that is no valid URL: {error}"))?;
        if !matches!(url.scheme(), "http" | "https" | "file") {
            bail!("its scheme is {:?}; http, https and file are understood", url.scheme());
        }
        return Ok(url);
    }
    let path = std::path::absolute(Path::new(text)).with_context(|| format!("cannot use the path {text}"))?;
    Url::from_file_path(&path).map_err(|()| anyhow!("cannot use the path {}", path.display()))
}

/// A URL below another; `+` is written as mirrors of releases have it.
fn below(base: &Url, names: &[&str]) -> Result<Url> {
    let mut url = base.clone();
    let mut path = base.path().trim_end_matches('/').to_owned();
    for name in names {
        path.push('/');
        path.push_str(&name.replace('+', "%2B"));
    }
    url.set_path(&path);
    Ok(url)
}

fn decoded(segment: &str) -> String {
    // A file URL's path is decoded by the library, and any URL's path can be read as one.
    let as_file = Url::parse(&format!("file:///{segment}")).ok().and_then(|url| url.to_file_path().ok());
    as_file.and_then(|path| path.file_name()?.to_str().map(str::to_owned)).unwrap_or_else(|| segment.to_owned())
}

fn parse_sha256(text: &str) -> Result<Sha256> {
    text.to_ascii_lowercase().parse().map_err(|_| anyhow!("{text:?} is no sha256: 64 hexadecimal digits are"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn archives_are_told_from_versions() {
        for request in ["a.tar.gz", "./a", "http://127.0.0.1/a", "file:///a", "x.tar.zst"] {
            assert!(is_archive(request), "{request}");
        }
        for request in ["3.12", "3.13t", "3.12.8"] {
            assert!(!is_archive(request), "{request}");
        }
    }

    #[test]
    fn places_below_a_mirror() {
        let place =
            |mirror: &str| below(&url(mirror).unwrap(), &["20241219", "cpython-3.12.8+20241219.tar.gz"]).unwrap();
        let text = "http://127.0.0.1/m/20241219/cpython-3.12.8%2B20241219.tar.gz";
        assert_eq!((place("http://127.0.0.1/m").as_str(), place("http://127.0.0.1/m/").as_str()), (text, text));
        let path = place("/some where").to_file_path().unwrap();
        assert_eq!(path, Path::new("/some where/20241219/cpython-3.12.8+20241219.tar.gz"));
        assert_eq!(decoded("cpython-3.12.8%2B20241219.tar.gz"), "cpython-3.12.8+20241219.tar.gz");
        assert!(url("ftp://127.0.0.1/").is_err());
    }
}
