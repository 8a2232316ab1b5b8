//! From a report to a diagnosis: what about the environment made the script fail, by what evidence, and what mends it.
//!
//! Each kind of failure has its own file. Evidence is comparisons, names and values; of a message only what programs put
//! into it is read (a name, a number, a command), never its prose. A failure that no file recognises is the script's own and gives no diagnosis.

mod api;
mod binary;
mod extra;
mod missing_data;
mod missing_library;
mod missing_module;
mod missing_program;
mod required;
mod symptom;
mod syntax;
#[cfg(test)]
pub(crate) mod testing;
mod version_assertion;

use crate::knowledge::{Knowledge, Provides, Pythons};
use crate::policy::Heal;
use crate::remedy::Remedy;
use crate::report::Report;

/// What kind of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The script checks a distribution's version and found another.
    VersionAssertion,
    /// A module cannot be imported because no distribution provides it.
    MissingModule,
    /// The script asks for a distribution by name that is not there.
    MissingDistribution,
    /// An extension module needs a system library that is not there.
    MissingLibrary,
    /// An attribute, name, module or argument that other versions of a distribution, or of Python, have.
    Api,
    /// A program that the script starts and that is not there.
    MissingProgram,
    /// Data that a distribution wants beside itself.
    MissingData,
    /// A distribution that wants another one in other versions, and says so when it is imported.
    Required,
    /// A file that this Python cannot read.
    Syntax,
    /// An extension module that was built for other versions of what it uses.
    Binary,
    /// What is known by its symptom alone.
    Symptom,
    /// What versions were tried for, since nothing was known.
    Searched,
    /// A comment of the script's that asks for a project in certain versions.
    Comment,
    /// A part of a distribution that asks for what only one of its extras brings.
    Extra,
}

impl Kind {
    /// Its name for other programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::VersionAssertion => "version-assertion",
            Self::MissingModule => "missing-module",
            Self::MissingDistribution => "missing-distribution",
            Self::MissingLibrary => "missing-library",
            Self::MissingProgram => "missing-program",
            Self::MissingData => "missing-data",
            Self::Api => "api",
            Self::Required => "required",
            Self::Syntax => "syntax",
            Self::Binary => "binary",
            Self::Comment => "comment",
            Self::Symptom => "symptom",
            Self::Searched => "searched",
            Self::Extra => "extra",
        }
    }
}

/// What was found about a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// The kind of failure.
    pub kind: Kind,
    /// One line: "s.py:4 asserts rich == 13.4.2, found 13.7.1".
    pub evidence: String,
    /// One line for the talk: "s.py:4 needs rich 13.4.2 (found 13.7.1)".
    pub need: String,
    /// What mends it, all of it together; empty when nothing certain is known.
    pub remedies: Vec<Remedy>,
    /// Certain remedies for failures that will come next: taken along, but only if that works.
    pub foreseen: Vec<Remedy>,
    /// Whether the remedies are a guess: taken only after asking.
    pub guessed: bool,
    /// Whether a project of the user's choice could mend it.
    pub guessable: bool,
    /// What else was thought of, and why it was not taken.
    pub considered: Vec<Considered>,
    /// Where the remedies are known from.
    pub known_from: Vec<String>,
    /// What the user can do where there is no remedy.
    pub hint: Option<String>,
}

impl Diagnosis {
    /// A diagnosis without a remedy yet.
    pub(crate) fn new(kind: Kind, evidence: String) -> Self {
        let need = evidence.clone();
        Self {
            kind,
            evidence,
            need,
            remedies: Vec::new(),
            foreseen: Vec::new(),
            guessed: false,
            guessable: false,
            considered: Vec::new(),
            known_from: Vec::new(),
            hint: None,
        }
    }

    /// Whether two diagnoses ask for the same: healing again would go round in a circle.
    pub fn same(&self, other: &Self) -> bool {
        self.kind == other.kind && self.remedies == other.remedies && self.evidence == other.evidence
    }
}

/// A project that was thought of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Considered {
    /// The project's name.
    pub project: String,
    /// Why it was not taken.
    pub reason: String,
    /// Whether it may be suggested for `--with`.
    pub installable: bool,
}

/// What diagnosing may lean on.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The reviewed tables.
    pub knowledge: &'a Knowledge,
    /// What the store's distributions prove.
    pub provides: &'a dyn Provides,
    /// The interpreters of the machine.
    pub pythons: &'a dyn Pythons,
    /// What may be installed.
    pub heal: Heal,
}

/// Diagnoses a report; `None` when the failure is the script's own.
pub fn diagnose(report: &Report, context: Context<'_>) -> Option<Diagnosis> {
    version_assertion::diagnose(report)
        .or_else(|| syntax::diagnose(report, context))
        .or_else(|| binary::wrong_python(report))
        .or_else(|| api::diagnose(report, context))
        .or_else(|| extra::diagnose(report))
        .or_else(|| required::diagnose(report))
        .or_else(|| missing_module::diagnose(report, context))
        .or_else(|| binary::diagnose(report))
        .or_else(|| symptom::diagnose(report, context))
        .or_else(|| missing_library::diagnose(report, context))
        .or_else(|| missing_data::diagnose(report))
        .or_else(|| missing_program::diagnose(report))
}
