//! What a view of CPython 2.7 has besides what every view has.
//!
//! That Python knows no `pyvenv.cfg`: it follows the links of its own executable, and takes for its prefix the directory
//! above it that has `lib/python2.7/os.py`. So the view holds the program itself, as a regular file, and its own
//! `lib/python2.7`, in which everything but `site-packages` is a link to the base.

use super::manifest::ManifestBuilder;
use super::runtime::RuntimeFile;
use crate::digest::{Digest, DigestHasher};
use crate::error::{Error, IoContext, Result};
use crate::interpreter::{Facts, Interpreter};
use std::fs;
use std::path::Path;

/// The program's name in the view.
pub const PROGRAM: &str = "bin/python2.7";

/// Of omnipkg's own files, those that run under Python 2 too: the failure reporter with all that it needs.
const RUNTIME: [&str; 16] = [
    "site/_omnipkg.pth",
    "site/_omnipkg_reporter.py",
    "site/omnipkg/__init__.py",
    "site/omnipkg/_apis.py",
    "site/omnipkg/_bindings.py",
    "site/omnipkg/_checks.py",
    "site/omnipkg/_distributions.py",
    "site/omnipkg/_either.py",
    "site/omnipkg/_failure.py",
    "site/omnipkg/_left.py",
    "site/omnipkg/_missing.py",
    "site/omnipkg/_modern.py",
    "site/omnipkg/_predicted.py",
    "site/omnipkg/_subjects.py",
    "site/omnipkg/_syntax.py",
    "site/omnipkg/_values.py",
];

/// Names in the standard library's directory that a view has of its own, or has nothing of.
const OWN: [&str; 2] = ["site-packages", "dist-packages"];

/// True for interpreters whose views are made as this module says.
pub fn is_python2(facts: &Facts) -> bool {
    facts.version.0 == 2
}

/// omnipkg's own files for an interpreter.
pub fn runtime_for(facts: &Facts, files: &[RuntimeFile]) -> Vec<RuntimeFile> {
    let serves = |path: &str| !is_python2(facts) || RUNTIME.contains(&path) || path.starts_with("bin/");
    files.iter().filter(|file| serves(file.path)).copied().collect()
}

/// The interpreter's own bytes, for a view of Python 2.
///
/// # Errors
/// [`Error::View`] for another implementation than CPython; [`Error::Io`].
pub fn program(interpreter: &Interpreter) -> Result<Option<Vec<u8>>> {
    let facts = &interpreter.facts;
    if !is_python2(facts) {
        return Ok(None);
    }
    if facts.implementation != "cpython" {
        return Err(Error::View(format!("of Python 2 only CPython is supported, not {}", facts.implementation)));
    }
    fs::read(interpreter.path()).map(Some).at("read", interpreter.path())
}

/// The digest that stands for omnipkg's own files in the view's name, with the program's bytes where there are any.
pub fn with_program(runtime: Digest, program: Option<&Digest>) -> Digest {
    let Some(program) = program else { return runtime };
    let mut hasher = DigestHasher::new();
    hasher.update(runtime.as_bytes());
    hasher.update(program.as_bytes());
    hasher.finish()
}

/// Adds the links that make the base's standard library the view's.
///
/// # Errors
/// [`Error::Io`] if the base cannot be listed; [`Error::View`].
pub fn add_links(builder: &mut ManifestBuilder, facts: &Facts) -> Result<()> {
    let Some(version) = facts.stdlib.file_name().and_then(|name| name.to_str()) else {
        return Err(Error::View(format!("{} is no standard library", facts.stdlib.display())));
    };
    for name in entries(&facts.stdlib)?.iter().filter(|name| !OWN.contains(&name.as_str())) {
        builder.symlink(&format!("lib/{version}/{name}"), facts.stdlib.join(name))?;
    }
    let Some(library) = facts.stdlib.parent() else { return Ok(()) };
    // A program that was built with a shared library may look for it beside its own `bin`.
    for name in entries(library)?.iter().filter(|name| name.starts_with("libpython2.7") && name.contains(".so")) {
        builder.symlink(&format!("lib/{name}"), library.join(name))?;
    }
    let headers = library.parent().unwrap_or_else(|| Path::new("/")).join("include").join(version);
    if headers.is_dir() {
        builder.symlink(&format!("include/{version}"), headers)?;
    }
    for name in ["bin/python", "bin/python2"] {
        builder.symlink(name, "python2.7")?;
    }
    Ok(())
}

/// The names in a directory, sorted; what is not UTF-8 no import can mean.
fn entries(directory: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).at("list", directory)? {
        names.extend(entry.at("list", directory)?.file_name().into_string());
    }
    names.sort();
    Ok(names)
}
