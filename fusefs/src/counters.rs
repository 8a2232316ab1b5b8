//! Counts requests of the kernel by kind, to see what the caches save, and whether a server gets on.
//!
//! The numbers lie in memory that has a descriptor: they outlive the process that counts, and another process reads them
//! without asking it. What must stay true: `begun` is never behind `answered`, but for a server that was killed in between.

use crate::sys::SharedWords;
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::Ordering;

macro_rules! requests {
    ($($variant:ident = $name:literal),+ $(,)?) => {
        /// The kinds of requests that are counted.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(missing_docs)]
        pub enum Request { $($variant),+ }

        const NAMES: &[&str] = &[$($name),+];
    };
}

requests! {
    Lookup = "lookup", Forget = "forget", Getattr = "getattr", Readlink = "readlink", Open = "open",
    Read = "read", Flush = "flush", Opendir = "opendir", Readdir = "readdir", Readdirplus = "readdirplus",
    Statfs = "statfs", Access = "access", Xattr = "xattr", Ioctl = "ioctl", Mutation = "mutation",
    Other = "other",
}

/// Words before those of the kinds. Later versions add words at the end only: the memory is handed from version to version.
const BEGUN: usize = 0;
const ANSWERED: usize = 1;
const LOST: usize = 2;
const SERVERS: usize = 3;
const PROCESS: usize = 4;
const DOWN: usize = 5;
const FIRST_KIND: usize = 6;
const WORDS: usize = FIRST_KIND + NAMES.len();
const LENGTH: u64 = (WORDS * size_of::<u64>()) as u64;

/// One counter for each kind of request, and what a watcher needs to know of the server.
#[derive(Debug)]
pub struct Counters {
    file: File,
    words: SharedWords,
}

/// A request that is being dealt with; dropping it counts the answer.
#[derive(Debug)]
pub struct InFlight<'a>(&'a Counters);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.add(ANSWERED);
    }
}

impl Counters {
    /// New ones, all zero.
    ///
    /// # Errors
    /// Whatever memfd_create(2), ftruncate(2) or mmap(2) fails with.
    pub fn create() -> io::Result<Self> {
        let file = File::from(memfd_create(c"omnipkg-counters", MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING)?);
        file.set_len(LENGTH)?;
        // nobody can make it shorter: reading the mapping cannot fail
        fcntl(&file, FcntlArg::F_ADD_SEALS(SealFlag::F_SEAL_SHRINK | SealFlag::F_SEAL_SEAL))?;
        Self::from_file(file)
    }

    /// Those that another process made.
    ///
    /// # Errors
    /// If it is none of ours, or mmap(2) fails.
    pub fn adopt(descriptor: OwnedFd) -> io::Result<Self> {
        Self::from_file(File::from(descriptor))
    }

    fn from_file(file: File) -> io::Result<Self> {
        if file.metadata()?.len() < LENGTH {
            // an older omnipkg's
            file.set_len(LENGTH)?;
        }
        let words = SharedWords::map(&file, WORDS)?;
        Ok(Self { file, words })
    }

    /// What another process adopts.
    pub fn file(&self) -> &File {
        &self.file
    }

    fn word(&self, index: usize) -> u64 {
        self.words.get(index).map_or(0, |word| word.load(Ordering::Acquire))
    }

    fn add(&self, index: usize) {
        if let Some(word) = self.words.get(index) {
            word.fetch_add(1, Ordering::AcqRel);
        }
    }

    fn set(&self, index: usize, value: u64) {
        if let Some(word) = self.words.get(index) {
            word.store(value, Ordering::Release);
        }
    }

    /// Counts a request that is being dealt with as long as the answer lives.
    pub fn begin(&self, request: Request) -> InFlight<'_> {
        self.add(FIRST_KIND + request as usize);
        self.add(BEGUN);
        InFlight(self)
    }

    /// Says that a server begins: it owes no answer to what a former one had begun.
    pub fn server_begins(&self, process: u32) {
        self.set(PROCESS, u64::from(process));
        self.add(SERVERS);
        self.set(LOST, self.word(BEGUN).saturating_sub(self.word(ANSWERED)));
    }

    /// Requests that were answered so far.
    pub fn answered(&self) -> u64 {
        self.word(ANSWERED)
    }

    /// Requests that the server has begun and not answered.
    pub fn in_flight(&self) -> u64 {
        let (lost, answered) = (self.word(LOST), self.word(ANSWERED));
        self.word(BEGUN).saturating_sub(answered + lost)
    }

    /// Says that the mount was taken down: only those who use it still are served.
    pub fn take_down(&self) {
        self.set(DOWN, 1);
    }

    /// True once the mount was taken down.
    pub fn is_down(&self) -> bool {
        self.word(DOWN) != 0
    }

    /// How many servers there have been.
    pub fn servers(&self) -> u64 {
        self.word(SERVERS)
    }

    /// The process that serves, or served last; 0 if none did.
    pub fn process(&self) -> u64 {
        self.word(PROCESS)
    }

    /// How many requests of each kind there were.
    pub fn snapshot(&self) -> Vec<(&'static str, u64)> {
        NAMES.iter().zip(FIRST_KIND..).map(|(name, index)| (*name, self.word(index))).collect()
    }

    /// How many requests of one kind there were.
    pub fn get(&self, request: Request) -> u64 {
        self.word(FIRST_KIND + request as usize)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_own_counter_and_name() {
        let counters = Counters::create().unwrap();
        drop(counters.begin(Request::Lookup));
        drop(counters.begin(Request::Other));
        let last = counters.begin(Request::Other);
        let counted: Vec<_> = counters.snapshot().into_iter().filter(|(_, count)| *count > 0).collect();
        assert_eq!(counted, [("lookup", 1), ("other", 2)]);
        assert_eq!(counters.get(Request::Other), 2);
        assert_eq!((counters.answered(), counters.in_flight()), (2, 1), "the last one is not answered yet");
        drop(last);
        assert_eq!((counters.answered(), counters.in_flight()), (3, 0));
    }

    #[test]
    fn another_process_sees_the_same_and_a_new_server_owes_nothing() {
        let counters = Counters::create().unwrap();
        std::mem::forget(counters.begin(Request::Read));
        let adopted = Counters::adopt(counters.file().try_clone().unwrap().into()).unwrap();
        assert_eq!((adopted.answered(), adopted.in_flight()), (0, 1));
        adopted.server_begins(77);
        assert_eq!((counters.in_flight(), counters.servers(), counters.process()), (0, 1, 77));
        assert!(counters.file().set_len(8).is_err(), "it cannot be made shorter");
        assert!(!counters.is_down());
        adopted.take_down();
        assert!(counters.is_down());
    }

    #[test]
    fn the_memory_of_an_older_omnipkg_is_made_longer() {
        let file = File::from(memfd_create(c"older", MFdFlags::MFD_CLOEXEC).unwrap());
        file.set_len(64).unwrap();
        let counters = Counters::adopt(file.into()).unwrap();
        drop(counters.begin(Request::Other));
        assert_eq!(counters.get(Request::Other), 1);
    }
}
