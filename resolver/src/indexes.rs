//! Where to look for projects: indexes in their order, further files, and what of it counts.

use crate::timestamp::Timestamp;
use crate::urls::shown;
use std::collections::BTreeMap;
use std::fmt;
use url::Url;

/// Where to look for projects.
///
/// `extra` is asked before `index_url`, in order: the first index that knows a name answers for it, so that
/// a stranger who registers a private project's name on the public index changes nothing.
#[derive(Clone, Default)]
pub struct Indexes {
    /// The main index, asked last; without it and `extra` there are only the files of `find_links`.
    pub index_url: Option<Url>,
    /// Further indexes, asked first.
    pub extra: Vec<Url>,
    /// Directories (`file:`) and HTML pages whose files are candidates beside those of the index that answers.
    pub find_links: Vec<Url>,
    /// By normalised name: projects for which this index alone is asked.
    pub pinned: BTreeMap<String, Url>,
    /// URLs of requirements whose logins were taken out of these.
    pub logins: Vec<Url>,
    /// Files that an index had not yet at this moment are no candidates.
    pub exclude_newer: Option<Timestamp>,
}

impl fmt::Debug for Indexes {
    /// Without user information.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let urls = |urls: &[Url]| urls.iter().map(shown).collect::<Vec<_>>();
        let pinned: BTreeMap<&String, String> = self.pinned.iter().map(|(name, url)| (name, shown(url))).collect();
        f.debug_struct("Indexes")
            .field("index_url", &self.index_url.as_ref().map(shown))
            .field("extra", &urls(&self.extra))
            .field("find_links", &urls(&self.find_links))
            .field("pinned", &pinned)
            .field("logins", &urls(&self.logins))
            .field("exclude_newer", &self.exclude_newer)
            .finish()
    }
}
