//! uv, if it is on PATH, for the same work: the same interpreters, the same index, a cache of its own.
//!
//! Every command counts from process start to process exit. Offline is when uv is quickest, so whatever it has
//! fetched before is measured offline.

use super::stage::{Place, output_of};
use crate::index_settings;
use anyhow::Result;
use omnipkg_store::Store;
use omnipkg_store::interpreter::{Interpreter, discover};
use std::path::{Path, PathBuf};
use std::process::Command;

/// uv in a demo's place.
pub struct Uv<'a> {
    program: PathBuf,
    place: &'a Place,
    index: String,
}

impl<'a> Uv<'a> {
    /// The one on PATH; its index is the one that omnipkg asks, and the interpreter tells a default where none is set.
    pub fn find(place: &'a Place, interpreter: &Interpreter) -> Result<Option<Self>> {
        let Some(program) = discover::on_path("uv").into_iter().next() else { return Ok(None) };
        let store = Store::open(&place.settings.home)?;
        let index = index_settings::indexes(&place.settings, &store, interpreter)?.index_url;
        let index = index.map_or_else(String::new, |url| url.to_string());
        Ok(Some(Self { program, place, index }))
    }

    fn command(&self, verb: &[&str], offline: bool) -> Command {
        let mut command = self.place.command(&self.program);
        command
            .env("UV_CACHE_DIR", self.place.work.join("uv-cache"))
            .env("UV_DEFAULT_INDEX", &self.index)
            .args(verb)
            .arg("--quiet");
        if offline {
            command.arg("--offline");
        }
        command
    }

    /// An environment; one that is there already stays as it is.
    pub fn environment(&self, venv: &Path, python: &Path) -> Result<()> {
        let mut command = self.command(&["venv", "--allow-existing"], true);
        output_of(command.arg("--python").arg(python).arg(venv)).map(drop)
    }

    /// Requirements in an environment.
    pub fn install(&self, venv: &Path, requirements: &[String], offline: bool) -> Result<()> {
        let mut command = self.command(&["pip", "install"], offline);
        output_of(command.arg("--python").arg(venv.join("bin/python")).args(requirements)).map(drop)
    }

    /// A script with one requirement; what it says.
    pub fn run_with(&self, python: &Path, requirement: &str, script: &Path, offline: bool) -> Result<String> {
        let mut command = self.command(&["run", "--no-project"], offline);
        output_of(command.arg("--python").arg(python).args(["--with", requirement]).arg(script))
    }
}
