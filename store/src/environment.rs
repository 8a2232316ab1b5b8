//! Environments: names whose generations are each one immutable view.
//!
//! `envs/<name>` is a symlink to the projected path of the current generation and is changed by one rename;
//! `generations/<name>/<n>` are the records of history, written before the rename. So a reader sees the old
//! or the new generation, and a crash in between leaves the old one current: the current generation is
//! the newest record whose view the link names.

use crate::digest::ViewId;
use crate::error::{Error, IoContext, Result};
use crate::layout::Store;
use crate::{publish, view};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// How many generations an environment keeps.
pub const KEPT_GENERATIONS: usize = 10;

/// One state of an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generation {
    /// Counts from 1.
    pub number: u64,
    /// Seconds since the epoch.
    pub created: u64,
    /// What it looks like.
    pub view: ViewId,
    /// What was asked for, as PEP 508 texts.
    pub requirements: Vec<String>,
    /// The command that made it, in words.
    pub reason: String,
}

/// What publishing needs to know of the new generation.
#[derive(Debug, Clone)]
pub struct NewGeneration {
    /// The view.
    pub view: ViewId,
    /// Where it can be seen: a path below the store's root.
    pub projected: PathBuf,
    /// What was asked for.
    pub requirements: Vec<String>,
    /// The command, in words.
    pub reason: String,
}

/// The environments of a store.
pub struct Environments<'store> {
    store: &'store Store,
}

impl<'store> Environments<'store> {
    /// The environments of `store`.
    pub fn new(store: &'store Store) -> Self {
        Self { store }
    }

    /// All names, sorted.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn names(&self) -> Result<Vec<String>> {
        let directory = self.store.layout().envs();
        let mut names = Vec::new();
        for entry in fs::read_dir(&directory).at("list", &directory)? {
            names.extend(entry.at("list", &directory)?.file_name().into_string());
        }
        names.sort();
        Ok(names)
    }

    /// The view that a name leads to, by one readlink.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Damaged`] if the link leads to no view.
    pub fn view(&self, name: &str) -> Result<Option<ViewId>> {
        check_name(name)?;
        view_of_link(&self.store.layout().envs().join(name))
    }

    /// The current generation, or `None` if there is no such environment.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Damaged`].
    pub fn current(&self, name: &str) -> Result<Option<Generation>> {
        let Some(view) = self.view(name)? else { return Ok(None) };
        let newest = self.history(name)?.into_iter().rev().find(|generation| generation.view == view);
        newest.map(Some).ok_or_else(|| Error::Damaged {
            what: "history of",
            path: self.store.layout().envs().join(name),
            reason: format!("no generation has its view {view}"),
        })
    }

    /// Every generation kept, oldest first.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Damaged`].
    pub fn history(&self, name: &str) -> Result<Vec<Generation>> {
        check_name(name)?;
        let directory = self.store.layout().generations(name);
        let mut generations = Vec::new();
        for number in numbers(&directory)? {
            let path = directory.join(number.to_string());
            let bytes = match fs::read(&path) {
                Ok(bytes) => bytes,
                // The oldest is forgotten whenever another command publishes.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error).at("read", &path),
            };
            let generation = serde_json::from_slice(&bytes).map_err(|error| Error::Damaged {
                what: "generation record",
                path,
                reason: error.to_string(),
            })?;
            generations.push(generation);
        }
        // While another command publishes, there is one more for a moment.
        generations.drain(..generations.len().saturating_sub(KEPT_GENERATIONS));
        Ok(generations)
    }

    /// Makes a new generation current, if the current one is still `expected` (its number; `None`: no
    /// environment yet). Returns `None` if another command was quicker: the caller looks again and redoes
    /// its work on what is there now. The lock is held for the publishing only.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Environment`] for a bad name.
    pub fn publish(&self, name: &str, expected: Option<u64>, new: NewGeneration) -> Result<Option<Generation>> {
        check_name(name)?;
        view::seal(self.store, &new.view)?;
        let _lock = self.lock(name)?;
        if self.current(name)?.map(|generation| generation.number) != expected {
            return Ok(None);
        }
        let directory = self.store.layout().generations(name);
        let number = numbers(&directory)?.last().map_or(1, |last| last + 1);
        let generation = Generation {
            number,
            created: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs()),
            view: new.view,
            requirements: new.requirements,
            reason: new.reason,
        };
        let path = directory.join(number.to_string());
        let bytes = serde_json::to_vec_pretty(&generation)
            .map_err(|error| Error::Environment { name: name.to_owned(), reason: error.to_string() })?;
        publish::file(self.store, &path, &bytes)?;
        self.point(&self.store.layout().envs().join(name), &new.projected)?;
        self.forget_oldest(&directory)?;
        Ok(Some(generation))
    }

    /// Points the environment's link at where its view is projected now, if that changed.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn reproject(&self, name: &str, view: &ViewId, projected: &Path) -> Result<()> {
        check_name(name)?;
        let link = self.store.layout().envs().join(name);
        if fs::read_link(&link).is_ok_and(|target| target == self.target(projected)) {
            return Ok(());
        }
        let _lock = self.lock(name)?;
        if self.view(name)? != Some(*view) {
            return Ok(());
        }
        self.point(&link, projected)
    }

    /// The active environment's name.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn active(&self) -> Result<Option<String>> {
        let link = self.store.layout().active();
        match fs::read_link(&link) {
            Ok(target) => Ok(target.file_name().and_then(|name| name.to_str()).map(str::to_owned)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).at("read link", &link),
        }
    }

    /// Makes an environment the active one: one rename. Not synced, for it is a choice and no data: after a power cut
    /// the one before may be the active one again, never none.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Environment`] for a bad name.
    pub fn set_active(&self, name: &str) -> Result<()> {
        check_name(name)?;
        publish::volatile_link(self.store, &Path::new("envs").join(name), &self.store.layout().active())
    }

    /// Removes an environment and its history; false if there was none. Its views stay, for whoever uses them.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Environment`] for a bad name or the active environment.
    pub fn remove(&self, name: &str) -> Result<bool> {
        check_name(name)?;
        let _lock = self.lock(name)?;
        if self.active()?.as_deref() == Some(name) {
            let reason = "it is the active one: make another one active first".to_owned();
            return Err(Error::Environment { name: name.to_owned(), reason });
        }
        // The link first: without it there is no environment, whatever else is left.
        let link = self.store.layout().envs().join(name);
        let existed = remove_if_there(&link, fs::remove_file(&link))?;
        let history = self.store.layout().generations(name);
        remove_if_there(&history, fs::remove_dir_all(&history))?;
        let bubbles = self.store.layout().bubbles(name);
        remove_if_there(&bubbles, fs::remove_dir_all(&bubbles))?;
        Ok(existed)
    }

    /// Links are relative, so that a store may be moved.
    fn target(&self, projected: &Path) -> PathBuf {
        let relative = projected.strip_prefix(self.store.layout().root()).unwrap_or(projected);
        Path::new("..").join(relative)
    }

    fn point(&self, link: &Path, projected: &Path) -> Result<()> {
        publish::link(self.store, &self.target(projected), link)
    }

    fn lock(&self, name: &str) -> Result<File> {
        self.store.layout().hold(&format!("env-{name}"))
    }

    fn forget_oldest(&self, directory: &Path) -> Result<()> {
        let numbers = numbers(directory)?;
        let surplus = numbers.len().saturating_sub(KEPT_GENERATIONS);
        for number in &numbers[..surplus] {
            let path = directory.join(number.to_string());
            fs::remove_file(&path).at("remove", &path)?;
        }
        Ok(())
    }
}

