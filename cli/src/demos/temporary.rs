//! The store of demo 7: empty at first, and gone with the demo.

use super::stage::Place;
use crate::output;
use crate::server;
use crate::settings::Settings;
use anyhow::{Context, Result};
use omnipkg_store::{Layout, links};
use std::fs;

/// A store and a working directory that live as long as the demo.
pub struct TemporaryStore {
    _directory: tempfile::TempDir,
    place: Place,
}

impl TemporaryStore {
    /// An empty store beside nothing of the user's.
    pub fn new(settings: &Settings) -> Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("omnipkg-demo-")
            .tempdir()
            .context("cannot make a directory for the demo")?;
        let work = directory.path().join("work");
        fs::create_dir(&work).context("cannot make a directory for the demo")?;
        let settings = Settings { home: directory.path().join("store"), ..settings.clone() };
        Ok(Self { _directory: directory, place: Place { settings, work } })
    }

    /// Where it is.
    pub fn place(&self) -> &Place {
        &self.place
    }
}

impl Drop for TemporaryStore {
    fn drop(&mut self) {
        let layout = Layout::new(&self.place.settings.home);
        if let Err(error) = server::stop(&layout) {
            output::warn(&format!("{error:#}"));
        }
        // Link projections are read-only: opened for removal.
        for entry in fs::read_dir(layout.links()).into_iter().flatten().flatten() {
            let _ = links::discard(&entry.path());
        }
    }
}
