//! Building a view: wheel manifests and an interpreter become one manifest of a whole virtual environment.
//!
//! Nothing is copied: a view is a table of names for objects that the store has. Two wheels with one path:
//! the same bytes are fine, of different bytes the later by normalised name wins, and it is reported.

use super::description::{DESCRIPTION, Overlay, ViewDescription, WheelReference};
use super::manifest::{Composition, Encoded, ManifestBuilder, Overlap, ViewManifest};
use super::python2;
use super::runtime::{self, Runtime, RuntimeTree};
use crate::digest::{Digest, Sha256, ViewId};
use crate::error::{Error, Result};
use crate::interpreter::{Facts, Interpreter};
use crate::layout::Store;
use crate::objects::{self, Batch};
use crate::publish;
use crate::wheel::WheelTree;

/// The tool itself, for programs in a view: a link that leads out of any projection to `bin/omnipkg` of the store.
const PROGRAM: &str = "bin/omnipkg";

/// From this size on, in bytes, a view is written and hashed side by side.
const SHARED: usize = 256 * 1024;

/// Wheels of at least so many files and directories are referred to: copying the nodes of fewer takes less time than opening
/// one more table takes whoever looks into the view.
const REFERRED_FROM: u32 = 512;

/// A wheel to be put into a view.
pub struct ViewWheel<'a> {
    /// The archive's hash.
    pub sha256: Sha256,
    /// What it is and holds.
    pub tree: &'a WheelTree,
}

/// What a view is to be made of.
pub struct ViewRequest<'a> {
    /// The interpreter.
    pub interpreter: &'a Interpreter,
    /// The set.
    pub wheels: Vec<ViewWheel<'a>>,
    /// Wheels that every environment of the interpreter has; one whose project is in the set is left out.
    pub seeds: Vec<ViewWheel<'a>>,
    /// Files of omnipkg itself.
    pub runtime: Runtime<'a>,
    /// What stays visible beneath.
    pub overlay: Option<Overlay>,
}

/// Two wheels that disagree on a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The path in the view.
    pub path: String,
    /// The project whose file is in the view.
    pub kept: String,
    /// The project whose file is not.
    pub dropped: String,
}

/// A view that is published.
#[derive(Debug, Clone)]
pub struct BuiltView {
    /// Its name.
    pub id: ViewId,
    /// What it is made of.
    pub description: ViewDescription,
    /// Paths on which wheels disagreed; empty if the view was there already.
    pub conflicts: Vec<Conflict>,
    /// False if the view was there already.
    pub new: bool,
}

/// Makes a view, or finds that it exists. Every process sees it whole at once, but it is not durable yet: what is to
/// last and names the view calls [`super::seal`] before.
///
/// # Errors
/// [`Error::View`] if wheels cannot be put together (one's file is another's directory); [`Error::Io`].
pub fn build(store: &Store, request: &ViewRequest<'_>) -> Result<BuiltView> {
    let names: Vec<&str> = request.wheels.iter().map(|wheel| wheel.tree.head.name.as_ref()).collect();
    let seeds: Vec<&ViewWheel<'_>> =
        request.seeds.iter().filter(|seed| !names.contains(&seed.tree.head.name.as_ref())).collect();
    let description = ViewDescription::new(
        request.interpreter,
        request.wheels.iter().map(reference).collect(),
        seeds.iter().map(|seed| reference(seed)).collect(),
        request.overlay.clone(),
    );
    let facts = &request.interpreter.facts;
    let runtime = RuntimeTree::open(store, facts, request.runtime)?;
    let program = python2::program(request.interpreter)?;
    let program_digest = program.as_deref().map(Digest::of);
    let id = description.view_id(&python2::with_program(runtime.digest, program_digest.as_ref()));
    if is_whole(store, &id)? {
        return Ok(BuiltView { id, description, conflicts: Vec::new(), new: false });
    }
    let mut wheels: Vec<&ViewWheel<'_>> = request.wheels.iter().chain(seeds).collect();
    wheels.sort_by(|a, b| a.tree.head.name.cmp(&b.tree.head.name));
    let json = serde_json::to_vec_pretty(&description).map_err(|error| Error::View(error.to_string()))?;
    let digest = objects::publish_unsealed(store, &json)?;
    let mut own = ManifestBuilder::new();
    own.file(DESCRIPTION, digest, json.len() as u64, false)?;
    // The rest are in most views: hardly ever is one of them new.
    let mut batch = Batch::new(store);
    add_own_files(&mut own, &mut batch, request)?;
    if let Some(bytes) = program {
        let added = batch.add_bytes(&bytes)?;
        own.file(python2::PROGRAM, added.digest, added.size, true)?;
    }
    batch.commit()?;
    add_links(&mut own, request.interpreter)?;
    let own = ViewManifest::from_bytes(own.finish()?)?;
    let (encoded, conflicts) = compose(facts, &wheels, &runtime.tree, &own)?;
    publish_view(store, &id, &encoded)?;
    Ok(BuiltView { id, description, conflicts, new: true })
}

/// The checksum of a large one is made while it is written.
fn publish_view(store: &Store, id: &ViewId, encoded: &Encoded<'_>) -> Result<()> {
    let (path, tables) = (store.layout().view(id), encoded.tables());
    if tables.iter().map(|table| table.len()).sum::<usize>() < SHARED {
        return publish::unsealed_file(store, &path, || encoded.header(), &tables);
    }
    std::thread::scope(|scope| {
        let header = scope.spawn(|| encoded.header());
        publish::unsealed_file(store, &path, || header.join().unwrap_or_else(|_| encoded.header()), &tables)
    })
}

