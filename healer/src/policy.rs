//! What may be installed without being asked for: the `--heal` setting.
//!
//! A project is installed by itself only when its name is certain (design, section 7). A guess is at most shown, unless
//! the user asked for guesses.

use std::fmt;
use std::str::FromStr;

/// How far healing may go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Heal {
    /// Only remedies whose projects are certain.
    #[default]
    Known,
    /// Guesses too, after asking for each.
    Ask,
    /// Guesses too.
    Any,
    /// Not at all.
    Off,
}

/// A `--heal` value that is none of `known`, `ask`, `any`, `off`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown heal setting `{0}`: known, ask, any or off")]
pub struct UnknownHeal(String);

impl FromStr for Heal {
    type Err = UnknownHeal;

    fn from_str(text: &str) -> Result<Self, UnknownHeal> {
        match text {
            "known" => Ok(Self::Known),
            "ask" => Ok(Self::Ask),
            "any" => Ok(Self::Any),
            "off" => Ok(Self::Off),
            other => Err(UnknownHeal(other.to_owned())),
        }
    }
}

impl fmt::Display for Heal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Known => "known",
            Self::Ask => "ask",
            Self::Any => "any",
            Self::Off => "off",
        })
    }
}

/// Names that people give to their own modules. A project of the same name exists for most of them and is a stranger's:
/// an import of one that fails is a file that is missing, so it is not even asked about.
const OWN_NAMES: &[&str] = &[
    "api",
    "app",
    "apps",
    "base",
    "client",
    "common",
    "conf",
    "config",
    "configuration",
    "constants",
    "core",
    "data",
    "database",
    "db",
    "example",
    "functions",
    "globals",
    "handlers",
    "helper",
    "helpers",
    "lib",
    "libs",
    "local",
    "logger",
    "main",
    "model",
    "models",
    "module",
    "my",
    "network",
    "objects",
    "parser",
    "player",
    "plugins",
    "process",
    "scripts",
    "server",
    "settings",
    "setup",
    "src",
    "tasks",
    "test",
    "test_helpers",
    "tests",
    "tools",
    "types",
    "util",
    "utilities",
    "utility",
    "utils",
    "version",
    "views",
];

/// Why a name must not be taken for a project of that name, if so.
pub fn never_a_guess(top_level: &str) -> Option<&'static str> {
    if top_level.starts_with('_') {
        Some("a private name")
    } else if OWN_NAMES.contains(&top_level.to_ascii_lowercase().as_str()) {
        Some("a name that people give to their own modules")
    } else {
        None
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_and_written_alike() {
        for heal in [Heal::Known, Heal::Ask, Heal::Any, Heal::Off] {
            assert_eq!(heal.to_string().parse::<Heal>().unwrap(), heal);
        }
        assert!("yes".parse::<Heal>().is_err());
    }

    #[test]
    fn own_and_private_names() {
        assert!(never_a_guess("functions").is_some());
        assert!(never_a_guess("Utils").is_some());
        assert!(never_a_guess("_speedups").is_some());
        assert!(never_a_guess("requests").is_none());
    }
}
