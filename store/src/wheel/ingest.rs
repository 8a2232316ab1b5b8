//! Ingest: from a wheel archive to objects and a wheel manifest.
//!
//! Each member is inflated once; blake3 and sha256 are taken while its bytes go by. The order on disk is:
//! all objects durable, then the manifest. Interrupted at any point, nothing that is named by anything is
//! half there.

use super::archive::Archive;
use super::dist_info::{self, MAX_METADATA_SIZE};
use super::entry_points::{self, EntryPoint};
use super::error::{Fault, WheelError};
use super::intake::Intake;
use super::manifest::WheelManifest;
use super::metadata::{self, Metadata};
use super::placement::is_python;
use super::record::{MAX_RECORD_SIZE, Record};
use super::{import_names, scripts};
use crate::digest::{Sha256, Sha256Hasher};
use crate::error::{Error, IoContext, Result};
use crate::layout::Store;
use crate::publish;
use crate::tags::WheelFilename;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// What an ingest came to.
#[derive(Debug)]
pub struct Ingested {
    /// The wheel's manifest, as it is in the store now.
    pub manifest: WheelManifest,
    /// Hash of the archive; names the manifest.
    pub sha256: Sha256,
    /// Objects that the store did not have before.
    pub new_objects: u64,
    /// Their bytes.
    pub new_bytes: u64,
}

/// Takes a wheel into the store; a wheel that is there already is only hashed.
///
/// # Errors
/// [`WheelError`] if the archive is not what `expected` says, is malformed or contradicts its RECORD;
/// [`Error::Io`] if it cannot be read or the store not written. Nothing is published then.
pub fn ingest(store: &Store, archive: &Path, filename: &str, expected: Option<Sha256>) -> Result<Ingested> {
    let parsed = parse_filename(filename)?;
    let mut file = File::open(archive).at("open wheel", archive)?;
    let sha256 = hash(&mut file).at("read wheel", archive)?;
    if let Some(expected) = expected.filter(|expected| *expected != sha256) {
        return Err(WheelError::refused(filename, Fault::Hash { expected, found: sha256 }).into());
    }
    if let Some(manifest) = known(store, &sha256)? {
        if manifest.name == parsed.name && manifest.version == parsed.version {
            return Ok(Ingested { manifest, sha256, new_objects: 0, new_bytes: 0 });
        }
        let reason = format!("the archive is {} {}", manifest.name, manifest.version);
        return Err(WheelError::refused(filename, Fault::metadata("METADATA", reason)).into());
    }
    let prepared = take(store, file, filename, &parsed).map_err(|stop| match stop {
        Stop::Fault(fault) => Error::from(WheelError::refused(filename, fault)),
        Stop::Store(error) => error,
    })?;
    publish::file(store, &store.layout().wheel(&sha256), &prepared.bytes)?;
    let Prepared { manifest, new_objects, new_bytes, .. } = prepared;
    Ok(Ingested { manifest, sha256, new_objects, new_bytes })
}

/// A file name that a manifest can hold in a line.
fn parse_filename(filename: &str) -> Result<WheelFilename, WheelError> {
    if metadata::one_line(filename) == filename && !filename.contains('/') {
        return WheelFilename::parse(filename);
    }
    let reason = "it contains a control character, a slash or surrounding blanks".to_owned();
    Err(WheelError::Filename { filename: filename.escape_debug().to_string(), reason })
}

