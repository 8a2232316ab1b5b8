//! The one place in this crate with `unsafe`: mapping immutable files.

use memmap2::Mmap;
use std::fs::File;
use std::io;

/// Maps a whole file read-only.
///
/// Only for files that are never changed after publishing (view manifests, mode 0444).
#[allow(unsafe_code)]
pub(crate) fn map_file(file: &File) -> io::Result<Mmap> {
    // SAFETY: manifests are published by rename and never written again, so the mapping cannot
    // change beneath us; a truncation by a stranger would be a SIGBUS, which is the same trust
    // that every mmapped library asks for. Every read of the bytes is bounds-checked.
    unsafe { Mmap::map(file) }
}
