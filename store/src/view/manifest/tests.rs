//! The manifest's own behaviour; random trees and random damage are in `tests/model/`.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::ViewId;
use crate::error::Error;
use crate::layout::Layout;

fn sample() -> ManifestBuilder {
    let mut builder = ManifestBuilder::new();
    builder.file("lib/a/__init__.py", Digest::of(b"one"), 3, false).unwrap();
    builder.file("lib/b/__init__.py", Digest::of(b"one"), 3, false).unwrap();
    builder.file("bin/tool", Digest::of(b"tool"), 4, true).unwrap();
    builder.symlink("bin/python", "/usr/bin/python3").unwrap();
    builder.directory("share/empty").unwrap();
    builder
}

fn manifest() -> ViewManifest {
    ViewManifest::from_bytes(sample().finish().unwrap()).unwrap()
}

#[test]
fn what_was_put_in_is_found() {
    let manifest = manifest();
    manifest.verify().unwrap();
    let tool = manifest.resolve("bin/tool").unwrap().unwrap();
    let expected = NodeKind::File { digest: Digest::of(b"tool"), size: 4, executable: true };
    assert_eq!(manifest.node(tool).unwrap().kind, expected);
    let bin = manifest.parent(tool).unwrap();
    assert_eq!(manifest.node(bin).unwrap().name, b"bin");
    let names: Vec<_> = manifest.children(bin).unwrap().map(|entry| entry.unwrap().0.to_vec()).collect();
    assert_eq!(names, [b"python".to_vec(), b"tool".to_vec()]);
    let link = manifest.lookup(bin, b"python").unwrap().unwrap();
    assert_eq!(manifest.node(link).unwrap().kind, NodeKind::Symlink { target: Path::new("/usr/bin/python3") });
    assert_eq!(manifest.lookup(bin, b"pytho").unwrap(), None);
    assert_eq!(manifest.lookup(tool, b"x").unwrap(), None);
    let empty = manifest.resolve("share/empty").unwrap().unwrap();
    assert_eq!(manifest.children(empty).unwrap().count(), 0);
    assert_eq!(manifest.len(), 11);
}

#[test]
fn a_walk_sees_a_directory_before_its_entries() {
    let manifest = manifest();
    let paths: Vec<_> = manifest.walk().map(|entry| entry.unwrap().path).collect();
    let expected = [
        "bin",
        "bin/python",
        "bin/tool",
        "lib",
        "lib/a",
        "lib/a/__init__.py",
        "lib/b",
        "lib/b/__init__.py",
        "share",
        "share/empty",
    ];
    assert_eq!(paths, expected);
}

#[test]
fn the_bytes_do_not_depend_on_the_order_of_adding() {
    let mut builder = ManifestBuilder::new();
    builder.directory("share/empty").unwrap().symlink("bin/python", "/usr/bin/python3").unwrap();
    builder.file("lib/b/__init__.py", Digest::of(b"one"), 3, false).unwrap();
    builder.file("bin/tool", Digest::of(b"tool"), 4, true).unwrap();
    builder.file("lib/a/__init__.py", Digest::of(b"one"), 3, false).unwrap().directory("lib/a").unwrap();
    assert_eq!(builder.finish().unwrap(), sample().finish().unwrap());
}

#[test]
fn trees_are_put_together_as_if_they_had_been_one() {
    let tree = |files: &[(&str, &str)]| {
        let mut builder = ManifestBuilder::new();
        for (path, text) in files {
            builder.file(path, Digest::of(text.as_bytes()), text.len() as u64, false).unwrap();
        }
        ViewManifest::from_bytes(builder.finish().unwrap()).unwrap()
    };
    let first =
        tree(&[("site/a/__init__.py", "a"), ("site/shared/x.py", "x"), ("site/top.py", "1"), ("bin/a", "run a")]);
    let second =
        tree(&[("site/shared/sub/y.py", "y"), ("site/shared/x.py", "x"), ("site/top.py", "2"), ("data/lib/z", "z")]);
    let mut own = ManifestBuilder::new();
    own.file("lib/site/own.py", Digest::of(b"own"), 3, false)
        .unwrap()
        .symlink("bin/python", "/usr/bin/python3")
        .unwrap();
    own.symlink("bin/a", "python").unwrap();
    let own = ViewManifest::from_bytes(own.finish().unwrap()).unwrap();
    let places = [(Some("site"), "lib/site"), (Some("bin"), "bin"), (Some("data"), ""), (Some("include"), "include/x")];
    let mut composition = Composition::referring_from(0);
    composition.add(&first, None, &places).unwrap();
    composition.add(&second, None, &places).unwrap();
    composition.add(&own, None, &[(None, "")]).unwrap();
    let (encoded, overlaps) = composition.finish().unwrap();
    let overlap = |path: &str, kept, dropped| Overlap { path: path.to_owned(), kept, dropped };
    assert_eq!(overlaps, [overlap("bin/a", 2, 0), overlap("lib/site/top.py", 1, 0)]);
    let manifest = ViewManifest::from_bytes(encoded.to_bytes()).unwrap();
    manifest.verify().unwrap();

    let mut expected = ManifestBuilder::new();
    for (path, text) in [
        ("lib/site/a/__init__.py", "a"),
        ("lib/site/shared/x.py", "x"),
        ("lib/site/shared/sub/y.py", "y"),
        ("lib/site/top.py", "2"),
        ("lib/z", "z"),
        ("lib/site/own.py", "own"),
    ] {
        expected.file(path, Digest::of(text.as_bytes()), text.len() as u64, false).unwrap();
    }
    expected.symlink("bin/python", "/usr/bin/python3").unwrap().symlink("bin/a", "python").unwrap();
    let expected = ViewManifest::from_bytes(expected.finish().unwrap()).unwrap();
    let all = |manifest: &ViewManifest| -> Vec<String> {
        manifest.walk().map(|entry| entry.map(|entry| format!("{} {:?}", entry.path, entry.node)).unwrap()).collect()
    };
    assert_eq!(all(&manifest), all(&expected), "the same nodes in the same order");
}

