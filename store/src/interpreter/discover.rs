//! Finding interpreters: PATH, the folders of pyenv, uv and hatch, /opt, the system's own, an explicit path.
//!
//! Discovery only lists files; nothing is started here, so that it stays quick. What the user arranged comes first.
//! pyenv's shims are skipped: they are shell scripts, and the interpreters behind them are listed directly, the selected
//! one first.

pub use super::request::{PythonRequest, Variant, VersionRequest};

use super::registry;
use crate::layout::Layout;
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The minor versions of Python 3 that are looked for by name, newest first.
const MINORS: std::ops::RangeInclusive<u16> = 6..=15;

/// Where the system keeps programs, looked at last even where PATH does not name it.
const SYSTEM: [&str; 2] = ["/usr/local/bin", "/usr/bin"];

/// Interpreters of this machine that may answer the request, in order of preference, without repeats.
pub fn candidates(request: &PythonRequest) -> Vec<PathBuf> {
    if let PythonRequest::Path(path) = request {
        return explicit(path).into_iter().collect();
    }
    let names = names(request);
    let mut found = Found::default();
    // PATH first, as the user arranged it: a virtual environment's python, or what pyenv's shims lead to.
    names.iter().flat_map(|name| on_path_or_behind_shims(name)).for_each(|path| found.push(path));
    let mut directories = pyenv();
    directories.extend(managed());
    directories.extend(optional());
    // A folder whose name is the version that is asked for goes first: others would be started in vain.
    directories.sort_by_key(|directory| !is_named_for(directory, request));
    directories.extend(SYSTEM.map(PathBuf::from));
    for directory in directories {
        names.iter().map(|name| directory.join(name)).for_each(|path| found.push(path));
    }
    found.paths
}

/// Like [`candidates`], with what the store has adopted or installed first, where a version is asked for.
pub fn candidates_with_adopted(layout: &Layout, request: &PythonRequest) -> Vec<PathBuf> {
    let PythonRequest::Version(_) = request else { return candidates(request) };
    let mut paths = registry::paths_for(layout, request);
    let adopted = paths.clone();
    paths.extend(candidates(request).into_iter().filter(|path| !adopted.contains(path)));
    paths
}

/// Everything that looks like an interpreter of this machine: for listings.
pub fn all() -> Vec<PathBuf> {
    candidates(&PythonRequest::Any)
}

/// Executables, each file once, by the path under which it was found first.
#[derive(Default)]
struct Found {
    paths: Vec<PathBuf>,
    seen: BTreeSet<PathBuf>,
}

impl Found {
    fn push(&mut self, path: PathBuf) {
        if is_executable(&path)
            && let Ok(real) = fs::canonicalize(&path)
            && self.seen.insert(real)
        {
            self.paths.push(path);
        }
    }
}

/// Names of executables that may answer the request, most precise first.
fn names(request: &PythonRequest) -> Vec<String> {
    let any = VersionRequest::default();
    let version = if let PythonRequest::Version(version) = request { version } else { &any };
    let prefix = if version.implementation.as_deref() == Some("pypy") { "pypy" } else { "python" };
    let mut names = Vec::new();
    match version.parts[..] {
        [major, minor, ..] => {
            names.extend(variants(&format!("{prefix}{major}.{minor}"), version.variant));
            names.push(format!("{prefix}{major}"));
        }
        [major] => names.push(format!("{prefix}{major}")),
        [] => names.push(format!("{prefix}3")),
    }
    names.push(prefix.to_owned());
    if version.parts.len() < 2 {
        let minors = MINORS.rev().map(|minor| (3, minor)).chain([(2, 7)]);
        let fitting = minors.filter(|(major, _)| version.parts.first().is_none_or(|part| part == major));
        for (major, minor) in fitting {
            names.extend(variants(&format!("{prefix}{major}.{minor}"), version.variant));
        }
    }
    if *request == PythonRequest::Any {
        // For listings: whatever they are, they do not answer this request before the others do.
        let others = MINORS.rev().flat_map(|minor| ["t", "d", "td", "-dbg"].map(|end| format!("python3.{minor}{end}")));
        names.extend(others);
        names.extend(["pypy3", "pypy", "pypy2"].map(str::to_owned));
        names.extend(MINORS.rev().map(|minor| format!("pypy3.{minor}")));
    }
    names
}

