//! The wheel manifest: what a wheel is and which objects it is made of, whatever the interpreter.
//!
//! Canonical: one wheel has one text, and what is read is written back byte for byte. UTF-8, one fact a
//! line, in this order, `*` lines any number of times:
//!
//! ```text
//! omnipkg-wheel 1                          format version
//! filename NAME                            the wheel's file name: project, version, build, tags
//! display-name NAME                        Name as METADATA spells it
//! requires-python SPECIFIERS               (absent if METADATA has none)
//! requires-dist REQUIREMENT *
//! provides-extra EXTRA *
//! console-script MODULE:ATTRIBUTE[EXTRA,…] NAME *
//! gui-script MODULE:ATTRIBUTE[EXTRA,…] NAME *
//! import NAME *                            import packages, sorted
//! warning TEXT *                           defects that were accepted
//! files COUNT
//! DIGEST SIZE FLAG PATH *                  blake3, bytes, `x` executable or `-`; sorted by path
//! checksum DIGEST                          blake3 of everything before this line
//! ```
//!
//! A path begins with its scheme: `site/` (purelib and platlib), `bin/`, `include/` (headers, then the
//! project's name), `data/` (relative to the environment's root). Paths are safe to join: relative, without
//! `..`, and no file is another's parent directory. Bytecode that a wheel brings in `__pycache__` is left
//! out: it would be stale beside omnipkg's own.

mod parse;
#[cfg(test)]
mod tests;

use super::entry_points::{EntryPoint, EntryPointKind};
use super::metadata::one_line;
use crate::digest::{Digest, Sha256};
use crate::error::{Error, IoContext, Result};
use crate::layout::{Layout, Store};
use crate::tags::WheelTag;
use pep440_rs::Version;
use pep508_rs::PackageName;
use std::fmt::Write;
use std::fs;

const FORMAT: &str = "omnipkg-wheel 1";

/// First components of paths.
pub(super) const SCHEMES: [&str; 4] = ["bin", "data", "include", "site"];

/// One file of a wheel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WheelFile {
    /// The object.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// True if it is to be executable.
    pub executable: bool,
    /// Scheme and path: `site/rich/__init__.py`.
    pub path: String,
}

/// What a wheel is and which objects it is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WheelManifest {
    /// The wheel's file name.
    pub filename: String,
    /// The project, normalised.
    pub name: PackageName,
    /// The project as METADATA spells it.
    pub display_name: String,
    /// The version.
    pub version: Version,
    /// Tags of the file name, expanded.
    pub tags: Vec<WheelTag>,
    /// `Requires-Python`, raw.
    pub requires_python: Option<String>,
    /// `Requires-Dist`, raw.
    pub requires_dist: Vec<String>,
    /// `Provides-Extra`, raw.
    pub provides_extra: Vec<String>,
    /// Console and GUI scripts; each has its file in `bin/` too.
    pub entry_points: Vec<EntryPoint>,
    /// Import packages and modules, dotted below namespace packages; sorted.
    pub import_names: Vec<String>,
    /// Defects that were accepted.
    pub warnings: Vec<String>,
    /// The files, sorted by path.
    pub files: Vec<WheelFile>,
}

/// A text that is no wheel manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct ParseManifestError {
    reason: String,
}

impl WheelManifest {
    /// Parses the canonical text.
    ///
    /// # Errors
    /// [`ParseManifestError`] for anything that [`WheelManifest::to_bytes`] would not write.
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseManifestError> {
        parse::parse(bytes)
    }

    /// A wheel of these files, in their order, for tests.
    #[cfg(test)]
    #[allow(clippy::unwrap_used)]
    pub(crate) fn sample(files: Vec<WheelFile>) -> Self {
        Self {
            filename: "pkg-1.0-py3-none-any.whl".to_owned(),
            name: "pkg".parse().unwrap(),
            display_name: "Pkg".to_owned(),
            version: "1.0".parse().unwrap(),
            tags: vec![WheelTag::new("py3", "none", "any")],
            requires_python: None,
            requires_dist: Vec::new(),
            provides_extra: Vec::new(),
            entry_points: Vec::new(),
            import_names: Vec::new(),
            warnings: Vec::new(),
            files,
        }
    }

