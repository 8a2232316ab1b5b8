//! The archives that `python install` knows: names and hashes, from a table in the source or one that the user gives.

use crate::settings::non_empty;
use anyhow::{Context, Result, bail};
use omnipkg_resolver::Resolver;
use omnipkg_store::Sha256;
use omnipkg_store::interpreter::archive::ArchiveName;
use omnipkg_store::interpreter::{PythonRequest, Variant, VersionRequest};
use pep440_rs::{Version, VersionSpecifiers};
use std::path::Path;

const TABLE: &str = include_str!("known_archives.sha256");

/// An archive and what its bytes must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownArchive {
    /// The file's name.
    pub filename: String,
    /// What the name says.
    pub name: ArchiveName,
    /// The hash of its bytes.
    pub sha256: Sha256,
}

/// A list of archives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known(Vec<KnownArchive>);

impl Known {
    /// The list that `OMNIPKG_PYTHON_DOWNLOADS` names, else the one in the source.
    pub fn load(fetcher: &Resolver) -> Result<Self> {
        let Some(place) = non_empty("OMNIPKG_PYTHON_DOWNLOADS") else { return Self::parse(TABLE, "the source") };
        let Some(place) = place.to_str() else { bail!("OMNIPKG_PYTHON_DOWNLOADS is no text: {}", place.display()) };
        let url = super::source::url(place).context("OMNIPKG_PYTHON_DOWNLOADS")?;
        match fetcher.text(&url).context("OMNIPKG_PYTHON_DOWNLOADS")? {
            Some(text) => Self::parse(&text, "OMNIPKG_PYTHON_DOWNLOADS"),
            None => bail!("OMNIPKG_PYTHON_DOWNLOADS names {place}, and there is no such list"),
        }
    }

    /// Reads lines of `<sha256>  <file name>`; `#` begins a comment, and names that are none of an archive that can be
    /// installed are passed over.
    fn parse(text: &str, origin: &str) -> Result<Self> {
        let mut archives = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let place = || format!("the list of archives in {origin}, line {}", number + 1);
            let (sha256, filename) = checksum_line(line).with_context(place)?;
            if let Some(name) = ArchiveName::parse(filename) {
                archives.push(KnownArchive { filename: filename.to_owned(), name, sha256 });
            }
        }
        Ok(Self(archives))
    }

    /// The archive of a file name.
    pub fn get(&self, filename: &str) -> Option<&KnownArchive> {
        self.0.iter().find(|archive| archive.filename == filename)
    }

    /// The newest archive for this machine that answers a request.
    pub fn newest(&self, request: &PythonRequest, specifiers: Option<&VersionSpecifiers>) -> Option<&KnownArchive> {
        let fitting = self.for_this_machine().filter(|archive| answers(&archive.name, request));
        let fitting =
            fitting.filter(|archive| specifiers.is_none_or(|specifiers| satisfies(&archive.name, specifiers)));
        fitting.max_by_key(|archive| (archive.name.version, archive.name.release.clone()))
    }

    /// The versions for this machine, newest first, each once.
    pub fn versions(&self) -> Vec<String> {
        let mut names: Vec<&ArchiveName> = self.for_this_machine().map(|archive| &archive.name).collect();
        names.sort_by_key(|name| std::cmp::Reverse((name.version, !name.free_threaded)));
        let mut versions: Vec<String> = names.into_iter().map(ArchiveName::version_text).collect();
        versions.dedup();
        versions
    }

    fn for_this_machine(&self) -> impl Iterator<Item = &KnownArchive> {
        let libc = libc();
        let fits = move |name: &ArchiveName| name.architecture == std::env::consts::ARCH && name.libc == libc;
        self.0.iter().filter(move |archive| fits(&archive.name))
    }
}

/// A line of SHA256SUMS: the hash, then the file's name (with `*` before it where the file was read as binary).
pub fn checksum_line(line: &str) -> Result<(Sha256, &str)> {
    let (hash, filename) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let sha256 = hash.parse().map_err(|_| anyhow::anyhow!("{hash:?} is no sha256"))?;
    Ok((sha256, filename.trim_start().trim_start_matches('*')))
}

