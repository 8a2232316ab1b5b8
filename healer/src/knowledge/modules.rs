//! Which distribution provides an import name: the reviewed table (`data/modules.toml`) and the names of popular
//! projects (`data/popular.toml`). The build script sorts them into one; the first one's rows win.
//!
//! A row is installed without asking, so each is certain: what is generic, ambiguous or like a more popular name has none.

use pep440_rs::VersionSpecifiers;
use pep508_rs::PackageName;
use std::str::FromStr;

/// One row.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    /// The import name; dotted for a part of a namespace package.
    pub module: &'static str,
    /// The distribution, as its project spells it.
    pub distribution: &'static str,
    versions: &'static str,
    /// Where the row is known from.
    pub source: &'static str,
    is_reviewed: bool,
}

include!(concat!(env!("OUT_DIR"), "/modules.rs"));

impl Row {
    /// The versions that provide it, where not all do.
    pub fn versions(&self) -> Option<VersionSpecifiers> {
        if self.versions.is_empty() { None } else { VersionSpecifiers::from_str(self.versions).ok() }
    }
}

/// The row for a dotted module name: the longest prefix that the table has, and how many parts it has.
pub fn distribution_for(module: &str) -> Option<(&'static Row, usize)> {
    let parts: Vec<&str> = module.split('.').take(16).collect();
    (1..=parts.len()).rev().find_map(|length| Some((row(&parts[..length].join("."))?, length)))
}

fn row(module: &str) -> Option<&'static Row> {
    ROWS.binary_search_by(|row| row.module.cmp(module)).ok().and_then(|place| ROWS.get(place))
}

/// Whether a project of this (normalised) name is in the table.
pub fn has_project(project: &PackageName) -> bool {
    PROJECTS.binary_search(&project.as_ref()).is_ok()
}

/// The import names of the table that are nearest to this one, within two edits (one, for names shorter than six).
pub fn similar(import_name: &str) -> Vec<&'static Row> {
    let name = import_name.to_lowercase();
    let length = name.chars().count();
    let limit = if length < 6 { 1 } else { 2 };
    if name.len() > 64 {
        return Vec::new();
    }
    let near = |row: &&Row| row.module.len().abs_diff(length) <= limit && row.module != import_name;
    let distances = ROWS.iter().filter(near).map(|row| (edit_distance(&row.module.to_lowercase(), &name), row));
    let mut found: Vec<_> = distances.filter(|(distance, _)| *distance <= limit).collect();
    // The first letter is seldom the wrong one.
    let begins_otherwise = |row: &Row| row.module.chars().next() != name.chars().next();
    found.sort_by_key(|(distance, row)| (*distance, begins_otherwise(row), !row.is_reviewed, row.module));
    let nearest = found.first().map_or(0, |(distance, _)| *distance);
    found.into_iter().filter(|(distance, _)| *distance == nearest).take(3).map(|(_, row)| row).collect()
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

    fn of(module: &str) -> Option<&'static str> {
        distribution_for(module).map(|(row, _)| row.distribution)
    }

    #[test]
    fn every_row_can_be_read_and_has_a_source() {
        assert!(ROWS.len() >= 600, "{}", ROWS.len());
        for row in ROWS {
            assert!(row.source.len() > 8, "{}", row.module);
            assert!(!row.source.contains("://"), "{}: a source is documentary", row.module);
            assert!(row.versions.is_empty() || row.versions().is_some(), "{}", row.module);
            let project: PackageName = row.distribution.parse().unwrap();
            assert!(has_project(&project), "{project}");
            let identifier = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_');
            assert!(row.module.split('.').all(identifier), "{}", row.module);
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
            assert_eq!(of(module), Some(distribution), "{module}");
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
        assert_eq!(similar("reqeusts")[0].module, "requests");
        assert_eq!(similar("nunpy")[0].module, "numpy");
        assert!(similar("requests").iter().all(|row| row.module != "requests"));
        assert!(similar(&"x".repeat(100_000)).is_empty());
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
}
