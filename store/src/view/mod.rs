//! Views: immutable virtual environments described by one flat manifest each.

pub mod builder;
pub mod description;
pub mod manifest;
mod python2;
pub mod runtime;

use crate::error::{Error, Result};
use crate::layout::Store;
use crate::{ViewId, objects, publish};
use description::DESCRIPTION;
use manifest::{NodeKind, ViewManifest};

/// Makes a view durable, if there is such a view. It may be used before; what is to last and names it comes after.
///
/// # Errors
/// [`Error::Io`], [`Error::Damaged`].
pub fn seal(store: &Store, id: &ViewId) -> Result<()> {
    let path = store.layout().view(id);
    if publish::is_sealed(&path)? != Some(false) {
        return Ok(());
    }
    let manifest = ViewManifest::open(store.layout(), id)?;
    let node = manifest.resolve(DESCRIPTION)?.map(|index| manifest.node(index)).transpose()?;
    let Some(NodeKind::File { digest, .. }) = node.map(|node| node.kind) else {
        return Err(Error::Damaged { what: "view", path, reason: format!("it has no {DESCRIPTION}") });
    };
    objects::seal(store, &digest)?;
    publish::seal(&path)
}
