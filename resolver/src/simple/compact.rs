//! A project page as it is kept in the cache: one line a file, fields separated by tabs.
//!
//! Reading it back costs a tenth of reading the HTML that it came from, and pages can be megabytes.
//! A damaged cache file decodes to `None` and is fetched again.

use super::{CoreMetadata, File, Page};
use crate::timestamp::Timestamp;
use omnipkg_store::Sha256;
use std::sync::Arc;

/// Fields: name, URL, sha256, requires-python, `y` + reason if yanked, core metadata, size, time of upload.
pub(crate) fn encode(page: &Page) -> Vec<u8> {
    let mut out = String::with_capacity(page.files.len() * 256);
    for file in page.files.iter().filter(|file| !file.filename.contains(['\t', '\n'])) {
        let core_metadata = match file.core_metadata {
            CoreMetadata::No => String::new(),
            CoreMetadata::Yes => "1".to_owned(),
            CoreMetadata::Hashed(hash) => hash.to_hex(),
        };
        let fields = [
            file.filename.clone(),
            file.url.clone(),
            file.sha256.map_or_else(String::new, |hash| hash.to_hex()),
            plain(file.requires_python.as_deref().unwrap_or_default()),
            file.yanked.as_deref().map_or_else(String::new, |reason| format!("y{}", plain(reason))),
            core_metadata,
            file.size.map_or_else(String::new, |size| size.to_string()),
            file.uploaded.map_or_else(String::new, |time| time.microseconds().to_string()),
        ];
        out.push_str(&fields.join("\t"));
        out.push('\n');
    }
    out.into_bytes()
}

fn plain(text: &str) -> String {
    text.replace(['\t', '\n', '\r'], " ")
}

/// The page, without the rows that were skipped when it was fetched.
pub(crate) fn decode(bytes: &[u8]) -> Option<Page> {
    let text = std::str::from_utf8(bytes).ok()?;
    let files = text.strip_suffix('\n').map_or_else(
        || text.is_empty().then(Vec::new),
        |rows| rows.split('\n').map(|row| file(row).map(Arc::new)).collect(),
    )?;
    Some(Page { files, skipped: Vec::new() })
}

fn file(row: &str) -> Option<File> {
    let mut fields = row.split('\t');
    let mut next = || fields.next();
    let (filename, url, sha256, python, yanked) = (next()?, next()?, next()?, next()?, next()?);
    let (core_metadata, size, uploaded) = (next()?, next()?, next()?);
    let optional = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Some(File {
        filename: filename.to_owned(),
        url: url.to_owned(),
        sha256: if sha256.is_empty() { None } else { Some(sha256.parse::<Sha256>().ok()?) },
        requires_python: optional(python),
        yanked: yanked.strip_prefix('y').map(str::to_owned),
        core_metadata: match core_metadata {
            "" => CoreMetadata::No,
            "1" => CoreMetadata::Yes,
            hash => CoreMetadata::Hashed(hash.parse().ok()?),
        },
        size: if size.is_empty() { None } else { Some(size.parse().ok()?) },
        uploaded: if uploaded.is_empty() { None } else { Some(Timestamp::from_microseconds(uploaded.parse().ok()?)) },
        withheld: None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn page() -> Page {
        let hash = Sha256::of(b"x");
        let file = File {
            filename: "a-1-py3-none-any.whl".to_owned(),
            url: "http://127.0.0.1/a-1-py3-none-any.whl".to_owned(),
            sha256: Some(hash),
            requires_python: Some(">=3.7, <4".to_owned()),
            yanked: Some(String::new()),
            core_metadata: CoreMetadata::Hashed(hash),
            size: Some(7),
            uploaded: Some("2024-03-01T12:00:00.000001Z".parse().unwrap()),
            withheld: None,
        };
        let bare = File::bare(file.filename.clone(), file.url.parse().unwrap(), None);
        let odd = File { yanked: Some("a\tb\nc".to_owned()), core_metadata: CoreMetadata::Yes, ..file.clone() };
        Page { files: [file, bare, odd].map(Arc::new).to_vec(), skipped: vec![] }
    }

    #[test]
    fn pages_survive() {
        let decoded = decode(&encode(&page())).unwrap();
        assert_eq!(decoded.files[..2], page().files[..2]);
        assert_eq!(decoded.files[2].yanked.as_deref(), Some("a b c"));
        assert_eq!(decode(&encode(&Page::default())).unwrap(), Page::default());
    }

    #[test]
    fn damage_is_noticed() {
        let bytes = encode(&page());
        assert!(decode(&bytes[..bytes.len() - 1]).is_none());
        assert!(decode(&bytes[..40]).is_none());
        assert!(decode(b"\xff\n").is_none());
        assert!(decode(b"only\ttwo\n").is_none());
    }
}
