//! Which rows are measured: all, or those whose names begin with what was asked for.
//!
//! What a row does not need is not prepared either, so that one row is quick to have.

use anyhow::{Result, bail};

/// Every row, in the order of the table.
pub const ROWS: [&str; 53] = [
    "run-active",
    "run-with",
    "run-block",
    "heal-remembered",
    "analysis",
    "fresh-few",
    "fresh-rich",
    "fresh-scientific",
    "fresh-tensorflow",
    "fresh-large",
    "warm-rich",
    "warm-rich-inside",
    "warm-scientific",
    "warm-scientific-inside",
    "warm-plotting",
    "warm-plotting-inside",
    "warm-tensorflow",
    "warm-tensorflow-inside",
    "first-rich",
    "first-rich-inside",
    "first-scientific",
    "first-scientific-inside",
    "first-plotting",
    "first-plotting-inside",
    "first-tensorflow",
    "first-tensorflow-inside",
    "again-pandas",
    "files-stat",
    "files-missing",
    "files-open",
    "files-list",
    "files-walk",
    "files-read",
    "files-mmap",
    "files-cold",
    "requests-lookup",
    "requests-getattr",
    "requests-open",
    "requests-read",
    "swap-python",
    "install-satisfied",
    "three-pythons",
    "three-pythons-uv",
    "loader-rich",
    "worker-array",
    "scale-start",
    "scale-stat",
    "scale-add",
    "scale-look",
    "scale-list",
    "scale-memory-start",
    "scale-memory-look",
    "scale-memory-list",
];

/// Hundreds of megabytes.
const HEAVY: &str = "tensorflow";

/// Minutes and a million files.
const ONLY_NAMED: &str = "scale";

/// The choice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    words: Vec<String>,
    /// Without what is large to fetch, unless it is named.
    pub light: bool,
}

impl Selection {
    /// Adds what rows' names may begin with.
    pub fn add(&mut self, word: &str) -> Result<()> {
        if !ROWS.iter().any(|row| row.starts_with(word)) {
            bail!("no row is called {word:?}; there are {}", ROWS.join(", "));
        }
        self.words.push(word.to_owned());
        Ok(())
    }

    /// True if a row is wanted.
    pub fn wants(&self, row: &str) -> bool {
        if self.words.is_empty() {
            let is_left_out = row.starts_with(ONLY_NAMED) || (self.light && row.contains(HEAVY));
            return !is_left_out;
        }
        self.words.iter().any(|word| row.starts_with(word.as_str()))
    }

    /// True if a row of a family is wanted, whose names begin with `family`.
    pub fn wants_some(&self, family: &str) -> bool {
        ROWS.iter().any(|row| row.starts_with(family) && self.wants(row))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_chosen_by_how_they_begin() {
        let mut selection = Selection::default();
        assert!(selection.wants("swap-python") && selection.wants_some("fresh"));
        selection.add("fresh-r").unwrap();
        assert!(selection.wants("fresh-rich") && !selection.wants("fresh-scientific"));
        assert!(selection.wants_some("fresh") && !selection.wants_some("swap"));
        assert!(!Selection::default().wants_some("scale"));
        let light = Selection { light: true, ..Selection::default() };
        assert!(!light.wants("warm-tensorflow") && light.wants("warm-plotting") && light.wants_some("warm"));
        let error = selection.add("unknown").unwrap_err().to_string();
        assert!(error.contains("run-active"), "{error}");
    }
}
