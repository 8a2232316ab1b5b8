//! Reading the members of an interpreter's archive: names, links and sizes are believed only as far as they are checked.
//!
//! Every member lies in the folder `python/`, has a plain relative name that no other has, and is a directory, a regular
//! file, a symlink that stays in the tree whatever links it leads through, or a hardlink to a file before it.

use super::drain;
use super::error::ArchiveError;
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::objects::Batch;
use crate::tarball::{Bounded, stays_inside};
use std::collections::BTreeMap;
use std::io::{self, Read};
use tar::EntryType;

/// The folder that holds everything.
const ROOT: &str = "python";

/// An archive that unpacks to more than this is refused, in bytes.
const TOTAL: u64 = 2 << 30;

/// An archive of more members is refused.
const COUNT: usize = 200_000;

/// One member of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Member {
    /// A directory.
    Directory,
    /// A file, whose bytes are in the batch.
    File {
        /// The object.
        digest: Digest,
        /// In bytes.
        size: u64,
        /// Whether it may be executed.
        executable: bool,
    },
    /// A symlink, and where it leads as written.
    Symlink(String),
    /// Bytecode in a `__pycache__`: left out.
    Bytecode,
}

/// Members by their path below the tree's root.
pub type Members = BTreeMap<String, Member>;

/// Reads a tar stream to its end; files go into the batch.
pub fn read(reader: impl Read, filename: &str, batch: &mut Batch<'_>) -> Result<Members> {
    let refuse = |member: Option<&str>, reason: String| {
        Error::Archive(ArchiveError { archive: filename.to_owned(), member: member.map(str::to_owned), reason })
    };
    let broken = |error: io::Error| refuse(None, format!("it is damaged ({error})"));
    let mut archive = tar::Archive::new(Bounded::new(reader, TOTAL));
    let mut members = Members::new();
    let mut count = 0;
    for entry in archive.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        if entry.header().entry_type() == EntryType::XGlobalHeader {
            continue;
        }
        let raw = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let refuse = |reason: &str| refuse(Some(&raw), reason.to_owned());
        count += 1;
        if count > COUNT {
            return Err(refuse("there are too many members"));
        }
        let is_text = std::str::from_utf8(&entry.path_bytes()).is_ok();
        let path =
            is_text.then(|| below_root(&raw)).flatten().ok_or_else(|| refuse("its name leads out of python/"))?;
        let member = member(&mut entry, &path, &members, batch).map_err(|error| match error {
            Fault::Refused(reason) => refuse(&reason),
            Fault::Store(error) => error,
        })?;
        match path {
            // The root itself is there anyway.
            _ if path.is_empty() && member == Member::Directory => {}
            _ if path.is_empty() => return Err(refuse("it is in the place of the folder python/")),
            path => {
                if members.insert(path, member).is_some() {
                    return Err(refuse("its name is there twice"));
                }
            }
        }
    }
    drain(&mut archive.into_inner()).map_err(broken)?;
    let link = |path: &str| match members.get(path) {
        Some(Member::Symlink(target)) => Some(target.as_str()),
        _ => None,
    };
    for (path, member) in &members {
        if let Member::Symlink(target) = member
            && !stays_inside(path, link)
        {
            return Err(refuse(Some(path), format!("it is a link that leads out of the tree, to {target:?}")));
        }
    }
    Ok(members)
}

/// Why a member was not taken.
enum Fault {
    Refused(String),
    Store(Error),
}

fn member<R: Read>(
    entry: &mut tar::Entry<'_, R>,
    path: &str,
    members: &Members,
    batch: &mut Batch<'_>,
) -> Result<Member, Fault> {
    let refused = |reason: &str| Fault::Refused(reason.to_owned());
    let link = |entry: &tar::Entry<'_, R>| {
        let target = entry.link_name_bytes().map(|bytes| String::from_utf8(bytes.into_owned()));
        target
            .and_then(Result::ok)
            .filter(|target| !target.is_empty())
            .ok_or_else(|| refused("it is a link to no name"))
    };
    match entry.header().entry_type() {
        EntryType::Directory => Ok(Member::Directory),
        EntryType::Regular if is_bytecode(path) => Ok(Member::Bytecode),
        EntryType::Regular => {
            let mode = entry.header().mode().map_err(|_| refused("its mode is no number"))?;
            let announced = entry.size();
            let added = batch.add(entry).map_err(broken_or_store)?;
            if added.size != announced {
                return Err(refused("it ends early"));
            }
            Ok(Member::File { digest: added.digest, size: added.size, executable: mode & 0o111 != 0 })
        }
        EntryType::Symlink => Ok(Member::Symlink(link(entry)?)),
        EntryType::Link => {
            let target = link(entry)?;
            let earlier = below_root(&target).and_then(|target| members.get(&target));
            match earlier {
                Some(file @ Member::File { .. }) => Ok(file.clone()),
                Some(Member::Bytecode) if is_bytecode(path) => Ok(Member::Bytecode),
                _ => Err(Fault::Refused(format!("it is a hardlink to {target:?}, which is no file before it"))),
            }
        }
        _ => Err(refused("it is neither a file, nor a directory, nor a link")),
    }
}

/// The batch names its own file where reading the archive failed; the cause is what counts.
fn broken_or_store(error: Error) -> Fault {
    match error {
        Error::Io { operation: "read the data for", source, .. } => Fault::Refused(format!("it is damaged ({source})")),
        other => Fault::Store(other),
    }
}

fn is_bytecode(path: &str) -> bool {
    path.ends_with(".pyc") && path.rsplit('/').nth(1) == Some("__pycache__")
}

/// The path below `python/`, empty for that folder itself; `None` if it is not a plain relative path there.
fn below_root(path: &str) -> Option<String> {
    let path = path.strip_prefix("./").unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    let mut names = path.split('/');
    let plain = |name: &str| !matches!(name, "" | "." | "..") && !name.contains('\0');
    if names.next() != Some(ROOT) || !names.clone().all(plain) {
        return None;
    }
    Some(names.collect::<Vec<_>>().join("/"))
}
