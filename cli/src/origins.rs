//! Where the archives of wheels come from: `origins/<sha256>`, one record a wheel, written whenever one is chosen.
//!
//! A wheel's manifest says nothing of it: the same wheel can be had in many places. The last one known counts. What is
//! lost is asked of the index again. No record holds credentials.

use crate::index_settings;
use anyhow::Result;
use omnipkg_resolver::{Lock, LockedWheel};
use omnipkg_store::{Sha256, Store, publish};
use std::fs;

/// Remembers where the wheels of a lock come from (those that were built, what they were built of); what is known already is put anew
/// only if it was asked for.
pub fn record(store: &Store, lock: &Lock, anew: bool) -> Result<()> {
    for wheel in &lock.wheels {
        let Some(sha256) = &wheel.wheel() else { continue };
        if !anew && store.layout().origin(sha256).exists() {
            continue;
        }
        let old = read(store, sha256);
        // The same hash has the same size, whoever told it.
        let size = wheel.size.or(old.as_ref().and_then(|old| old.size));
        let url = index_settings::without_login(wheel.url.clone());
        let new = LockedWheel { url, size, requires: Vec::new(), assumed: None, ..wheel.clone() };
        if old.as_ref() != Some(&new) {
            publish::volatile_file(store, &store.layout().origin(sha256), &serde_json::to_vec(&new)?)?;
        }
    }
    Ok(())
}

/// Where a wheel comes from, if that is known.
pub fn read(store: &Store, sha256: &Sha256) -> Option<LockedWheel> {
    let bytes = fs::read(store.layout().origin(sha256)).ok()?;
    let known: LockedWheel = serde_json::from_slice(&bytes).ok()?;
    (known.wheel().as_ref() == Some(sha256)).then_some(known)
}
