//! What can be wrong with a wheel: the outer error names the wheel, the [`Fault`] in its `source` says why.

use crate::digest::Sha256;
use std::io;

/// Why a wheel was refused.
#[derive(Debug, thiserror::Error)]
pub enum WheelError {
    /// The file name is not `name-version(-build)?-python-abi-platform.whl` (PEP 427).
    #[error("{filename} is not a wheel file name: {reason}")]
    Filename {
        /// The offending file name.
        filename: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The archive cannot be used; the reason is in the source.
    #[error("cannot use the wheel {filename}")]
    Refused {
        /// The wheel's file name.
        filename: String,
        /// What is wrong with it.
        #[source]
        fault: Fault,
    },
}

impl WheelError {
    /// Names the wheel that a fault was found in.
    pub(crate) fn refused(filename: &str, fault: Fault) -> Self {
        Self::Refused { filename: filename.to_owned(), fault }
    }
}

/// What is wrong with a wheel's content.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The bytes could not be read: the disk or the network, not the wheel.
    #[error("cannot read the archive")]
    Read(#[source] io::Error),
    /// The archive is not the one that the index or lock names.
    #[error("the archive has sha256 {found}, expected {expected}")]
    Hash {
        /// What was asked for.
        expected: Sha256,
        /// What the bytes have.
        found: Sha256,
    },
    /// The zip structure is malformed or ambiguous.
    #[error("malformed archive: {0}")]
    Archive(String),
    /// One member is malformed, unsafe or not what the archive declares.
    #[error("archive member {path:?}: {reason}")]
    Member {
        /// The member's name as the archive has it.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A member is not what RECORD says.
    #[error("{path:?} does not match RECORD: {reason}")]
    Record {
        /// The file.
        path: String,
        /// How it differs.
        reason: String,
    },
    /// A file of the `.dist-info` directory is missing or wrong.
    #[error("{file}: {reason}")]
    Metadata {
        /// "METADATA", "WHEEL", "RECORD", "entry_points.txt" or ".dist-info".
        file: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}

impl Fault {
    pub(crate) fn archive(reason: impl Into<String>) -> Self {
        Self::Archive(reason.into())
    }

    pub(crate) fn member(path: &str, reason: impl Into<String>) -> Self {
        Self::Member { path: path.to_owned(), reason: reason.into() }
    }

    pub(crate) fn metadata(file: &'static str, reason: impl Into<String>) -> Self {
        Self::Metadata { file, reason: reason.into() }
    }
}

/// The reader ended early: the archive is cut; anything else is the disk's or network's doing.
impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::archive("it ends too early"),
            _ => Self::Read(error),
        }
    }
}
