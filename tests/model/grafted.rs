//! A tree as a view that refers to wheels for all that wheels can have; the rest lies over and between them.

use crate::store::TestStore;
use crate::tree::{Form, Leaf, Tree, add, cases, paths, trees};
use omnipkg_store::tags::WheelTag;
use omnipkg_store::view::manifest::{Composition, ManifestBuilder, NodeIndex, ViewManifest};
use omnipkg_store::wheel::{WheelFile, WheelManifest, WheelTree};
use omnipkg_store::{Digest, Sha256, publish};
use proptest::prelude::*;

/// The bytes of the view's manifest; the wheels are published.
pub fn bytes(tree: &Tree, store: &TestStore) -> Vec<u8> {
    let (mut own, mut wheels) = (ManifestBuilder::new(), [Vec::new(), Vec::new()]);
    for (path, leaf) in &tree.0 {
        match leaf {
            Leaf::File { bytes, executable } if can_be_in_a_wheel(path) => {
                let (digest, size, path) = (Digest::of(bytes), bytes.len() as u64, format!("data/{path}"));
                let number = Digest::of(path.as_bytes()).as_bytes()[0] as usize % wheels.len();
                wheels[number].push(WheelFile { digest, size, executable: *executable, path });
            }
            _ => add(&mut own, path, leaf).unwrap(),
        }
    }
    let own = ViewManifest::from_bytes(own.finish().unwrap()).unwrap();
    let wheels = wheels.map(|files| open(store, files));
    let mut composition = Composition::referring_from(0);
    for (sha256, wheel) in &wheels {
        composition.add(wheel.tree(), Some(*sha256), &[(Some("data"), "")]).unwrap();
    }
    composition.add(&own, None, &[(None, "")]).unwrap();
    let (encoded, overlaps) = composition.finish().unwrap();
    assert_eq!(overlaps, []);
    encoded.to_bytes()
}

fn can_be_in_a_wheel(path: &str) -> bool {
    path.len() < 1000 && path.chars().all(|letter| letter.is_alphanumeric() || "._-/".contains(letter))
}

fn open(store: &TestStore, files: Vec<WheelFile>) -> (Sha256, WheelTree) {
    let mut manifest = WheelManifest {
        filename: "pkg-1.0-py3-none-any.whl".to_owned(),
        name: "pkg".parse().unwrap(),
        display_name: "Pkg".to_owned(),
        version: "1.0".parse().unwrap(),
        tags: vec![WheelTag::new("py3", "none", "any")],
        requires_python: None,
        requires_dist: Vec::new(),
        provides_extra: Vec::new(),
        entry_points: Vec::new(),
        import_names: Vec::new(),
        warnings: Vec::new(),
        files,
    };
    manifest.files.sort_by(|one, other| one.path.cmp(&other.path));
    let sha256 = Sha256::of(&manifest.to_bytes());
    publish::file(&store.store, &store.layout().wheel(&sha256), &manifest.to_bytes()).unwrap();
    (sha256, WheelTree::open(&store.store, &sha256).unwrap())
}

/// What a manifest says of every path.
fn all(manifest: &ViewManifest) -> Vec<String> {
    let entries = manifest.walk().map(Result::unwrap);
    entries.map(|entry| format!("{} {:?}", entry.path, entry.node.kind)).collect()
}

proptest! {
    #![proptest_config(cases(96))]

    #[test]
    fn it_says_what_one_table_says(tree in trees(), questions in prop::collection::vec(paths(), 20)) {
        let store = TestStore::new();
        let alone = ViewManifest::from_bytes(tree.builder().finish().unwrap()).unwrap();
        let grafted = ViewManifest::open(store.layout(), &tree.publish(&store, Form::Grafted)).unwrap();
        grafted.verify().unwrap();
        prop_assert_eq!(all(&grafted), all(&alone));
        for path in questions.iter().chain(tree.0.keys()) {
            let found = grafted.resolve(path).unwrap();
            prop_assert_eq!(found.is_some(), tree.get(path).is_some(), "{}", path);
            let Some(index) = found else { continue };
            prop_assert_eq!(&grafted.path_of(index).unwrap(), path);
            for (child, (name, same)) in grafted.children_range(index).unwrap().zip(grafted.children(index).unwrap().map(Result::unwrap)) {
                prop_assert_eq!((NodeIndex(child), index), (same, grafted.parent(same).unwrap()));
                prop_assert_eq!(grafted.lookup(index, name).unwrap(), Some(same));
            }
        }
    }

    #[test]
    fn damage_never_panics(tree in trees(), damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let store = TestStore::new();
        let good = bytes(&tree, &store);
        let mut bytes = good.clone();
        for (position, value) in &damage {
            let position = position.index(bytes.len());
            bytes[position] = *value;
        }
        if let Ok(manifest) = ViewManifest::open(store.layout(), &store.publish_bytes(&bytes)) {
            prop_assert_eq!(manifest.verify().is_err(), bytes != good);
            crate::manifest::read_all(&manifest);
        }
    }
}
