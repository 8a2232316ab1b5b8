//! Wheel tags (PEP 425, 600, 656) and wheel file names (PEP 427).
//!
//! [`Tags`] is ordered, best first: the order is that of the `packaging` library, so that omnipkg chooses
//! the wheel that pip would.

use crate::wheel::WheelError;
use pep440_rs::Version;
use pep508_rs::PackageName;
use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

/// One `python-abi-platform` triple.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WheelTag {
    /// `cp311`, `py3`.
    pub python: String,
    /// `cp311`, `abi3`, `none`.
    pub abi: String,
    /// `manylinux_2_17_x86_64`, `any`.
    pub platform: String,
}

impl WheelTag {
    /// A tag from its three parts.
    pub fn new(python: impl Into<String>, abi: impl Into<String>, platform: impl Into<String>) -> Self {
        Self { python: python.into(), abi: abi.into(), platform: platform.into() }
    }
}

impl fmt::Display for WheelTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.python, self.abi, self.platform)
    }
}

/// The tags that an interpreter accepts, best first.
#[derive(Debug, Clone, Default)]
pub struct Tags {
    ordered: Vec<WheelTag>,
    rank: HashMap<WheelTag, u32>,
}

impl Tags {
    /// Tags in order of preference; a tag that comes twice keeps its first place.
    pub fn new(tags: impl IntoIterator<Item = WheelTag>) -> Self {
        let mut this = Self::default();
        for tag in tags {
            let next = this.ordered.len() as u32;
            if let std::collections::hash_map::Entry::Vacant(slot) = this.rank.entry(tag.clone()) {
                slot.insert(next);
                this.ordered.push(tag);
            }
        }
        this
    }

    /// The rank of the best of a wheel's tags (0 is best), or `None` if none fits.
    pub fn priority(&self, wheel: &[WheelTag]) -> Option<u32> {
        wheel.iter().filter_map(|tag| self.rank.get(tag).copied()).min()
    }

    /// All tags, best first.
    pub fn iter(&self) -> impl Iterator<Item = &WheelTag> {
        self.ordered.iter()
    }
}

/// A parsed wheel file name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WheelFilename {
    /// The project, normalised (PEP 503).
    pub name: PackageName,
    /// The version.
    pub version: Version,
    /// The build number and its text suffix, which break ties.
    pub build: Option<(u64, String)>,
    /// Every tag that the compressed tag set stands for.
    pub tags: Vec<WheelTag>,
}

impl WheelFilename {
    /// Parses `name-version(-build)?-python-abi-platform.whl`.
    ///
    /// # Errors
    /// [`WheelError::Filename`] with the reason.
    pub fn parse(filename: &str) -> Result<Self, WheelError> {
        let error = |reason: &str| WheelError::Filename { filename: filename.to_owned(), reason: reason.to_owned() };
        let stem = filename.strip_suffix(".whl").ok_or_else(|| error("it does not end in .whl"))?;
        let parts: Vec<&str> = stem.split('-').collect();
        let (name, version, build, tags) = match parts[..] {
            [name, version, python, abi, platform] => (name, version, None, [python, abi, platform]),
            [name, version, build, python, abi, platform] => (name, version, Some(build), [python, abi, platform]),
            _ => return Err(error("it does not have five or six parts")),
        };
        Ok(Self {
            name: PackageName::from_str(name).map_err(|_| error("the project name is not valid"))?,
            version: Version::from_str(version).map_err(|_| error("the version is not valid (PEP 440)"))?,
            build: build
                .map(|build| parse_build(build).ok_or_else(|| error("the build tag does not begin with a number")))
                .transpose()?,
            tags: expand_tags(tags).ok_or_else(|| error("its tag set is empty or too large"))?,
        })
    }
}

fn parse_build(build: &str) -> Option<(u64, String)> {
    let digits = build.bytes().take_while(u8::is_ascii_digit).count();
    let number = build[..digits].parse().ok()?;
    Some((number, build[digits..].to_owned()))
}

/// Expands a compressed tag set (PEP 425): `py2.py3-none-any`. Bounded, since names come from strangers.
fn expand_tags([pythons, abis, platforms]: [&str; 3]) -> Option<Vec<WheelTag>> {
    let count = |text: &str| text.split('.').count();
    if count(pythons) * count(abis) * count(platforms) > 4096 {
        return None;
    }
    let mut tags = Vec::new();
    for python in pythons.split('.') {
        for abi in abis.split('.') {
            for platform in platforms.split('.') {
                if python.is_empty() || abi.is_empty() || platform.is_empty() {
                    return None;
                }
                tags.push(WheelTag::new(python, abi, platform));
            }
        }
    }
    Some(tags)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_with_and_without_build_parse() {
        let plain = WheelFilename::parse("Foo_Bar-1.0.post1-py2.py3-none-any.whl").unwrap();
        assert_eq!(plain.name.as_ref(), "foo-bar");
        assert_eq!(plain.version.to_string(), "1.0.post1");
        assert_eq!(plain.tags.len(), 2);
        let built = WheelFilename::parse("a-1-2x-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl").unwrap();
        assert_eq!(built.build, Some((2, "x".to_owned())));
        assert_eq!(built.tags[1].to_string(), "cp311-cp311-manylinux2014_x86_64");
    }

    #[test]
    fn bad_names_are_refused_with_a_reason() {
        for bad in [
            "a-1-py3-none.whl",
            "a-1-py3-none-any.zip",
            "a-!-py3-none-any.whl",
            "a-1-x-py3-none-any.whl",
            "a-1--none-any.whl",
        ] {
            let error = WheelFilename::parse(bad).unwrap_err();
            assert!(error.to_string().starts_with(bad), "{error}");
        }
    }

    #[test]
    fn priority_is_the_best_rank() {
        let tags = Tags::new([WheelTag::new("cp311", "cp311", "x"), WheelTag::new("py3", "none", "any")]);
        let wheel = WheelFilename::parse("a-1-py2.py3-none-any.whl").unwrap();
        assert_eq!(tags.priority(&wheel.tags), Some(1));
        assert_eq!(tags.priority(&[WheelTag::new("cp38", "cp38", "x")]), None);
    }
}
