//! RECORD: checking members against it, and writing the one for the installed layout.
//!
//! A hash or size that does not fit is an error. What pip accepts and where nothing can escape (files that
//! are not listed, rows without a file, rows without hash or size) is a warning, one for each kind.

use super::error::Fault;
use crate::digest::Sha256;
use std::collections::HashMap;

/// Bound on RECORD in bytes.
pub(super) const MAX_RECORD_SIZE: u64 = 256 << 20;

/// How many names a warning gives as examples.
const EXAMPLES: usize = 3;

struct Row {
    /// `sha256=…` as it is written, another algorithm's, or nothing.
    hash: String,
    size: Option<u64>,
    used: bool,
}

/// A wheel's RECORD and what was found wanting in it so far.
pub(super) struct Record {
    rows: HashMap<String, Row>,
    unlisted: Vec<String>,
    without_hash: Vec<String>,
    without_size: Vec<String>,
    other_hash: Vec<String>,
}

impl Record {
    /// Parses the CSV.
    pub fn parse(bytes: &[u8]) -> Result<Self, Fault> {
        let fault = |reason: String| Fault::metadata("RECORD", reason);
        let mut rows: HashMap<String, Row> = HashMap::new();
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
        for record in reader.records() {
            let record = record.map_err(|error| fault(format!("it is not valid CSV: {error}")))?;
            let field = |index: usize| record.get(index).unwrap_or_default().trim();
            let path = record.get(0).unwrap_or_default();
            if path.is_empty() {
                continue;
            }
            let size = match field(2) {
                "" => None,
                text => Some(text.parse().map_err(|_| fault(format!("the size of {path:?} is no number")))?),
            };
            let row = Row { hash: field(1).to_owned(), size, used: false };
            if let Some(other) = rows.insert(path.to_owned(), row)
                && rows.get(path).is_some_and(|row| row.hash != other.hash || row.size != other.size)
            {
                return Err(fault(format!("it lists {path:?} twice, with different hashes or sizes")));
            }
        }
        let none = Vec::new;
        Ok(Self { rows, unlisted: none(), without_hash: none(), without_size: none(), other_hash: none() })
    }

    /// Checks a member that was read.
    pub fn check(&mut self, path: &str, sha256: &Sha256, size: u64) -> Result<(), Fault> {
        let fault = |reason: String| Fault::Record { path: path.to_owned(), reason };
        let Some(row) = self.rows.get_mut(path) else {
            self.unlisted.push(path.to_owned());
            return Ok(());
        };
        row.used = true;
        match row.size {
            Some(listed) if listed != size => return Err(fault(format!("it has {size} bytes, expected {listed}"))),
            Some(_) => {}
            None => self.without_size.push(path.to_owned()),
        }
        match row.hash.split_once('=') {
            None if row.hash.is_empty() => self.without_hash.push(path.to_owned()),
            None => return Err(fault(format!("{:?} is no hash", row.hash))),
            Some(("sha256", listed)) => {
                let found = base64(sha256.as_bytes());
                if listed.trim_end_matches('=') != found {
                    return Err(fault(format!("it has sha256={found}, expected sha256={listed}")));
                }
            }
            Some(_) => self.other_hash.push(path.to_owned()),
        }
        Ok(())
    }

    /// Marks a file that RECORD need not describe: RECORD itself and its signatures.
    pub fn exempt(&mut self, path: &str) {
        if let Some(row) = self.rows.get_mut(path) {
            row.used = true;
        }
    }

    /// What was accepted though it should not be so. Rows for directories mean nothing and are not told.
    pub fn into_warnings(self) -> Vec<String> {
        let rows = self.rows.into_iter();
        let missing = rows.filter(|(path, row)| !row.used && !path.ends_with('/')).map(|(path, _)| path).collect();
        [
            ("RECORD does not list", self.unlisted),
            ("RECORD lists, but the archive does not have,", missing),
            ("RECORD gives no hash for", self.without_hash),
            ("RECORD gives no size for", self.without_size),
            ("RECORD gives a hash that is not checked (only sha256 is) for", self.other_hash),
        ]
        .into_iter()
        .filter_map(|(what, paths)| summary(what, paths))
        .collect()
    }
}

/// `WHAT 12 files: a, b, c, …`; nothing if there are none. The same whatever order they were found in.
fn summary(what: &str, mut paths: Vec<String>) -> Option<String> {
    paths.sort_unstable();
    let count = match paths.len() {
        0 => return None,
        1 => "1 file".to_owned(),
        count => format!("{count} files"),
    };
    let rest = if paths.len() > EXAMPLES { ", …" } else { "" };
    paths.truncate(EXAMPLES);
    Some(format!("{what} {count}: {}{rest}", paths.join(", ")))
}

