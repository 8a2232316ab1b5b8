//! The Python side, embedded in the binary and projected into every view. The build script lists it.

use omnipkg_store::view::runtime::{Runtime, RuntimeFile};

/// Files of omnipkg itself in every view.
pub const RUNTIME_FILES: &[RuntimeFile] = include!(concat!(env!("OUT_DIR"), "/runtime_files.rs"));

/// Changes when any of them does.
pub const RUNTIME_STAMP: &str = env!("OMNIPKG_RUNTIME_STAMP");

/// For whoever builds views.
pub const RUNTIME: Runtime<'static> = Runtime { files: RUNTIME_FILES, stamp: RUNTIME_STAMP };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_start_needs_is_embedded() {
        let has = |path: &str| RUNTIME_FILES.iter().any(|file| file.path == path && !file.bytes.is_empty());
        for path in ["site/_omnipkg.pth", "site/_omnipkg_reporter.py", "site/omnipkg/__init__.py", "bin/activate"] {
            assert!(has(path), "{path}");
        }
        assert_eq!(RUNTIME_STAMP.len(), 16);
    }
}
