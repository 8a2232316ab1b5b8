//! Writable views: an upper layer over a read-only view, private to a run or kept by name.
//!
//! ```text
//! writable/<name>/layer.json   which view it was written over, and how; locked while it is used
//!                 upper/ work/ an overlay's two directories
//!                 merged/      where an overlay is mounted that everybody sees (`mount --writable`, root)
//!                 view/        a writable copy of the view, where no overlay can be mounted
//! tmp/writable-…/              the same for a run that keeps nothing; cleared as all of tmp/ is
//! ```
//!
//! A layer is used over its own view only: over another one, what was changed and deleted there would mean something else.
//! Nothing in it can reach an object of the store: an overlay copies what is written to, and a copy has no hardlinks.

mod changes;
mod checked_bytecode;
pub mod overlay;
mod report;
mod runs;
mod steady;
mod sys;

pub use changes::{Change, Tree};
pub use report::{show, show_kept, sum};
pub use runs::WritableRuns;

use crate::launch::Wrapper;
use crate::output;
use crate::settings::Settings;
use anyhow::{Context, Result, bail};
use omnipkg_store::view::description::ViewDescription;
use omnipkg_store::view::manifest::ViewManifest;
use omnipkg_store::{Layout, Store, ViewId, links};
use serde::{Deserialize, Serialize};
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

const RECORD: &str = omnipkg_store::layout::SCRATCH_LOCK;
const MERGED: &str = "merged";
const COPY: &str = "view";

/// How a view is made writable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Means {
    /// The kernel's overlay.
    Overlay,
    /// A copy of all of it.
    Copy,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Record {
    format: u32,
    view: ViewId,
    means: Means,
    kept: bool,
}

/// Something written over a view, in use by this command. What is not kept goes with it.
pub struct Layer {
    store: Store,
    directory: PathBuf,
    record: Record,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// True if this command made it.
    pub fresh: bool,
    done: bool,
    lock: File,
}

impl Layer {
    /// Makes one over a view that is visible at `seen`; without a name it is gone with this command.
    pub fn make(settings: &Settings, store: &Store, view: ViewId, seen: &Path, name: Option<&str>) -> Result<Self> {
        let directory = match name {
            None => tempfile::Builder::new().prefix("writable-").tempdir_in(store.layout().tmp())?.keep(),
            Some(name) => {
                let directory = path_of(store.layout(), name)?;
                fs::create_dir_all(store.layout().writable())
                    .and_then(|()| fs::create_dir(&directory))
                    .with_context(|| format!("cannot create {}", directory.display()))?;
                directory
            }
        };
        let lock = lock(&directory, true)?.with_context(|| format!("{} is in use", directory.display()))?;
        let record = Record { format: 1, view, means: Means::Overlay, kept: name.is_some() };
        let name = name.map(str::to_owned);
        let mut layer = Self { store: store.clone(), directory, record, name, fresh: true, done: false, lock };
        if let Err(reason) = layer.try_overlay(seen) {
            if !settings.quiet {
                output::talk(&format!("no overlay here ({reason:#}): the view is copied"));
            }
            layer.record.means = Means::Copy;
            links::copy(store, &view, &layer.directory.join(COPY))?;
        }
        layer.write_record()?;
        Ok(layer)
    }

    fn try_overlay(&self, seen: &Path) -> Result<()> {
        if !seen.starts_with(self.store.layout().mnt()) {
            bail!("views are made of links");
        }
        overlay::make_directories(&self.directory)?;
        let (layout, view) = (self.store.layout(), &self.record.view);
        let made_of = ViewDescription::load(&self.store, view)?;
        let upper = self.directory.join(overlay::UPPER);
        checked_bytecode::ask_for(seen, &upper, &made_of.site_packages)?;
        steady::hide_growing(layout, &ViewManifest::open(layout, view)?, &made_of, &upper)?;
        overlay::attempt(seen, &self.directory)
    }

