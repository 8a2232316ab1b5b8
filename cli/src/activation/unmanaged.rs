//! Distributions that something else installed: read from the `*.dist-info` directories of a site-packages directory.
//!
//! Read leniently: what cannot be read is not there.

use super::distributions::{Distribution, extension_at_top, in_libraries};
use omnipkg_store::wheel::Metadata;
use pep508_rs::PackageName;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::str::FromStr;

/// The distributions of a directory, by normalised project name.
pub fn distributions(site_packages: &Path) -> BTreeMap<String, Distribution> {
    let entries = fs::read_dir(site_packages).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.filter(|path| path.extension().is_some_and(|extension| extension == "dist-info")).filter_map(read).collect()
}

fn read(dist_info: std::path::PathBuf) -> Option<(String, Distribution)> {
    let metadata = Metadata::parse(&fs::read(dist_info.join("METADATA")).ok()?);
    let name = PackageName::from_str(&metadata.name?).ok()?;
    let record = fs::read_to_string(dist_info.join("RECORD")).unwrap_or_default();
    let paths = || record.lines().filter_map(|line| line.split(',').next());
    let distribution = Distribution {
        version: metadata.version?,
        wheel: None,
        modules: paths().filter_map(top_module).map(str::to_owned).collect::<BTreeSet<String>>(),
        compiled: paths().any(|path| path.ends_with(".so") && !in_libraries(path)),
        requires: metadata.requires_dist,
    };
    Some((name.to_string(), distribution))
}

/// The top-level module or package that a file belongs to.
fn top_module(path: &str) -> Option<&str> {
    if let Some(name) = extension_at_top(path) {
        return Some(name);
    }
    let (top, is_package) = match path.split_once('/') {
        Some((top, rest)) => (top, rest.ends_with(".py") || rest.ends_with(".so")),
        None => (path.strip_suffix(".py")?, true),
    };
    (is_package && !top.contains('.') && top != "__pycache__").then_some(top)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_of_another_installer_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let info = dir.path().join("Py_YAML-6.0.dist-info");
        fs::create_dir(&info).unwrap();
        fs::write(info.join("METADATA"), "Name: Py.YAML\nVersion: 6.0\nRequires-Dist: a\n\nbody").unwrap();
        let record =
            "yaml/__init__.py,,\n_yaml.cpython-311-x86_64-linux-gnu.so,,\n../../bin/x,,\nsix.py,,\nx/y.txt,,\n";
        fs::write(info.join("RECORD"), format!("{record}Py_YAML-6.0.dist-info/METADATA,,\n")).unwrap();
        let found = distributions(dir.path());
        let one = &found["py-yaml"];
        assert_eq!((one.version.as_str(), one.compiled, &one.requires[..]), ("6.0", true, &["a".to_owned()][..]));
        assert_eq!(one.modules.iter().map(String::as_str).collect::<Vec<_>>(), ["_yaml", "six", "yaml"]);
        assert!(distributions(&dir.path().join("missing")).is_empty());
    }
}
