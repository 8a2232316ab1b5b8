//! `omnipkg writable`: what was written over views and kept by name; and the writable half of `mount` and `unmount`.

use crate::arguments::WritableVerb;
use crate::commands::open_store;
use crate::output;
use crate::settings::Settings;
use crate::writable::{self, Layer, Summary, show, show_kept};
use anyhow::{Context, Result, bail};
use omnipkg_store::{Store, ViewId};
use std::path::{Path, PathBuf};

/// Lists or removes.
pub fn writable(settings: &Settings, verb: &WritableVerb) -> Result<u8> {
    let store = open_store(settings)?;
    match verb {
        WritableVerb::List => list(settings, &store),
        WritableVerb::Remove { names } => {
            for name in names {
                open(&store, name)?.remove()?;
            }
        }
    }
    Ok(0)
}

fn list(settings: &Settings, store: &Store) {
    let layers = writable::list(store);
    if settings.json {
        let rows: Vec<_> = layers.iter().map(Summary::to_json).collect();
        println!("{}", serde_json::json!({ "schema": 1, "writable": rows }));
        return;
    }
    for layer in layers {
        let place = layer.path.map_or_else(|| "not mounted".to_owned(), |path| path.display().to_string());
        println!("{}  {}  {place}", layer.name, writable::sum(&layer.changes));
    }
}

fn open(store: &Store, name: &str) -> Result<Layer> {
    Layer::open(store, name)?.with_context(|| format!("nothing was kept as {name}"))
}

/// Makes a view writable at a path that everybody sees.
pub fn mount(settings: &Settings, store: &Store, view: ViewId, seen: &Path, keep: Option<&str>) -> Result<PathBuf> {
    let mut layer = match keep.map(|name| Layer::open(store, name)).transpose()?.flatten() {
        Some(layer) => {
            layer.check(&view, seen)?;
            layer
        }
        None => {
            let name = keep.map_or_else(|| free_name(store, &view), str::to_owned);
            let mut layer = Layer::make(settings, store, view, seen, Some(&name))?;
            if keep.is_none() {
                layer.until_unmounted()?;
            }
            layer
        }
    };
    if !omnipkg_fusefs::may_mount() {
        if !layer.fresh && layer.means() == writable::Means::Overlay {
            bail!("the kept layer {} is an overlay's, which only root can mount for all", keep.unwrap_or_default());
        }
        layer.copy_instead()?;
    }
    let path = layer.show_to_all(seen)?;
    layer.keep();
    Ok(path)
}

fn free_name(store: &Store, view: &ViewId) -> String {
    let short: String = view.to_string().chars().take(8).collect();
    let names = writable::names(store.layout());
    (1..).map(|number| format!("{short}-{number}")).find(|name| !names.contains(name)).unwrap_or(short)
}

/// The name of the writable view that a user means by its path, by a link to it or by its name.
pub fn name_of(store: &Store, path: &Path, target: Option<&Path>) -> Option<String> {
    let absolute = std::path::absolute(path).ok()?;
    let named = || path.to_str().map(str::to_owned).filter(|name| writable::names(store.layout()).contains(name));
    target
        .and_then(|target| writable::name_of_path(store.layout(), target))
        .or_else(|| writable::name_of_path(store.layout(), &absolute))
        .or_else(named)
}

/// Takes a writable view away, and tells what was written to it.
pub fn unmount(settings: &Settings, store: &Store, name: &str) -> Result<()> {
    let layer = open(store, name)?;
    layer.hide()?;
    let changes = layer.changes()?;
    if layer.is_kept() {
        show_kept(settings, &changes, name);
        layer.keep();
        return Ok(());
    }
    show(settings, &changes, "`omnipkg mount --writable --keep NAME`");
    layer.remove()
}

/// Takes every overlay away that is mounted: it would keep the mount beneath it, and so its server, from ending.
pub fn unmount_all(settings: &Settings, store: &Store) {
    for layer in writable::list(store).into_iter().filter(|layer| layer.is_mounted()) {
        if let Err(error) = unmount(settings, store, &layer.name) {
            output::warn(&format!("{error:#}"));
        }
    }
}
