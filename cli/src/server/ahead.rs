//! Looking ahead of imports: when a program imports from a view for the first time, the view's directories are listed
//! beside it.
//!
//! The kernel learns all names of a directory from one listing, where an import asks for one after the other and waits
//! each time; a name that is not there no listing tells, so that of packages that were imported in other views those names
//! are asked for too, and mostly nothing else: whatever is done here takes time from the program. A process of its own does
//! it, at the lowest priority: one that waited for the mount within the server could not be ended with it. Nothing depends on it; what it finds wrong is nobody's concern here.

use super::program;
use super::sys::lowest_priority;
use omnipkg_fusefs::{FirstImport, Imported, ImportedPackage};
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
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

/// Directories that are listed at most, the nearest to site-packages first: what lies deeper is imported more rarely, and
/// the kernel's memory is not to be filled with what nobody asked for.
const DIRECTORIES: usize = 1000;

/// How much of a view is looked through: what is not likely to be asked for takes time from the program that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// Packages that were imported in other views.
    Known,
    /// Them first, and then all others.
    All,
    /// All, and the bytecode that is there.
    Bytecode,
}

impl Extent {
    const ALL: [Self; 3] = [Self::Known, Self::All, Self::Bytecode];

    fn word(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::All => "all",
            Self::Bytecode => "bytecode",
        }
    }

    /// Of a program's first import: one that imports what was imported before is likely to go on so.
    fn of(first: FirstImport) -> Self {
        if first.is_known { Self::Known } else { Self::All }
    }
}

/// Bytecode that is read ahead at most, in bytes.
const BYTECODE: u64 = 64 << 20;

/// How long the process that looks ahead waits for another view before it is ended.
const IDLE: Duration = Duration::from_secs(60);

/// Has views looked through as imports begin there, one after the other, until the sender is gone.
pub fn run(root: &Path, started: &Receiver<FirstImport>, imported: &Imported) {
    let mut helper = None;
    loop {
        match started.recv_timeout(IDLE) {
            Ok(first) => {
                let mut helped = helper.take().or_else(|| Helper::start(root));
                let ask = |helper: &mut Helper| helper.ask(&first.view, Extent::of(first), &imported.packages());
                if helped.as_mut().is_some_and(|helper| ask(helper).is_ok()) {
                    helper = helped;
                }
            }
            Err(RecvTimeoutError::Timeout) => helper = None,
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// Has a view looked through with the bytecode that was just made, and waits for its end.
pub fn read_bytecode(root: &Path, view: &ViewId) {
    if let Some(mut helper) = Helper::start(root) {
        let _ended = helper.ask(view, Extent::Bytecode, &[]);
    }
}

/// A process that looks ahead; it ends when it is dropped.
struct Helper(Child);

impl Helper {
    fn start(root: &Path) -> Option<Self> {
        let mut command = Command::new(program());
        command.arg0("omnipkg").args(["server", "ahead"]).env("OMNIPKG_HOME", root);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        command.spawn().ok().map(Self)
    }

    /// A line for the view, one for each package (its path, and the names that are not there), and an empty one.
    fn ask(&mut self, view: &ViewId, extent: Extent, packages: &[ImportedPackage]) -> io::Result<()> {
        let mut pipe = io::BufWriter::new(self.0.stdin.as_mut().ok_or(io::ErrorKind::BrokenPipe)?);
        writeln!(pipe, "{view} {}", extent.word())?;
        for ImportedPackage { path, missing } in packages {
            writeln!(pipe, "{path}\t{}", missing.join("\t"))?;
        }
        writeln!(pipe)?;
        pipe.flush()
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        // It reads to the end of its requests, and waiting closes them.
        let _ended = self.0.wait();
    }
}

/// Looks through views as they are asked for, until the server is gone or has no more of them.
pub fn serve(layout: &Layout, mut requests: impl BufRead) {
    lowest_priority();
    let mut line = String::new();
    while requests.read_line(&mut line).is_ok_and(|length| length > 0) {
        let (view, word) = line.trim_end().split_once(' ').unwrap_or_default();
        let extent = Extent::ALL.into_iter().find(|extent| extent.word() == word);
        let mut packages = requests.by_ref().lines().map_while(io::Result::ok).take_while(|line| !line.is_empty());
        if let (Ok(view), Some(extent)) = (view.parse(), extent) {
            // A view that is gone or damaged is told of by whoever uses it.
            let _failed = look(layout, &view, extent, &mut packages);
        }
        packages.for_each(drop);
        line.clear();
    }
}

/// Lists the directories of a view that modules are imported from, as far as is asked for.
///
/// `packages` are those that were imported elsewhere, as [`Helper::ask`] tells them.
fn look(layout: &Layout, view: &ViewId, extent: Extent, packages: &mut dyn Iterator<Item = String>) -> Result<()> {
    let path = layout.view(view);
    let manifest = ViewManifest::open(layout, view)?;
    let ViewDescription { site_packages, cache_tag, magic, .. } = ViewDescription::read(layout, &manifest, &path)?;
    let Some(start) = manifest.resolve(&site_packages)? else { return Ok(()) };
    let mut lister = Lister {
        layout,
        manifest: &manifest,
        key: Key::of(layout, &cache_tag, magic),
        room: if extent == Extent::Bytecode { BYTECODE } else { 0 },
    };
    let root = layout.mnt().join(view.to_string());
    let known = lister.list_imported(&root, &site_packages, packages)?;
    if extent == Extent::Known {
        return Ok(());
    }
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
    fn list_imported(
        &mut self,
        root: &Path,
        site_packages: &str,
        packages: &mut dyn Iterator<Item = String>,
    ) -> Result<HashSet<OsString>> {
        let mut known = HashSet::new();
        for line in packages {
            let mut parts = line.split('\t');
            let path = parts.next().unwrap_or_default();
            let Some(below) = path.strip_prefix(site_packages).and_then(|path| path.strip_prefix('/')) else {
                continue;
            };
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
