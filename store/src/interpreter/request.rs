//! What a user may write for `--python`: a version, an implementation, a variant of the build, or a path.
//!
//! A plain version means a release build with the global interpreter lock: another build is taken only where it is
//! asked for by its letter (`3.13t`, `3.13d`) or by its path.

use super::Facts;
use std::fmt;
use std::path::PathBuf;

/// How an interpreter was built; the default is a release build with the global interpreter lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Variant {
    /// Without the global interpreter lock (PEP 703).
    pub free_threaded: bool,
    /// With debugging aids (`--with-pydebug`).
    pub debug: bool,
}

impl fmt::Display for Variant {
    /// The letters that follow the version: nothing, `t`, `d` or `td`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.free_threaded { "t" } else { "" })?;
        formatter.write_str(if self.debug { "d" } else { "" })
    }
}

/// A version, of any implementation or of one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VersionRequest {
    /// `cpython`, `pypy`; nothing: CPython, where a version is asked for.
    pub implementation: Option<String>,
    /// `3`, `3.11`, `3.11.7`: the parts that were given, or none.
    pub parts: Vec<u16>,
    /// The build.
    pub variant: Variant,
}

/// What a user may write for `--python`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PythonRequest {
    /// Whatever comes first.
    Any,
    /// A version.
    Version(VersionRequest),
    /// A file, or a directory holding `bin/python`.
    Path(PathBuf),
}

impl PythonRequest {
    /// Reads what the user wrote; anything that is neither version nor implementation is a path.
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        if text.contains('/') {
            return Self::Path(PathBuf::from(text));
        }
        let lower = text.to_ascii_lowercase();
        for name in ["cpython", "pypy", "python"] {
            if let Some(rest) = lower.strip_prefix(name)
                && let Some((parts, variant)) = parse_version(rest.trim_start_matches(['@', '-', ' ']))
            {
                let implementation = Some(name.to_owned()).filter(|name| name != "python");
                return match implementation {
                    None if parts.is_empty() && variant == Variant::default() => Self::Any,
                    implementation => Self::Version(VersionRequest { implementation, parts, variant }),
                };
            }
        }
        match parse_version(&lower) {
            Some((parts, variant)) if !parts.is_empty() => {
                Self::Version(VersionRequest { implementation: None, parts, variant })
            }
            _ => Self::Path(PathBuf::from(text)),
        }
    }

    /// Release builds of an implementation whose version begins with `parts`.
    pub fn of_implementation(name: &str, parts: Vec<u16>) -> Self {
        Self::Version(VersionRequest { implementation: Some(name.to_owned()), parts, variant: Variant::default() })
    }

    /// True if an interpreter with these facts answers the request (paths are the caller's business).
    pub fn accepts(&self, facts: &Facts) -> bool {
        match self {
            Self::Path(_) => true,
            Self::Any => facts.variant() == Variant::default() && facts.version.0 >= 3,
            Self::Version(version) => version.accepts_version(facts) && facts.variant() == version.variant,
        }
    }

    /// True if only the build keeps an interpreter from answering the request.
    pub fn accepts_but_for_variant(&self, facts: &Facts) -> bool {
        match self {
            Self::Path(_) => false,
            Self::Any => facts.variant() != Variant::default() && facts.version.0 >= 3,
            Self::Version(version) => version.accepts_version(facts) && facts.variant() != version.variant,
        }
    }
}

impl VersionRequest {
    fn accepts_version(&self, facts: &Facts) -> bool {
        let (major, minor, patch) = facts.version;
        let full = [u16::from(major), u16::from(minor), patch];
        // Python 2 only where it is asked for.
        let asked_for_2 = self.parts.first() == Some(&2);
        facts.implementation == self.implementation.as_deref().unwrap_or("cpython")
            && full.starts_with(&self.parts)
            && (major >= 3 || asked_for_2)
    }
}

