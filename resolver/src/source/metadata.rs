//! What a source needs, without a build where that is certain.
//!
//! In order: what is remembered of the same bytes, PKG-INFO where it is fixed (PEP 643), `pyproject.toml` where that fixes
//! it (PEP 621), the backend's own metadata hook, a built wheel.

use super::build::Build;
use super::tree::{self, Tree};
use super::{Source, built, project};
use crate::candidates::Candidate;
use crate::error::{Error, Result};
use crate::metadata::{Metadata, headers};
use crate::shared::Shared;
use omnipkg_store::{Digest, Sha256, wheel};
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// What is remembered of a source's metadata, whether it was fixed or made by this interpreter.
pub(crate) fn known(shared: &Shared, candidate: &Candidate, source: &Source) -> Result<Option<Vec<u8>>> {
    Ok(tree::identity(candidate, source)?.and_then(|identity| remembered(shared, &identity, source)))
}

/// The metadata of a source of which none is [`known`].
pub(crate) async fn get(shared: &Arc<Shared>, candidate: &Candidate, source: &Source) -> Result<Vec<u8>> {
    let tree = tree::obtain(shared, candidate, source).await?;
    let label = source.label(&candidate.url);
    let fixed = fixed(&tree, source, &label)?;
    if let Some(bytes) = fixed {
        shared.write_cache(&file(shared, &tree::key(&tree.identity, source, "")), &bytes)?;
        return Ok(bytes);
    }
    if let Some(bytes) = remembered(shared, &tree.identity, source) {
        return Ok(bytes);
    }
    let _turn = shared.builds.acquire().await;
    let (shared, source) = (shared.clone(), source.clone());
    tree::blocking(move || made(&shared, &tree, &source, &label)).await
}

fn remembered(shared: &Shared, identity: &str, source: &Source) -> Option<Vec<u8>> {
    let fixed = shared.read_cache(&file(shared, &tree::key(identity, source, "")));
    fixed.or_else(|| {
        let builder = shared.environments.as_ref()?.identity();
        shared.read_cache(&file(shared, &tree::key(identity, source, &builder)))
    })
}

pub(super) fn file(shared: &Shared, key: &Digest) -> std::path::PathBuf {
    shared.store.layout().cache().join("metadata").join(key.to_hex())
}

fn fixed(tree: &Tree, source: &Source, label: &str) -> Result<Option<Vec<u8>>> {
    if let Ok(bytes) = fs::read(tree.root.join("PKG-INFO"))
        && is_fixed(&bytes)
    {
        return Ok(Some(bytes));
    }
    let version = source.version.as_ref().map(ToString::to_string);
    Ok(project::fixed_metadata(&tree.root, version.as_deref(), label)?.map(String::into_bytes))
}

/// PEP 643: from version 2.2 on, what is not named as dynamic is the same in every wheel.
fn is_fixed(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let fields = headers(&text);
    let version = fields.iter().find(|(key, _)| key == "metadata-version").and_then(|(_, value)| {
        let (major, minor) = value.split_once('.')?;
        Some((major.parse::<u32>().ok()?, minor.parse::<u32>().ok()?))
    });
    let free = ["requires-dist", "requires-python", "provides-extra", "version", "name"];
    let is_free =
        |(key, value): &(String, String)| key == "dynamic" && free.contains(&value.to_ascii_lowercase().as_str());
    version.is_some_and(|version| version >= (2, 2)) && !fields.iter().any(is_free)
}

/// By the backend; a whole wheel is kept.
fn made(shared: &Shared, tree: &Tree, source: &Source, label: &str) -> Result<Vec<u8>> {
    let _held = tree::hold(shared, source)?;
    let environments = shared.environments()?;
    let key = tree::key(&tree.identity, source, &environments.identity());
    let bytes = match built::read(shared, &key) {
        Some(known) => of_wheel(shared, &known)?,
        None => {
            let mut build = Build::begin(shared, &*environments, &tree.root, label)?;
            match build.metadata(built::is_editable(source))? {
                Some(bytes) => bytes,
                None => {
                    let wheel = build.wheel(built::is_editable(source))?;
                    let sha256 = built::keep(shared, source, &key, &wheel, &build.environment.name, label)?;
                    of_wheel(shared, &sha256)?
                }
            }
        }
    };
    // Not before it is known to be of the right project.
    Metadata::parse(&bytes, label, source.name.as_ref())?;
    shared.write_cache(&file(shared, &key), &bytes)?;
    Ok(bytes)
}

/// METADATA as far as resolving needs it, from a wheel of the store.
pub(crate) fn of_wheel(shared: &Shared, sha256: &Sha256) -> Result<Vec<u8>> {
    let manifest = wheel::WheelTree::open(&shared.store, sha256)?.head;
    let mut text = format!("Metadata-Version: 2.1\nName: {}\nVersion: {}\n", manifest.name, manifest.version);
    let mut add =
        |key: &str, values: &[String]| values.iter().for_each(|value| text.push_str(&format!("{key}: {value}\n")));
    add("Requires-Python", manifest.requires_python.as_slice());
    add("Requires-Dist", &manifest.requires_dist);
    add("Provides-Extra", &manifest.provides_extra);
    Ok(text.into_bytes())
}

/// The METADATA that a backend wrote into a directory.
pub(super) fn written(directory: &Path) -> Result<Vec<u8>> {
    let path = directory.join("METADATA");
    fs::read(&path).map_err(|error| Error::io("read", path, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_fixed_is_told_by_pep_643() {
        for (text, expected) in [
            ("Metadata-Version: 2.2\nName: a\n", true),
            ("Metadata-Version: 2.4\nName: a\nDynamic: License-File\n", true),
            ("Metadata-Version: 2.2\nName: a\nDynamic: Requires-Dist\n", false),
            ("Metadata-Version: 2.1\nName: a\n", false),
            ("Name: a\n", false),
        ] {
            assert_eq!(is_fixed(text.as_bytes()), expected, "{text}");
        }
    }
}