    fn write_record(&self) -> Result<()> {
        let path = self.directory.join(RECORD);
        let bytes = serde_json::to_vec(&self.record)?;
        // In place: it is what is locked.
        File::options()
            .write(true)
            .truncate(true)
            .open(&path)
            .and_then(|mut file| file.write_all(&bytes))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// One that was kept by name, if there is one.
    pub fn open(store: &Store, name: &str) -> Result<Option<Self>> {
        let directory = path_of(store.layout(), name)?;
        if !directory.is_dir() {
            return Ok(None);
        }
        let Some(lock) = lock(&directory, false)? else { bail!("the kept layer {name} is in use by another command") };
        let Some(record) = read_record(&directory) else {
            bail!("the kept layer {name} is damaged ({} cannot be read)", directory.join(RECORD).display());
        };
        let name = Some(name.to_owned());
        Ok(Some(Self { store: store.clone(), directory, record, name, fresh: false, done: false, lock }))
    }

    /// An error unless it belongs over this view, and can be used where that is visible.
    pub fn check(&self, view: &ViewId, seen: &Path) -> Result<()> {
        let name = self.name.as_deref().unwrap_or_default();
        if self.record.view != *view {
            bail!("the kept layer {name} was written over the view {}, and this is {view}", self.record.view);
        }
        if self.record.means == Means::Overlay && !seen.starts_with(self.store.layout().mnt()) {
            bail!("the kept layer {name} is an overlay's, and views are made of links now");
        }
        Ok(())
    }

    /// Where a program of one run sees the view, and what stands in front of it. The layer's lock goes along: what a
    /// run leaves behind when omnipkg is killed still uses it.
    pub fn place(&self, seen: &Path) -> Result<(PathBuf, Wrapper)> {
        let held = self.lock.try_clone().context("cannot copy a layer's lock")?.into();
        let (path, words) = match self.record.means {
            Means::Overlay => (seen.to_owned(), overlay::wrapper(seen, &self.directory)),
            Means::Copy => (self.directory.join(COPY), Vec::new()),
        };
        Ok((path, Wrapper { words, held: Some(held), silent: false }))
    }

    /// Where everybody sees it, mounted now if it has to be.
    pub fn show_to_all(&mut self, seen: &Path) -> Result<PathBuf> {
        if self.record.means == Means::Copy {
            return Ok(self.directory.join(COPY));
        }
        let merged = self.directory.join(MERGED);
        if !merged.exists() {
            fs::create_dir(&merged).with_context(|| format!("cannot create {}", merged.display()))?;
        }
        // An overlay whose server is gone, and with it the mount beneath, is of no use any more.
        if is_mount_point(&merged)? && !is_alive(&merged) {
            overlay::unmount(&merged)?;
        }
        if !is_mount_point(&merged)? {
            overlay::mount_over(seen, &self.directory, &merged)?;
        }
        Ok(merged)
    }

    /// Replaces an overlay's directories by a copy: where this user cannot mount what everybody sees.
    pub fn copy_instead(&mut self) -> Result<()> {
        if self.record.means == Means::Overlay {
            links::discard(&self.directory.join(overlay::UPPER))?;
            self.record.means = Means::Copy;
            links::copy(&self.store, &self.record.view, &self.directory.join(COPY))?;
            self.write_record()?;
        }
        Ok(())
    }

    /// Says that it is not kept beyond its mount.
    pub fn until_unmounted(&mut self) -> Result<()> {
        self.record.kept = false;
        self.write_record()
    }

    /// Takes away what everybody sees.
    pub fn hide(&self) -> Result<()> {
        let merged = self.directory.join(MERGED);
        if is_mount_point(&merged)? { overlay::unmount(&merged) } else { Ok(()) }
    }

    /// True if it stays when it is not used.
    pub fn is_kept(&self) -> bool {
        self.record.kept
    }

    /// How it is writable.
    pub fn means(&self) -> Means {
        self.record.means
    }

    /// In what it differs from its view.
    pub fn changes(&self) -> Result<Vec<Change>> {
        changes_in(&self.store, &self.directory, &self.record)
    }

    /// Keeps it as it is.
    pub fn keep(mut self) {
        self.done = true;
    }

    /// Removes it.
    pub fn remove(mut self) -> Result<()> {
        self.done = true;
        self.hide()?;
        links::discard(&self.directory).with_context(|| format!("cannot remove {}", self.directory.display()))
    }
}

impl Drop for Layer {
    fn drop(&mut self) {
        // A command that failed before its end: what it made for itself goes.
        if !self.done && self.fresh {
            let _ = links::discard(&self.directory);
        }
    }
}

fn changes_in(store: &Store, directory: &Path, record: &Record) -> Result<Vec<Change>> {
    let manifest = ViewManifest::open(store.layout(), &record.view)?;
    let mut found = match record.means {
        Means::Overlay => changes::changes(&manifest, Tree::Upper, &directory.join(overlay::UPPER)),
        Means::Copy => changes::changes(&manifest, Tree::Whole, &directory.join(COPY)),
    }?;
    found.retain(|change| !checked_bytecode::is_ours(&change.path));
    Ok(found)
}

/// What `status` and `writable list` tell of a layer.
#[derive(Debug, Clone)]
pub struct Summary {
    /// Its name.
    pub name: String,
    /// The view that it lies over.
    pub view: ViewId,
    /// How.
    pub means: Means,
    /// False if it goes with its mount.
    pub kept: bool,
    /// Where everybody sees it, if it is mounted or a copy.
    pub path: Option<PathBuf>,
    /// In what it differs.
    pub changes: Vec<Change>,
}

impl Summary {
    /// For programs; a kept layer may differ in very many paths, so those are only summed.
    pub fn to_json(&self) -> serde_json::Value {
        let bytes: u64 = self.changes.iter().map(|change| change.size).sum();
        serde_json::json!({
            "name": self.name, "view": self.view, "means": self.means, "kept": self.kept, "path": self.path,
            "paths": self.changes.len(), "bytes": bytes,
        })
    }