/// `3.11`, `3.13t`, `3.13d`, `3.13-dbg`: the parts, and the build.
fn parse_version(text: &str) -> Option<(Vec<u16>, Variant)> {
    let debug_name = text.strip_suffix("-dbg");
    let numbers = debug_name.unwrap_or(text).trim_end_matches(['t', 'd']);
    let letters = &debug_name.unwrap_or(text)[numbers.len()..];
    if !matches!(letters, "" | "t" | "d" | "td") || (!letters.is_empty() && numbers.is_empty()) {
        return None;
    }
    let variant =
        Variant { free_threaded: letters.starts_with('t'), debug: letters.ends_with('d') || debug_name.is_some() };
    if numbers.is_empty() {
        return Some((Vec::new(), variant));
    }
    let parts: Option<Vec<u16>> = numbers.split('.').map(|part| part.parse().ok()).collect();
    Some((parts.filter(|parts| parts.len() <= 3)?, variant))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::testing::facts;
    use super::*;

    fn version(implementation: Option<&str>, parts: &[u16], free_threaded: bool, debug: bool) -> PythonRequest {
        PythonRequest::Version(VersionRequest {
            implementation: implementation.map(str::to_owned),
            parts: parts.to_vec(),
            variant: Variant { free_threaded, debug },
        })
    }

    #[test]
    fn requests_parse_as_users_write_them() {
        let parsed = [
            ("3.11", version(None, &[3, 11], false, false)),
            ("python3.9", version(None, &[3, 9], false, false)),
            ("3.13t", version(None, &[3, 13], true, false)),
            ("3.13.0td", version(None, &[3, 13, 0], true, true)),
            ("3.13-dbg", version(None, &[3, 13], false, true)),
            ("python3.11d", version(None, &[3, 11], false, true)),
            ("pypy@3.9", version(Some("pypy"), &[3, 9], false, false)),
            ("PyPy", version(Some("pypy"), &[], false, false)),
            ("cpython3.12", version(Some("cpython"), &[3, 12], false, false)),
            ("python", PythonRequest::Any),
            ("/opt/py/bin/python", PythonRequest::Path("/opt/py/bin/python".into())),
            ("my-python", PythonRequest::Path("my-python".into())),
            ("pypytd", PythonRequest::Path("pypytd".into())),
            ("3.11dt", PythonRequest::Path("3.11dt".into())),
            ("3.11.7.1", PythonRequest::Path("3.11.7.1".into())),
        ];
        for (text, expected) in parsed {
            assert_eq!(PythonRequest::parse(text), expected, "{text}");
        }
    }

    #[test]
    fn versions_match_by_their_given_parts() {
        let accepts = |request: &str, implementation: &str, version| {
            PythonRequest::parse(request).accepts(&facts(implementation, version))
        };
        assert!(accepts("3.1", "cpython", (3, 1, 4)));
        assert!(!accepts("3.1", "cpython", (3, 11, 0)));
        assert!(!accepts("3.1", "pypy", (3, 1, 4)));
        assert!(accepts("3", "cpython", (3, 13, 0)));
        assert!(accepts("2.7", "cpython", (2, 7, 18)) && accepts("cpython2", "cpython", (2, 7, 18)));
        assert!(!accepts("cpython", "cpython", (2, 7, 18)) && !accepts("python", "cpython", (2, 7, 18)));
    }

    #[test]
    fn another_build_is_taken_only_where_it_is_asked_for() {
        let mut free_threaded = facts("cpython", (3, 13, 0));
        free_threaded.free_threaded = true;
        for request in ["3.13", "3", "python", "3.13d"] {
            let request = PythonRequest::parse(request);
            assert!(!request.accepts(&free_threaded) && request.accepts_but_for_variant(&free_threaded), "{request:?}");
        }
        assert!(PythonRequest::parse("3.13t").accepts(&free_threaded));
        assert!(!PythonRequest::parse("3.13t").accepts(&facts("cpython", (3, 13, 0))));
    }
}
