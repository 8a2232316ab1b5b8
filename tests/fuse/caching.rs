//! What the kernel keeps, and the three things that it must not keep.

use super::store::{TestStore, errno, names, pattern};
use nix::errno::Errno;
use omnipkg_fusefs::counters::Request;
use omnipkg_store::Digest;
use omnipkg_store::view::manifest::ManifestBuilder;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::process::Command;

/// All that an import does: look for what is and is not there, list, open and read.
fn use_everything(view: &Path) {
    for path in ["lib/pkg/__init__.py", "lib/pkg/data.bin", "bin/hello", "bin/greet", "lib/pkg"] {
        fs::metadata(view.join(path)).unwrap();
    }
    for path in ["lib/pkg/missing.py", "lib/missing", "pyvenv.cfg", "lib/pkg/__pycache__/x.cpython-311.pyc"] {
        assert_eq!(errno(fs::metadata(view.join(path))), Errno::ENOENT);
    }
    fs::read_link(view.join("bin/greet")).unwrap();
    assert_eq!(names(&view.join("lib/pkg")).len(), 3);
    let mut bytes = Vec::new();
    File::open(view.join("lib/pkg/data.bin")).unwrap().read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes.len(), 300_000);
}

#[test]
fn the_second_time_nothing_is_asked() {
    let store = TestStore::new();
    let view = store.sample();
    let Some(mount) = store.mount() else { return };
    use_everything(&mount.path(&view, ""));
    // a listing is kept from its second reading on
    names(&mount.path(&view, "lib/pkg"));
    let before = mount.requests();
    assert!(before.iter().any(|(name, count)| *name == "lookup" && *count > 10), "{before:?}");
    for _ in 0..3 {
        use_everything(&mount.path(&view, ""));
    }
    assert_eq!(mount.requests(), before);
    let once = |request| mount.count(request) <= 1;
    assert!(once(Request::Open) && once(Request::Opendir), "the kernel opens by itself: {before:?}");
}

#[test]
fn a_view_appears_after_it_was_missed() {
    let store = TestStore::new();
    let mut builder = ManifestBuilder::new();
    store.file(&mut builder, "new", b"new", false);
    let bytes = builder.finish().unwrap();
    let id = omnipkg_store::ViewId::from_digest(&Digest::of(&bytes));
    let Some(mount) = store.mount() else { return };
    for _ in 0..3 {
        assert_eq!(errno(fs::metadata(mount.path(&id, "new"))), Errno::ENOENT);
    }
    assert_eq!(store.publish(&builder), id);
    assert_eq!(fs::read(mount.path(&id, "new")).unwrap(), b"new");
}

#[test]
fn the_list_of_views_is_always_fresh() {
    let store = TestStore::new();
    let Some(mount) = store.mount() else { return };
    let mut expected = Vec::new();
    for n in 0..5u8 {
        for _ in 0..2 {
            assert_eq!(names(mount.root()), expected);
        }
        let mut builder = ManifestBuilder::new();
        store.file(&mut builder, "n", &[n], false);
        expected.push(store.publish(&builder).to_string());
        expected.sort();
    }
    assert_eq!(names(mount.root()), expected);
}

#[test]
fn bytecode_appears_when_it_is_made_and_is_asked_for_once() {
    let store = TestStore::new();
    let view = store.sample();
    let source = Digest::of(b"VALUE = 1\n");
    let Some(mount) = store.mount() else { return };
    let pycache = mount.path(&view, "lib/pkg/__pycache__");
    let bytecode = pycache.join("__init__.cpython-311.pyc");
    for _ in 0..3 {
        assert_eq!(errno(fs::metadata(&bytecode)), Errno::ENOENT);
        assert_eq!(names(&pycache), Vec::<String>::new());
    }
    let misses: Vec<_> = mount.misses.try_iter().collect();
    assert_eq!(misses.len(), 1, "{misses:?}");
    assert_eq!((misses[0].cache_tag.as_str(), misses[0].source, misses[0].view), ("cpython-311", source, view));

    let digest = store.set_bytecode("cpython-311", &source, b"bytecode");
    assert_eq!(fs::read(&bytecode).unwrap(), b"bytecode");
    assert_eq!(names(&pycache), ["__init__.cpython-311.pyc"]);
    let inode = std::os::unix::fs::MetadataExt::ino(&fs::metadata(&bytecode).unwrap());
    assert_eq!(inode, omnipkg_fusefs::Inode::file(&digest, false).0);
    assert_eq!(errno(fs::metadata(pycache.join("__init__.cpython-312.pyc"))), Errno::ENOENT);
    assert_eq!(mount.misses.try_iter().count(), 1);
}

