//! Reading objects: a bounded set of open files, least recently used out first.

use crate::error::{Error, Result};
use crate::tables::FileContent;
use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use omnipkg_store::objects::{is_written_to, verify_file};
use omnipkg_store::{Digest, Layout};
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Seek};
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
    /// True once its bytes need not be looked at any more; the lock is held while they are.
    trusted: Mutex<bool>,
}

impl OpenObject {
    /// Looks at all bytes, once, of an object that does not have the time of every object.
    fn trust(&self, layout: &Layout, digest: &Digest) -> Result<()> {
        let mut trusted = self.trusted.lock().unwrap_or_else(PoisonError::into_inner);
        if !*trusted {
            verify_file(layout, digest, &self.file).inspect_err(|_| {
                // who waited for this looks again, from the start
                let _ = (&self.file).rewind();
            })?;
            *trusted = true;
        }
        Ok(())
    }
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

    /// The object, whose bytes are looked at first where that is needed: outside the lock, so that only who reads the same
    /// object waits for it.
    fn open(&self, layout: &Layout, digest: Digest) -> Result<Arc<OpenObject>> {
        let object = self.find(layout, digest)?;
        if let Err(error) = object.trust(layout, &digest) {
            // What is put in its place is opened anew.
            self.lock().open.retain(|_, (open, _)| !Arc::ptr_eq(open, &object));
            return Err(error);
        }
        Ok(object)
    }

    fn find(&self, layout: &Layout, digest: Digest) -> Result<Arc<OpenObject>> {
        let mut state = self.lock();
        state.clock += 1;
        let clock = state.clock;
        if let Some((object, used)) = state.open.get_mut(&digest) {
            *used = clock;
            return Ok(Arc::clone(object));
        }
        let failed = |source| Error::Object { digest, source };
        let file = File::open(layout.object(&digest)).map_err(failed)?;
        let trusted = Mutex::new(!is_written_to(&file.metadata().map_err(failed)?));
        if state.open.len() >= MAX_OPEN {
            let oldest = state.open.iter().min_by_key(|(_, (_, used))| *used).map(|(digest, _)| *digest);
            oldest.and_then(|digest| state.open.remove(&digest));
        }
        let object = Arc::new(OpenObject { file, read: AtomicU64::new(0), trusted });
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use nix::sys::stat::Mode;
    use std::io::Write;
    use std::sync::mpsc::channel;
    use std::time::Duration;

    fn content(layout: &Layout, bytes: &[u8]) -> FileContent {
        let digest = Digest::of(bytes);
        std::fs::create_dir_all(layout.object(&digest).parent().unwrap()).unwrap();
        FileContent { digest, size: bytes.len() as u64 }
    }

    #[test]
    fn who_reads_another_object_does_not_wait_while_one_is_verified() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::new(dir.path());
        let objects = Arc::new(OpenObjects::default());
        let read = |content| {
            let (objects, layout, (sender, answers)) = (Arc::clone(&objects), layout.clone(), channel());
            std::thread::spawn(move || sender.send(objects.read(&layout, content, 0, 100)));
            answers
        };
        // It takes as long to verify a pipe as it stays open.
        let slow = content(&layout, b"slow");
        nix::unistd::mkfifo(&layout.object(&slow.digest), Mode::S_IRWXU).unwrap();
        let slow_answer = read(slow);
        let mut pipe = File::options().write(true).open(layout.object(&slow.digest)).unwrap();
        let other = content(&layout, b"other");
        std::fs::write(layout.object(&other.digest), b"other").unwrap();
        let answer = read(other).recv_timeout(Duration::from_secs(60));
        assert_eq!(answer.unwrap().unwrap(), b"other", "it does not wait for the slow one");
        pipe.write_all(b"slaw").unwrap();
        drop(pipe);
        assert!(matches!(slow_answer.recv().unwrap(), Err(Error::Store(_))));
        assert_eq!(objects.count(), 1, "what is damaged is not kept open");
    }
}
