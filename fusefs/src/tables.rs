//! What inode numbers stand for right now: the state that lookups make and forgets drop.
//!
//! Nothing here is needed to answer a question, everything can be found on disk again; the tables save
//! the search and notice when one number would stand for two things.

use crate::error::{Error, Result};
use crate::folders::{self, Folders};
use crate::inode::{Inode, InodeKind, ViewPrefix};
use omnipkg_store::bytecode::Key;
use omnipkg_store::objects::{is_written_to, verify};
use omnipkg_store::view::description::ViewDescription;
use omnipkg_store::view::manifest::ViewManifest;
use omnipkg_store::{Digest, Layout, ViewId};
use std::collections::HashMap;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// A view whose manifest is opened when first needed.
pub(crate) struct View {
    pub(crate) id: ViewId,
    pub(crate) prefix: ViewPrefix,
    manifest: OnceLock<ViewManifest>,
    /// The cache tag and the magic number of the view's own interpreter, if the view is described.
    interpreter: OnceLock<Option<(String, u32)>>,
    key: OnceLock<Key>,
    imports: AtomicBool,
}

impl View {
    pub(crate) fn new(id: ViewId) -> Self {
        Self {
            id,
            prefix: ViewPrefix::of(&id),
            manifest: OnceLock::new(),
            interpreter: OnceLock::new(),
            key: OnceLock::new(),
            imports: AtomicBool::new(false),
        }
    }

    /// True once: a program imports from this view.
    pub(crate) fn is_first_import(&self) -> bool {
        !self.imports.swap(true, Ordering::Relaxed)
    }

    /// One that a crash may have cut short is looked through first.
    ///
    /// # Errors
    /// [`Error::Store`] if the view is gone or damaged.
    pub(crate) fn manifest(&self, layout: &Layout) -> Result<&ViewManifest> {
        if let Some(manifest) = self.manifest.get() {
            return Ok(manifest);
        }
        let opened = ViewManifest::open_whole(layout, &self.id)?;
        Ok(self.manifest.get_or_init(|| opened))
    }

    /// Where bytecode of a cache tag is. Of interpreters other than the view's own no more is known than the tag.
    pub(crate) fn bytecode_key(&self, layout: &Layout, cache_tag: &str) -> Key {
        let interpreter = self.interpreter.get_or_init(|| {
            let description =
                ViewDescription::read(layout, self.manifest(layout).ok()?, &layout.view(&self.id)).ok()?;
            Some((description.cache_tag, description.magic))
        });
        let magic = match interpreter {
            Some((own, magic)) if own == cache_tag => *magic,
            _ => return Key::of(layout, cache_tag, 0),
        };
        if let Some(key) = self.key.get() {
            return key.clone();
        }
        match Key::settled(layout, cache_tag, magic) {
            Some(key) => self.key.get_or_init(|| key).clone(),
            None => Key::of(layout, cache_tag, 0),
        }
    }
}

/// The content that a file's inode number stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileContent {
    pub(crate) digest: Digest,
    pub(crate) size: u64,
}

#[derive(Default)]
struct State {
    files: HashMap<Inode, (FileContent, u64)>,
    views: HashMap<ViewPrefix, (Arc<View>, u64)>,
}

/// See the module.
#[derive(Default)]
pub(crate) struct Tables {
    state: Mutex<State>,
    folders: Folders,
}

impl Tables {
    fn lock(&self) -> MutexGuard<'_, State> {
        // every change is one insertion or removal: a panic cannot leave half of one
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts references of the kernel to a file.
    ///
    /// # Errors
    /// [`Error::Clash`] if the number stands for other content already.
    pub(crate) fn retain_file(&self, inode: Inode, content: FileContent, count: u64) -> Result<()> {
        let mut state = self.lock();
        let (present, references) = state.files.entry(inode).or_insert((content, 0));
        if *present != content {
            let describe = |content: &FileContent| format!("{} ({} bytes)", content.digest, content.size);
            return Err(Error::Clash { inode, first: describe(present), second: describe(&content) });
        }
        *references += count;
        Ok(())
    }

    /// Counts references of the kernel to directories and links of a view, and gives the shared view.
    ///
    /// # Errors
    /// [`Error::Clash`] if another view has the same prefix.
    pub(crate) fn retain_view(&self, inode: Inode, view: View, count: u64) -> Result<Arc<View>> {
        let mut state = self.lock();
        let id = view.id;
        let (present, references) = state.views.entry(view.prefix).or_insert_with(|| (Arc::new(view), 0));
        if present.id != id {
            return Err(Error::Clash { inode, first: present.id.to_string(), second: id.to_string() });
        }
        *references += count;
        Ok(Arc::clone(present))
    }

    /// Drops references; what has none left is dropped. True if the file is gone from the table.
    pub(crate) fn forget(&self, inode: Inode, count: u64) -> bool {
        let mut state = self.lock();
        match inode.kind() {
            InodeKind::Root => false,
            InodeKind::File { .. } => forget_in(&mut state.files, &inode, count),
            InodeKind::Node { view, .. } | InodeKind::Bytecode { view, .. } => {
                forget_in(&mut state.views, &view, count);
                false
            }
        }
    }

    /// Finds the content of an inode number that another server handed out.
    ///
    /// # Errors
    /// [`Error::Unknown`], or [`Error::Clash`] if two objects could be meant.
    pub(crate) fn find_file(&self, layout: &Layout, inode: Inode) -> Result<FileContent> {
        let digest = self.folders.find(layout, inode)?;
        let metadata = fs::metadata(layout.object(&digest)).map_err(|source| Error::Object { digest, source })?;
        // its size is all that is known of it here, so it has to be the one that was ingested
        if is_written_to(&metadata) {
            verify(layout, &digest)?;
        }
        Ok(FileContent { digest, size: metadata.len() })
    }

    pub(crate) fn file(&self, inode: Inode) -> Option<FileContent> {
        self.lock().files.get(&inode).map(|(content, _)| *content)
    }

    pub(crate) fn view(&self, prefix: ViewPrefix) -> Option<Arc<View>> {
        self.lock().views.get(&prefix).map(|(view, _)| Arc::clone(view))
    }

    /// How many files and views are remembered.
    pub(crate) fn sizes(&self) -> (usize, usize) {
        let state = self.lock();
        (state.files.len(), state.views.len())
    }
}

fn forget_in<K: std::hash::Hash + Eq, V>(table: &mut HashMap<K, (V, u64)>, key: &K, count: u64) -> bool {
    let Some((_, references)) = table.get_mut(key) else { return true };
    *references = references.saturating_sub(count);
    if *references > 0 {
        return false;
    }
    table.remove(key);
    true
}

/// Finds the view of an inode number that another server handed out.
///
/// # Errors
/// [`Error::Unknown`], or [`Error::Clash`] if two views could be meant.
pub(crate) fn find_view(layout: &Layout, inode: Inode, prefix: ViewPrefix) -> Result<View> {
    let parse = |name: &str| name.parse::<ViewId>().ok();
    let views = folders::list(&layout.views(), parse)?;
    folders::only_one(inode, views.into_iter().filter(|id| ViewPrefix::of(id) == prefix)).map(View::new)
}
