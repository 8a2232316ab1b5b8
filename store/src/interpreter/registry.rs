//! The interpreters in use: one record each, `pythons/<name>.json`, by the name of its default environment.
//!
//! A record holds the interpreter by reference, with the identity that tells when the file is another one. Nothing of an
//! adopted interpreter is ever written to.

use super::discover::PythonRequest;
use super::installed::Place;
use super::{Interpreter, probe_cached};
use crate::digest::Digest;
use crate::environment::Environments;
use crate::error::{Error, IoContext, Result};
use crate::layout::{Layout, Store};
use crate::publish;
use crate::view::description::ViewDescription;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Where an interpreter came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// It was on this machine.
    Adopted,
    /// It was installed into the store.
    Installed,
}

/// An interpreter in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The name of its default environment.
    pub name: String,
    /// Where it came from.
    pub origin: Origin,
    /// Seconds since the epoch.
    pub added: u64,
    /// As it was when it was adopted or looked at last.
    pub interpreter: Interpreter,
}

impl Record {
    /// The interpreter's path.
    pub fn path(&self) -> &Path {
        self.interpreter.path()
    }
}

/// What has become of a recorded interpreter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It is as recorded.
    Current,
    /// At its path there is another one now.
    Changed(Box<Interpreter>),
    /// There is nothing at its path, or nothing that can be used.
    Vanished,
}

/// The interpreters in use of a store.
pub struct Registry<'store> {
    store: &'store Store,
}

impl<'store> Registry<'store> {
    /// The interpreters in use of `store`.
    pub fn new(store: &'store Store) -> Self {
        Self { store }
    }

    /// Every record, by name.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Damaged`].
    pub fn all(&self) -> Result<Vec<Record>> {
        let names = names(self.store.layout());
        let records: Result<Vec<Option<Record>>> = names.iter().map(|name| self.get(name)).collect();
        Ok(records?.into_iter().flatten().collect())
    }

    /// The record of a name.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Damaged`].
    pub fn get(&self, name: &str) -> Result<Option<Record>> {
        read(self.store.layout(), name)
    }

    /// The record of the interpreter at a path, as [`Interpreter::path`] gives it.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Damaged`].
    pub fn by_path(&self, path: &Path) -> Result<Option<Record>> {
        Ok(self.all()?.into_iter().find(|record| record.path() == path))
    }

    /// The name that an interpreter has, or would get: `3.11`, `3.13t`, `pypy3.9`; where that is another one's, with
    /// `-<8 hex of the digest of its path>`.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Damaged`].
    pub fn name_for(&self, interpreter: &Interpreter) -> Result<String> {
        let name = interpreter.facts.name();
        let digest = Digest::of(interpreter.path().as_os_str().as_encoded_bytes());
        let other = format!("{name}-{}", &digest.to_hex()[..8]);
        // What has a name keeps it, whatever becomes free.
        for own in [&name, &other] {
            if self.get(own)?.is_some_and(|record| record.path() == interpreter.path()) {
                return Ok(own.clone());
            }
        }
        let taken = self.is_anothers(&name, interpreter)?;
        Ok(if taken { other } else { name })
    }

    /// True if the name is that of another interpreter that is still there.
    fn is_anothers(&self, name: &str, interpreter: &Interpreter) -> Result<bool> {
        let holder = match self.get(name)? {
            Some(record) => Some(record.interpreter.identity.path),
            None => match Environments::new(self.store).view(name)? {
                Some(view) => Some(ViewDescription::load(self.store, &view)?.interpreter),
                None => None,
            },
        };
        let layout = self.store.layout();
        let is_there = |path: &Path| path.exists() || Place::of(layout, path).is_some();
        Ok(holder.is_some_and(|path| path != interpreter.path() && is_there(&path)))
    }

    /// Records an interpreter, or finds its record, brought up to date; true if it is new.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Damaged`].
    pub fn adopt(&self, interpreter: &Interpreter) -> Result<(Record, bool)> {
        let _lock = self.lock()?;
        let name = self.name_for(interpreter)?;
        let known = self.get(&name)?.filter(|record| record.path() == interpreter.path());
        let new = known.is_none();
        Ok((self.write(&name, known.as_ref(), interpreter)?, new))
    }

