//! A place of its own to run `omnipkg` in: home, store, settings, index and interpreter.
//!
//! Nothing of the machine's own environment reaches a command: it is cleared, and what is set is
//! listed in [`Context::command`]. Until [`Context::index`] is called the index is a port of
//! 127.0.0.1 at which nothing listens. When a context is dropped, its server is stopped, its mount
//! detached and its directory removed (kept with `OMNIPKG_TEST_KEEP=1`, and its path printed).

use crate::index::{Index, Mode};
use crate::process::{self, Output};
use crate::python::Python;
use crate::user::{User, executable_by_others};
use crate::{filters, wheel_builder::BuiltWheel};
use nix::mount::{MntFlags, umount2};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;
use tempfile::TempDir;

/// The discard port: nothing listens there, and no connection leaves the machine.
const DEAD_INDEX: &str = "http://127.0.0.1:9/simple/";

/// See the module.
#[derive(Debug)]
pub struct Context {
    directory: Option<TempDir>,
    root: PathBuf,
    binary: PathBuf,
    python: Python,
    others: Vec<Python>,
    index: OnceLock<Index>,
    user: Option<User>,
    environment: BTreeMap<OsString, OsString>,
}

impl Context {
    /// A context with any Python of 3.8 or newer (3.11 where there is one).
    ///
    /// # Panics
    /// When there is no such Python.
    pub fn new() -> Self {
        Self::over(Python::any(|_| true).expect("the tests need a Python, 3.8 or newer"), None)
    }

    /// A context with this version of Python first on PATH; prints why not, and is `None`, without it.
    pub fn with_python(version: &str) -> Option<Self> {
        Some(Self::over(Self::python(version)?, None))
    }

    /// A context whose commands run as an ordinary user that owns all of it; `None` where it cannot be.
    pub fn as_ordinary_user() -> Option<Self> {
        let user = User::ordinary()?;
        let python = Python::any(|python| executable_by_others(&python.executable));
        if python.is_none() {
            eprintln!("skipped: no Python that an ordinary user can reach");
        }
        Some(Self::over(python?, Some(user)))
    }

    /// The interpreter of a version, `"3.11"`; prints why the test is skipped if there is none.
    pub fn python(version: &str) -> Option<Python> {
        Python::find(version)
    }

    fn over(python: Python, user: Option<User>) -> Self {
        // Short: sockets below it must stay within the 108 bytes of a Unix socket's path.
        let directory = tempfile::Builder::new().prefix("omnipkg-").tempdir().expect("a temporary directory");
        let root = directory.path().canonicalize().expect("the temporary directory's real path");
        for name in ["home", "work", "tmp"] {
            fs::create_dir(root.join(name)).unwrap_or_else(|error| panic!("create {name}: {error}"));
        }
        let binary = reachable_binary(&root, user.is_some());
        let context = Self {
            directory: Some(directory),
            root,
            binary,
            python,
            others: Vec::new(),
            index: OnceLock::new(),
            user,
            environment: BTreeMap::new(),
        };
        context.own(&context.root);
        context
    }

    /// Every projection is made of links from here on.
    pub fn link(self) -> Self {
        self.env("OMNIPKG_PROJECTION", "link")
    }

    /// Every projection is a mount from here on, or an error.
    pub fn fuse(self) -> Self {
        self.env("OMNIPKG_PROJECTION", "fuse")
    }

