//! Remembered runs: (script, context) → view. Reading one is all that a warm start needs.
//!
//! The key covers what the user asked and what lies beneath; it does not cover the indexes: what is
//! remembered names exact wheels by hash, and where their bytes once came from changes nothing.

use crate::runtime_files::RUNTIME_STAMP;
use anyhow::{Result, anyhow};
use omnipkg_healer::{Plan, Remedy};
use omnipkg_store::interpreter::Identity;
use omnipkg_store::{Digest, DigestHasher, Layout, Store, ViewId, publish, view};
use pep440_rs::VersionSpecifiers;
use pep508_rs::Requirement;
use serde::{Deserialize, Serialize};
use std::fs;
use std::str::FromStr;

/// Bumped when records or keys change meaning.
const FORMAT: u32 = 1;

/// What a run turned out to need.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RememberedRun {
    format: u32,
    /// The view it runs in.
    pub view: ViewId,
    /// The interpreter that the view was made for.
    pub interpreter: Identity,
    requirements: Vec<String>,
    remedies: Vec<RememberedRemedy>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RememberedRemedy {
    Require(String),
    Add(String),
    Replace(String, String),
    Python(String),
}

impl RememberedRun {
    /// What to remember of a run.
    pub fn new(view: ViewId, interpreter: Identity, plan: &Plan) -> Self {
        // The plan's own requirements include what remedies made of them: applying those again is harmless.
        let requirements = plan.requirements().iter().map(ToString::to_string).collect();
        let remedies = plan.remedies().iter().map(|remedy| match remedy {
            Remedy::Require(requirement) => RememberedRemedy::Require(requirement.to_string()),
            Remedy::Add(requirement) => RememberedRemedy::Add(requirement.to_string()),
            Remedy::Replace { from, to } => RememberedRemedy::Replace(from.to_string(), to.to_string()),
            Remedy::Python(specifiers) => RememberedRemedy::Python(specifiers.to_string()),
        });
        Self { format: FORMAT, view, interpreter, requirements, remedies: remedies.collect() }
    }

    /// True if remedies were taken.
    pub fn is_healed(&self) -> bool {
        !self.remedies.is_empty()
    }

    /// True if a remedy took another Python.
    pub fn is_on_another_python(&self) -> bool {
        self.remedies.iter().any(|remedy| matches!(remedy, RememberedRemedy::Python(_)))
    }

    /// The plan that led to the view, so that healing can go on from it.
    pub fn plan(&self) -> Result<Plan> {
        let requirement = |text: &str| Requirement::from_str(text).map_err(|error| anyhow!("{text:?}: {error}"));
        let requirements = self.requirements.iter().map(|text| requirement(text)).collect::<Result<Vec<_>>>()?;
        let mut plan = Plan::new(requirements);
        for remedy in &self.remedies {
            let remedy = match remedy {
                RememberedRemedy::Require(text) => Remedy::Require(requirement(text)?),
                RememberedRemedy::Add(text) => Remedy::Add(requirement(text)?),
                RememberedRemedy::Replace(from, to) => Remedy::Replace { from: from.parse()?, to: to.parse()? },
                RememberedRemedy::Python(specifiers) => Remedy::Python(VersionSpecifiers::from_str(specifiers)?),
            };
            plan = plan.with(&remedy);
        }
        Ok(plan)
    }

    /// Reads what is remembered under a key, if it still holds.
    pub fn read(layout: &Layout, key: &Digest) -> Option<Self> {
        let bytes = fs::read(layout.remembered_run(key)).ok()?;
        let run: Self = serde_json::from_slice(&bytes).ok()?;
        (run.format == FORMAT && run.interpreter.is_current()).then_some(run)
    }

    /// Remembers, once the view is durable.
    pub fn write(&self, store: &Store, key: &Digest) -> Result<()> {
        view::seal(store, &self.view)?;
        let bytes = serde_json::to_vec(self)?;
        Ok(publish::volatile_file(store, &store.layout().remembered_run(key), &bytes)?)
    }
}

/// The key of a run: every ingredient with its length, so that no two questions are alike.
pub struct RunKey(DigestHasher);

impl RunKey {
    /// A key that covers this version of omnipkg's own files in a view.
    pub fn new() -> Self {
        let mut key = Self(DigestHasher::new());
        key.add("format", &FORMAT.to_le_bytes());
        key.add("runtime", RUNTIME_STAMP.as_bytes());
        key
    }

    /// Adds an ingredient.
    pub fn add(&mut self, name: &str, value: &[u8]) {
        self.0.update(format!("{name} {} ", value.len()).as_bytes());
        self.0.update(value);
    }

    /// The key.
    pub fn finish(&self) -> Digest {
        self.0.finish()
    }
}
