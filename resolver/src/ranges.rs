//! A wheel over HTTP ranges, as something that can be read and sought in.
//!
//! The end of the file comes first, in one request; if the archive's directory begins before it, that comes
//! in a second. After that METADATA is usually there already. A read of what is not there fails and notes
//! where: the caller fetches that and reads again, so that no thread ever waits for the network inside `read`.

use crate::client::{Client, bad_status, identity, is_no_page, read_body};
use crate::error::{Error, Result};
use crate::shared::Shared;
use reqwest::header::{CONTENT_RANGE, HeaderMap, HeaderValue, RANGE};
use reqwest::{Response, StatusCode};
use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom};
use url::Url;

/// Bytes of the first request: enough for a small wheel's directory, RECORD and METADATA.
const TAIL: u64 = 32 << 10;
/// Least bytes of a later request.
const CHUNK: u64 = 32 << 10;
/// Most bytes that are fetched at once for a directory.
const MAX_DIRECTORY: u64 = 64 << 20;

/// How a server answered the request for a wheel's end.
pub(crate) enum Opened {
    /// It knows ranges.
    Ranges(SparseFile),
    /// It does not: this is the whole file, still to be read.
    Whole(Box<Response>),
}

/// The parts of a remote file that were fetched.
pub(crate) struct SparseFile {
    length: u64,
    position: u64,
    /// Start → bytes; they never overlap.
    pieces: BTreeMap<u64, Vec<u8>>,
    /// Where the last read found nothing.
    missing: Option<u64>,
    /// Bytes to fetch next time; doubles each time.
    chunk: u64,
}

/// Asks for the end of a file.
pub(crate) async fn open(shared: &Shared, url: &Url) -> Result<Opened> {
    let mut attempt = 1;
    loop {
        match open_once(&shared.client, url).await {
            Err(error) if shared.client.again(url, attempt, &error).await => attempt += 1,
            other => return other,
        }
    }
}

async fn open_once(client: &Client, url: &Url) -> Result<Opened> {
    let response = match client.send_once(url, &ranged(&format!("bytes=-{TAIL}"))?).await {
        Ok(response) => response,
        Err(Error::Status { status: 501, .. }) => return whole(client, url).await,
        Err(error) => return Err(error),
    };
    match response.status() {
        StatusCode::OK => is_no_page(url, response.headers()).map(|()| Opened::Whole(Box::new(response))),
        StatusCode::PARTIAL_CONTENT => {
            let Some((start, length)) = content_range(response.headers()) else { return whole(client, url).await };
            let tail = read_body(url, response, TAIL as usize).await?.bytes;
            if start.checked_add(tail.len() as u64) != Some(length) {
                return Err(Error::answer(url, "the range is not the one that was asked for"));
            }
            let directory = directory_start(&tail).filter(|at| *at < start && start - at <= MAX_DIRECTORY);
            let mut pieces = BTreeMap::from([(start, tail)]);
            if let Some(at) = directory {
                pieces.insert(at, fetch(client, url, at, start).await?);
            }
            Ok(Opened::Ranges(SparseFile { length, position: 0, pieces, missing: None, chunk: CHUNK }))
        }
        StatusCode::RANGE_NOT_SATISFIABLE | StatusCode::BAD_REQUEST | StatusCode::METHOD_NOT_ALLOWED => {
            whole(client, url).await
        }
        status => Err(bad_status(url, status)),
    }
}

async fn whole(client: &Client, url: &Url) -> Result<Opened> {
    let response = client.send_once(url, &identity()).await?;
    match response.status() {
        StatusCode::OK => is_no_page(url, response.headers()).map(|()| Opened::Whole(Box::new(response))),
        status => Err(bad_status(url, status)),
    }
}

fn ranged(range: &str) -> Result<HeaderMap> {
    let mut headers = identity();
    let value = HeaderValue::from_str(range).map_err(|error| Error::Internal(error.to_string()))?;
    headers.insert(RANGE, value);
    Ok(headers)
}