#[test]
fn what_cannot_be_compiled_is_asked_for_once() {
    let store = TestStore::new();
    let mut builder = ManifestBuilder::new();
    let source = store.file(&mut builder, "a.py", b"print 'two'", false);
    let view = store.publish(&builder);
    omnipkg_store::publish::file(&store.store, &store.layout().pyc("cpython-311", &source), b"refused").unwrap();
    let Some(mount) = store.mount() else { return };
    let path = mount.path(&view, "__pycache__/a.cpython-311.pyc");
    assert_eq!(errno(fs::metadata(&path)), Errno::ENOENT);
    let before = mount.count(Request::Lookup);
    for _ in 0..3 {
        assert_eq!(errno(fs::metadata(&path)), Errno::ENOENT);
    }
    assert_eq!((mount.count(Request::Lookup), mount.misses.try_iter().count()), (before, 0));
}

#[test]
fn a_shipped_bytecode_directory_wins() {
    let store = TestStore::new();
    let mut builder = ManifestBuilder::new();
    let source = store.file(&mut builder, "a.py", b"a", false);
    store.file(&mut builder, "__pycache__/a.cpython-311.pyc", b"shipped", false);
    store.set_bytecode("cpython-311", &source, b"ours");
    let view = store.publish(&builder);
    let Some(mount) = store.mount() else { return };
    assert_eq!(fs::read(mount.path(&view, "__pycache__/a.cpython-311.pyc")).unwrap(), b"shipped");
    assert_eq!(names(&mount.path(&view, "")), ["__pycache__", "a.py"]);
    assert_eq!(errno(fs::metadata(mount.path(&view, "__pycache__/a.cpython-312.pyc"))), Errno::ENOENT);
    assert_eq!(mount.misses.try_iter().count(), 0);
}

/// How many bytes of a file the page cache holds, as `fincore` counts them.
fn cached(path: &Path) -> Option<u64> {
    let output =
        Command::new("fincore").args(["--bytes", "--noheadings", "--output", "RES"]).arg(path).output().ok()?;
    String::from_utf8_lossy(&output.stdout).trim().parse().ok()
}

#[test]
fn two_views_of_one_file_read_it_once_and_memory_holds_it_once() {
    const SIZE: u64 = 8 << 20;
    let store = TestStore::new();
    let bytes = pattern(SIZE as usize);
    let (mut first, mut second) = (ManifestBuilder::new(), ManifestBuilder::new());
    let object = store.file(&mut first, "lib/large", &bytes, false);
    store.file(&mut second, "other/place/large", &bytes, false);
    let (first, second) = (store.publish(&first), store.publish(&second));
    let Some(mount) = store.mount() else { return };
    assert!(fs::read(mount.path(&first, "lib/large")).unwrap() == bytes);
    let before = mount.count(Request::Read);
    assert!(fs::read(mount.path(&second, "other/place/large")).unwrap() == bytes);
    assert_eq!(mount.count(Request::Read), before, "the second view has it from the page cache");
    match (cached(&mount.path(&first, "lib/large")), cached(&store.layout().object(&object))) {
        (Some(served), Some(held)) => {
            assert_eq!(served, SIZE);
            assert!(held < SIZE / 4, "{held} bytes of the object itself are held as well");
        }
        _ => eprintln!("skipped: fincore is not there"),
    }
}
