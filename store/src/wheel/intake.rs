//! Taking members in: each is inflated once, checked against RECORD and added to the batch of objects.

use super::archive::{Archive, Member};
use super::entry_points::EntryPoint;
use super::error::Fault;
use super::ingest::{Description, Stop};
use super::manifest::WheelFile;
use super::placement::{Placement, place};
use super::record::{self, InstalledRow, Record};
use super::scripts;
use crate::digest::{Sha256, Sha256Hasher};
use crate::error::Result;
use crate::layout::Store;
use crate::objects::{Added, Batch};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};

/// Up to this size a member is inflated in memory, so that content that the store has is not written again.
const IN_MEMORY: u64 = 4 << 20;

struct Taken {
    file: WheelFile,
    sha256: Sha256,
}

/// Objects on their way in, and the files that they will be.
pub(super) struct Intake<'store> {
    batch: Batch<'store>,
    files: BTreeMap<String, Taken>,
    /// What was found odd on the way.
    pub warnings: Vec<String>,
    /// Objects that the store did not have.
    pub new_objects: u64,
    /// Their bytes.
    pub new_bytes: u64,
}

impl<'store> Intake<'store> {
    pub fn new(store: &'store Store) -> Result<Self> {
        let batch = Batch::new(store);
        Ok(Self { batch, files: BTreeMap::new(), warnings: Vec::new(), new_objects: 0, new_bytes: 0 })
    }

    /// Inflates and checks one member, and keeps it where it belongs.
    pub fn member(&mut self, archive: &mut Archive<File>, member: &Member, of: &mut Description) -> Result<(), Stop> {
        let project = of.metadata.name.as_deref().unwrap_or_default();
        let placement = place(&member.path, &of.dist_info, project)?;
        let kept = matches!(placement, Placement::File(_) | Placement::Script(_));
        if kept && member.size > IN_MEMORY {
            return self.large_member(archive, member, placement, &mut of.record);
        }
        let bytes = match of.inflated.remove(&member.path) {
            Some(bytes) => bytes,
            None if kept => archive.read_small(member, IN_MEMORY)?,
            None => return self.check_only(archive, member, placement, of),
        };
        check(&mut of.record, &of.dist_info, member, &Sha256::of(&bytes))?;
        match placement {
            Placement::Script(path) if self.is_wrapped(&path, &of.entry_points) => Ok(()),
            Placement::Script(path) => self.add(path, &scripts::relocate(bytes), true),
            Placement::File(path) => self.add(path, &bytes, member.executable),
            _ => Ok(()),
        }
    }

    /// As in pip, the script of an entry point replaces a file of that name.
    fn is_wrapped(&self, path: &str, entry_points: &[EntryPoint]) -> bool {
        path.strip_prefix("bin/").is_some_and(|name| entry_points.iter().any(|entry| entry.name == name))
    }

    /// A member that is not kept must still be what the archive and RECORD say.
    fn check_only(
        &mut self,
        archive: &mut Archive<File>,
        member: &Member,
        placement: Placement,
        of: &mut Description,
    ) -> Result<(), Stop> {
        if placement == Placement::Reserved {
            self.warnings.push(format!("{} is left out: it would replace the environment's own", member.path));
        }
        let sha256 = archive.read_member(member, |inflated| {
            let mut hashing = Hashing::new(inflated);
            io::copy(&mut hashing, &mut io::sink()).map_err(Fault::from)?;
            Ok::<_, Fault>(hashing.hasher.finish())
        })?;
        Ok(check(&mut of.record, &of.dist_info, member, &sha256)?)
    }

    fn large_member(
        &mut self,
        archive: &mut Archive<File>,
        member: &Member,
        placement: Placement,
        record: &mut Record,
    ) -> Result<(), Stop> {
        let (added, sha256) = archive.read_member(member, |inflated| {
            let mut hashing = Hashing::new(inflated);
            let added = self.batch.add(&mut hashing)?;
            Ok::<_, Stop>((added, hashing.hasher.finish()))
        })?;
        record.check(&member.path, &sha256, member.size)?;
        match placement {
            Placement::File(path) => self.keep(path, added, sha256, member.executable),
            Placement::Script(path) => self.keep(path, added, sha256, true),
            _ => {}
        }
        Ok(())
    }

    /// Adds a file whose bytes are in memory.
    pub fn add(&mut self, path: String, bytes: &[u8], executable: bool) -> Result<(), Stop> {
        let added = self.batch.add_bytes(bytes)?;
        self.keep(path, added, Sha256::of(bytes), executable);
        Ok(())
    }

    /// Two members for one path (`x` and `*.data/purelib/x`): the later is kept, as in pip.
    fn keep(&mut self, path: String, added: Added, sha256: Sha256, executable: bool) {
        if added.new {
            self.new_objects += 1;
            self.new_bytes += added.size;
        }
        let file = WheelFile { digest: added.digest, size: added.size, executable, path: path.clone() };
        let taken = Taken { file, sha256 };
        if let Some(before) = self.files.insert(path, taken)
            && before.file.digest != added.digest
        {
            self.warnings.push(format!("{} is there twice: the later one is used", before.file.path));
        }
    }

    /// INSTALLER, and RECORD for the installed layout. Headers are not in it: where they go depends on
    /// the interpreter.
    pub fn finish_dist_info(&mut self, dist_info: &str) -> Result<(), Stop> {
        self.add(format!("site/{dist_info}/INSTALLER"), b"omnipkg\n", false)?;
        let rows = self.files.iter().filter_map(|(path, taken)| {
            let (scheme, rest) = path.split_once('/')?;
            let path = match scheme {
                "site" => rest.to_owned(),
                "bin" => format!("../../../{path}"),
                "data" => format!("../../../{rest}"),
                _ => return None,
            };
            Some(InstalledRow { path, sha256: taken.sha256, size: taken.file.size })
        });
        let record = record::write(rows.collect(), &format!("{dist_info}/RECORD"));
        self.add(format!("site/{dist_info}/RECORD"), &record, false)
    }

    /// The files so far, sorted by path.
    pub fn files(&self) -> Vec<WheelFile> {
        self.files.values().map(|taken| taken.file.clone()).collect()
    }

    /// Makes all objects durable.
    pub fn commit(self) -> Result<()> {
        self.batch.commit()
    }
}

/// RECORD and its signatures are the only files that RECORD need not describe.
fn check(record: &mut Record, dist_info: &str, member: &Member, sha256: &Sha256) -> Result<(), Fault> {
    let file = member.path.strip_prefix(dist_info).and_then(|rest| rest.strip_prefix('/'));
    if matches!(file, Some("RECORD" | "RECORD.jws" | "RECORD.p7s")) {
        record.exempt(&member.path);
        return Ok(());
    }
    record.check(&member.path, sha256, member.size)
}

/// Takes the sha256 of what is read through it.
struct Hashing<'reader> {
    inner: &'reader mut dyn Read,
    hasher: Sha256Hasher,
}

impl<'reader> Hashing<'reader> {
    fn new(inner: &'reader mut dyn Read) -> Self {
        Self { inner, hasher: Sha256Hasher::new() }
    }
}

impl Read for Hashing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..count]);
        Ok(count)
    }
}
