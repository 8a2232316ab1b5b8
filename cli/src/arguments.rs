//! The command line: verbs and their options.

mod bisect;
mod environment;
mod files;
mod heal;
mod index;
mod lock;
mod python;
mod resolve;
mod run;

pub use bisect::BisectOptions;
pub use environment::{EnvVerb, PruneOptions, RevertOptions, SwapOptions, UninstallOptions, UpgradeOptions};
pub use files::FileArguments;
pub use heal::HealOptions;
pub use index::{IndexOptions, KeyringProvider};
pub use lock::{ExportFormat, ExportOptions, SyncOptions};
pub use python::{ActivateOptions, IsolationMode, PythonInstallOptions, PythonVerb};
pub use resolve::{PrereleaseChoice, ResolutionChoice, ResolveFormat, ResolveOptions};
pub use run::{RunOptions, SaveForm};

use crate::server::Handed;
use clap::{Args, Parser, Subcommand, ValueEnum};
use omnipkg_fusefs::Rung;
use omnipkg_store::ViewId;
use std::ffi::OsString;
use std::path::PathBuf;

/// Any Python script, with exactly the interpreter and packages that it needs.
#[derive(Debug, Parser)]
#[command(name = "omnipkg", version, about, arg_required_else_help = true, disable_help_subcommand = true)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
    /// Options of every verb.
    #[command(flatten)]
    pub common: Common,
}

impl Arguments {
    /// Reads the command line; ends the program with what there is to say if it makes no sense.
    ///
    /// For `run` only its own options are put together first: doing it for all verbs takes a noticeable part of a warm
    /// start. Whatever they do not understand is told by the parser that knows everything.
    pub fn read() -> Self {
        let is_run = std::env::args_os().nth(1).is_some_and(|word| word == "run");
        match is_run.then(OnlyRun::try_parse) {
            Some(Ok(OnlyRun { verb: RunVerb::Run(options), common })) => Self { verb: Verb::Run(options), common },
            _ => Self::parse(),
        }
    }
}

/// [`Arguments`] with one verb.
#[derive(Debug, Parser)]
#[command(name = "omnipkg", disable_help_subcommand = true)]
struct OnlyRun {
    #[command(subcommand)]
    verb: RunVerb,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Subcommand)]
enum RunVerb {
    Run(RunOptions),
}

/// Options of every verb.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// Use only what is on this machine
    #[arg(long, global = true)]
    pub offline: bool,
    /// Say nothing but errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Say more
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub verbose: bool,
    /// Answer in JSON on stdout (schema 1)
    #[arg(long, global = true)]
    pub json: bool,
}

