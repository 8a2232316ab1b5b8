//! Finding interpreters: PATH, pyenv's folders, an explicit path.
//!
//! Discovery only lists files; nothing is started here, so that it stays quick. pyenv's shims are skipped:
//! they are shell scripts, and the interpreters behind them are listed directly, the selected one first.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// What a user may write for `--python`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PythonRequest {
    /// Whatever comes first.
    Any,
    /// `3`, `3.11`, `3.11.7`: the parts that were given.
    Version(Vec<u16>),
    /// `pypy`, `pypy3.9`, `cpython3.12`: an implementation, and the parts of the version.
    Implementation(String, Vec<u16>),
    /// A file, or a directory holding `bin/python`.
    Path(PathBuf),
}

impl PythonRequest {
    /// Reads what the user wrote; anything that is neither version nor implementation is a path.
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        if text.contains('/') {
            return Self::Path(PathBuf::from(text));
        }
        let lower = text.to_ascii_lowercase();
        for name in ["cpython", "pypy", "python"] {
            if let Some(rest) = lower.strip_prefix(name)
                && let Some(version) = parse_version(rest.trim_start_matches(['@', '-', ' ']))
            {
                return match name {
                    "python" if version.is_empty() => Self::Any,
                    "python" => Self::Version(version),
                    name => Self::Implementation(name.to_owned(), version),
                };
            }
        }
        match parse_version(text) {
            Some(version) if !version.is_empty() => Self::Version(version),
            _ => Self::Path(PathBuf::from(text)),
        }
    }

    /// True if facts with this implementation and version answer the request (paths are the caller's business).
    pub fn accepts(&self, implementation: &str, version: (u8, u8, u16)) -> bool {
        let full = [u16::from(version.0), u16::from(version.1), version.2];
        match self {
            Self::Any | Self::Path(_) => true,
            Self::Version(parts) => implementation == "cpython" && full.starts_with(parts),
            Self::Implementation(name, parts) => implementation == name && full.starts_with(parts),
        }
    }

    /// Executable names on PATH that may answer, most precise first.
    fn names(&self) -> Vec<String> {
        let (prefix, parts) = match self {
            Self::Any | Self::Path(_) => ("python", &[][..]),
            Self::Version(parts) => ("python", &parts[..]),
            Self::Implementation(name, parts) if name == "pypy" => ("pypy", &parts[..]),
            Self::Implementation(_, parts) => ("python", &parts[..]),
        };
        let mut names = Vec::new();
        if let [major, minor, ..] = parts {
            names.push(format!("{prefix}{major}.{minor}"));
        }
        names.extend([format!("{prefix}3"), prefix.to_owned()]);
        if parts.first() == Some(&2) {
            names.insert(0, format!("{prefix}2"));
        }
        names
    }
}

fn parse_version(text: &str) -> Option<Vec<u16>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    let parts: Option<Vec<u16>> = text.split('.').map(|part| part.parse().ok()).collect();
    parts.filter(|parts| parts.len() <= 3)
}

/// Interpreters that may answer the request, in order of preference, without repeats.
pub fn candidates(request: &PythonRequest) -> Vec<PathBuf> {
    if let PythonRequest::Path(path) = request {
        return explicit(path).into_iter().collect();
    }
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    let mut push = |path: PathBuf| {
        if let Ok(real) = fs::canonicalize(&path)
            && seen.insert(real)
        {
            found.push(path);
        }
    };
    // PATH first, as the user arranged it: a virtual environment's python, or what pyenv's shims lead to.
    request.names().iter().flat_map(|name| on_path_or_behind_shims(name)).for_each(&mut push);
    pyenv().into_iter().for_each(&mut push);
    found
}

/// Everything that looks like an interpreter: for listings.
pub fn all() -> Vec<PathBuf> {
    let mut found = candidates(&PythonRequest::Any);
    let mut seen: BTreeSet<PathBuf> = found.iter().filter_map(|path| fs::canonicalize(path).ok()).collect();
    for minor in (6..=15).rev() {
        for path in on_path(&format!("python3.{minor}")) {
            if fs::canonicalize(&path).is_ok_and(|real| seen.insert(real)) {
                found.push(path);
            }
        }
    }
    found
}

/// An interpreter named by path: the file itself, `bin/python` in a directory, or a name on PATH.
fn explicit(path: &Path) -> Option<PathBuf> {
    if path.is_dir() {
        return [path.join("bin/python"), path.join("bin/python3")].into_iter().find(|path| is_executable(path));
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
    path_directories()
        .flat_map(behind)
        .map(|directory| directory.join(name))
        .filter(|path| is_executable(path))
        .collect()
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
    let root = env::var_os("PYENV_ROOT").map(PathBuf::from);
    root.or_else(|| env::var_os("HOME").map(|home| Path::new(&home).join(".pyenv"))).filter(|root| root.is_dir())
}

/// pyenv's interpreters: the selected version first (as its shim would choose), then newest first.
fn pyenv() -> Vec<PathBuf> {
    let Some(root) = pyenv_root() else { return Vec::new() };
    let Ok(entries) = fs::read_dir(root.join("versions")) else { return Vec::new() };
    let mut names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    let selected = pyenv_selected(&root);
    let key = |name: &str| -> Vec<u32> { name.split(['.', '-']).map(|part| part.parse().unwrap_or(0)).collect() };
    names.sort_by(|a, b| {
        let rank = |name: &String| selected.iter().position(|wanted| wanted == name).unwrap_or(usize::MAX);
        rank(a).cmp(&rank(b)).then_with(|| key(b).cmp(&key(a)))
    });
    names
        .iter()
        .map(|name| root.join("versions").join(name).join("bin/python"))
        .filter(|path| is_executable(path))
        .collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_parse_as_users_write_them() {
        use PythonRequest::{Any, Implementation, Path as ByPath, Version};
        assert_eq!(PythonRequest::parse("3.11"), Version(vec![3, 11]));
        assert_eq!(PythonRequest::parse("python3.9"), Version(vec![3, 9]));
        assert_eq!(PythonRequest::parse("python"), Any);
        assert_eq!(PythonRequest::parse("pypy@3.9"), Implementation("pypy".into(), vec![3, 9]));
        assert_eq!(PythonRequest::parse("/opt/py/bin/python"), ByPath("/opt/py/bin/python".into()));
        assert_eq!(PythonRequest::parse("my-python"), ByPath("my-python".into()));
    }

    #[test]
    fn versions_match_by_their_given_parts() {
        let request = PythonRequest::parse("3.1");
        assert!(request.accepts("cpython", (3, 1, 4)));
        assert!(!request.accepts("cpython", (3, 11, 0)));
        assert!(!request.accepts("pypy", (3, 1, 4)));
        assert!(PythonRequest::parse("3").accepts("cpython", (3, 13, 0)));
    }
}
