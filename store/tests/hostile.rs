//! Archives that lie: each is refused for the reason that is meant, whatever it is read from, and leaves
//! nothing in the store.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod zip_maker;

use omnipkg_store::wheel::archive::Archive;
use omnipkg_store::wheel::{Fault, Ingested, WheelError, ingest};
use omnipkg_store::{Error, Store};
use std::fs;
use std::io::{Cursor, Read, Seek, SeekFrom};
use std::path::PathBuf;
use zip_maker::*;

/// Ingests into a store of its own; a refusal must leave that store as it was.
fn verdict(bytes: &[u8]) -> Result<Ingested, Fault> {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path().join("store")).unwrap();
    let path = dir.path().join("archive");
    fs::write(&path, bytes).unwrap();
    match ingest(&store, &path, FILENAME, None) {
        Ok(ingested) => Ok(ingested),
        Err(Error::Wheel(WheelError::Refused { filename, fault })) => {
            assert_eq!(filename, FILENAME);
            assert_empty(&[store.layout().tmp(), store.layout().wheels(), store.layout().objects()]);
            Err(fault)
        }
        Err(other) => panic!("not the wheel's fault: {other}"),
    }
}

fn assert_empty(directories: &[PathBuf]) {
    for directory in directories {
        assert_eq!(fs::read_dir(directory).unwrap().count(), 0, "{}", directory.display());
    }
}

/// Gives a byte at a time, as a slow stream may.
struct Trickle<'bytes>(Cursor<&'bytes [u8]>);

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = buffer.len().min(1);
        self.0.read(&mut buffer[..count])
    }
}

impl Seek for Trickle<'_> {
    fn seek(&mut self, position: SeekFrom) -> std::io::Result<u64> {
        self.0.seek(position)
    }
}

/// Names and bytes of all members, or why not.
fn read_all<R: Read + Seek>(reader: R) -> Result<Vec<(String, Vec<u8>)>, Fault> {
    let mut archive = Archive::open(reader)?;
    let members = archive.members().to_vec();
    members.iter().map(|member| Ok((member.path.clone(), archive.read_small(member, 1 << 30)?))).collect()
}

#[track_caller]
fn refused(zip: &Zip, reason: &str) {
    refused_bytes(&zip.bytes(), reason);
}

#[track_caller]
fn refused_bytes(bytes: &[u8], reason: &str) {
    let fault = verdict(bytes).expect_err(reason).to_string();
    assert!(fault.contains(reason), "{fault:?} does not say {reason:?}");
    let memory = read_all(Cursor::new(bytes)).map_err(|fault| fault.to_string());
    let trickle = read_all(Trickle(Cursor::new(bytes))).map_err(|fault| fault.to_string());
    assert_eq!(memory, trickle);
}

#[track_caller]
fn accepted(zip: &Zip) -> Ingested {
    verdict(&zip.bytes()).unwrap()
}

/// The honest wheel with one more member.
fn plus(member: Member) -> Zip {
    Zip::new(wheel(vec![deflated("demo/__init__.py", b""), member]))
}

#[test]
fn honest_variants_are_accepted() {
    let files = accepted(&honest()).manifest.files;
    for (signed, long) in [(false, false), (true, false), (false, true), (true, true)] {
        let mut zip = honest();
        zip.members = zip.members.into_iter().map(|member| member.with_descriptor(signed, long)).collect();
        assert_eq!(accepted(&zip).manifest.files, files);
    }
    let mut zip = honest();
    zip.members = zip.members.into_iter().map(Member::with_zip64).collect();
    zip.zip64 = true;
    assert_eq!(accepted(&zip).manifest.files, files);
    let mut zip = honest();
    zip.comment = b"made by hand".to_vec();
    assert_eq!(accepted(&zip).manifest.files, files);
    let mut zip = honest();
    zip.members.insert(0, stored("demo/", b""));
    assert_eq!(accepted(&zip).manifest.files, files);
    accepted(&plus(stored("demo/ünï çode.txt", b"x")));
}

#[test]
fn names_that_are_unsafe_are_refused() {
    for (name, reason) in [
        ("../x", "`..` component"),
        ("demo/../../x", "`..` component"),
        ("demo/..", "`..` component"),
        ("./x", "`.` or"),
        ("/etc/passwd", "absolute"),
        ("demo//x", "empty component"),
        ("demo\\x", "backslash"),
        ("C:/x", "drive path"),
        ("demo/a\0b", "control character"),
        ("demo/a\nb", "control character"),
        ("", "its name is empty"),
        ("/", "its name is empty"),
    ] {
        refused(&plus(stored(name, b"")), reason);
    }
    refused(&plus(stored(&"x".repeat(256), b"")), "too long");
    refused(&plus(stored(&"x/".repeat(769), b"")), "too long");
    accepted(&plus(stored(&format!("demo-1.0.data/headers/{}x", "x/".repeat(756)), b"")));
    refused(&plus(stored("demo/x", b"").both(|header| header.name = b"demo/\xff".to_vec())), "not UTF-8");
    refused(&plus(stored("demo/é", b"").both(|header| header.flags = 0)), "unknown encoding");
    let second_name = [0x75, 0x70, 6, 0, 1, 0, 0, 0, 0, b'x'];
    refused(&plus(stored("demo/x", b"").both(|header| header.extra.extend(second_name))), "second name");
}

