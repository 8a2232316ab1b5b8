//! What an index tells of a project that nobody has vouched for: how many versions, since when, and what is in its newest wheel.
//! Nothing is installed, and of the wheel only its list of names is read, where the server knows ranges.

use crate::candidates::{Candidate, Candidates, Kind, Order};
use crate::error::{Error, Result};
use crate::formats::Allowed;
use crate::pages;
use crate::permission::Permission;
use crate::range::VersionRange;
use crate::ranges::{self, Opened};
use crate::request::Target;
use crate::resolver::Resolver;
use crate::shared::{Lookup, Shared};
use crate::timestamp::Timestamp;
use omnipkg_store::wheel;
use pep440_rs::Version;
use pep508_rs::PackageName;
use std::sync::Arc;

/// What an index tells of a project.
#[derive(Debug, Clone, Default)]
pub struct About {
    /// How many versions a target could use.
    pub versions: usize,
    /// The newest of them.
    pub newest: Option<Version>,
    /// When its first file came to the index, and its last one; pages of HTML do not tell.
    pub uploaded: Option<(Timestamp, Timestamp)>,
    /// The names in the newest wheel; none if it could not be looked into without fetching it.
    pub names: Option<Vec<String>>,
}

impl Resolver {
    /// What the index tells of a project, for a target.
    ///
    /// # Errors
    /// [`Error::UnknownProject`], and whatever keeps an index from answering.
    pub fn about(&self, name: &PackageName, target: &Target) -> Result<About> {
        let page = match self.handle()?.block_on(pages::look_up(&self.shared, name))? {
            Lookup::Found(page) => page,
            Lookup::Unknown(asked) => return Err(Error::UnknownProject { name: name.to_string(), asked }),
        };
        let times: Vec<Timestamp> = page.files().filter_map(|file| file.uploaded).collect();
        let allowed = Allowed { wheels: true, sources: true };
        let candidates = Candidates::new(name, &page, Arc::new(target.clone()), Permission::default(), allowed);
        let all = VersionRange::full();
        let versions: Vec<Version> =
            candidates.acceptable(&all, None, Order::Oldest).map(|(version, _)| version.clone()).collect();
        let newest = candidates.acceptable(&all, None, Order::Newest).next().map(|(_, candidate)| candidate.clone());
        let names = newest.and_then(|newest| self.handle().ok()?.block_on(names(&self.shared, &newest)).ok().flatten());
        Ok(About {
            versions: versions.len(),
            newest: versions.last().cloned(),
            uploaded: times.iter().min().copied().zip(times.iter().max().copied()),
            names,
        })
    }
}

async fn names(shared: &Arc<Shared>, candidate: &Candidate) -> Result<Option<Vec<String>>> {
    let (Kind::Wheel(filename), true) = (&candidate.kind, candidate.url.scheme() != "file") else { return Ok(None) };
    if shared.client.offline() {
        return Ok(None);
    }
    let Opened::Ranges(mut parts) = ranges::open(shared, &candidate.url).await? else { return Ok(None) };
    loop {
        match wheel::read_names(&mut parts, filename) {
            Ok(names) => return Ok(Some(names)),
            Err(_) if parts.fill(shared, &candidate.url).await? => {}
            Err(_) => return Ok(None),
        }
    }
}