    /// Brings the record of a name to another interpreter, to which its environment was bound.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Damaged`].
    pub fn rebind(&self, name: &str, interpreter: &Interpreter) -> Result<()> {
        let _lock = self.lock()?;
        let known = self.get(name)?;
        if known.as_ref().is_some_and(|record| record.interpreter == *interpreter) {
            return Ok(());
        }
        self.write(name, known.as_ref(), interpreter).map(drop)
    }

    fn write(&self, name: &str, known: Option<&Record>, interpreter: &Interpreter) -> Result<Record> {
        let is_installed = Place::of(self.store.layout(), interpreter.path()).is_some();
        let record = Record {
            name: name.to_owned(),
            origin: if is_installed { Origin::Installed } else { Origin::Adopted },
            added: known.map_or_else(now, |record| record.added),
            interpreter: interpreter.clone(),
        };
        if known != Some(&record) {
            let path = file(self.store.layout(), name);
            let bytes = serde_json::to_vec_pretty(&record)
                .map_err(|error| Error::Interpreter { path: path.clone(), reason: error.to_string() })?;
            publish::file(self.store, &path, &bytes)?;
        }
        Ok(record)
    }

    /// Forgets a record; false if there was none.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn remove(&self, name: &str) -> Result<bool> {
        let _lock = self.lock()?;
        let path = file(self.store.layout(), name);
        match fs::remove_file(&path) {
            Ok(()) => publish::sync_parent(&path).map(|()| true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error).at("remove", &path),
        }
    }

    /// What has become of a recorded interpreter: one `stat`, if it is as it was.
    pub fn check(&self, record: &Record) -> State {
        if is_as_recorded(self.store.layout(), record) {
            return State::Current;
        }
        match probe_cached(self.store, record.path()) {
            Ok(now) if now == record.interpreter => State::Current,
            Ok(now) => State::Changed(Box::new(now)),
            Err(_) => State::Vanished,
        }
    }

    fn lock(&self) -> Result<File> {
        self.store.layout().hold("pythons")
    }
}

/// True unless the interpreter that is recorded under a name is another one now, or gone: one read and one `stat`. A
/// name without a record says nothing.
pub fn is_current(layout: &Layout, name: &str) -> bool {
    let Ok(Some(record)) = read(layout, name) else { return true };
    is_as_recorded(layout, &record)
}

fn is_as_recorded(layout: &Layout, record: &Record) -> bool {
    let identity = &record.interpreter.identity;
    match Place::of(layout, record.path()) {
        Some(place) => place.identity(layout).is_ok_and(|now| now == *identity),
        None => identity.is_current(),
    }
}

/// The paths of recorded interpreters that answer a request: those with a plain name first, then the newest.
pub(super) fn paths_for(layout: &Layout, request: &PythonRequest) -> Vec<PathBuf> {
    let records = names(layout).into_iter().filter_map(|name| read(layout, &name).ok().flatten());
    let mut fitting: Vec<Record> = records.filter(|record| request.accepts(&record.interpreter.facts)).collect();
    fitting.sort_by_key(|record| {
        let facts = &record.interpreter.facts;
        (record.name != facts.name(), Reverse(facts.version))
    });
    fitting.into_iter().map(|record| record.interpreter.identity.path).collect()
}

/// The name of the recorded interpreter that a request means: of several, the one that [`Registry`] would use.
pub fn name_of_request(layout: &Layout, request: &PythonRequest) -> Option<String> {
    let mut records = names(layout).into_iter().filter_map(|name| read(layout, &name).ok().flatten());
    if let PythonRequest::Path(path) = request {
        let real = fs::canonicalize(path).ok()?;
        return records.find(|record| record.path() == real || record.path() == path).map(|record| record.name);
    }
    let first = paths_for(layout, request).into_iter().next()?;
    records.find(|record| record.path() == first).map(|record| record.name)
}

