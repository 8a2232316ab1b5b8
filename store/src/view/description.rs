//! What a view is made of: the file `omnipkg.json` at its root, and the digests that name it.
//!
//! The description is part of the view, so a view manifest says by itself which wheels it holds.

use super::manifest::{NodeKind, ViewManifest};
use crate::digest::{Digest, DigestHasher, Sha256, ViewId};
use crate::error::{Error, Result};
use crate::interpreter::Interpreter;
use crate::layout::{Layout, Store};
use crate::objects;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Name of the description at a view's root.
pub const DESCRIPTION: &str = "omnipkg.json";

/// One wheel of a set.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WheelReference {
    /// Normalised project name.
    pub name: String,
    /// Version.
    pub version: String,
    /// The archive's file name.
    pub filename: String,
    /// The archive's hash.
    pub sha256: Sha256,
}

/// An environment that omnipkg does not manage, whose packages stay visible beneath a view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overlay {
    /// Its root: where `pyvenv.cfg` is.
    pub prefix: PathBuf,
    /// Its site-packages directories, in order.
    pub site_packages: Vec<PathBuf>,
}

/// What a view is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewDescription {
    /// The portable digest of the set.
    pub set: Digest,
    /// The interpreter at its real path.
    pub interpreter: PathBuf,
    /// Its implementation: `cpython`.
    pub implementation: String,
    /// Its full version: `3.11.7`.
    pub version: String,
    /// Names its bytecode.
    pub cache_tag: String,
    /// The magic number of its bytecode, 0 if it was not known.
    #[serde(default)]
    pub magic: u32,
    /// Relative to the view's root.
    pub site_packages: String,
    /// The set, sorted by name.
    pub wheels: Vec<WheelReference>,
    /// Wheels that every environment of this interpreter has (pip, from its own ensurepip).
    pub seeds: Vec<WheelReference>,
    /// What stays visible beneath.
    pub overlay: Option<Overlay>,
}

impl ViewDescription {
    /// Describes a view to be; wheels are put in canonical order.
    pub fn new(
        interpreter: &Interpreter,
        mut wheels: Vec<WheelReference>,
        seeds: Vec<WheelReference>,
        overlay: Option<Overlay>,
    ) -> Self {
        wheels.sort();
        let facts = &interpreter.facts;
        Self {
            set: set_digest(interpreter, &wheels),
            interpreter: interpreter.path().to_owned(),
            implementation: facts.implementation.clone(),
            version: facts.full_version(),
            cache_tag: facts.cache_tag.clone(),
            magic: facts.magic,
            site_packages: facts.site_packages.clone(),
            wheels,
            seeds,
            overlay,
        }
    }

    /// Names the view on this machine: the set, the interpreter at its real path, what lies beneath, and
    /// the files that this version of omnipkg puts into every view (`runtime`, their digest).
    pub fn view_id(&self, runtime: &Digest) -> ViewId {
        let mut hasher = DigestHasher::new();
        let mut line = |key: &str, value: &str| hasher.update(format!("{key} {}:{value}\n", value.len()).as_bytes());
        line("omnipkg view", "3");
        line("set", &self.set.to_hex());
        line("interpreter", &self.interpreter.to_string_lossy());
        line("site-packages", &self.site_packages);
        line("runtime", &runtime.to_hex());
        for seed in &self.seeds {
            line("seed", &seed.sha256.to_hex());
        }
        if let Some(overlay) = &self.overlay {
            line("prefix", &overlay.prefix.to_string_lossy());
            for path in &overlay.site_packages {
                line("beneath", &path.to_string_lossy());
            }
        }
        ViewId::from_digest(&hasher.finish())
    }

    /// Reads the description out of a published view.
    ///
    /// # Errors
    /// [`Error::Io`] if there is no such view; [`Error::Damaged`].
    pub fn load(store: &Store, id: &ViewId) -> Result<Self> {
        let path = store.layout().view(id);
        Self::read(store.layout(), &ViewManifest::open(store.layout(), id)?, &path)
    }

    /// As [`ViewDescription::load`], out of a manifest that is open; `path` is for errors.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Damaged`].
    pub fn read(layout: &Layout, manifest: &ViewManifest, path: &Path) -> Result<Self> {
        let path = path.to_owned();
        let damaged = |reason: String| Error::Damaged { what: "view", path: path.clone(), reason };
        let node = manifest.resolve(DESCRIPTION)?.ok_or_else(|| damaged(format!("it has no {DESCRIPTION}")))?;
        let NodeKind::File { digest, .. } = manifest.node(node)?.kind else {
            return Err(damaged(format!("its {DESCRIPTION} is no file")));
        };
        serde_json::from_slice(&objects::read_in(layout, &digest)?).map_err(|error| damaged(error.to_string()))
    }

    /// The wheel of a project (normalised name) in the set.
    pub fn wheel(&self, name: &str) -> Option<&WheelReference> {
        self.wheels.iter().find(|wheel| wheel.name == name)
    }
}

/// blake3 over canonical (sorted wheel hashes, implementation, version, ABI, platform, format version): the
/// same on every machine, and what locks and shared caches speak of.
fn set_digest(interpreter: &Interpreter, wheels: &[WheelReference]) -> Digest {
    let facts = &interpreter.facts;
    let mut hasher = DigestHasher::new();
    let mut line = |key: &str, value: &str| hasher.update(format!("{key} {}:{value}\n", value.len()).as_bytes());
    line("omnipkg set", "1");
    line("implementation", &facts.implementation);
    line("version", &facts.full_version());
    line("abi", &facts.soabi);
    line("platform", &facts.platform);
    let mut hashes: Vec<Sha256> = wheels.iter().map(|wheel| wheel.sha256).collect();
    hashes.sort();
    for sha256 in hashes {
        line("wheel", &sha256.to_hex());
    }
    hasher.finish()
}
