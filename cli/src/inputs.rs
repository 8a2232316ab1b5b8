//! Requirements as users write them: those of PEP 508, and a path or a URL alone.
//!
//! Everything becomes a requirement with a name: what gives none by itself is looked into. That a directory is to be
//! imported from itself is said by its URL's fragment, so that it is kept wherever the requirement is.

use crate::commands::{open_store, parse_requirement};
use crate::context::Context;
use crate::interpreters;
use crate::logins;
use crate::settings::Settings;
use crate::workshop::Workshop;
use anyhow::{Context as _, Result, anyhow, bail, ensure};
use pep508_rs::{Requirement, VersionOrUrl};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use url::Url;

/// What a user wrote.
#[derive(Debug, PartialEq)]
enum Input {
    /// With a name.
    Named(Box<Requirement>),
    /// A URL, and what follows the name that it will have: extras, marker.
    Unnamed { url: Url, extras: String, marker: String },
}

/// Reads requirements, and looks into those that have no name.
pub struct Inputs<'a> {
    settings: &'a Settings,
    /// The Python that is asked for; a project's name hardly ever depends on it.
    python: Option<&'a str>,
}

impl<'a> Inputs<'a> {
    /// Reads for a command.
    pub fn new(settings: &'a Settings, python: Option<&'a str>) -> Self {
        Self { settings, python }
    }

    /// Reads requirements and then projects that are to be imported from their own directories.
    pub fn read(&self, texts: &[String], editable: &[PathBuf]) -> Result<Vec<Requirement>> {
        let plain = texts.iter().map(|text| self.requirement(text));
        let own = editable.iter().map(|path| self.editable(&path.to_string_lossy()));
        plain.chain(own).collect()
    }

    /// Reads one.
    pub fn requirement(&self, text: &str) -> Result<Requirement> {
        self.named(parse(text)?)
    }

    /// Reads a project's directory that is to be imported from itself.
    pub fn editable(&self, text: &str) -> Result<Requirement> {
        let not_a_directory = || anyhow!("{text:?} cannot be editable: only a project's own directory can");
        match parse(&as_path(text))? {
            Input::Unnamed { mut url, extras, marker } => {
                ensure!(url.to_file_path().is_ok_and(|path| path.is_dir()), not_a_directory());
                url.set_fragment(Some("editable"));
                self.named(Input::Unnamed { url, extras, marker })
            }
            Input::Named(_) => Err(not_a_directory()),
        }
    }

    fn named(&self, input: Input) -> Result<Requirement> {
        let (url, extras, marker) = match input {
            Input::Named(requirement) => return Ok(*requirement),
            Input::Unnamed { url, extras, marker } => (url, extras, marker),
        };
        let store = open_store(self.settings)?;
        let interpreter = interpreters::find(&store, self.python, None)?;
        let mut workshop = Workshop::new(self.settings, store, Context::isolated(interpreter));
        let name = workshop.name_of(&url)?;
        parse_requirement(&format!("{name}{extras} @ {url}{marker}"))
    }
}

/// True for the name of an archive that a project may come in.
pub fn is_archive(name: &str) -> bool {
    [".whl", ".tar.gz", ".tgz", ".zip"].iter().any(|ending| name.ends_with(ending))
}

/// True if a requirement's project comes from a file or directory of this machine, which may change.
pub fn is_local(requirement: &Requirement) -> bool {
    local(requirement).is_some()
}

/// The projects of which a URL is named.
pub fn from_urls(requirements: &[Requirement]) -> BTreeSet<String> {
    let named = requirements.iter().filter(|one| matches!(one.version_or_url, Some(VersionOrUrl::Url(_))));
    named.map(|one| one.name.to_string()).collect()
}

/// What tells the states of a local file or directory from each other; `None` for requirements that name none.
pub fn state(requirement: &Requirement) -> Result<Option<String>> {
    local(requirement).map_or(Ok(None), |url| Ok(omnipkg_resolver::fingerprint(&url)?))
}

fn local(requirement: &Requirement) -> Option<Url> {
    match &requirement.version_or_url {
        Some(VersionOrUrl::Url(url)) if url.scheme() == "file" => Some(url.to_url()),
        _ => None,
    }
}

/// A bare name that is meant as a path.
fn as_path(text: &str) -> String {
    let is_path = text.starts_with(['.', '/', '~']) || text.contains("://") || text.starts_with("file:");
    if is_path { text.to_owned() } else { format!("./{text}") }
}

