//! Python interpreters: adopted by reference, known by what probing them found.
//!
//! An [`Interpreter`] is its real path, an [`Identity`] that changes when the file does, and [`Facts`].
//! Facts are remembered by identity, so an interpreter that changed on disk is probed again.

pub mod archive;
mod compatible_tags;
pub mod discover;
mod elsewhere;
pub mod installed;
mod probe;
pub mod registry;
mod request;
#[cfg(test)]
pub(crate) mod testing;

pub use compatible_tags::compatible_tags;
pub use probe::{forget_vanished, probe, probe_cached};
pub use request::{PythonRequest, Variant, VersionRequest};

use crate::error::{Error, IoContext, Result};
use crate::tags::Tags;
use pep508_rs::{MarkerEnvironment, MarkerEnvironmentBuilder};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What tells an interpreter's file from another one at the same path.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Identity {
    /// The path with all links resolved; of an installed interpreter, the one below `pythons/`.
    pub path: PathBuf,
    /// Bytes.
    pub size: u64,
    /// Modification time, nanoseconds since the epoch.
    pub modified: i128,
}

impl Identity {
    /// The identity of the file that `path` leads to.
    ///
    /// # Errors
    /// [`Error::Io`] if there is none.
    pub fn of(path: &Path) -> Result<Self> {
        let real = std::fs::canonicalize(path).at("find", path)?;
        Self::of_real(real)
    }

    fn of_real(path: PathBuf) -> Result<Self> {
        let metadata = std::fs::metadata(&path).at("look at", &path)?;
        let modified = i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec());
        Ok(Self { size: metadata.len(), modified, path })
    }

    /// True if the file is still the one that this identity was taken from: one `stat`.
    pub fn is_current(&self) -> bool {
        Self::of_real(self.path.clone()).is_ok_and(|now| now == *self)
    }
}

/// What the interpreter says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Real path of the base interpreter (never one inside a virtual environment).
    pub executable: PathBuf,
    /// `cpython`, `pypy`.
    pub implementation: String,
    /// Major, minor, patch.
    pub version: (u8, u8, u16),
    /// Names its bytecode: `cpython-311`.
    pub cache_tag: String,
    /// The magic number of its bytecode, 0 if it is not known.
    #[serde(default)]
    pub magic: u32,
    /// Relative to an environment's root: `lib/python3.11/site-packages`.
    pub site_packages: String,
    /// Directory of the standard library.
    pub stdlib: PathBuf,
    /// `cpython-311-x86_64-linux-gnu`.
    pub soabi: String,
    /// `sys.abiflags`.
    pub abi_flags: String,
    /// Python 2: wide unicode.
    pub unicode_wide: bool,
    /// Built without the global interpreter lock (PEP 703).
    pub free_threaded: bool,
    /// A debug build.
    pub debug: bool,
    /// PyPy's own version, or empty.
    pub pypy_version: Vec<u16>,
    /// `linux-x86_64`.
    pub platform: String,
    /// 64 or 32.
    pub pointer_bits: u8,
    /// The C library: kind, major, minor.
    pub libc: Option<(String, u16, u16)>,
    /// The environment markers (PEP 508).
    pub markers: BTreeMap<String, String>,
}

impl Facts {
    /// `3.11.7`, with the pre-release suffix if there is one.
    pub fn full_version(&self) -> String {
        match self.markers.get("python_full_version") {
            Some(version) => version.clone(),
            None => format!("{}.{}.{}", self.version.0, self.version.1, self.version.2),
        }
    }

    /// How it was built.
    pub fn variant(&self) -> Variant {
        Variant { free_threaded: self.free_threaded, debug: self.debug }
    }

    /// What its default environment is called: `3.11`, `3.13t`, `3.13d`, `pypy3.9`.
    pub fn name(&self) -> String {
        let implementation = if self.implementation == "cpython" { "" } else { self.implementation.as_str() };
        format!("{implementation}{}{}", self.short_version(), self.variant())
    }

    /// `3.11`.
    pub fn short_version(&self) -> String {
        format!("{}.{}", self.version.0, self.version.1)
    }

    /// The marker environment that requirements are evaluated in.
    ///
    /// # Errors
    /// [`Error::Interpreter`] if the interpreter reports a version that is not one.
    pub fn marker_environment(&self) -> Result<MarkerEnvironment> {
        let get = |name: &str| self.markers.get(name).map_or("", String::as_str);
        MarkerEnvironment::try_from(MarkerEnvironmentBuilder {
            implementation_name: get("implementation_name"),
            implementation_version: get("implementation_version"),
            os_name: get("os_name"),
            platform_machine: get("platform_machine"),
            platform_python_implementation: get("platform_python_implementation"),
            platform_release: get("platform_release"),
            platform_system: get("platform_system"),
            platform_version: get("platform_version"),
            python_full_version: get("python_full_version"),
            python_version: get("python_version"),
            sys_platform: get("sys_platform"),
        })
        .map_err(|error| Error::Interpreter { path: self.executable.clone(), reason: error.to_string() })
    }

    /// The wheel tags that it accepts, best first.
    pub fn tags(&self) -> Tags {
        compatible_tags(self)
    }
}

/// An interpreter that can be used now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interpreter {
    /// Which file it is.
    pub identity: Identity,
    /// What it said of itself.
    pub facts: Facts,
}

impl Interpreter {
    /// The real path.
    pub fn path(&self) -> &Path {
        &self.identity.path
    }
}
