//! The hermetic test context: wheels made in memory, a package index on 127.0.0.1 that can be told
//! to misbehave, and a place to run the built `omnipkg` in which nothing of the machine leaks.
//!
//! What must stay true: nothing here reaches a network beyond 127.0.0.1, reads the user's own
//! settings or store, or leaves a mount, a process or a directory behind. A thing that a test needs
//! and the machine lacks is a skip with a printed reason; a hang is a failure. This is test code: it
//! panics with the reason where a library would return an error.
#![allow(clippy::unwrap_used, clippy::expect_used)]

pub mod context;
pub mod device;
pub mod encoding;
pub mod filters;
pub mod index;
pub mod process;
pub mod python;
pub mod sys;
pub mod user;
pub mod wheel_builder;

pub use context::Context;
pub use device::{FuseDevice, require_fuse};
pub use index::{Fault, FileOptions, Index, Mode, Request};
pub use process::Output;
pub use python::Python;
pub use user::User;
pub use wheel_builder::{BuiltWheel, WheelBuilder};
