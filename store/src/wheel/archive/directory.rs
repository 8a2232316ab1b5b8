//! The end record and the central directory (APPNOTE 4.3.12–4.3.16), zip64 included.

use super::cursor::{Fields, zip64_extra};
use super::{Limits, name};
use crate::wheel::error::Fault;
use std::io::{Read, Seek, SeekFrom};

const END: u32 = 0x0605_4b50;
const END_SIZE: u64 = 22;
const ZIP64_LOCATOR: u32 = 0x0706_4b50;
const ZIP64_LOCATOR_SIZE: u64 = 20;
const ZIP64_END: u32 = 0x0606_4b50;
const ZIP64_END_SIZE: u64 = 56;
const CENTRAL: u32 = 0x0201_4b50;
const CENTRAL_SIZE: u64 = 46;

/// The directory is read into memory: more than any wheel that is in use needs (the largest has about 5 MB).
const MAX_DIRECTORY_SIZE: u64 = 256 << 20;

/// Deflate expands at most 1032:1; a little more for tiny members.
const MAX_RATIO: u64 = 1040;
const RATIO_TOLERANCE: u64 = 4096;

/// Flags that may be set: deflate effort (1, 2), data descriptor (3), UTF-8 names (11).
const KNOWN_FLAGS: u16 = 0x080e;
pub(super) const DATA_DESCRIPTOR: u16 = 1 << 3;
const UTF8: u16 = 1 << 11;

const FILE_TYPE: u32 = 0o170_000;
const REGULAR: u32 = 0o100_000;
const DIRECTORY: u32 = 0o040_000;

/// One entry of the central directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The name: relative, `/`-separated, safe to unpack; without the final `/` of a directory.
    pub path: String,
    /// True for a directory entry, which holds no bytes.
    pub is_directory: bool,
    /// True if it is a regular file with an executable bit, by pip's rule.
    pub executable: bool,
    /// Inflated size in bytes.
    pub size: u64,
    pub(super) compressed_size: u64,
    pub(super) crc: u32,
    pub(super) method: u16,
    pub(super) flags: u16,
    pub(super) header_offset: u64,
}

/// The central directory of an archive.
#[derive(Debug)]
pub struct Directory {
    members: Vec<Member>,
    pub(super) start: u64,
}

/// Where the central directory is and how many entries it has.
struct End {
    entries: u64,
    start: u64,
    size: u64,
}

impl Directory {
    /// Reads the end record and the central directory and nothing else. Local headers are not looked at.
    ///
    /// # Errors
    /// A [`Fault`] that says what is malformed; [`Fault::Read`] if the reader fails.
    pub fn read<R: Read + Seek>(reader: &mut R, limits: Limits) -> Result<Self, Fault> {
        let end = find_end(reader)?;
        if end.entries > limits.members {
            return Err(Fault::archive(format!("it has {} members, more than {}", end.entries, limits.members)));
        }
        if end.size > MAX_DIRECTORY_SIZE || end.size / CENTRAL_SIZE < end.entries {
            return Err(Fault::archive("the size of the central directory does not fit its entries"));
        }
        let bytes = read_at(reader, end.start, end.size)?;
        let mut rest = Fields(&bytes);
        let mut members = Vec::with_capacity(end.entries as usize);
        let mut total = 0u64;
        for _ in 0..end.entries {
            let member = parse_member(&mut rest, limits)?;
            total = total.saturating_add(member.size);
            members.push(member);
        }
        if !rest.0.is_empty() {
            return Err(Fault::archive("the central directory is longer than its entries"));
        }
        if total > limits.total_size {
            return Err(Fault::archive(format!("it unpacks to more than {} bytes", limits.total_size)));
        }
        // All that is packed lies before the central directory.
        if total > limits.ratio_from && total / limits.ratio > end.start {
            return Err(Fault::archive(format!(
                "it unpacks to {total} bytes, more than {} times its size",
                limits.ratio
            )));
        }
        Ok(Self { members, start: end.start })
    }

    /// The members, in the order of the central directory.
    pub fn members(&self) -> &[Member] {
        &self.members
    }
}

pub(super) fn read_at<R: Read + Seek>(reader: &mut R, offset: u64, size: u64) -> Result<Vec<u8>, Fault> {
    reader.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    reader.take(size).read_to_end(&mut bytes)?;
    if bytes.len() as u64 != size {
        return Err(Fault::archive("it ends too early"));
    }
    Ok(bytes)
}

