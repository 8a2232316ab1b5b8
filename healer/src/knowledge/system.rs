//! Programs and shared libraries that are not Python's, and the Debian packages that have them (`data/system.toml`):
//! told, never installed.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::OnceLock;

const TABLE: &str = include_str!("../../data/system.toml");

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct System {
    programs: BTreeMap<String, String>,
    libraries: BTreeMap<String, String>,
}

fn table() -> &'static System {
    static READ: OnceLock<System> = OnceLock::new();
    // A test sees to it that it can be read.
    READ.get_or_init(|| toml::from_str(TABLE).unwrap_or_default())
}

/// The Debian package of a program, by the program's name.
pub fn package_of_program(name: &str) -> Option<&'static str> {
    table().programs.get(name).map(String::as_str)
}

/// The Debian package of a shared library, by its soname.
pub fn package_of_library(soname: &str) -> Option<&'static str> {
    table().libraries.get(soname).map(String::as_str)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn the_table_can_be_read() {
        let System { programs, libraries } = toml::from_str(TABLE).unwrap();
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "+-.".contains(c);
        for (name, package) in programs.iter().chain(&libraries) {
            assert!(!name.contains('/') && package.chars().all(is_name), "{name}");
        }
        assert!(libraries.keys().all(|name| name.starts_with("lib") && name.contains(".so")));
        assert_eq!(package_of_program("ffmpeg"), Some("ffmpeg"));
        assert_eq!(package_of_library("libGL.so.1"), Some("libgl1"));
        assert_eq!(package_of_program("no-such-program"), None);
    }
}