/// What may be installed to heal a failing script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum HealPolicy {
    /// Only names that are certain
    Known,
    /// Certain names, and ask for others on the terminal
    Ask,
    /// Also a guess
    Any,
    /// Nothing: run once
    Off,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Run a script in the environment that it needs, and heal it if its environment fails it
    #[command(
        after_help = "Examples:\n  omnipkg run script.py --its --arguments\n  omnipkg run --with httpie -- http --version\n  omnipkg run --python 3.9 -m json.tool file.json"
    )]
    Run(RunOptions),
    /// Make ready what a script needs, as far as its text says so, or explain it; the script is not run
    #[command(after_help = "Examples:\n  omnipkg heal script.py --explain\n  omnipkg heal script.py")]
    Heal(HealOptions),
    /// Find the first version of a project, or of Python, with which a script fails (or passes)
    #[command(
        after_help = "Examples:\n  omnipkg bisect script.py numpy\n  omnipkg bisect script.py numpy --good 1.21 --bad 2.0\n  omnipkg bisect script.py python"
    )]
    Bisect(BisectOptions),
    /// Make a view (a "bubble") of requirements or of a script, and print its path
    #[command(after_help = "Examples:\n  omnipkg mount rich==13.7.1\n  omnipkg mount script.py --at .venv")]
    Mount(MountOptions),
    /// Take away a link that `mount --at` made, or what `mount --writable` made
    #[command(after_help = "Example:\n  omnipkg unmount .venv")]
    Unmount {
        /// The link, or the writable view's path or name
        path: PathBuf,
    },
    /// List and remove what was written over views and kept
    #[command(after_help = "Examples:\n  omnipkg writable list\n  omnipkg writable remove NAME")]
    Writable {
        /// What to do with them
        #[command(subcommand)]
        verb: WritableVerb,
    },
    /// Become a program that sees a view with a layer over it
    #[command(hide = true)]
    Within(WithinOptions),
    /// Install into the active environment: a new generation of it
    #[command(after_help = "Example:\n  omnipkg install rich==13.7.1 'numpy<2'")]
    Install(InstallOptions),
    /// Print what would be installed, as name==version lines
    #[command(after_help = "Example:\n  omnipkg resolve 'fastapi[standard]' 'numpy<2' --python 3.11")]
    Resolve(ResolveOptions),
    /// Write the exact set of the active environment, as pylock.toml or as requirements with hashes
    #[command(after_help = "Examples:\n  omnipkg export -o pylock.toml\n  omnipkg export -o requirements.txt")]
    Export(ExportOptions),
    /// Make the active environment exactly what pylock.toml or a file of pins says: a new generation of it
    #[command(after_help = "Examples:\n  omnipkg sync\n  omnipkg sync requirements.txt --dry-run")]
    Sync(SyncOptions),
    /// Take projects out of the active environment: a new generation of it
    #[command(after_help = "Example:\n  omnipkg uninstall rich")]
    Uninstall(UninstallOptions),
    /// Take newer versions of what the active environment holds
    #[command(after_help = "Examples:\n  omnipkg upgrade\n  omnipkg upgrade rich")]
    Upgrade(UpgradeOptions),
    /// Go back to an earlier generation of the active environment
    #[command(after_help = "Examples:\n  omnipkg revert\n  omnipkg revert 3")]
    Revert(RevertOptions),
    /// Change the active Python, the active environment, or a version in it
    #[command(
        after_help = "Examples:\n  omnipkg swap python 3.9\n  omnipkg swap env work\n  omnipkg swap rich==13.4.2"
    )]
    Swap(SwapOptions),
    /// Forget the versions of a project that an environment has beside its active one ("bubbles")
    #[command(after_help = "Example:\n  omnipkg prune rich --keep-latest 2")]
    Prune(PruneOptions),
    /// List, make and remove environments, and show their history
    #[command(after_help = "Examples:\n  omnipkg env create work --python 3.12\n  omnipkg env history")]
    Env {
        /// What to do with them
        #[command(subcommand)]
        verb: EnvVerb,
    },
    /// List, find, adopt, install and remove interpreters
    #[command(after_help = "Examples:\n  omnipkg python adopt 3.9\n  omnipkg python install 3.12")]
    Python {
        /// What to do with them
        #[command(subcommand)]
        verb: PythonVerb,
    },
    /// `adopt python X`: as `python adopt X`
    #[command(hide = true)]
    Adopt {
        /// `python`, and which one
        #[arg(required = true, value_name = "python VERSION|PATH")]
        subjects: Vec<String>,
    },
    /// Make what the Python side's loader puts in front, and remember it
    #[command(hide = true)]
    Activate(ActivateOptions),
    /// List what the active environment holds
    #[command(after_help = "Example:\n  omnipkg list --json")]
    List(Selection),
    /// Show what is known of a project, or of the interpreters (`info python`)
    #[command(after_help = "Examples:\n  omnipkg info rich\n  omnipkg info python")]
    Info {
        /// A project's name, or `python`; nothing: the active environment
        subject: Option<String>,
        /// Which environment
        #[command(flatten)]
        selection: Selection,
    },
    /// Show the store, the projection, the server and the active environment
    #[command(after_help = "Example:\n  omnipkg status --json")]
    Status,
    /// Check that everything omnipkg relies on works here, and say what would mend it
    #[command(
        after_help = "Example:\n  omnipkg doctor\n\nOMNIPKG_PROJECTION forces how views are made visible: direct, fusermount, namespace,\nfuse (direct or fusermount), or link."
    )]
    Doctor,
    /// Show what omnipkg does, for real, with timings
    #[command(after_help = "Examples:\n  omnipkg demo 7\n  omnipkg demo 8 --fresh")]
    Demo {
        /// Which one; nothing: list them
        number: Option<u32>,
        /// Remove the store that demos 5 and 8 keep first; without a number, do only that
        #[arg(long)]
        fresh: bool,
        /// Which interpreter
        #[arg(long, value_name = "VERSION|PATH")]
        python: Option<String>,
        /// Options for the index
        #[command(flatten)]
        index: IndexOptions,
    },
    /// Show every setting in force, and where each comes from
    #[command(after_help = "Examples:\n  omnipkg config\n  omnipkg config --json --python 3.9")]
    Config {
        /// The interpreter whose pip tells the index of last resort
        #[arg(long, value_name = "VERSION|PATH")]
        python: Option<String>,
        /// Options for the index
        #[command(flatten)]
        index: IndexOptions,
    },
    /// Start, stop or look at the process that serves the views
    #[command(after_help = "Example:\n  omnipkg server stop")]
    Server {
        /// What to do with it
        #[command(subcommand)]
        verb: ServerVerb,
    },
}

