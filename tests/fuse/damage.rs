//! Damage of the store is `EIO` for what is damaged, and for nothing else.

use super::store::{TestStore, errno};
use nix::errno::Errno;
use omnipkg_store::view::manifest::ManifestBuilder;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;

#[test]
fn missing_and_short_objects_are_eio() {
    let store = TestStore::new();
    let mut builder = ManifestBuilder::new();
    let gone = store.file(&mut builder, "gone", &[1; 10_000], false);
    let short = store.file(&mut builder, "short", &[2; 10_000], false);
    store.file(&mut builder, "whole", &[3; 10_000], false);
    let view = store.publish(&builder);
    fs::remove_file(store.layout().object(&gone)).unwrap();
    fs::remove_file(store.layout().object(&short)).unwrap();
    fs::write(store.layout().object(&short), [2; 5000]).unwrap();
    let Some(mount) = store.mount() else { return };
    assert_eq!(errno(fs::read(mount.path(&view, "gone"))), Errno::EIO);
    assert_eq!(errno(fs::read(mount.path(&view, "short"))), Errno::EIO);
    assert_eq!(fs::read(mount.path(&view, "whole")).unwrap(), [3; 10_000]);
}

#[test]
fn an_object_that_somebody_wrote_to_is_eio() {
    let store = TestStore::new();
    let mut builder = ManifestBuilder::new();
    let object = store.file(&mut builder, "a.py", b"VALUE = 1\n", false);
    let view = store.publish(&builder);
    // as root does through a hardlink of the link projection: the mode does not keep it
    let path = store.layout().object(&object);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    fs::OpenOptions::new().write(true).open(&path).unwrap().write_all(b"VALUE = 2\n").unwrap();
    let Some(mount) = store.mount() else { return };
    assert_eq!(errno(fs::read(mount.path(&view, "a.py"))), Errno::EIO);

    // only the time is another, as in a store that was copied: the bytes are looked at, and served
    fs::write(&path, b"VALUE = 1\n").unwrap();
    assert_eq!(fs::read(mount.path(&view, "a.py")).unwrap(), b"VALUE = 1\n");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o444, "it is sealed again");
}

#[test]
fn a_damaged_manifest_is_eio_and_other_views_go_on() {
    let store = TestStore::new();
    let good = store.sample();
    let mut builder = ManifestBuilder::new();
    store.file(&mut builder, "x", b"x", false);
    let bad = store.publish(&builder);
    fs::remove_file(store.layout().view(&bad)).unwrap();
    fs::write(store.layout().view(&bad), b"OMNIVIEW and then nonsense").unwrap();
    let Some(mount) = store.mount() else { return };
    assert_eq!(errno(fs::metadata(mount.path(&bad, "x"))), Errno::EIO);
    assert_eq!(fs::read(mount.path(&good, "lib/pkg/__init__.py")).unwrap(), b"VALUE = 1\n");
}

#[test]
fn bytecode_without_its_object_is_a_miss() {
    let store = TestStore::new();
    let mut builder = ManifestBuilder::new();
    let source = store.file(&mut builder, "a.py", b"a", false);
    let bytecode = store.set_bytecode("cpython-311", &source, b"bytecode");
    fs::remove_file(store.layout().object(&bytecode)).unwrap();
    let view = store.publish(&builder);
    let Some(mount) = store.mount() else { return };
    assert_eq!(errno(fs::metadata(mount.path(&view, "__pycache__/a.cpython-311.pyc"))), Errno::ENOENT);
    assert_eq!(mount.misses.try_iter().count(), 1);
}

#[test]
fn bytecode_of_other_bytes_is_a_miss_and_shown_when_it_is_made_again() {
    let store = TestStore::new();
    let mut builder = ManifestBuilder::new();
    let source = store.file(&mut builder, "a.py", b"a", false);
    let bytecode = store.layout().object(&store.set_bytecode("cpython-311", &source, b"bytecode"));
    fs::remove_file(&bytecode).unwrap();
    fs::write(&bytecode, b"bytecoda").unwrap();
    fs::File::open(&bytecode).unwrap().set_modified(omnipkg_store::objects::constant_time()).unwrap();
    let view = store.publish(&builder);
    let Some(mount) = store.mount() else { return };
    let path = mount.path(&view, "__pycache__/a.cpython-311.pyc");
    assert_eq!(errno(fs::metadata(&path)), Errno::ENOENT);
    assert_eq!(mount.misses.try_iter().count(), 1);
    fs::remove_file(&bytecode).unwrap();
    store.set_bytecode("cpython-311", &source, b"bytecode");
    assert_eq!(fs::read(&path).unwrap(), b"bytecode");
}
