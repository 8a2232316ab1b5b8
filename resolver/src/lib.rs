//! From requirements to a lock, and from a lock to wheels.
//!
//! [`Resolver`] is the whole of it: [`Resolver::resolve`] answers a [`Request`] with a [`Lock`],
//! [`Resolver::fetch`] downloads a lock's wheels and hands each to the caller. Both block; the async
//! runtime inside starts on first use. What must stay true:
//!
//! * the same request and the same indexes give the same lock;
//! * the first index that knows a name answers for it, and only "404" means that it does not know;
//! * bytes whose hash is not the promised one are never handed on;
//! * no user information of a URL is stored, logged or shown.

mod about;
mod archive;
mod candidates;
mod client;
mod connection;
mod credentials;
mod direct;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod effort;
mod error;
mod explain;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod fault_tests;
mod fetch;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod fetch_tests;
mod flat;
mod formats;
mod freshness;
mod hashes;
mod http_options;
mod indexes;
mod lenient;
mod locate;
mod lock;
mod metadata;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod order_tests;
mod pages;
mod permission;
mod progress;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod property;
mod provider;
mod range;
mod ranges;
mod request;
mod resolver;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod scenario_files;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod scenarios;
mod session;
mod shared;
mod simple;
mod solve;
mod source;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod source_tests;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod testing;
mod timestamp;
mod urls;
mod wheel_metadata;

pub use about::About;
pub use error::{Error, Result};
pub use fetch::FetchError;
pub use formats::{Allowed, Formats, Names};
pub use http_options::HttpOptions;
pub use indexes::Indexes;
pub use lock::{Lock, LockedWheel, Origin};
pub use metadata::Requirement;
pub use progress::{Progress, Silent};
pub use range::satisfies;
pub use request::{Installed, Prerelease, Request, Resolution, Target};
pub use resolver::Resolver;
pub use source::{BuildEnvironment, BuildEnvironments, fingerprint};
pub use timestamp::{NotATimestamp, Timestamp};
pub use urls::{percent_decode, without_login};
