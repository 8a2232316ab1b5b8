//! The machine's interpreters, as the healer asks of them.

use omnipkg_healer::Pythons;
use omnipkg_store::Store;
use omnipkg_store::interpreter::discover::{self, PythonRequest};
use omnipkg_store::interpreter::registry::Registry;
use omnipkg_store::interpreter::{Interpreter, probe_cached};
use pep440_rs::Version;
use std::cell::OnceCell;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::str::FromStr;

/// Reads a file as Python, and runs nothing of it.
const READ: &str = "import sys; compile(open(sys.argv[1], 'rb').read(), sys.argv[1], 'exec', 0, True)";

/// The interpreters that are found here, asked when the healer asks.
pub struct MachinePythons {
    home: PathBuf,
    found: OnceCell<Vec<Interpreter>>,
}

impl MachinePythons {
    /// Those that the store at this root knows, and those of the machine.
    pub fn new(home: PathBuf) -> Self {
        Self { home, found: OnceCell::new() }
    }

    fn all(&self) -> &[Interpreter] {
        self.found.get_or_init(|| Store::open(&self.home).map(|store| all(&store)).unwrap_or_default())
    }
}

impl Pythons for MachinePythons {
    fn that_read(&self, file: &str) -> Vec<Version> {
        self.all().iter().filter(|interpreter| reads(interpreter, file)).filter_map(version).collect()
    }

    fn known(&self) -> Vec<Version> {
        self.all().iter().filter_map(version).collect()
    }
}

/// The versions of Python 3 that there are, one of each minor version, oldest first.
pub fn versions(store: &Store) -> Vec<Version> {
    let mut versions: Vec<Version> = all(store).iter().filter_map(version).collect();
    versions.retain(|version| *version >= Version::new([3]));
    versions.sort();
    versions
}

/// The full version of an interpreter.
pub fn version(interpreter: &Interpreter) -> Option<Version> {
    Version::from_str(&interpreter.facts.full_version()).ok()
}

/// One of each minor version, as a command would take it; the newest first.
pub fn all(store: &Store) -> Vec<Interpreter> {
    let adopted = Registry::new(store).all().unwrap_or_default().into_iter().map(|record| record.path().to_owned());
    let paths = discover::candidates(&PythonRequest::Any).into_iter().chain(adopted).chain(discover::all());
    let mut found: Vec<Interpreter> = Vec::new();
    for interpreter in paths.filter_map(|path| probe_cached(store, &path).ok()) {
        let facts = &interpreter.facts;
        let is_new = found.iter().all(|other| other.facts.short_version() != facts.short_version());
        if facts.implementation == "cpython" && !facts.free_threaded && is_new {
            found.push(interpreter);
        }
    }
    found.sort_by_key(|interpreter| std::cmp::Reverse(interpreter.facts.version));
    found
}

fn reads(interpreter: &Interpreter, file: &str) -> bool {
    let mut command = Command::new(interpreter.path());
    command.args(["-E", "-S", "-s", "-B", "-c", READ, file]);
    let silent = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    silent.status().is_ok_and(|status| status.success())
}