/// What `python install` could fetch for a request that nothing on this machine answers, as one would ask for it.
pub fn offer(request: &PythonRequest, specifiers: Option<&VersionSpecifiers>) -> Option<String> {
    let known = Known::parse(TABLE, "the source").ok()?;
    let name = &known.newest(request, specifiers)?.name;
    let asked = match request {
        PythonRequest::Version(version) => version.parts.len(),
        _ => 0,
    };
    let (major, minor, _) = name.version;
    let letter = if name.free_threaded { "t" } else { "" };
    // The newest of its minor version is what that alone asks for.
    let short = format!("{major}.{minor}{letter}");
    let is_newest = known.newest(&PythonRequest::parse(&short), None).is_some_and(|newest| newest.name == *name);
    Some(if asked < 3 && is_newest { short } else { name.version_text() })
}

fn answers(name: &ArchiveName, request: &PythonRequest) -> bool {
    let any = VersionRequest::default();
    let version = match request {
        PythonRequest::Any => &any,
        PythonRequest::Version(version) => version,
        PythonRequest::Path(_) => return false,
    };
    let (major, minor, patch) = name.version;
    version.implementation.as_deref().unwrap_or("cpython") == "cpython"
        && [u16::from(major), u16::from(minor), patch].starts_with(&version.parts)
        && version.variant == Variant { free_threaded: name.free_threaded, debug: false }
}

fn satisfies(name: &ArchiveName, specifiers: &VersionSpecifiers) -> bool {
    let (major, minor, patch) = name.version;
    specifiers.contains(&Version::new([u64::from(major), u64::from(minor), u64::from(patch)]))
}

/// The C library of this machine: musl where only its loader is there.
fn libc() -> &'static str {
    let loaders = |prefix: &str| {
        let directories = ["/lib", "/lib64", "/usr/lib", "/usr/lib64"].into_iter().map(Path::new);
        let names = directories.filter_map(|directory| directory.read_dir().ok()).flatten().flatten();
        names.map(|entry| entry.file_name()).any(|name| name.as_encoded_bytes().starts_with(prefix.as_bytes()))
    };
    if loaders("ld-musl-") && !loaders("ld-linux") { "musl" } else { "gnu" }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_an_archive_once() {
        let known = Known::parse(TABLE, "the source").unwrap();
        let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
        assert_eq!(known.0.len(), lines.count());
        let mut names: Vec<&String> = known.0.iter().map(|archive| &archive.filename).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), known.0.len());
        for minor in 8..=15 {
            for libc in ["gnu", "musl"].into_iter().filter(|libc| minor > 8 || *libc == "gnu") {
                for architecture in ["x86_64", "aarch64"] {
                    let is_that = |name: &ArchiveName| {
                        name.version.1 == minor && name.libc == libc && name.architecture == architecture
                    };
                    assert!(known.0.iter().any(|archive| is_that(&archive.name)), "3.{minor} {libc} {architecture}");
                }
            }
        }
    }

    #[test]
    fn the_newest_that_answers_is_chosen() {
        let machine = format!("{}-unknown-linux-{}", std::env::consts::ARCH, libc());
        let line = |version: &str, flavor: &str| {
            format!("{}  cpython-{version}+20250101-{machine}-{flavor}install_only.tar.gz", "0".repeat(64))
        };
        let text = ["3.12.9", "3.12.10", "3.11.2"].map(|version| line(version, "")).join("\n");
        let text = format!("# comment\n{text}\n{}\n", line("3.13.1", "freethreaded-"));
        let known = Known::parse(&text, "the test").unwrap();
        let newest =
            |request: &str| known.newest(&PythonRequest::parse(request), None).map(|one| one.name.version_text());
        assert_eq!(newest("3.12").as_deref(), Some("3.12.10"));
        assert_eq!(newest("3").as_deref(), Some("3.12.10"));
        assert_eq!(newest("3.12.9").as_deref(), Some("3.12.9"));
        assert_eq!(newest("3.13t").as_deref(), Some("3.13.1t"));
        assert_eq!((newest("3.13"), newest("pypy3.9"), newest("3.12d")), (None, None, None));
        let specifiers = "<3.12".parse().unwrap();
        assert_eq!(known.newest(&PythonRequest::Any, Some(&specifiers)).unwrap().name.version_text(), "3.11.2");
        assert_eq!(known.versions(), ["3.13.1t", "3.12.10", "3.12.9", "3.11.2"]);
    }

    #[test]
    fn a_bad_line_is_named() {
        let error = Known::parse("# x\nnothing here\n", "the test").unwrap_err();
        assert!(format!("{error:#}").contains("line 2"), "{error:#}");
    }
}