/// What to do with what was written over views.
#[derive(Debug, Clone, Subcommand)]
pub enum WritableVerb {
    /// List it
    List,
    /// Throw it away
    Remove {
        /// Its name
        #[arg(required = true)]
        names: Vec<String>,
    },
}

/// `within`.
#[derive(Debug, Args)]
pub struct WithinOptions {
    /// Where the view is, and where the program sees it
    #[arg(long)]
    pub view: PathBuf,
    /// What is written goes here
    #[arg(long)]
    pub layer: PathBuf,
    /// The program; nothing: only try
    #[arg(last = true)]
    pub command: Vec<OsString>,
}

/// What to do with the server.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum ServerVerb {
    /// Start it, if it is not running
    Start {
        /// Serve in this process until stopped
        #[arg(long)]
        foreground: bool,
        /// Descriptor to which readiness is written
        #[arg(long, hide = true)]
        ready_fd: Option<i32>,
        /// The way to mount that the starting command found: direct, fusermount or namespace
        #[arg(long, hide = true, value_parser = rung)]
        rung: Option<Rung>,
    },
    /// Succeed if a user namespace can be made here and mounted in
    #[command(hide = true)]
    TryNamespace,
    /// Stop it and take the mount away; programs that use a view keep what they have open
    Stop,
    /// Have this omnipkg take a running server's place; programs that use a view go on
    Restart,
    /// Tell whether it runs, and with --json what the kernel asked it
    Status,
    /// Go on with a mount that another process held
    #[command(hide = true)]
    Hold(Handed),
    /// Answer the kernel
    #[command(hide = true)]
    Serve(Handed),
    /// List a view's directories, so that the kernel knows them
    #[command(hide = true)]
    Ahead,
    /// Share the bytecode that Python made in a view of links
    #[command(hide = true)]
    Gather {
        /// The view
        view: ViewId,
    },
}

fn rung(name: &str) -> Result<Rung, String> {
    Rung::named(name).ok_or_else(|| "there is no such way to mount".to_owned())
}

/// Which environment or interpreter a verb means.
#[derive(Debug, Clone, Default, Args)]
pub struct Selection {
    /// Which interpreter: a version or a path
    #[arg(long, value_name = "VERSION|PATH")]
    pub python: Option<String>,
    /// Which environment, by its name
    #[arg(long, value_name = "NAME", conflicts_with = "python")]
    pub env: Option<String>,
}

/// `mount`.
#[derive(Debug, Args)]
pub struct MountOptions {
    /// A script, or requirements
    #[arg(required = true, value_name = "SCRIPT|REQUIREMENT")]
    pub subjects: Vec<String>,
    /// Make a link here that leads to the view (`.venv`)
    #[arg(long, value_name = "PATH")]
    pub at: Option<PathBuf>,
    /// Make the view writable, at a path of its own, until it is unmounted
    #[arg(long)]
    pub writable: bool,
    /// With --writable: keep what is written by this name, and go on from it next time
    #[arg(long, value_name = "NAME", requires = "writable")]
    pub keep: Option<String>,
    /// Have bytecode ready before returning
    #[arg(long)]
    pub compile: bool,
    /// Which interpreter
    #[command(flatten)]
    pub selection: Selection,
    /// Options for the index
    #[command(flatten)]
    pub index: IndexOptions,
}

/// `install`.
#[derive(Debug, Args)]
pub struct InstallOptions {
    /// What to install: requirements, paths and URLs
    #[arg(value_name = "REQUIREMENT", required_unless_present_any = ["files", "groups", "editable"])]
    pub requirements: Vec<String>,
    /// A project's directory, to be imported from there itself (may be repeated)
    #[arg(short, long, value_name = "DIRECTORY")]
    pub editable: Vec<PathBuf>,
    /// Files that say more
    #[command(flatten)]
    pub from: FileArguments,
    /// All that is installed must have been given a hash in a file
    #[arg(long)]
    pub require_hashes: bool,
    /// Print what would change, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Take newer versions of what is there already
    #[arg(short = 'U', long)]
    pub upgrade: bool,
    /// Import what is new in the new view before it becomes the environment's
    #[arg(long)]
    pub check: bool,
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
