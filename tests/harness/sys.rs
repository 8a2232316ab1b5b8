//! System calls that no safe wrapper here has: a listing in parts that can go back, and a shared mapping.

use nix::errno::Errno;
use nix::libc;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::num::NonZeroUsize;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStringExt;

/// Where the fields of a `linux_dirent64` are: inode (8 bytes), offset (8), length (2), type (1), name.
const OFFSET: std::ops::Range<usize> = 8..16;
const LENGTH: std::ops::Range<usize> = 16..18;
const NAME: usize = 19;

/// An entry of a directory, as `getdents64(2)` gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawEntry {
    /// Its name.
    pub name: OsString,
    /// What `lseek(2)` takes to go on after it.
    pub next: i64,
}

/// One `getdents64(2)` with room for so many bytes; empty at the end.
///
/// # Errors
/// The system's answer.
pub fn entries(directory: &File, room: usize) -> io::Result<Vec<RawEntry>> {
    let mut buffer = vec![0u8; room];
    // SAFETY: the kernel writes at most `room` bytes, which the buffer has.
    #[allow(unsafe_code)]
    let count =
        unsafe { libc::syscall(libc::SYS_getdents64, directory.as_raw_fd(), buffer.as_mut_ptr(), buffer.len()) };
    let mut rest = &buffer[..Errno::result(count)? as usize];
    let mut entries = Vec::new();
    while !rest.is_empty() {
        let length = usize::from(u16::from_ne_bytes(rest[LENGTH].try_into().expect("two bytes")));
        let name = rest[NAME..length].split(|byte| *byte == 0).next().unwrap_or_default();
        let next = i64::from_ne_bytes(rest[OFFSET].try_into().expect("eight bytes"));
        entries.push(RawEntry { name: OsString::from_vec(name.to_vec()), next });
        rest = &rest[length..];
    }
    Ok(entries)
}

/// Reads a whole file through a shared mapping.
///
/// # Errors
/// The system's answer; `EINVAL` for an empty file, as the system has it.
pub fn read_mapped(file: &File) -> io::Result<Vec<u8>> {
    let length = file.metadata()?.len() as usize;
    let length = NonZeroUsize::new(length).ok_or(Errno::EINVAL)?.get();
    // SAFETY: a new mapping, read-only, of a length that the file has.
    #[allow(unsafe_code)]
    let address =
        unsafe { libc::mmap(std::ptr::null_mut(), length, libc::PROT_READ, libc::MAP_SHARED, file.as_raw_fd(), 0) };
    if address == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the mapping is that long, the file never changes, and the bytes are copied before it is taken away.
    #[allow(unsafe_code)]
    let bytes = unsafe { std::slice::from_raw_parts(address.cast::<u8>(), length) }.to_vec();
    // SAFETY: exactly the mapping made above, which nothing refers to any more.
    #[allow(unsafe_code)]
    Errno::result(unsafe { libc::munmap(address, length) })?;
    Ok(bytes)
}
