//! Which indexes to ask, and how: a flag, then omnipkg's, uv's and pip's variables, then pip's configuration files, and
//! last the default that the interpreter's own pip carries, read from it once and remembered.
//!
//! No secret leaves this but inside the resolver's own settings: what is shown or remembered has lost it.

mod last_resort;
mod pip;
mod told;

pub use last_resort::default_index;
pub use told::{IndexSettings, Origin, Told, exclude_newer, variable};

use crate::logins;
use crate::output;
use crate::settings::{Settings, non_empty};
use anyhow::{Context, Result, anyhow, bail};
use omnipkg_resolver::{HttpOptions, Indexes, Timestamp};
use omnipkg_store::interpreter::Interpreter;
use omnipkg_store::{DigestHasher, Store};
use pep508_rs::PackageName;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;
use url::Url;

/// The indexes to ask, in the order that `Indexes` gives them.
pub fn indexes(settings: &Settings, store: &Store, interpreter: &Interpreter) -> Result<Indexes> {
    let told = IndexSettings::read(&settings.index);
    let mut indexes = Indexes::default();
    if told.no_index.is_none() {
        indexes.index_url = Some(match &told.index_url {
            Some(told) => parse(told)?.url,
            None => parse(&default_index(store, interpreter)?)?.url,
        });
        indexes.extra = told.extra.iter().map(|told| Ok(parse(told)?.url)).collect::<Result<_>>()?;
        for pin in &told.index_for {
            let (project, url) = pinned(pin, &told)?;
            indexes.pinned.insert(project.to_string(), url);
        }
    }
    for told in &told.find_links {
        let (url, is_there) = location(told)?;
        if is_there || !told.origin.is_pips() {
            indexes.find_links.push(url);
        } else if settings.verbose {
            output::warn(&format!("{} from {} is not there: passed over, as by pip", told.value, told.origin));
        }
    }
    indexes.logins = logins::known();
    indexes.exclude_newer = told.exclude_newer.as_ref().map(limit).transpose()?;
    Ok(indexes)
}

/// How to talk to servers.
pub fn http(settings: &Settings) -> Result<HttpOptions> {
    let told = IndexSettings::read(&settings.index);
    let mut options = HttpOptions { offline: settings.offline, refresh: settings.refresh, ..HttpOptions::default() };
    if let Some(told) = &told.timeout {
        options.timeout = seconds(told)?;
    }
    options.keyring = told.keyring.as_ref().is_some_and(|told| told.value == "subprocess");
    options.proxy = told.proxy.as_ref().map(proxy).transpose()?;
    // What the platform's own place is by now need not be read twice.
    let platform = variable(&["SSL_CERT_FILE"]).map(|told| told.value);
    options.certificates =
        told.certificates.map(|told| told.value).filter(|path| Some(path) != platform.as_ref()).map(PathBuf::from);
    options.netrc = netrc().map(|told| PathBuf::from(told.value));
    Ok(options)
}

/// The file of logins that is looked into.
pub fn netrc() -> Option<Told> {
    let own = || {
        let value = PathBuf::from(non_empty("HOME")?).join(".netrc").into_os_string().into_string().ok()?;
        Some(Told { value, origin: Origin::Default })
    };
    variable(&["NETRC"]).or_else(own)
}

/// What a remembered answer is an answer to, beside its requirements: the indexes in their order, the other places with
/// what is there, the limit of time. Without credentials, which are no part of an answer.
///
/// Nothing is started for it: the default of the interpreter's pip is the empty name. What is no URL stands as it is.
pub fn names(settings: &Settings) -> Vec<String> {
    let told = IndexSettings::read(&settings.index);
    let url =
        |told: &Told| parse(told).map_or_else(|_| told.value.clone(), |index| without_login(index.url).to_string());
    let mut names = Vec::new();
    if told.no_index.is_some() {
        names.push("no index".to_owned());
    } else {
        names.push(told.index_url.as_ref().map(url).unwrap_or_default());
        names.extend(told.extra.iter().map(url));
        names.extend(told.index_for.iter().map(|pin| match pinned(pin, &told) {
            Ok((project, url)) => format!("for {project} {}", without_login(url)),
            Err(_) => pin.value.clone(),
        }));
    }
    names.extend(told.find_links.iter().map(|told| match location(told) {
        Ok((url, _)) => format!("beside {} {}", without_login(url.clone()), contents(&url)),
        Err(_) => told.value.clone(),
    }));
    names.extend(told.exclude_newer.map(|told| format!("before {}", told.value)));
    names
}

