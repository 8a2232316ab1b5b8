//! The directory that is being filled: the only place where an archive's members become files.
//!
//! Until [`Unpacked::finish`] there is no symlink in it, so that a path below it leads where it says.

use super::Fault;
use crate::error::{IoContext, Result};
use crate::tarball::stays_inside;
use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// Files under a directory, and the links that are still to be made.
pub(super) struct Unpacked<'a> {
    root: &'a Path,
    /// Path below the root, and where the link leads as written.
    links: BTreeMap<String, String>,
}

impl<'a> Unpacked<'a> {
    pub(super) fn new(root: &'a Path) -> Self {
        Self { root, links: BTreeMap::new() }
    }

    /// Makes a directory.
    pub(super) fn directory(&mut self, name: &str) -> Result<(), Fault> {
        let path = plain(name)?;
        if path.is_empty() {
            return Ok(());
        }
        let directory = self.root.join(&path);
        self.clear_of_links(&path)?;
        fs::create_dir_all(&directory).at("create directory", &directory).map_err(Fault::Store)
    }

    /// Writes a file; as with every unpacker, a later one of the same name takes the place of an earlier.
    pub(super) fn file(&mut self, name: &str, content: &mut dyn Read, executable: bool) -> Result<(), Fault> {
        let path = self.place(name)?;
        let mut file = File::create_new(&path).at("create", &path).map_err(Fault::Store)?;
        io::copy(content, &mut file).map_err(|error| match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Fault::Store(crate::Error::Io { operation: "write", path: path.clone(), source: error })
            }
            _ => refused(name, format!("it is damaged ({error})")),
        })?;
        let mode = if executable { 0o755 } else { 0o644 };
        file.set_permissions(Permissions::from_mode(mode)).at("set the mode of", &path).map_err(Fault::Store)
    }

    /// Notes a symlink.
    pub(super) fn symlink(&mut self, name: &str, target: &str) -> Result<(), Fault> {
        self.place(name)?;
        if target.is_empty() || target.contains('\0') {
            return Err(refused(name, "it is a link to no name"));
        }
        self.links.insert(plain(name)?, target.to_owned());
        Ok(())
    }

    /// A hardlink is a copy of a file before it.
    pub(super) fn hardlink(&mut self, name: &str, target: &str) -> Result<(), Fault> {
        let source = plain(target)?;
        if plain(name)? == source {
            return Ok(());
        }
        let path = self.place(name)?;
        self.clear_of_links(&source)?;
        let from = self.root.join(&source);
        if !fs::symlink_metadata(&from).is_ok_and(|metadata| metadata.is_file()) {
            return Err(refused(name, format!("it is a hardlink to {target:?}, which is no file before it")));
        }
        fs::copy(&from, &path).map(drop).at("write", &path).map_err(Fault::Store)
    }

    /// Makes the links.
    pub(super) fn finish(self) -> Result<(), Fault> {
        for (path, target) in &self.links {
            if !stays_inside(path, |path| self.links.get(path).map(String::as_str)) {
                return Err(refused(path, format!("it is a link that leads out of the tree, to {target:?}")));
            }
        }
        for (path, target) in &self.links {
            let link = self.root.join(path);
            symlink(target, &link).at("create link", &link).map_err(Fault::Store)?;
        }
        Ok(())
    }

    /// Where a member goes: its directory is there, and nothing has its name.
    fn place(&mut self, name: &str) -> Result<PathBuf, Fault> {
        let relative = plain(name)?;
        if relative.is_empty() {
            return Err(refused(name, "it has no name"));
        }
        self.clear_of_links(relative.rsplit_once('/').map_or("", |(parent, _)| parent))?;
        self.links.remove(&relative);
        let path = self.root.join(&relative);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|_| refused(name, "its parent directory is also a file"))?;
        }
        match fs::symlink_metadata(&path) {
            Ok(there) if there.is_dir() => Err(refused(name, "a directory has its name")),
            Ok(_) => fs::remove_file(&path).at("remove", &path).map_err(Fault::Store).map(|()| path),
            Err(_) => Ok(path),
        }
    }

    /// Refuses a path that leads through a link of the archive.
    fn clear_of_links(&self, path: &str) -> Result<(), Fault> {
        let ends = path.match_indices('/').map(|(end, _)| end).chain([path.len()]);
        for end in ends {
            if self.links.contains_key(&path[..end]) {
                return Err(refused(path, "it lies behind a link"));
            }
        }
        Ok(())
    }
}

fn refused(member: &str, reason: impl Into<String>) -> Fault {
    Fault::Refused { member: Some(member.to_owned()), reason: reason.into() }
}

/// A member's plain relative path, without `.` components; empty for the root itself.
fn plain(name: &str) -> Result<String, Fault> {
    if name.starts_with('/') {
        return Err(refused(name, "its name is an absolute path"));
    }
    let names: Vec<&str> = name.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    if names.contains(&"..") {
        return Err(refused(name, "its name leads out of the archive"));
    }
    if name.chars().any(char::is_control) || name.contains(char::REPLACEMENT_CHARACTER) {
        return Err(refused(name, "its name is no plain text"));
    }
    Ok(names.join("/"))
}
