//! The bytes of a file that never changes, mapped or read.

use std::fs::File;
use std::io;
use std::ops::Deref;
use std::os::unix::fs::FileExt;

/// A file of up to this many bytes that is soon let go of is read: mapping one, touching and unmapping it takes longer.
const MAPPED_FROM: u64 = 64 * 1024;

/// The bytes of a file that never changes.
pub(crate) struct FileBytes(Data);

/// Bytes of a file, or of none.
enum Data {
    Mapped(memmap2::Mmap),
    Owned(Vec<u8>),
}

impl FileBytes {
    /// All of a file that is kept open for long: its pages are the kernel's to drop.
    pub(super) fn mapped(file: &File) -> io::Result<Self> {
        crate::sys::map_file(file).map(|map| Self(Data::Mapped(map)))
    }

    /// All of a file of a known length that is soon let go of.
    pub(crate) fn of(file: &File, length: u64) -> io::Result<Self> {
        if length > MAPPED_FROM {
            return Self::mapped(file);
        }
        let mut bytes = vec![0; length as usize];
        file.read_exact_at(&mut bytes, 0)?;
        Ok(Self(Data::Owned(bytes)))
    }
}

impl From<Vec<u8>> for FileBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Data::Owned(bytes))
    }
}

impl Deref for FileBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Data::Mapped(map) => map,
            Data::Owned(bytes) => bytes,
        }
    }
}
