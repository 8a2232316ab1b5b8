//! Member names: what a name may be, and that no two of them meet when unpacked.

use super::Member;
use crate::wheel::error::Fault;
use std::collections::HashMap;

/// Longest component that Linux can make (NAME_MAX).
const MAX_COMPONENT: usize = 255;
/// Longest path: leaves room below PATH_MAX for the directory that it is unpacked into.
const MAX_PATH: usize = 2048;
/// Longest member name: leaves room for the scheme.
const MAX_NAME: usize = 1536;

/// Checks a name; returns it without the final `/` and whether it is a directory's.
pub(super) fn check(raw: &[u8], flagged_utf8: bool) -> Result<(String, bool), Fault> {
    let lossy = String::from_utf8_lossy(raw);
    let fault = |reason: &str| Fault::member(&lossy, reason);
    let text = std::str::from_utf8(raw).map_err(|_| fault("its name is not UTF-8"))?;
    if !flagged_utf8 && !text.is_ascii() {
        return Err(fault("its name is in an unknown encoding"));
    }
    let (path, is_directory) = match text.strip_suffix('/') {
        Some(path) => (path, true),
        None => (text, false),
    };
    if path.len() > MAX_NAME {
        return Err(fault("its name is too long"));
    }
    check_path(path).map_err(fault)?;
    Ok((path.to_owned(), is_directory))
}

/// The rule for every relative path that enters the store. In one pass: manifests check thousands.
pub(crate) fn check_path(path: &str) -> Result<(), &'static str> {
    let bytes = path.as_bytes();
    match bytes {
        [] => return Err("its name is empty"),
        [b'/', ..] => return Err("its name is an absolute path"),
        [letter, b':', ..] if letter.is_ascii_alphabetic() => return Err("its name is a drive path"),
        _ if bytes.len() > MAX_PATH => return Err("its name is too long"),
        _ => {}
    }
    let mut start = 0;
    for (index, byte) in bytes.iter().enumerate() {
        match byte {
            b'/' => {
                check_component(&bytes[start..index])?;
                start = index + 1;
            }
            b'\\' => return Err("its name contains a backslash"),
            0..0x20 | 0x7f => return Err("its name contains a control character"),
            _ => {}
        }
    }
    check_component(&bytes[start..])?;
    if !path.is_ascii() && path.chars().any(char::is_control) {
        return Err("its name contains a control character");
    }
    Ok(())
}

fn check_component(component: &[u8]) -> Result<(), &'static str> {
    match component {
        b"" => Err("its name has an empty component"),
        b"." | b".." => Err("its name has a `.` or `..` component"),
        long if long.len() > MAX_COMPONENT => Err("its name has a component that is too long"),
        _ => Ok(()),
    }
}

/// No two members have one name, and no file is where another member needs a directory.
pub(super) fn check_distinct(members: &[Member]) -> Result<(), Fault> {
    let mut seen: HashMap<&str, bool> = HashMap::with_capacity(members.len());
    for member in members {
        if seen.insert(&member.path, member.is_directory).is_some() {
            return Err(Fault::member(&member.path, "the archive has it twice"));
        }
    }
    for member in members {
        for (slash, _) in member.path.match_indices('/') {
            if seen.get(&member.path[..slash]) == Some(&false) {
                return Err(Fault::member(&member.path, "its parent directory is also a file"));
            }
        }
    }
    Ok(())
}
