//! Options of `resolve`.

use super::{FileArguments, IndexOptions};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// `resolve`.
#[derive(Debug, Args)]
pub struct ResolveOptions {
    /// What is required
    #[arg(value_name = "REQUIREMENT", required_unless_present_any = ["files", "groups", "editable"])]
    pub subjects: Vec<String>,
    /// A project's directory, to be imported from there itself (may be repeated)
    #[arg(short, long, value_name = "DIRECTORY")]
    pub editable: Vec<PathBuf>,
    /// Files that say more
    #[command(flatten)]
    pub from: FileArguments,
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
    /// How it is printed
    #[arg(long, value_enum, default_value_t = ResolveFormat::Lines)]
    pub format: ResolveFormat,
    /// Options for the index
    #[command(flatten)]
    pub index: IndexOptions,
}

/// How what was resolved is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ResolveFormat {
    /// name==version lines
    Lines,
    /// pylock.toml (PEP 751)
    Pylock,
    /// name==version --hash=… lines
    Requirements,
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
