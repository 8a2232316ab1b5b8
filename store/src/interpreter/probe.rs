//! Asking an interpreter for its facts, once for each identity.

use super::installed::{self, Place};
use super::{Facts, Identity, Interpreter};
use crate::digest::Digest;
use crate::error::{Error, IoContext, Result};
use crate::layout::{Layout, Store};
use crate::publish;
use crate::view::description::ViewDescription;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// An interpreter answers within milliseconds; one on a cold network disk may need some seconds.
const PATIENCE: Duration = Duration::from_secs(20);

const PROBE: &str = include_str!("probe.py");

/// Bumped when [`Facts`] change meaning, so that old answers are not read.
const FACTS_VERSION: u32 = 3;

/// Runs the interpreter and reads what it says of itself.
///
/// # Errors
/// [`Error::Interpreter`] if it cannot be started, fails, or says what makes no sense.
pub fn probe(path: &Path) -> Result<Interpreter> {
    let facts = ask(path)?;
    Ok(Interpreter { identity: Identity::of(&facts.executable)?, facts })
}

/// What probing a path printed; `None` if it does not come to an end: anything may be called python.
fn answer(path: &Path) -> std::io::Result<Option<Output>> {
    let child = Command::new(path)
        .args(["-E", "-s", "-S", "-B", "-c", PROBE])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A group of its own, so that what it starts ends with it.
        .process_group(0)
        .spawn()?;
    let group = Pid::from_raw(i32::try_from(child.id()).unwrap_or_default());
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    match receiver.recv_timeout(PATIENCE) {
        Ok(output) => output.map(Some),
        Err(_) => {
            let _ = killpg(group, Signal::SIGKILL);
            Ok(None)
        }
    }
}

fn ask(path: &Path) -> Result<Facts> {
    let refuse = |reason: String| Error::Interpreter { path: path.to_owned(), reason };
    let Some(output) = answer(path).at("start", path)? else {
        return Err(refuse(format!("probing it gave no answer within {} seconds", PATIENCE.as_secs())));
    };
    if !output.status.success() {
        let talk = String::from_utf8_lossy(&output.stderr);
        let last = talk.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("no message");
        return Err(refuse(format!("probing it failed ({}): {last}", output.status)));
    }
    let facts: Facts =
        serde_json::from_slice(&output.stdout).map_err(|error| refuse(format!("probing it gave no facts: {error}")))?;
    if facts.version.0 == 2 && facts.version.1 != 7 || facts.version.0 == 3 && facts.version.1 < 6 {
        return Err(refuse(format!(
            "Python {} is older than omnipkg supports (2.7, 3.6 and later)",
            facts.full_version()
        )));
    }
    Ok(facts)
}

/// Like [`probe`], but remembers the answer in the store for as long as the file stays the same.
///
/// # Errors
/// As [`probe`].
pub fn probe_cached(store: &Store, path: &Path) -> Result<Interpreter> {
    let layout = store.layout();
    let base = base_of_view(store, path);
    let path = base.as_deref().unwrap_or(path);
    let asked = identity(layout, path)?;
    let file = memory(layout, &asked);
    if let Some(interpreter) = remembered(&file)
        && identity(layout, interpreter.path()).is_ok_and(|now| now == interpreter.identity)
    {
        return Ok(interpreter);
    }
    // Started by the path that was given: a link inside a virtual environment knows its base by that path.
    let facts = installed::with_lasting_paths(layout, ask(path)?);
    let interpreter = Interpreter { identity: identity(layout, &facts.executable)?, facts };
    if let Ok(bytes) = serde_json::to_vec(&(FACTS_VERSION, &interpreter)) {
        publish::volatile_file(store, &file, &bytes)?;
    }
    Ok(interpreter)
}

/// Drops the facts of interpreters that are not there any more, and says how many those were.
///
/// # Errors
/// [`Error::Io`].
pub fn forget_vanished(store: &Store) -> Result<usize> {
    let layout = store.layout();
    let directory = layout.interpreters();
    let mut forgotten = 0;
    for entry in std::fs::read_dir(&directory).at("list", &directory)? {
        let file = entry.at("list", &directory)?.path();
        let is_there = |known: Interpreter| identity(layout, known.path()).is_ok_and(|now| now == known.identity);
        if remembered(&file).is_some_and(|known| !is_there(known)) {
            std::fs::remove_file(&file).at("remove", &file)?;
            forgotten += 1;
        }
    }
    Ok(forgotten)
}

/// The interpreter of the view that a path lies in. Python 2 in a view cannot tell: its program is a file of the view.
fn base_of_view(store: &Store, path: &Path) -> Option<PathBuf> {
    let layout = store.layout();
    let real = std::fs::canonicalize(path).ok()?;
    let root = std::fs::canonicalize(layout.root()).ok()?;
    let below = real.strip_prefix(root).ok()?;
    let below = below.strip_prefix("mnt").or_else(|_| below.strip_prefix("links")).ok()?;
    let view = below.components().next()?.as_os_str().to_str()?.parse().ok()?;
    let interpreter = ViewDescription::load(store, &view).ok()?.interpreter;
    (interpreter != path).then_some(interpreter)
}

/// The identity of the file that a path leads to; of an installed interpreter, whether it is visible now or not.
fn identity(layout: &Layout, path: &Path) -> Result<Identity> {
    if let Some(place) = Place::of(layout, path) {
        return place.identity(layout);
    }
    let identity = Identity::of(path)?;
    // A link may lead into an installed tree.
    Place::of(layout, &identity.path).map_or(Ok(identity), |place| place.identity(layout))
}

fn remembered(file: &Path) -> Option<Interpreter> {
    let bytes = std::fs::read(file).ok()?;
    let (version, interpreter) = serde_json::from_slice::<(u32, Interpreter)>(&bytes).ok()?;
    (version == FACTS_VERSION).then_some(interpreter)
}

fn memory(layout: &Layout, identity: &Identity) -> PathBuf {
    let key = format!("{}\0{}\0{}", identity.path.display(), identity.size, identity.modified);
    layout.interpreters().join(Digest::of(key.as_bytes()).to_hex())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_python_is_refused_by_name() {
        let error = probe(Path::new("/bin/false")).unwrap_err();
        assert!(error.to_string().contains("/bin/false"), "{error}");
        let error = probe(Path::new("/bin/echo")).unwrap_err();
        assert!(error.to_string().contains("no facts"), "{error}");
    }

    #[test]
    fn facts_are_remembered_until_the_file_changes() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path().join("s")).unwrap();
        let python = super::super::discover::on_path("python3").into_iter().next();
        let Some(python) = python else { panic!("the tests need a python3 on PATH") };
        let first = probe_cached(&store, &python).unwrap();
        let second = probe_cached(&store, &python).unwrap();
        assert_eq!(first, second);
        assert!(first.facts.marker_environment().is_ok());
        assert!(first.facts.site_packages.ends_with("site-packages"));
    }
}
