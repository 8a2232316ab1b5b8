//! Options of `export` and `sync`.

use super::{IndexOptions, Selection};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// `export`.
#[derive(Debug, Args)]
pub struct ExportOptions {
    /// In which format; nothing: as the ending of the file's name says, else pylock
    #[arg(long, value_enum)]
    pub format: Option<ExportFormat>,
    /// Write to this file instead of stdout
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Which environment
    #[command(flatten)]
    pub selection: Selection,
    /// Options for the index
    #[command(flatten)]
    pub index: IndexOptions,
}

/// How a set is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// pylock.toml (PEP 751)
    Pylock,
    /// name==version --hash=… lines
    Requirements,
}

/// `sync`.
#[derive(Debug, Args)]
pub struct SyncOptions {
    /// A lock file (pylock.toml), or a requirements file of pins
    #[arg(default_value = "pylock.toml")]
    pub file: PathBuf,
    /// With an extra that the lock file has (may be repeated)
    #[arg(long = "extra", value_name = "EXTRA")]
    pub extras: Vec<String>,
    /// With a dependency group that the lock file has, beside its default ones (may be repeated)
    #[arg(long = "group", value_name = "GROUP")]
    pub groups: Vec<String>,
    /// Print what would change, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Have bytecode ready before returning
    #[arg(long)]
    pub compile: bool,
    /// Which environment
    #[command(flatten)]
    pub selection: Selection,
    /// Options for the index
    #[command(flatten)]
    pub index: IndexOptions,
}
