//! One progress display: a line while resolving, one bar for all downloads, one for compiling. Only on a terminal,
//! but warnings of the resolver anywhere, once each.

use crate::output;
use crate::settings::Settings;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use omnipkg_resolver::Progress;
use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The display of one command; it is drawn on stderr, from the first thing told to it, and leaves nothing behind.
#[derive(Clone)]
pub struct Display(Arc<Bar>);

struct Bar {
    bar: ProgressBar,
    wanted: bool,
    quiet: bool,
    downloading: AtomicBool,
    /// Healing resolves again and again, mostly to the same versions.
    warnings: Mutex<BTreeSet<String>>,
}

impl Display {
    /// A display that is drawn if stderr is a terminal and talk is wanted.
    pub fn new(settings: &Settings) -> Self {
        let wanted = std::io::stderr().is_terminal() && !settings.quiet;
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        let (downloading, warnings) = (AtomicBool::new(false), Mutex::default());
        Self(Arc::new(Bar { bar, wanted, quiet: settings.quiet, downloading, warnings }))
    }

    /// What the resolver tells its progress to.
    pub fn progress(&self) -> Arc<dyn Progress> {
        Arc::clone(&self.0) as Arc<dyn Progress>
    }

    /// Shows how many sources there are to compile.
    pub fn compiling(&self, sources: usize) {
        self.0.bar.set_length(sources as u64);
        self.0.bar.set_position(0);
        self.0.show("{bar:24} {pos}/{len} {wide_msg}");
        self.0.bar.set_message("compiling");
    }

    /// Counts one source that was compiled.
    pub fn compiled(&self) {
        self.0.bar.inc(1);
    }

    /// Takes the display away, until the next thing is told to it.
    pub fn finish(&self) {
        self.0.done();
    }
}

impl Bar {
    fn show(&self, template: &str) {
        if self.wanted {
            self.bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }
}

impl Progress for Bar {
    fn resolving(&self, name: &str, version: &str) {
        if self.bar.is_hidden() {
            self.show("{spinner} {wide_msg}");
        }
        self.bar.set_message(format!("resolving {name} {version}"));
        self.bar.tick();
    }

    fn fetching(&self, filename: &str, bytes_total: Option<u64>) {
        if !self.downloading.swap(true, Ordering::Relaxed) {
            self.bar.set_length(0);
            self.bar.set_position(0);
            self.show("{bar:24} {bytes}/{total_bytes} {wide_msg}");
        }
        self.bar.inc_length(bytes_total.unwrap_or(0));
        self.bar.set_message(filename.to_owned());
    }

    fn fetched_bytes(&self, _filename: &str, bytes: u64) {
        self.bar.inc(bytes);
    }

    fn warning(&self, text: &str) {
        let mut told = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.quiet && told.insert(text.to_owned()) {
            self.bar.suspend(|| output::warn(text));
        }
    }

    fn building(&self, source: &str) {
        self.show("{spinner} {wide_msg}");
        self.bar.set_message(format!("building {source}"));
        self.bar.tick();
    }

    fn done(&self) {
        if self.wanted {
            self.bar.finish_and_clear();
            self.bar.set_draw_target(ProgressDrawTarget::hidden());
            self.bar.reset();
        }
        self.downloading.store(false, Ordering::Relaxed);
    }
}
