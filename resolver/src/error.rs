//! What can go wrong between a requirement and its wheels.
//!
//! Every error names its subject; a URL in it has lost its user information before it got here; causes
//! are only in `source`. Errors are cheap to clone, because one failed fetch answers many askers.

use omnipkg_store::Sha256;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Why there is no lock, or no wheel.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The requirements contradict each other or what the indexes offer.
    #[error("{0}")]
    NoSolution(String),
    /// A project that was asked for by name is on no index.
    #[error("no index knows project {name} (asked: {})", asked.join(", "))]
    UnknownProject {
        /// The normalised name.
        name: String,
        /// `host/path` of each index that was asked, in order.
        asked: Vec<String>,
    },
    /// A requirement of a kind that cannot be resolved.
    #[error("cannot resolve {requirement:?}: {reason}")]
    Requirement {
        /// As it was given.
        requirement: String,
        /// Why not.
        reason: String,
    },
    /// A server answered with a status that is neither success nor "not found here".
    #[error("{url} answered {status}{}{}", status_hint(*status), wait_hint(*retry_after))]
    Status {
        /// Asked URL, without user information.
        url: String,
        /// HTTP status code.
        status: u16,
        /// How long the server asks to wait.
        retry_after: Option<Duration>,
    },
    /// A server could not be reached, timed out or broke off, after retries.
    #[error("cannot fetch {url}")]
    Transport {
        /// Asked URL, without user information.
        url: String,
        /// The HTTP library's reason.
        source: Arc<reqwest::Error>,
    },
    /// A server's answer broke off or was of another file than what was there before, after retries.
    #[error("cannot fetch {url}: {reason}")]
    Interrupted {
        /// Asked URL, without user information.
        url: String,
        /// What happened.
        reason: String,
    },
    /// A server's answer does not have the promised form.
    #[error("{url} gave a wrong answer: {reason}")]
    Answer {
        /// Asked URL, without user information.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Something was needed from the network while offline.
    #[error("offline, and {needed} is not in the cache")]
    Offline {
        /// What: "the index page of rich".
        needed: String,
    },
    /// A wheel's metadata cannot be understood.
    #[error("metadata of {wheel}: {reason}")]
    Metadata {
        /// The wheel's file name.
        wheel: String,
        /// What is wrong, with the line.
        reason: String,
    },
    /// A downloaded file is not the one that the index or lock promised.
    #[error("sha256 of {filename} is {got}, expected {expected}")]
    HashMismatch {
        /// The file's name.
        filename: String,
        /// As promised.
        expected: Sha256,
        /// Of the bytes that came.
        got: Sha256,
    },
    /// A source cannot be built.
    #[error("cannot build {of}: {reason}")]
    Build {
        /// `rich 13.4.2`, or where the source is.
        of: String,
        /// What went wrong, with the last lines of the backend's log.
        reason: String,
    },
    /// A wheel needs other things than was told of it before it was here: by its index, or by another wheel of its
    /// version. What it needs is known now, so that asking again helps.
    #[error("{of} needs other things than was told of it: try again")]
    Misled {
        /// Its project and version.
        of: String,
    },
    /// What a build needs cannot be had.
    #[error("cannot make the environment to build {of} in")]
    BuildEnvironment {
        /// As for [`Error::Build`].
        of: String,
        /// Why not.
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// A repository cannot be used.
    #[error("cannot use the repository {repository}: {reason}")]
    Git {
        /// Its URL, without user information.
        repository: String,
        /// What git said.
        reason: String,
    },
    /// A local file could not be used.
    #[error("cannot {operation} {}", path.display())]
    Io {
        /// What was tried, as a verb.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's answer.
        source: Arc<io::Error>,
    },
    /// The store refused.
    #[error(transparent)]
    Store(Arc<omnipkg_store::Error>),
    /// The machinery itself could not go on.
    #[error("cannot resolve: {0}")]
    Internal(String),
}

/// The resolver's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<omnipkg_store::Error> for Error {
    fn from(error: omnipkg_store::Error) -> Self {
        Self::Store(Arc::new(error))
    }
}

impl Error {
    pub(crate) fn io(operation: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self::Io { operation, path: path.into(), source: Arc::new(source) }
    }

    pub(crate) fn answer(url: &url::Url, reason: impl Into<String>) -> Self {
        Self::Answer { url: crate::client::shown(url), reason: reason.into() }
    }

    pub(crate) fn build(of: &str, reason: impl Into<String>) -> Self {
        Self::Build { of: of.to_owned(), reason: reason.into() }
    }

    pub(crate) fn metadata(wheel: &str, reason: impl Into<String>) -> Self {
        Self::Metadata { wheel: wheel.to_owned(), reason: reason.into() }
    }
}

fn wait_hint(retry_after: Option<Duration>) -> String {
    retry_after.map_or_else(String::new, |wait| format!(", and asks to wait {} s", wait.as_secs()))
}

fn status_hint(status: u16) -> &'static str {
    match status {
        401 => " (credentials are missing or wrong)",
        403 => " (forbidden)",
        404 => " (not found)",
        429 => " (too many requests)",
        500.. => " (server error)",
        _ => "",
    }
}
