//! Facts of interpreters that this machine need not have, for tests.

use super::Facts;
use std::collections::BTreeMap;

/// Those of a release build for Linux.
pub fn facts(implementation: &str, version: (u8, u8, u16)) -> Facts {
    let (major, minor, patch) = version;
    Facts {
        executable: "/nowhere/bin/python".into(),
        implementation: implementation.to_owned(),
        version,
        cache_tag: format!("{implementation}-{major}{minor}"),
        magic: 0,
        site_packages: format!("lib/python{major}.{minor}/site-packages"),
        stdlib: format!("/nowhere/lib/python{major}.{minor}").into(),
        soabi: format!("{implementation}-{major}{minor}-x86_64-linux-gnu"),
        abi_flags: String::new(),
        unicode_wide: true,
        free_threaded: false,
        debug: false,
        pypy_version: Vec::new(),
        platform: "linux-x86_64".to_owned(),
        pointer_bits: 64,
        libc: Some(("glibc".to_owned(), 2, 36)),
        markers: BTreeMap::from([("python_full_version".to_owned(), format!("{major}.{minor}.{patch}"))]),
    }
}
