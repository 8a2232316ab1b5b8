//! Writing a manifest's tables, and what they are made of that lies in other manifests already.

use super::table::checksum;
use super::{
    CHECKSUM, DIGEST_SIZE, HEADER_SIZE, KIND_DIRECTORY, KIND_FILE, KIND_GRAFT, KIND_SYMLINK, MAGIC, MAX_NODES,
    NODE_SIZE, NodeIndex, VERSION_ALONE, VERSION_GRAFTED,
};
use crate::digest::{Digest, Sha256};
use crate::error::{Error, Result};

/// A manifest's bytes in pieces: what lies in other manifests already is not copied to be written.
pub struct Encoded<'part> {
    /// Without the checksum.
    header: [u8; HEADER_SIZE],
    nodes: Vec<u8>,
    digests: Column<'part>,
    names: Column<'part>,
    /// What is referred to, and its places.
    grafts: Vec<u8>,
}

impl Encoded<'_> {
    /// What the manifest begins with. It is made of all the rest, which takes its time.
    pub fn header(&self) -> [u8; HEADER_SIZE] {
        let mut header = self.header;
        let checksum = checksum(&self.header, &self.tables());
        header[CHECKSUM].copy_from_slice(checksum.as_bytes());
        header
    }

    /// One after the other they follow the header.
    pub fn tables(&self) -> Vec<&[u8]> {
        let columns = self.digests.pieces().chain(self.names.pieces());
        [&self.nodes[..]].into_iter().chain(columns).chain([&self.grafts[..]]).collect()
    }

    /// All of it.
    pub fn to_bytes(&self) -> Vec<u8> {
        [&self.header()[..]].into_iter().chain(self.tables()).collect::<Vec<_>>().concat()
    }
}

/// Entries of other manifests, and then one's own.
#[derive(Default)]
pub(super) struct Column<'part> {
    others: Vec<&'part [u8]>,
    others_length: usize,
    own: Vec<u8>,
}

impl<'part> Column<'part> {
    fn len(&self) -> usize {
        self.others_length + self.own.len()
    }

    /// Adds another manifest's; only while there is nothing of one's own.
    pub(super) fn add_others(&mut self, bytes: &'part [u8]) {
        debug_assert!(self.own.is_empty());
        self.others.push(bytes);
        self.others_length += bytes.len();
    }

    fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        self.others.iter().copied().chain([&self.own[..]])
    }
}

/// A wheel's table that is referred to instead of being copied.
pub(super) struct Referred {
    pub(super) sha256: Sha256,
    pub(super) checksum: Vec<u8>,
    pub(super) nodes: u32,
    /// Its directories, and the nodes that stand for them.
    pub(super) places: Vec<(NodeIndex, u32)>,
}

/// The tables while they are written: directories first come, first served.
pub(super) struct Tables<'part> {
    pub(super) nodes: Vec<u8>,
    pub(super) digests: Column<'part>,
    pub(super) names: Column<'part>,
    pub(super) count: u32,
    pub(super) grafts: Vec<Referred>,
}

impl<'part> Tables<'part> {
    /// Room for so many nodes.
    pub(super) fn with_capacity(count: usize) -> Self {
        let (digests, names, grafts) = Default::default();
        Self { nodes: Vec::with_capacity(count * NODE_SIZE), digests, names, count: 0, grafts }
    }

