//! A source's tree on disk: fetched and unpacked, checked out, or the user's own directory.
//!
//! What is unpacked lies in a scratch directory of the store's that goes with the [`Tree`].

use super::{Place, Source, git, path_of};
use crate::candidates::Candidate;
use crate::direct::is_editable;
use crate::error::{Error, Result};
use crate::fetch::download;
use crate::lock::LockedWheel;
use crate::shared::{Shared, lock};
use omnipkg_store::{Digest, DigestHasher, Sha256, sdist};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;
use url::Url;

/// A project's files, ready to be built.
pub(crate) struct Tree {
    /// The project's directory.
    pub(crate) root: PathBuf,
    /// What tells it from every other source; the same bytes have the same.
    pub(crate) identity: String,
    /// Of the archive that it came in.
    pub(crate) sha256: Option<Sha256>,
    /// Of the repository that it came from.
    pub(crate) commit: Option<String>,
    _scratch: Option<TempDir>,
}

/// What is known of a source, in this store, by its identity.
pub(crate) fn key(identity: &str, source: &Source, builder: &str) -> Digest {
    let mut hasher = DigestHasher::new();
    for part in ["omnipkg source 1", identity, source.subdirectory().unwrap_or_default(), builder] {
        hasher.update(format!("{}:{part}\n", part.len()).as_bytes());
    }
    hasher.finish()
}

/// What tells a source from others before it is fetched, if that can be told.
pub(crate) fn identity(candidate: &Candidate, source: &Source) -> Result<Option<String>> {
    Ok(match &source.place {
        Place::Archive { .. } => candidate.file.sha256.map(|sha256| archive_identity(&sha256)),
        Place::Directory { path, editable } => Some(directory_identity(path, *editable)?),
        Place::Git { reference: Some(reference), .. } if is_commit(reference) => Some(format!("git {reference}")),
        Place::Git { .. } => None,
    })
}

fn archive_identity(sha256: &Sha256) -> String {
    format!("sha256 {}", sha256.to_hex())
}

