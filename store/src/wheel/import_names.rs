//! What a distribution lets one import, derived from the paths of its files.
//!
//! A top-level module or package counts by its name; below a namespace package (a directory without
//! `__init__`) the first level that holds code counts, dotted: `google.auth`, not `google`, since other
//! distributions have a share in the namespace.

use super::entry_points::is_identifier;
use std::collections::{BTreeSet, HashSet};

/// Suffixes of files that Python imports; an extension module's name ends at its first dot.
fn module_name(file: &str) -> Option<&str> {
    let name = if let Some(name) = file.strip_suffix(".py").or_else(|| file.strip_suffix(".pyc")) {
        name
    } else if file.ends_with(".so") {
        file.split('.').next()?
    } else {
        return None;
    };
    is_identifier(name).then_some(name)
}

/// Derives the sorted import names from paths relative to site-packages.
pub(super) fn derive<'paths>(paths: impl Iterator<Item = &'paths str> + Clone) -> Vec<String> {
    let modules = paths.filter_map(|path| {
        let (directory, file) = path.rsplit_once('/').unwrap_or(("", path));
        let importable = directory.is_empty() || directory.split('/').all(is_identifier);
        let module = module_name(file)?;
        (importable && !directory.ends_with("__pycache__")).then_some((directory, module))
    });
    let packages: HashSet<&str> =
        modules.clone().filter(|(_, module)| *module == "__init__").map(|(directory, _)| directory).collect();
    modules
        .filter_map(|(directory, module)| name_of(directory, module, &packages))
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect()
}

/// The outermost regular package that holds a module, or the module itself if all above it are namespaces.
fn name_of(directory: &str, module: &str, packages: &HashSet<&str>) -> Option<String> {
    if directory.is_empty() {
        return (module != "__init__").then(|| module.to_owned());
    }
    let ancestors = directory.match_indices('/').map(|(slash, _)| &directory[..slash]).chain([directory]);
    let package = ancestors.into_iter().find(|ancestor| packages.contains(ancestor));
    let path = package.map_or_else(|| format!("{directory}/{module}"), str::to_owned);
    Some(path.replace('/', "."))
}

#[cfg(test)]
mod tests {
    use super::derive;

    fn names(paths: &[&str]) -> Vec<String> {
        derive(paths.iter().copied())
    }

    #[test]
    fn packages_and_modules_count_by_their_top_name() {
        assert_eq!(names(&["rich/__init__.py", "rich/a/__init__.py", "rich/a/b.py"]), ["rich"]);
        assert_eq!(
            names(&["six.py", "_cffi.cpython-311-x86_64-linux-gnu.so", "yaml/__init__.pyc"]),
            ["_cffi", "six", "yaml"]
        );
        assert_eq!(names(&["cv2/__init__.py", "cv2/cv2.abi3.so", "opencv.libs/libx.so"]), ["cv2"]);
    }

    #[test]
    fn namespaces_count_by_the_first_level_with_code() {
        let paths =
            ["google/auth/__init__.py", "google/auth/x/__init__.py", "google/cloud/storage/__init__.py", "ns/mod.py"];
        assert_eq!(names(&paths), ["google.auth", "google.cloud.storage", "ns.mod"]);
    }

    #[test]
    fn what_cannot_be_imported_does_not_count() {
        let paths = [
            "a-b.py",
            "x-1.dist-info/y.py",
            "types-stubs/__init__.pyi",
            "d/data.json",
            "__pycache__/m.pyc",
            "__init__.py",
        ];
        assert!(names(&paths).is_empty());
    }
}
