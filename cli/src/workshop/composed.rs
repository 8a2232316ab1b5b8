//! What a workshop makes: a view with what it took, and what is to be remembered of it.

use super::Wheels;
use crate::answers::{Answer, Question};
use crate::projection;
use anyhow::Result;
use omnipkg_resolver::Lock;
use omnipkg_store::environment::NewGeneration;
use omnipkg_store::view::description::ViewDescription;
use omnipkg_store::{Store, ViewId};
use std::path::PathBuf;
use std::time::Duration;

/// A view that is ready to be used.
#[derive(Debug, Clone)]
pub struct Composed {
    /// Its name.
    pub id: ViewId,
    /// Where it can be seen.
    pub path: PathBuf,
    /// What it is made of.
    pub description: ViewDescription,
    /// What it took.
    pub cost: Cost,
}

/// What composing a view took.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cost {
    /// Finding the lock.
    pub resolve: Duration,
    /// Downloading and ingesting wheels.
    pub fetch: Duration,
    /// Building the view and making it visible.
    pub view: Duration,
    /// Wheels that were not in the store.
    pub new_wheels: usize,
    /// Objects that were not in the store.
    pub new_objects: u64,
    /// Their bytes.
    pub new_bytes: u64,
    /// Files of the set.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Composed {
    /// A view that is there already.
    pub fn known(id: ViewId, path: PathBuf, description: &ViewDescription) -> Self {
        Self { id, path, description: description.clone(), cost: Cost::default() }
    }

    /// What an environment records of this view.
    pub fn generation(&self, store: &Store, requirements: Vec<String>, reason: String) -> Result<NewGeneration> {
        let projected = projection::lasting(store, &self.id, &self.path)?;
        Ok(NewGeneration { view: self.id, projected, requirements, reason })
    }
}

/// What a view was made of, not yet remembered: whoever waits for the view need not wait for this, nor for the wheels'
/// tables to be let go of.
pub struct Found {
    question: Question,
    answer: Answer,
    _wheels: Wheels,
}

impl Found {
    pub(super) fn new(question: Question, lock: Lock, wheels: Wheels) -> Self {
        Self { question, answer: Answer { lock }, _wheels: wheels }
    }

    /// Remembers the answer.
    pub fn remember(self, store: &Store) -> Result<()> {
        self.answer.write(store, &self.question)
    }
}
