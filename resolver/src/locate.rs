//! What an index knows of a project: where an archive is that is known by its hash alone, and which versions there are.

use crate::candidates::{Candidates, Order};
use crate::error::{Error, Result};
use crate::formats::Allowed;
use crate::lock::{LockedWheel, Origin};
use crate::pages;
use crate::permission::{Permission, Prereleases};
use crate::range::VersionRange;
use crate::request::Target;
use crate::resolver::Resolver;
use crate::shared::{Lookup, lock};
use omnipkg_store::Sha256;
use omnipkg_store::tags::WheelFilename;
use pep440_rs::Version;
use pep508_rs::PackageName;
use std::sync::Arc;

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

    /// The versions of a project that a target can use as they are, oldest first: those with a wheel for it that was not
    /// yanked, and no pre-releases.
    ///
    /// # Errors
    /// [`Error::UnknownProject`], and whatever keeps an index from answering.
    pub fn versions(&self, name: &PackageName, target: &Target) -> Result<Vec<Version>> {
        let page = match self.handle()?.block_on(pages::look_up(&self.shared, name))? {
            Lookup::Found(page) => page,
            Lookup::Unknown(asked) => return Err(Error::UnknownProject { name: name.to_string(), asked }),
        };
        let permission = Permission { prereleases: Prereleases::Never, ..Permission::default() };
        let allowed = Allowed { wheels: true, sources: false };
        let candidates = Candidates::new(name, &page, Arc::new(target.clone()), permission, allowed);
        let all = VersionRange::full();
        Ok(candidates.acceptable(&all, None, Order::Oldest).map(|(version, _)| version.clone()).collect())
    }
}