#[test]
fn a_file_of_one_tree_cannot_be_a_directory_of_another() {
    let one = ViewManifest::from_bytes(sample().finish().unwrap()).unwrap();
    let mut builder = ManifestBuilder::new();
    builder.file("lib/a", Digest::of(b"a"), 1, false).unwrap();
    let other = ViewManifest::from_bytes(builder.finish().unwrap()).unwrap();
    for parts in [[&one, &other], [&other, &one]] {
        let mut composition = Composition::referring_from(0);
        for part in parts {
            composition.add(part, None, &[(None, "")]).unwrap();
        }
        let error = composition.finish().err().unwrap().to_string();
        assert!(error.contains("\"lib/a\""), "{error}");
    }
}

#[test]
fn unacceptable_paths_and_conflicts_are_refused() {
    let digest = Digest::of(b"");
    for path in ["", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "a/./b", "a\0b", &"n".repeat(256)] {
        assert!(ManifestBuilder::new().file(path, digest, 0, false).is_err(), "{path:?}");
        assert!(ManifestBuilder::new().directory(path).is_err(), "{path:?}");
    }
    assert!(sample().file("bin", digest, 0, false).is_err());
    assert!(sample().file("bin/tool/x", digest, 0, false).is_err());
    assert!(sample().directory("bin/tool").is_err());
    assert!(sample().file("bin/tool", Digest::of(b"tool"), 4, false).is_err());
    assert!(sample().symlink("bin/python", "/other").is_err());
    assert!(sample().symlink("bin/new", "").is_err());
    assert!(sample().file("bin/tool", Digest::of(b"tool"), 4, true).is_ok());
}

#[test]
fn an_empty_view_is_a_root() {
    let manifest = ViewManifest::from_bytes(ManifestBuilder::new().finish().unwrap()).unwrap();
    manifest.verify().unwrap();
    assert!(manifest.is_empty());
    assert_eq!(manifest.walk().count(), 0);
}

#[test]
fn damage_is_an_error_that_names_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let (layout, id) = (Layout::new(dir.path()), ViewId::from_digest(&Digest::of(b"view")));
    let path = layout.view(&id);
    std::fs::create_dir(layout.views()).unwrap();
    for bytes in [b"".as_slice(), b"OMNI", b"OMNIVIEW", &[0; 200]] {
        std::fs::write(&path, bytes).unwrap();
        let error = ViewManifest::open(&layout, &id).unwrap_err();
        assert!(matches!(&error, Error::Damaged { path: named, .. } if *named == path), "{error}");
    }
    let mut bytes = sample().finish().unwrap();
    std::fs::write(&path, &bytes).unwrap();
    ViewManifest::open(&layout, &id).unwrap().verify().unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let error = ViewManifest::from_bytes(bytes).unwrap().verify().unwrap_err();
    assert!(error.to_string().contains("checksum"), "{error}");
}

/// Every single byte of a manifest is set to other values; reading all of it must end without a panic.
#[test]
fn no_damaged_byte_makes_a_panic_or_an_endless_walk() {
    let good = sample().finish().unwrap();
    for position in 0..good.len() {
        for flip in [1u8, 0x80, 0xff] {
            let mut bytes = good.clone();
            bytes[position] ^= flip;
            let Ok(manifest) = ViewManifest::from_bytes(bytes) else { continue };
            assert!(manifest.verify().is_err(), "byte {position} is not covered");
            assert!(manifest.walk().count() <= manifest.len());
            for index in 0..=manifest.len() as u32 {
                drop(manifest.node(NodeIndex(index)));
                drop(manifest.lookup(NodeIndex(index), b"tool"));
            }
        }
    }
    for length in 0..good.len() {
        assert!(ViewManifest::from_bytes(good[..length].to_vec()).is_err());
    }
}
