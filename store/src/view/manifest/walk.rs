//! Walking a whole manifest, for projections and checks.

use super::{Node, NodeIndex, NodeKind, ViewManifest};
use crate::error::Result;
use std::ops::Range;

/// A node with its path below the view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalkEntry<'manifest> {
    /// Relative, with `/` between names.
    pub path: String,
    /// The node.
    pub node: Node<'manifest>,
}

/// Depth first; ends after the first error.
pub struct Walk<'manifest> {
    manifest: &'manifest ViewManifest,
    /// Directories on the way down: their index, what is left of them, and the length of their path.
    stack: Vec<(NodeIndex, Range<u32>, usize)>,
    path: String,
    start: bool,
}

impl<'manifest> Walk<'manifest> {
    pub(super) fn new(manifest: &'manifest ViewManifest) -> Self {
        Self { manifest, stack: Vec::new(), path: String::new(), start: true }
    }

    fn enter(&mut self, directory: NodeIndex) -> Result<()> {
        let range = self.manifest.children_range(directory)?;
        self.stack.push((directory, range, self.path.len()));
        Ok(())
    }

    fn step(&mut self) -> Result<Option<WalkEntry<'manifest>>> {
        if std::mem::take(&mut self.start) {
            self.enter(NodeIndex::ROOT)?;
        }
        while let Some((directory, range, length)) = self.stack.last_mut() {
            self.path.truncate(*length);
            let Some(index) = range.next() else {
                self.stack.pop();
                continue;
            };
            let directory = *directory;
            return self.visit(directory, NodeIndex(index)).map(Some);
        }
        Ok(None)
    }

    fn visit(&mut self, directory: NodeIndex, index: NodeIndex) -> Result<WalkEntry<'manifest>> {
        let node = self.manifest.node(index)?;
        // a node that two directories list would make the walk exponential
        if node.parent != directory {
            return Err(self.manifest.damaged(format!("node {} is in two directories", index.0)));
        }
        let name = std::str::from_utf8(node.name)
            .map_err(|_| self.manifest.damaged(format!("the name of node {} is not UTF-8", index.0)))?;
        if !self.path.is_empty() {
            self.path.push('/');
        }
        self.path.push_str(name);
        let path = self.path.clone();
        if node.kind == NodeKind::Directory {
            self.enter(index)?;
        }
        Ok(WalkEntry { path, node })
    }
}

impl<'manifest> Iterator for Walk<'manifest> {
    type Item = Result<WalkEntry<'manifest>>;

    fn next(&mut self) -> Option<Self::Item> {
        let step = self.step();
        if step.is_err() {
            self.stack.clear();
        }
        step.transpose()
    }
}