fn remove_if_there(path: &Path, result: io::Result<()>) -> Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).at("remove", path),
    }
}

/// The view that a link such as `envs/<name>` ends in.
fn view_of_link(link: &Path) -> Result<Option<ViewId>> {
    let target = match fs::read_link(link) {
        Ok(target) => target,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).at("read link", link),
    };
    let id = target.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse().ok());
    id.map(Some).ok_or_else(|| Error::Damaged {
        what: "environment link",
        path: link.to_owned(),
        reason: format!("{} is no view", target.display()),
    })
}

/// Names become file names and appear in commands.
fn check_name(name: &str) -> Result<()> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if !name.is_empty() && name.len() <= 100 && name.chars().all(allowed) && !name.starts_with(['.', '-']) {
        return Ok(());
    }
    Err(Error::Environment {
        name: name.chars().take(100).collect(),
        reason: "a name is letters, digits, '.', '_' and '-', and begins with none of the last two".to_owned(),
    })
}

fn numbers(directory: &Path) -> Result<Vec<u64>> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).at("list", directory),
    };
    let mut numbers = Vec::new();
    for entry in entries {
        let name = entry.at("list", directory)?.file_name();
        numbers.extend(name.to_str().and_then(|name| name.parse::<u64>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    fn new(store: &Store, text: &str) -> NewGeneration {
        let view = ViewId::from_digest(&Digest::of(text.as_bytes()));
        NewGeneration {
            view,
            projected: store.layout().mnt().join(view.to_string()),
            requirements: vec![text.to_owned()],
            reason: format!("install {text}"),
        }
    }

    #[test]
    fn generations_follow_one_another_and_a_late_writer_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path().join("s")).unwrap();
        let environments = Environments::new(&store);
        assert_eq!(environments.current("3.11").unwrap(), None);
        let first = environments.publish("3.11", None, new(&store, "a")).unwrap().unwrap();
        let second = environments.publish("3.11", Some(first.number), new(&store, "b")).unwrap().unwrap();
        assert_eq!((first.number, second.number), (1, 2));
        assert_eq!(environments.publish("3.11", Some(1), new(&store, "c")).unwrap(), None);
        assert_eq!(environments.current("3.11").unwrap().unwrap(), second);
        environments.set_active("3.11").unwrap();
        assert_eq!(environments.active().unwrap().as_deref(), Some("3.11"));
    }

    #[test]
    fn only_the_last_ten_are_kept_and_an_unpublished_record_is_not_current() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path().join("s")).unwrap();
        let environments = Environments::new(&store);
        let mut expected = None;
        for n in 0..14 {
            expected = environments.publish("e", expected, new(&store, &n.to_string())).unwrap().map(|g| g.number);
        }
        let history = environments.history("e").unwrap();
        assert_eq!((history.len(), history[0].number), (10, 5));
        // As a crash between the record and the rename would leave it.
        let mut orphan = history[9].clone();
        orphan.number = 15;
        orphan.view = new(&store, "lost").view;
        let path = store.layout().generations("e").join("15");
        fs::write(path, serde_json::to_vec(&orphan).unwrap()).unwrap();
        assert_eq!(environments.current("e").unwrap().unwrap().number, 14);
    }

    #[test]
    fn names_that_could_escape_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path().join("s")).unwrap();
        for name in ["", "..", "a/b", "-x", ".hidden", "ä"] {
            assert!(Environments::new(&store).view(name).is_err(), "{name:?}");
        }
    }
}
