//! omnipkg's healer: failure → diagnosis → remedy → attempt.
//!
//! A failing script's structured report is diagnosed, the diagnosis names a remedy (a changed or added requirement), and
//! a bounded loop runs the script again with it. This crate does no I/O: it owns the traits that it needs
//! ([`heal::Views`], [`heal::Runner`], [`knowledge::Provides`]) and `cli` implements them.

pub mod bisect;
pub mod diagnosis;
pub mod heal;
pub mod knowledge;
pub mod policy;
pub mod predict;
pub mod remedy;
pub mod report;
pub mod search;
pub mod talk;

pub use diagnosis::{Considered, Diagnosis, Kind};
pub use heal::{Attempt, Ended, HealError, Healer, Listener, Outcome, Runner, Verdict, Views};
pub use knowledge::{Knowledge, KnowledgeError, Provides, Pythons};
pub use policy::Heal;
pub use remedy::{Plan, Remedy};
pub use report::{Report, ReportError};
pub use talk::Talk;
