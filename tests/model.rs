//! Random trees against a model: the manifest against a map, the filesystem against the map without
//! FUSE, and a real mount against a plain directory.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "model/calls.rs"]
mod calls;
#[path = "model/filesystem.rs"]
mod filesystem;
#[path = "model/grafted.rs"]
mod grafted;
#[path = "model/manifest.rs"]
mod manifest;
#[path = "model/mount.rs"]
mod mount;
#[path = "fuse/store.rs"]
#[allow(dead_code)]
mod store;
#[path = "model/tree.rs"]
mod tree;
