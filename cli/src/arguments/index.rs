//! Options of verbs that may ask an index.

use clap::{Args, ValueEnum};

/// Options of verbs that may ask an index.
#[derive(Debug, Clone, Default, Args)]
pub struct IndexOptions {
    /// The index to ask, instead of the one that pip would
    #[arg(long, value_name = "URL", visible_alias = "default-index")]
    pub index_url: Option<String>,
    /// A further index, asked before the others, with a name if it is to have one (may be repeated)
    #[arg(long, value_name = "[NAME=]URL")]
    pub index: Vec<String>,
    /// A further index, asked before the main one (may be repeated)
    #[arg(long, value_name = "URL")]
    pub extra_index_url: Vec<String>,
    /// The only index to ask for a project: the name of an --index, or a URL (may be repeated)
    #[arg(long, value_name = "PROJECT=NAME|URL")]
    pub index_for: Vec<String>,
    /// A directory, or an HTML page, whose distributions are candidates too (may be repeated)
    #[arg(short, long, value_name = "PATH|URL")]
    pub find_links: Vec<String>,
    /// Ask no index: only --find-links counts
    #[arg(long)]
    pub no_index: bool,
    /// Only what indexes had before this moment: 2024-03-01T12:00:00Z, or 2024-03-01 (to the end of that day in UTC)
    #[arg(long, value_name = "DATE")]
    pub exclude_newer: Option<String>,
    /// Whether the `keyring` command is asked for a login when a server wants one
    #[arg(long, value_enum, value_name = "PROVIDER")]
    pub keyring_provider: Option<KeyringProvider>,
    /// Ask the index again, whatever is remembered
    #[arg(long)]
    pub refresh: bool,
    /// Build nothing of these projects: names, or :all: (may be repeated)
    #[arg(long, value_name = "NAMES")]
    pub only_binary: Vec<String>,
    /// Take no wheels of these projects, but build them: names, or :all: (may be repeated)
    #[arg(long, value_name = "NAMES")]
    pub no_binary: Vec<String>,
    /// Build nothing: the same as --only-binary :all:
    #[arg(long)]
    pub no_build: bool,
}

/// Who is asked for logins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KeyringProvider {
    /// Nobody
    Disabled,
    /// The `keyring` command
    Subprocess,
}
