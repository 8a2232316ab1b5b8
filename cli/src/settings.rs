//! Settings that hold for a whole command: where the store is, how to talk, whether the network may be used.
//!
//! Each comes from a flag, else from the environment; nothing here touches the disk, since the warm path of
//! `run` reads it too.

use crate::arguments::IndexOptions;
use anyhow::{Result, bail};
use omnipkg_fusefs::Rung;
use omnipkg_resolver::Formats;
use std::env;
use std::path::PathBuf;

/// How a view becomes files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProjectionChoice {
    /// FUSE where it works, else links.
    Probe,
    /// FUSE that everybody sees, or an error.
    Fuse,
    /// FUSE in this way or an error.
    Rung(Rung),
    /// Links, without looking for FUSE.
    Link,
}

/// Settings of one command.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The store's root.
    pub home: PathBuf,
    /// `OMNIPKG_PROJECTION`.
    pub projection: ProjectionChoice,
    /// Use nothing but what is on this machine.
    pub offline: bool,
    /// Ask the index again, whatever is remembered.
    pub refresh: bool,
    /// No talk but errors.
    pub quiet: bool,
    /// More talk.
    pub verbose: bool,
    /// Answers on stdout as JSON.
    pub json: bool,
    /// Flags that say where projects are looked for.
    pub index: IndexOptions,
    /// Which kinds of archives may be taken.
    pub formats: Formats,
}

impl Settings {
    /// The store's root: `$OMNIPKG_HOME`, else `${XDG_DATA_HOME:-~/.local/share}/omnipkg`.
    pub fn home() -> Result<PathBuf> {
        if let Some(home) = non_empty("OMNIPKG_HOME") {
            return Ok(std::path::absolute(home)?);
        }
        if let Some(data) = non_empty("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute()) {
            return Ok(data.join("omnipkg"));
        }
        match non_empty("HOME") {
            Some(home) => Ok(PathBuf::from(home).join(".local/share/omnipkg")),
            None => bail!("neither OMNIPKG_HOME nor HOME is set, so there is no place for the store"),
        }
    }

    /// Reads `OMNIPKG_PROJECTION`.
    pub fn projection() -> Result<ProjectionChoice> {
        match env::var("OMNIPKG_PROJECTION").as_deref() {
            Err(_) | Ok("") => Ok(ProjectionChoice::Probe),
            Ok("fuse") => Ok(ProjectionChoice::Fuse),
            Ok("link") => Ok(ProjectionChoice::Link),
            Ok(other) => match Rung::named(other) {
                Some(rung) => Ok(ProjectionChoice::Rung(rung)),
                None => bail!(
                    "OMNIPKG_PROJECTION is {other:?}: it can be direct, fusermount, namespace, fuse (direct or fusermount) or link"
                ),
            },
        }
    }
}

/// An environment variable that is set and not empty.
pub fn non_empty(name: &str) -> Option<std::ffi::OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

/// True if a variable is set to something that means yes.
pub fn is_yes(name: &str) -> bool {
    env::var(name).is_ok_and(|value| matches!(value.to_ascii_lowercase().as_str(), "1" | "true" | "yes" | "on"))
}
