//! Building a view: wheel manifests and an interpreter become one manifest of a whole virtual environment.
//!
//! Nothing is copied: a view is a table of names for objects that the store has. Two wheels with one path:
//! the same bytes are fine, of different bytes the later by normalised name wins, and it is reported.

use super::description::{DESCRIPTION, Overlay, ViewDescription, WheelReference};
use super::manifest::ManifestBuilder;
use super::python2;
use crate::digest::{Digest, DigestHasher, Sha256, ViewId};
use crate::error::{Error, Result};
use crate::interpreter::{Facts, Interpreter};
use crate::layout::Store;
use crate::objects::Batch;
use crate::publish;
use crate::wheel::WheelManifest;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// The tool itself, for programs in a view: a link that leads out of any projection to `bin/omnipkg` of the store.
const PROGRAM: &str = "bin/omnipkg";

/// A file that omnipkg itself puts into every view.
#[derive(Debug, Clone, Copy)]
pub struct RuntimeFile {
    /// As in a wheel manifest: `site/…` is relative to site-packages, anything else to the view's root.
    pub path: &'static str,
    /// Its content.
    pub bytes: &'static [u8],
}

/// A wheel to be put into a view.
pub struct ViewWheel<'a> {
    /// The archive's hash.
    pub sha256: Sha256,
    /// What it holds.
    pub manifest: &'a WheelManifest,
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
    pub runtime: &'a [RuntimeFile],
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

/// Makes a view, or finds that it exists.
///
/// # Errors
/// [`Error::View`] if wheels cannot be put together (one's file is another's directory); [`Error::Io`].
pub fn build(store: &Store, request: &ViewRequest<'_>) -> Result<BuiltView> {
    let names: Vec<&str> = request.wheels.iter().map(|wheel| wheel.manifest.name.as_ref()).collect();
    let seeds: Vec<&ViewWheel<'_>> =
        request.seeds.iter().filter(|seed| !names.contains(&seed.manifest.name.as_ref())).collect();
    let description = ViewDescription::new(
        request.interpreter,
        request.wheels.iter().map(reference).collect(),
        seeds.iter().map(|seed| reference(seed)).collect(),
        request.overlay.clone(),
    );
    let facts = &request.interpreter.facts;
    let runtime = python2::runtime_for(facts, request.runtime);
    let program = python2::program(request.interpreter)?;
    let program_digest = program.as_deref().map(Digest::of);
    let id = description.view_id(&python2::with_program(runtime_digest(&runtime), program_digest.as_ref()));
    let target = store.layout().view(&id);
    if target.exists() {
        return Ok(BuiltView { id, description, conflicts: Vec::new(), new: false });
    }
    let mut tree = Tree::new(facts);
    let mut wheels: Vec<&ViewWheel<'_>> = request.wheels.iter().chain(seeds).collect();
    wheels.sort_by(|a, b| a.manifest.name.cmp(&b.manifest.name));
    for wheel in wheels {
        tree.add_wheel(wheel.manifest);
    }
    let mut batch = Batch::new(store)?;
    tree.add_own_files(&mut batch, request, &runtime, &description)?;
    if let Some(bytes) = program {
        let added = batch.add_bytes(&bytes)?;
        let file = File { digest: added.digest, size: added.size, executable: true, owner: "omnipkg" };
        tree.add(python2::PROGRAM.to_owned(), file);
    }
    let bytes = tree.manifest(request.interpreter)?;
    batch.commit()?;
    publish::file(store, &target, &bytes)?;
    Ok(BuiltView { id, description, conflicts: tree.conflicts, new: true })
}

/// Digest of the files that omnipkg itself puts into every view.
pub fn runtime_digest(files: &[RuntimeFile]) -> Digest {
    let mut hasher = DigestHasher::new();
    for file in files {
        hasher.update(format!("{} {} ", file.path, file.bytes.len()).as_bytes());
        hasher.update(file.bytes);
    }
    hasher.finish()
}

fn reference(wheel: &ViewWheel<'_>) -> WheelReference {
    WheelReference {
        name: wheel.manifest.name.to_string(),
        version: wheel.manifest.version.to_string(),
        filename: wheel.manifest.filename.clone(),
        sha256: wheel.sha256,
    }
}

