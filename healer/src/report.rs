//! The failure report: what the reporter in a view (`python/_omnipkg_reporter.py`) says about an uncaught exception.
//!
//! The sender is whatever runs in the view, so nothing here is trusted: sizes are bounded, unknown fields are passed over,
//! and a report that does not have this shape is an error, never a panic. Text from a report reaches the user only
//! through [`line()`], which keeps it to one line without control characters.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// The report schema that this crate reads.
pub const SCHEMA: u32 = 1;
/// The longest message that is read from a script, in bytes; a longer one is refused unread.
pub const MAX_BYTES: usize = 1 << 20;
const MAX_CHECKS: usize = 64;
const MAX_FRAMES: usize = 256;
const MAX_CHAIN: usize = 16;

/// Why a report could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The message is longer than [`MAX_BYTES`].
    #[error("read failure report: {0} bytes are more than a report may have")]
    TooLong(usize),
    /// The message is not the JSON of a report.
    #[error("read failure report")]
    Malformed(#[source] serde_json::Error),
    /// The report is of a schema that this program does not know.
    #[error("read failure report: unknown schema {0}")]
    Schema(u32),
}

/// An uncaught exception, with the evidence that the reporter found for it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Report {
    /// Always [`SCHEMA`].
    pub schema: u32,
    /// The interpreter's version, "3.11.7".
    pub python: String,
    /// `sys.executable`.
    pub executable: String,
    /// Whether the script waits for a verdict before it prints its traceback. When not, the traceback is already printed.
    pub held: bool,
    /// Whether the script read lines from standard input, as far as its Python can tell.
    pub input_read: bool,
    /// Whether standard input was read and cannot be read again. Not the reporter's to say: set by whoever runs the
    /// script and knows what standard input is.
    #[serde(skip)]
    pub input_gone: bool,
    /// Whether it is about anything only if the program ends badly: what it dealt with itself.
    pub at_end: bool,
    /// Reports of Pythons that the program started, oldest first. Not the reporter's to say either.
    #[serde(skip)]
    pub others: Vec<Report>,
    /// The exception that was not caught.
    pub exception: Exception,
    /// Its causes and contexts, nearest first.
    pub chain: Vec<Exception>,
    /// The traceback, outermost first.
    pub frames: Vec<Frame>,
    /// The version comparisons that made the script fail; all of them would have to hold.
    pub checks: Vec<Check>,
    /// Loaded distributions (normalised name → version).
    pub distributions: BTreeMap<String, String>,
    /// The module that could not be found.
    pub missing: Option<MissingModule>,
    /// Modules that the script imports unconditionally and that could not be found either.
    pub also_missing: Vec<MissingModule>,
    /// The distribution that the script asked for by name and that is not there.
    pub missing_distribution: Option<MissingDistribution>,
    /// What the attribute, name or argument that is not there may be called, the likeliest first: `numpy.float`,
    /// `pandas.read_csv(error_bad_lines)`.
    pub names: Vec<String>,
    /// The file that this Python cannot read, if that is the failure.
    pub syntax: Option<Unparsed>,
    /// Whether the script is certainly one of Python 3's.
    pub is_python_3: bool,
    /// Whether some line of the script has what only Python 2 has.
    pub is_python_2: bool,
    /// Of a failure to come: the names that the script imports from what is there.
    pub uses: Vec<Used>,
    /// Of a failure to come: the top-level modules that the script imports in any case.
    pub imports: Vec<String>,
    /// Of a failure to come: requirements that stand in the script's comments.
    pub commented: Vec<Commented>,
}

/// A name that a script imports.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Used {
    /// `collections.Mapping`.
    pub name: String,
    /// Its line, from 1.
    pub line: u32,
}

/// A requirement in a comment.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Commented {
    /// As it is written.
    pub requirement: String,
    /// Its line, from 1.
    pub line: u32,
}

