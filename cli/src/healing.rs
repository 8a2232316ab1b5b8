//! What the healer asks of the outside: views from the workshop, runs from the launcher, talk on stderr.

mod asked;
mod guesses;
mod others;
mod prediction;
mod pythons;
pub mod saving;
pub mod scan;
mod supply;
mod trials;

pub use others::FAILURES;
use others::{MISSES, Others, left};
pub use prediction::Prediction;
pub use pythons::{MachinePythons, versions as pythons_of};
pub use supply::{LazyWorkshop, PythonChoice, Unnoted, beneath};

use crate::launch::{self, Answer, Program, Told, Wrapper};
use crate::output;
use crate::settings::Settings;
use crate::signals::Signals;
use crate::standard_input::StandardInput;
use crate::workshop::Composed;
use crate::writable::WritableRuns;
use anyhow::Result;
use omnipkg_healer::{Diagnosis, Listener, Provides, Report, Runner, Talk, Verdict};
use omnipkg_store::catalog::Catalog;
use omnipkg_store::{Store, ViewId};
use std::io::{BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

/// anyhow's error as one that the healer's traits can carry.
#[derive(Debug)]
pub struct Failure(pub anyhow::Error);

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

/// A view that a program runs in.
#[derive(Debug, Clone)]
pub struct RunView {
    /// Its name.
    pub id: ViewId,
    /// Where it can be seen.
    pub path: PathBuf,
    /// What composing it gave; `None` if it was there from the start.
    pub composed: Option<Box<Composed>>,
}

impl From<Composed> for RunView {
    fn from(composed: Composed) -> Self {
        Self { id: composed.id, path: composed.path.clone(), composed: Some(Box::new(composed)) }
    }
}

/// Runs one program.
pub struct ProgramRunner<'a> {
    signals: &'a Signals,
    program: &'a Program,
    over: &'a str,
    input: StandardInput,
    others: Others,
    /// If the views are to be writable.
    pub writable: Option<WritableRuns<'a>>,
}

impl<'a> ProgramRunner<'a> {
    /// Runs `program`, passing signals on to it; `over` is what it is told of what lies beneath.
    pub fn new(signals: &'a Signals, program: &'a Program, over: &'a str, home: &Path) -> Self {
        Self { signals, program, over, input: StandardInput::observe(), others: Others::new(home), writable: None }
    }
}

/// What is looked at only if the program ends badly.
enum AtEnd {
    Nothing,
    Misses(Vec<u8>),
    Report(Box<Report>),
}

impl AtEnd {
    fn report(self, view: &Path) -> Option<Report> {
        match self {
            Self::Nothing => None,
            Self::Misses(misses) => left(view, &misses),
            Self::Report(report) => Some(*report),
        }
    }
}

impl Runner<RunView> for ProgramRunner<'_> {
    type Error = Failure;

    fn run(&mut self, view: &RunView, on_failure: &mut dyn FnMut(Report) -> Verdict) -> Result<i32, Failure> {
        self.input.rewind();
        let prepared = self.writable.as_mut().map(|runs| runs.prepare(view)).transpose();
        let (path, wrapper) = prepared.map_err(Failure)?.unwrap_or_else(|| (view.path.clone(), Wrapper::default()));
        let (input, others) = (&self.input, &self.others);
        let (mut is_told, mut at_end) = (false, AtEnd::Nothing);
        let mut tell = |mut report: Report, others: Vec<Report>| {
            report.input_gone = input.is_gone(report.input_read);
            report.others = others;
            on_failure(report)
        };
        let mut answer = |bytes: &[u8]| {
            if bytes.starts_with(MISSES) {
                at_end = AtEnd::Misses(bytes.to_vec());
                return Answer::Unasked;
            }
            match Report::from_json(bytes) {
                Ok(report) if report.at_end => {
                    at_end = AtEnd::Report(Box::new(report));
                    Answer::Unasked
                }
                Ok(report) => {
                    is_told = true;
                    let is_held = report.held;
                    let others = if report.may_be_anothers() { others.take(&path) } else { Vec::new() };
                    match tell(report, others) {
                        _ if !is_held => Answer::Unasked,
                        Verdict::Quiet => Answer::Quiet,
                        Verdict::Print => Answer::Print,
                    }
                }
                // Whatever sent that, it is not our reporter: the script prints its traceback itself.
                Err(_) => Answer::Print,
            }
        };
        let variable = self.others.variable();
        let told = Told { over: self.over, failures: Some(&variable) };
        let run = launch::run(self.signals, &path, &wrapper, self.program, told, Some(&mut answer));
        let code = run.map_err(Failure)?;
        // Not if it was ended by a signal: that is nothing of the environment's.
        if !is_told && (1..=127).contains(&code) {
            // A Python that failed ends with 1, and whoever passes that on too.
            let of_others = if code == 1 { others.take(&path) } else { Vec::new() };
            let mut reports = at_end.report(&path).into_iter().chain(of_others);
            if let Some(first) = reports.next() {
                tell(first, reports.collect());
            }
        }
        Ok(code)
    }
}

/// Says the healer's lines.
pub struct Speaker<'a> {
    /// Settings of the command.
    pub settings: &'a Settings,
}

impl Listener for Speaker<'_> {
    fn say(&mut self, talk: Talk) {
        match talk {
            _ if self.settings.quiet => {}
            Talk::Healing(text) | Talk::Unhealed(text) => output::talk(&text),
            Talk::Hint(text) => output::hint(&text),
        }
    }

    fn can_ask(&self) -> bool {
        let is_terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        is_terminal && std::env::var_os("CI").is_none()
    }

    fn consent(&mut self, diagnosis: &Diagnosis) -> bool {
        if !self.can_ask() {
            return false;
        }
        let remedies: Vec<String> = diagnosis.remedies.iter().map(ToString::to_string).collect();
        for one in &diagnosis.considered {
            output::talk(&format!("{}: {}", one.project, one.reason));
        }
        anstream::eprint!("omnipkg: {}; run with {}? [y/N] ", diagnosis.evidence, remedies.join(", "));
        let _ = std::io::stderr().flush();
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).is_ok() && matches!(line.trim(), "y" | "Y" | "yes")
    }
}

/// What the store's wheels prove about import names; the catalog is opened when it is first asked.
pub struct CatalogProvides {
    /// The store's root.
    pub home: PathBuf,
}

impl Provides for CatalogProvides {
    fn distributions_for(&self, import_name: &str) -> Vec<String> {
        let answer = || -> Result<Vec<String>> {
            let store = Store::open(&self.home)?;
            Ok(Catalog::open(&store)?.projects_providing(import_name)?)
        };
        // No catalog, no proof: the table may still know.
        answer().unwrap_or_default()
    }
}
