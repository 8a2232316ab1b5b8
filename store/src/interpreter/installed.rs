//! Interpreters that were installed into the store: trees of objects, projected like any view.
//!
//! `pythons/<name>` is a symlink to the tree where it is projected now, below `mnt/` or `links/`, and is changed by one
//! rename. What must stay true: such an interpreter is always named by its path below `pythons/<name>/`, which stays when
//! the projection changes, and a name leads to one tree for ever, until it is removed. So everything that is to be known
//! of the interpreter's file can be read from the tree's manifest, whether it is projected now or not.

use super::{Facts, Identity};
use crate::digest::ViewId;
use crate::error::{IoContext, Result};
use crate::layout::{Layout, Store};
use crate::objects::CONSTANT_SECONDS;
use crate::view::manifest::{NodeKind, ViewManifest};
use crate::{links, publish};
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

/// Links that are followed inside a tree before it is taken for a loop.
const LINKS: usize = 16;

/// A path in an installed tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The tree's name: that of its link in `pythons/`.
    pub name: String,
    /// The tree.
    pub tree: ViewId,
    /// Relative to the tree's root.
    pub inside: PathBuf,
}

impl Place {
    /// Where a path leads, if it is one of an installed tree: below `pythons/`, or below a projection of the tree.
    pub fn of(layout: &Layout, path: &Path) -> Option<Self> {
        let path = below(layout, path)?;
        let mut components = path.components();
        let folder = components.next()?;
        let name = components.next()?.as_os_str().to_str()?;
        let inside = components.as_path().to_owned();
        match folder.as_os_str().to_str()? {
            "pythons" => Some(Self { name: name.to_owned(), tree: tree(layout, name)?, inside }),
            "mnt" | "links" => {
                let tree = name.parse().ok()?;
                let name = trees(layout).into_iter().find(|(_, other)| *other == tree)?.0;
                Some(Self { name, tree, inside })
            }
            _ => None,
        }
    }

    /// The path that stays when the projection changes.
    pub fn path(&self, layout: &Layout) -> PathBuf {
        layout.pythons().join(&self.name).join(&self.inside)
    }

    /// The identity of the file that the path leads to: what `stat` would tell if the tree is projected.
    ///
    /// # Errors
    /// [`crate::Error::Io`] with `NotFound` if the tree has no such file; [`crate::Error::Damaged`].
    pub fn identity(&self, layout: &Layout) -> Result<Identity> {
        let manifest = ViewManifest::open(layout, &self.tree)?;
        let missing = || Err(io::Error::from(io::ErrorKind::NotFound)).at("find", &self.path(layout));
        let mut inside = self.inside.clone();
        for _ in 0..LINKS {
            let Some(node) = inside.to_str().map(|path| manifest.resolve(path)).transpose()?.flatten() else {
                return missing();
            };
            match manifest.node(node)?.kind {
                NodeKind::File { size, .. } => {
                    let path = layout.pythons().join(&self.name).join(&inside);
                    return Ok(Identity { path, size, modified: i128::from(CONSTANT_SECONDS) * 1_000_000_000 });
                }
                NodeKind::Symlink { target } => match joined(&inside, target) {
                    Some(next) => inside = next,
                    None => return missing(),
                },
                NodeKind::Directory => return missing(),
            }
        }
        missing()
    }
}

/// A relative link's target, from the tree's root; `None` if it leads out.
pub(super) fn joined(link: &Path, target: &Path) -> Option<PathBuf> {
    let mut path = link.parent()?.to_owned();
    for component in target.components() {
        match component {
            Component::Normal(name) => path.push(name),
            Component::ParentDir if path.pop() => {}
            Component::CurDir => {}
            _ => return None,
        }
    }
    Some(path)
}

/// A path relative to the store's root, however the root is spelled.
fn below(layout: &Layout, path: &Path) -> Option<PathBuf> {
    let direct = path.strip_prefix(layout.root()).ok().map(Path::to_owned);
    direct.or_else(|| path.strip_prefix(fs::canonicalize(layout.root()).ok()?).ok().map(Path::to_owned))
}

/// The tree that a name stands for.
pub fn tree(layout: &Layout, name: &str) -> Option<ViewId> {
    fs::read_link(layout.pythons().join(name)).ok()?.file_name()?.to_str()?.parse().ok()
}

/// Every installed tree, by name.
pub fn trees(layout: &Layout) -> Vec<(String, ViewId)> {
    let entries = fs::read_dir(layout.pythons()).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter_map(|name| Some((name.clone(), tree(layout, &name)?)))
        .collect()
}

