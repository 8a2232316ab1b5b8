//! Finding a wheel's one `.dist-info` directory, and reading METADATA with as few bytes as possible.

use super::archive::{self, Directory, Limits, Member};
use super::error::{Fault, WheelError};
use super::metadata::Metadata;
use crate::error::Result;
use crate::tags::WheelFilename;
use pep508_rs::PackageName;
use std::collections::BTreeSet;
use std::io::{Read, Seek};
use std::str::FromStr;

const SUFFIX: &str = ".dist-info";

/// Bound on METADATA, WHEEL and entry_points.txt in bytes.
pub(super) const MAX_METADATA_SIZE: u64 = 16 << 20;

/// Reads METADATA from a wheel of which only the parts that are read need to be there (HTTP ranges).
///
/// Touches the end record, the central directory and the one member: the archive as a whole is checked
/// when it is ingested. Name and version are checked against the file name.
///
/// # Errors
/// [`WheelError::Refused`] with the [`Fault`]; a failure of the reader is [`Fault::Read`].
pub fn read_metadata<R: Read + Seek>(mut reader: R, filename: &WheelFilename) -> Result<Vec<u8>> {
    let label = format!("{}-{}", filename.name, filename.version);
    let mut read = || -> Result<Vec<u8>, Fault> {
        let directory = Directory::read(&mut reader, Limits::DEFAULT)?;
        let dist_info = find(directory.members(), &filename.name)?;
        let member = member(directory.members(), &dist_info, "METADATA")?;
        let bytes = archive::read_small(&mut reader, member, MAX_METADATA_SIZE)?;
        Metadata::parse(&bytes).check_identity(filename)?;
        Ok(bytes)
    };
    Ok(read().map_err(|fault| WheelError::refused(&label, fault))?)
}

/// The names of a wheel's members, with as little reading as its directory takes.
///
/// # Errors
/// [`WheelError::Refused`] with the [`Fault`]; a failure of the reader is [`Fault::Read`].
pub fn read_names<R: Read + Seek>(mut reader: R, filename: &WheelFilename) -> Result<Vec<String>> {
    let label = format!("{}-{}", filename.name, filename.version);
    let directory =
        Directory::read(&mut reader, Limits::DEFAULT).map_err(|fault| WheelError::refused(&label, fault))?;
    Ok(directory.members().iter().map(|member| member.path.clone()).collect())
}

/// Name of the one `.dist-info` directory at the archive's top.
///
/// Only its project name is compared, as pip does: versions are spelt in many ways there, and METADATA's
/// version is compared with the file name's in any case.
pub(super) fn find(members: &[Member], name: &PackageName) -> Result<String, Fault> {
    let found: BTreeSet<&str> = members
        .iter()
        .filter_map(|member| member.path.split_once('/').map(|(top, _)| top))
        .filter(|top| top.ends_with(SUFFIX))
        .collect();
    let fault = |reason: String| Fault::metadata(".dist-info", reason);
    let mut found = found.into_iter();
    let (Some(directory), other) = (found.next(), found.next()) else {
        return Err(fault("the archive has no .dist-info directory".to_owned()));
    };
    if let Some(other) = other {
        return Err(fault(format!("the archive has two: {directory} and {other}")));
    }
    let stem = directory.strip_suffix(SUFFIX).unwrap_or(directory);
    if names_project(stem, name) {
        return Ok(directory.to_owned());
    }
    Err(fault(format!("{directory} is not of the project {name}")))
}

/// True if `stem` is the project's name, alone or before a `-` and a version.
fn names_project(stem: &str, name: &PackageName) -> bool {
    let is_name = |text: &str| PackageName::from_str(text).is_ok_and(|found| found == *name);
    is_name(stem) || stem.match_indices('-').any(|(dash, _)| is_name(&stem[..dash]))
}

/// One required file of the `.dist-info` directory.
pub(super) fn member<'members>(
    members: &'members [Member],
    dist_info: &str,
    file: &'static str,
) -> Result<&'members Member, Fault> {
    optional_member(members, dist_info, file).ok_or_else(|| Fault::metadata(file, "the archive does not have it"))
}

/// One file of the `.dist-info` directory, if it is there.
pub(super) fn optional_member<'members>(
    members: &'members [Member],
    dist_info: &str,
    file: &str,
) -> Option<&'members Member> {
    members.iter().find(|member| {
        !member.is_directory
            && member.path.strip_prefix(dist_info).and_then(|rest| rest.strip_prefix('/')) == Some(file)
    })
}