    /// The tables behind their header.
    pub(super) fn encode(mut self) -> Result<Encoded<'part>> {
        let all = self.grafts.iter().try_fold(self.count, |sum, graft| sum.checked_add(graft.nodes));
        if all.is_none_or(|all| all > MAX_NODES) {
            return Err(too_large());
        }
        let places: usize = self.grafts.iter().map(|graft| graft.places.len()).sum();
        let version = if self.grafts.is_empty() { VERSION_ALONE } else { VERSION_GRAFTED };
        let mut header = [0; HEADER_SIZE];
        header[..8].copy_from_slice(MAGIC);
        header[8..12].copy_from_slice(&version.to_le_bytes());
        header[12..16].copy_from_slice(&self.count.to_le_bytes());
        header[16..20].copy_from_slice(&self.digest_count()?.to_le_bytes());
        header[20..24].copy_from_slice(&self.offset()?.to_le_bytes());
        header[56..60].copy_from_slice(&number(self.grafts.len())?.to_le_bytes());
        header[60..64].copy_from_slice(&number(places)?.to_le_bytes());
        let grafts = encode_grafts(&mut self.grafts)?;
        let Self { nodes, digests, names, .. } = self;
        Ok(Encoded { header, nodes, digests, names, grafts })
    }

    /// Where the next name begins.
    pub(super) fn offset(&self) -> Result<u32> {
        number(self.names.len())
    }

    pub(super) fn digest_count(&self) -> Result<u32> {
        number(self.digests.len() / DIGEST_SIZE)
    }

    /// Adds a directory, whose entries are so many and begin there.
    pub(super) fn push_directory(&mut self, name: &[u8], parent: u32, entries: (u32, u64)) -> Result<()> {
        self.push(name, KIND_DIRECTORY, false, parent, entries)
    }

    pub(super) fn push_file(&mut self, name: &[u8], parent: u32, file: (&Digest, u64, bool)) -> Result<()> {
        let (digest, size, executable) = file;
        let slot = self.digest_count()?;
        self.digests.own.extend_from_slice(digest.as_bytes());
        self.push(name, KIND_FILE, executable, parent, (slot, size))
    }

    pub(super) fn push_symlink(&mut self, name: &[u8], parent: u32, target: &[u8]) -> Result<()> {
        let offset = self.offset()?;
        self.names.own.extend_from_slice(target);
        self.push(name, KIND_SYMLINK, false, parent, (offset, target.len() as u64))
    }

    /// Adds a directory that is one of a wheel's.
    pub(super) fn push_graft(&mut self, name: &[u8], parent: u32, wheel: u32, node: NodeIndex) -> Result<()> {
        let place = (node, self.count);
        self.grafts.get_mut(wheel as usize).ok_or_else(too_large)?.places.push(place);
        self.push(name, KIND_GRAFT, false, parent, (wheel, u64::from(node.0)))
    }

    fn push(
        &mut self,
        name: &[u8],
        kind: u8,
        executable: bool,
        parent: u32,
        (first, extent): (u32, u64),
    ) -> Result<()> {
        let offset = self.offset()?;
        self.names.own.extend_from_slice(name);
        let mut node = [0u8; NODE_SIZE];
        node[..4].copy_from_slice(&offset.to_le_bytes());
        // at most MAX_NAME
        node[4..6].copy_from_slice(&(name.len() as u16).to_le_bytes());
        node[6..8].copy_from_slice(&[kind, u8::from(executable)]);
        node[8..12].copy_from_slice(&parent.to_le_bytes());
        node[12..16].copy_from_slice(&first.to_le_bytes());
        node[16..].copy_from_slice(&extent.to_le_bytes());
        self.push_raw(&node).map(drop)
    }

    /// Adds whole records, and returns them.
    pub(super) fn push_raw(&mut self, nodes: &[u8]) -> Result<&mut [u8]> {
        let count = u32::try_from(nodes.len() / NODE_SIZE).ok().and_then(|more| self.count.checked_add(more));
        self.count = count.filter(|count| *count <= MAX_NODES).ok_or_else(too_large)?;
        let start = self.nodes.len();
        self.nodes.extend_from_slice(nodes);
        Ok(&mut self.nodes[start..])
    }
}

fn encode_grafts(grafts: &mut [Referred]) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for graft in &mut *grafts {
        graft.places.sort_unstable();
        bytes.extend_from_slice(graft.sha256.as_bytes());
        bytes.extend_from_slice(&graft.checksum);
        bytes.extend_from_slice(&graft.nodes.to_le_bytes());
        bytes.extend_from_slice(&number(graft.places.len())?.to_le_bytes());
    }
    for (node, place) in grafts.iter().flat_map(|graft| &graft.places) {
        bytes.extend_from_slice(&node.0.to_le_bytes());
        bytes.extend_from_slice(&place.to_le_bytes());
    }
    Ok(bytes)
}

fn number(value: usize) -> Result<u32> {
    u32::try_from(value).map_err(|_| too_large())
}

pub(super) fn too_large() -> Error {
    Error::View(format!("it would have more than {MAX_NODES} files or too many names"))
}
