//! The design's invariants, asserted from `cargo metadata` and from the sources: who may depend on
//! whom, who may name what, and how files look. A test that fails lists every place at fault.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "invariants/crates.rs"]
mod crates;
#[path = "invariants/hosts.rs"]
mod hosts;
#[path = "invariants/scan.rs"]
mod scan;
#[path = "invariants/sources.rs"]
mod sources;

/// Fails with the list of faults, if there are any.
#[track_caller]
fn assert_none(rule: &str, faults: &[String]) {
    assert!(faults.is_empty(), "{rule}:\n  {}", faults.join("\n  "));
}
