//! Options of the verbs about interpreters, and of `activate`, which the Python side calls.

use super::IndexOptions;
use clap::{Args, Subcommand, ValueEnum};

/// What to do with interpreters.
#[derive(Debug, Subcommand)]
pub enum PythonVerb {
    /// List the interpreters that have an environment here, and those that could be adopted
    List,
    /// Print the path of the interpreter that a request means; nothing asked: of every one on this machine
    #[command(after_help = "Example:\n  omnipkg python find 3.11")]
    Find {
        /// A version, an implementation and version, or a path
        request: Option<String>,
    },
    /// Take an interpreter of this machine into use, by reference, and make its environment
    #[command(after_help = "Examples:\n  omnipkg python adopt 3.9\n  omnipkg python adopt /opt/python3.14/bin/python3")]
    Adopt {
        /// A version, an implementation and version, or a path
        request: String,
    },
    /// Make a Python's environment the active one: as `swap python X`
    #[command(hide = true)]
    Switch {
        /// A version or a path
        request: String,
    },
    /// Fetch an interpreter, verify it and put it into the store
    #[command(
        after_help = "Examples:\n  omnipkg python install 3.12\n  omnipkg python install 3.12.8 --mirror /srv/pythons\n  omnipkg python install ./cpython.tar.gz --sha256 HEX"
    )]
    Install(PythonInstallOptions),
    /// Forget an interpreter and its default environment; one that `install` fetched is removed
    Remove {
        /// A version, or the name of its default environment
        request: String,
    },
    /// Look at every known interpreter again, and re-bind the environments of those that changed or vanished
    Rescan,
}

/// `python install`.
#[derive(Debug, Args)]
pub struct PythonInstallOptions {
    /// A version, or an archive (a path, a `file:` or `http(s):` URL)
    pub request: String,
    /// Where archives come from instead: a URL or a directory [env: OMNIPKG_PYTHON_MIRROR]
    #[arg(long, value_name = "URL|DIRECTORY")]
    pub mirror: Option<String>,
    /// The archive's hash, where the list of known archives does not have it
    #[arg(long, value_name = "HEX")]
    pub sha256: Option<String>,
}

/// How much of the environment stays visible beneath what the loader activates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum IsolationMode {
    /// All that is not replaced
    Overlay,
    /// Nothing but the standard library
    Strict,
}

/// `activate`.
#[derive(Debug, Args)]
pub struct ActivateOptions {
    /// What is to be activated
    #[arg(required = true, value_name = "REQUIREMENT")]
    pub requirements: Vec<String>,
    /// How much stays visible beneath
    #[arg(long, value_enum, default_value = "overlay")]
    pub isolation: IsolationMode,
    /// The view of the Python that asks, by its path
    #[arg(long, value_name = "PATH")]
    pub view: std::path::PathBuf,
    /// Options for the index
    #[command(flatten)]
    pub index: IndexOptions,
}
