//! Installing an interpreter: a python-build-standalone archive becomes a tree of objects, projected like any view.
//!
//! The archive is taken for hostile although its hash was checked: whatever could lead out of the tree is refused before
//! anything is published. Bytecode in it is left out, for it is tied to file times that no tree has; it is made again
//! like that of any view. What is published is a view manifest; [`super::installed`] gives it its name.

mod error;
mod members;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

pub use error::ArchiveError;

use super::installed;
use crate::digest::{Digest, DigestHasher, Sha256, ViewId};
use crate::error::{Error, IoContext, Result};
use crate::layout::{Layout, Store};
use crate::objects::Batch;
use crate::publish;
use crate::view::description::{DESCRIPTION, ViewDescription};
use crate::view::manifest::ManifestBuilder;
use flate2::read::MultiGzDecoder;
use members::{Member, Members};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

/// What an archive's file name says: `cpython-3.12.8+20241219-x86_64-unknown-linux-gnu-install_only_stripped.tar.gz`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ArchiveName {
    /// Major, minor, patch.
    pub version: (u8, u8, u16),
    /// Without the global interpreter lock.
    pub free_threaded: bool,
    /// The release that it belongs to.
    pub release: String,
    /// `x86_64`, `aarch64`.
    pub architecture: String,
    /// `gnu`, `musl`.
    pub libc: String,
}

impl ArchiveName {
    /// Reads a file name; `None` if it is another kind of name.
    pub fn parse(filename: &str) -> Option<Self> {
        let rest = filename.strip_prefix("cpython-")?.strip_suffix(".tar.gz")?;
        let (version, rest) = rest.split_once('+')?;
        let (release, rest) = rest.split_once('-')?;
        let (architecture, rest) = rest.split_once("-unknown-linux-")?;
        let (libc, flavor) = rest.split_once('-')?;
        let mut parts = version.split('.');
        let version = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let free_threaded = flavor.starts_with("freethreaded-");
        let flavor = flavor.trim_start_matches("freethreaded-");
        let is_whole = parts.next().is_none() && matches!(flavor, "install_only" | "install_only_stripped");
        is_whole.then(|| Self {
            version,
            free_threaded,
            release: release.to_owned(),
            architecture: architecture.to_owned(),
            libc: libc.to_owned(),
        })
    }

    /// `3.12.8`, `3.13.1t`.
    pub fn version_text(&self) -> String {
        let (major, minor, patch) = self.version;
        format!("{major}.{minor}.{patch}{}", if self.free_threaded { "t" } else { "" })
    }
}

/// An interpreter's tree that is installed, or is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    /// Its name in `pythons/`.
    pub name: String,
    /// Its manifest's name.
    pub id: ViewId,
}

impl Tree {
    /// The tree that an archive becomes. The same archive is always the same tree; another one of the same version
    /// gets a name of its own.
    pub fn of(layout: &Layout, filename: &str, sha256: &Sha256) -> Self {
        let name = name_of(filename);
        let with_hash = format!("{name}-{}", &sha256.to_hex()[..8]);
        let plain = Self { id: tree_id(layout, &name, sha256), name };
        match installed::tree(layout, &plain.name) {
            Some(other) if other != plain.id => Self { id: tree_id(layout, &with_hash, sha256), name: with_hash },
            _ => plain,
        }
    }

    /// True if it is there already.
    pub fn is_installed(&self, layout: &Layout) -> bool {
        installed::tree(layout, &self.name) == Some(self.id) && layout.view(&self.id).exists()
    }
}

/// `cpython-3.12.8-x86_64`; of a name that says nothing, what comes before its endings.
fn name_of(filename: &str) -> String {
    if let Some(archive) = ArchiveName::parse(filename) {
        let musl = if archive.libc == "musl" { "-musl" } else { "" };
        return format!("cpython-{}-{}{musl}", archive.version_text(), archive.architecture);
    }
    let stem = filename.trim_end_matches(".gz").trim_end_matches(".tar").trim_end_matches(".tgz");
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+');
    let name: String = stem.chars().filter(|c| allowed(*c)).take(80).collect();
    let name = name.trim_start_matches(['.', '-']);
    if name.is_empty() { "python".to_owned() } else { name.to_owned() }
}

/// The interpreter's own path is in the tree's description, so it is in its name too.
fn tree_id(layout: &Layout, name: &str, sha256: &Sha256) -> ViewId {
    let mut hasher = DigestHasher::new();
    let path = layout.pythons().join(name);
    hasher.update(format!("omnipkg python 1\n{}\n", sha256.to_hex()).as_bytes());
    hasher.update(path.as_os_str().as_encoded_bytes());
    ViewId::from_digest(&hasher.finish())
}

