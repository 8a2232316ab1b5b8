//! What the resolver tells a display, and nothing about how it is drawn.

/// Receives progress, from several threads at once; every method may do nothing.
pub trait Progress: Send + Sync {
    /// A version of a project was chosen, for now.
    fn resolving(&self, _name: &str, _version: &str) {}
    /// A wheel's download begins; its size in bytes if it is known.
    fn fetching(&self, _filename: &str, _bytes_total: Option<u64>) {}
    /// So many more bytes of it have come.
    fn fetched_bytes(&self, _filename: &str, _bytes: u64) {}
    /// A source is being built.
    fn building(&self, _source: &str) {}
    /// It has come whole and is being ingested.
    fn fetched(&self, _filename: &str) {}
    /// Something to know of what was chosen, which does not keep anybody from going on.
    fn warning(&self, _text: &str) {}
    /// The operation has ended, well or not.
    fn done(&self) {}
}

/// Draws nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {}
