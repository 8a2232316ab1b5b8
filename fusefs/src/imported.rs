//! Packages that have been imported through the mount, in the order in which that happened: the next view in which they
//! are will be asked for the same.
//!
//! An import asks each package for extension modules by the name `__init__` before it takes its `__init__.py`, and no
//! listing of a directory tells the kernel that a name is not there: so these questions come here, once in each view.
//! It is a hint, kept in memory and never needed.

use omnipkg_store::ViewId;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::sync::{Mutex, PoisonError};

/// What the names begin with that tell of an import.
const INITIAL: &str = "__init__.";

/// Packages that are remembered at most; tensorflow imports 700.
const PACKAGES: usize = 20_000;

/// Names that are remembered of each at most: Pythons ask for three.
const NAMES: usize = 8;

/// A package that was imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedPackage {
    /// Its directory, relative to its view.
    pub path: String,
    /// Names that were asked for there and do not exist.
    pub missing: Vec<String>,
}

/// A program imports a package in a view for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirstImport {
    /// Where.
    pub view: ViewId,
    /// The package was imported before, in another view.
    pub is_known: bool,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Imported {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    packages: Vec<ImportedPackage>,
    places: HashMap<String, usize>,
}

impl Imported {
    /// Notes a name that does not exist, if it tells of an import; `path` is asked for only then. If a program imports the
    /// package, and not every Python that is started there: whether it was known before.
    pub(crate) fn note<E>(&self, name: &OsStr, path: impl FnOnce() -> Result<String, E>) -> Result<Option<bool>, E> {
        let name = name.to_str().filter(|name| name.starts_with(INITIAL) && is_line(name));
        let Some(name) = name else { return Ok(None) };
        let path = path()?;
        let by_program = !is_hook(&path);
        let was_known = self.add(name, path);
        Ok(by_program.then_some(was_known))
    }

    /// False if the package was not known.
    fn add(&self, name: &str, path: String) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let known = state.places.get(&path).copied();
        let place = match known {
            Some(place) => place,
            None if state.packages.len() == PACKAGES || !is_line(&path) => return false,
            None => {
                let place = state.packages.len();
                state.packages.push(ImportedPackage { path: path.clone(), missing: Vec::new() });
                state.places.insert(path, place);
                place
            }
        };
        if let Some(package) = state.packages.get_mut(place)
            && package.missing.len() < NAMES
            && !package.missing.iter().any(|known| known == name)
        {
            package.missing.push(name.to_owned());
        }
        known.is_some()
    }

    /// All that are known now.
    pub fn packages(&self) -> Vec<ImportedPackage> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).packages.clone()
    }
}

/// True for what `.pth` files import: this tool's own package, and by custom private ones (`_distutils_hack`).
fn is_hook(path: &str) -> bool {
    let below = path.split_once("-packages/").map_or(path, |(_, below)| below);
    below.starts_with('_') || below == "omnipkg" || below.starts_with("omnipkg/")
}

/// True if a text can be handed on as part of a line with tabs.
fn is_line(text: &str) -> bool {
    !text.contains(['\n', '\t'])
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    fn note(imported: &Imported, path: &str, name: &str) -> Option<bool> {
        imported.note(OsStr::new(name), || Ok::<_, Infallible>(path.to_owned())).unwrap()
    }

    #[test]
    fn what_every_python_imports_there_is_no_import_of_a_program() {
        let imported = Imported::default();
        let is_of_program =
            |path: &str| note(&imported, &format!("lib/python3.11/site-packages/{path}"), "__init__.so").is_some();
        assert!(is_of_program("rich") && is_of_program("rich/_unicode") && is_of_program("omnipkgs"));
        assert!(!is_of_program("omnipkg") && !is_of_program("_distutils_hack"));
        assert_eq!(note(&imported, "lib/python3.11/site-packages/rich", "speedups.so"), None);
    }

    #[test]
    fn a_package_is_known_from_its_second_question_on() {
        let imported = Imported::default();
        assert_eq!(note(&imported, "a", "__init__.so"), Some(false));
        assert_eq!(note(&imported, "a", "__init__.so"), Some(true));
        assert_eq!(note(&imported, "a", "__init__.abi3.so"), Some(true));
        assert_eq!(note(&imported, "b", "__init__.so"), Some(false));
    }

    #[test]
    fn packages_are_kept_in_the_order_of_their_imports() {
        let imported = Imported::default();
        for (path, name) in [("b", "__init__.so"), ("a", "__init__.abi3.so"), ("b", "__init__.abi3.so"), ("b", "x.so")]
        {
            note(&imported, path, name);
        }
        note(&imported, "b", "__init__.so");
        note(&imported, "c\n", "__init__.so");
        let found = imported.packages();
        let of = |package: &ImportedPackage| (package.path.clone(), package.missing.join(" "));
        let expected = [("b", "__init__.so __init__.abi3.so"), ("a", "__init__.abi3.so")];
        let expected = expected.map(|(path, missing)| (path.to_owned(), missing.to_owned()));
        assert_eq!(found.iter().map(of).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn memory_does_not_grow_for_ever() {
        let imported = Imported::default();
        (0..20).for_each(|number| {
            note(&imported, "a", &format!("__init__.{number}.so"));
        });
        assert_eq!(imported.packages()[0].missing.len(), NAMES);
        (0..PACKAGES + 10).for_each(|number| {
            note(&imported, &number.to_string(), "__init__.so");
        });
        assert_eq!(imported.packages().len(), PACKAGES);
    }
}
