//! The layers of one `run --writable`: each attempt's view gets its own, and what the last one wrote is told.

use super::{Change, Layer, show, show_kept};
use crate::healing::RunView;
use crate::launch::Wrapper;
use crate::settings::Settings;
use anyhow::Result;
use omnipkg_store::Store;
use std::path::PathBuf;

/// See the module.
pub struct WritableRuns<'a> {
    settings: &'a Settings,
    store: Store,
    keep: Option<String>,
    current: Option<Layer>,
    /// What the kept layer held before.
    before: Vec<Change>,
}

impl<'a> WritableRuns<'a> {
    /// Layers that are kept by name, or not at all.
    pub fn new(settings: &'a Settings, store: Store, keep: Option<String>) -> Self {
        Self { settings, store, keep, current: None, before: Vec::new() }
    }

    /// Where an attempt sees its view, and the words in front of its program. What an attempt before wrote is gone with
    /// its view, unless that was kept by an earlier run.
    pub fn prepare(&mut self, view: &RunView) -> Result<(PathBuf, Wrapper)> {
        let layer = match self.current.take() {
            Some(layer) if !layer.fresh => {
                layer.check(&view.id, &view.path)?;
                layer
            }
            spent => {
                spent.map(Layer::remove).transpose()?;
                self.first(view)?
            }
        };
        self.current.insert(layer).place(&view.path)
    }

    fn first(&mut self, view: &RunView) -> Result<Layer> {
        if let Some(name) = &self.keep
            && let Some(layer) = Layer::open(&self.store, name)?
        {
            layer.check(&view.id, &view.path)?;
            self.before = layer.changes()?;
            return Ok(layer);
        }
        Layer::make(self.settings, &self.store, view.id, &view.path, self.keep.as_deref())
    }

    /// Tells what was written, and throws it away if it is not kept.
    pub fn finish(mut self) -> Result<()> {
        let Some(layer) = self.current.take() else { return Ok(()) };
        let mut changes = layer.changes()?;
        changes.retain(|change| !self.before.contains(change));
        match &self.keep {
            Some(name) => {
                show_kept(self.settings, &changes, name);
                layer.keep();
                Ok(())
            }
            None => {
                show(self.settings, &changes, "`omnipkg run --writable --keep NAME`");
                layer.remove()
            }
        }
    }
}
