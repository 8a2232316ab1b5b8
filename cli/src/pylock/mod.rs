//! `pylock.toml` (PEP 751): written for one environment, read from whoever wrote it.
//!
//! What is written follows from the wheels and the interpreter alone: the same set gives the same bytes, without times,
//! commands or credentials. What is read is followed as the PEP's installation algorithm says; what it leaves open or
//! forbids is an error that names the entry. Nothing without a hash is ever taken from a file.

mod choose;
mod markers;
mod place;
mod read;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
mod write;

pub use choose::Wanted;
pub use place::requirement_of;
pub use read::Document;
pub use write::{names_a_place, pylock, requirements};

use std::path::Path;

/// The only version of the format that there is.
const LOCK_VERSION: &str = "1.0";

/// True for the names that the PEP gives lock files: `pylock.toml`, `pylock.NAME.toml`.
pub fn is_name(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let middle = name.strip_prefix("pylock.").and_then(|rest| rest.strip_suffix("toml"));
    // What is left is nothing, or a name without dots and the dot behind it.
    middle.is_some_and(|middle| {
        middle.is_empty() || middle.strip_suffix('.').is_some_and(|name| !name.is_empty() && !name.contains('.'))
    })
}
