//! Inflating one member. The zip crate inflates and checks the CRC; where the data is and how long it must
//! be comes from the central directory only: the crate is shown a local header that is made here.

use super::Member;
use crate::wheel::error::Fault;
use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom};
use zip::ZipReadOptions;
use zip::read::read_zipfile_from_stream_with_options;

const READ_AHEAD: u64 = 128 * 1024;

pub(super) fn inflate<R: Read + Seek, T, E: From<Fault>>(
    reader: &mut R,
    member: &Member,
    data_start: u64,
    consume: impl FnOnce(&mut dyn Read) -> Result<T, E>,
) -> Result<T, E> {
    reader.seek(SeekFrom::Start(data_start)).map_err(Fault::from)?;
    let header = local_header(member.method);
    let capacity = member.compressed_size.clamp(64, READ_AHEAD) as usize;
    let data = BufReader::with_capacity(capacity, reader.take(member.compressed_size));
    let mut stream = header.as_slice().chain(data);
    let options = ZipReadOptions::default()
        .override_compressed_size(member.compressed_size)
        .override_uncompressed_size(member.size)
        .override_crc(member.crc);
    let opened = read_zipfile_from_stream_with_options(&mut stream, options);
    let Ok(Some(file)) = opened else {
        return Err(Fault::member(&member.path, "it cannot be inflated").into());
    };
    let mut inflated = Inflated { file, remaining: member.size, failure: None };
    let result = consume(&mut inflated);
    let rest = if inflated.failure.is_none() && result.is_ok() { finish(&mut inflated) } else { Ok(()) };
    match (inflated.failure, rest) {
        (Some(failure), _) => Err(describe(failure, member).into()),
        (None, Err(_)) => Err(Fault::member(&member.path, "it cannot be inflated").into()),
        (None, Ok(())) => result,
    }
}

/// A consumer that stopped early has not seen the CRC checked.
fn finish(inflated: &mut impl Read) -> io::Result<()> {
    io::copy(inflated, &mut io::sink()).map(drop)
}

fn describe(failure: io::Error, member: &Member) -> Fault {
    match failure.kind() {
        ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::UnexpectedEof => {
            Fault::member(&member.path, failure.to_string())
        }
        _ => Fault::Read(failure),
    }
}

/// A local header that says only how to inflate: everything else is given as options. It has the flag for
/// a data descriptor, since the zip crate takes the compressed size from the options only then.
fn local_header(method: u16) -> [u8; 31] {
    let mut header = [0u8; 31];
    header[..4].copy_from_slice(b"PK\x03\x04");
    header[4] = 20;
    header[6] = 1 << 3;
    header[8..10].copy_from_slice(&method.to_le_bytes());
    header[26] = 1;
    header[30] = b'_';
    header
}

/// Keeps the first failure, since the consumer wraps it in an error of its own; enforces the size.
struct Inflated<R> {
    file: R,
    remaining: u64,
    failure: Option<io::Error>,
}

impl<R: Read> Read for Inflated<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.failure.is_some() {
            return Err(io::Error::other("the member failed before"));
        }
        let outcome = match self.file.read(buffer) {
            Ok(0) if self.remaining > 0 => Err(invalid("it is shorter than it declares")),
            Ok(count) if count as u64 > self.remaining => Err(invalid("it is longer than it declares")),
            outcome => outcome,
        };
        match outcome {
            Ok(count) => {
                self.remaining -= count as u64;
                Ok(count)
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Err(error),
            Err(error) => {
                let kind = error.kind();
                self.failure = Some(error);
                Err(io::Error::from(kind))
            }
        }
    }
}

fn invalid(reason: &'static str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, reason)
}