/// The bytes `start..end`.
async fn fetch(client: &Client, url: &Url, start: u64, end: u64) -> Result<Vec<u8>> {
    let range = format!("bytes={start}-{}", end.saturating_sub(1));
    let length = usize::try_from(end.saturating_sub(start)).unwrap_or(usize::MAX);
    let body = client.body(url, &ranged(&range)?, length).await?;
    if body.status != StatusCode::PARTIAL_CONTENT || content_range(&body.headers).map(|(at, _)| at) != Some(start) {
        return Err(Error::answer(url, "it answered a range request with something else"));
    }
    if body.bytes.len() != length {
        return Err(Error::answer(url, "the range is not the one that was asked for"));
    }
    Ok(body.bytes)
}

/// First byte and total length of `Content-Range: bytes 5-9/10`.
pub(crate) fn content_range(headers: &HeaderMap) -> Option<(u64, u64)> {
    parse_content_range(headers.get(CONTENT_RANGE)?.to_str().ok()?)
}

fn parse_content_range(value: &str) -> Option<(u64, u64)> {
    let (range, length) = value.trim().strip_prefix("bytes")?.trim_start().split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last, length): (u64, u64, u64) = (first.parse().ok()?, last.parse().ok()?, length.parse().ok()?);
    (first <= last && last < length).then_some((first, length))
}

/// Where the central directory begins, from the end record in a file's last bytes; only a hint.
fn directory_start(tail: &[u8]) -> Option<u64> {
    let at = tail.windows(4).rposition(|window| window == b"PK\x05\x06")?;
    let bytes: [u8; 4] = tail.get(at + 16..at + 20)?.try_into().ok()?;
    Some(u64::from(u32::from_le_bytes(bytes)))
}

impl SparseFile {
    /// Fetches what the last read lacked; false if it lacked nothing.
    pub(crate) async fn fill(&mut self, shared: &Shared, url: &Url) -> Result<bool> {
        let Some(at) = self.missing.take() else { return Ok(false) };
        let next = self.pieces.range(at..).next().map_or(self.length, |(start, _)| *start);
        let bytes = fetch(&shared.client, url, at, at.saturating_add(self.chunk).min(next)).await?;
        self.pieces.insert(at, bytes);
        self.chunk *= 2;
        Ok(true)
    }

    /// Bytes that are here, beginning at the position.
    fn here(&self) -> Option<&[u8]> {
        let (start, bytes) = self.pieces.range(..=self.position).next_back()?;
        let offset = usize::try_from(self.position - start).ok()?;
        bytes.get(offset..).filter(|rest| !rest.is_empty())
    }
}

impl Read for SparseFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.position >= self.length || buffer.is_empty() {
            return Ok(0);
        }
        let Some(bytes) = self.here() else {
            self.missing = Some(self.position);
            return Err(io::Error::other("these bytes were not fetched yet"));
        };
        let count = bytes.len().min(buffer.len());
        buffer[..count].copy_from_slice(&bytes[..count]);
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for SparseFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(offset) => self.length.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = target.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_noted() {
        let pieces = BTreeMap::from([(10, b"0123456789".to_vec())]);
        let mut file = SparseFile { length: 20, position: 0, pieces, missing: None, chunk: CHUNK };
        let mut buffer = [0; 4];
        file.seek(SeekFrom::End(-6)).unwrap();
        file.read_exact(&mut buffer).unwrap();
        assert_eq!(&buffer, b"4567");
        assert_eq!(file.read(&mut buffer).unwrap(), 2);
        assert_eq!(file.read(&mut buffer).unwrap(), 0);
        file.seek(SeekFrom::Start(3)).unwrap();
        assert!(file.read(&mut buffer).is_err());
        assert_eq!(file.missing, Some(3));
        assert!(file.seek(SeekFrom::Current(-9)).is_err());
    }

    #[test]
    fn content_ranges() {
        assert_eq!(parse_content_range("bytes 5-9/10"), Some((5, 10)));
        for bad in ["bytes 5-9/*", "bytes */10", "5-9/10", "bytes 9-5/10", "bytes 5-10/10"] {
            assert_eq!(parse_content_range(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_end_record_tells_where_the_directory_is() {
        let mut tail = b"xxPK\x05\x06".to_vec();
        tail.extend([0; 12]);
        tail.extend(77u32.to_le_bytes());
        tail.extend([0, 0]);
        assert_eq!(directory_start(&tail), Some(77));
        assert_eq!(directory_start(&tail[..15]), None);
        assert_eq!(directory_start(b"no record"), None);
    }
}