/// All wheels, each scheme in its place, and omnipkg's own files over them.
fn compose<'part>(
    facts: &Facts,
    wheels: &[&'part ViewWheel<'_>],
    runtime: &'part ViewManifest,
    own: &'part ViewManifest,
) -> Result<(Encoded<'part>, Vec<Conflict>)> {
    let headers = format!("include/site/python{}", facts.short_version());
    let site_packages = facts.site_packages.as_str();
    let places =
        [(Some("site"), site_packages), (Some("bin"), "bin"), (Some("data"), ""), (Some("include"), headers.as_str())];
    let mut composition = Composition::referring_from(REFERRED_FROM);
    for wheel in wheels {
        composition.add(wheel.tree.tree(), Some(wheel.sha256), &places)?;
    }
    composition.add(runtime, None, &[(Some(runtime::SITE), site_packages), (Some(runtime::ROOT), "")])?;
    composition.add(own, None, &[(None, "")])?;
    let (encoded, overlaps) = composition.finish()?;
    let owner = |part: usize| wheels.get(part).map_or("omnipkg", |wheel| wheel.tree.head.name.as_ref()).to_owned();
    let conflict = |Overlap { path, kept, dropped }| Conflict { path, kept: owner(kept), dropped: owner(dropped) };
    Ok((encoded, overlaps.into_iter().map(conflict).collect()))
}

/// True if a view is there; one that a crash kept from becoming durable is looked through, and made again if need be.
fn is_whole(store: &Store, id: &ViewId) -> Result<bool> {
    let path = store.layout().view(id);
    Ok(match publish::is_sealed(&path)? {
        Some(true) => true,
        Some(false) => ViewManifest::open_whole(store.layout(), id).is_ok() && ViewDescription::load(store, id).is_ok(),
        None => false,
    })
}

fn reference(wheel: &ViewWheel<'_>) -> WheelReference {
    WheelReference {
        name: wheel.tree.head.name.to_string(),
        version: wheel.tree.head.version.to_string(),
        filename: wheel.tree.head.filename.clone(),
        sha256: wheel.sha256,
    }
}

/// What makes the tree a virtual environment.
fn add_own_files(own: &mut ManifestBuilder, batch: &mut Batch<'_>, request: &ViewRequest<'_>) -> Result<()> {
    let site_packages = &request.interpreter.facts.site_packages;
    let mut add = |path: &str, bytes: &[u8]| {
        let added = batch.add_known(Digest::of(bytes), bytes)?;
        own.file(path, added.digest, added.size, false).map(drop)
    };
    let config = pyvenv_cfg(request.interpreter);
    add("pyvenv.cfg", config.as_bytes())?;
    if let Some(overlay) = &request.overlay {
        // Named to sort last: the view's own .pth files are read before the base's.
        let text = overlay_pth(overlay);
        add(&format!("{site_packages}/zzz_omnipkg_base.pth"), text.as_bytes())?;
    }
    own.directory(site_packages).map(drop)
}

fn add_links(own: &mut ManifestBuilder, interpreter: &Interpreter) -> Result<()> {
    let facts = &interpreter.facts;
    if python2::is_python2(facts) {
        python2::add_links(own, facts)?;
    } else {
        own.symlink("bin/python", interpreter.path())?;
        for name in program_names(facts) {
            own.symlink(&format!("bin/{name}"), "python")?;
        }
    }
    own.symlink(PROGRAM, "../../../bin/omnipkg")?;
    if facts.pointer_bits == 64 {
        // venv makes this link too: build systems of some distributions look into lib64.
        own.symlink("lib64", "lib")?;
    }
    Ok(())
}

/// What scripts may call the interpreter, besides `python`.
fn program_names(facts: &Facts) -> Vec<String> {
    let (major, short) = (facts.version.0, facts.short_version());
    let mut names = vec![format!("python{major}"), format!("python{short}")];
    if facts.implementation == "pypy" {
        names.extend(["pypy".to_owned(), format!("pypy{major}"), format!("pypy{short}")]);
    }
    if facts.free_threaded {
        names.push(format!("python{short}t"));
    }
    names
}

fn pyvenv_cfg(interpreter: &Interpreter) -> String {
    let home = interpreter.path().parent().unwrap_or_else(|| std::path::Path::new("/"));
    format!(
        "home = {}\ninclude-system-site-packages = false\nversion = {}\nprompt = omnipkg\n",
        home.display(),
        interpreter.facts.full_version()
    )
}

/// A .pth line that adds the base's directories as `site` would, so that their own .pth files work.
fn overlay_pth(overlay: &Overlay) -> String {
    let mut text = String::new();
    for path in &overlay.site_packages {
        let quoted = serde_json::Value::from(path.to_string_lossy()).to_string();
        text.push_str(&format!("import site; site.addsitedir({quoted})\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interpreter::testing::facts;

    #[test]
    fn an_interpreter_has_the_names_that_scripts_call_it_by() {
        assert_eq!(program_names(&facts("cpython", (3, 11, 7))), ["python3", "python3.11"]);
        let pypy = program_names(&facts("pypy", (3, 10, 14)));
        assert_eq!(pypy, ["python3", "python3.10", "pypy", "pypy3", "pypy3.10"]);
        let free_threaded = Facts { free_threaded: true, ..facts("cpython", (3, 13, 0)) };
        assert_eq!(program_names(&free_threaded), ["python3", "python3.13", "python3.13t"]);
    }
}
