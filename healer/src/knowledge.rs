//! Reviewed knowledge: which distribution provides an import name, and which has a variant that needs less of the system.
//!
//! The tables are embedded and each row names its source. A row is certain or it is not in the table: a wrong one
//! installs a stranger's code. Names here are looked up by the longest dotted prefix.

mod apis;

pub use apis::{Api, PYTHON, api};

use std::collections::BTreeMap;
use std::str::FromStr;

use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::PackageName;
use serde::Deserialize;

const MODULES: &str = include_str!("../data/modules.toml");
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

/// One row of the table of import names.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The distribution, as its project spells it.
    pub distribution: String,
    /// The versions that provide it, where not all do.
    pub versions: Option<VersionSpecifiers>,
    /// Where the row is known from.
    pub source: String,
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
struct Modules {
    modules: BTreeMap<String, Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Variants {
    variant: Vec<Variant>,
}

/// The reviewed tables.
#[derive(Default)]
pub struct Knowledge {
    modules: BTreeMap<String, Row>,
    variants: Vec<Variant>,
}

impl Knowledge {
    /// The tables that come with omnipkg.
    pub fn embedded() -> Result<Self, KnowledgeError> {
        Self::parse(MODULES, VARIANTS)
    }

    fn parse(modules: &str, variants: &str) -> Result<Self, KnowledgeError> {
        let modules: Modules =
            toml::from_str(modules).map_err(|source| KnowledgeError::Table { table: "modules.toml", source })?;
        let variants: Variants =
            toml::from_str(variants).map_err(|source| KnowledgeError::Table { table: "variants.toml", source })?;
        let modules = modules.modules;
        for row in modules.values() {
            check("modules.toml", &row.distribution)?;
        }
        for row in &variants.variant {
            check("variants.toml", &row.distribution)?;
            check("variants.toml", &row.variant)?;
        }
        Ok(Self { modules, variants: variants.variant })
    }

    /// The row for a dotted module name: the longest prefix that the table has, and how many parts it has.
    pub fn distribution_for(&self, module: &str) -> Option<(&Row, usize)> {
        let parts: Vec<&str> = module.split('.').take(16).collect();
        (1..=parts.len()).rev().find_map(|length| Some((self.modules.get(&parts[..length].join("."))?, length)))
    }

    /// Whether a project of this (normalised) name is in the table.
    pub fn has_project(&self, project: &PackageName) -> bool {
        self.modules.values().any(|row| PackageName::from_str(&row.distribution).is_ok_and(|name| name == *project))
    }

    /// Import names of the table within two edits of this one (one, for names shorter than six), nearest first.
    pub fn similar(&self, import_name: &str) -> Vec<(&str, &Row)> {
        let limit = if import_name.chars().count() < 6 { 1 } else { 2 };
        if import_name.len() > 64 {
            return Vec::new();
        }
        let mut found: Vec<_> = self
            .modules
            .iter()
            .map(|(name, row)| (edit_distance(&name.to_lowercase(), &import_name.to_lowercase()), name, row))
            .filter(|(distance, name, _)| *distance <= limit && *name != import_name)
            .collect();
        found.sort_by_key(|(distance, name, _)| (*distance, name.as_str()));
        found.into_iter().take(3).map(|(_, name, row)| (name.as_str(), row)).collect()
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

/// How many insertions, deletions, substitutions and swaps of neighbours lie between two names.
pub fn edit_distance(first: &str, second: &str) -> usize {
    let (first, second): (Vec<char>, Vec<char>) = (first.chars().collect(), second.chars().collect());
    let mut rows = vec![(0..=second.len()).collect::<Vec<usize>>()];
    for i in 1..=first.len() {
        let mut row = vec![i];
        for j in 1..=second.len() {
            let substitution = rows[i - 1][j - 1] + usize::from(first[i - 1] != second[j - 1]);
            let mut best = substitution.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && first[i - 1] == second[j - 2] && first[i - 2] == second[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[first.len()][second.len()]
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    fn of(module: &str) -> Option<String> {
        Knowledge::embedded().unwrap().distribution_for(module).map(|(row, _)| row.distribution.clone())
    }

    #[test]
    fn the_embedded_tables_load_and_every_row_has_a_source() {
        let knowledge = Knowledge::embedded().unwrap();
        assert!(knowledge.modules.len() >= 280, "{}", knowledge.modules.len());
        for (name, row) in &knowledge.modules {
            assert!(row.source.len() > 8, "{name}");
            assert!(!row.source.contains("://"), "{name}: a source is documentary");
            assert!(
                name.split('.').all(|part| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_')),
                "{name}"
            );
        }
    }

    #[test]
    fn names_that_differ() {
        for (module, distribution) in [
            ("yaml", "PyYAML"),
            ("cv2", "opencv-python"),
            ("sklearn.linear_model", "scikit-learn"),
            ("PIL.Image", "pillow"),
            ("bs4", "beautifulsoup4"),
            ("dateutil.parser", "python-dateutil"),
            ("google.protobuf.message", "protobuf"),
            ("google.cloud.storage.blob", "google-cloud-storage"),
            ("bson", "pymongo"),
            ("psycopg2.extras", "psycopg2-binary"),
            ("vcr", "vcrpy"),
            ("PyQt5.sip", "PyQt5"),
            ("mpl_toolkits.mplot3d", "matplotlib"),
            ("mpl_toolkits.basemap", "basemap"),
        ] {
            assert_eq!(of(module).as_deref(), Some(distribution), "{module}");
        }
        assert_eq!(of("google"), None, "a namespace is nobody's");
        assert_eq!(of("google.nothing"), None);
    }

    #[test]
    fn names_that_are_nobodys() {
        for module in ["config", "functions", "setup", "test", "utils", "constraint", "gi", "mpl_toolkits", "wx"] {
            assert_eq!(of(module), None, "{module}");
        }
    }

    #[test]
    fn misspelt_names_are_near() {
        let knowledge = Knowledge::embedded().unwrap();
        assert_eq!(knowledge.similar("reqeusts")[0].0, "requests");
        assert_eq!(knowledge.similar("nunpy")[0].0, "numpy");
        assert!(knowledge.similar("requests").iter().all(|(name, _)| *name != "requests"));
        assert!(knowledge.similar(&"x".repeat(100_000)).is_empty());
    }

    #[test]
    fn distances() {
        for (first, second, distance) in
            [("", "", 0), ("a", "", 1), ("ab", "ba", 1), ("numpy", "nunpy", 1), ("yaml", "toml", 2)]
        {
            assert_eq!(edit_distance(first, second), distance, "{first} {second}");
            assert_eq!(edit_distance(second, first), distance, "{second} {first}");
        }
    }

    #[test]
    fn a_bad_table_is_an_error() {
        let parse = |modules: &str| Knowledge::parse(modules, "variant = []");
        assert!(parse("modules = {}").is_ok());
        assert!(parse("modules = 1").is_err());
        assert!(parse("[modules]\na = { distribution = \"a b\", source = \"x\" }").is_err());
        assert!(parse("[modules]\na = { distribution = \"a\" }").is_err());
    }
}