/// Finds the end record: at the very end, or before a comment that reaches exactly to the end.
fn find_end<R: Read + Seek>(reader: &mut R) -> Result<End, Fault> {
    let length = reader.seek(SeekFrom::End(0))?;
    if length < END_SIZE {
        return Err(Fault::archive("it is too short to be a zip archive"));
    }
    let mut record = read_at(reader, length - END_SIZE, END_SIZE)?;
    let mut position = length - END_SIZE;
    if !(record.starts_with(&END.to_le_bytes()) && record.ends_with(&[0, 0])) {
        let window = length.min(END_SIZE + u64::from(u16::MAX));
        let tail = read_at(reader, length - window, window)?;
        let found = tail.windows(4).rposition(|bytes| bytes == END.to_le_bytes());
        let found = found.ok_or_else(|| Fault::archive("it has no end record: cut off, or no zip archive"))?;
        position = length - window + found as u64;
        record = tail[found..].to_vec();
    }
    parse_end(reader, &record, position)
}

fn parse_end<R: Read + Seek>(reader: &mut R, record: &[u8], position: u64) -> Result<End, Fault> {
    let short = || Fault::archive("the end record is cut off");
    let mut fields = Fields(record.get(4..).ok_or_else(short)?);
    let mut half = || fields.u16().ok_or_else(short);
    let (disk, directory_disk, disk_entries, entries) = (half()?, half()?, half()?, half()?);
    let size = fields.u32().ok_or_else(short)?;
    let start = fields.u32().ok_or_else(short)?;
    let comment = fields.u16().ok_or_else(short)?;
    if usize::from(comment) != fields.0.len() {
        return Err(Fault::archive("there are bytes after its end"));
    }
    let zip64 = zip64_end(reader, position)?;
    let (end, directory_end) = match zip64 {
        Some((end, zip64_position)) => {
            let agrees = saturated_or(entries.into(), u16::MAX.into(), end.entries)
                && saturated_or(disk_entries.into(), u16::MAX.into(), end.entries)
                && saturated_or(size.into(), u32::MAX.into(), end.size)
                && saturated_or(start.into(), u32::MAX.into(), end.start);
            if !agrees || !matches!((disk, directory_disk), (0 | u16::MAX, 0 | u16::MAX)) {
                return Err(Fault::archive("its two end records do not agree"));
            }
            (end, zip64_position)
        }
        None if (disk, directory_disk, disk_entries) != (0, 0, entries) => {
            return Err(Fault::archive("it is one part of several"));
        }
        None => (End { entries: entries.into(), start: start.into(), size: size.into() }, position),
    };
    if end.start.checked_add(end.size) != Some(directory_end) {
        return Err(Fault::archive("the central directory does not end where the end record begins"));
    }
    Ok(end)
}

/// A field of the short record either says "look in the zip64 record" or the same as that record.
fn saturated_or(short: u64, saturated: u64, long: u64) -> bool {
    short == saturated || short == long
}

/// The zip64 end record and its position, if a locator stands right before the end record.
fn zip64_end<R: Read + Seek>(reader: &mut R, end: u64) -> Result<Option<(End, u64)>, Fault> {
    let Some(locator_position) = end.checked_sub(ZIP64_LOCATOR_SIZE) else { return Ok(None) };
    let locator = read_at(reader, locator_position, ZIP64_LOCATOR_SIZE)?;
    let mut fields = Fields(&locator);
    if fields.u32() != Some(ZIP64_LOCATOR) {
        return Ok(None);
    }
    let malformed = || Fault::archive("the zip64 end record is malformed");
    let (disk, position, disks) = (fields.u32(), fields.u64().ok_or_else(malformed)?, fields.u32());
    if disk != Some(0)
        || !matches!(disks, Some(0 | 1))
        || position.checked_add(ZIP64_END_SIZE) != Some(locator_position)
    {
        return Err(malformed());
    }
    let record = read_at(reader, position, ZIP64_END_SIZE)?;
    let mut fields = Fields(&record);
    let (signature, size) = (fields.u32(), fields.u64());
    let _versions = fields.u32();
    let disks = (fields.u32(), fields.u32());
    let disk_entries = fields.u64();
    let mut long = || fields.u64().ok_or_else(malformed);
    let end = End { entries: long()?, size: long()?, start: long()? };
    let whole = signature == Some(ZIP64_END) && size == Some(ZIP64_END_SIZE - 12) && disks == (Some(0), Some(0));
    if !whole || disk_entries != Some(end.entries) {
        return Err(malformed());
    }
    Ok(Some((end, position)))
}

