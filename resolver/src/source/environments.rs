//! Where builds run: environments that somebody composes who can make them visible.

use crate::metadata::Requirement;
use std::path::PathBuf;

/// An environment that a build runs in.
#[derive(Debug, Clone)]
pub struct BuildEnvironment {
    /// Its directory, which has `bin/python`.
    pub prefix: PathBuf,
    /// What it is made of, as a name.
    pub name: String,
}

/// Composes environments for builds.
pub trait BuildEnvironments: Send + Sync {
    /// What tells the builds of one interpreter from those of another.
    fn identity(&self) -> String;

    /// An environment that has what satisfies `requirements` and nothing else, to build `source` in.
    ///
    /// # Errors
    /// What keeps it from being made, also that it would take the build of `source` itself.
    fn compose(
        &self,
        requirements: &[Requirement],
        source: &str,
    ) -> Result<BuildEnvironment, Box<dyn std::error::Error + Send + Sync>>;
}