/// One row of the RECORD to be written.
pub(super) struct InstalledRow {
    /// Relative to site-packages.
    pub path: String,
    pub sha256: Sha256,
    pub size: u64,
}

/// The RECORD of the installed layout: sorted, with itself as the one row without hash and size.
pub(super) fn write(mut rows: Vec<InstalledRow>, record_path: &str) -> Vec<u8> {
    rows.sort_unstable_by(|one, other| one.path.cmp(&other.path));
    let itself = rows.partition_point(|row| row.path.as_str() < record_path);
    let mut text = String::with_capacity(rows.len() * 120);
    for (index, row) in rows.iter().enumerate() {
        if index == itself {
            push_row(&mut text, record_path, "", "");
        }
        push_row(&mut text, &row.path, &format!("sha256={}", base64(row.sha256.as_bytes())), &row.size.to_string());
    }
    if itself == rows.len() {
        push_row(&mut text, record_path, "", "");
    }
    text.into_bytes()
}

/// Only a path can need quotes; it holds no line break.
fn push_row(text: &mut String, path: &str, hash: &str, size: &str) {
    if path.contains([',', '"']) {
        text.push_str(&format!("\"{}\"", path.replace('"', "\"\"")));
    } else {
        text.push_str(path);
    }
    text.push_str(&format!(",{hash},{size}\n"));
}

/// URL-safe base64 without padding (RFC 4648 section 5).
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let value = (0..3).fold(0u32, |value, index| (value << 8) | u32::from(*chunk.get(index).unwrap_or(&0)));
        for digit in 0..=chunk.len() {
            text.push(char::from(ALPHABET[(value >> (18 - 6 * digit)) as usize & 63]));
        }
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const EMPTY: &str = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";

    #[test]
    fn base64_is_that_of_the_rfc() {
        let cases = [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("\u{ff}~", "w79-")];
        for (plain, encoded) in cases {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
        assert_eq!(base64(Sha256::of(b"").as_bytes()), EMPTY);
    }

    #[test]
    fn a_wrong_hash_or_size_names_the_file() {
        let text = format!("a,sha256={EMPTY},0\n\"b,c\",sha256={EMPTY}=,0\n");
        let mut record = Record::parse(text.as_bytes()).unwrap();
        record.check("a", &Sha256::of(b""), 0).unwrap();
        record.check("b,c", &Sha256::of(b""), 0).unwrap();
        let error = record.check("a", &Sha256::of(b"x"), 0).unwrap_err();
        assert!(error.to_string().starts_with("\"a\" does not match RECORD: it has sha256=LXEW"), "{error}");
        assert!(record.check("a", &Sha256::of(b""), 1).unwrap_err().to_string().contains("1 bytes, expected 0"));
        assert!(record.into_warnings().is_empty());
    }

    #[test]
    fn defects_that_pip_accepts_are_warnings() {
        let text = format!("nohash,,0\nnosize,sha256={EMPTY},\nmd5,md5=abc,0\ngone,,\ndir/,,\nRECORD,,\n");
        let mut record = Record::parse(text.as_bytes()).unwrap();
        for path in ["nohash", "nosize", "md5", "u1", "u2", "u3", "u4"] {
            record.check(path, &Sha256::of(b""), 0).unwrap();
        }
        record.exempt("RECORD");
        let warnings = record.into_warnings();
        assert_eq!(warnings[0], "RECORD does not list 4 files: u1, u2, u3, …");
        assert_eq!(warnings[1], "RECORD lists, but the archive does not have, 1 file: gone");
        assert_eq!(warnings.len(), 5, "{warnings:?}");
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        assert!(Record::parse(b"a,sha256=x,1\na,sha256=y,1\n").is_err());
        assert!(Record::parse(b"a,sha256=x,1\na,sha256=x,1\n").is_ok());
        assert!(Record::parse(b"a,sha256=x,many\n").is_err());
        let mut record = Record::parse(b"a,bare,0\n").unwrap();
        assert!(record.check("a", &Sha256::of(b""), 0).is_err());
    }

    #[test]
    fn the_written_record_is_sorted_and_can_be_read() {
        let row = |path: &str| InstalledRow { path: path.to_owned(), sha256: Sha256::of(b""), size: 0 };
        let bytes = write(vec![row("z"), row("a\",b"), row("../../../bin/x")], "d/RECORD");
        let text = std::str::from_utf8(&bytes).unwrap();
        let expected =
            format!("../../../bin/x,sha256={EMPTY},0\n\"a\"\",b\",sha256={EMPTY},0\nd/RECORD,,\nz,sha256={EMPTY},0\n");
        assert_eq!(text, expected);
        assert!(Record::parse(&bytes).unwrap().rows.contains_key("a\",b"));
    }
}
