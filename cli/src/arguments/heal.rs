//! Options of `heal`.

use super::{IndexOptions, Selection};
use clap::Args;
use std::ffi::OsString;

/// `heal`.
#[derive(Debug, Args)]
pub struct HealOptions {
    /// The script
    pub script: OsString,
    /// Tell what is known of it and by what evidence, and change nothing
    #[arg(long)]
    pub explain: bool,
    /// Add a requirement (may be repeated)
    #[arg(long = "with", value_name = "REQUIREMENT")]
    pub with: Vec<String>,
    /// Which environment
    #[command(flatten)]
    pub selection: Selection,
    /// Options for the index
    #[command(flatten)]
    pub index: IndexOptions,
}