fn file(layout: &Layout, name: &str) -> PathBuf {
    layout.pythons().join(format!("{name}.json"))
}

/// The names of all records, sorted; none where there is no such directory yet.
fn names(layout: &Layout) -> Vec<String> {
    let entries = fs::read_dir(layout.pythons()).into_iter().flatten().flatten();
    let files = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = files.filter_map(|file| Some(file.strip_suffix(".json")?.to_owned())).collect();
    names.sort();
    names
}

fn read(layout: &Layout, name: &str) -> Result<Option<Record>> {
    let path = file(layout, name);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).at("read", &path),
    };
    serde_json::from_slice(&bytes).map(Some).map_err(|error| Error::Damaged {
        what: "record",
        path,
        reason: error.to_string(),
    })
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::Identity;
    use super::super::testing::facts;
    use super::*;

    /// An interpreter that is a plain file: nothing here starts it.
    fn interpreter(path: &Path, version: (u8, u8, u16)) -> Interpreter {
        fs::write(path, format!("{version:?}")).unwrap();
        Interpreter { identity: Identity::of(path).unwrap(), facts: facts("cpython", version) }
    }

    fn store() -> (tempfile::TempDir, Store) {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path().join("s")).unwrap();
        (directory, store)
    }

    #[test]
    fn what_is_adopted_is_found_by_name_and_path_and_request_until_it_is_removed() {
        let (directory, store) = store();
        let registry = Registry::new(&store);
        assert!(registry.all().unwrap().is_empty());
        let python = interpreter(&directory.path().join("a"), (3, 11, 7));
        let (record, new) = registry.adopt(&python).unwrap();
        assert!(new && record.name == "3.11" && record.origin == Origin::Adopted);
        assert_eq!(registry.adopt(&python).unwrap(), (record.clone(), false));
        assert_eq!(registry.get("3.11").unwrap(), Some(record.clone()));
        assert_eq!(registry.by_path(python.path()).unwrap(), Some(record.clone()));
        assert_eq!(registry.check(&record), State::Current);
        assert_eq!(paths_for(store.layout(), &PythonRequest::parse("3.11")), [python.path()]);
        assert!(paths_for(store.layout(), &PythonRequest::parse("3.11t")).is_empty());
        assert!(registry.remove("3.11").unwrap() && !registry.remove("3.11").unwrap());
        assert!(registry.all().unwrap().is_empty());
    }

    #[test]
    fn a_second_interpreter_of_a_version_gets_a_name_of_its_own_and_keeps_it() {
        let (directory, store) = store();
        let registry = Registry::new(&store);
        let first = interpreter(&directory.path().join("a"), (3, 11, 7));
        let second = interpreter(&directory.path().join("b"), (3, 11, 9));
        registry.adopt(&first).unwrap();
        let name = registry.adopt(&second).unwrap().0.name;
        assert!(name.starts_with("3.11-") && name.len() == "3.11-".len() + 8, "{name}");
        assert_eq!(paths_for(store.layout(), &PythonRequest::parse("3.11")), [first.path(), second.path()]);
        registry.remove("3.11").unwrap();
        assert_eq!(registry.name_for(&second).unwrap(), name);
        assert_eq!(registry.name_for(&first).unwrap(), "3.11");
    }

    #[test]
    fn the_name_of_what_vanished_is_free() {
        let (directory, store) = store();
        let registry = Registry::new(&store);
        let first = interpreter(&directory.path().join("a"), (3, 11, 7));
        let (record, _) = registry.adopt(&first).unwrap();
        fs::remove_file(first.path()).unwrap();
        assert_eq!(registry.check(&record), State::Vanished);
        let second = interpreter(&directory.path().join("b"), (3, 11, 9));
        assert_eq!(registry.adopt(&second).unwrap().0.name, "3.11");
    }

    #[test]
    fn a_damaged_record_is_named() {
        let (_directory, store) = store();
        let path = file(store.layout(), "3.11");
        publish::file(&store, &path, b"{").unwrap();
        let error = Registry::new(&store).all().unwrap_err();
        assert!(matches!(error, Error::Damaged { .. }), "{error}");
    }
}