fn parse(text: &str) -> Result<Input> {
    let text = text.trim();
    if let Some((name, place)) = text.split_once('@').map(|(name, place)| (name.trim(), place.trim()))
        && let place = without_scheme(place)
        && place.starts_with(['.', '/', '~'])
        && !name.contains(['/', ':'])
    {
        let (place, marker) = split_marker(place);
        let text = format!("{name} @ {}{marker}", path_url(place)?);
        return named(&text);
    }
    if !is_unnamed(text) {
        return named(text);
    }
    let (place, marker) = split_marker(text);
    let (place, extras) = split_extras(without_scheme(place));
    let url = match Url::parse(place) {
        Ok(url) if place.contains("://") || url.scheme() == "file" => logins::taken_out_of(url),
        _ => path_url(place)?,
    };
    Ok(Input::Unnamed { url, extras: extras.to_owned(), marker })
}

/// `file:../a` is a path; as a URL it would be another one, without the way up.
fn without_scheme(place: &str) -> &str {
    place.strip_prefix("file:").filter(|path| !path.starts_with('/')).unwrap_or(place)
}

fn named(text: &str) -> Result<Input> {
    Ok(Input::Named(Box::new(parse_requirement(text)?)))
}

/// True for paths and URLs; a bare name is a project's, whatever lies in the working directory.
fn is_unnamed(text: &str) -> bool {
    let scheme = text.split_once("://").map(|(scheme, _)| scheme);
    let is_scheme = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
    };
    let place = split_extras(split_marker(text).0).0;
    text.starts_with(['.', '/', '~'])
        || text.starts_with("file:")
        || scheme.is_some_and(is_scheme)
        || (is_archive(place) && !place.contains(['@', '=', '<', '>']))
        || (place.contains('/') && !place.contains('@') && Path::new(place).exists())
}

/// A marker follows a semicolon that has a blank beside it: there are semicolons in URLs too.
fn split_marker(text: &str) -> (&str, String) {
    let found = text
        .match_indices(';')
        .find(|(at, _)| text[..*at].ends_with(char::is_whitespace) || text[at + 1..].starts_with(char::is_whitespace));
    match found {
        Some((at, _)) => (text[..at].trim_end(), format!(" ; {}", text[at + 1..].trim())),
        None => (text, String::new()),
    }
}

fn split_extras(text: &str) -> (&str, &str) {
    let Some(open) = text.strip_suffix(']').and_then(|rest| rest.rfind('[')) else { return (text, "") };
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ',' | ' ');
    let (place, extras) = text.split_at(open);
    if extras[1..extras.len() - 1].chars().all(is_name) && !Path::new(text).exists() {
        (place, extras)
    } else {
        (text, "")
    }
}

fn path_url(place: &str) -> Result<Url> {
    let expanded = match (place.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(below), Some(home)) => PathBuf::from(home).join(below),
        _ => PathBuf::from(place),
    };
    let path = std::path::absolute(&expanded).with_context(|| format!("cannot find {place}"))?;
    // `./a/..` has no place in what is remembered.
    let path = path.canonicalize().unwrap_or(path);
    if !path.exists() {
        bail!("{place:?} is neither a requirement nor a file or directory that is there");
    }
    Url::from_file_path(&path).map_err(|()| anyhow!("{} cannot be written as a URL", path.display()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match parse(text) {
            Ok(Input::Named(requirement)) => format!("named {requirement}"),
            Ok(Input::Unnamed { url, extras, marker }) => format!("unnamed {url}{extras}{marker}"),
            Err(error) => format!("{error:#}"),
        }
    }

    #[test]
    fn what_users_write() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        std::fs::create_dir(root.join("project")).unwrap();
        let place = root.display();
        for (text, expected) in [
            ("rich".to_owned(), "named rich".to_owned()),
            ("a[x]>=1 ; os_name == 'posix'".to_owned(), "named a[x]>=1 ; os_name == 'posix'".to_owned()),
            (format!("{place}/project"), format!("unnamed file://{place}/project")),
            (
                format!("{place}/./project[x,y] ; os_name=='posix'"),
                format!("unnamed file://{place}/project[x,y] ; os_name=='posix'"),
            ),
            (format!("a[x] @ {place}/project"), format!("named a[x] @ file://{place}/project")),
            (
                "git+https://127.0.0.1/a.git@v1#subdirectory=x".to_owned(),
                "unnamed git+https://127.0.0.1/a.git@v1#subdirectory=x".to_owned(),
            ),
            ("http://127.0.0.1/a-1.tar.gz;x".to_owned(), "unnamed http://127.0.0.1/a-1.tar.gz;x".to_owned()),
            ("a @ http://127.0.0.1/a-1.zip".to_owned(), "named a @ http://127.0.0.1/a-1.zip".to_owned()),
        ] {
            assert_eq!(shown(&text), expected, "{text}");
        }
        assert!(shown("./none-here").contains("is neither a requirement nor a file"), "{}", shown("./none-here"));
        assert!(shown("a==").contains("is not a requirement"));
    }
}
