//! What a wheel's METADATA says about its needs (core metadata 1.0 to 2.x).

use crate::error::{Error, Result};
use crate::lenient;
use omnipkg_store::Digest;
use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::{ExtraName, PackageName};
use std::str::FromStr;
use url::Url;

/// A PEP 508 requirement. Its URLs are plain: no environment variable is ever expanded in one.
pub type Requirement = pep508_rs::Requirement<Url>;

/// The needs of one wheel.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Metadata {
    pub(crate) name: PackageName,
    /// `None` if it is no version of PEP 440.
    pub(crate) version: Option<Version>,
    pub(crate) requires: Vec<Requirement>,
    pub(crate) requires_python: Option<VersionSpecifiers>,
    pub(crate) extras: Vec<ExtraName>,
}

impl Metadata {
    /// Parses METADATA of the archive called `filename`, which must be of project `expected`, if that is known.
    pub(crate) fn parse(bytes: &[u8], filename: &str, expected: Option<&PackageName>) -> Result<Self> {
        let text = String::from_utf8_lossy(bytes);
        let fields = headers(&text);
        let name = fields.iter().find(|(key, _)| key == "name").map(|(_, value)| value.trim());
        let name = name.ok_or_else(|| Error::metadata(filename, "it has no Name"))?;
        let another = || Error::metadata(filename, format!("it names project {name:?}"));
        let name = PackageName::from_str(name).map_err(|_| another())?;
        if expected.is_some_and(|expected| *expected != name) {
            return Err(another());
        }
        let mut this = Self { name, version: None, requires: Vec::new(), requires_python: None, extras: Vec::new() };
        for (key, value) in fields {
            match key.as_str() {
                "version" => this.version = value.trim().parse().ok(),
                "requires-dist" => {
                    let parsed = parse_requirement(&value)
                        .map_err(|reason| Error::metadata(filename, format!("Requires-Dist {value:?}: {reason}")))?;
                    this.requires.push(parsed);
                }
                // pip ignores what it cannot read here, and so do we.
                "requires-python" => this.requires_python = parse_specifiers(&value),
                "provides-extra" => this.extras.extend(ExtraName::from_str(value.trim())),
                _ => {}
            }
        }
        Ok(this)
    }
}

impl Metadata {
    /// What tells its needs from others, in whatever order they are written.
    pub(crate) fn fingerprint(&self) -> String {
        let mut needs: Vec<String> = self.requires.iter().map(ToString::to_string).collect();
        needs.sort();
        needs.push(self.requires_python.as_ref().map_or_else(String::new, ToString::to_string));
        // Enough to tell a mistake by; no lie is to be found out by it.
        Digest::of(needs.join("\n").as_bytes()).to_hex()[..16].to_owned()
    }
}

/// The headers before the first empty line, names in lower case, continuation lines joined.
pub(crate) fn headers(text: &str) -> Vec<(String, String)> {
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in text.trim_start_matches('\u{feff}').lines() {
        // A line of blanks belongs to the value above it: licences are folded with such lines inside.
        if line.is_empty() {
            break;
        }
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = headers.last_mut() {
                value.push(' ');
                value.push_str(line.trim());
            }
        } else if let Some((key, value)) = line.split_once(':') {
            headers.push((key.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    headers
}

/// Strictly first, then with well-known defects mended.
fn parse_requirement(line: &str) -> std::result::Result<Requirement, String> {
    // The error's own Display slices by characters and can panic; its message does not.
    Requirement::from_str(line)
        .or_else(|strict| Requirement::from_str(&lenient::requirement(line)).map_err(|_| strict))
        .map_err(|error| error.message.to_string())
}

/// Strictly first, then with well-known defects mended; `None` for what cannot be read.
pub(crate) fn parse_specifiers(text: &str) -> Option<VersionSpecifiers> {
    VersionSpecifiers::from_str(text).or_else(|_| VersionSpecifiers::from_str(&lenient::specifiers(text))).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Metadata> {
        Metadata::parse(text.as_bytes(), "rich-1-py3-none-any.whl", Some(&"rich".parse().unwrap()))
    }

    #[test]
    fn headers_of_a_real_wheel() {
        let metadata = parse(
            "Metadata-Version: 2.1\nName: Rich\nVersion: 13.4.2\nLicense: Render\n        \n  rich text\n\
             Requires-Python: >=3.7.0\nProvides-Extra: jupyter\n\
             Requires-Dist: ipywidgets (>=7.5.1,<9) ; extra == \"jupyter\"\n\
             Requires-Dist: markdown-it-py (>=2.2.0)\nRequires-Dist: typing-extensions (>=4.0.0,<5.0.0) ;\n\
             \tpython_version < \"3.9\"\n\nRequires-Dist: not-a-header\n",
        )
        .unwrap();
        assert_eq!(metadata.requires.len(), 3);
        assert_eq!(metadata.requires[1].to_string(), "markdown-it-py>=2.2.0");
        assert!(metadata.requires[2].to_string().contains("python_full_version < '3.9'"), "{}", metadata.requires[2]);
        assert_eq!(metadata.extras.len(), 1);
        assert_eq!(metadata.requires_python.unwrap().to_string(), ">=3.7.0");
    }

    #[test]
    fn defects_are_mended_or_named() {
        let metadata = parse("Name: rich\nRequires-Dist: a>=1.0<2\nRequires-Python: >=3.6.*\n").unwrap();
        assert_eq!(metadata.requires[0].to_string(), "a>=1.0,<2");
        assert_eq!(metadata.requires_python.unwrap().to_string(), ">=3.6");
        let error = parse("Name: rich\nRequires-Dist: ünïcode ?? 1\n").unwrap_err().to_string();
        assert!(error.contains("rich-1-py3-none-any.whl") && error.contains("ünïcode"), "{error}");
    }

    #[test]
    fn another_projects_metadata_is_refused() {
        assert!(parse("Name: poor\n").unwrap_err().to_string().contains("poor"));
        assert!(parse("Version: 1\n").unwrap_err().to_string().contains("no Name"));
    }
}
