//! Views that refer to wheels; random ones are in `tests/model/grafted.rs`.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::error::Error;
use crate::wheel::{WheelFile, WheelManifest, WheelTree};
use crate::{Layout, Sha256, Store, ViewId, publish};
use std::fs;

/// A store with a wheel, and a view of it.
struct Context {
    _directory: tempfile::TempDir,
    store: Store,
    wheel: Sha256,
    view: ViewId,
}

const FILES: &[&str] = &["site/pkg/__init__.py", "site/pkg/deep/er/x.py", "site/top.py", "site/shared/mine.py"];

impl Context {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path().join("s")).unwrap();
        let (wheel, view) = (Sha256::of(b"wheel"), ViewId::from_digest(&Digest::of(b"view")));
        let context = Self { _directory: directory, store, wheel, view };
        context.publish_wheel(FILES);
        let tree = WheelTree::open(&context.store, &context.wheel).unwrap();
        fs::write(context.layout().view(&context.view), compose(tree.tree(), Some(wheel))).unwrap();
        context
    }

    fn layout(&self) -> &Layout {
        self.store.layout()
    }

    fn publish_wheel(&self, paths: &[&str]) {
        let file = |path: &&str| WheelFile {
            digest: Digest::of(path.as_bytes()),
            size: 7,
            executable: false,
            path: (*path).to_owned(),
        };
        let mut files: Vec<WheelFile> = paths.iter().map(file).collect();
        files.sort_by(|one, other| one.path.cmp(&other.path));
        let manifest = WheelManifest::sample(files);
        publish::file(&self.store, &self.layout().wheel(&self.wheel), &manifest.to_bytes()).unwrap();
    }

    fn open(&self) -> ViewManifest {
        ViewManifest::open(self.layout(), &self.view).unwrap()
    }
}

/// The view of a wheel's tree, with something of one's own in one of its directories.
fn compose(tree: &ViewManifest, wheel: Option<Sha256>) -> Vec<u8> {
    let mut own = ManifestBuilder::new();
    own.file("lib/shared/own.py", Digest::of(b"own"), 3, false).unwrap();
    let own = ViewManifest::from_bytes(own.finish().unwrap()).unwrap();
    let mut composition = Composition::referring_from(0);
    composition.add(tree, wheel, &[(Some("site"), "lib")]).unwrap();
    composition.add(&own, None, &[(None, "")]).unwrap();
    composition.finish().unwrap().0.to_bytes()
}

fn paths(manifest: &ViewManifest) -> Vec<String> {
    manifest.walk().map(|entry| entry.map(|entry| format!("{} {:?}", entry.path, entry.node.kind)).unwrap()).collect()
}

#[test]
fn only_directories_that_are_one_wheels_alone_are_referred_to() {
    let context = Context::new();
    let manifest = context.open();
    manifest.verify().unwrap();
    assert!(manifest.is_grafted());
    let copied = compose(WheelTree::open(&context.store, &context.wheel).unwrap().tree(), None);
    assert_eq!(paths(&manifest), paths(&ViewManifest::from_bytes(copied).unwrap()));
    let own = manifest.own.len();
    for (path, is_own) in [("lib/pkg", true), ("lib/pkg/deep", false), ("lib/top.py", true), ("lib/shared", true)] {
        assert_eq!(manifest.resolve(path).unwrap().unwrap().0 < own, is_own, "{path}");
    }
    let deep = manifest.resolve("lib/pkg/deep").unwrap().unwrap();
    assert_eq!(manifest.parent(deep).unwrap(), manifest.resolve("lib/pkg").unwrap().unwrap());
    assert_eq!(
        manifest.path_of(manifest.resolve("lib/pkg/deep/er/x.py").unwrap().unwrap()).unwrap(),
        "lib/pkg/deep/er/x.py"
    );
}

#[test]
fn what_was_kept_of_the_wheel_may_be_lost() {
    let context = Context::new();
    let before = paths(&context.open());
    fs::remove_dir_all(context.layout().cache()).unwrap();
    assert_eq!(paths(&context.open()), before);
}

#[test]
fn one_table_serves_all_views_of_a_wheel() {
    let context = Context::new();
    let (first, second) = (context.open(), context.open());
    let _opened = (paths(&first), paths(&second));
    let name = |manifest: &ViewManifest| {
        let node = manifest.resolve("lib/pkg/deep").unwrap().unwrap();
        manifest.node(node).unwrap().name.as_ptr()
    };
    assert_eq!(name(&first), name(&second));
}

#[test]
fn another_table_of_the_wheel_is_refused() {
    let context = Context::new();
    context.publish_wheel(&["site/other.py"]);
    let manifest = context.open();
    let error = manifest.resolve("lib/pkg/deep").unwrap_err();
    assert!(error.to_string().contains(&context.wheel.to_hex()), "{error}");
    assert!(manifest.verify().is_err());
    assert!(manifest.resolve("lib/top.py").unwrap().is_some(), "what is the view's own is there");
}

#[test]
fn a_wheel_that_is_gone_is_named() {
    let context = Context::new();
    fs::remove_file(context.layout().wheel(&context.wheel)).unwrap();
    let error = context.open().resolve("lib/pkg/deep").unwrap_err();
    assert!(error.is_not_found() && error.to_string().contains(&context.wheel.to_hex()), "{error}");
}

#[test]
fn what_is_of_no_store_leads_nowhere() {
    let context = Context::new();
    let bytes = fs::read(context.layout().view(&context.view)).unwrap();
    let manifest = ViewManifest::from_bytes(bytes).unwrap();
    assert!(manifest.resolve("lib/pkg").unwrap().is_some());
    assert!(matches!(manifest.resolve("lib/pkg/deep"), Err(Error::Damaged { .. })));
    let mut composition = Composition::referring_from(0);
    assert!(composition.add(&manifest, None, &[(None, "")]).is_err(), "what refers to others is no wheel's tree");
}

/// Every single byte is set to other values; reading all of it must end without a panic.
#[test]
fn no_damaged_byte_makes_a_panic_or_an_endless_walk() {
    let context = Context::new();
    let path = context.layout().view(&context.view);
    let good = fs::read(&path).unwrap();
    for position in 0..good.len() {
        for flip in [1u8, 0x80, 0xff] {
            let mut bytes = good.clone();
            bytes[position] ^= flip;
            fs::write(&path, bytes).unwrap();
            let Ok(manifest) = ViewManifest::open(context.layout(), &context.view) else { continue };
            assert!(manifest.verify().is_err(), "byte {position} is not covered");
            assert!(manifest.walk().count() <= manifest.len());
            for index in (0..=manifest.len() as u32).take(200) {
                drop((manifest.node(NodeIndex(index)), manifest.path_of(NodeIndex(index)).ok()));
                drop(manifest.lookup(NodeIndex(index), b"er"));
            }
        }
    }
    for length in 0..good.len() {
        assert!(ViewManifest::from_bytes(good[..length].to_vec()).is_err());
    }
}
