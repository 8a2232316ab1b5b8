//! The one place in this crate with `unsafe`: words that two processes share, and putting a descriptor in another's place.

use memmap2::MmapRaw;
use nix::errno::Errno;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::atomic::AtomicU64;

/// A file's first words, mapped and shared with every process that maps the same file.
#[derive(Debug)]
pub(crate) struct SharedWords {
    map: MmapRaw,
    count: usize,
}

impl SharedWords {
    /// Maps `count` words; the file must hold them and be sealed against shrinking.
    pub(crate) fn map(file: &File, count: usize) -> io::Result<Self> {
        let map = MmapRaw::map_raw(file)?;
        if map.len() < count * size_of::<u64>() {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the shared counters are too short"));
        }
        Ok(Self { map, count })
    }

    /// One of the words.
    #[allow(unsafe_code)]
    pub(crate) fn get(&self, index: usize) -> Option<&AtomicU64> {
        // SAFETY: the index is within the mapping (checked when it was made), a mapping is aligned to a page, lives as
        // long as `self`, and is only ever used through atomics, here and in the other processes.
        (index < self.count).then(|| unsafe { AtomicU64::from_ptr(self.map.as_mut_ptr().cast::<u64>().add(index)) })
    }
}

/// Makes `target` another name of what `source` names, as dup3(2) does: who holds `target` goes on with `source`'s file.
#[allow(unsafe_code)]
pub(crate) fn replace_descriptor(target: BorrowedFd<'_>, source: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: both are open for the length of the call; the owner of `target` keeps owning that number, which stays open.
    let result = unsafe { nix::libc::dup3(source.as_raw_fd(), target.as_raw_fd(), nix::libc::O_CLOEXEC) };
    Errno::result(result).map(drop).map_err(io::Error::from)
}
