//! The JSON form of a project page (PEP 691, 700, 714).

use super::{CoreMetadata, File, Page, SkippedRow, check_api_version, link, parse_sha256};
use crate::error::{Error, Result};
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;
use url::Url;

#[derive(Deserialize)]
struct RawPage<Row> {
    #[serde(default)]
    meta: Meta,
    files: Vec<Row>,
}

#[derive(Deserialize, Default)]
struct Meta {
    #[serde(rename = "api-version")]
    api_version: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Row {
    filename: String,
    url: String,
    #[serde(default)]
    hashes: Option<HashMap<String, String>>,
    #[serde(default)]
    requires_python: Option<String>,
    #[serde(default)]
    yanked: Option<Flag>,
    #[serde(default)]
    core_metadata: Option<Flag>,
    #[serde(default)]
    dist_info_metadata: Option<Flag>,
    /// The name that this key had for a while on the largest index.
    #[serde(default, rename = "data-dist-info-metadata")]
    data_dist_info_metadata: Option<Flag>,
    #[serde(default)]
    size: Option<u64>,
    #[serde(default)]
    upload_time: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Flag {
    Bool(bool),
    Text(String),
    Hashes(HashMap<String, String>),
}

pub(super) fn parse(bytes: &[u8], base: &Url) -> Result<Page> {
    let rows = match serde_json::from_slice::<RawPage<Row>>(bytes) {
        Ok(page) => {
            check_version(&page.meta, base)?;
            page.files.into_iter().map(Ok).collect()
        }
        // One odd row must not hide the others: read again, row by row.
        Err(_) => row_by_row(bytes, base)?,
    };
    let mut page = Page::default();
    for row in rows {
        match row.and_then(|row| file(row, base)) {
            Ok(file) => page.rows.push(super::Row::from(file)),
            Err(skipped) => page.skipped.push(skipped),
        }
    }
    Ok(page)
}

fn check_version(meta: &Meta, base: &Url) -> Result<()> {
    meta.api_version.as_deref().map_or(Ok(()), |version| check_api_version(version, base))
}

fn row_by_row(bytes: &[u8], base: &Url) -> Result<Vec<std::result::Result<Row, SkippedRow>>> {
    let page: RawPage<Value> = serde_json::from_slice(bytes)
        .map_err(|error| Error::answer(base, format!("it is no project page in JSON: {error}")))?;
    check_version(&page.meta, base)?;
    let convert = |value: Value| {
        let name = value.get("filename").and_then(Value::as_str).unwrap_or("a row without a name").to_owned();
        serde_json::from_value(value).map_err(|error| SkippedRow { row: name, reason: error.to_string() })
    };
    Ok(page.files.into_iter().map(convert).collect())
}

fn file(row: Row, base: &Url) -> std::result::Result<File, SkippedRow> {
    let (url, _, in_fragment) =
        link(base, &row.url).map_err(|reason| SkippedRow { row: row.filename.clone(), reason })?;
    let hashes = row.hashes.unwrap_or_default();
    let core_metadata = [row.core_metadata, row.dist_info_metadata, row.data_dist_info_metadata];
    let told = hashes.get("sha256").map(|hex| parse_sha256(hex).ok_or_else(|| format!("its sha256 {hex:?} is none")));
    let told = told.transpose().map_err(|reason| SkippedRow { row: row.filename.clone(), reason })?;
    let sha256 = told.or(in_fragment);
    Ok(File {
        requires_python: row.requires_python.filter(|text| !text.trim().is_empty()),
        yanked: match row.yanked {
            Some(Flag::Bool(true)) => Some(String::new()),
            Some(Flag::Text(reason)) => Some(reason),
            _ => None,
        },
        core_metadata: core_metadata.into_iter().flatten().next().map_or(CoreMetadata::No, metadata),
        size: row.size,
        // A time that cannot be read is none: what that means is the user's limit's affair.
        uploaded: row.upload_time.and_then(|text| text.parse().ok()),
        ..File::bare(row.filename, url, sha256)
    })
}

fn metadata(flag: Flag) -> CoreMetadata {
    match flag {
        Flag::Bool(true) => CoreMetadata::Yes,
        Flag::Hashes(hashes) => {
            hashes.get("sha256").and_then(|hex| parse_sha256(hex)).map_or(CoreMetadata::Yes, CoreMetadata::Hashed)
        }
        Flag::Bool(false) | Flag::Text(_) => CoreMetadata::No,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const PAGE: &str = r#"{
      "meta": {"api-version": "1.1", "_last-serial": 5},
      "name": "rich",
      "files": [
        {"filename": "rich-13.4.2-py3-none-any.whl", "url": "/files/rich-13.4.2-py3-none-any.whl",
         "hashes": {"sha256": "BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "md5": "x"},
         "requires-python": ">=3.7.0", "yanked": false, "size": 239398, "upload-time": "2023-06-12T10:00:00Z",
         "core-metadata": {"sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
         "data-dist-info-metadata": true},
        {"filename": "rich-13.4.1-py3-none-any.whl", "url": "http://127.0.0.1/x/rich-13.4.1-py3-none-any.whl",
         "hashes": {}, "requires-python": null, "yanked": "broken markup", "dist-info-metadata": true},
        {"filename": "rich-1.tar.gz", "url": "rich-1.tar.gz", "hashes": {}, "yanked": true}
      ]}"#;

    fn base() -> Url {
        "http://127.0.0.1:8000/simple/rich/".parse().unwrap()
    }

    #[test]
    fn a_page_with_everything() {
        let page = parse(PAGE.as_bytes(), &base()).unwrap();
        let files: Vec<_> = page.files().collect();
        let [first, second, third] = &files[..] else { panic!("{page:?}") };
        assert_eq!(first.url, "http://127.0.0.1:8000/files/rich-13.4.2-py3-none-any.whl");
        assert!(first.sha256.unwrap().to_hex().starts_with("ba7816bf"));
        assert_eq!(first.requires_python.as_deref(), Some(">=3.7.0"));
        assert_eq!(first.size, Some(239_398));
        assert_eq!(first.uploaded.unwrap().to_string(), "2023-06-12T10:00:00Z");
        assert_eq!(second.uploaded, None);
        assert_eq!(first.yanked, None);
        assert!(matches!(first.core_metadata, CoreMetadata::Hashed(hash) if hash.to_hex().starts_with("e3b0")));
        assert_eq!(second.yanked.as_deref(), Some("broken markup"));
        assert_eq!(second.core_metadata, CoreMetadata::Yes);
        assert_eq!(second.requires_python, None);
        assert_eq!(third.yanked.as_deref(), Some(""));
        assert_eq!(third.url, "http://127.0.0.1:8000/simple/rich/rich-1.tar.gz");
    }

    #[test]
    fn an_odd_row_is_skipped_with_its_reason() {
        let text = PAGE.replace("239398", "\"big\"").replace("\"url\": \"rich-1.tar.gz\"", "\"url\": \"ftp://x/y\"");
        let page = parse(text.as_bytes(), &base()).unwrap();
        assert_eq!(page.rows.len(), 1);
        assert_eq!(page.skipped.len(), 2);
        assert_eq!(page.skipped[0].row, "rich-13.4.2-py3-none-any.whl");
        assert!(page.skipped[0].reason.contains("invalid type"), "{:?}", page.skipped[0]);
        assert!(page.skipped[1].reason.contains("ftp"));
    }

    #[test]
    fn garbage_and_new_majors_are_errors() {
        for (text, word) in [
            ("{", "no project page"),
            ("{\"message\": \"hello\"}", "files"),
            ("{\"meta\":{\"api-version\":\"2.0\"},\"files\":[]}", "2.0"),
        ] {
            let error = parse(text.as_bytes(), &base()).unwrap_err().to_string();
            assert!(error.contains(word) && error.contains("/simple/rich/"), "{error}");
        }
    }
}
