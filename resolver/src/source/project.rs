//! What a source's `pyproject.toml` says: how it is built (PEP 518, 517), and what it needs where that is fixed (PEP 621).

use crate::error::{Error, Result};
use crate::metadata::Requirement;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr;

/// How a wheel is made of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BuildSystem {
    /// What must be there.
    pub(super) requires: Vec<Requirement>,
    /// `module:object`.
    pub(super) backend: String,
    /// Directories of the project where the backend itself may be.
    pub(super) backend_path: Vec<String>,
}

#[derive(Default, Deserialize)]
struct File {
    #[serde(rename = "build-system")]
    build_system: Option<Table>,
    project: Option<Project>,
}

#[derive(Deserialize)]
struct Table {
    requires: Option<Vec<String>>,
    #[serde(rename = "build-backend")]
    build_backend: Option<String>,
    #[serde(rename = "backend-path", default)]
    backend_path: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Project {
    name: String,
    version: Option<String>,
    requires_python: Option<String>,
    dependencies: Option<Vec<String>>,
    optional_dependencies: Option<BTreeMap<String, Vec<String>>>,
    #[serde(default)]
    dynamic: Vec<String>,
}

/// A project that says nothing is built as setuptools always built them.
const LEGACY: (&str, &str) = ("setuptools.build_meta:__legacy__", "setuptools>=40.8.0");

fn read(root: &Path, label: &str) -> Result<File> {
    let path = root.join("pyproject.toml");
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(File::default()),
        Err(error) => return Err(Error::io("read", path, error)),
    };
    toml::from_str(&text)
        .map_err(|error| Error::build(label, format!("its pyproject.toml is wrong: {}", error.message())))
}

/// How a project is built.
pub(super) fn build_system(root: &Path, label: &str) -> Result<BuildSystem> {
    let table = read(root, label)?.build_system;
    let is_legacy = table.is_none();
    if is_legacy
        && !root.join("setup.py").exists()
        && !root.join("setup.cfg").exists()
        && !root.join("pyproject.toml").exists()
    {
        return Err(Error::build(label, "it has neither a pyproject.toml nor a setup.py"));
    }
    let table = table.unwrap_or(Table { requires: None, build_backend: None, backend_path: Vec::new() });
    let requires = match table.requires {
        Some(requires) => requires,
        None if is_legacy => vec![LEGACY.1.to_owned()],
        None => return Err(Error::build(label, "its pyproject.toml has a [build-system] without `requires`")),
    };
    let parse = |text: &String| {
        Requirement::from_str(text)
            .map_err(|error| Error::build(label, format!("its build requires {text:?}: {}", error.message)))
    };
    Ok(BuildSystem {
        requires: requires.iter().map(parse).collect::<Result<_>>()?,
        backend: table.build_backend.unwrap_or_else(|| LEGACY.0.to_owned()),
        backend_path: table.backend_path,
    })
}

/// METADATA as far as `pyproject.toml` fixes it; `None` if its backend may say something else.
pub(super) fn fixed_metadata(root: &Path, version: Option<&str>, label: &str) -> Result<Option<String>> {
    // What is wrong with a file of old is its backend's matter.
    let Ok(File { project: Some(project), .. }) = read(root, label) else { return Ok(None) };
    let free = ["dependencies", "optional-dependencies", "requires-python"];
    let Some(version) = project.version.as_deref().or(version) else { return Ok(None) };
    if project.dynamic.iter().any(|name| free.contains(&name.as_str())) {
        return Ok(None);
    }
    let mut text = format!("Metadata-Version: 2.2\nName: {}\nVersion: {version}\n", project.name);
    let mut add = |key: &str, value: &str| text.push_str(&format!("{key}: {}\n", value.replace(['\n', '\r'], " ")));
    if let Some(python) = &project.requires_python {
        add("Requires-Python", python);
    }
    for requirement in project.dependencies.iter().flatten() {
        add("Requires-Dist", requirement);
    }
    for (extra, requirements) in project.optional_dependencies.iter().flatten() {
        let Ok(name) = pep508_rs::ExtraName::from_str(extra) else { return Ok(None) };
        add("Provides-Extra", extra);
        for requirement in requirements {
            let Ok(parsed) = Requirement::from_str(requirement) else { return Ok(None) };
            add("Requires-Dist", &parsed.with_extra_marker(&name).to_string());
        }
    }
    Ok(Some(text))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        files.iter().for_each(|(name, text)| std::fs::write(root.path().join(name), text).unwrap());
        root
    }

    #[test]
    fn build_systems() {
        let of = |files: &[(&str, &str)]| build_system(project(files).path(), "x");
        let shown = |system: BuildSystem| format!("{} {}", system.backend, system.requires[0]);
        assert_eq!(shown(of(&[("setup.py", "")]).unwrap()), "setuptools.build_meta:__legacy__ setuptools>=40.8.0");
        let own = "[build-system]\nrequires=['flit_core']\nbuild-backend='a.b:c'\nbackend-path=['.']";
        assert_eq!(shown(of(&[("pyproject.toml", own)]).unwrap()), "a.b:c flit-core");
        let legacy = "[build-system]\nrequires=['cython']";
        assert_eq!(shown(of(&[("pyproject.toml", legacy)]).unwrap()), "setuptools.build_meta:__legacy__ cython");
        for (text, expected) in [
            ("[build-system]\n", "without `requires`"),
            ("[build-system]\nrequires=['??']", "its build requires \"??\""),
            ("[build", "its pyproject.toml is wrong"),
        ] {
            let error = of(&[("pyproject.toml", text)]).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        assert!(of(&[]).unwrap_err().to_string().contains("neither"));
    }

    #[test]
    fn needs_are_read_where_they_are_fixed() {
        let of = |text: &str| fixed_metadata(project(&[("pyproject.toml", text)]).path(), Some("2"), "x").unwrap();
        let text = of("[project]\nname='A'\nrequires-python='>=3.8'\ndependencies=['b>1']\ndynamic=['version']\n\
             [project.optional-dependencies]\nx=['c; os_name==\"nt\"']")
        .unwrap();
        assert_eq!(
            text,
            "Metadata-Version: 2.2\nName: A\nVersion: 2\nRequires-Python: >=3.8\nRequires-Dist: b>1\nProvides-Extra: x\n\
             Requires-Dist: c ; os_name == 'nt' and extra == 'x'\n"
        );
        assert_eq!(of("[project]\nname='a'\nversion='1'\ndynamic=['dependencies']"), None);
        assert_eq!(of("[tool.poetry]\nname='a'"), None);
    }
}
