//! What lies beneath an overlay must not change: overlayfs remembers that a name was missing, and then lists it all the
//! same once it is there. Bytecode is what comes later in a view, so that directories that wait for some are hidden; Python
//! keeps its own there.

use anyhow::{Context, Result};
use nix::sys::stat::{Mode, SFlag, mknod};
use omnipkg_store::Layout;
use omnipkg_store::bytecode::{self, Bytecode, Key};
use omnipkg_store::view::description::ViewDescription;
use omnipkg_store::view::manifest::{NodeKind, ViewManifest};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Hides the directories of bytecode that is not all made yet, in a new upper layer.
pub fn hide_growing(layout: &Layout, manifest: &ViewManifest, made_of: &ViewDescription, upper: &Path) -> Result<()> {
    let key = Key::of(layout, &made_of.cache_tag, made_of.magic);
    let (mut growing, mut own) = (BTreeSet::new(), BTreeSet::new());
    for entry in manifest.walk() {
        let entry = entry?;
        let parent = entry.path.rsplit_once('/').map_or("", |(parent, _)| parent);
        if entry.node.name == b"__pycache__" {
            own.insert(parent.to_owned());
        }
        if let NodeKind::File { digest, .. } = entry.node.kind
            && entry.node.name.ends_with(b".py")
            && !growing.contains(parent)
            && bytecode::find(layout, &key, &digest) == Bytecode::Missing
        {
            growing.insert(parent.to_owned());
        }
    }
    growing.difference(&own).try_for_each(|directory| hide(upper, directory))
}

/// A whiteout, as overlayfs writes it where something was deleted.
fn hide(upper: &Path, directory: &str) -> Result<()> {
    let mut path = upper.to_owned();
    for name in Path::new(directory) {
        path.push(name);
        if !path.is_dir() {
            // The overlay's directory has the upper one's mode.
            fs::create_dir(&path)
                .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(0o755)))
                .with_context(|| format!("cannot create {}", path.display()))?;
        }
    }
    let path = path.join("__pycache__");
    mknod(&path, SFlag::S_IFCHR, Mode::empty(), 0).with_context(|| format!("cannot create {}", path.display()))
}