/// Unpacks an archive into the store and publishes its tree; returns the path that the interpreter will have. The
/// caller has checked the archive's hash, and gives the tree its name once it is visible.
///
/// # Errors
/// [`Error::Archive`] if it is refused; [`Error::Io`]. Nothing is published then.
pub fn unpack(store: &Store, archive: &Path, filename: &str, sha256: &Sha256, tree: &Tree) -> Result<PathBuf> {
    let refuse = |reason: String| Error::Archive(ArchiveError { archive: filename.to_owned(), member: None, reason });
    let file = File::open(archive).at("open", archive)?;
    let mut reader = BufReader::with_capacity(1 << 18, file);
    check_compression(&mut reader, archive, &refuse)?;
    let mut batch = Batch::new(store);
    let mut members = members::read(MultiGzDecoder::new(reader), filename, &mut batch)?;
    let program = program(&members).ok_or_else(|| refuse("it has no bin/python3.N with lib/python3.N".to_owned()))?;
    let path = store.layout().pythons().join(&tree.name).join(&program);
    let description = describe(filename, sha256, &program, &path);
    let json = serde_json::to_vec_pretty(&description).map_err(|error| Error::View(error.to_string()))?;
    let added = batch.add_bytes(&json)?;
    let file = Member::File { digest: added.digest, size: added.size, executable: false };
    if members.insert(DESCRIPTION.to_owned(), file).is_some() {
        return Err(refuse(format!("it has a file {DESCRIPTION} of its own")));
    }
    let bytes = manifest(&members)?;
    batch.commit()?;
    publish::file(store, &store.layout().view(&tree.id), &bytes)?;
    Ok(path)
}

fn check_compression(reader: &mut BufReader<File>, path: &Path, refuse: &impl Fn(String) -> Error) -> Result<()> {
    use std::io::BufRead;
    let start = reader.fill_buf().at("read", path)?;
    if start.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        return Err(refuse("it is compressed with zstd: take an install_only archive, a .tar.gz".to_owned()));
    }
    if !start.starts_with(&[0x1f, 0x8b]) {
        return Err(refuse("it is no .tar.gz".to_owned()));
    }
    Ok(())
}

/// The interpreter among the members: `bin/python3.12`, `bin/python3.13t`.
fn program(members: &Members) -> Option<String> {
    let mut programs = members.iter().filter_map(|(path, member)| {
        let version = path.strip_prefix("bin/python3.")?;
        let minor = version.trim_end_matches(['t', 'd']);
        let is_program = matches!(member, Member::File { executable: true, .. }) && minor.parse::<u16>().is_ok();
        let library = format!("lib/python3.{}/os.py", version.trim_end_matches('d'));
        (is_program && members.contains_key(&library)).then(|| path.clone())
    });
    programs.next()
}

/// What tells bytecode and projections of a tree; facts come from probing it once it is visible.
fn describe(filename: &str, sha256: &Sha256, program: &str, path: &Path) -> ViewDescription {
    let suffixed = program.trim_start_matches("bin/python");
    let short = suffixed.trim_end_matches(['t', 'd']);
    let version = ArchiveName::parse(filename).map_or_else(
        || short.to_owned(),
        |name| {
            let (major, minor, patch) = name.version;
            format!("{major}.{minor}.{patch}")
        },
    );
    ViewDescription {
        set: Digest::of(format!("omnipkg python {}", sha256.to_hex()).as_bytes()),
        interpreter: path.to_owned(),
        implementation: "cpython".to_owned(),
        version,
        cache_tag: format!("cpython-{}", short.replace('.', "")),
        magic: 0,
        site_packages: format!("lib/python{}/site-packages", suffixed.trim_end_matches('d')),
        wheels: Vec::new(),
        seeds: Vec::new(),
        overlay: None,
    }
}

fn manifest(members: &Members) -> Result<Vec<u8>> {
    let mut builder = ManifestBuilder::new();
    for (path, member) in members {
        match member {
            Member::Directory => builder.directory(path)?,
            Member::File { digest, size, executable } => builder.file(path, *digest, *size, *executable)?,
            Member::Symlink(target) => builder.symlink(path, target)?,
            Member::Bytecode => &mut builder,
        };
    }
    builder.finish()
}

/// Reads to the end, so that the checksum of the compressed stream is checked too.
fn drain(reader: &mut impl Read) -> std::io::Result<()> {
    std::io::copy(reader, &mut std::io::sink()).map(drop)
}