/// The names of a version's executable with a variant: `python3.13t`, `python3.11d`, `python3.11-dbg`.
fn variants(stem: &str, variant: Variant) -> Vec<String> {
    let mut names = vec![format!("{stem}{variant}")];
    if variant == (Variant { debug: true, free_threaded: false }) {
        names.push(format!("{stem}-dbg"));
    }
    if variant != Variant::default() {
        // Such a build also has the plain name in its own `bin`.
        names.push(stem.to_owned());
    }
    names
}

/// An interpreter named by path: the file itself, `bin/python` in a directory, or a name on PATH.
fn explicit(path: &Path) -> Option<PathBuf> {
    if path.is_dir() {
        let names = ["bin/python", "bin/python3", "bin/pypy3", "bin/python2"];
        return names.into_iter().map(|name| path.join(name)).find(|path| is_executable(path));
    }
    if is_executable(path) {
        return Some(path.to_owned());
    }
    let name = path.to_str().filter(|name| !name.contains('/'))?;
    on_path(name).into_iter().next()
}

/// Executables of this name in PATH order, pyenv's shims left out.
pub fn on_path(name: &str) -> Vec<PathBuf> {
    path_directories()
        .filter(|directory| !is_shim_directory(directory))
        .map(|directory| directory.join(name))
        .filter(|path| is_executable(path))
        .collect()
}

/// Like [`on_path`], with the interpreters that pyenv has selected in place of its shim.
fn on_path_or_behind_shims(name: &str) -> Vec<PathBuf> {
    let behind = |directory: PathBuf| match pyenv_root() {
        Some(root) if is_shim_directory(&directory) => {
            pyenv_selected(&root).iter().map(|version| root.join("versions").join(version).join("bin")).collect()
        }
        _ => vec![directory],
    };
    path_directories().flat_map(behind).map(|directory| directory.join(name)).collect()
}

fn path_directories() -> impl Iterator<Item = PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let directories: Vec<PathBuf> = env::split_paths(&path).filter(|directory| directory.is_absolute()).collect();
    directories.into_iter()
}

fn is_shim_directory(directory: &Path) -> bool {
    directory.ends_with("shims") && pyenv_root().is_some_and(|root| directory.starts_with(root))
}

fn is_executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

fn pyenv_root() -> Option<PathBuf> {
    let root = variable("PYENV_ROOT");
    root.or_else(|| variable("HOME").map(|home| home.join(".pyenv"))).filter(|root| root.is_dir())
}

/// The `bin` directories of pyenv's versions: the selected one first (as its shim would choose), then newest first.
fn pyenv() -> Vec<PathBuf> {
    let Some(root) = pyenv_root() else { return Vec::new() };
    let versions = root.join("versions");
    let selected: Vec<PathBuf> = pyenv_selected(&root).iter().map(|name| versions.join(name)).collect();
    let mut folders = folders(&versions);
    folders.sort_by_key(|folder| selected.iter().position(|wanted| wanted == folder).unwrap_or(usize::MAX));
    folders.into_iter().map(|folder| folder.join("bin")).collect()
}

/// Versions that pyenv would use here: PYENV_VERSION, `.python-version` upwards, the global file.
fn pyenv_selected(root: &Path) -> Vec<String> {
    if let Ok(version) = env::var("PYENV_VERSION") {
        return version.split(':').map(str::to_owned).collect();
    }
    let mut directory = env::current_dir().ok();
    while let Some(current) = directory {
        if let Ok(text) = fs::read_to_string(current.join(".python-version")) {
            return text.split_whitespace().map(str::to_owned).collect();
        }
        directory = current.parent().map(Path::to_path_buf);
    }
    fs::read_to_string(root.join("version"))
        .map(|text| text.split_whitespace().map(str::to_owned).collect())
        .unwrap_or_default()
}

