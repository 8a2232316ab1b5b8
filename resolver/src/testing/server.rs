//! A package index on 127.0.0.1, with the habits and faults that a test asks for.

use super::wheels::Wheel;
use omnipkg_store::Sha256;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use url::Url;

/// What the index can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// JSON pages with core metadata.
    Json,
    /// HTML pages without metadata flags; wheels answer ranges.
    Html,
    /// HTML pages; wheels ignore ranges.
    HtmlWithoutRanges,
}

/// Answers the first `times` requests for a path in place of the index.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) times: usize,
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) body: Vec<u8>,
    /// Announces more bytes than it sends.
    pub(crate) cut: bool,
}

#[derive(Default)]
struct State {
    rows: BTreeMap<String, Vec<Row>>,
    files: BTreeMap<String, Vec<u8>>,
    faults: BTreeMap<String, Fault>,
    log: Vec<Asked>,
}

struct Row {
    filename: String,
    sha256: String,
    metadata_sha256: String,
    requires_python: Option<String>,
    yanked: Option<String>,
    size: usize,
}

/// One request that came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
}

pub(crate) struct Server {
    address: String,
    state: Arc<Mutex<State>>,
}

impl Server {
    /// Serves until the test's process ends.
    pub(crate) fn start(style: Style, wheels: &[Wheel]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let state = Arc::new(Mutex::new(State::default()));
        let server = Self { address, state: state.clone() };
        wheels.iter().for_each(|wheel| server.add(wheel));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = state.clone();
                std::thread::spawn(move || serve(stream, style, &state));
            }
        });
        server
    }

    pub(crate) fn add(&self, wheel: &Wheel) {
        let archive = wheel.archive();
        let metadata = wheel.metadata().into_bytes();
        let mut state = self.state.lock().unwrap();
        let filename = wheel.filename();
        state.rows.entry(wheel.name.clone()).or_default().push(Row {
            filename: filename.clone(),
            sha256: Sha256::of(&archive).to_hex(),
            metadata_sha256: Sha256::of(&metadata).to_hex(),
            requires_python: wheel.requires_python.clone(),
            yanked: wheel.yanked.clone(),
            size: archive.len(),
        });
        state.files.insert(format!("/files/{filename}.metadata"), metadata);
        state.files.insert(format!("/files/{filename}"), archive);
    }

    /// A file that is only listed.
    pub(crate) fn list(&self, name: &str, filename: &str) {
        self.state.lock().unwrap().rows.entry(name.to_owned()).or_default().push(Row {
            filename: filename.to_owned(),
            sha256: Sha256::of(b"").to_hex(),
            metadata_sha256: String::new(),
            requires_python: None,
            yanked: None,
            size: 0,
        });
    }

    /// Replaces a file's bytes but not its row.
    pub(crate) fn tamper(&self, filename: &str, bytes: Vec<u8>) {
        self.state.lock().unwrap().files.insert(format!("/files/{filename}"), bytes);
    }

    pub(crate) fn fault(&self, path: &str, fault: Fault) {
        self.state.lock().unwrap().faults.insert(path.to_owned(), fault);
    }

    pub(crate) fn fails(&self, path: &str, status: u16, times: usize) {
        self.fault(path, Fault { times, status, content_type: "text/plain", body: b"no".to_vec(), cut: false });
    }

    pub(crate) fn url(&self) -> Url {
        format!("http://{}/simple", self.address).parse().unwrap()
    }

    pub(crate) fn log(&self) -> Vec<Asked> {
        self.state.lock().unwrap().log.clone()
    }

    /// How often a path was asked for.
    pub(crate) fn count(&self, path: &str) -> usize {
        self.log().iter().filter(|asked| asked.path == path).count()
    }
}

fn serve(stream: TcpStream, style: Style, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    while let Some(asked) = read_request(&mut reader) {
        let answer = answer(&asked, style, &mut state.lock().unwrap());
        if stream.write_all(&answer.bytes).is_err() || answer.close {
            return;
        }
    }
}

pub(super) fn read_request(reader: &mut impl BufRead) -> Option<Asked> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((key, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(key.to_ascii_lowercase(), value.trim().to_owned());
    }
    Some(Asked { path, headers })
}

