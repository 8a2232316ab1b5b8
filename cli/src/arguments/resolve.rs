//! Options of `resolve`.

use super::IndexOptions;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// `resolve`.
#[derive(Debug, Args)]
pub struct ResolveOptions {
    /// What is required
    #[arg(value_name = "REQUIREMENT", required_unless_present_any = ["requirements", "editable"])]
    pub subjects: Vec<String>,
    /// A project's directory, to be imported from there itself (may be repeated)
    #[arg(short, long, value_name = "DIRECTORY")]
    pub editable: Vec<PathBuf>,
    /// Read requirements from a file as pip does (may be repeated)
    #[arg(short, long = "requirements", value_name = "FILE")]
    pub requirements: Vec<PathBuf>,
    /// What must hold for a project if it is there: a file (may be repeated)
    #[arg(short, long = "constraint", value_name = "FILE")]
    pub constraints: Vec<PathBuf>,
    /// What is required of a project whatever anybody requires of it: a file (may be repeated)
    #[arg(long = "override", value_name = "FILE")]
    pub overrides: Vec<PathBuf>,
    /// For which interpreter: a version or a path
    #[arg(long, value_name = "VERSION|PATH")]
    pub python: Option<String>,
    /// For another version of that interpreter: 3.9 (that is 3.9.0) or 3.9.7
    #[arg(long, value_name = "VERSION")]
    pub python_version: Option<String>,
    /// For another Linux: aarch64-unknown-linux-gnu, x86_64-manylinux_2_17, x86_64-unknown-linux-musl …
    #[arg(long, value_name = "PLATFORM")]
    pub python_platform: Option<String>,
    /// When pre-releases are taken
    #[arg(long, value_enum, default_value_t = PrereleaseChoice::IfNecessary)]
    pub prerelease: PrereleaseChoice,
    /// Which of the versions that fit is taken
    #[arg(long, value_enum, default_value_t = ResolutionChoice::Highest)]
    pub resolution: ResolutionChoice,
    /// Options for the index
    #[command(flatten)]
    pub index: IndexOptions,
}

/// When pre-releases are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PrereleaseChoice {
    /// Always, as if they were versions like others
    Allow,
    /// Never, even where one is named
    Disallow,
    /// Where no other version is possible
    // uv's older name for it, which many settings still carry.
    #[value(alias = "if-necessary-or-explicit")]
    IfNecessary,
    /// Where no other is possible, and only of projects of which your own requirements name one
    Explicit,
}

/// Which of the versions that fit is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ResolutionChoice {
    /// The newest
    Highest,
    /// The oldest
    Lowest,
    /// The oldest of what is asked for, the newest of what that requires
    LowestDirect,
}