/// A file that an interpreter cannot read as its Python.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Unparsed {
    /// Its absolute path.
    pub file: String,
    /// The line, from 1; 0 if it is not known.
    pub line: u32,
    /// The line's text.
    pub text: String,
    /// As of [`Frame::place`].
    #[serde(rename = "where")]
    pub place: String,
    /// The distribution that owns the file.
    pub distribution: Option<String>,
}

/// One exception of the chain.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Exception {
    /// The class name, "ModuleNotFoundError".
    #[serde(rename = "type")]
    pub class: String,
    /// The class name with its module.
    pub qualified: String,
    /// The names of the classes it derives from, itself first.
    pub bases: Vec<String>,
    /// `str(exception)`; never evidence for a version.
    pub message: String,
    /// `ImportError.name`.
    pub name: Option<String>,
    /// `ImportError.path`.
    pub path: Option<String>,
    /// The distribution that owns `path`.
    pub distribution: Option<String>,
    /// The program that was to be started and is not there.
    pub program: Option<String>,
}

/// One frame of the traceback.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Frame {
    /// The source file.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The function, or `<module>`.
    pub function: String,
    /// The text of the failing statement.
    pub source: String,
    /// `__name__` of the frame's module.
    pub module: Option<String>,
    /// "script", "site", "stdlib" or "other".
    #[serde(rename = "where")]
    pub place: String,
    /// The distribution that owns the file.
    pub distribution: Option<String>,
}

/// A comparison of a distribution's version that did not come out as the script needs it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Check {
    /// The distribution (normalised name).
    pub distribution: String,
    /// Its version in the failed view.
    pub installed: String,
    /// What of the version is compared.
    pub subject: Subject,
    /// For [`Subject::Component`]: which component, from 0.
    pub index: Option<u32>,
    /// For [`Subject::Prefix`]: how many components; absent when all are compared.
    pub length: Option<u32>,
    /// What would have to hold: "==", "!=", "<", "<=", ">", ">=", "in", "not in" or "satisfies".
    pub op: String,
    /// What it is compared with.
    pub value: Value,
    /// The comparison as the source has it.
    pub text: String,
    /// The file of the comparison.
    pub file: String,
    /// Its line, from 1.
    pub line: u32,
    /// How the compared value is known to be this version: "call", "attribute", "binding" or "value".
    pub how: String,
}

/// The part of a version that a check compares.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// The whole version.
    #[default]
    Version,
    /// Its first components.
    Prefix,
    /// One component.
    Component,
    /// The start of its text.
    StartsWith,
    /// Anything a later reporter may send.
    #[serde(other)]
    Unknown,
}

/// A module that could not be found.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct MissingModule {
    /// The dotted name, "sklearn.externals".
    pub module: String,
    /// The dotted names that the import asked for, which may be of parts of it: "google.cloud.storage" where "google" is
    /// not there.
    pub asked: Vec<String>,
    /// Its first part.
    pub top_level: String,
    /// The Pythons ("3.9") for which an extension module of this name is there, where there is none for this one.
    pub built_for: Vec<String>,
    /// Whether the first part itself can be imported.
    pub top_level_present: bool,
    /// Whether a file or folder of that name stands beside the script or the importing module.
    pub local: bool,
    /// Whether the standard library of some Python has a module of that name.
    pub stdlib: bool,
    /// Of a failure to come: the line of the import, from 1.
    pub line: u32,
}

/// A distribution that `importlib.metadata` or `pkg_resources` did not find.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct MissingDistribution {
    /// The requirement or the bare name.
    pub requirement: String,
}

impl Report {
    /// Reads one message of the reporter (without its length).
    pub fn from_json(bytes: &[u8]) -> Result<Self, ReportError> {
        if bytes.len() > MAX_BYTES {
            return Err(ReportError::TooLong(bytes.len()));
        }
        let mut report: Self = serde_json::from_slice(bytes).map_err(ReportError::Malformed)?;
        if report.schema != SCHEMA {
            return Err(ReportError::Schema(report.schema));
        }
        report.checks.truncate(MAX_CHECKS);
        report.also_missing.truncate(MAX_CHECKS);
        report.names.truncate(MAX_CHECKS);
        report.uses.truncate(MAX_CHECKS);
        report.commented.truncate(MAX_CHECKS);
        report.chain.truncate(MAX_CHAIN);
        report.frames.truncate(MAX_FRAMES);
        Ok(report)
    }

