//! Options of `run`.

use super::{HealPolicy, IndexOptions, Selection};
use clap::{Args, ValueEnum};
use std::ffi::OsString;

/// What `run --save` writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SaveForm {
    /// A PEP 723 block in the script
    Block,
    /// pylock.NAME.toml beside the script
    Lock,
}

/// `run`.
#[derive(Debug, Args)]
pub struct RunOptions {
    /// Add a requirement for this run (may be repeated)
    #[arg(long = "with", value_name = "REQUIREMENT")]
    pub with: Vec<String>,
    /// Which environment
    #[command(flatten)]
    pub selection: Selection,
    /// What may be installed to heal a failure
    #[arg(long, value_enum, default_value = "known")]
    pub heal: HealPolicy,
    /// Look at nothing before the first run: heal only what has failed
    #[arg(long)]
    pub no_predict: bool,
    /// Where nothing is known of a failure: try other versions of the distribution that fails, by imports alone
    #[arg(long)]
    pub search: bool,
    /// Let what heals a failure be built from source where there is no wheel of it
    #[arg(long)]
    pub heal_builds: bool,
    /// What heals a failure, and what --with asks for, in versions of before this day; `script`: of the script's own day,
    /// which is that of its last commit or of its file
    #[arg(long, value_name = "DATE|script", conflicts_with = "exclude_newer")]
    pub as_of: Option<String>,
    /// When the script has ended well, write down what it ran with, in the script or beside it
    #[arg(long, value_enum, value_name = "FORM", num_args = 0..=1, default_missing_value = "block", require_equals = true)]
    pub save: Option<SaveForm>,
    /// Have bytecode ready before the first start
    #[arg(long)]
    pub compile: bool,
    /// Let the program write to its view; what it wrote is told and thrown away
    #[arg(long)]
    pub writable: bool,
    /// With --writable: keep what is written by this name, and go on from it next time
    #[arg(long, value_name = "NAME", requires = "writable")]
    pub keep: Option<String>,
    /// Options for the index
    #[command(flatten)]
    pub index: IndexOptions,
    /// Run a module instead of a script, as `python -m` does
    #[arg(short = 'm')]
    pub module: bool,
    /// A script (or a module after -m) and its arguments; after `--`, a command and its arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true, value_name = "SCRIPT|COMMAND")]
    pub command: Vec<OsString>,
}

impl RunOptions {
    /// `omnipkg run SCRIPT`, nothing else said.
    pub fn for_script(script: OsString) -> Self {
        Self {
            with: Vec::new(),
            selection: Selection::default(),
            heal: HealPolicy::Known,
            no_predict: false,
            search: false,
            heal_builds: false,
            as_of: None,
            save: None,
            compile: false,
            writable: false,
            keep: None,
            index: IndexOptions::default(),
            module: false,
            command: vec![script],
        }
    }
}