/// Either the wheel or the store is at fault.
pub(super) enum Stop {
    Fault(Fault),
    Store(Error),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

fn hash(file: &mut File) -> io::Result<Sha256> {
    let mut hasher = Sha256Hasher::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => hasher.update(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(hasher.finish())
}

/// The manifest that the store has; a damaged one is made again.
fn known(store: &Store, sha256: &Sha256) -> Result<Option<WheelManifest>> {
    match WheelManifest::read(store, sha256) {
        Ok(manifest) => Ok(Some(manifest)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(Error::Damaged { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A manifest that is to be published, with what the store gained for it.
struct Prepared {
    manifest: WheelManifest,
    bytes: Vec<u8>,
    new_objects: u64,
    new_bytes: u64,
}

/// Takes all objects in, durably.
fn take(store: &Store, file: File, filename: &str, parsed: &WheelFilename) -> Result<Prepared, Stop> {
    let mut archive = Archive::open(file)?;
    let mut description = Description::read(&mut archive, parsed)?;
    let mut intake = Intake::new(store)?;
    let members = archive.members().to_vec();
    for member in members.iter().filter(|member| !member.is_directory) {
        intake.member(&mut archive, member, &mut description)?;
    }
    for entry in &description.entry_points {
        intake.add(format!("bin/{}", entry.name), &scripts::entry_point(entry), true)?;
    }
    intake.finish_dist_info(&description.dist_info)?;
    let (new_objects, new_bytes) = (intake.new_objects, intake.new_bytes);
    let bytes = describe(&intake, description, filename, parsed).to_bytes();
    // What cannot be read back must not be published, and no object be kept for it.
    let manifest = WheelManifest::parse(&bytes).map_err(|error| Fault::archive(error.to_string()))?;
    intake.commit()?;
    Ok(Prepared { manifest, bytes, new_objects, new_bytes })
}

fn describe(intake: &Intake<'_>, of: Description, filename: &str, parsed: &WheelFilename) -> WheelManifest {
    let files = intake.files();
    let Metadata { name, requires_python, requires_dist, provides_extra, import_names, .. } = of.metadata;
    let site = files.iter().filter_map(|file| file.path.strip_prefix("site/"));
    let import_names = if import_names.is_empty() { import_names::derive(site) } else { sorted(import_names) };
    let warnings = [&intake.warnings[..], &of.record.into_warnings(), &of.warnings].concat();
    WheelManifest {
        filename: filename.to_owned(),
        name: parsed.name.clone(),
        display_name: name.unwrap_or_else(|| parsed.name.to_string()),
        version: parsed.version.clone(),
        tags: parsed.tags.clone(),
        requires_python,
        requires_dist,
        provides_extra,
        entry_points: of.entry_points,
        import_names,
        warnings,
        files,
    }
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names.dedup();
    names
}

/// What the `.dist-info` directory says, read before anything else.
pub(super) struct Description {
    /// Name of the directory.
    pub dist_info: String,
    pub metadata: Metadata,
    pub entry_points: Vec<EntryPoint>,
    pub record: Record,
    warnings: Vec<String>,
    /// Bytes of the members that were read for this, so that they are inflated once only.
    pub inflated: HashMap<String, Vec<u8>>,
}

impl Description {
    fn read(archive: &mut Archive<File>, filename: &WheelFilename) -> Result<Self, Fault> {
        let dist_info = dist_info::find(archive.members(), &filename.name)?;
        let mut inflated = HashMap::new();
        let mut read = |file: &'static str, limit: u64| -> Result<Option<Vec<u8>>, Fault> {
            let Some(member) = dist_info::optional_member(archive.members(), &dist_info, file).cloned() else {
                return Ok(None);
            };
            let bytes = archive.read_small(&member, limit)?;
            inflated.insert(member.path, bytes.clone());
            Ok(Some(bytes))
        };
        let missing = |file| Fault::metadata(file, "the archive does not have it");
        let metadata = read("METADATA", MAX_METADATA_SIZE)?.ok_or_else(|| missing("METADATA"))?;
        let metadata = Metadata::parse(&metadata);
        metadata.check_identity(filename)?;
        let wheel = read("WHEEL", MAX_METADATA_SIZE)?.ok_or_else(|| missing("WHEEL"))?;
        let mut warnings = metadata::check_wheel_file(&wheel)?;
        let record = read("RECORD", MAX_RECORD_SIZE)?.ok_or_else(|| missing("RECORD"))?;
        let mut entry_points = match read("entry_points.txt", MAX_METADATA_SIZE)? {
            Some(bytes) => entry_points::parse(&bytes)?,
            None => Vec::new(),
        };
        entry_points.retain(|entry| {
            let reserved = is_python(&entry.name);
            if reserved {
                warnings.push(format!("the script {:?} is left out: the name is the interpreter's", entry.name));
            }
            !reserved
        });
        Ok(Self { dist_info, metadata, entry_points, record: Record::parse(&record)?, warnings, inflated })
    }
}
