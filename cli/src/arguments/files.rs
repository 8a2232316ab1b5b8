//! Files that say what is required, for the verbs that read them.

use clap::Args;
use std::path::PathBuf;

/// Files of requirements, and what of them is meant.
#[derive(Debug, Clone, Default, Args)]
pub struct FileArguments {
    /// Read requirements from a file: requirements.txt as pip does, pyproject.toml, or a script's PEP 723 block (may be
    /// repeated)
    #[arg(short = 'r', long = "requirements", visible_alias = "requirement", value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// What must hold for a project if it is there: a file (may be repeated)
    #[arg(short, long = "constraint", value_name = "FILE")]
    pub constraints: Vec<PathBuf>,
    /// What is required of a project whatever anybody requires of it: a file (may be repeated)
    #[arg(long = "override", value_name = "FILE")]
    pub overrides: Vec<PathBuf>,
    /// With an extra of pyproject.toml (may be repeated)
    #[arg(long = "extra", value_name = "EXTRA")]
    pub extras: Vec<String>,
    /// With all extras of pyproject.toml
    #[arg(long)]
    pub all_extras: bool,
    /// With a dependency group of pyproject.toml (may be repeated)
    #[arg(long = "group", value_name = "[FILE:]GROUP")]
    pub groups: Vec<String>,
}
