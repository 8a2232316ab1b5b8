//! A project page as it is kept in the cache: one line a file, fields separated by tabs.
//!
//! Reading it back costs a hundredth of reading the HTML that it came from, and pages can be megabytes: lines are parsed
//! when somebody looks at their file. So the whole begins with a checksum; a damaged one decodes to `None` and is fetched
//! again.

use super::{CoreMetadata, File, Page, Row};
use crate::timestamp::Timestamp;
use omnipkg_store::{Digest, Sha256};
use std::sync::Arc;

/// Fields: name, URL, sha256, requires-python, `y` + reason if yanked, core metadata, size, time of upload.
pub(crate) fn encode(page: &Page) -> Vec<u8> {
    let mut lines = String::with_capacity(page.rows.len() * 256);
    for file in page.files().filter(|file| !file.filename.contains(['\t', '\n'])) {
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
        lines.push_str(&fields.join("\t"));
        lines.push('\n');
    }
    format!("{}\n{lines}", Digest::of(lines.as_bytes()).to_hex()).into_bytes()
}

fn plain(text: &str) -> String {
    text.replace(['\t', '\n', '\r'], " ")
}

/// The page that begins somewhere in a text, without the rows that were skipped when it was fetched.
pub(crate) fn decode(text: Arc<String>, from: usize) -> Option<Page> {
    let (checksum, lines) = text.get(from..)?.split_once('\n')?;
    if checksum != Digest::of(lines.as_bytes()).to_hex() {
        return None;
    }
    let mut start = from + checksum.len() + 1;
    let ends = lines.match_indices('\n').map(|(end, _)| from + checksum.len() + 1 + end);
    let rows = ends.map(|end| Row::Kept(text.clone(), std::mem::replace(&mut start, end + 1)..end)).collect();
    Some(Page { rows, skipped: Vec::new() })
}

/// The file that a line tells of.
pub(super) fn file(row: &str) -> Option<File> {
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
        Page { rows: [file, bare, odd].map(Row::from).to_vec(), skipped: vec![] }
    }

    fn decoded(bytes: &[u8]) -> Option<Page> {
        let text = format!("before\n{}", String::from_utf8(bytes.to_vec()).ok()?);
        decode(Arc::new(text), 7)
    }

    #[test]
    fn pages_survive() {
        let kept = decoded(&encode(&page())).unwrap();
        let files = |page: &Page| page.files().collect::<Vec<_>>();
        assert_eq!(files(&kept)[..2], files(&page())[..2]);
        assert_eq!(kept.rows[0].filename(), "a-1-py3-none-any.whl");
        assert_eq!(files(&kept)[2].yanked.as_deref(), Some("a b c"));
        assert!(decoded(&encode(&Page::default())).unwrap().rows.is_empty());
    }

    #[test]
    fn damage_is_noticed() {
        let bytes = encode(&page());
        assert!(decoded(&bytes[..bytes.len() - 1]).is_none());
        assert!(decoded(&bytes[..40]).is_none());
        assert!(decoded(b"\xff\n").is_none());
        assert!(decoded(b"only\ttwo\n").is_none());
    }
}
