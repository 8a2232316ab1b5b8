//! HTTP/1.1 for the fake index: one request is read, answered and the connection closed. It serves as a proxy too.

use super::{Fault, Request, Shared, State, lock, page};
use crate::encoding::sha256_hex;
use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Longer than any test runs: what never answers ends when the index stops.
const NEVER: Duration = Duration::from_secs(3600);

/// What is sent, before a fault has been at it.
pub(super) struct Response {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Response {
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: vec![("Content-Type", content_type.to_owned())], body: body.into() }
    }

    fn text(status: u16) -> Self {
        Self::new(status, "text/plain", format!("{status} {}\n", reason(status)))
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// Reads one request and answers it. A client that goes away is the client's own affair.
pub(super) fn serve(connection: TcpStream, shared: &Shared) {
    connection.set_read_timeout(Some(Duration::from_secs(60))).ok();
    let Ok(Some(request)) = read_request(&connection) else { return };
    let (response, fault) = {
        let mut state = lock(&shared.state);
        state.log.push(request.clone());
        // Asked as a proxy, it answers for every server.
        let asked = Request { path: own_path(&request.path).to_owned(), ..request.clone() };
        let fault = state.take_fault(&asked.path);
        (state.answer(&asked), fault)
    };
    match fault {
        Some(Fault::Hang) => return shared.wait(NEVER),
        Some(Fault::Delay(time)) => shared.wait(time),
        _ => {}
    }
    send(connection, &request, response, fault).ok();
}

fn read_request(connection: &TcpStream) -> io::Result<Option<Request>> {
    let mut lines = BufReader::new(connection).lines();
    let Some(first) = lines.next().transpose()? else { return Ok(None) };
    let mut words = first.split(' ');
    let (Some(method), Some(target)) = (words.next(), words.next()) else { return Ok(None) };
    let mut headers = BTreeMap::new();
    for line in lines {
        let line = line?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let path = target.split(['?', '#']).next().unwrap_or_default();
    Ok(Some(Request { method: method.to_owned(), path: decode(path), headers }))
}

/// The path of a URL; of a path, itself.
fn own_path(target: &str) -> &str {
    let rest = target.strip_prefix("http://").map(|rest| rest.find('/').map_or("/", |at| &rest[at..]));
    rest.unwrap_or(target)
}

/// Percent-decoding (RFC 3986): clients write a local version's `+` as `%2B`.
fn decode(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let hex = tail.get(..2).filter(|_| *first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => (bytes.push(byte), rest = &tail[2..]),
            None => (bytes.push(*first), rest = tail),
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl State {
    fn take_fault(&mut self, path: &str) -> Option<Fault> {
        let (fault, left) = self.faults.get_mut(path)?;
        *left = left.checked_sub(1)?;
        Some(fault.clone())
    }

    fn answer(&self, request: &Request) -> Response {
        if let Some(wanted) = &self.authorization
            && request.headers.get("authorization") != Some(wanted)
        {
            return Response::text(401).with("WWW-Authenticate", "Basic realm=\"index\"");
        }
        if let Some(location) = self.redirects.get(&request.path) {
            return Response::text(302).with("Location", location.as_str());
        }
        if let Some((content_type, body)) = self.pages.get(&request.path) {
            return Response::new(200, content_type, body.as_slice());
        }
        if let Some(project) = request.path.strip_prefix("/simple/") {
            return self.project(project, request);
        }
        match request.path.strip_prefix("/files/") {
            Some(filename) => self.file(filename, request),
            None => Response::text(404),
        }
    }

    fn project(&self, project: &str, request: &Request) -> Response {
        let Some(name) = project.strip_suffix('/') else {
            return Response::text(301).with("Location", format!("/simple/{project}/"));
        };
        let Some(files) = self.projects.get(name) else { return Response::text(404) };
        let accept = request.headers.get("accept").map_or("", String::as_str);
        let response = page::render(self.mode, name, files, accept);
        let tag = format!("\"{}\"", &sha256_hex(&response.body)[..16]);
        if request.headers.get("if-none-match") == Some(&tag) {
            return Response { status: 304, headers: Vec::new(), body: Vec::new() }.with("ETag", tag);
        }
        response.with("ETag", tag).with("Vary", "Accept")
    }

    fn file(&self, filename: &str, request: &Request) -> Response {
        let all = || self.projects.values().flatten();
        if let Some(file) = all().find(|file| file.filename == filename) {
            return self.ranged(&file.bytes, request);
        }
        let beside = filename.strip_suffix(".metadata").and_then(|name| all().find(|file| file.filename == name));
        match beside.and_then(|file| page::metadata(self.mode, file)) {
            Some(metadata) => Response::new(200, "text/plain; charset=utf-8", metadata),
            None => Response::text(404),
        }
    }

    /// The bytes, or the one range of them that was asked for (RFC 9110); several ranges get the whole.
    fn ranged(&self, bytes: &[u8], request: &Request) -> Response {
        let whole = || Response::new(200, "application/octet-stream", bytes);
        if !self.ranges {
            return whole();
        }
        let asked = request.headers.get("range").and_then(|range| parse_range(range, bytes.len()));
        match asked {
            None => whole().with("Accept-Ranges", "bytes"),
            Some(Some((from, to))) => Response::new(206, "application/octet-stream", &bytes[from..=to])
                .with("Accept-Ranges", "bytes")
                .with("Content-Range", format!("bytes {from}-{to}/{}", bytes.len())),
            Some(None) => Response::text(416).with("Content-Range", format!("bytes */{}", bytes.len())),
        }
    }
}

/// First and last byte; the inner `None` is a range that the file does not have.
fn parse_range(range: &str, length: usize) -> Option<Option<(usize, usize)>> {
    let (from, to) = range.strip_prefix("bytes=")?.split_once('-')?;
    let last = length.checked_sub(1);
    let (from, to) = match (from.parse::<usize>(), to.parse::<usize>()) {
        (Ok(from), Ok(to)) => (from, to),
        (Ok(from), Err(_)) if to.is_empty() => (from, usize::MAX),
        (Err(_), Ok(0)) if from.is_empty() => return Some(None),
        (Err(_), Ok(suffix)) if from.is_empty() => (length.saturating_sub(suffix), usize::MAX),
        _ => return None,
    };
    Some(last.filter(|last| from <= *last && from <= to).map(|last| (from, to.min(last))))
}

fn send(mut connection: TcpStream, request: &Request, response: Response, fault: Option<Fault>) -> io::Result<()> {
    let response = match fault {
        Some(Fault::Status(status)) => Response::text(status),
        Some(Fault::Html) => Response::new(200, "text/html", "<!DOCTYPE html><title>Welcome</title>Please log in."),
        _ => response,
    };
    let stated = if let Some(Fault::ContentLength(stated)) = fault { stated } else { response.body.len() };
    let sent = if let Some(Fault::Cut(sent)) = fault { sent.min(response.body.len()) } else { response.body.len() };
    let mut head = format!("HTTP/1.1 {} {}\r\nConnection: close\r\n", response.status, reason(response.status));
    for (name, value) in &response.headers {
        head += &format!("{name}: {value}\r\n");
    }
    if response.status != 304 {
        head += &format!("Content-Length: {stated}\r\n");
    }
    head += "\r\n";
    let body = if request.method == "HEAD" { &[] } else { &response.body[..sent] };
    connection.write_all(&[head.as_bytes(), body].concat())
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        304 => "Not Modified",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        416 => "Range Not Satisfiable",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Status",
    }
}
