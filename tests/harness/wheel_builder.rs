//! Valid wheels (PEP 427) made in memory, and wheels with one chosen fault.
//!
//! The same calls give the same bytes: times, modes and the order of members are fixed.

use crate::encoding::{record_hash, sha256_hex};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// Describes a wheel; [`WheelBuilder::build`] makes it.
#[derive(Debug, Clone)]
pub struct WheelBuilder {
    name: String,
    version: String,
    tag: String,
    requires: Vec<String>,
    requires_python: Option<String>,
    headers: Vec<String>,
    console_scripts: Vec<(String, String)>,
    members: Vec<Member>,
    corrupt: BTreeSet<String>,
    truncate: Option<usize>,
}

/// A finished wheel, in memory.
#[derive(Debug, Clone)]
pub struct BuiltWheel {
    /// Its file name, `{name}-{version}-{tag}.whl`.
    pub filename: String,
    /// The archive.
    pub bytes: Vec<u8>,
    /// The text of its METADATA.
    pub metadata: String,
    /// The project's normalised name (PEP 503): its folder in an index.
    pub project: String,
    /// The version as it was given.
    pub version: String,
    /// `Requires-Python`, which an index repeats on its page.
    pub requires_python: Option<String>,
}

#[derive(Debug, Clone)]
struct Member {
    path: String,
    bytes: Vec<u8>,
    executable: bool,
}

impl WheelBuilder {
    /// A wheel `py3-none-any` of one project at one version, with nothing in it but its `.dist-info`.
    pub fn new(name: &str, version: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            tag: "py3-none-any".to_owned(),
            requires: Vec::new(),
            requires_python: None,
            headers: Vec::new(),
            console_scripts: Vec::new(),
            members: Vec::new(),
            corrupt: BTreeSet::new(),
            truncate: None,
        }
    }

    /// A wheel with a package of the project's own name that holds `__version__`.
    pub fn with_version_attribute(name: &str, version: &str) -> Self {
        let package = normalise(name).replace('-', "_");
        Self::new(name, version).file(&format!("{package}/__init__.py"), format!("__version__ = {version:?}\n"))
    }

    /// Adds a file, its path relative to site-packages.
    pub fn file(self, path: &str, bytes: impl AsRef<[u8]>) -> Self {
        self.member(path.to_owned(), bytes.as_ref(), false)
    }

    /// Adds a file with its executable bits set.
    pub fn executable(self, path: &str, bytes: impl AsRef<[u8]>) -> Self {
        self.member(path.to_owned(), bytes.as_ref(), true)
    }

    /// Adds a file under `.data/{scheme}/` (`scripts`, `data`, `headers`, `purelib`, `platlib`).
    pub fn data_file(self, scheme: &str, path: &str, bytes: impl AsRef<[u8]>) -> Self {
        let path = format!("{}.data/{scheme}/{path}", self.stem());
        self.member(path, bytes.as_ref(), scheme == "scripts")
    }

    /// Adds a `Requires-Dist` (PEP 508).
    pub fn requires(mut self, requirement: &str) -> Self {
        self.requires.push(requirement.to_owned());
        self
    }

    /// Sets `Requires-Python` (PEP 440 specifiers).
    pub fn requires_python(mut self, specifiers: &str) -> Self {
        self.requires_python = Some(specifiers.to_owned());
        self
    }

    /// Adds a `Provides-Extra`.
    pub fn provides_extra(self, extra: &str) -> Self {
        self.metadata_header(&format!("Provides-Extra: {extra}"))
    }

    /// Adds any other line to METADATA's headers, such as `Import-Name: x`.
    pub fn metadata_header(mut self, line: &str) -> Self {
        self.headers.push(line.to_owned());
        self
    }

    /// Sets the tag; it may be compressed (`py2.py3-none-any`, PEP 425).
    pub fn tag(mut self, tag: &str) -> Self {
        self.tag = tag.to_owned();
        self
    }

    /// Adds a `console_scripts` entry point, `module:function`.
    pub fn console_script(mut self, name: &str, target: &str) -> Self {
        self.console_scripts.push((name.to_owned(), target.to_owned()));
        self
    }

    /// Fault: the member's bytes are not those that RECORD names (the archive itself is sound).
    pub fn corrupt_member(mut self, path: &str) -> Self {
        self.corrupt.insert(path.to_owned());
        self
    }

    /// Fault: only the first `length` bytes of the archive are there.
    pub fn truncate(mut self, length: usize) -> Self {
        self.truncate = Some(length);
        self
    }

    /// Makes the wheel.
    ///
    /// # Panics
    /// When a path is given twice, or a member to corrupt was never added.
    pub fn build(&self) -> BuiltWheel {
        let metadata = self.metadata();
        let mut members = self.members.clone();
        members.extend(self.dist_info(&metadata));
        let record = self.record(&members);
        for path in &self.corrupt {
            let member = members.iter_mut().find(|member| &member.path == path);
            member.unwrap_or_else(|| panic!("no member {path} to corrupt")).spoil();
        }
        members.push(Member::plain(self.dist_info_path("RECORD"), record));
        let mut bytes = archive(&members);
        bytes.truncate(self.truncate.unwrap_or(usize::MAX));
        BuiltWheel {
            filename: format!("{}-{}.whl", self.stem(), self.tag),
            bytes,
            metadata,
            project: normalise(&self.name),
            version: self.version.clone(),
            requires_python: self.requires_python.clone(),
        }
    }

    fn member(mut self, path: String, bytes: &[u8], executable: bool) -> Self {
        assert!(self.members.iter().all(|member| member.path != path), "{path} is given twice");
        self.members.push(Member { path, bytes: bytes.to_vec(), executable });
        self
    }

    /// `{name}-{version}`, escaped as file names and `.dist-info` are.
    fn stem(&self) -> String {
        format!("{}-{}", normalise(&self.name).replace('-', "_"), self.version.replace('-', "_"))
    }

    fn dist_info_path(&self, file: &str) -> String {
        format!("{}.dist-info/{file}", self.stem())
    }

    fn metadata(&self) -> String {
        let mut text = format!("Metadata-Version: 2.1\nName: {}\nVersion: {}\n", self.name, self.version);
        if let Some(specifiers) = &self.requires_python {
            text += &format!("Requires-Python: {specifiers}\n");
        }
        for requirement in &self.requires {
            text += &format!("Requires-Dist: {requirement}\n");
        }
        for line in &self.headers {
            text += &format!("{line}\n");
        }
        text
    }

    fn dist_info(&self, metadata: &str) -> Vec<Member> {
        let pure = self.tag.ends_with("-none-any");
        let mut wheel = format!("Wheel-Version: 1.0\nGenerator: omnipkg-tests\nRoot-Is-Purelib: {pure}\n");
        for tag in expand_tag(&self.tag) {
            wheel += &format!("Tag: {tag}\n");
        }
        let mut members = vec![
            Member::plain(self.dist_info_path("METADATA"), metadata.to_owned()),
            Member::plain(self.dist_info_path("WHEEL"), wheel),
        ];
        if !self.console_scripts.is_empty() {
            let rows = self.console_scripts.iter().map(|(name, target)| format!("{name} = {target}\n"));
            let text = "[console_scripts]\n".to_owned() + &rows.collect::<String>();
            members.push(Member::plain(self.dist_info_path("entry_points.txt"), text));
        }
        members
    }

    fn record(&self, members: &[Member]) -> String {
        let rows: BTreeMap<&str, String> = members
            .iter()
            .map(|member| (member.path.as_str(), format!("{},{}", record_hash(&member.bytes), member.bytes.len())))
            .collect();
        let mut text: String = rows.iter().map(|(path, row)| format!("{},{row}\n", csv_field(path))).collect();
        text += &format!("{},,\n", csv_field(&self.dist_info_path("RECORD")));
        text
    }
}

