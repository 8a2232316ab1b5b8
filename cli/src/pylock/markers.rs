//! Markers of lock files: those of PEP 508, and membership of `extras` and `dependency_groups` (PEP 751).
//!
//! Membership is decided here, by the names that were asked for, and put into the marker as what is always or never true.

use anyhow::{Result, anyhow};
use pep508_rs::{ExtraName, MarkerEnvironment, MarkerTree};
use std::str::FromStr;

const ALWAYS: &str = "python_version >= '0'";
const NEVER: &str = "python_version < '0'";

/// What markers of a lock file are evaluated for.
pub struct Scope<'a> {
    /// The interpreter.
    pub environment: &'a MarkerEnvironment,
    /// Extras that were asked for.
    pub extras: &'a [ExtraName],
    /// Groups of dependencies that were asked for.
    pub groups: &'a [ExtraName],
}

impl Scope<'_> {
    /// True if the marker holds.
    pub fn holds(&self, marker: &str) -> Result<bool> {
        let plain = self.decide_membership(marker);
        let tree = MarkerTree::from_str(&plain).map_err(|error| {
            let error = error.to_string();
            anyhow!("{marker:?} is not a marker: {}", error.lines().next().unwrap_or_default())
        })?;
        Ok(tree.evaluate(self.environment, self.extras))
    }

    /// Replaces each `'name' in extras` (and `not in`, and `dependency_groups`) by what it comes to.
    fn decide_membership(&self, marker: &str) -> String {
        let mut plain = String::with_capacity(marker.len());
        let mut rest = marker;
        while let Some((before, quote)) = rest.find(['"', '\'']).and_then(|at| rest.split_at_checked(at)) {
            plain.push_str(before);
            let mark = if quote.starts_with('"') { '"' } else { '\'' };
            let Some((name, after)) = quote[1..].split_once(mark) else {
                rest = quote;
                break;
            };
            rest = match self.membership(name, after) {
                Some((term, after)) => {
                    plain.push_str(term);
                    after
                }
                None => {
                    plain.extend([mark.to_string().as_str(), name, mark.to_string().as_str()]);
                    after
                }
            };
        }
        plain.push_str(rest);
        plain
    }

    /// What `'name' in extras` comes to, and what follows it; `None` if `after` goes on in another way.
    fn membership<'t>(&self, name: &str, after: &'t str) -> Option<(&'static str, &'t str)> {
        let (is_not, rest) = match word(after)? {
            ("not", rest) => (true, word(rest).filter(|(word, _)| *word == "in")?.1),
            ("in", rest) => (false, rest),
            _ => return None,
        };
        let (list, rest) = word(rest)?;
        let names = match list {
            "extras" => self.extras,
            "dependency_groups" => self.groups,
            _ => return None,
        };
        let is_in = ExtraName::from_str(name).is_ok_and(|name| names.contains(&name));
        Some((if is_in == is_not { NEVER } else { ALWAYS }, rest))
    }
}

/// The word that a text begins with, and what follows it.
fn word(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let end = text.find(|character: char| !(character.is_ascii_alphanumeric() || character == '_'));
    let (word, rest) = text.split_at(end.unwrap_or(text.len()));
    (!word.is_empty()).then_some((word, rest))
}
