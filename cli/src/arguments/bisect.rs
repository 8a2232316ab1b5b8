//! Options of `bisect`.

use super::{IndexOptions, Selection};
use clap::Args;
use std::ffi::OsString;

/// `bisect`.
#[derive(Debug, Args)]
pub struct BisectOptions {
    /// The script
    pub script: OsString,
    /// A project, or `python` for the interpreters of this machine
    pub project: String,
    /// A version with which the script is known to pass
    #[arg(long, value_name = "VERSION")]
    pub good: Option<String>,
    /// A version with which it is known to fail
    #[arg(long, value_name = "VERSION")]
    pub bad: Option<String>,
    /// Add a requirement for these runs (may be repeated)
    #[arg(long = "with", value_name = "REQUIREMENT")]
    pub with: Vec<String>,
    /// Which environment
    #[command(flatten)]
    pub selection: Selection,
    /// Options for the index
    #[command(flatten)]
    pub index: IndexOptions,
    /// The script's arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
    pub arguments: Vec<OsString>,
}
