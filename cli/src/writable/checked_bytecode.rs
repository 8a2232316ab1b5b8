//! Python in a writable view checks bytecode against its source, which may be edited there.
//!
//! Shared bytecode says of itself that it need not be checked (PEP 552), and shows through an overlay. A line for Python's
//! start in the upper layer has it checked all the same, for whoever sees the overlay, and costs nothing anywhere else.

use anyhow::{Context, Result};
use std::fs;
use std::path::Path;

/// Sorts before the names of others, whose lines may import what was edited.
const FILE: &str = "0_omnipkg_writable.pth";

/// CPython 3.6 and Python 2 have no such bytecode: they compare the time and size of the source.
const LINE: &str = "import sys; sys.version_info >= (3, 7) and \
                    setattr(__import__('_imp'), 'check_hash_based_pycs', 'always')\n";

/// Puts the line into the upper layer of a view that is visible at `seen`.
pub fn ask_for(seen: &Path, upper: &Path, site_packages: &str) -> Result<()> {
    let mut below = Path::new("").to_owned();
    for name in Path::new(site_packages) {
        below.push(name);
        let (shown, path) = (seen.join(&below), upper.join(&below));
        // The overlay's directory has the upper one's mode.
        fs::create_dir(&path)
            .and_then(|()| fs::set_permissions(&path, fs::metadata(&shown)?.permissions()))
            .with_context(|| format!("cannot create {}", path.display()))?;
    }
    let path = upper.join(below).join(FILE);
    fs::write(&path, LINE).with_context(|| format!("cannot write {}", path.display()))
}

/// True for the line's file, by its path below the view.
pub fn is_ours(path: &str) -> bool {
    path.rsplit('/').next() == Some(FILE)
}
