//! A row of a page: read already, or a line of a cached page that is read when it is looked at.
//!
//! Pages have tens of thousands of rows, and a resolution looks at few: parsing all of them is most of its time.

use super::{File, compact};
use std::ops::Range;
use std::sync::Arc;

/// A file of a page.
#[derive(Debug, Clone)]
pub(crate) enum Row {
    /// Read.
    Read(Arc<File>),
    /// A line of a cached page, whose bytes are those that were written.
    Kept(Arc<String>, Range<usize>),
}

impl Row {
    /// The file's name.
    pub(crate) fn filename(&self) -> &str {
        match self {
            Self::Read(file) => &file.filename,
            Self::Kept(text, at) => text.get(at.clone()).and_then(|line| line.split('\t').next()).unwrap_or_default(),
        }
    }

    /// The file; `None` only for a line that no page was kept with.
    pub(crate) fn read(&self) -> Option<Arc<File>> {
        match self {
            Self::Read(file) => Some(file.clone()),
            Self::Kept(text, at) => compact::file(text.get(at.clone())?).map(Arc::new),
        }
    }
}

impl From<File> for Row {
    fn from(file: File) -> Self {
        Self::Read(Arc::new(file))
    }
}

impl From<Arc<File>> for Row {
    fn from(file: Arc<File>) -> Self {
        Self::Read(file)
    }
}
