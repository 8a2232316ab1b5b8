//! Wheels: reading, checking and ingesting archives.
//!
//! [`ingest`] is the only way in: what it publishes was checked as a whole, against the archive's own
//! structure, its RECORD and its metadata. [`read_metadata`] reads one file of a wheel that is not here yet.

pub mod archive;
mod dist_info;
mod entry_points;
mod error;
mod import_names;
mod ingest;
mod intake;
pub mod manifest;
mod metadata;
mod placement;
mod record;
mod scripts;
pub(crate) mod tree;

pub use dist_info::{read_metadata, read_names};
pub use entry_points::{EntryPoint, EntryPointKind};
pub use error::{Fault, WheelError};
pub use ingest::{Ingested, ingest};
pub use manifest::{WheelFile, WheelManifest};
pub use metadata::Metadata;
pub use tree::WheelTree;
