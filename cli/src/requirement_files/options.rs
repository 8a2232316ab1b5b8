//! Options in requirement files: hashes behind a requirement, and lines that say where files are taken from.
//!
//! What is not understood is left to the caller, to whom it is an error: nothing is passed over in silence.

use crate::output;
use crate::settings::Settings;
use anyhow::{Context, Result, anyhow, bail};
use omnipkg_resolver::{Formats, Names};
use omnipkg_store::Sha256;
use pep440_rs::Operator;
use pep508_rs::{MarkerEnvironment, Requirement, VersionOrUrl};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What the options of files come to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct FileOptions {
    /// Hashes of which a file of a project (its normalised name) must have one.
    pub hashes: BTreeMap<String, BTreeSet<Sha256>>,
    /// Everything must have been given a hash (`--require-hashes`).
    pub require_hashes: bool,
    /// Pre-releases are taken (`--pre`).
    pub prereleases: bool,
    index_url: Option<String>,
    extra_index_url: Vec<String>,
    find_links: Vec<String>,
    no_index: bool,
    formats: Formats,
}

impl FileOptions {
    /// Reads an option that has a line of its own, in a file of this directory; false if it is none of those that are
    /// understood.
    pub fn line(&mut self, name: &str, value: &str, directory: &Path) -> Result<bool> {
        let mut takes_value = true;
        match name {
            "i" | "-index-url" | "-pypi-url" => self.index_url = Some(value.to_owned()),
            "-extra-index-url" => self.extra_index_url.push(value.to_owned()),
            "f" | "-find-links" => {
                // As in pip: below the file's directory, if it is there.
                let below = directory.join(value);
                let place = if below.exists() { below.to_string_lossy().into_owned() } else { value.to_owned() };
                self.find_links.push(place);
            }
            "-only-binary" => add_names(&mut self.formats.only_binary, value)?,
            "-no-binary" => add_names(&mut self.formats.no_binary, value)?,
            "-pre" | "-require-hashes" | "-no-index" => {
                takes_value = false;
                self.no_index |= name == "-no-index";
                self.prereleases |= name == "-pre";
                self.require_hashes |= name == "-require-hashes";
            }
            // Which version is taken does not depend here on what kinds of archives it has.
            "-prefer-binary" => {
                takes_value = false;
                output::warn("--prefer-binary in a file of requirements is not looked at");
            }
            "-trusted-host" | "-use-feature" => {
                output::warn(&format!("-{name} in a file of requirements is not looked at"));
            }
            _ => return Ok(false),
        }
        if value.is_empty() == takes_value {
            bail!("-{name} takes {} value", if takes_value { "a" } else { "no" });
        }
        Ok(true)
    }

    /// Takes the options off a requirement's line; returns the requirement's text, and the hashes.
    pub fn take_hashes(line: &str) -> Result<(&str, BTreeSet<Sha256>)> {
        let Some(start) = line.find(" --").or_else(|| line.find("\t--")) else { return Ok((line, BTreeSet::new())) };
        let (requirement, options) = line.split_at(start);
        let (mut hashes, mut others) = (BTreeSet::new(), BTreeSet::new());
        let mut words = options.split_whitespace();
        while let Some(word) = words.next() {
            let value = match word.strip_prefix("--hash=") {
                Some(value) => value,
                None if word == "--hash" => words.next().context("--hash names none")?,
                None => bail!("the option {word} is not understood behind a requirement"),
            };
            match value.split_once(':') {
                Some(("sha256", hex)) => {
                    let hash = hex.to_ascii_lowercase().parse().ok();
                    hashes.insert(hash.with_context(|| format!("{value:?} is no sha256"))?);
                }
                Some((kind @ ("sha384" | "sha512"), _)) => drop(others.insert(kind)),
                _ => bail!("{value:?} is no hash that can be relied on: sha256:… is"),
            }
        }
        if let Some(kind) = others.first().filter(|_| hashes.is_empty()) {
            bail!("only sha256 is what files are checked by, and there is only {kind}");
        }
        Ok((requirement.trim_end(), hashes))
    }