/// Points a tree's name at where it is projected, if it does not lead there. Links that were made are preferred: they
/// need nobody to serve them, so they are right for views of either projection.
///
/// # Errors
/// [`crate::Error::Io`].
pub fn point(store: &Store, name: &str, projected: &Path) -> Result<()> {
    let layout = store.layout();
    let links = projected.file_name().map(|tree| layout.links().join(tree)).filter(|links| links.is_dir());
    let projected = links.as_deref().unwrap_or(projected);
    let target = Path::new("..").join(projected.strip_prefix(layout.root()).unwrap_or(projected));
    let link = layout.pythons().join(name);
    if fs::read_link(&link).is_ok_and(|now| now == target) {
        return Ok(());
    }
    publish::link(store, &target, &link)
}

/// Makes the tree of an installed interpreter visible by links, for views that are; nothing for any other interpreter.
///
/// # Errors
/// [`crate::Error::Io`], [`crate::Error::Damaged`].
pub fn project_by_links(store: &Store, interpreter: &Path) -> Result<()> {
    let Some(place) = Place::of(store.layout(), interpreter) else { return Ok(()) };
    point(store, &place.name, &links::project(store, &place.tree)?)
}

/// Names the paths in facts as they stay when the projection changes.
pub(super) fn with_lasting_paths(layout: &Layout, facts: Facts) -> Facts {
    let lasting = |path: PathBuf| Place::of(layout, &path).map_or(path, |place| place.path(layout));
    Facts { executable: lasting(facts.executable), stdlib: lasting(facts.stdlib), ..facts }
}

/// Takes a tree's name away; the tree stays, like any view that has no name any more: somebody may be running it.
///
/// # Errors
/// [`crate::Error::Io`].
pub fn remove(store: &Store, name: &str) -> Result<()> {
    let link = store.layout().pythons().join(name);
    match fs::remove_file(&link) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result.at("remove", &link).and_then(|()| publish::sync_parent(&link)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::view::manifest::ManifestBuilder;

    fn store() -> (tempfile::TempDir, Store, ViewId) {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path().join("s")).unwrap();
        let mut builder = ManifestBuilder::new();
        builder.file("bin/python3.12", Digest::of(b"program"), 7, true).unwrap();
        builder.symlink("bin/python", "python3").unwrap().symlink("bin/python3", "../bin/python3.12").unwrap();
        builder.symlink("bin/out", "../../x").unwrap().symlink("bin/loop", "loop").unwrap();
        let tree = ViewId::from_digest(&Digest::of(b"tree"));
        publish::file(&store, &store.layout().view(&tree), &builder.finish().unwrap()).unwrap();
        point(&store, "cpython-3.12", &store.layout().mnt().join(tree.to_string())).unwrap();
        (directory, store, tree)
    }

    #[test]
    fn an_installed_interpreter_is_known_by_its_lasting_path_wherever_it_is_projected() {
        let (_directory, store, tree) = store();
        let layout = store.layout();
        let lasting = layout.pythons().join("cpython-3.12/bin/python3.12");
        let projected = [layout.mnt(), layout.links()].map(|at| at.join(tree.to_string()).join("bin/python"));
        for path in [&lasting, &layout.pythons().join("cpython-3.12/bin/python"), &projected[0], &projected[1]] {
            let identity = Place::of(layout, path).unwrap().identity(layout).unwrap();
            assert_eq!((&identity.path, identity.size), (&lasting, 7), "{}", path.display());
        }
        assert_eq!(Place::of(layout, Path::new("/usr/bin/python3")), None);
        assert_eq!(Place::of(layout, &layout.pythons().join("none/bin/python")), None);
    }

    #[test]
    fn what_leads_nowhere_is_not_found() {
        let (_directory, store, _) = store();
        for name in ["none", "out", "loop", ""] {
            let place = Place::of(store.layout(), &store.layout().pythons().join("cpython-3.12/bin").join(name));
            assert!(place.unwrap().identity(store.layout()).unwrap_err().is_not_found(), "{name}");
        }
    }

    #[test]
    fn a_name_follows_the_projection_until_it_is_removed() {
        let (_directory, store, tree) = store();
        let link = store.layout().pythons().join("cpython-3.12");
        assert_eq!(fs::read_link(&link).unwrap(), Path::new("../mnt").join(tree.to_string()));
        point(&store, "cpython-3.12", &store.layout().links().join(tree.to_string())).unwrap();
        assert_eq!(fs::read_link(&link).unwrap(), Path::new("../links").join(tree.to_string()));
        // Once there are links, they are kept to.
        fs::create_dir(store.layout().links().join(tree.to_string())).unwrap();
        point(&store, "cpython-3.12", &store.layout().mnt().join(tree.to_string())).unwrap();
        assert_eq!(fs::read_link(&link).unwrap(), Path::new("../links").join(tree.to_string()));
        remove(&store, "cpython-3.12").unwrap();
        remove(&store, "cpython-3.12").unwrap();
        assert!(trees(store.layout()).is_empty() && fs::symlink_metadata(&link).is_err());
    }
}
