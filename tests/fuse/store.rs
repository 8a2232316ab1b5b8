//! A store filled by hand, and a mount of it that goes away with the test.

use omnipkg_fusefs::counters::Request;
use omnipkg_fusefs::{BytecodeMiss, Mounted, Options, mount};
use omnipkg_store::objects::Batch;
use omnipkg_store::view::manifest::ManifestBuilder;
use omnipkg_store::{Digest, Layout, Store, ViewId, publish};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};

pub struct TestStore {
    // dropped last
    pub store: Store,
    _directory: tempfile::TempDir,
}

impl TestStore {
    pub fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self { store: Store::open(directory.path().join("store")).unwrap(), _directory: directory }
    }

    pub fn layout(&self) -> &Layout {
        self.store.layout()
    }

    pub fn object(&self, bytes: &[u8]) -> Digest {
        let mut batch = Batch::new(&self.store);
        let added = batch.add_bytes(bytes).unwrap();
        batch.commit().unwrap();
        added.digest
    }

    pub fn file(&self, builder: &mut ManifestBuilder, path: &str, bytes: &[u8], executable: bool) -> Digest {
        let digest = self.object(bytes);
        builder.file(path, digest, bytes.len() as u64, executable).unwrap();
        digest
    }

    pub fn publish(&self, builder: &ManifestBuilder) -> ViewId {
        self.publish_bytes(&builder.finish().unwrap())
    }

    pub fn publish_bytes(&self, bytes: &[u8]) -> ViewId {
        let id = ViewId::from_digest(&Digest::of(bytes));
        publish::file(&self.store, &self.layout().view(&id), bytes).unwrap();
        id
    }

    /// A view with a bit of everything.
    pub fn sample(&self) -> ViewId {
        let mut builder = ManifestBuilder::new();
        self.file(&mut builder, "lib/pkg/__init__.py", b"VALUE = 1\n", false);
        self.file(&mut builder, "lib/pkg/data.bin", &pattern(300_000), false);
        self.file(&mut builder, "lib/empty", b"", false);
        self.file(&mut builder, "bin/hello", b"#!/bin/sh\necho \"hello $1\"\n", true);
        builder.symlink("bin/greet", "hello").unwrap();
        builder.symlink("bin/dangling", "/nowhere/at/all").unwrap();
        builder.directory("share/nothing").unwrap();
        self.publish(&builder)
    }

    pub fn set_bytecode(&self, cache_tag: &str, source: &Digest, bytes: &[u8]) -> Digest {
        let digest = self.object(bytes);
        let path = self.layout().pyc(cache_tag, source);
        publish::file(&self.store, &path, digest.to_hex().as_bytes()).unwrap();
        digest
    }

    /// `None` where there is no FUSE.
    pub fn mount(&self) -> Option<TestMount> {
        omnipkg_tests::require_fuse().then(|| {
            let (sender, misses) = channel();
            let mounted =
                mount(self.layout(), Options { bytecode_misses: Some(sender), ..Options::default() }).unwrap();
            TestMount { mounted, misses }
        })
    }
}

pub struct TestMount {
    pub mounted: Mounted,
    pub misses: Receiver<BytecodeMiss>,
}

impl TestMount {
    pub fn path(&self, view: &ViewId, path: &str) -> PathBuf {
        self.root().join(view.to_string()).join(path)
    }

    pub fn root(&self) -> &Path {
        self.mounted.mountpoint()
    }

    pub fn count(&self, request: Request) -> u64 {
        self.mounted.counters().get(request)
    }

    /// All requests but those that no cache saves.
    pub fn requests(&self) -> Vec<(&'static str, u64)> {
        let counted = self.mounted.counters().snapshot();
        counted.into_iter().filter(|(name, _)| !["forget", "ioctl", "flush", "statfs"].contains(name)).collect()
    }
}

impl Drop for TestMount {
    fn drop(&mut self) {
        // may be unmounted by the test already
        drop(self.mounted.unmounter().detach());
        self.mounted.wait();
    }
}

/// Bytes that are nowhere alike.
pub fn pattern(length: usize) -> Vec<u8> {
    let blocks = (0..length as u64 / 32 + 1).flat_map(|block| *Digest::of(&block.to_le_bytes()).as_bytes());
    blocks.take(length).collect()
}

/// The names in a directory, sorted.
pub fn names(path: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(path).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[track_caller]
pub fn errno<T: std::fmt::Debug>(result: std::io::Result<T>) -> nix::errno::Errno {
    nix::errno::Errno::from_raw(result.unwrap_err().raw_os_error().unwrap())
}