#[test]
fn names_that_meet_are_refused() {
    let pair = |one: Member, other: Member| Zip::new(wheel(vec![deflated("demo/__init__.py", b""), one, other]));
    refused(&pair(stored("demo/x", b"1"), stored("demo/x", b"2")), "twice");
    refused(&pair(stored("demo/x", b"1"), stored("demo/x/", b"")), "twice");
    refused(&pair(stored("demo/x", b"1"), stored("demo/x/y", b"2")), "also a file");
    refused(&pair(stored("demo/x/y", b"1"), stored("demo/x", b"2")), "also a file");
    refused(
        &pair(stored("demo/x", b"1"), stored("demo-1.0.data/purelib/demo/x/y", b"2")),
        "file and a directory at once",
    );
}

#[test]
fn what_is_no_plain_file_is_refused() {
    for kind in [0o120_777u32, 0o020_644, 0o060_644, 0o010_644, 0o140_644, 0o040_755] {
        refused(&plus(stored("demo/x", b"target").attributes(kind << 16)), "neither a regular file nor a directory");
    }
    refused(&plus(stored("demo/x/", b"bytes")), "a directory cannot hold bytes");
    refused(&plus(stored("demo/x", b"").both(|header| header.flags |= 1)), "encrypted");
    for method in [12, 14, 93, 99] {
        refused(&plus(stored("demo/x", b"").both(|header| header.method = method)), "neither stored nor deflated");
    }
}

#[test]
fn headers_that_disagree_are_refused() {
    let lie = |change: fn(&mut Header)| {
        let mut member = deflated("demo/x", b"some text, some text");
        change(&mut member.local);
        plus(member)
    };
    refused(&lie(|local| local.name = b"demo/y".to_vec()), "another name");
    refused(&lie(|local| local.name = b"demo/x/".to_vec()), "another name");
    refused(&lie(|local| local.method = 0), "another method");
    refused(&lie(|local| local.flags = UTF8), "other flags");
    refused(&lie(|local| local.crc ^= 1), "another size or CRC");
    refused(&lie(|local| local.size += 1), "another size or CRC");
    refused(&lie(|local| local.compressed_size -= 1), "another size or CRC");
    refused(&lie(|local| local.crc = 0), "another size or CRC");
    refused(&lie(|local| local.extra = vec![1, 0, 9, 0]), "extra field is cut off");
    let mut zip64 = deflated("demo/x", b"text").with_zip64();
    zip64.local.extra[4] += 1;
    refused(&plus(zip64.clone()), "another size or CRC");
    zip64.central.extra.extend_from_within(..);
    refused(&plus(zip64), "two zip64 extra fields");
    let surplus = deflated("demo/x", b"text").both(|header| header.extra = [&[1, 0, 8, 0][..], &[0; 8]].concat());
    refused(&plus(surplus), "zip64 extra field is malformed");
}

#[test]
fn descriptors_that_disagree_are_refused() {
    for index in 0..16 {
        let mut member = deflated("demo/x", b"text").with_descriptor(true, false);
        member.after[index] ^= 1;
        refused(&plus(member), "descriptor does not agree");
    }
    let mut missing = deflated("demo/x", b"text").with_descriptor(true, false);
    missing.after.clear();
    refused(&plus(missing), "descriptor is missing");
    let mut wrong = deflated("demo/x", b"text").with_descriptor(true, false);
    wrong.local.size = 9;
    refused(&plus(wrong), "another size or CRC");
}

#[test]
fn bytes_that_belong_to_nothing_are_refused() {
    let change = |change: fn(&mut Zip)| {
        let mut zip = honest();
        change(&mut zip);
        zip
    };
    refused(&change(|zip| zip.prefix = b"#!/bin/sh\n".to_vec()), "does not begin where");
    refused(&change(|zip| zip.suffix = b"x".to_vec()), "after its end");
    refused(&change(|zip| zip.suffix = vec![0; 70_000]), "no end record");
    refused(&change(|zip| zip.before_end = b"x".to_vec()), "does not end where");
    refused(&change(|zip| zip.before_directory = b"x".to_vec()), "belong to no member");
    refused(&change(|zip| zip.members[0].after = b"hidden".to_vec()), "belong to no member");
    refused(&change(|zip| zip.comment = honest().bytes()), "does not end where");
    // A second archive before the first: its members are bytes before the first member of the other.
    refused(&change(|zip| zip.prefix = honest().bytes()), "does not begin where");
}

