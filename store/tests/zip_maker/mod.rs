//! Makes wheels byte by byte, honest ones and ones that lie: every header field can be set apart from the
//! bytes that it describes.

#![allow(dead_code)]

use omnipkg_store::Sha256;
use std::io::{Cursor, Write};

pub const FILENAME: &str = "demo-1.0-py3-none-any.whl";
pub const DATA_DESCRIPTOR: u16 = 1 << 3;
pub const UTF8: u16 = 1 << 11;
pub const REGULAR: u32 = 0o100_644 << 16;
pub const EXECUTABLE: u32 = 0o100_755 << 16;

/// What a header says; the central directory and the local header each have their own.
#[derive(Clone)]
pub struct Header {
    pub name: Vec<u8>,
    pub flags: u16,
    pub method: u16,
    pub crc: u32,
    pub compressed_size: u32,
    pub size: u32,
    pub extra: Vec<u8>,
}

/// A member: two headers, the bytes between, and what follows them.
#[derive(Clone)]
pub struct Member {
    pub central: Header,
    pub local: Header,
    pub raw: Vec<u8>,
    pub after: Vec<u8>,
    pub attributes: u32,
    /// Set to lie about where the local header is.
    pub offset: Option<u32>,
}

impl Member {
    /// Changes both headers alike.
    pub fn both(mut self, change: impl Fn(&mut Header)) -> Self {
        change(&mut self.central);
        change(&mut self.local);
        self
    }

    pub fn attributes(mut self, attributes: u32) -> Self {
        self.attributes = attributes;
        self
    }

    /// Moves sizes and CRC from the local header to a descriptor after the data.
    pub fn with_descriptor(self, signed: bool, long: bool) -> Self {
        let mut member = self.both(|header| header.flags |= DATA_DESCRIPTOR);
        let Header { crc, compressed_size, size, .. } = member.central;
        (member.local.crc, member.local.compressed_size, member.local.size) = (0, 0, 0);
        if signed {
            member.after.extend(0x0807_4b50u32.to_le_bytes());
        }
        member.after.extend(crc.to_le_bytes());
        for value in [compressed_size, size] {
            member.after.extend(value.to_le_bytes());
            member.after.extend(if long { vec![0; 4] } else { vec![] });
        }
        member
    }

    /// Moves the sizes to zip64 extra fields.
    pub fn with_zip64(self) -> Self {
        self.both(|header| {
            header.extra.extend([1, 0, 16, 0]);
            for size in [&mut header.size, &mut header.compressed_size] {
                header.extra.extend(u64::from(*size).to_le_bytes());
                *size = u32::MAX;
            }
        })
    }
}

fn member(name: &str, data: &[u8], raw: Vec<u8>, method: u16) -> Member {
    let header = Header {
        name: name.as_bytes().to_vec(),
        flags: if name.is_ascii() { 0 } else { UTF8 },
        method,
        crc: crc32(data),
        compressed_size: raw.len() as u32,
        size: data.len() as u32,
        extra: Vec::new(),
    };
    let attributes = if name.ends_with('/') { 0o040_755 << 16 } else { REGULAR };
    Member { central: header.clone(), local: header, raw, after: Vec::new(), attributes, offset: None }
}

pub fn stored(name: &str, data: &[u8]) -> Member {
    member(name, data, data.to_vec(), 0)
}

pub fn deflated(name: &str, data: &[u8]) -> Member {
    member(name, data, deflate(data), 8)
}

/// Raw deflate, cut out of an archive of one member.
fn deflate(data: &[u8]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    writer.start_file("x", options).unwrap();
    writer.write_all(data).unwrap();
    let bytes = writer.finish().unwrap().into_inner();
    let field = |at: usize, size: usize| {
        bytes[at..at + size].iter().rev().fold(0, |value, byte| (value << 8) | usize::from(*byte))
    };
    let start = 30 + field(26, 2) + field(28, 2);
    bytes[start..start + field(18, 4)].to_vec()
}

fn crc32(data: &[u8]) -> u32 {
    !data.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & 0u32.wrapping_sub(crc & 1)))
    })
}

/// An archive about to be written.
#[derive(Clone, Default)]
pub struct Zip {
    pub members: Vec<Member>,
    pub prefix: Vec<u8>,
    pub before_directory: Vec<u8>,
    pub before_end: Vec<u8>,
    pub comment: Vec<u8>,
    pub suffix: Vec<u8>,
    pub zip64: bool,
    /// Set to lie about the number of entries.
    pub entries: Option<u64>,
}

