//! The content-addressed store: the truth on disk that everything else reads.
//!
//! Owns objects, wheel manifests, view manifests, environments with their generations, the catalog,
//! interpreters and the link projection. What must stay true:
//!
//! * an object, a wheel manifest and a view manifest never change once published;
//! * nothing is acknowledged before it is durable (write in `tmp/`, fsync, rename, fsync the directory);
//! * the manifests are the truth, the catalog is an index of them that can be made again.

pub mod bytecode;
pub mod catalog;
pub mod digest;
pub mod environment;
pub mod error;
pub mod interpreter;
mod kept_tree;
pub mod layout;
pub mod links;
pub mod objects;
pub mod publish;
pub mod sdist;
mod sys;
pub mod tags;
mod tarball;
pub mod view;
pub mod wheel;

pub use digest::{Digest, DigestHasher, Sha256, Sha256Hasher, ViewId};
pub use error::{Error, IoContext, Result};
pub use layout::{Layout, Store};
