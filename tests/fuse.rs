//! Every file operation on a real mount of a store made by hand.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "fuse/caching.rs"]
mod caching;
#[path = "fuse/changing.rs"]
mod changing;
#[path = "fuse/damage.rs"]
mod damage;
#[path = "fuse/mounting.rs"]
mod mounting;
#[path = "fuse/reading.rs"]
mod reading;
#[path = "fuse/store.rs"]
mod store;