    /// Remembers the hashes of a project.
    pub fn add_hashes(&mut self, requirement: &Requirement, hashes: BTreeSet<Sha256>) {
        if !hashes.is_empty() {
            self.hashes.entry(requirement.name.to_string()).or_default().extend(hashes);
        }
    }

    /// As pip has it: if one requirement has hashes, all must, and be pinned. Where no hash was given for anything but
    /// all must have one, what has none is refused too.
    pub fn check_hashes(&self, requirements: &[Requirement], markers: &MarkerEnvironment) -> Result<()> {
        if !self.require_hashes && self.hashes.is_empty() {
            return Ok(());
        }
        for requirement in requirements.iter().filter(|requirement| requirement.evaluate_markers(markers, &[])) {
            if !self.hashes.contains_key(requirement.name.as_ref()) {
                bail!("{requirement} has no --hash: where one requirement has hashes, all must");
            }
            if !is_pinned(requirement) {
                bail!("{requirement} has hashes, and is not pinned: write {}==VERSION", requirement.name);
            }
        }
        Ok(())
    }

    /// The settings with the indexes of the files, where the command line names none: a flag says more than a file.
    pub fn settings(&self, settings: &Settings) -> Settings {
        let mut settings = settings.clone();
        let index = &mut settings.index;
        index.no_index |= self.no_index && index.index_url.is_none();
        index.index_url = index.index_url.take().or_else(|| self.index_url.clone());
        index.extra_index_url.extend(self.extra_index_url.iter().cloned());
        index.find_links.extend(self.find_links.iter().cloned());
        let sides = [
            (&mut settings.formats.only_binary, &self.formats.only_binary),
            (&mut settings.formats.no_binary, &self.formats.no_binary),
        ];
        for (names, more) in sides {
            names.all |= more.all;
            names.names.extend(more.names.iter().cloned());
        }
        settings
    }
}

fn add_names(names: &mut Names, value: &str) -> Result<()> {
    names.add(value).map_err(|part| anyhow!("{part:?} is no project's name, nor :all: or :none:"))
}

/// True if one version only will do.
pub fn is_pinned(requirement: &Requirement) -> bool {
    let exact = |operator: &Operator| matches!(operator, Operator::Equal | Operator::ExactEqual);
    match &requirement.version_or_url {
        Some(VersionOrUrl::VersionSpecifier(specifiers)) => specifiers.iter().any(|one| exact(one.operator())),
        Some(VersionOrUrl::Url(_)) => true,
        None => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_taken_off_the_line() {
        let (a, b) = ("a".repeat(64), "B".repeat(64));
        let line = format!("x==1 ; os_name == 'posix' --hash=sha256:{a}  --hash sha256:{b} --hash=sha512:00");
        let (text, hashes) = FileOptions::take_hashes(&line).unwrap();
        assert_eq!(text, "x==1 ; os_name == 'posix'");
        let hex: Vec<String> = hashes.iter().map(Sha256::to_hex).collect();
        assert_eq!(hex, [a, b.to_lowercase()]);
        assert_eq!(FileOptions::take_hashes("x==1").unwrap(), ("x==1", BTreeSet::new()));
        for (options, expected) in [
            ("--hash=md5:00", "no hash that can be relied on"),
            ("--hash=sha256:00", "is no sha256"),
            ("--hash=sha512:00", "there is only sha512"),
            ("--hash", "names none"),
            ("--config-settings=a=b", "--config-settings=a=b is not understood"),
        ] {
            let error = FileOptions::take_hashes(&format!("x==1 {options}")).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn options_with_and_without_values() {
        let mut options = FileOptions::default();
        assert!(options.line("i", "http://127.0.0.1/a", Path::new("")).unwrap());
        assert!(options.line("-pre", "", Path::new("")).unwrap());
        assert!(!options.line("-no-such-option", "x", Path::new("")).unwrap());
        assert!(options.prereleases && !options.require_hashes);
        for (name, value) in [("-pre", "x"), ("-extra-index-url", ""), ("i", "")] {
            assert!(options.line(name, value, Path::new("")).is_err(), "{name}");
        }
    }
}
