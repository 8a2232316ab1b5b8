//! Looking ahead of an import: when a Python is started in a view for the first time, the view's directories are listed
//! beside it.
//!
//! The kernel learns all names of a directory from one listing, where an import asks for one after the other and waits
//! each time; a name that is not there no listing tells, so that of packages that were imported in other views those names
//! are asked for too. A process of its own does it, at the lowest priority: one that waited for the mount within the server could
//! not be ended with it. Nothing depends on it; what it finds wrong is nobody's concern here.

use super::program;
use super::sys::lowest_priority;
use omnipkg_fusefs::{Imported, ImportedPackage};
use omnipkg_store::bytecode::{self, Bytecode, Key};
use omnipkg_store::view::description::ViewDescription;
use omnipkg_store::view::manifest::{NodeIndex, NodeKind, ViewManifest};
use omnipkg_store::{Digest, Layout, Result, ViewId};
use std::collections::{HashSet, VecDeque};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, BufRead, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::Receiver;

/// Directories that are listed at most, the nearest to site-packages first: what lies deeper is imported more rarely, and
/// the kernel's memory is not to be filled with what nobody asked for.
const DIRECTORIES: usize = 1000;

/// Bytecode that is read ahead at most, in bytes.
const BYTECODE: u64 = 64 << 20;

/// Starts a process for each view, one after the other, until the sender is gone.
pub fn run(root: &Path, started: &Receiver<ViewId>, imported: &Imported) {
    while let Ok(view) = started.recv() {
        start(root, &view, &Purpose::Imports(imported.packages()));
    }
}

/// What a view is looked through for.
pub enum Purpose {
    /// What will be imported: packages that were imported in other views are looked at first, in that order.
    Imports(Vec<ImportedPackage>),
    /// The bytecode that was just made.
    Bytecode,
}

/// Has a view looked through by a process of its own, and waits for its end.
pub fn start(root: &Path, view: &ViewId, purpose: &Purpose) {
    let mut command = Command::new(program());
    command.arg0("omnipkg").args(["server", "ahead", &view.to_string()]).env("OMNIPKG_HOME", root);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    if matches!(purpose, Purpose::Bytecode) {
        command.arg("--bytecode");
    }
    let Ok(mut child) = command.spawn() else { return };
    if let (Some(pipe), Purpose::Imports(packages)) = (child.stdin.take(), purpose) {
        // One that ended before it read them all had no use for them.
        let _ended = tell(packages, pipe);
    }
    let _ended = child.wait();
}

/// A package a line: its path, and the names that are not there.
fn tell(packages: &[ImportedPackage], pipe: impl Write) -> io::Result<()> {
    let mut pipe = io::BufWriter::new(pipe);
    for ImportedPackage { path, missing } in packages {
        writeln!(pipe, "{path}\t{}", missing.join("\t"))?;
    }
    pipe.flush()
}

/// Lists the directories of a view that modules are imported from, and reads the bytecode there if that is asked for.
///
/// `packages` are those that were imported elsewhere, as [`start`] tells them.
pub fn look(layout: &Layout, view: &ViewId, read_bytecode: bool, packages: impl BufRead) -> Result<()> {
    lowest_priority();
    let path = layout.view(view);
    let manifest = ViewManifest::open(&path)?;
    let ViewDescription { site_packages, cache_tag, magic, .. } = ViewDescription::read(layout, &manifest, &path)?;
    let Some(start) = manifest.resolve(&site_packages)? else { return Ok(()) };
    let mut lister = Lister {
        layout,
        manifest: &manifest,
        key: Key::of(layout, &cache_tag, magic),
        room: if read_bytecode { BYTECODE } else { 0 },
    };
    let root = layout.mnt().join(view.to_string());
    let known = lister.list_imported(&root, &site_packages, packages)?;
    let mut queue = VecDeque::from([(start, root.join(&site_packages))]);
    for _ in 0..DIRECTORIES {
        let Some((node, path)) = queue.pop_front() else { break };
        let holds = look_into(&manifest, node, &path, &mut queue)?;
        lister.list(&path, &holds);
        if node == start {
            // Of what was imported before, it is known what will be.
            queue.retain(|(_, path)| path.file_name().is_none_or(|name| !known.contains(name)));
        }
    }
    Ok(())
}

struct Lister<'a> {
    layout: &'a Layout,
    manifest: &'a ViewManifest,
    key: Key,
    /// How much bytecode is still to be read, in bytes.
    room: u64,
}

impl Lister<'_> {
    /// Lists packages as they are told, asks in vain for what their imports will, and returns the first names of their
    /// paths below site-packages.
    fn list_imported(&mut self, root: &Path, site_packages: &str, packages: impl BufRead) -> Result<HashSet<OsString>> {
        let mut known = HashSet::new();
        for line in packages.lines().map_while(io::Result::ok) {
            let mut parts = line.split('\t');
            let path = parts.next().unwrap_or_default();
            let Some(below) = path.strip_prefix(site_packages).and_then(|path| path.strip_prefix('/')) else { continue };
            let Some(node) = self.manifest.resolve(path)? else { continue };
            known.extend(below.split('/').next().map(OsString::from));
            let path = root.join(path);
            let holds = look_into(self.manifest, node, &path, &mut VecDeque::new())?;
            self.list(&path, &holds);
            for name in parts {
                let _missing = fs::symlink_metadata(path.join(name));
            }
        }
        Ok(known)
    }

    fn list(&mut self, path: &Path, holds: &Holds) {
        let known = |source: &&Digest| matches!(bytecode::find(self.layout, &self.key, source), Bytecode::Known { .. });
        let known = holds.sources.iter().filter(known).count();
        if holds.modules {
            list(path, usize::MAX, &mut 0);
        }
        // Not to the end: the kernel is told there to forget a listing that may change, and would ask again.
        list(&path.join("__pycache__"), known, &mut self.room);
    }
}

#[derive(Default)]
struct Holds {
    sources: Vec<Digest>,
    modules: bool,
}

fn look_into(
    manifest: &ViewManifest,
    node: NodeIndex,
    path: &Path,
    queue: &mut VecDeque<(NodeIndex, PathBuf)>,
) -> Result<Holds> {
    let mut holds = Holds::default();
    for child in manifest.children(node)? {
        let (name, child) = child?;
        // A package's own tests are hardly ever imported, and often half of its directories.
        match manifest.node(child)?.kind {
            NodeKind::Directory if !matches!(name, b"tests" | b"test") => {
                queue.push_back((child, path.join(OsStr::from_bytes(name))));
            }
            NodeKind::File { digest, .. } if name.ends_with(b".py") => holds.sources.push(digest),
            _ => {}
        }
        holds.modules |= name.ends_with(b".py") || name.ends_with(b".so");
    }
    Ok(holds)
}

/// Lists a directory, and reads its files as long as there is room.
fn list(path: &Path, entries: usize, room: &mut u64) {
    if entries == 0 {
        return;
    }
    for entry in fs::read_dir(path).into_iter().flatten().flatten().take(entries) {
        if *room > 0 {
            let read = File::open(entry.path()).and_then(|mut file| io::copy(&mut file, &mut io::sink()));
            *room = room.saturating_sub(read.unwrap_or(0));
        }
    }
}
