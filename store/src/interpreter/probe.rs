//! Asking an interpreter for its facts, once for each identity.

use super::{Facts, Identity, Interpreter};
use crate::digest::Digest;
use crate::error::{Error, IoContext, Result};
use crate::layout::Store;
use crate::publish;
use std::path::Path;
use std::process::{Command, Stdio};

const PROBE: &str = include_str!("probe.py");

/// Bumped when [`Facts`] change meaning, so that old answers are not read.
const FACTS_VERSION: u32 = 1;

/// Runs the interpreter and reads what it says of itself.
///
/// # Errors
/// [`Error::Interpreter`] if it cannot be started, fails, or says what makes no sense.
pub fn probe(path: &Path) -> Result<Interpreter> {
    let refuse = |reason: String| Error::Interpreter { path: path.to_owned(), reason };
    let output = Command::new(path)
        .args(["-E", "-s", "-S", "-B", "-c", PROBE])
        .stdin(Stdio::null())
        .output()
        .at("start", path)?;
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
    let identity = Identity::of(&facts.executable)?;
    Ok(Interpreter { identity, facts })
}

/// Like [`probe`], but remembers the answer in the store for as long as the file stays the same.
///
/// # Errors
/// As [`probe`].
pub fn probe_cached(store: &Store, path: &Path) -> Result<Interpreter> {
    let asked = Identity::of(path)?;
    let file = memory(store, &asked)?;
    if let Ok(bytes) = std::fs::read(&file)
        && let Ok((FACTS_VERSION, interpreter)) = serde_json::from_slice::<(u32, Interpreter)>(&bytes)
        && interpreter.identity.is_current()
    {
        return Ok(interpreter);
    }
    // Started by the path that was given: a link inside a virtual environment knows its base by that path.
    let interpreter = probe(path)?;
    if let Ok(bytes) = serde_json::to_vec(&(FACTS_VERSION, &interpreter)) {
        publish::volatile_file(store, &file, &bytes)?;
    }
    Ok(interpreter)
}

fn memory(store: &Store, identity: &Identity) -> Result<std::path::PathBuf> {
    let key = format!("{}\0{}\0{}", identity.path.display(), identity.size, identity.modified);
    Ok(store.layout().interpreters().join(Digest::of(key.as_bytes()).to_hex()))
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