fn is_commit(reference: &str) -> bool {
    reference.len() == 40 && reference.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The tree of a source; what this process has already is not fetched again.
pub(crate) async fn obtain(shared: &Arc<Shared>, candidate: &Candidate, source: &Source) -> Result<Arc<Tree>> {
    if let Some(known) = lock(&shared.trees).get(&candidate.url) {
        return Ok(known.clone());
    }
    let tree = match &source.place {
        Place::Archive { .. } => archive(shared, candidate, source).await?,
        Place::Directory { path, editable } => directory(path, *editable)?,
        Place::Git { repository, reference, .. } => {
            repository_tree(shared, repository, reference.clone(), source).await?
        }
    };
    let tree = Arc::new(tree);
    lock(&shared.trees).insert(candidate.url.clone(), tree.clone());
    Ok(tree)
}

async fn archive(shared: &Arc<Shared>, candidate: &Candidate, source: &Source) -> Result<Tree> {
    let (entry, file) = download(shared, LockedWheel::of(candidate)).await?;
    let sha256 = entry.sha256.ok_or_else(|| Error::Internal("a download has no hash".to_owned()))?;
    let (shared, filename) = (shared.clone(), entry.filename);
    let subdirectory = source.subdirectory().map(str::to_owned);
    blocking(move || {
        let scratch = scratch(&shared)?;
        let top = sdist::unpack(file.path(), &filename, scratch.path())?;
        let root = below(top, subdirectory.as_deref())?;
        Ok(Tree {
            root,
            identity: archive_identity(&sha256),
            sha256: Some(sha256),
            commit: None,
            _scratch: Some(scratch),
        })
    })
    .await
}

fn directory(path: &Path, editable: bool) -> Result<Tree> {
    let identity = directory_identity(path, editable)?;
    Ok(Tree { root: path.to_owned(), identity, sha256: None, commit: None, _scratch: None })
}

async fn repository_tree(
    shared: &Arc<Shared>,
    repository: &Url,
    reference: Option<String>,
    source: &Source,
) -> Result<Tree> {
    if shared.client.offline() && repository.scheme() != "file" {
        return Err(Error::Offline { needed: format!("the repository {}", crate::client::shown(repository)) });
    }
    let (shared, repository) = (shared.clone(), shared.client.with_login(repository));
    let subdirectory = source.subdirectory().map(str::to_owned);
    blocking(move || {
        let scratch = scratch(&shared)?;
        let commit = git::check_out(&repository, reference.as_deref(), scratch.path())?;
        let root = below(scratch.path().to_owned(), subdirectory.as_deref())?;
        Ok(Tree {
            root,
            identity: format!("git {commit}"),
            sha256: None,
            commit: Some(commit),
            _scratch: Some(scratch),
        })
    })
    .await
}

/// The project's folder in what was unpacked; it may not lead out.
fn below(top: PathBuf, subdirectory: Option<&str>) -> Result<PathBuf> {
    let Some(subdirectory) = subdirectory else { return Ok(top) };
    let refuse = |reason: String| Error::Requirement { requirement: format!("subdirectory={subdirectory}"), reason };
    let (inside, found) = (top.canonicalize(), top.join(subdirectory).canonicalize());
    match (inside, found) {
        (Ok(inside), Ok(found)) if found.starts_with(&inside) && found.is_dir() => Ok(found),
        _ => Err(refuse("there is no such directory in the source".to_owned())),
    }
}

fn scratch(shared: &Shared) -> Result<TempDir> {
    let tmp = shared.store.layout().tmp();
    tempfile::Builder::new()
        .prefix("source-")
        .tempdir_in(&tmp)
        .map_err(|error| Error::io("create a directory in", tmp, error))
}

/// Waits until nobody else builds in a user's own directory, where backends leave files in each other's way; what is built
/// elsewhere is nobody else's.
pub(super) fn hold(shared: &Shared, source: &Source) -> Result<Option<fs::File>> {
    let Place::Directory { path, .. } = &source.place else { return Ok(None) };
    let name = Digest::of(path.as_os_str().as_encoded_bytes()).to_hex();
    Ok(Some(shared.store.layout().hold(&format!("build-{}", &name[..16]))?))
}

/// What tells a directory's states from each other; also of one that is imported from itself, whose version and needs may
/// stand in any of its files, or in the names that git gives its commits.
fn directory_identity(path: &Path, editable: bool) -> Result<String> {
    let mut hasher = DigestHasher::new();
    hasher.update(path.as_os_str().as_encoded_bytes());
    add_directory(&mut hasher, path, path)?;
    for text in git::names(path) {
        hasher.update(format!("{}:{text}\n", text.len()).as_bytes());
    }
    let kind = if editable { "editable" } else { "directory" };
    Ok(format!("{kind} {}", hasher.finish().to_hex()))
}

/// Names and contents of all files, but for what builds and tools leave there themselves. Not their times: a backend that
/// writes a file anew each time does not make another project of it.
fn add_directory(hasher: &mut DigestHasher, root: &Path, directory: &Path) -> Result<()> {
    let fail = |error| Error::io("list", directory, error);
    let mut entries: Vec<_> = fs::read_dir(directory).map_err(fail)?.collect::<Result<_, _>>().map_err(fail)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let (path, name) = (entry.path(), entry.file_name());
        let metadata = fs::symlink_metadata(&path).map_err(|error| Error::io("look at", &path, error))?;
        let name = name.to_string_lossy();
        if metadata.is_dir() {
            let is_left_by_a_build = directory == root && matches!(&*name, "build" | "dist");
            let is_a_tools = matches!(&*name, "__pycache__" | "node_modules") || path.join("pyvenv.cfg").exists();
            if is_left_by_a_build || is_a_tools || name.starts_with('.') || name.ends_with(".egg-info") {
                continue;
            }
            add_directory(hasher, root, &path)?;
        } else {
            let relative = path.strip_prefix(root).unwrap_or(&path).as_os_str().as_encoded_bytes();
            hasher.update(relative);
            let content = match metadata.is_symlink() {
                true => fs::read_link(&path).map(|target| target.into_os_string().into_encoded_bytes()),
                false if metadata.is_file() => fs::read(&path),
                false => Ok(Vec::new()),
            };
            let content = content.map_err(|error| Error::io("read", &path, error))?;
            hasher.update(format!("\n{:o} {}\n", metadata.mode(), content.len()).as_bytes());
            hasher.update(&content);
        }
    }
    Ok(())
}

/// What tells the states of a local archive or directory from each other, for whoever remembers answers; `None` for a URL
/// that leads elsewhere.
///
/// # Errors
/// [`Error::Io`] if it is not there.
pub fn fingerprint(url: &Url) -> Result<Option<String>> {
    if url.scheme() != "file" {
        return Ok(None);
    }
    let path = path_of(url)?;
    let metadata = fs::metadata(&path).map_err(|error| Error::io("look at", &path, error))?;
    if metadata.is_dir() {
        return directory_identity(&path, is_editable(url)).map(Some);
    }
    Ok(Some(format!("file {} {} {}", metadata.size(), metadata.mtime(), metadata.mtime_nsec())))
}

pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(Error::Internal(error.to_string())))
}
