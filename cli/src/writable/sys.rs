//! Extended attributes, which no library here reads.

#![allow(unsafe_code)]

use nix::libc;
use std::ffi::{CStr, CString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The beginning of an attribute of a file itself (links are not followed); `None` if it has none.
pub fn attribute(path: &Path, name: &CStr) -> Option<Vec<u8>> {
    let path = CString::new(path.as_os_str().as_bytes()).ok()?;
    let mut value = [0u8; 16];
    // SAFETY: both names end in NUL, and the kernel writes at most the length that it is told.
    let length = unsafe { libc::lgetxattr(path.as_ptr(), name.as_ptr(), value.as_mut_ptr().cast(), value.len()) };
    Some(value.get(..usize::try_from(length).ok()?)?.to_vec())
}
