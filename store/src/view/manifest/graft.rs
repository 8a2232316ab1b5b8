//! Directories of wheels' tables that stand in a view's: found by number, opened when first looked into.
//!
//! The nodes of all tables that are referred to have numbers behind the view's own, one table after the other; a graft
//! is as good as what its wheel's hash and its table's checksum promise, and no table that is referred to refers on.

use super::table::{Record, Table, read_u32};
use super::{GRAFT_SIZE, MAX_NODES, NodeIndex, PLACE_SIZE, ViewManifest};
use crate::digest::Sha256;
use crate::error::Result;
use crate::layout::Layout;
use crate::wheel;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// All wheels that a view refers to.
pub(super) struct Grafts {
    all: Vec<Graft>,
    /// Where the wheels are; nowhere for what is of no store.
    layout: Option<Layout>,
}

/// A wheel whose directories stand in a view.
pub(super) struct Graft {
    sha256: Sha256,
    checksum: [u8; 32],
    /// The number that its root has in the view.
    pub(super) first: u32,
    nodes: u32,
    /// Bytes of the view's table of places.
    places: Range<usize>,
    table: OnceLock<Arc<ViewManifest>>,
}

impl Grafts {
    pub(super) fn of(own: &Table, layout: Option<&Layout>) -> Result<Self> {
        let (grafts, places) = own.grafts_and_places();
        let (mut all, mut first, mut place) = (Vec::new(), own.len(), 0usize);
        for bytes in grafts.as_chunks::<GRAFT_SIZE>().0 {
            let read = || Some((bytes.first_chunk::<32>()?, bytes.get(32..64)?.try_into().ok()?));
            let (sha256, checksum) = read().ok_or_else(|| own.damaged("a wheel's name is cut short"))?;
            let nodes = read_u32(bytes, 64).filter(|nodes| *nodes > 0 && *nodes <= MAX_NODES - first);
            let nodes = nodes.ok_or_else(|| own.damaged("it refers to an impossible number of nodes"))?;
            let length = read_u32(bytes, 68).and_then(|count| (count as usize).checked_mul(PLACE_SIZE));
            let end = length.and_then(|length| place.checked_add(length)).filter(|end| *end <= places.len());
            let end = end.ok_or_else(|| own.damaged("the places of a wheel are out of bounds"))?;
            let (sha256, table) = (Sha256::from_bytes(*sha256), OnceLock::new());
            all.push(Graft { sha256, checksum, first, nodes, places: place..end, table });
            (first, place) = (first + nodes, end);
        }
        if place != places.len() {
            return Err(own.damaged("it has places of no wheel"));
        }
        Ok(Self { all, layout: layout.filter(|_| !grafts.is_empty()).cloned() })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Graft> {
        self.all.iter()
    }

    /// The number behind the last node's.
    pub(super) fn end(&self, own: &Table) -> u32 {
        self.all.last().map_or(own.len(), |last| last.first + last.nodes)
    }

    /// The wheel that has a node, by its number in the view.
    pub(super) fn holding(&self, index: NodeIndex) -> Option<&Graft> {
        let behind = self.all.partition_point(|graft| graft.first <= index.0);
        self.all.get(behind.checked_sub(1)?).filter(|graft| index.0 - graft.first < graft.nodes)
    }

    /// The wheel, and the directory of it, that stand for a node of the view's own.
    pub(super) fn of_node(&self, own: &Table, index: NodeIndex, record: &Record) -> Result<(&Graft, NodeIndex)> {
        let graft = self.all.get(record.first as usize);
        let node = u32::try_from(record.extent).ok();
        let found = graft.zip(node).filter(|(graft, node)| *node > 0 && *node < graft.nodes);
        let found = found.map(|(graft, node)| (graft, NodeIndex(node)));
        found.ok_or_else(|| own.damaged(format!("directory {} is of no wheel", index.0)))
    }

    /// The table of a wheel, which must be the one that the view was made of.
    pub(super) fn table<'graft>(&self, own: &Table, graft: &'graft Graft) -> Result<&'graft Table> {
        if let Some(table) = graft.table.get() {
            return Ok(&table.own);
        }
        let layout = self.layout.as_ref().ok_or_else(|| own.damaged("it refers to wheels, and is of no store"))?;
        let fits = |opened: &ViewManifest| {
            let same = opened.own.len() == graft.nodes && opened.own.checksum() == graft.checksum;
            same && !opened.is_grafted()
        };
        let opened = wheel::tree::shared(layout, &graft.sha256, fits)?;
        if !fits(&opened) {
            return Err(own.damaged(format!("it was made of another table of the wheel {}", graft.sha256)));
        }
        Ok(&graft.table.get_or_init(|| opened).own)
    }
}

impl Graft {
    /// The node of the view's own that stands for a directory of the wheel, if one does.
    pub(super) fn place(&self, own: &Table, node: NodeIndex) -> Option<NodeIndex> {
        let places = own.grafts_and_places().1.get(self.places.clone())?.as_chunks::<PLACE_SIZE>().0;
        let found = places.binary_search_by_key(&Some(node.0), |place| read_u32(place, 0)).ok()?;
        // What is damaged leads nowhere: into the view's own table, or to no node.
        read_u32(places.get(found)?, 4).filter(|own_node| *own_node < own.len()).map(NodeIndex)
    }
}
