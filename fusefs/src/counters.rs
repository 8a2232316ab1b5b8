//! Counts requests of the kernel by kind, to see what the caches save.

use std::sync::atomic::{AtomicU64, Ordering};

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

/// One counter for each kind of request.
#[derive(Debug, Default)]
pub struct Counters([AtomicU64; NAMES.len()]);

impl Counters {
    /// Counts one request.
    pub fn count(&self, request: Request) {
        if let Some(counter) = self.0.get(request as usize) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many requests of each kind there were.
    pub fn snapshot(&self) -> Vec<(&'static str, u64)> {
        NAMES.iter().zip(&self.0).map(|(name, counter)| (*name, counter.load(Ordering::Relaxed))).collect()
    }

    /// How many requests of one kind there were.
    pub fn get(&self, request: Request) -> u64 {
        self.0.get(request as usize).map_or(0, |counter| counter.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_own_counter_and_name() {
        let counters = Counters::default();
        counters.count(Request::Lookup);
        counters.count(Request::Other);
        counters.count(Request::Other);
        let counted: Vec<_> = counters.snapshot().into_iter().filter(|(_, count)| *count > 0).collect();
        assert_eq!(counted, [("lookup", 1), ("other", 2)]);
        assert_eq!(counters.get(Request::Other), 2);
    }
}
