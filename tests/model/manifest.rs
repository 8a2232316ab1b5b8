//! The manifest keeps exactly what was put in, has one form, and survives any damage.

use crate::tree::{Leaf, Tree, add, additions, cases, join, paths, trees};
use omnipkg_store::Digest;
use omnipkg_store::view::manifest::{ManifestBuilder, NodeIndex, NodeKind, ViewManifest};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn leaf_of(kind: &NodeKind<'_>, tree: &Tree, path: &str) -> Leaf {
    match kind {
        NodeKind::Directory => Leaf::Directory,
        NodeKind::Symlink { target } => Leaf::Link(target.to_str().unwrap().to_owned()),
        NodeKind::File { digest, size, executable } => {
            let Some(Leaf::File { bytes, .. }) = tree.get(path) else { panic!("{path} is no file") };
            assert_eq!((*digest, *size), (Digest::of(bytes), bytes.len() as u64), "{path}");
            Leaf::File { bytes: bytes.clone(), executable: *executable }
        }
    }
}

/// Reads everything there is by every way there is; the answers do not matter, only that they come.
pub fn read_all(manifest: &ViewManifest) {
    drop(manifest.verify());
    assert!(manifest.walk().count() <= manifest.len());
    for index in (0..=manifest.len() as u32).take(4096) {
        let index = NodeIndex(index);
        drop(manifest.path_of(index));
        drop((manifest.node(index), manifest.parent(index).ok(), manifest.lookup(index, b"a")));
        if let Ok(children) = manifest.children(index) {
            assert!(children.count() <= manifest.len());
        }
    }
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn what_is_put_in_comes_out(additions in additions(), questions in prop::collection::vec(paths(), 20)) {
        let (mut tree, mut builder) = (Tree::default(), ManifestBuilder::new());
        for (path, leaf) in &additions {
            // a refused addition may leave directories made on the way: only accepted ones count
            if tree.insert(path, leaf) {
                add(&mut builder, path, leaf).unwrap();
            } else {
                prop_assert!(add(&mut tree.builder(), path, leaf).is_err(), "{}", path);
            }
        }
        let bytes = builder.finish().unwrap();
        prop_assert_eq!(&bytes, &tree.builder().finish().unwrap(), "one tree has one form");
        let manifest = ViewManifest::from_bytes(bytes).unwrap();
        manifest.verify().unwrap();
        let walked: BTreeMap<String, Leaf> = manifest
            .walk()
            .map(Result::unwrap)
            .map(|entry| (entry.path.clone(), leaf_of(&entry.node.kind, &tree, &entry.path)))
            .collect();
        prop_assert_eq!(&walked, &tree.0);
        prop_assert_eq!(manifest.len(), tree.0.len() + 1);
        for path in questions.iter().chain(tree.0.keys()) {
            let found = manifest.resolve(path).unwrap();
            prop_assert_eq!(found.is_some(), tree.get(path).is_some(), "{}", path);
            let Some(index) = found else { continue };
            let names = |index| {
                let children = manifest.children(index).unwrap();
                children.map(|child| String::from_utf8(child.unwrap().0.to_vec()).unwrap()).collect::<Vec<_>>()
            };
            prop_assert_eq!(names(index), tree.children(path));
            for (name, child) in names(index).iter().zip(manifest.children_range(index).unwrap()) {
                prop_assert_eq!(manifest.resolve(&join(path, name)).unwrap(), Some(NodeIndex(child)));
                prop_assert_eq!(manifest.parent(NodeIndex(child)).unwrap(), index);
            }
        }
    }

    #[test]
    fn damage_never_panics(tree in trees(), damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let good = tree.builder().finish().unwrap();
        let mut bytes = good.clone();
        for (position, value) in &damage {
            let position = position.index(bytes.len());
            bytes[position] = *value;
        }
        let changed = bytes != good;
        if let Ok(manifest) = ViewManifest::from_bytes(bytes) {
            prop_assert_eq!(manifest.verify().is_err(), changed);
            read_all(&manifest);
        }
    }

    #[test]
    fn a_cut_manifest_is_refused(tree in trees(), cut in any::<prop::sample::Index>()) {
        let bytes = tree.builder().finish().unwrap();
        prop_assert!(ViewManifest::from_bytes(bytes[..cut.index(bytes.len())].to_vec()).is_err());
    }
}
