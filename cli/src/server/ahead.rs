//! Looking ahead of an import: when a Python is started in a view for the first time, the view's directories are listed
//! beside it.
//!
//! The kernel learns all names of a directory from one listing, where an import asks for one after the other and waits
//! each time. A process of its own does it, at the lowest priority: one that waited for the mount within the server could
//! not be ended with it. Nothing depends on it; what it finds wrong is nobody's concern here.

use super::program;
use super::sys::lowest_priority;
use omnipkg_store::bytecode::{self, Bytecode, Key};
use omnipkg_store::view::description::ViewDescription;
use omnipkg_store::view::manifest::{NodeIndex, NodeKind, ViewManifest};
use omnipkg_store::{Digest, Layout, Result, ViewId};
use std::collections::VecDeque;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
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
pub fn run(root: &Path, started: &Receiver<ViewId>) {
    while let Ok(view) = started.recv() {
        start(root, &view, false);
    }
}

/// Has a view looked through by a process of its own, with the bytecode if some was just made, and waits for its end.
pub fn start(root: &Path, view: &ViewId, bytecode: bool) {
    let mut command = Command::new(program());
    command.arg0("omnipkg").args(["server", "ahead", &view.to_string()]).env("OMNIPKG_HOME", root);
    command.args(bytecode.then_some("--bytecode"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    let _ended = command.spawn().and_then(|mut child| child.wait());
}

/// Lists the directories of a view that modules are imported from, and reads the bytecode there if that is asked for.
pub fn look(layout: &Layout, view: &ViewId, read_bytecode: bool) -> Result<()> {
    lowest_priority();
    let mut room = if read_bytecode { BYTECODE } else { 0 };
    let path = layout.view(view);
    let manifest = ViewManifest::open(&path)?;
    let ViewDescription { site_packages, cache_tag, magic, .. } = ViewDescription::read(layout, &manifest, &path)?;
    let key = Key::of(layout, &cache_tag, magic);
    let Some(start) = manifest.resolve(&site_packages)? else { return Ok(()) };
    let root = layout.mnt().join(view.to_string()).join(site_packages);
    let mut queue = VecDeque::from([(start, root)]);
    for _ in 0..DIRECTORIES {
        let Some((node, path)) = queue.pop_front() else { break };
        let holds = look_into(&manifest, node, &path, &mut queue)?;
        let known = |source: &&Digest| matches!(bytecode::find(layout, &key, source), Bytecode::Known { .. });
        let known = holds.sources.iter().filter(known).count();
        if holds.modules {
            list(&path, usize::MAX, &mut 0);
        }
        // Not to the end: the kernel is told there to forget a listing that may change, and would ask again.
        list(&path.join("__pycache__"), known, &mut room);
    }
    Ok(())
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