struct Answer {
    bytes: Vec<u8>,
    close: bool,
}

fn answer(asked: &Asked, style: Style, state: &mut State) -> Answer {
    state.log.push(asked.clone());
    if let Some(fault) = state.faults.get_mut(&asked.path).filter(|fault| fault.times > 0) {
        fault.times -= 1;
        let announced = fault.body.len() + if fault.cut { 10 } else { 0 };
        let head = format!("Content-Type: {}\r\nContent-Length: {announced}\r\n", fault.content_type);
        return Answer { bytes: respond(fault.status, &head, &fault.body), close: fault.cut };
    }
    let whole = |bytes| Answer { bytes, close: false };
    if let Some(name) = asked.path.strip_prefix("/simple/").and_then(|rest| rest.strip_suffix('/')) {
        let Some(rows) = state.rows.get(name) else { return whole(respond(404, "Content-Length: 0\r\n", b"")) };
        let etag = format!("\"{}-{}\"", name, rows.len());
        if asked.headers.get("if-none-match") == Some(&etag) {
            return whole(respond(304, "", b""));
        }
        let (kind, body) = match style {
            Style::Json => ("application/vnd.pypi.simple.v1+json", json(rows)),
            _ => ("text/html; charset=utf-8", html(rows)),
        };
        let head = format!("Content-Type: {kind}\r\nETag: {etag}\r\nContent-Length: {}\r\n", body.len());
        return whole(respond(200, &head, body.as_bytes()));
    }
    let missing = asked.path.ends_with(".metadata") && style != Style::Json;
    let Some(bytes) = state.files.get(&asked.path).filter(|_| !missing) else {
        return whole(respond(404, "Content-Length: 0\r\n", b""));
    };
    let range = asked.headers.get("range").filter(|_| style != Style::HtmlWithoutRanges);
    let Some((start, end)) = range.and_then(|range| bounds(range, bytes.len())) else {
        return whole(respond(200, &format!("Content-Length: {}\r\n", bytes.len()), bytes));
    };
    let head =
        format!("Content-Range: bytes {start}-{}/{}\r\nContent-Length: {}\r\n", end - 1, bytes.len(), end - start);
    whole(respond(206, &head, &bytes[start..end]))
}

/// `bytes=5-9`, `bytes=5-`, `bytes=-5` as a half-open range.
fn bounds(range: &str, length: usize) -> Option<(usize, usize)> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    match (first.parse::<usize>(), last.parse::<usize>()) {
        (Ok(first), Ok(last)) => Some((first, (last + 1).min(length))),
        (Ok(first), Err(_)) => Some((first, length)),
        (Err(_), Ok(suffix)) => Some((length.saturating_sub(suffix), length)),
        _ => None,
    }
}

fn respond(status: u16, head: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {status} x\r\n{head}\r\n").into_bytes();
    bytes.extend(body);
    bytes
}

fn json(rows: &[Row]) -> String {
    let files: Vec<_> = rows
        .iter()
        .map(|row| {
            serde_json::json!({
                "filename": row.filename,
                "url": format!("../../files/{}", row.filename),
                "hashes": {"sha256": row.sha256},
                "requires-python": row.requires_python,
                "yanked": row.yanked.clone().map_or(serde_json::json!(false), |reason| reason.into()),
                "core-metadata": {"sha256": row.metadata_sha256},
                "size": row.size,
            })
        })
        .collect();
    serde_json::json!({"meta": {"api-version": "1.1"}, "name": "x", "files": files}).to_string()
}

fn html(rows: &[Row]) -> String {
    let mut text = "<!DOCTYPE html><h1>Links for x</h1>".to_owned();
    for row in rows {
        let python = row.requires_python.as_deref().map(|text| text.replace('>', "&gt;").replace('<', "&lt;"));
        let python = python.map_or(String::new(), |text| format!(" data-requires-python=\"{text}\""));
        let yanked = row.yanked.as_deref().map_or(String::new(), |reason| format!(" data-yanked=\"{reason}\""));
        let (name, hash) = (&row.filename, &row.sha256);
        text.push_str(&format!("<a href=\"/files/{name}#sha256={hash}\"{python}{yanked}>{name}</a><br>\n"));
    }
    text
}
