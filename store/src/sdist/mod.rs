//! Unpacking source distributions into a scratch directory that is the caller's to throw away.
//!
//! What must stay true: nothing is written outside the directory, whatever the archive says. Names are plain relative
//! paths; symlinks are made last, so that nothing is ever written through one, and only those that stay inside (as PEP 721
//! has it); devices and the like are refused; sizes are bounded while they are read.

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
mod unpacked;

use crate::error::{Error, IoContext, Result};
use crate::tarball::Bounded;
use crate::wheel::archive::Archive;
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use tar::EntryType;
use unpacked::Unpacked;

/// An archive that unpacks to more than this is refused, in bytes.
const TOTAL: u64 = 4 << 30;

/// An archive of more members is refused.
const COUNT: u64 = 500_000;

/// A source distribution that was refused.
#[derive(Debug, thiserror::Error)]
#[error("cannot unpack {archive}{}: {reason}", member.as_ref().map(|member| format!(", member {member:?}")).unwrap_or_default())]
pub struct SourceError {
    /// Its file name.
    pub archive: String,
    /// The member that is at fault, if it is one.
    pub member: Option<String>,
    /// What is wrong.
    pub reason: String,
}

/// How a source distribution is packed, by its file name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// `.tar.gz`, `.tgz`.
    TarGzip,
    /// `.zip`.
    Zip,
}

impl Packing {
    /// The packing of a file name, and the name without its ending; `None` for a name that is no source distribution's.
    pub fn of(filename: &str) -> Option<(Self, &str)> {
        let endings = [(".tar.gz", Self::TarGzip), (".tgz", Self::TarGzip), (".zip", Self::Zip)];
        endings.into_iter().find_map(|(ending, packing)| Some((packing, filename.strip_suffix(ending)?)))
    }
}

/// Unpacks an archive into an empty directory and returns the project's own: the one folder that holds everything, or
/// `into` itself.
///
/// # Errors
/// [`Error::Source`] if the archive is refused; [`Error::Io`].
pub fn unpack(archive: &Path, filename: &str, into: &Path) -> Result<PathBuf> {
    let refuse = |member: Option<&str>, reason: String| {
        Error::Source(SourceError { archive: filename.to_owned(), member: member.map(str::to_owned), reason })
    };
    let file = File::open(archive).at("open", archive)?;
    let mut unpacked = Unpacked::new(into);
    let done = match Packing::of(filename) {
        Some((Packing::TarGzip, _)) => tar(BufReader::with_capacity(1 << 18, file), &mut unpacked),
        Some((Packing::Zip, _)) => zip(file, &mut unpacked),
        None => return Err(refuse(None, "only .tar.gz and .zip are understood".to_owned())),
    };
    done.and_then(|()| unpacked.finish()).map_err(|fault| match fault {
        Fault::Refused { member, reason } => refuse(member.as_deref(), reason),
        Fault::Store(error) => error,
    })?;
    project(into)
}

/// Why an archive was not unpacked.
#[derive(Debug)]
enum Fault {
    Refused { member: Option<String>, reason: String },
    Store(Error),
}

impl From<crate::wheel::Fault> for Fault {
    fn from(fault: crate::wheel::Fault) -> Self {
        match fault {
            crate::wheel::Fault::Member { path, reason } => Self::Refused { member: Some(path), reason },
            other => Self::Refused { member: None, reason: other.to_string() },
        }
    }
}

fn tar(reader: impl Read, unpacked: &mut Unpacked<'_>) -> Result<(), Fault> {
    let broken = |error: io::Error| Fault::Refused { member: None, reason: format!("it is damaged ({error})") };
    let mut archive = tar::Archive::new(Bounded::new(MultiGzDecoder::new(reader), TOTAL));
    let mut count = 0;
    for entry in archive.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let refuse = |reason: &str| Fault::Refused { member: Some(name.clone()), reason: reason.to_owned() };
        count += 1;
        if count > COUNT {
            return Err(refuse("there are too many members"));
        }
        let link = match entry.link_name_bytes().map(|bytes| String::from_utf8(bytes.into_owned())) {
            Some(Err(_)) => return Err(refuse("its link's name is no text")),
            Some(Ok(link)) => link,
            None => String::new(),
        };
        let kind = entry.header().entry_type();
        match kind {
            EntryType::XGlobalHeader => {}
            EntryType::Directory => unpacked.directory(&name)?,
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                let mode = entry.header().mode().unwrap_or(0o644);
                unpacked.file(&name, &mut entry, mode & 0o100 != 0)?;
            }
            EntryType::Symlink => unpacked.symlink(&name, &link)?,
            EntryType::Link => unpacked.hardlink(&name, &link)?,
            _ => return Err(refuse("it is neither a file, nor a directory, nor a link")),
        }
    }
    // To the end, so that the checksum of the compressed stream is checked too.
    io::copy(&mut archive.into_inner(), &mut io::sink()).map(drop).map_err(broken)
}

fn zip(file: File, unpacked: &mut Unpacked<'_>) -> Result<(), Fault> {
    let mut archive = Archive::open(file)?;
    let members = archive.members().to_vec();
    let total: u64 = members.iter().map(|member| member.size).sum();
    if total > TOTAL || members.len() as u64 > COUNT {
        return Err(Fault::Refused { member: None, reason: "it unpacks to too much".to_owned() });
    }
    for member in members {
        if member.is_directory {
            unpacked.directory(&member.path)?;
        } else {
            archive
                .read_member(&member, |mut inflated| unpacked.file(&member.path, &mut inflated, member.executable))?;
        }
    }
    Ok(())
}

/// The one folder at the top, if there is nothing else.
fn project(into: &Path) -> Result<PathBuf> {
    let mut entries = std::fs::read_dir(into).at("list", into)?;
    match (entries.next().transpose().at("list", into)?, entries.next()) {
        (Some(only), None) if only.path().is_dir() => Ok(only.path()),
        _ => Ok(into.to_owned()),
    }
}
