//! Reading objects: a bounded set of open files, least recently used out first.

use crate::error::{Error, Result};
use crate::tables::FileContent;
use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use omnipkg_store::objects::{is_written_to, seal_again};
use omnipkg_store::{Digest, Layout};
use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Open files at a time: well below the usual limit of 1024 descriptors.
const MAX_OPEN: usize = 256;

/// From this size on, an object's own pages are dropped once the kernel has them in FUSE's cache.
const LARGE: u64 = 1 << 20;

struct OpenObject {
    file: File,
    /// Bytes read since the pages were dropped last.
    read: AtomicU64,
}

#[derive(Default)]
struct State {
    clock: u64,
    open: HashMap<Digest, (Arc<OpenObject>, u64)>,
}

/// See the module.
#[derive(Default)]
pub(crate) struct OpenObjects {
    state: Mutex<State>,
}

impl OpenObjects {
    fn lock(&self) -> MutexGuard<'_, State> {
        // a cache: any state of it is valid
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads up to `length` bytes at `offset`: fewer only at the end that the manifest states.
    ///
    /// # Errors
    /// [`Error::Object`] and [`Error::ShortObject`].
    pub(crate) fn read(&self, layout: &Layout, content: FileContent, offset: u64, length: u32) -> Result<Vec<u8>> {
        let FileContent { digest, size } = content;
        let length = u64::from(length).min(size.saturating_sub(offset));
        if length == 0 {
            return Ok(Vec::new());
        }
        let object = self.open(layout, digest)?;
        // at most a u32
        let mut bytes = vec![0; length as usize];
        match object.file.read_exact_at(&mut bytes, offset) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                let end = object.file.metadata().map_or(offset, |metadata| metadata.len());
                return Err(Error::ShortObject { digest, end, size });
            }
            Err(source) => return Err(Error::Object { digest, source }),
        }
        if size >= LARGE {
            drop_pages_when_read(&object, size, length);
        }
        Ok(bytes)
    }

    fn open(&self, layout: &Layout, digest: Digest) -> Result<Arc<OpenObject>> {
        let mut state = self.lock();
        state.clock += 1;
        let clock = state.clock;
        if let Some((object, used)) = state.open.get_mut(&digest) {
            *used = clock;
            return Ok(Arc::clone(object));
        }
        let failed = |source| Error::Object { digest, source };
        let file = File::open(layout.object(&digest)).map_err(failed)?;
        if is_written_to(&file.metadata().map_err(failed)?) {
            seal_again(layout, &digest)?;
        }
        if state.open.len() >= MAX_OPEN {
            let oldest = state.open.iter().min_by_key(|(_, (_, used))| *used).map(|(digest, _)| *digest);
            oldest.and_then(|digest| state.open.remove(&digest));
        }
        let object = Arc::new(OpenObject { file, read: AtomicU64::new(0) });
        state.open.insert(digest, (Arc::clone(&object), clock));
        Ok(object)
    }

    pub(crate) fn close(&self, digest: &Digest) {
        self.lock().open.remove(digest);
    }

    pub(crate) fn count(&self) -> usize {
        self.lock().open.len()
    }
}

/// The kernel asks for each page once; when it has all of them, ours are of no more use.
fn drop_pages_when_read(object: &OpenObject, size: u64, length: u64) {
    let read = object.read.fetch_add(length, Ordering::Relaxed) + length;
    if read < size {
        return;
    }
    object.read.store(0, Ordering::Relaxed);
    // advice only: without it, memory holds the file twice
    if let Err(error) = posix_fadvise(&object.file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED) {
        tracing::debug!(%error, "cannot drop the pages of an object");
    }
}
