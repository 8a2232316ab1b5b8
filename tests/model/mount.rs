//! A real mount against a plain directory with the same tree: the same answers to the same system calls.

use crate::store::TestStore;
use crate::tree::{Tree, join, paths, trees};
use proptest::prelude::*;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt};
use std::path::Path;

#[derive(Debug, Clone)]
enum Operation {
    Stat(String),
    StatThrough(String),
    List(String),
    ReadLink(String),
    Read(String),
    ReadAt(String, u64, usize),
    Create(String),
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let operation = prop_oneof![
        paths().prop_map(Operation::Stat),
        paths().prop_map(Operation::StatThrough),
        paths().prop_map(Operation::List),
        Just(Operation::List(String::new())),
        paths().prop_map(Operation::ReadLink),
        paths().prop_map(Operation::Read),
        (paths(), 0..10_000u64, 1..6000usize).prop_map(|(path, offset, size)| Operation::ReadAt(path, offset, size)),
        paths().prop_map(Operation::Create),
    ];
    prop::collection::vec(operation, 1..80)
}

/// What a system call shows, as text; times, numbers and owners of inodes are not compared.
fn show<T>(result: io::Result<T>, show: impl FnOnce(T) -> String) -> String {
    result.map_or_else(|error| format!("errno {:?}", error.raw_os_error()), show)
}

fn show_metadata(metadata: fs::Metadata) -> String {
    let kind = metadata.file_type();
    assert!(!kind.is_char_device() && !kind.is_fifo());
    if kind.is_dir() { "directory".to_owned() } else { format!("{:o} {}", metadata.mode(), metadata.size()) }
}

fn list(path: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        names.push(format!("{:?} {:?}", entry.file_name(), entry.file_type()?));
    }
    names.sort();
    Ok(names)
}

fn answer(root: &Path, operation: &Operation) -> String {
    match operation {
        Operation::Stat(path) => show(fs::symlink_metadata(root.join(path)), show_metadata),
        Operation::StatThrough(path) => show(fs::metadata(root.join(path)), show_metadata),
        Operation::List(path) => show(list(&root.join(path)), |names| names.join(", ")),
        Operation::ReadLink(path) => show(fs::read_link(root.join(path)), |target| format!("{target:?}")),
        Operation::Read(path) => show(fs::read(root.join(path)), |bytes| format!("{bytes:?}")),
        Operation::ReadAt(path, offset, size) => {
            let read = File::open(root.join(path)).and_then(|file| {
                let mut buffer = vec![0; *size];
                let count = file.read_at(&mut buffer, *offset)?;
                buffer.truncate(count);
                Ok(buffer)
            });
            show(read, |bytes| format!("{bytes:?}"))
        }
        Operation::Create(path) => {
            let error = File::create(root.join(path)).expect_err("nothing can be created");
            // only that it is refused is compared: the plain directory is not read-only
            assert!(error.raw_os_error().is_some());
            String::new()
        }
    }
}

/// The plain directory gets what the filesystem makes up, so that both hold the same.
fn make_bytecode_directories(tree: &Tree, root: &Path) {
    let directories = tree.0.iter().filter(|(_, leaf)| **leaf == crate::tree::Leaf::Directory);
    for directory in directories.map(|(path, _)| path.as_str()).chain([""]) {
        if tree.has_bytecode_directory(directory) {
            fs::create_dir(root.join(join(directory, "__pycache__"))).unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn it_answers_like_a_plain_directory(tree in trees(), operations in operations()) {
        let store = TestStore::new();
        let view = tree.publish(&store);
        let plain = tempfile::tempdir().unwrap();
        tree.write_to(plain.path());
        make_bytecode_directories(&tree, plain.path());
        let Some(mount) = store.mount() else { return Ok(()) };
        let root = mount.path(&view, "");
        for operation in &operations {
            let on_mount = answer(&root, operation);
            if !matches!(operation, Operation::Create(_)) {
                prop_assert_eq!(on_mount, answer(plain.path(), operation), "{:?}", operation);
            }
        }
    }
}