    /// Reads the manifest of a wheel that the store has.
    ///
    /// # Errors
    /// [`Error::Io`] (see [`Error::is_not_found`]), or [`Error::Damaged`].
    pub fn read(store: &Store, sha256: &Sha256) -> Result<Self> {
        Self::read_in(store.layout(), sha256)
    }

    pub(crate) fn read_in(layout: &Layout, sha256: &Sha256) -> Result<Self> {
        let path = layout.wheel(sha256);
        let bytes = fs::read(&path).at("read wheel manifest", &path)?;
        Self::parse(&bytes).map_err(|error| Error::Damaged { what: "wheel manifest", path, reason: error.reason })
    }

    /// The canonical text.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut text = String::with_capacity(512 + self.files.len() * 140);
        let mut line = |key: &str, value: &str| {
            text.push_str(key);
            text.push(' ');
            text.push_str(&one_line(value));
            text.push('\n');
        };
        let (format, version) = FORMAT.split_once(' ').unwrap_or((FORMAT, ""));
        line(format, version);
        line("filename", &self.filename);
        line("display-name", &self.display_name);
        self.requires_python.iter().for_each(|value| line("requires-python", value));
        self.requires_dist.iter().for_each(|value| line("requires-dist", value));
        self.provides_extra.iter().for_each(|value| line("provides-extra", value));
        for entry in &self.entry_points {
            line(script_key(entry.kind), &script_value(entry));
        }
        self.import_names.iter().for_each(|value| line("import", value));
        self.warnings.iter().for_each(|value| line("warning", value));
        line("files", &self.files.len().to_string());
        for file in &self.files {
            let flag = if file.executable { 'x' } else { '-' };
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{} {} {flag} {}", file.digest, file.size, file.path);
        }
        let checksum = Digest::of(text.as_bytes());
        let _ = writeln!(text, "checksum {checksum}");
        text.into_bytes()
    }

    /// The same without its files.
    pub fn without_files(&self) -> Self {
        Self {
            filename: self.filename.clone(),
            name: self.name.clone(),
            display_name: self.display_name.clone(),
            version: self.version.clone(),
            tags: self.tags.clone(),
            requires_python: self.requires_python.clone(),
            requires_dist: self.requires_dist.clone(),
            provides_extra: self.provides_extra.clone(),
            entry_points: self.entry_points.clone(),
            import_names: self.import_names.clone(),
            warnings: self.warnings.clone(),
            files: Vec::new(),
        }
    }

    /// Bytes of all files.
    pub fn size(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }

    /// The file at a path with its scheme.
    pub fn file(&self, path: &str) -> Option<&WheelFile> {
        let index = self.files.binary_search_by(|file| file.path.as_str().cmp(path)).ok()?;
        self.files.get(index)
    }
}

/// The path of a file that another file has as its parent directory, if there is one; `files` is sorted.
///
/// Sorted, whatever begins with a path follows it closely: `candidates` are the paths that the present one
/// begins with, each of which begins with those before it.
fn file_that_is_a_parent(files: &[WheelFile]) -> Option<&str> {
    let mut candidates: Vec<&str> = Vec::new();
    for file in files {
        let path = file.path.as_str();
        while candidates.pop_if(|candidate| !path.starts_with(*candidate)).is_some() {}
        if let Some(parent) = candidates.iter().find(|candidate| path.as_bytes().get(candidate.len()) == Some(&b'/')) {
            return Some(parent);
        }
        candidates.push(path);
    }
    None
}

fn script_key(kind: EntryPointKind) -> &'static str {
    match kind {
        EntryPointKind::Console => "console-script",
        EntryPointKind::Gui => "gui-script",
    }
}

fn script_value(entry: &EntryPoint) -> String {
    let EntryPoint { module, attribute, extras, name, .. } = entry;
    format!("{module}:{attribute}[{}] {name}", extras.join(","))
}