struct File<'a> {
    digest: Digest,
    size: u64,
    executable: bool,
    owner: &'a str,
}

/// The files of a view by path, while it is put together.
struct Tree<'a> {
    site_packages: String,
    headers: String,
    files: BTreeMap<String, File<'a>>,
    conflicts: Vec<Conflict>,
}

impl<'a> Tree<'a> {
    fn new(facts: &Facts) -> Self {
        Self {
            site_packages: facts.site_packages.clone(),
            headers: format!("include/site/python{}", facts.short_version()),
            files: BTreeMap::new(),
            conflicts: Vec::new(),
        }
    }

    fn add_wheel(&mut self, manifest: &'a WheelManifest) {
        let owner: &'a str = manifest.name.as_ref();
        for entry in &manifest.files {
            let path = self.place(&entry.path);
            let file = File { digest: entry.digest, size: entry.size, executable: entry.executable, owner };
            self.add(path, file);
        }
    }

    /// Where a path of a wheel manifest is in the view.
    fn place(&self, path: &str) -> String {
        match path.split_once('/') {
            Some(("site", rest)) => format!("{}/{rest}", self.site_packages),
            Some(("include", rest)) => format!("{}/{rest}", self.headers),
            Some(("data", rest)) => rest.to_owned(),
            _ => path.to_owned(),
        }
    }

    fn add(&mut self, path: String, file: File<'a>) {
        match self.files.entry(path) {
            Entry::Vacant(slot) => {
                slot.insert(file);
            }
            Entry::Occupied(mut slot) => {
                let before = slot.get();
                if before.digest != file.digest {
                    self.conflicts.push(Conflict {
                        path: slot.key().clone(),
                        kept: file.owner.to_owned(),
                        dropped: before.owner.to_owned(),
                    });
                }
                slot.insert(file);
            }
        }
    }

    /// What makes the tree a virtual environment, and omnipkg's own files: they win over any wheel's.
    fn add_own_files(
        &mut self,
        batch: &mut Batch<'_>,
        request: &ViewRequest<'_>,
        runtime: &[RuntimeFile],
        description: &ViewDescription,
    ) -> Result<()> {
        let json = serde_json::to_vec_pretty(description).map_err(|error| Error::View(error.to_string()))?;
        let mut files = vec![
            ("pyvenv.cfg".to_owned(), pyvenv_cfg(request.interpreter).into_bytes()),
            (DESCRIPTION.to_owned(), json),
        ];
        for file in runtime {
            files.push((self.place(file.path), file.bytes.to_vec()));
        }
        if let Some(overlay) = &request.overlay {
            // Named to sort last: the view's own .pth files are read before the base's.
            let path = format!("{}/zzz_omnipkg_base.pth", self.site_packages);
            files.push((path, overlay_pth(overlay).into_bytes()));
        }
        for (path, bytes) in files {
            let added = batch.add_bytes(&bytes)?;
            self.add(path, File { digest: added.digest, size: added.size, executable: false, owner: "omnipkg" });
        }
        Ok(())
    }

    fn manifest(&self, interpreter: &Interpreter) -> Result<Vec<u8>> {
        let mut builder = ManifestBuilder::new();
        for (path, file) in self.files.iter().filter(|(path, _)| *path != PROGRAM) {
            builder.file(path, file.digest, file.size, file.executable)?;
        }
        builder.directory(&self.site_packages)?;
        let facts = &interpreter.facts;
        if python2::is_python2(facts) {
            python2::add_links(&mut builder, facts)?;
        } else {
            builder.symlink("bin/python", interpreter.path())?;
            for name in program_names(facts) {
                builder.symlink(&format!("bin/{name}"), "python")?;
            }
        }
        builder.symlink(PROGRAM, "../../../bin/omnipkg")?;
        if facts.pointer_bits == 64 {
            // venv makes this link too: build systems of some distributions look into lib64.
            builder.symlink("lib64", "lib")?;
        }
        builder.finish()
    }
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
