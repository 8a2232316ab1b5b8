//! Where an entry of a lock comes from, as lock files and requirements write it. No user information is written.

use anyhow::{Context, Result, bail};
use omnipkg_resolver::{LockedWheel, Origin};
use omnipkg_store::Sha256;
use url::Url;

/// A repository: where it is, and what was asked for of it, if that was not a commit.
pub struct Repository {
    /// As git understands it.
    pub url: Url,
    /// A branch or a tag.
    pub reference: Option<String>,
}

impl Repository {
    /// Takes a `git+` URL apart.
    pub fn of(url: &Url) -> Result<Self> {
        let text = url.as_str().strip_prefix("git+").with_context(|| format!("{url} is no URL of a repository"))?;
        let mut repository = bare(Url::parse(text).with_context(|| format!("the repository {text}"))?);
        let path = repository.path().to_owned();
        let Some((path, reference)) = path.rsplit_once('@') else {
            return Ok(Self { url: repository, reference: None });
        };
        repository.set_path(path);
        Ok(Self { url: repository, reference: Some(omnipkg_resolver::percent_decode(reference)) })
    }
}

/// The requirement that gives an entry again: a pin, or where it is.
pub fn requirement_of(entry: &LockedWheel) -> Result<String> {
    let LockedWheel { name, version, url, .. } = entry;
    let fragment = |parts: &[Option<String>]| -> String {
        let parts: Vec<&str> = parts.iter().flatten().map(String::as_str).collect();
        if parts.is_empty() { String::new() } else { format!("#{}", parts.join("&")) }
    };
    let folder = |path: &Option<String>| path.as_ref().map(|path| format!("subdirectory={path}"));
    Ok(match &entry.origin {
        Origin::Index => format!("{name}=={version}"),
        Origin::Archive { subdirectory } => {
            let hash = entry.sha256.map(|sha256| format!("sha256={sha256}"));
            format!("{name} @ {}{}", bare(url.clone()), fragment(&[hash, folder(subdirectory)]))
        }
        Origin::Directory { editable } => {
            let editable = editable.then(|| "editable".to_owned());
            format!("{name} @ {}{}", bare(url.clone()), fragment(&[editable]))
        }
        Origin::Git { commit, subdirectory } => {
            let repository = Repository::of(url)?.url;
            format!("{name} @ git+{repository}@{commit}{}", fragment(&[folder(subdirectory)]))
        }
    })
}

/// The hash of an entry's archive.
pub fn hash(entry: &LockedWheel) -> Result<Sha256> {
    match (entry.sha256, &entry.origin) {
        (Some(sha256), _) => Ok(sha256),
        (None, Origin::Directory { .. } | Origin::Git { .. }) => {
            bail!(
                "{} comes from a directory or a repository, which has no hash: only pylock.toml can say so",
                entry.name
            )
        }
        (None, _) => bail!("the index gives no hash for {}: install it, then `omnipkg export`", entry.filename),
    }
}

/// Without credentials, and without a fragment, which says nothing that the entry does not.
pub fn bare(url: Url) -> Url {
    let mut url = crate::index_settings::without_login(url);
    url.set_fragment(None);
    url
}
