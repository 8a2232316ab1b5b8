//! Local headers (APPNOTE 4.3.7) and data descriptors (4.3.9): they must repeat the central directory.

use super::cursor::{Fields, zip64_extra};
use super::directory::{DATA_DESCRIPTOR, read_at};
use super::{Directory, Member};
use crate::wheel::error::Fault;
use std::io::{Read, Seek};

const LOCAL: u32 = 0x0403_4b50;
const LOCAL_SIZE: u64 = 30;
const DESCRIPTOR: u32 = 0x0807_4b50;

/// Checks every local header, and that members follow each other without gap or overlap from the first
/// byte to the central directory.
pub(super) fn check<R: Read + Seek>(reader: &mut R, directory: &Directory) -> Result<(), Fault> {
    let mut order: Vec<&Member> = directory.members().iter().collect();
    order.sort_unstable_by_key(|member| member.header_offset);
    let mut expected = 0;
    for (index, member) in order.iter().enumerate() {
        if member.header_offset != expected {
            return Err(Fault::member(&member.path, "it does not begin where the one before it ends"));
        }
        let next = order.get(index + 1).map_or(directory.start, |next| next.header_offset);
        let data_end = data_start(reader, member)?.checked_add(member.compressed_size);
        let gap = data_end.and_then(|end| next.checked_sub(end));
        let gap = gap.ok_or_else(|| Fault::member(&member.path, "it overlaps with what follows it"))?;
        check_descriptor(reader, member, next - gap, gap)?;
        expected = next;
    }
    if expected != directory.start {
        return Err(Fault::archive("there are bytes before the central directory that belong to no member"));
    }
    Ok(())
}

/// Checks one local header and returns where the member's data begins.
pub(super) fn data_start<R: Read + Seek>(reader: &mut R, member: &Member) -> Result<u64, Fault> {
    let header = read_at(reader, member.header_offset, LOCAL_SIZE)?;
    let fault = |reason: &str| Fault::member(&member.path, reason);
    let fixed = parse(&header).ok_or_else(|| fault("its local header is malformed"))?;
    let name_size = u64::from(fixed.name_size);
    let size = name_size + u64::from(fixed.extra_size);
    let tail = read_at(reader, member.header_offset + LOCAL_SIZE, size)?;
    let (name, extra) = tail.split_at(name_size as usize);
    let name = if member.is_directory { name.strip_suffix(b"/").unwrap_or_default() } else { name };
    if name != member.path.as_bytes() {
        return Err(fault("its local header has another name"));
    }
    if fixed.method != member.method || fixed.flags != member.flags {
        return Err(fault("its local header has another method or other flags"));
    }
    let zip64 = zip64_extra(extra).map_err(fault)?;
    let agrees = sizes_agree(&fixed, zip64, member).ok_or_else(|| fault("its zip64 extra field is malformed"))?;
    if !agrees {
        return Err(fault("its local header has another size or CRC"));
    }
    Ok(member.header_offset + LOCAL_SIZE + size)
}

struct Fixed {
    flags: u16,
    method: u16,
    crc: u32,
    compressed_size: u32,
    size: u32,
    name_size: u16,
    extra_size: u16,
}

fn parse(header: &[u8]) -> Option<Fixed> {
    let mut fields = Fields(header);
    if fields.u32()? != LOCAL {
        return None;
    }
    let _version = fields.u16()?;
    let (flags, method) = (fields.u16()?, fields.u16()?);
    let _time = fields.u32()?;
    Some(Fixed {
        flags,
        method,
        crc: fields.u32()?,
        compressed_size: fields.u32()?,
        size: fields.u32()?,
        name_size: fields.u16()?,
        extra_size: fields.u16()?,
    })
}

/// With a data descriptor the header may say 0, else it must say what the directory says.
fn sizes_agree(fixed: &Fixed, zip64: Option<Fields<'_>>, member: &Member) -> Option<bool> {
    let (mut size, mut compressed_size) = (u64::from(fixed.size), u64::from(fixed.compressed_size));
    if let Some(mut long) = zip64 {
        // Unlike in the directory both sizes must be there, whether or not the short ones are saturated.
        let (long_size, long_compressed) = (long.u64()?, long.u64()?);
        if !long.0.is_empty() {
            return None;
        }
        for (short, long) in [(&mut size, long_size), (&mut compressed_size, long_compressed)] {
            if *short != u64::from(u32::MAX) && *short != long {
                return Some(false);
            }
            *short = long;
        }
    }
    let later = fixed.flags & DATA_DESCRIPTOR != 0;
    let agrees = |local: u64, central: u64| local == central || (later && local == 0);
    Some(
        agrees(fixed.crc.into(), member.crc.into())
            && agrees(size, member.size)
            && agrees(compressed_size, member.compressed_size),
    )
}

/// What stands between a member's data and the next header: nothing, or a descriptor that agrees.
///
/// Its length tells the four forms apart: with or without signature, sizes of 4 or 8 bytes.
fn check_descriptor<R: Read + Seek>(reader: &mut R, member: &Member, offset: u64, size: u64) -> Result<(), Fault> {
    let fault = |reason: &str| Fault::member(&member.path, reason);
    if member.flags & DATA_DESCRIPTOR == 0 {
        return if size == 0 { Ok(()) } else { Err(fault("there are bytes after it that belong to no member")) };
    }
    if !matches!(size, 12 | 16 | 20 | 24) {
        return Err(fault("its data descriptor is missing or has the wrong length"));
    }
    let bytes = read_at(reader, offset, size)?;
    let mut fields = Fields(&bytes);
    let signed = matches!(size, 16 | 24);
    let signature = if signed { fields.u32() } else { Some(DESCRIPTOR) };
    let crc = fields.u32();
    let mut length = || if size >= 20 { fields.u64() } else { fields.u32().map(u64::from) };
    let (compressed_size, uncompressed_size) = (length(), length());
    let agrees = signature == Some(DESCRIPTOR)
        && crc == Some(member.crc)
        && compressed_size == Some(member.compressed_size)
        && uncompressed_size == Some(member.size);
    if agrees { Ok(()) } else { Err(fault("its data descriptor does not agree with the central directory")) }
}