impl BuiltWheel {
    /// Lower-case hex of the archive's SHA-256.
    pub fn sha256_hex(&self) -> String {
        sha256_hex(&self.bytes)
    }

    /// Writes the archive into `directory` and returns its path.
    pub fn write_to(&self, directory: &Path) -> PathBuf {
        let path = directory.join(&self.filename);
        std::fs::write(&path, &self.bytes).unwrap_or_else(|error| panic!("write {}: {error}", path.display()));
        path
    }
}

impl Member {
    fn plain(path: String, text: String) -> Self {
        Self { path, bytes: text.into_bytes(), executable: false }
    }

    /// Other bytes; of the same length where there are any, so that only a hash can tell.
    fn spoil(&mut self) {
        match self.bytes.last_mut() {
            Some(last) => *last ^= 1,
            None => self.bytes.push(b'#'),
        }
    }
}

/// A project's name as PEP 503 normalises it.
pub fn normalise(name: &str) -> String {
    let mut normal = String::new();
    for character in name.chars() {
        match character {
            '-' | '_' | '.' if normal.ends_with('-') => {}
            '-' | '_' | '.' => normal.push('-'),
            _ => normal.push(character.to_ascii_lowercase()),
        }
    }
    normal
}

/// Every simple tag that a compressed one stands for (PEP 425).
fn expand_tag(tag: &str) -> Vec<String> {
    let parts: Vec<&str> = tag.split('-').collect();
    let [python, abi, platform] = parts[..] else { panic!("{tag} is no tag") };
    let mut tags = Vec::new();
    for python in python.split('.') {
        for abi in abi.split('.') {
            tags.extend(platform.split('.').map(|platform| format!("{python}-{abi}-{platform}")));
        }
    }
    tags
}

fn csv_field(path: &str) -> String {
    if path.contains([',', '"', '\n']) { format!("\"{}\"", path.replace('"', "\"\"")) } else { path.to_owned() }
}

fn archive(members: &[Member]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for member in members {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::default())
            .unix_permissions(if member.executable { 0o755 } else { 0o644 });
        writer.start_file(&member.path, options).expect("a member of a zip archive in memory");
        writer.write_all(&member.bytes).expect("bytes of a zip archive in memory");
    }
    writer.finish().expect("the end of a zip archive in memory").into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_description_gives_the_same_bytes() {
        let builder = WheelBuilder::new("My.Demo", "1.0").file("a.py", "x = 1\n").console_script("a", "a:x");
        let wheel = builder.build();
        assert_eq!(wheel.filename, "my_demo-1.0-py3-none-any.whl");
        assert_eq!(wheel.project, "my-demo");
        assert_eq!(wheel.bytes, builder.build().bytes);
        assert_ne!(wheel.bytes, builder.corrupt_member("a.py").build().bytes);
    }

    #[test]
    fn a_compressed_tag_is_written_out() {
        assert_eq!(expand_tag("py2.py3-none-any"), ["py2-none-any", "py3-none-any"]);
    }
}