    /// The exception and its chain, nearest first.
    pub fn exceptions(&self) -> impl Iterator<Item = &Exception> {
        std::iter::once(&self.exception).chain(&self.chain)
    }

    /// Whether the exception is what the failure of another process becomes.
    pub fn may_be_anothers(&self) -> bool {
        const CLASSES: [&str; 5] =
            ["CalledProcessError", "BrokenProcessPool", "BrokenExecutor", "ChildProcessError", "RemoteTraceback"];
        self.exceptions().any(|exception| exception.bases.iter().any(|base| CLASSES.contains(&base.as_str())))
    }

    /// "s.py:4" of the innermost frame that belongs to the script, else of the innermost at all.
    pub fn site(&self) -> String {
        let frame = self.frames.iter().rev().find(|frame| frame.place == "script").or(self.frames.last());
        frame.map_or_else(|| "the script".to_owned(), |frame| site(&frame.file, frame.line))
    }
}

/// "s.py:4": the file's last part and the line, if that is known.
pub fn site(file: &str, number: u32) -> String {
    let name = line(file.rsplit('/').next().unwrap_or(file));
    if number == 0 { name } else { format!("{name}:{number}") }
}

/// Text of a report, fit to be printed in a line: control characters become spaces, and at most 200 characters stay.
pub fn line(text: &str) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect();
    clean.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn unknown_fields_and_subjects_are_passed_over() {
        let report = Report::from_json(
            br#"{"schema":1,"new":{"a":[1]},"checks":[{"distribution":"rich","subject":"epoch","op":"=="}]}"#,
        )
        .unwrap();
        assert_eq!(report.checks[0].subject, Subject::Unknown);
        assert_eq!(report.site(), "the script");
    }

    #[test]
    fn what_the_reporter_sends_is_read_whole() {
        // python/tests/test_reporter.py holds the reporter to the same sample.
        let report = Report::from_json(include_bytes!("../data/report.json")).unwrap();
        assert!(report.held);
        assert_eq!(report.exception.class, "RuntimeError");
        assert_eq!(report.chain[0].name.as_deref(), Some("no_such_module"));
        assert_eq!(report.missing, None);
        assert_eq!(report.frames[0].place, "script");
        assert_eq!(report.distributions["rich"], "13.7.1");
        let check = &report.checks[0];
        assert_eq!((check.subject, check.length, check.op.as_str()), (Subject::Prefix, Some(2), "=="));
        assert_eq!(check.value, serde_json::json!([13, 4]));
        assert_eq!(report.site(), "sample.py:7");
    }

    #[test]
    fn hostile_messages_are_errors() {
        let deep = [b'['].repeat(100_000);
        for bytes in [
            &b""[..],
            b"{",
            b"null",
            b"7",
            b"{\"schema\":1,\"checks\":7}",
            b"{\"schema\":1,\"frames\":[{\"line\":-1}]}",
            b"\xff\xfe",
            &deep,
        ] {
            assert!(matches!(Report::from_json(bytes), Err(ReportError::Malformed(_))), "{bytes:?}");
        }
        assert!(matches!(Report::from_json(b"{}"), Err(ReportError::Schema(0))));
        assert!(matches!(Report::from_json(&vec![b' '; MAX_BYTES + 1]), Err(ReportError::TooLong(_))));
    }

    #[test]
    fn lists_are_bounded_and_text_is_one_line() {
        let checks = vec!["{}"; 1000].join(",");
        let report = Report::from_json(format!("{{\"schema\":1,\"checks\":[{checks}]}}").as_bytes()).unwrap();
        assert_eq!(report.checks.len(), MAX_CHECKS);
        assert_eq!(site("/a/\u{1b}[31mb\n.py", 3), "[31mb .py:3");
        assert_eq!(line(&"x".repeat(1000)).len(), 200);
    }
}
