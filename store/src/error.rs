//! What can go wrong in the store: each error names the operation and the path; causes are in `source`.

use std::io;
use std::path::{Path, PathBuf};

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused an operation on a path.
    #[error("cannot {operation} {}", path.display())]
    Io {
        /// What was tried, as a verb: "read", "create directory".
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// A file of the store does not hold what it should.
    #[error("{what} {} is damaged: {reason}", path.display())]
    Damaged {
        /// The kind of file: "view manifest".
        what: &'static str,
        /// Which one.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The store was written by a version that this one does not understand.
    #[error("the store {} has layout {found:?}, this omnipkg understands {understood:?}", path.display())]
    Layout {
        /// The store's root.
        path: PathBuf,
        /// What its `version` file says.
        found: String,
        /// What this build can read.
        understood: &'static str,
    },
    /// A wheel was refused.
    #[error(transparent)]
    Wheel(#[from] crate::wheel::WheelError),
    /// The catalog could not answer.
    #[error("cannot {operation} the catalog {}", path.display())]
    Catalog {
        /// What was tried, as a verb.
        operation: &'static str,
        /// The database file.
        path: PathBuf,
        /// SQLite's answer.
        source: rusqlite::Error,
    },
    /// An interpreter's archive was refused.
    #[error(transparent)]
    Archive(#[from] crate::interpreter::archive::ArchiveError),
    /// A source distribution was refused.
    #[error(transparent)]
    Source(#[from] crate::sdist::SourceError),
    /// A Python interpreter cannot be used.
    #[error("cannot use the Python {}: {reason}", path.display())]
    Interpreter {
        /// The interpreter.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// A view cannot be built as asked.
    #[error("cannot build the view: {0}")]
    View(String),
    /// An environment's name or state does not allow the operation.
    #[error("environment {name:?}: {reason}")]
    Environment {
        /// The environment.
        name: String,
        /// What stands in the way.
        reason: String,
    },
}

impl Error {
    /// True if the device or quota is full: the one condition that users mend by making room.
    pub fn is_no_space(&self) -> bool {
        matches!(self, Error::Io { source, .. }
            if matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded))
    }

    /// True if the thing asked for does not exist.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Error::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

/// The store's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Names the operation and the path of an I/O error.
pub trait IoContext<T> {
    /// Turns an I/O error into [`Error::Io`] with the operation (a verb) and the path.
    fn at(self, operation: &'static str, path: &Path) -> Result<T>;
}

impl<T> IoContext<T> for io::Result<T> {
    fn at(self, operation: &'static str, path: &Path) -> Result<T> {
        self.map_err(|source| Error::Io { operation, path: path.to_owned(), source })
    }
}

impl<T> IoContext<T> for nix::Result<T> {
    fn at(self, operation: &'static str, path: &Path) -> Result<T> {
        self.map_err(io::Error::from).at(operation, path)
    }
}
