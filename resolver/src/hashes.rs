//! Hashes that were given for a project: only files that have one of them are there for a resolution.
//!
//! A file of which the index names no hash stays: it is looked at when it has come, by whoever gave the hashes.

use crate::error::{Error, Result};
use crate::simple::{Page, Row};
use omnipkg_store::Sha256;
use pep508_rs::PackageName;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The page with the files that may be taken.
///
/// # Errors
/// [`Error::Requirement`] if there are files, and none of them may be.
pub(crate) fn allowed(name: &PackageName, page: Arc<Page>, hashes: Option<&BTreeSet<Sha256>>) -> Result<Arc<Page>> {
    let Some(hashes) = hashes else { return Ok(page) };
    let may_be = |sha256: Option<Sha256>| sha256.is_none_or(|sha256| hashes.contains(&sha256));
    let rows: Vec<_> = page.files().filter(|file| may_be(file.sha256)).map(Row::from).collect();
    if rows.is_empty() && !page.rows.is_empty() {
        return Err(Error::Requirement {
            requirement: name.to_string(),
            reason: "no file that the index has of it has one of the hashes that were given for it".to_owned(),
        });
    }
    Ok(Arc::new(Page { rows, skipped: page.skipped.clone() }))
}