#[test]
fn members_that_overlap_are_refused() {
    let mut zip = honest();
    zip.members[1].offset = Some(0);
    refused(&zip, "overlaps");
    let mut zip = honest();
    zip.members[1].offset = Some(20);
    refused(&zip, "overlaps");
    let mut zip = honest();
    zip.members[0] = zip.members[0].clone().both(|header| header.compressed_size += 200);
    refused(&zip, "overlaps");
    let mut zip = honest();
    zip.members[1].offset = Some(u32::MAX - 1);
    assert!(verdict(&zip.bytes()).is_err());
}

#[test]
fn members_that_are_not_what_they_declare_are_refused() {
    refused(&plus(stored("demo/x", b"text").both(|header| header.crc ^= 1)), "checksum");
    refused(&plus(deflated("demo/x", b"text").both(|header| header.crc ^= 1)), "checksum");
    refused(&plus(stored("demo/x", b"text").both(|header| header.size = 3)), "two sizes differ");
    refused(&plus(deflated("demo/x", b"texttext").both(|header| header.size = 3)), "larger than its declared");
    refused(&plus(deflated("demo/x", b"texttext").both(|header| header.size = 30)), "shorter than it declares");
    let mut cut = deflated("demo/x", &[b'a'; 5000]);
    cut.raw.truncate(8);
    refused(&plus(cut.both(|header| header.compressed_size = 8)), "demo/x");
    let mut garbage = stored("demo/x", &[0xff; 64]);
    garbage = garbage.both(|header| header.method = 8);
    refused(&plus(garbage), "demo/x");
}

#[test]
fn bombs_are_refused_before_or_while_they_go_off() {
    let zeros = vec![0u8; 20 << 20];
    let bomb = deflated("demo/x", &zeros);
    let mut small = bomb.clone().both(|header| header.size = 1000);
    refused(&plus(small.clone()), "larger than its declared");
    small = bomb.both(|header| header.size = u32::MAX - 1);
    refused(&plus(small), "impossible compression ratio");
    let huge = |size: u64| {
        let mut member = deflated("demo/x", b"text").with_zip64();
        for header in [&mut member.central, &mut member.local] {
            header.extra[4..12].copy_from_slice(&size.to_le_bytes());
            header.extra[12..20].copy_from_slice(&size.to_le_bytes());
        }
        member
    };
    refused(&plus(huge((16 << 30) + 1)), "too large");
    refused(&plus(huge(u64::MAX)), "too large");
    let mut zip = honest();
    zip.members = (0..5).map(|_| huge(16 << 30)).collect();
    refused(&zip, "unpacks to more than");
    let mut noise = 1u32;
    let mut random = || {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (noise >> 24) as u8
    };
    let packed: Vec<u8> = (0..3 << 20).map(|_| random()).collect();
    let full = |size: u32| plus(deflated("demo/x", &packed).both(move |header| header.size = size));
    refused(&full(2 << 30), "more than 100 times its size");
    refused(&full(1 << 29), "demo/x");
    let mut zip = honest();
    zip.zip64 = true;
    zip.entries = Some(500_001);
    refused(&zip, "more than 500000");
    zip.entries = Some(400_000);
    refused(&zip, "does not fit its entries");
    zip.entries = Some(3);
    refused(&zip, "longer than its entries");
}

#[test]
fn zip64_end_records_that_disagree_are_refused() {
    let mut zip = honest();
    zip.zip64 = true;
    let bytes = zip.bytes();
    let end = bytes.len() - 22;
    let change = |index: usize, value: u8| {
        let mut bytes = bytes.clone();
        bytes[index] = value;
        bytes
    };
    refused_bytes(&change(end + 8, 1), "two end records do not agree");
    refused_bytes(&change(end + 4, 1), "two end records do not agree");
    refused_bytes(&change(end - 12, 0), "zip64 end record is malformed");
    refused_bytes(&change(end - 20 - 56, b'Q'), "zip64 end record is malformed");
    refused_bytes(&change(end - 20 - 56 + 4, 45), "zip64 end record is malformed");
}

#[test]
fn every_cut_is_refused() {
    let bytes = honest().bytes();
    for length in 0..bytes.len() {
        assert!(Archive::open(Cursor::new(&bytes[..length])).is_err(), "cut to {length}");
    }
    for length in (0..bytes.len()).step_by(97) {
        verdict(&bytes[..length]).unwrap_err();
    }
}

/// Dates and the like may change; a name or a byte of content may not, without being noticed.
#[test]
fn every_changed_bit_is_refused_or_changes_no_content() {
    let mut zip = honest();
    zip.members[0] = zip.members[0].clone().with_descriptor(true, false);
    zip.members[1] = zip.members[1].clone().with_zip64();
    let bytes = zip.bytes();
    let content = read_all(Cursor::new(&bytes)).unwrap();
    for index in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[index / 8] ^= 1 << (index % 8);
        if let Ok(other) = read_all(Cursor::new(&changed)) {
            assert_eq!(other, content, "bit {} of byte {}", index % 8, index / 8);
        }
    }
}
