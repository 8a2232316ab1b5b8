//! Reviewed knowledge: which distribution provides an import name, and which has a variant that needs less of the system.
//!
//! The tables are embedded and each row names its source. A row is certain or it is not in the table: a wrong one
//! installs a stranger's code.

mod apis;
mod eras;
mod modules;
mod system;

pub use apis::{Api, PYTHON, api};
pub use eras::of_another_time;
pub use modules::{Row, distribution_for, edit_distance, has_project, similar};
pub use system::{package_of_library, package_of_program};

use std::str::FromStr;

use pep440_rs::Version;
use pep508_rs::PackageName;
use serde::Deserialize;

const VARIANTS: &str = include_str!("../data/variants.toml");

/// What the distributions in the store prove; `cli` answers it from the catalog.
pub trait Provides {
    /// The distributions whose RECORD or Import-Name has this import name (dotted for namespace packages), without
    /// duplicates. Exactly one is certain.
    fn distributions_for(&self, import_name: &str) -> Vec<String>;
}

/// The interpreters of the machine; `cli` asks them.
pub trait Pythons {
    /// The versions of those that can read a file as Python; none of it is run.
    fn that_read(&self, file: &str) -> Vec<Version>;

    /// The versions of all.
    fn known(&self) -> Vec<Version>;
}

/// A machine without interpreters.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoPythons;

impl Pythons for NoPythons {
    fn that_read(&self, _file: &str) -> Vec<Version> {
        Vec::new()
    }

    fn known(&self) -> Vec<Version> {
        Vec::new()
    }
}

/// A [`Provides`] that knows nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nothing;

impl Provides for Nothing {
    fn distributions_for(&self, _import_name: &str) -> Vec<String> {
        Vec::new()
    }
}

/// A table that does not have its shape.
#[derive(Debug, thiserror::Error)]
pub enum KnowledgeError {
    /// The table is not TOML of the right shape.
    #[error("read table {table}")]
    Table {
        /// The table's file name.
        table: &'static str,
        /// What is wrong.
        #[source]
        source: toml::de::Error,
    },
    /// A row names a distribution that no project can have.
    #[error("read table {table}: `{name}` is not a project name")]
    Name {
        /// The table's file name.
        table: &'static str,
        /// The name.
        name: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Variant {
    library: Vec<String>,
    distribution: String,
    variant: String,
    #[allow(dead_code, reason = "a row without a source must not load")]
    source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Variants {
    variant: Vec<Variant>,
}

/// The reviewed tables that are read when they are needed.
#[derive(Default)]
pub struct Knowledge {
    variants: Vec<Variant>,
}

impl Knowledge {
    /// The tables that come with omnipkg.
    pub fn embedded() -> Result<Self, KnowledgeError> {
        Self::parse(VARIANTS)
    }

    fn parse(variants: &str) -> Result<Self, KnowledgeError> {
        let variants: Variants =
            toml::from_str(variants).map_err(|source| KnowledgeError::Table { table: "variants.toml", source })?;
        for row in &variants.variant {
            check("variants.toml", &row.distribution)?;
            check("variants.toml", &row.variant)?;
        }
        Ok(Self { variants: variants.variant })
    }

    /// The (distribution, variant) pairs, normalised, in which the variant does without a system library.
    pub fn variants(&self, library: &str) -> Vec<(&str, &str)> {
        let rows = self.variants.iter().filter(|row| row.library.iter().any(|own| own == library));
        rows.map(|row| (row.distribution.as_str(), row.variant.as_str())).collect()
    }
}

fn check(table: &'static str, name: &str) -> Result<(), KnowledgeError> {
    PackageName::from_str(name).map(drop).map_err(|_| KnowledgeError::Name { table, name: name.to_owned() })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_table_is_an_error() {
        assert!(Knowledge::parse("variant = []").is_ok());
        assert!(Knowledge::parse("variant = 1").is_err());
        let row = |variant: &str, more: &str| {
            format!("[[variant]]\nlibrary = [\"x\"]\ndistribution = \"a\"\nvariant = \"{variant}\"\n{more}")
        };
        assert!(Knowledge::parse(&row("b", "source = \"its documentation\"")).is_ok());
        assert!(Knowledge::parse(&row("b", "")).is_err());
        assert!(Knowledge::parse(&row("a b", "source = \"its documentation\"")).is_err());
    }
}