    /// Sets a variable for every command.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.environment.insert(name.as_ref().to_owned(), value.as_ref().to_owned());
        self
    }

    /// Puts another interpreter on PATH, after the context's own.
    pub fn also_python(mut self, python: Python) -> Self {
        self.others.push(python);
        self
    }

    /// `$HOME`.
    pub fn home(&self) -> PathBuf {
        self.root.join("home")
    }

    /// The directory in which commands run and scripts lie.
    pub fn work(&self) -> PathBuf {
        self.root.join("work")
    }

    /// `$OMNIPKG_HOME`.
    pub fn store(&self) -> PathBuf {
        self.root.join("store")
    }

    /// The interpreter that is first on PATH.
    pub fn interpreter(&self) -> &Python {
        &self.python
    }

    /// The index of this context, a JSON one; it is started by the first call.
    pub fn index(&self) -> &Index {
        self.index.get_or_init(|| Index::start(Mode::Json))
    }

    /// Publishes wheels on the context's index.
    pub fn publish(&self, wheels: &[BuiltWheel]) {
        wheels.iter().for_each(|wheel| self.index().add(wheel));
    }

    /// Writes a script into the working directory and returns its path.
    pub fn script(&self, name: &str, text: &str) -> PathBuf {
        let path = self.work().join(name);
        fs::write(&path, text).unwrap_or_else(|error| panic!("write {}: {error}", path.display()));
        self.own(&path);
        path
    }

    /// The built `omnipkg` with these arguments, ready to be started.
    ///
    /// # Panics
    /// When it was not built.
    #[track_caller]
    pub fn command<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Command {
        let binary = self.binary.display();
        assert!(
            self.binary.exists(),
            "{binary} is not there: build it (cargo build -p omnipkg) or set OMNIPKG_TEST_BIN"
        );
        let mut command = self.program(&self.binary);
        command.args(arguments);
        command
    }

    /// Any program in this context's environment, directory and user.
    pub fn program(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        let home = self.home();
        command.env_clear().current_dir(self.work());
        command.env("PATH", self.path()).env("HOME", &home).env("LANG", "C.UTF-8");
        command.env("TMPDIR", self.root.join("tmp")).env("TZ", "UTC");
        command.env("XDG_DATA_HOME", home.join(".local/share")).env("XDG_CONFIG_HOME", home.join(".config"));
        command.env("XDG_CACHE_HOME", home.join(".cache")).env("XDG_STATE_HOME", home.join(".local/state"));
        command.env("XDG_CONFIG_DIRS", home.join("no-config")).env("XDG_DATA_DIRS", home.join("no-data"));
        command.env("XDG_RUNTIME_DIR", self.root.join("tmp"));
        command.env("OMNIPKG_HOME", self.store());
        command.env("OMNIPKG_INDEX_URL", self.index.get().map_or(DEAD_INDEX.to_owned(), Index::url));
        command.envs(&self.environment);
        if let Some(user) = &self.user {
            user.apply(&mut command);
        }
        command
    }

    /// Runs `omnipkg` to its end. A hang is killed, and a panic.
    #[track_caller]
    pub fn run<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Output {
        process::run(self.command(arguments), b"")
    }

    /// As [`Context::run`], with `input` on its standard input.
    #[track_caller]
    pub fn run_with_input<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>, input: &[u8]) -> Output {
        process::run(self.command(arguments), input)
    }

    /// Output for a snapshot: `[STORE]`, `[HOME]`, `[WORK]`, `[INDEX]`, `[PYTHON]`, `[TIME]`, `[VIEW]`.
    pub fn filter(&self, text: &str) -> String {
        let mut text = text.to_owned();
        if let Some(index) = self.index.get() {
            text = text.replace(&index.url(), "[INDEX]").replace(&index.origin(), "[ORIGIN]");
        }
        for (path, word) in [
            (&self.store(), "[STORE]"),
            (&self.home(), "[HOME]"),
            (&self.work(), "[WORK]"),
            (&self.root, "[TEMP]"),
            (&self.python.executable, "[PYTHON]"),
        ] {
            text = text.replace(&path.display().to_string(), word);
        }
        filters::stable(&text)
    }

    /// The files of the store below `folder`, relative to it and sorted; none if it is not there.
    pub fn store_files(&self, folder: &str) -> Vec<PathBuf> {
        let base = self.store().join(folder);
        let mut files = Vec::new();
        let mut directories = vec![base.clone()];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => directories.push(entry.path()),
                    _ => files.push(entry.path().strip_prefix(&base).expect("a path below it").to_owned()),
                }
            }
        }
        files.sort();
        files
    }

    fn path(&self) -> OsString {
        let pythons = std::iter::once(&self.python).chain(&self.others).map(|python| python.directory().to_owned());
        let system = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"].map(PathBuf::from);
        std::env::join_paths(pythons.chain(system)).expect("a PATH")
    }

    fn own(&self, path: &Path) {
        if let Some(user) = &self.user {
            user.own(path).unwrap_or_else(|error| panic!("give {} away: {error}", path.display()));
        }
    }

    fn stop_server(&self) {
        if self.binary.exists() && self.store().exists() {
            let stopped = process::run_within(self.command(["server", "stop"]), b"", Duration::from_secs(60));
            stopped.map_err(|hung| eprintln!("{hung}")).ok();
        }
    }
}

impl Default for Context {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        self.stop_server();
        let mount = self.store().join("mnt");
        if is_mounted(&mount) {
            eprintln!("the server left {} mounted", mount.display());
            detach(&mount);
        }
        let keep = std::env::var_os("OMNIPKG_TEST_KEEP").is_some_and(|value| value == "1");
        if let Some(directory) = self.directory.take()
            && (keep || is_mounted(&mount))
        {
            eprintln!("kept {}", directory.keep().display());
        }
    }
}

/// The built `omnipkg`: `OMNIPKG_TEST_BIN`, else the one beside the test's own target directory.
pub fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("OMNIPKG_TEST_BIN") {
        return PathBuf::from(path);
    }
    let test = std::env::current_exe().expect("the path of this test");
    test.ancestors().nth(2).expect("tests lie in target/{profile}/deps").join("omnipkg")
}

/// The binary, copied into the context if another user could not start it where it is.
fn reachable_binary(root: &Path, for_user: bool) -> PathBuf {
    let binary = binary();
    if !for_user || !binary.exists() || executable_by_others(&binary) {
        return binary;
    }
    let copy = root.join("omnipkg");
    fs::copy(&binary, &copy).unwrap_or_else(|error| panic!("copy {}: {error}", binary.display()));
    copy
}

/// Whether something is mounted at `path`; asks the kernel's table, since a dead mount answers no stat.
pub fn is_mounted(path: &Path) -> bool {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    table.lines().any(|line| line.split(' ').nth(4).is_some_and(|point| Path::new(point) == path))
}

fn detach(mount: &Path) {
    if umount2(mount, MntFlags::MNT_DETACH).is_err() {
        Command::new("fusermount3").arg("-uz").arg(mount).status().ok();
    }
}
