//! For tests only: a target and a small package index on 127.0.0.1.

pub(crate) mod brute;
mod scripted;
mod server;
pub(crate) mod universe;
mod wheels;

pub(crate) use scripted::{End, Reply, Scripted};
pub(crate) use server::{Asked, Fault, Server, Style};
pub(crate) use wheels::{Wheel, wheel};

use crate::formats::Formats;
use crate::http_options::HttpOptions;
use crate::indexes::Indexes;
use crate::lock::Lock;
use crate::metadata::Requirement;
use crate::progress::Silent;
use crate::request::{Prerelease, Request, Resolution, Target};
use crate::resolver::Resolver;
use omnipkg_store::Store;
use omnipkg_store::tags::{Tags, WheelTag};
use pep508_rs::{MarkerEnvironment, MarkerEnvironmentBuilder};
use std::sync::Arc;
use std::time::Duration;

/// CPython 3.11.7 on x86-64 Linux.
pub(crate) fn target() -> Target {
    let markers = MarkerEnvironment::try_from(MarkerEnvironmentBuilder {
        implementation_name: "cpython",
        implementation_version: "3.11.7",
        os_name: "posix",
        platform_machine: "x86_64",
        platform_python_implementation: "CPython",
        platform_release: "6.1",
        platform_system: "Linux",
        platform_version: "1",
        python_full_version: "3.11.7",
        python_version: "3.11",
        sys_platform: "linux",
    });
    let tags = [
        ("cp311", "cp311", "manylinux_2_17_x86_64"),
        ("cp311", "abi3", "manylinux_2_17_x86_64"),
        ("py311", "none", "any"),
        ("py3", "none", "any"),
    ];
    Target {
        markers: markers.unwrap(),
        python: "3.11.7".parse().unwrap(),
        tags: Tags::new(tags.map(|(python, abi, platform)| WheelTag::new(python, abi, platform))),
        prerelease: Prerelease::default(),
    }
}

/// Patient, and quick to try again.
pub(crate) fn http() -> HttpOptions {
    HttpOptions { timeout: Duration::from_secs(20), backoff: Duration::from_millis(1), ..HttpOptions::default() }
}

/// A store that is gone after the test, and what is needed to resolve with it.
pub(crate) struct Context {
    pub(crate) directory: tempfile::TempDir,
}

impl Context {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn store(&self) -> Store {
        Store::open(self.directory.path().join("store")).unwrap()
    }

    pub(crate) fn resolver(&self, servers: &[&Server], offline: bool) -> Resolver {
        let (last, extra) = servers.split_last().unwrap();
        let extra = extra.iter().map(|server| server.url()).collect();
        let indexes = Indexes { index_url: Some(last.url()), extra, ..Indexes::default() };
        self.resolver_with(&indexes, HttpOptions { offline, ..http() })
    }

    pub(crate) fn resolver_with(&self, indexes: &Indexes, http: HttpOptions) -> Resolver {
        Resolver::new(self.store(), indexes, http, Arc::new(Silent))
    }

    /// Names of what is left in the store's `tmp/`.
    pub(crate) fn left_over(&self) -> Vec<std::ffi::OsString> {
        let entries = std::fs::read_dir(self.store().layout().tmp()).unwrap();
        entries.map(|entry| entry.unwrap().file_name()).collect()
    }
}

pub(crate) fn requirements(texts: &[&str]) -> Vec<Requirement> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

pub(crate) fn request(texts: &[&str]) -> Request {
    Request {
        requirements: requirements(texts),
        constraints: Vec::new(),
        overrides: Vec::new(),
        // Nothing builds here; a scenario that wants sources says so.
        formats: Formats::wheels_only(),
        resolution: Resolution::default(),
        preferences: std::collections::BTreeMap::new(),
        installed: std::collections::BTreeMap::new(),
        hashes: std::collections::BTreeMap::new(),
        target: target(),
    }
}

/// `a==1 b==2` of a lock.
pub(crate) fn pins(lock: &Lock) -> String {
    lock.to_string().trim_end().replace('\n', " ")
}
