//! Making a view visible: through the mount where there is FUSE, else by links.
//!
//! The choice is probed and remembered in `run/projection`; when it falls to links, that is said once.

use crate::namespace;
use crate::output;
use crate::server;
use crate::settings::{ProjectionChoice, Settings};
use crate::writable;
use anyhow::{Context, Result, anyhow};
use omnipkg_fusefs::{Rung, Unavailable};
use omnipkg_store::interpreter::installed::{self, Place};
use omnipkg_store::view::description::{DESCRIPTION, ViewDescription};
use omnipkg_store::{Layout, Store, ViewId, links, publish};
use std::fs;
use std::path::{Path, PathBuf};

/// Where a view can be seen at once, with nothing to be started, probed or made: the warm path.
pub fn visible_now(settings: &Settings, layout: &Layout, view: &ViewId) -> Option<PathBuf> {
    let name = view.to_string();
    let by_links = || Some(layout.links().join(&name)).filter(|path| path.is_dir());
    match settings.projection {
        ProjectionChoice::Link => by_links(),
        ProjectionChoice::Rung(Rung::Namespace) if !namespace::entered() => by_links(),
        ProjectionChoice::Fuse | ProjectionChoice::Rung(_) => by_mount(layout, &name),
        ProjectionChoice::Probe if is_outside(layout) => by_links(),
        ProjectionChoice::Probe => by_mount(layout, &name).or_else(|| fallen_to_links(layout).and_then(|_| by_links())),
    }
}

/// True if the mount is in a namespace that this command is not in, or if what it makes visible is for those outside: any
/// command but `run`, wherever it is started.
fn is_outside(layout: &Layout) -> bool {
    !namespace::entered() && namespace::in_use(layout)
}

/// Through the mount, if it is served.
fn by_mount(layout: &Layout, name: &str) -> Option<PathBuf> {
    let path = layout.mnt().join(name);
    (server::is_alive(layout) && path.join(DESCRIPTION).is_file()).then_some(path)
}

/// Makes a view visible and returns its path.
pub fn make_visible(settings: &Settings, store: &Store, view: &ViewId) -> Result<PathBuf> {
    let layout = store.layout();
    match settings.projection {
        ProjectionChoice::Link => return by_new_links(store, view),
        ProjectionChoice::Rung(Rung::Namespace) if !namespace::entered() => return by_new_links(store, view),
        ProjectionChoice::Rung(rung) => {
            let forced = || format!("OMNIPKG_PROJECTION={}", rung.name());
            return through_mount(layout, view, rung).with_context(forced);
        }
        ProjectionChoice::Fuse => {
            let rung = omnipkg_fusefs::probe().unwrap_or(Rung::Direct);
            return through_mount(layout, view, rung).context("OMNIPKG_PROJECTION=fuse");
        }
        ProjectionChoice::Probe => {}
    }
    if !is_outside(layout)
        && let Some(path) = by_mount(layout, &view.to_string())
    {
        let _ = fs::remove_file(marker(layout));
        return Ok(path);
    }
    let path = match rung(settings, layout) {
        Ok(Rung::Namespace) if !namespace::entered() => return by_new_links(store, view),
        Ok(rung) => through_mount(layout, view, rung),
        Err(reason) => Err(reason),
    };
    match path {
        Ok(path) => {
            let _ = fs::remove_file(marker(layout));
            Ok(path)
        }
        Err(error) => {
            fall_to_links(settings, store, &format!("{error:#}"))?;
            by_new_links(store, view)
        }
    }
}

/// The way to a mount, forced or found; an error says why there is none.
pub fn rung(settings: &Settings, layout: &Layout) -> Result<Rung> {
    match settings.projection {
        ProjectionChoice::Rung(rung) => Ok(rung),
        ProjectionChoice::Fuse => omnipkg_fusefs::probe().map_err(Into::into),
        ProjectionChoice::Probe | ProjectionChoice::Link => {
            namespace::rung(layout).map_err(|unavailable| match unavailable {
                Unavailable::Mounter => {
                    let why = namespace::remembered_trial(layout).unwrap_or_default();
                    anyhow!("{unavailable}; {why}")
                }
                Unavailable::Device(_) => unavailable.into(),
            })
        }
    }
}

/// A view's path that is seen by everybody: by links if this command is in the server's namespace.
pub fn lasting(store: &Store, view: &ViewId, path: &Path) -> Result<PathBuf> {
    if namespace::entered() { by_new_links(store, view) } else { Ok(path.to_owned()) }
}

/// By links; with it the tree of its interpreter, if that was installed into the store.
fn by_new_links(store: &Store, view: &ViewId) -> Result<PathBuf> {
    let path = links::project(store, view)?;
    if store.layout().pythons().is_dir() {
        installed::project_by_links(store, &ViewDescription::load(store, view)?.interpreter)?;
    }
    Ok(path)
}

/// Makes an interpreter that was installed into the store visible, before it is started; any other is there anyway.
pub fn make_interpreter_visible(settings: &Settings, store: &Store, interpreter: &Path) -> Result<()> {
    let Some(place) = Place::of(store.layout(), interpreter) else { return Ok(()) };
    if visible_now(settings, store.layout(), &place.tree).is_none() || !interpreter.is_file() {
        let projected = make_visible(settings, store, &place.tree)?;
        let projected = lasting(store, &place.tree, &projected)?;
        if !interpreter.is_file() {
            installed::point(store, &place.name, &projected)?;
        }
    }
    Ok(())
}

fn through_mount(layout: &Layout, view: &ViewId, rung: Rung) -> Result<PathBuf> {
    let path = layout.mnt().join(view.to_string());
    if by_mount(layout, &view.to_string()).is_none() {
        server::ensure(layout, rung)?;
        let probe = path.join(DESCRIPTION);
        fs::metadata(&probe).with_context(|| format!("cannot see the view {}", path.display()))?;
    }
    Ok(path)
}

fn marker(layout: &Layout) -> PathBuf {
    layout.run().join("projection")
}

/// Why this store uses links, if it does.
pub fn fallen_to_links(layout: &Layout) -> Option<String> {
    fs::read_to_string(marker(layout)).ok()
}

fn fall_to_links(settings: &Settings, store: &Store, reason: &str) -> Result<()> {
    let path = marker(store.layout());
    if fallen_to_links(store.layout()).as_deref() != Some(reason) {
        publish::volatile_file(store, &path, reason.as_bytes())?;
        if !settings.quiet {
            output::talk(&format!("no FUSE here ({reason}): views are made of links; `omnipkg doctor` says more"));
        }
    }
    Ok(())
}

/// The view that a path of this store's projections belongs to: `<home>/mnt/<view id>/…`.
pub fn view_of_path(layout: &Layout, path: &Path) -> Option<ViewId> {
    match path.strip_prefix(layout.mnt()).or_else(|_| path.strip_prefix(layout.links())) {
        Ok(below) => below.components().next()?.as_os_str().to_str()?.parse().ok(),
        Err(_) => writable::view_of_path(layout, path),
    }
}