/// A digest of what lies at a local place: of names, sizes and times.
fn contents(url: &Url) -> String {
    let Ok(path) = url.to_file_path() else { return String::new() };
    let mut rows: Vec<String> = Vec::new();
    let mut add = |path: &Path| {
        if let Ok(facts) = fs::metadata(path) {
            rows.push(format!("{} {} {}.{}\n", path.display(), facts.size(), facts.mtime(), facts.mtime_nsec()));
        }
    };
    match fs::read_dir(&path) {
        Ok(entries) => entries.flatten().for_each(|entry| add(&entry.path())),
        Err(_) => add(&path),
    }
    rows.sort();
    let mut hasher = DigestHasher::new();
    rows.iter().for_each(|row| hasher.update(row.as_bytes()));
    hasher.finish().to_hex()
}

/// An index that was told.
struct Index {
    name: Option<String>,
    url: Url,
}

/// `URL` or, as uv has it, `NAME=URL`; a named one's login may stand in variables.
fn parse(told: &Told) -> Result<Index> {
    let origin = &told.origin;
    let (name, text) = match told.value.split_once('=').filter(|(name, _)| !name.contains([':', '/'])) {
        Some((name, url)) => (Some(name.to_owned()), url),
        None => (None, told.value.as_str()),
    };
    let mut url = Url::parse(text).map_err(|error| anyhow!("the index URL from {origin} is not valid: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        bail!("the index URL from {origin} has the scheme {:?}; http and https are understood", url.scheme());
    }
    if let Some(name) = &name {
        add_login(name, &mut url);
    }
    Ok(Index { name, url })
}

/// `UV_INDEX_<NAME>_USERNAME` and `_PASSWORD`, and omnipkg's own, for an index whose URL has no login.
fn add_login(name: &str, url: &mut Url) {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    let name: String = name.chars().map(plain).collect();
    let told = |part: &str| {
        let names = [format!("OMNIPKG_INDEX_{name}_{part}"), format!("UV_INDEX_{name}_{part}")];
        variable(&names.each_ref().map(String::as_str)).map(|told| told.value)
    };
    let (user, password) = (told("USERNAME"), told("PASSWORD"));
    if url.username().is_empty() && url.password().is_none() && (user.is_some() || password.is_some()) {
        // Refused only for URLs without a host, which no index has.
        let _ = url.set_username(&user.unwrap_or_default()).and_then(|()| url.set_password(password.as_deref()));
    }
}

/// `PROJECT=NAME` of an index that was told, or `PROJECT=URL` of one that is asked for nothing else.
fn pinned(pin: &Told, told: &IndexSettings) -> Result<(PackageName, Url)> {
    let origin = &pin.origin;
    let Some((project, index)) = pin.value.split_once('=') else {
        bail!("{:?} from {origin} is not PROJECT=NAME or PROJECT=URL", shown(&pin.value));
    };
    let project = PackageName::from_str(project.trim())
        .map_err(|_| anyhow!("{:?} from {origin} begins with no project name", shown(&pin.value)))?;
    if index.contains("://") {
        let told = Told { value: index.to_owned(), origin: origin.clone() };
        return Ok((project, parse(&told)?.url));
    }
    let all = told.extra.iter().chain(&told.index_url).filter_map(|told| parse(told).ok());
    let found = all.into_iter().find(|known| known.name.as_deref() == Some(index));
    let url = found.with_context(|| format!("no index has the name {index:?}, which {origin} gives for {project}"))?;
    Ok((project, url.url))
}

/// A directory or a page as a URL, and whether it is there as far as can be told.
fn location(told: &Told) -> Result<(Url, bool)> {
    let text = told.value.as_str();
    if let Ok(url) = Url::parse(text)
        && matches!(url.scheme(), "http" | "https" | "file")
    {
        let is_there = url.to_file_path().map_or(true, |path| url.scheme() != "file" || path.exists());
        return Ok((url, is_there));
    }
    let path = match (text.strip_prefix("~/"), non_empty("HOME")) {
        (Some(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => PathBuf::from(text),
    };
    let path = std::path::absolute(&path).with_context(|| format!("cannot use {text:?} from {}", told.origin))?;
    let url = Url::from_file_path(&path).map_err(|()| anyhow!("cannot use {text:?} from {}", told.origin))?;
    Ok((url, path.exists()))
}

fn limit(told: &Told) -> Result<Timestamp> {
    Timestamp::limit(&told.value).with_context(|| format!("cannot use {:?} from {}", told.value, told.origin))
}

/// A proxy's URL; it may be told without its scheme.
pub fn with_scheme(text: &str) -> String {
    if text.contains("://") { text.to_owned() } else { format!("http://{text}") }
}

fn proxy(told: &Told) -> Result<Url> {
    Url::parse(&with_scheme(&told.value))
        .map_err(|error| anyhow!("the proxy from {} is not valid: {error}", told.origin))
}

fn seconds(told: &Told) -> Result<Duration> {
    let seconds = told.value.trim().parse::<f64>().ok().and_then(|count| Duration::try_from_secs_f64(count).ok());
    let usable = seconds.filter(|time| !time.is_zero());
    usable.with_context(|| format!("{:?} from {} is no number of seconds", told.value, told.origin))
}

/// A URL without user name and password.
pub fn without_login(mut url: Url) -> Url {
    // Only a URL without a host can refuse, and that has no credentials.
    let _ = url.set_username("").and_then(|()| url.set_password(None));
    url
}

/// A setting for eyes: what may be a secret in a URL is masked.
pub fn shown(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host = authority.rsplit_once('@').map_or(authority.to_owned(), |(_, host)| format!("****@{host}"));
    let path = path.split_once('?').map_or(path.to_owned(), |(path, _)| format!("{path}?****"));
    format!("{scheme}://{host}{path}")
}

/// The variables that the HTTP library itself heeds, where they are set.
pub fn of_the_connection() -> Vec<(&'static str, Told)> {
    let mut told = Vec::new();
    for (setting, names) in [
        ("http-proxy", ["http_proxy", "HTTP_PROXY"]),
        ("https-proxy", ["https_proxy", "HTTPS_PROXY"]),
        ("all-proxy", ["all_proxy", "ALL_PROXY"]),
        ("no-proxy", ["no_proxy", "NO_PROXY"]),
        ("certificates", ["SSL_CERT_FILE", "SSL_CERT_FILE"]),
        ("certificate-directory", ["SSL_CERT_DIR", "SSL_CERT_DIR"]),
    ] {
        told.extend(variable(&names).map(|value| (setting, value)));
    }
    told
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn told(value: &str, name: &str) -> Told {
        Told { value: value.to_owned(), origin: Origin::Variable(name.to_owned()) }
    }

    #[test]
    fn credentials_are_no_part_of_a_name_and_are_not_shown() {
        let named = |url: &str| parse(&told(url, "PIP_INDEX_URL")).map(|index| without_login(index.url)).ok();
        assert_eq!(named("own=http://user:secret@127.0.0.1/a"), named("http://127.0.0.1/a"));
        assert_ne!(named("http://127.0.0.1/a"), named("http://127.0.0.1/b"));
        for (text, safe) in [
            ("own=http://user:se@cret@127.0.0.1:80/a", "own=http://****@127.0.0.1:80/a"),
            ("https://token@127.0.0.1?key=1", "https://****@127.0.0.1?****"),
            ("/a/directory@x", "/a/directory@x"),
        ] {
            assert_eq!(shown(text), safe);
        }
    }

    #[test]
    fn bad_urls_name_their_origin_and_not_their_secrets() {
        let error = parse(&told("ftp://user:secret@127.0.0.1/", "PIP_INDEX_URL")).map(drop).unwrap_err().to_string();
        assert!(error.contains("PIP_INDEX_URL") && !error.contains("secret"), "{error}");
    }

    #[test]
    fn pins_name_an_index_or_are_one() {
        let settings =
            IndexSettings { extra: vec![told("own=http://127.0.0.1/own/", "UV_INDEX")], ..IndexSettings::default() };
        let pin = |text: &str| pinned(&told(text, "--index-for"), &settings).map(|(name, url)| format!("{name} {url}"));
        assert_eq!(pin("Foo_Bar=own").unwrap(), "foo-bar http://127.0.0.1/own/");
        assert_eq!(pin("a=http://127.0.0.1/x/").unwrap(), "a http://127.0.0.1/x/");
        assert!(pin("a=other").unwrap_err().to_string().contains("no index has the name \"other\""));
        assert!(pin("a").unwrap_err().to_string().contains("PROJECT=NAME"));
    }

    #[test]
    fn what_lies_in_a_directory_is_part_of_the_question() {
        let folder = tempfile::tempdir().unwrap();
        let url = Url::from_file_path(folder.path()).unwrap();
        let empty = contents(&url);
        fs::write(folder.path().join("a-1.0-py3-none-any.whl"), "1").unwrap();
        let one = contents(&url);
        fs::write(folder.path().join("a-1.0-py3-none-any.whl"), "22").unwrap();
        assert!(empty != one && one != contents(&url) && contents(&url) == contents(&url));
    }

    #[test]
    fn times_and_limits_are_checked() {
        assert_eq!(seconds(&told("1.5", "X")).unwrap(), Duration::from_millis(1500));
        for text in ["0", "-1", "soon", "1e300", "NaN"] {
            assert!(seconds(&told(text, "X")).is_err(), "{text}");
        }
        assert!(limit(&told("yesterday", "UV_EXCLUDE_NEWER")).unwrap_err().to_string().contains("UV_EXCLUDE_NEWER"));
    }
}