/// The `bin` directories of what uv and hatch have installed.
fn managed() -> Vec<PathBuf> {
    let data = variable("XDG_DATA_HOME").or_else(|| Some(variable("HOME")?.join(".local/share")));
    let below = |folder: &str| data.as_ref().map(|data| data.join(folder));
    let uv = variable("UV_PYTHON_INSTALL_DIR").or_else(|| below("uv/python"));
    let hatch = variable("HATCH_DATA_DIR").or_else(|| below("hatch")).map(|data| data.join("pythons"));
    let mut directories = Vec::new();
    for folder in uv.iter().flat_map(|folder| folders(folder)) {
        directories.push(folder.join("bin"));
    }
    for folder in hatch.iter().flat_map(|folder| folders(folder)) {
        directories.extend([folder.join("python/bin"), folder.join("bin")]);
    }
    directories
}

/// `/opt/*/bin` and `/opt/python/*/bin` (manylinux images), newest first.
fn optional() -> Vec<PathBuf> {
    let opt = Path::new("/opt");
    folders(opt).into_iter().chain(folders(&opt.join("python"))).map(|folder| folder.join("bin")).collect()
}

/// What is in a directory, by the numbers in the names, highest first; hidden things left out.
fn folders(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = entries
        .filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."))
        .map(|entry| entry.path())
        .collect();
    folders.sort_by_key(|folder| (Reverse(numbers(folder)), folder.clone()));
    folders
}

/// The numbers in a folder's name: `cpython-3.12.8-linux-x86_64-gnu` begins with 3, 12, 8.
fn numbers(folder: &Path) -> Vec<u32> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    name.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect()
}

/// True if the folder that holds this `bin` has the version that is asked for in its name.
fn is_named_for(bin: &Path, request: &PythonRequest) -> bool {
    let PythonRequest::Version(VersionRequest { parts, .. }) = request else { return false };
    let wanted: Vec<u32> = parts.iter().copied().map(u32::from).collect();
    let named = |folder: &Path| numbers(folder).starts_with(&wanted);
    !wanted.is_empty() && bin.ancestors().skip(1).take(2).any(named)
}

fn variable(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_of(request: &str) -> Vec<String> {
        names(&PythonRequest::parse(request))
    }

    #[test]
    fn the_most_precise_name_goes_first() {
        assert_eq!(names_of("3.11"), ["python3.11", "python3", "python"]);
        assert_eq!(names_of("3.13t"), ["python3.13t", "python3.13", "python3", "python"]);
        assert_eq!(names_of("3.11d")[..2], ["python3.11d", "python3.11-dbg"]);
        assert_eq!(names_of("2.7"), ["python2.7", "python2", "python"]);
        assert_eq!(names_of("pypy3.9"), ["pypy3.9", "pypy3", "pypy"]);
        assert_eq!(names_of("3")[..3], ["python3", "python", "python3.15"]);
        assert!(names_of("python").contains(&"python3.13t".to_owned()));
        assert!(!names_of("3").contains(&"python2.7".to_owned()));
    }

    #[test]
    fn folders_are_known_by_the_version_in_their_name() {
        let request = PythonRequest::parse("3.12");
        for bin in ["/p/3.12.1/bin", "/p/cpython-3.12.8-linux-x86_64-gnu/bin", "/p/3.12/python/bin"] {
            assert!(is_named_for(Path::new(bin), &request), "{bin}");
        }
        assert!(!is_named_for(Path::new("/p/3.11.7/bin"), &request));
        assert!(!is_named_for(Path::new("/p/3.12.1/bin"), &PythonRequest::Any));
    }
}
