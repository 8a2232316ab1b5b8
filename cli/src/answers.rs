//! Remembered answers: question (requirements, interpreter, indexes, options) → lock.

use anyhow::Result;
use omnipkg_resolver::Lock;
use omnipkg_store::interpreter::Interpreter;
use omnipkg_store::{DigestHasher, Store, publish};
use serde::{Deserialize, Serialize};
use std::fs;

/// What was asked, as a running digest of every ingredient.
#[derive(Clone)]
pub struct Question(DigestHasher);

impl Question {
    /// A question for an interpreter, to be asked of these indexes.
    pub fn new(interpreter: &Interpreter, indexes: &[String]) -> Self {
        let mut this = Self(DigestHasher::new());
        this.add("answers", "2");
        let facts = &interpreter.facts;
        for part in [&facts.implementation, &facts.full_version(), &facts.soabi, &facts.platform] {
            this.add("interpreter", part);
        }
        // Markers cover the machine and its kernel too; a new kernel release asks again only where a marker
        // could see it, which is nowhere in practice.
        for name in ["platform_machine", "platform_system", "sys_platform"] {
            this.add(name, facts.markers.get(name).map_or("", String::as_str));
        }
        this.add("libc", &format!("{:?}", facts.libc));
        indexes.iter().for_each(|index| this.add("index", index));
        this
    }

    /// Adds an ingredient.
    pub fn add(&mut self, name: &str, value: &str) {
        self.0.update(format!("{name} {}:{value}\n", value.len()).as_bytes());
    }
}

/// What was answered.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Answer {
    /// The exact wheels.
    pub lock: Lock,
}

impl Answer {
    /// The remembered answer to a question.
    pub fn read(store: &Store, question: &Question) -> Option<Self> {
        let bytes = fs::read(store.layout().answer(&question.0.finish())).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Remembers.
    pub fn write(&self, store: &Store, question: &Question) -> Result<()> {
        let path = store.layout().answer(&question.0.finish());
        Ok(publish::volatile_file(store, &path, &serde_json::to_vec(self)?)?)
    }
}
