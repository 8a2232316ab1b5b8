//! Where an archive can be had that is known by its hash alone.

use crate::error::{Error, Result};
use crate::lock::{LockedWheel, Origin};
use crate::pages;
use crate::resolver::Resolver;
use crate::shared::{Lookup, lock};
use omnipkg_store::Sha256;
use omnipkg_store::tags::WheelFilename;
use pep508_rs::PackageName;

impl Resolver {
    /// The wheel of a project that has just this hash, as the index that knows the project has it; `None` if it has no
    /// such wheel.
    ///
    /// # Errors
    /// Whatever keeps an index from answering.
    pub fn locate(&self, name: &PackageName, sha256: &Sha256) -> Result<Option<LockedWheel>> {
        let Lookup::Found(page) = self.handle()?.block_on(pages::look_up(&self.shared, name))? else {
            return Ok(None);
        };
        let Some(file) = page.files().find(|file| file.sha256.as_ref() == Some(sha256)) else { return Ok(None) };
        let Ok(wheel) = WheelFilename::parse(&file.filename) else { return Ok(None) };
        let url = file.url.parse().map_err(|_| Error::Internal(format!("{} has no URL", file.filename)))?;
        Ok(Some(LockedWheel {
            name: name.to_string(),
            version: wheel.version,
            filename: file.filename.clone(),
            url: crate::urls::without_login(url),
            index: lock(&self.shared.found_on).get(name).cloned(),
            sha256: file.sha256,
            size: file.size,
            built: None,
            assumed: None,
            origin: Origin::Index,
            requires: Vec::new(),
        }))
    }
}