/// The fixed part of a central directory entry, as it stands there.
struct Raw<'bytes> {
    flags: u16,
    method: u16,
    crc: u32,
    compressed_size: u64,
    size: u64,
    disk: u16,
    attributes: u32,
    header_offset: u64,
    name: &'bytes [u8],
    extra: &'bytes [u8],
}

fn parse_raw<'bytes>(rest: &mut Fields<'bytes>) -> Option<Raw<'bytes>> {
    if rest.u32()? != CENTRAL {
        return None;
    }
    let _versions = rest.u32()?;
    let (flags, method) = (rest.u16()?, rest.u16()?);
    let _time = rest.u32()?;
    let (crc, compressed_size, size) = (rest.u32()?, rest.u32()?, rest.u32()?);
    let (name, extra, comment) = (rest.u16()?, rest.u16()?, rest.u16()?);
    let disk = rest.u16()?;
    let _internal_attributes = rest.u16()?;
    let (attributes, header_offset) = (rest.u32()?, rest.u32()?);
    let (name, extra) = (rest.bytes(name.into())?, rest.bytes(extra.into())?);
    rest.bytes(comment.into())?;
    Some(Raw {
        flags,
        method,
        crc,
        compressed_size: compressed_size.into(),
        size: size.into(),
        disk,
        attributes,
        header_offset: header_offset.into(),
        name,
        extra,
    })
}

fn parse_member(rest: &mut Fields<'_>, limits: Limits) -> Result<Member, Fault> {
    let mut raw = parse_raw(rest).ok_or_else(|| Fault::archive("a central directory entry is malformed"))?;
    let (path, is_directory) = name::check(raw.name, raw.flags & UTF8 != 0)?;
    let fault = |reason: &str| Fault::member(&path, reason);
    let zip64 = zip64_extra(raw.extra).map_err(fault)?;
    widen(&mut raw, zip64).ok_or_else(|| fault("its zip64 extra field is malformed"))?;
    if raw.flags & !KNOWN_FLAGS != 0 {
        return Err(fault("it is encrypted or uses an unknown feature"));
    }
    if raw.disk != 0 {
        return Err(fault("it is on another disk"));
    }
    let mode = raw.attributes >> 16;
    match mode & FILE_TYPE {
        0 => {}
        REGULAR if !is_directory => {}
        DIRECTORY if is_directory => {}
        _ => return Err(fault("it is neither a regular file nor a directory")),
    }
    if is_directory && raw.size != 0 {
        return Err(fault("a directory cannot hold bytes"));
    }
    check_sizes(&raw, limits).map_err(fault)?;
    Ok(Member {
        is_directory,
        executable: mode & FILE_TYPE == REGULAR && mode & 0o111 != 0,
        size: raw.size,
        compressed_size: raw.compressed_size,
        crc: raw.crc,
        method: raw.method,
        flags: raw.flags,
        header_offset: raw.header_offset,
        path,
    })
}

/// Takes the saturated fields from the zip64 extra field, which must hold these and nothing else.
fn widen(raw: &mut Raw<'_>, zip64: Option<Fields<'_>>) -> Option<()> {
    let mut fields = zip64.unwrap_or(Fields(&[]));
    for value in [&mut raw.size, &mut raw.compressed_size, &mut raw.header_offset] {
        if *value == u64::from(u32::MAX) {
            *value = fields.u64()?;
        }
    }
    fields.0.is_empty().then_some(())
}

fn check_sizes(raw: &Raw<'_>, limits: Limits) -> Result<(), &'static str> {
    if raw.size > limits.member_size {
        return Err("it is too large");
    }
    match raw.method {
        0 if raw.size != raw.compressed_size => Err("it is stored, but its two sizes differ"),
        8 if raw.size > raw.compressed_size.saturating_mul(MAX_RATIO).saturating_add(RATIO_TOLERANCE) => {
            Err("it declares an impossible compression ratio")
        }
        0 | 8 => Ok(()),
        _ => Err("it is neither stored nor deflated"),
    }
}
