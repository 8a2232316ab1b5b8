//! Core metadata (METADATA) and the WHEEL file: both are e-mail headers, read leniently as pip reads them.
//!
//! Values are kept as one line of text each (folded lines are joined by a space), not interpreted:
//! requirement and version syntax is the resolver's matter.

use super::error::Fault;
use crate::tags::WheelFilename;
use pep440_rs::Version;
use pep508_rs::PackageName;
use std::str::FromStr;

/// Header fields in their order; bytes that are not UTF-8 are replaced.
struct Headers(Vec<(String, String)>);

impl Headers {
    fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let mut fields: Vec<(String, String)> = Vec::new();
        for line in text.lines() {
            // Only a truly empty line ends them: folded licence texts have lines of blanks.
            if line.is_empty() {
                break;
            }
            if line.starts_with([' ', '\t']) {
                if let Some((_, value)) = fields.last_mut() {
                    value.push(' ');
                    value.push_str(line.trim());
                }
            } else if let Some((name, value)) = line.split_once(':') {
                fields.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
            }
        }
        for (_, value) in &mut fields {
            *value = one_line(value);
        }
        Self(fields)
    }

    /// All values of a field; empty ones and the historic placeholder `UNKNOWN` are no values.
    fn all(&self, name: &str) -> Vec<String> {
        let values = self.0.iter().filter(|(field, value)| field == name && !value.is_empty() && value != "UNKNOWN");
        values.map(|(_, value)| value.clone()).collect()
    }

    fn first(&self, name: &str) -> Option<String> {
        self.all(name).into_iter().next()
    }
}

/// Text as one trimmed line without control characters: what a manifest line can hold.
pub(super) fn one_line(text: &str) -> String {
    let text: String = text.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
    text.trim().to_owned()
}

/// The fields of METADATA that omnipkg uses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    /// `Name`, as the project spells it.
    pub name: Option<String>,
    /// `Version`, as the project spells it.
    pub version: Option<String>,
    /// `Requires-Python`.
    pub requires_python: Option<String>,
    /// `Requires-Dist`, raw (PEP 508).
    pub requires_dist: Vec<String>,
    /// `Provides-Extra`.
    pub provides_extra: Vec<String>,
    /// `Import-Name` (PEP 794): what may be imported; the `; private` ones are left out.
    pub import_names: Vec<String>,
}

impl Metadata {
    /// Parses METADATA. Never fails: what is missing is `None` or empty.
    pub fn parse(bytes: &[u8]) -> Self {
        let headers = Headers::parse(bytes);
        let public = headers.all("import-name").into_iter().filter(|name| !name.contains(';'));
        Self {
            name: headers.first("name"),
            version: headers.first("version"),
            requires_python: headers.first("requires-python"),
            requires_dist: headers.all("requires-dist"),
            provides_extra: headers.all("provides-extra"),
            import_names: public.collect(),
        }
    }

    /// Name and version must be those of the file name, normalised (PEP 503, PEP 440).
    ///
    /// # Errors
    /// [`Fault::Metadata`] with what differs.
    pub fn check_identity(&self, filename: &WheelFilename) -> Result<(), Fault> {
        let fault = |reason: String| Fault::metadata("METADATA", reason);
        let name = self.name.as_deref().ok_or_else(|| fault("it has no Name".to_owned()))?;
        let version = self.version.as_deref().ok_or_else(|| fault("it has no Version".to_owned()))?;
        if PackageName::from_str(name).ok().as_ref() != Some(&filename.name) {
            return Err(fault(format!("its Name is {name:?}, the file name says {}", filename.name)));
        }
        if Version::from_str(version).ok().as_ref() != Some(&filename.version) {
            return Err(fault(format!("its Version is {version:?}, the file name says {}", filename.version)));
        }
        Ok(())
    }
}

/// Checks the WHEEL file: its major version must be one that is understood (PEP 427); returns warnings.
///
/// # Errors
/// [`Fault::Metadata`] if the version is missing, malformed or too new.
pub(super) fn check_wheel_file(bytes: &[u8]) -> Result<Vec<String>, Fault> {
    let headers = Headers::parse(bytes);
    let fault = |reason: String| Fault::metadata("WHEEL", reason);
    let version = headers.first("wheel-version").ok_or_else(|| fault("it has no Wheel-Version".to_owned()))?;
    let mut parts = version.split('.').map(str::parse::<u32>);
    match (parts.next(), parts.next()) {
        (Some(Ok(1)), Some(Ok(0)) | None) => Ok(Vec::new()),
        (Some(Ok(1)), Some(Ok(_))) => Ok(vec![format!("Wheel-Version {version} is newer than 1.0")]),
        (Some(Ok(_)), _) => Err(fault(format!("Wheel-Version {version} is not understood"))),
        _ => Err(fault(format!("Wheel-Version {version:?} is no version"))),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const TEXT: &str = "Metadata-Version: 2.1\r\nName: Foo.Bar\r\nversion: 1.0.0\r\nRequires-Dist: a (>=1)\r\nRequires-Dist: b;\r\n  python_version<'3'\r\nProvides-Extra: x\r\nRequires-Python: >=3.8\r\nAuthor: UNKNOWN\r\nImport-Name: foo\r\nImport-Name: _foo ; private\r\n\r\nName: not me\r\n";

    #[test]
    fn headers_are_read_up_to_the_body() {
        let metadata = Metadata::parse(TEXT.as_bytes());
        assert_eq!(metadata.name.as_deref(), Some("Foo.Bar"));
        assert_eq!(metadata.version.as_deref(), Some("1.0.0"));
        assert_eq!(metadata.requires_dist, ["a (>=1)", "b; python_version<'3'"]);
        assert_eq!(metadata.provides_extra, ["x"]);
        assert_eq!(metadata.requires_python.as_deref(), Some(">=3.8"));
        assert_eq!(metadata.import_names, ["foo"]);
    }

    #[test]
    fn identity_is_compared_normalised() {
        let metadata = Metadata::parse(TEXT.as_bytes());
        let check = |name: &str| metadata.check_identity(&WheelFilename::parse(name).unwrap());
        check("foo_bar-1-py3-none-any.whl").unwrap();
        check("foo_bar-1.1-py3-none-any.whl").unwrap_err();
        check("foo_baz-1.0-py3-none-any.whl").unwrap_err();
        let filename = WheelFilename::parse("foo_bar-1-py3-none-any.whl").unwrap();
        Metadata::parse(b"Name: foo-bar\n\nVersion: 1\n").check_identity(&filename).unwrap_err();
    }

    #[test]
    fn wheel_file_versions() {
        assert!(check_wheel_file(b"Wheel-Version: 1.0\n").unwrap().is_empty());
        assert_eq!(check_wheel_file(b"Wheel-Version: 1.9\n").unwrap().len(), 1);
        for bad in ["Wheel-Version: 2.0\n", "Wheel-Version: x\n", "Generator: y\n", ""] {
            check_wheel_file(bad.as_bytes()).unwrap_err();
        }
    }

    #[test]
    fn control_characters_never_reach_a_value() {
        let metadata = Metadata::parse(b"Name: a\x00\x1bb\n");
        assert_eq!(metadata.name.as_deref(), Some("a  b"));
    }
}