    /// True if it is an overlay that is mounted for everybody.
    pub fn is_mounted(&self) -> bool {
        self.means == Means::Overlay && self.path.is_some()
    }
}

/// All that are there, by name; what cannot be read is left out.
pub fn list(store: &Store) -> Vec<Summary> {
    let mut found: Vec<Summary> = names(store.layout())
        .into_iter()
        .filter_map(|name| {
            let directory = path_of(store.layout(), &name).ok()?;
            let record = read_record(&directory)?;
            let changes = changes_in(store, &directory, &record).ok()?;
            let path = [MERGED, COPY].map(|place| directory.join(place)).into_iter().find(|path| match record.means {
                // As long as the table cannot be read, it may be.
                Means::Overlay => path.ends_with(MERGED) && is_mount_point(path).unwrap_or(true),
                Means::Copy => path.ends_with(COPY),
            });
            Some(Summary { name, view: record.view, means: record.means, kept: record.kept, path, changes })
        })
        .collect();
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found
}

/// Names of all layers.
pub fn names(layout: &Layout) -> Vec<String> {
    let entries = fs::read_dir(layout.writable()).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

/// The name of the layer that a path belongs to: `<home>/writable/<name>/…`.
pub fn name_of_path(layout: &Layout, path: &Path) -> Option<String> {
    let below = path.strip_prefix(layout.writable()).ok()?;
    Some(below.components().next()?.as_os_str().to_str()?.to_owned())
}

/// The view that a path of a layer shows: `<home>/writable/<name>/…`, `<home>/tmp/writable-…/…`.
pub fn view_of_path(layout: &Layout, path: &Path) -> Option<ViewId> {
    [layout.writable(), layout.tmp()].iter().find_map(|root| {
        let first = path.strip_prefix(root).ok()?.components().next()?;
        Some(read_record(&root.join(first))?.view)
    })
}

fn path_of(layout: &Layout, name: &str) -> Result<PathBuf> {
    if name.is_empty() || name.contains('/') || name.starts_with('.') || name.chars().any(char::is_control) {
        bail!("{name:?} cannot be the name of a kept layer");
    }
    Ok(layout.writable().join(name))
}

fn read_record(directory: &Path) -> Option<Record> {
    let bytes = fs::read(directory.join(RECORD)).ok()?;
    serde_json::from_slice(&bytes).ok().filter(|record: &Record| record.format == 1)
}

/// Two overlays of one upper directory would destroy it, so a layer has one user at a time. `None` if it has one.
fn lock(directory: &Path, create: bool) -> Result<Option<File>> {
    let path = directory.join(RECORD);
    let file = File::options().read(true).write(true).create(create).truncate(false).open(&path);
    let file = file.with_context(|| format!("cannot open {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock {}", path.display())),
    }
}

/// A name that nobody has asked for yet has to be asked of the server.
fn is_alive(merged: &Path) -> bool {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let name = format!(".omnipkg-{}-{}", std::process::id(), now.as_nanos());
    matches!(fs::symlink_metadata(merged.join("lib").join(name)), Err(error) if error.kind() == io::ErrorKind::NotFound)
}

/// By the kernel's table: a mount whose server is gone answers no stat.
fn is_mount_point(path: &Path) -> Result<bool> {
    let table = fs::read("/proc/self/mountinfo").context("cannot read the table of mounts")?;
    // It has the real path, without links on the way.
    let real = match (path.parent().map(fs::canonicalize), path.file_name()) {
        (Some(parent), Some(name)) => parent.with_context(|| format!("cannot look at {}", path.display()))?.join(name),
        _ => path.to_owned(),
    };
    let wanted = escaped(real.as_os_str().as_bytes());
    Ok(table.split(|byte| *byte == b'\n').any(|line| line.split(|byte| *byte == b' ').nth(4) == Some(&wanted)))
}

/// As the kernel writes a path in its table.
fn escaped(path: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(path.len());
    for byte in path {
        match byte {
            b' ' | b'\t' | b'\n' | b'\\' => escaped.extend_from_slice(format!("\\{byte:03o}").as_bytes()),
            byte => escaped.push(*byte),
        }
    }
    escaped
}
