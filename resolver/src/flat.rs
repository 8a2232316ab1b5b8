//! Files that lie beside the indexes (`--find-links`): directories, and pages that link to them.
//!
//! They are candidates of every project whose name they bear, before the files of the index that answers for it, and
//! where no index knows the name. A place that cannot be read is an error: passing it over would choose other files.

use crate::candidates::version_of;
use crate::error::{Error, Result};
use crate::pages;
use crate::shared::Shared;
use crate::simple::{self, File, is_distribution};
use pep508_rs::PackageName;
use std::path::Path;
use std::sync::Arc;
use url::Url;

/// The files that bear a project's name.
pub(crate) async fn files_of(shared: &Shared, name: &PackageName) -> Result<Vec<Arc<File>>> {
    let all = shared.flat.get_or_try_init(|| gather(shared)).await?;
    Ok(all.iter().filter(|file| version_of(&file.filename, name).is_some()).cloned().collect())
}

async fn gather(shared: &Shared) -> Result<Vec<Arc<File>>> {
    let mut files = Vec::new();
    for location in &shared.sources.find_links {
        if location.scheme() != "file" {
            let page = pages::page(shared, location, || format!("the page of files {}", crate::urls::shown(location)));
            let missing = || crate::client::bad_status(location, reqwest::StatusCode::NOT_FOUND);
            files.extend(page.await?.ok_or_else(missing)?.files());
            continue;
        }
        let path = location.to_file_path().map_err(|()| Error::answer(location, "it is no local path"))?;
        let location = location.clone();
        let local = tokio::task::spawn_blocking(move || local(&path, &location));
        files.extend(local.await.map_err(|error| Error::Internal(error.to_string()))??);
    }
    Ok(files)
}

/// The distributions in a directory, or those that a page of HTML links to.
fn local(path: &Path, location: &Url) -> Result<Vec<Arc<File>>> {
    if path.is_dir() {
        return directory(path);
    }
    let bytes = std::fs::read(path).map_err(|error| Error::io("look for distributions in", path, error))?;
    Ok(simple::parse("text/html", &bytes, location)?.files().collect())
}

fn directory(path: &Path) -> Result<Vec<Arc<File>>> {
    let failed = |error| Error::io("look for distributions in", path, error);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let Ok(filename) = entry.file_name().into_string() else { continue };
        let Ok(metadata) = std::fs::metadata(entry.path()) else { continue };
        if !metadata.is_file() || !is_distribution(&filename) {
            continue;
        }
        let absolute = std::path::absolute(entry.path()).map_err(failed)?;
        let url = Url::from_file_path(absolute).map_err(|()| Error::Internal(format!("no URL for {filename}")))?;
        files.push(Arc::new(File { size: Some(metadata.len()), ..File::bare(filename, url, None) }));
    }
    files.sort_by(|a, b| a.filename.cmp(&b.filename));
    Ok(files)
}