impl Zip {
    pub fn new(members: Vec<Member>) -> Self {
        Self { members, ..Self::default() }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut out = self.prefix.clone();
        let mut directory = Vec::new();
        for member in &self.members {
            let offset = member.offset.unwrap_or(out.len() as u32);
            out.extend(b"PK\x03\x04\x14\0");
            push_header(&mut out, &member.local);
            out.extend(&member.local.name);
            out.extend(&member.local.extra);
            out.extend(&member.raw);
            out.extend(&member.after);
            directory.extend(b"PK\x01\x02\x14\x03\x14\0");
            push_header(&mut directory, &member.central);
            directory.extend([0; 6]);
            directory.extend(member.attributes.to_le_bytes());
            directory.extend(offset.to_le_bytes());
            directory.extend(&member.central.name);
            directory.extend(&member.central.extra);
        }
        out.extend(&self.before_directory);
        let start = out.len() as u64;
        out.extend(&directory);
        out.extend(&self.before_end);
        self.push_end(&mut out, start, directory.len() as u64);
        out.extend(&self.suffix);
        out
    }

    fn push_end(&self, out: &mut Vec<u8>, start: u64, size: u64) {
        let entries = self.entries.unwrap_or(self.members.len() as u64);
        if self.zip64 {
            let position = out.len() as u64;
            out.extend(b"PK\x06\x06");
            out.extend(44u64.to_le_bytes());
            out.extend([45, 3, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
            [entries, entries, size, start].iter().for_each(|value| out.extend(value.to_le_bytes()));
            out.extend(b"PK\x06\x07\0\0\0\0");
            out.extend(position.to_le_bytes());
            out.extend(1u32.to_le_bytes());
        }
        let short = |value: u64| if self.zip64 { u32::MAX } else { value as u32 };
        out.extend(b"PK\x05\x06\0\0\0\0");
        [entries, entries].iter().for_each(|value| out.extend((short(*value) as u16).to_le_bytes()));
        [size, start].iter().for_each(|value| out.extend(short(*value).to_le_bytes()));
        out.extend((self.comment.len() as u16).to_le_bytes());
        out.extend(&self.comment);
    }
}

fn push_header(out: &mut Vec<u8>, header: &Header) {
    out.extend(header.flags.to_le_bytes());
    out.extend(header.method.to_le_bytes());
    out.extend([0, 0, 0x21, 0]);
    [header.crc, header.compressed_size, header.size].iter().for_each(|value| out.extend(value.to_le_bytes()));
    out.extend((header.name.len() as u16).to_le_bytes());
    out.extend((header.extra.len() as u16).to_le_bytes());
}

pub const METADATA: &str = "Metadata-Version: 2.1\nName: Demo\nVersion: 1.0\nRequires-Python: >=3.8\nRequires-Dist: rich>=13\nProvides-Extra: all\n\nText.\n";
pub const WHEEL: &str = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n";

/// Completes members with METADATA, WHEEL and a RECORD that fits.
pub fn wheel(mut members: Vec<Member>) -> Vec<Member> {
    members.push(deflated("demo-1.0.dist-info/METADATA", METADATA.as_bytes()));
    members.push(stored("demo-1.0.dist-info/WHEEL", WHEEL.as_bytes()));
    with_record(members)
}

/// Adds a RECORD that fits the declared content of stored and deflated members.
pub fn with_record(mut members: Vec<Member>) -> Vec<Member> {
    let mut record = String::new();
    for member in members.iter().filter(|member| !member.central.name.ends_with(b"/")) {
        let data = content(member);
        let name = String::from_utf8_lossy(&member.central.name);
        record += &format!("\"{}\",sha256={},{}\n", name.replace('"', "\"\""), base64(&data), data.len());
    }
    record += "demo-1.0.dist-info/RECORD,,\n";
    members.push(deflated("demo-1.0.dist-info/RECORD", record.as_bytes()));
    members
}

fn content(member: &Member) -> Vec<u8> {
    if member.local.method == 0 {
        return member.raw.clone();
    }
    let bytes =
        Zip::new(vec![Member { after: vec![], offset: None, local: member.central.clone(), ..member.clone() }.both(
            |header| {
                header.name = b"x".to_vec();
                header.extra.clear();
                header.flags = 0;
                header.compressed_size = member.raw.len() as u32;
            },
        )])
        .bytes();
    let mut data = Vec::new();
    let Ok(mut archive) = zip::ZipArchive::new(Cursor::new(bytes)) else { return data };
    if let Ok(mut file) = archive.by_index(0) {
        let _ = std::io::Read::read_to_end(&mut file, &mut data);
    }
    data
}

/// The sha256 of some bytes as RECORD writes it.
pub fn base64(data: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits: String = Sha256::of(data).as_bytes().iter().map(|byte| format!("{byte:08b}")).collect();
    let padded = format!("{bits}00");
    let digits =
        padded.as_bytes().chunks(6).map(|six| six.iter().fold(0, |value, bit| value * 2 + usize::from(bit - b'0')));
    digits.map(|digit| char::from(ALPHABET[digit])).collect()
}

/// A small honest wheel.
pub fn honest() -> Zip {
    Zip::new(wheel(vec![
        deflated("demo/__init__.py", b"VERSION = '1.0'\nVERSION = '1.0'\nVERSION = '1.0'\n"),
        stored("demo/data.txt", b"data"),
    ]))
}
