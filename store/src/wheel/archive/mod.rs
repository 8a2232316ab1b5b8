//! A strict reading of a wheel's zip archive: there is one way to read it, or it is refused.
//!
//! What must stay true:
//!
//! * positions come only from our own reading of the central directory; the zip crate only inflates;
//! * the central directory and every local header agree, and members, directory and end record lie one
//!   after the other from the first byte to the last, so a reader that streams sees the same files;
//! * no name leaves the directory that it is unpacked into, and no two names meet (see `name`);
//! * what is inflated has the declared size and CRC, and sizes are bounded before anything is inflated.
//!
//! [`Directory`] reads the central directory only (enough for one member over HTTP ranges);
//! [`Archive`] checks the whole structure.

mod cursor;
mod directory;
mod local;
mod member;
mod name;

pub use directory::{Directory, Member};
pub(crate) use name::check_path;

use super::error::Fault;
use std::io::{Read, Seek};

/// Bounds on what an archive may declare.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Members, directories included.
    pub members: u64,
    /// Bytes of one inflated member.
    pub member_size: u64,
    /// Bytes of all members, inflated.
    pub total_size: u64,
    /// From this many on, in bytes, they may be [`Self::ratio`] times what they are packed; less does no harm.
    pub ratio_from: u64,
    /// See there.
    pub ratio: u64,
}

impl Limits {
    /// Generous for any real wheel, small enough for a disk. Wheels unpack to two to ten times their size, and what is made
    /// to fill a disk to a thousand times.
    pub const DEFAULT: Self =
        Self { members: 500_000, member_size: 16 << 30, total_size: 64 << 30, ratio_from: 1 << 30, ratio: 100 };
}

/// An archive whose structure was checked as a whole.
pub struct Archive<R> {
    reader: R,
    directory: Directory,
}

impl<R: Read + Seek> Archive<R> {
    /// Reads and checks the structure: the directory, every local header, every name.
    ///
    /// # Errors
    /// A [`Fault`] that says what is malformed or ambiguous; [`Fault::Read`] if the reader fails.
    pub fn open(mut reader: R) -> Result<Self, Fault> {
        let directory = Directory::read(&mut reader, Limits::DEFAULT)?;
        name::check_distinct(directory.members())?;
        local::check(&mut reader, &directory)?;
        Ok(Self { reader, directory })
    }

    /// The members, in the order of the central directory.
    pub fn members(&self) -> &[Member] {
        self.directory.members()
    }

    /// Inflates one member into `consume`, checking size and CRC on the way.
    ///
    /// # Errors
    /// What `consume` returns, or a [`Fault`] if the member is not what the archive declares, also when
    /// `consume` did not read to the end.
    pub fn read_member<T, E: From<Fault>>(
        &mut self,
        member: &Member,
        consume: impl FnOnce(&mut dyn Read) -> Result<T, E>,
    ) -> Result<T, E> {
        let data_start = local::data_start(&mut self.reader, member)?;
        member::inflate(&mut self.reader, member, data_start, consume)
    }
}

/// Inflates one member that is at most `limit` bytes long into memory, reading nothing but its bytes.
///
/// # Errors
/// A [`Fault`] as for [`Archive::read_member`], or if the member is larger than `limit`.
pub fn read_small<R: Read + Seek>(reader: &mut R, member: &Member, limit: u64) -> Result<Vec<u8>, Fault> {
    if member.size > limit {
        return Err(Fault::member(&member.path, format!("it is larger than {limit} bytes")));
    }
    let data_start = local::data_start(reader, member)?;
    member::inflate(reader, member, data_start, |inflated| {
        let mut bytes = Vec::new();
        inflated.read_to_end(&mut bytes).map_err(Fault::from)?;
        Ok(bytes)
    })
}

impl<R: Read + Seek> Archive<R> {
    /// [`read_small`] on this archive.
    ///
    /// # Errors
    /// See [`read_small`].
    pub fn read_small(&mut self, member: &Member, limit: u64) -> Result<Vec<u8>, Fault> {
        read_small(&mut self.reader, member, limit)
    }
}
