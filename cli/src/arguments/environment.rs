//! Options of the verbs that change environments.

use super::{IndexOptions, Selection};
use clap::{Args, Subcommand};

/// `uninstall`.
#[derive(Debug, Args)]
pub struct UninstallOptions {
    /// What to take out
    #[arg(required = true, value_name = "PROJECT")]
    pub projects: Vec<String>,
    /// Accepted for scripts that were written for pip: nothing is ever asked
    #[arg(short, long, hide = true)]
    pub yes: bool,
    /// Print what would change, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Which environment
    #[command(flatten)]
    pub selection: Selection,
}

/// `upgrade`.
#[derive(Debug, Args)]
pub struct UpgradeOptions {
    /// What to upgrade, whatever version was asked for before; nothing: everything, within what was asked for
    #[arg(value_name = "PROJECT")]
    pub projects: Vec<String>,
    /// Have bytecode ready before returning
    #[arg(long)]
    pub compile: bool,
    /// Print what would change, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Which environment
    #[command(flatten)]
    pub selection: Selection,
    /// Options for the index
    #[command(flatten)]
    pub index: IndexOptions,
}

/// `revert`.
#[derive(Debug, Args)]
pub struct RevertOptions {
    /// Which generation; nothing: the one before
    pub generation: Option<u64>,
    /// Which environment
    #[command(flatten)]
    pub selection: Selection,
}

/// `swap`.
#[derive(Debug, Args)]
pub struct SwapOptions {
    /// `python VERSION`, `env NAME`, or requirements
    #[arg(required = true, value_name = "python VERSION|env NAME|REQUIREMENT")]
    pub subjects: Vec<String>,
    /// Which environment
    #[command(flatten)]
    pub selection: Selection,
    /// Options for the index
    #[command(flatten)]
    pub index: IndexOptions,
}

/// `prune`.
#[derive(Debug, Args)]
pub struct PruneOptions {
    /// Whose versions
    pub project: String,
    /// How many of the newest to keep
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub keep_latest: usize,
    /// Accepted for scripts that were written for the first omnipkg: nothing is ever asked
    #[arg(short = 'y', long = "yes", visible_alias = "force", hide = true)]
    pub yes: bool,
    /// Which environment
    #[command(flatten)]
    pub selection: Selection,
}

/// What to do with environments.
#[derive(Debug, Subcommand)]
pub enum EnvVerb {
    /// List them; the active one has a star
    List,
    /// Make an empty one
    #[command(after_help = "Example:\n  omnipkg env create work --python 3.12")]
    Create {
        /// Its name: letters, digits, `.`, `_`, `-`
        name: String,
        /// Which interpreter
        #[arg(long, value_name = "VERSION|PATH")]
        python: Option<String>,
    },
    /// Remove one; what it holds stays in the store
    Remove {
        /// Its name
        name: String,
    },
    /// Show its generations and what changed with each
    History {
        /// Its name; nothing: the active one
        name: Option<String>,
    },
}
