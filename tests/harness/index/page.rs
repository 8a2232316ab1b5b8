//! Project pages as JSON (PEP 691, 700) and as HTML (PEP 503, 592, 714).

use super::http::Response;
use super::{Mode, Published};
use crate::encoding::sha256_hex;
use serde_json::{Value, json};

const JSON: &str = "application/vnd.pypi.simple.v1+json";

/// A project's page in the form that `mode` and the `Accept` header agree on.
pub(super) fn render(mode: Mode, name: &str, files: &[Published], accept: &str) -> Response {
    if mode == Mode::Json && accept.contains(JSON) {
        return Response::new(200, JSON, json_page(name, files).to_string());
    }
    Response::new(200, "text/html; charset=utf-8", html_page(mode, name, files))
}

/// The metadata that is served beside a file, if this kind of index has it.
pub(super) fn metadata(mode: Mode, file: &Published) -> Option<&str> {
    file.metadata.as_deref().filter(|_| mode != Mode::Html)
}

/// The hash that the page names, which need not be the right one.
fn stated_hash(file: &Published) -> Option<String> {
    let wrong: &[u8] = b"other bytes";
    let claimed = file.options.claimed_bytes.as_deref().unwrap_or(&file.bytes);
    let bytes = if file.options.wrong_hash { wrong } else { claimed };
    (!file.options.without_hash).then(|| sha256_hex(bytes))
}

/// Relative, as real indexes write it: it has to be resolved against the page.
fn url(file: &Published) -> String {
    format!("../../files/{}", file.filename.replace('+', "%2B"))
}

fn json_page(name: &str, files: &[Published]) -> Value {
    let mut versions: Vec<&str> = files.iter().map(|file| file.version.as_str()).collect();
    versions.sort_unstable();
    versions.dedup();
    let files: Vec<Value> = files.iter().map(json_file).collect();
    json!({"meta": {"api-version": "1.1"}, "name": name, "versions": versions, "files": files})
}

fn json_file(file: &Published) -> Value {
    let mut row = json!({
        "filename": file.filename,
        "url": url(file),
        "hashes": stated_hash(file).map_or(json!({}), |hash| json!({"sha256": hash})),
        "size": file.bytes.len(),
        "yanked": match file.options.yanked.as_deref() {
            None => json!(false),
            Some("") => json!(true),
            Some(reason) => json!(reason),
        },
    });
    if let Some(specifiers) = &file.requires_python {
        row["requires-python"] = json!(specifiers);
    }
    if let Some(time) = &file.options.upload_time {
        row["upload-time"] = json!(time);
    }
    if let Some(metadata) = metadata(Mode::Json, file) {
        row["core-metadata"] = json!({"sha256": sha256_hex(metadata.as_bytes())});
    }
    row
}

fn html_page(mode: Mode, name: &str, files: &[Published]) -> String {
    let rows: String = files.iter().map(|file| html_file(mode, file)).collect();
    format!(
        "<!DOCTYPE html>\n<html><head><meta name=\"pypi:repository-version\" content=\"1.0\">\
         <title>{name}</title></head>\n<body>\n{rows}</body></html>\n"
    )
}

fn html_file(mode: Mode, file: &Published) -> String {
    let fragment = stated_hash(file).map_or(String::new(), |hash| format!("#sha256={hash}"));
    let mut attributes = format!("href=\"{}{fragment}\"", url(file));
    if let Some(specifiers) = &file.requires_python {
        attributes += &format!(" data-requires-python=\"{}\"", escape(specifiers));
    }
    if let Some(reason) = &file.options.yanked {
        attributes += &format!(" data-yanked=\"{}\"", escape(reason));
    }
    if let Some(metadata) = metadata(mode, file) {
        attributes += &format!(" data-core-metadata=\"sha256={}\"", sha256_hex(metadata.as_bytes()));
    }
    format!("<a {attributes}>{}</a><br>\n", file.filename)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")
}
