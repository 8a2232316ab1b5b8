//! The HTML form of a project page (PEP 503, 592, 629, 658, 714).

use super::{CoreMetadata, File, Page, SkippedRow, check_api_version, is_distribution, link, parse_sha256};
use crate::error::{Error, Result};
use html5gum::{HtmlString, StartTag, Token, Tokenizer};
use url::Url;

pub(super) fn parse(bytes: &[u8], page_url: &Url) -> Result<Page> {
    let mut page = Page::default();
    let mut base = page_url.clone();
    let mut looks_right = false;
    for token in Tokenizer::new(bytes) {
        // Reading a slice cannot fail.
        let Ok(token) = token;
        match token {
            Token::StartTag(tag) => match tag.name.as_slice() {
                b"a" => anchor(&tag, &base, &mut page),
                b"base" => {
                    if let Some(joined) = attribute(&tag, "href").and_then(|href| page_url.join(&href).ok()) {
                        base = joined;
                    }
                }
                b"meta" if attribute(&tag, "name").as_deref() == Some("pypi:repository-version") => {
                    looks_right = true;
                    check_api_version(attribute(&tag, "content").as_deref().unwrap_or_default().trim(), page_url)?;
                }
                _ => {}
            },
            Token::String(text) => looks_right |= text.value.starts_with(b"Links for"),
            _ => {}
        }
    }
    // A project may have no files, but a login page or a proxy's apology is not such a project.
    if page.rows.is_empty() && !looks_right {
        return Err(Error::answer(page_url, "the HTML is no project page: it links to no file"));
    }
    Ok(page)
}

fn anchor(tag: &StartTag<()>, base: &Url, page: &mut Page) {
    let Some(href) = attribute(tag, "href") else { return };
    let (url, filename, sha256) = match link(base, &href) {
        Ok(parts) => parts,
        Err(reason) => {
            page.skipped.push(SkippedRow { row: href, reason });
            return;
        }
    };
    if !is_distribution(&filename) {
        page.skipped.push(SkippedRow { row: href, reason: "it is no distribution".to_owned() });
        return;
    }
    let metadata = attribute(tag, "data-core-metadata").or_else(|| attribute(tag, "data-dist-info-metadata"));
    page.rows.push(super::Row::from(File {
        requires_python: attribute(tag, "data-requires-python").filter(|text| !text.trim().is_empty()),
        yanked: attribute(tag, "data-yanked"),
        core_metadata: metadata.map_or(CoreMetadata::No, |text| core_metadata(&text)),
        ..File::bare(filename, url, sha256)
    }));
}

fn core_metadata(value: &str) -> CoreMetadata {
    match value.strip_prefix("sha256=").and_then(parse_sha256) {
        Some(hash) => CoreMetadata::Hashed(hash),
        None if value.eq_ignore_ascii_case("false") => CoreMetadata::No,
        None => CoreMetadata::Yes,
    }
}

/// An attribute's value, with its entities decoded by the tokenizer.
fn attribute(tag: &StartTag<()>, name: &str) -> Option<String> {
    let value = tag.attributes.get(&HtmlString(name.as_bytes().to_vec()))?;
    Some(String::from_utf8_lossy(&value.value).into_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const HASH: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn url() -> Url {
        "http://127.0.0.1:8000/simple/rich/".parse().unwrap()
    }

    #[test]
    fn a_page_with_everything() {
        let text = format!(
            r##"<!DOCTYPE html><html><head><meta name="pypi:repository-version" content="1.3">
            <title>Links for rich</title></head><body><h1>Links for rich</h1>
            <a href="../../files/rich-13.4.2-py3-none-any.whl#sha256={HASH}" data-requires-python="&gt;=3.7.0,&lt;4"
               data-dist-info-metadata="sha256={HASH}" data-core-metadata="true">rich-13.4.2-py3-none-any.whl</a><br/>
            <A HREF='/f/local-1.0%2Bcpu-py3-none-any.whl#md5=1&amp;sha256={HASH}' data-yanked>x</A>
            <a href="http://127.0.0.1/rich-1.tar.gz" data-yanked="bad &amp; old" data-core-metadata="false">x</a>
            <a href="http://[::1/rich-1.whl">broken</a> <a name="top">anchor</a> <a href="/docs">docs</a>
            <!-- <a href="rich-0-py3-none-any.whl">commented</a> -->"##
        );
        let page = parse(text.as_bytes(), &url()).unwrap();
        let files: Vec<_> = page.files().collect();
        let [first, second, third] = &files[..] else { panic!("{page:?}") };
        assert_eq!(first.url, "http://127.0.0.1:8000/files/rich-13.4.2-py3-none-any.whl");
        assert_eq!(first.sha256.unwrap().to_hex(), HASH);
        assert_eq!(first.requires_python.as_deref(), Some(">=3.7.0,<4"));
        assert_eq!(first.core_metadata, CoreMetadata::Yes);
        assert_eq!(second.filename, "local-1.0+cpu-py3-none-any.whl");
        assert_eq!(second.sha256.unwrap().to_hex(), HASH);
        assert_eq!(second.yanked.as_deref(), Some(""));
        assert_eq!(third.yanked.as_deref(), Some("bad & old"));
        assert_eq!(third.core_metadata, CoreMetadata::No);
        assert_eq!(page.skipped.len(), 2, "{:?}", page.skipped);
    }

    #[test]
    fn base_href_and_pep_658_hash() {
        let text = format!(
            r#"<base href="http://127.0.0.1/mirror/x/"><a href="a-1-py3-none-any.whl" data-dist-info-metadata="sha256={HASH}">a</a>"#
        );
        let page = parse(text.as_bytes(), &url()).unwrap();
        assert_eq!(page.files().next().unwrap().url, "http://127.0.0.1/mirror/x/a-1-py3-none-any.whl");
        assert!(matches!(page.files().next().unwrap().core_metadata, CoreMetadata::Hashed(_)));
    }

    #[test]
    fn what_is_no_project_page() {
        assert!(
            parse(b"<html><form>log in</form></html>", &url()).unwrap_err().to_string().contains("no project page")
        );
        assert!(parse(b"<h1>Links for rich</h1>", &url()).unwrap().rows.is_empty());
        let newer = br#"<meta name="pypi:repository-version" content="2.0"><a href="a-1-py3-none-any.whl">a</a>"#;
        assert!(parse(newer, &url()).unwrap_err().to_string().contains("2.0"));
    }
}
