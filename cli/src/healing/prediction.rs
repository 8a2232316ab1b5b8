//! What a script will fail of in a view, asked before it runs there: of the view's own Python, which reads the script and
//! runs none of it.
//!
//! That costs a start of Python, so it is asked only where a first look at the text says that there may be something, and
//! not again for a script and a view of which there was nothing to tell.

use super::{RunView, asked, scan};
use crate::runtime_files::RUNTIME_STAMP;
use crate::signals::Signals;
use omnipkg_healer::Report;
use omnipkg_store::{Digest, Layout};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

const READ: &str = "import sys; sys.path[:1] = []; from omnipkg import _predicted; _predicted.main()";

/// A script as it will be run.
pub struct Prediction<'a> {
    /// The store's root.
    pub home: &'a Path,
    /// The script's path.
    pub script: &'a Path,
    /// Its bytes.
    pub source: &'a [u8],
    /// Signals end the command while it asks.
    pub signals: &'a Signals,
}

impl Prediction<'_> {
    /// The report of what would fail in a view, if anything may.
    pub fn read(&self, view: &RunView) -> Option<Report> {
        let is_nothing = self.nothing(view).exists() || !scan::may_fail(self.source, self.script, &view.path);
        if is_nothing { None } else { self.ask(view) }
    }

    /// The report of what would fail in a view.
    pub fn ask(&self, view: &RunView) -> Option<Report> {
        let _interruptible = self.signals.interruptible().ok()?;
        let mut command = Command::new(view.path.join("bin/python"));
        command.args(["-s", "-B", "-c", READ]).arg(self.script);
        Report::from_json(&asked::output(command, b"")?).ok()
    }

    /// Remembers that there is nothing to tell of the script in a view. Best effort: it would only be asked again.
    pub fn is_nothing(&self, view: &RunView) {
        let path = self.nothing(view);
        let _ = path.parent().map(fs::create_dir_all);
        let _ = File::create(path);
    }

    fn nothing(&self, view: &RunView) -> PathBuf {
        // Another omnipkg knows other names.
        let mut key = RUNTIME_STAMP.as_bytes().to_vec();
        key.extend(env!("CARGO_PKG_VERSION").as_bytes());
        key.extend(self.source);
        key.extend(self.script.as_os_str().as_encoded_bytes());
        key.extend(view.id.to_string().bytes());
        Layout::new(self.home).cache().join("predicted").join(Digest::of(&key).to_hex())
    }
}
