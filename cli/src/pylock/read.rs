//! What a `pylock.toml` says, checked for what the PEP asks of every file.

use super::LOCK_VERSION;
use crate::commands::not_a_requirement;
use crate::output;
use anyhow::{Context, Result, bail};
use omnipkg_store::Sha256;
use pep508_rs::Requirement;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use url::Url;

/// A lock file as it is written.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Document {
    lock_version: String,
    #[serde(default)]
    pub(super) environments: Vec<String>,
    pub(super) requires_python: Option<String>,
    #[serde(default)]
    pub(super) extras: Vec<String>,
    #[serde(default)]
    pub(super) dependency_groups: Vec<String>,
    #[serde(default)]
    pub(super) default_groups: Vec<String>,
    pub(super) packages: Vec<Package>,
    #[serde(default)]
    tool: Tools,
    /// The directory that relative paths start from.
    #[serde(skip)]
    directory: PathBuf,
}

/// What tools say of their own; only omnipkg's is looked at.
#[derive(Debug, Default, Deserialize)]
struct Tools {
    #[serde(default)]
    omnipkg: OwnTable,
}

#[derive(Debug, Default, Deserialize)]
struct OwnTable {
    #[serde(default)]
    requirements: Vec<String>,
}

/// One entry.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: Option<String>,
    pub(super) marker: Option<String>,
    pub(super) requires_python: Option<String>,
    pub(super) index: Option<Url>,
    pub(super) vcs: Option<Repository>,
    pub(super) directory: Option<Directory>,
    pub(super) archive: Option<Archive>,
    pub(super) sdist: Option<Archive>,
    #[serde(default)]
    pub(super) wheels: Vec<Archive>,
}

/// A repository of an entry.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Repository {
    #[serde(rename = "type")]
    kind: String,
    url: Option<Url>,
    path: Option<String>,
    pub(super) commit_id: String,
    pub(super) subdirectory: Option<String>,
}

/// A project's directory of an entry.
#[derive(Debug, Deserialize)]
pub(super) struct Directory {
    path: String,
    #[serde(default)]
    pub(super) editable: bool,
    subdirectory: Option<String>,
}

/// A file of an entry.
#[derive(Debug, Deserialize)]
pub(super) struct Archive {
    name: Option<String>,
    url: Option<Url>,
    path: Option<String>,
    pub(super) size: Option<u64>,
    pub(super) subdirectory: Option<String>,
    hashes: BTreeMap<String, String>,
}

impl Document {
    /// Reads a lock file.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let directory = std::path::absolute(path)?.with_file_name("");
        Self::parse(&text, directory).with_context(|| format!("cannot use the lock file {}", path.display()))
    }

    /// Reads a lock file's text; `directory` is where it lies.
    pub(super) fn parse(text: &str, directory: PathBuf) -> Result<Self> {
        let mut this: Self = toml::from_str(text).map_err(|error| crate::script::not_toml(text, &error))?;
        this.directory = directory;
        let version = this.lock_version.as_str();
        if version.split('.').next() != LOCK_VERSION.split('.').next() {
            bail!("its lock-version is {version:?}: {LOCK_VERSION} is understood, a newer omnipkg may know more");
        }
        if version != LOCK_VERSION {
            output::warn(&format!("the lock file's version is {version}: it is read as {LOCK_VERSION}"));
        }
        Ok(this)
    }

    /// What the lock was the answer to, if omnipkg wrote it.
    pub fn asked(&self) -> Result<Vec<Requirement>> {
        let texts = self.tool.omnipkg.requirements.iter();
        texts.map(|text| Requirement::from_str(text).map_err(|error| not_a_requirement(text, &error))).collect()
    }

    /// Where a file is.
    pub(super) fn url(&self, archive: &Archive) -> Result<Url> {
        match (&archive.url, &archive.path) {
            (Some(url), _) if matches!(url.scheme(), "http" | "https" | "file") => Ok(url.clone()),
            (Some(url), _) => bail!("its URL has the scheme {:?}; http, https and file are understood", url.scheme()),
            (None, Some(path)) => self.local(path),
            (None, None) => bail!("a file of it has neither url nor path"),
        }
    }

    /// Where a project's directory is.
    pub(super) fn directory(&self, directory: &Directory) -> Result<Url> {
        let path = Path::new(&directory.path).join(directory.subdirectory.as_deref().unwrap_or_default());
        let mut url = self.local(&path.to_string_lossy())?;
        url.set_fragment(directory.editable.then_some("editable"));
        Ok(url)
    }

    /// Where a repository is, at its commit.
    pub(super) fn repository(&self, repository: &Repository) -> Result<Url> {
        if repository.kind != "git" {
            bail!("it is in a repository of the kind {:?}: git is understood", repository.kind);
        }
        let url = match (&repository.url, &repository.path) {
            (Some(url), _) => url.clone(),
            (None, Some(path)) => self.local(path)?,
            (None, None) => bail!("its repository has neither url nor path"),
        };
        let folder = repository.subdirectory.as_ref().map_or(String::new(), |path| format!("#subdirectory={path}"));
        let text = format!("git+{}@{}{folder}", url.as_str().trim_end_matches('/'), repository.commit_id);
        Url::parse(&text).with_context(|| format!("{text} is no URL of a repository"))
    }

    fn local(&self, path: &str) -> Result<Url> {
        let path = self.directory.join(path);
        let path = path.canonicalize().unwrap_or(path);
        Url::from_file_path(&path).ok().with_context(|| format!("{} cannot be a path", path.display()))
    }
}

impl Archive {
    /// Its file name: as given, else the last part of where it is.
    pub(super) fn filename(&self, url: &Url) -> String {
        let last = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
        match (&self.name, &self.path) {
            (Some(name), _) => name.clone(),
            (None, Some(path)) if self.url.is_none() => last(path),
            _ => last(&omnipkg_resolver::percent_decode(url.path())),
        }
    }

    /// True if it is a wheel and no source.
    pub(super) fn is_wheel(&self) -> bool {
        let place = self.url.as_ref().map(Url::path).or(self.path.as_deref());
        self.name.as_deref().or(place).is_some_and(|name| name.ends_with(".whl"))
    }

    /// Its sha256: the one kind of hash that is looked at here.
    pub(super) fn sha256(&self) -> Result<Sha256> {
        let Some(text) = self.hashes.get("sha256") else {
            let kinds: Vec<&str> = self.hashes.keys().map(String::as_str).collect();
            bail!("it has no sha256, which is what files are checked by (it has {})", kinds.join(", "));
        };
        text.to_ascii_lowercase().parse().ok().with_context(|| format!("{text:?} is no sha256"))
    }
}
