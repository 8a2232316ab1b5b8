//! Locks as texts: canonical `pylock.toml`, and pinned requirements with hashes.

use super::LOCK_VERSION;
use super::place::{Repository, bare, hash, requirement_of};
use anyhow::Result;
use omnipkg_resolver::{Lock, LockedWheel, Origin};
use omnipkg_store::interpreter::Facts;
use pep508_rs::{Requirement, VersionOrUrl};
use std::fmt::Write;
use url::Url;

/// The lock as `pylock.toml`, for interpreters of just this kind: its markers were evaluated for them.
///
/// What it answers goes along: an environment made of it can then be asked for the same.
pub fn pylock(lock: &Lock, asked: &[Requirement], facts: &Facts) -> Result<String> {
    let mut text = format!("lock-version = {}\n", quoted(LOCK_VERSION));
    writeln!(text, "environments = [{}]", quoted(&environment(facts)))?;
    writeln!(text, "requires-python = {}", quoted(&format!(">={}", facts.short_version())))?;
    writeln!(text, "created-by = \"omnipkg\"")?;
    if lock.wheels.is_empty() {
        writeln!(text, "packages = []")?;
    }
    for wheel in &lock.wheels {
        package(&mut text, wheel)?;
    }
    let mut asked: Vec<String> = asked.iter().filter(|one| !names_a_place(one)).map(ToString::to_string).collect();
    if !asked.is_empty() {
        asked.sort();
        let asked: Vec<String> = asked.iter().map(|one| quoted(one)).collect();
        writeln!(text, "\n[tool.omnipkg]\nrequirements = [{}]", asked.join(", "))?;
    }
    Ok(text)
}

/// The lock as lines of a requirements file: `name==version --hash=sha256:…`.
pub fn requirements(lock: &Lock) -> Result<String> {
    let mut text = String::new();
    for entry in &lock.wheels {
        let hash = hash(entry)?;
        // The hash stands behind it.
        let requirement = requirement_of(&LockedWheel { sha256: None, ..entry.clone() })?;
        writeln!(text, "{requirement} --hash=sha256:{hash}")?;
    }
    Ok(text)
}

/// The marker of interpreters for which the set is right.
fn environment(facts: &Facts) -> String {
    let names = ["implementation_name", "platform_machine", "python_version", "sys_platform"];
    let value = |name: &str| facts.markers.get(name).map_or("", String::as_str);
    names.map(|name| format!("{name} == '{}'", value(name))).join(" and ")
}

fn package(text: &mut String, wheel: &LockedWheel) -> Result<()> {
    writeln!(text, "\n[[packages]]\nname = {}", quoted(&wheel.name))?;
    writeln!(text, "version = {}", quoted(&wheel.version.to_string()))?;
    if let Some(index) = &wheel.index {
        writeln!(text, "index = {}", quoted(bare(index.clone()).as_str()))?;
    }
    if !wheel.requires.is_empty() {
        let names: Vec<String> = wheel.requires.iter().map(|name| format!("{{ name = {} }}", quoted(name))).collect();
        writeln!(text, "dependencies = [{}]", names.join(", "))?;
    }
    writeln!(text, "{}", source(wheel)?)?;
    Ok(())
}

/// What an entry is installed from.
fn source(entry: &LockedWheel) -> Result<String> {
    Ok(match &entry.origin {
        Origin::Index if entry.is_wheel() => format!("wheels = [{{ {} }}]", file(entry, true)?),
        Origin::Index => format!("sdist = {{ {} }}", file(entry, true)?),
        Origin::Archive { subdirectory } => {
            format!("archive = {{ {}{} }}", file(entry, false)?, folder(subdirectory.as_deref()))
        }
        Origin::Directory { editable } => {
            let editable = if *editable { ", editable = true" } else { "" };
            format!("directory = {{ {}{editable} }}", place(&entry.url))
        }
        Origin::Git { commit, subdirectory } => {
            let Repository { url, reference } = Repository::of(&entry.url)?;
            let asked = reference.filter(|reference| reference != commit);
            let asked = asked.map_or(String::new(), |asked| format!(", requested-revision = {}", quoted(&asked)));
            let folder = folder(subdirectory.as_deref());
            format!("vcs = {{ type = \"git\", {}{asked}, commit-id = {}{folder} }}", place(&url), quoted(commit))
        }
    })
}

/// What is known of an entry's archive.
fn file(entry: &LockedWheel, named: bool) -> Result<String> {
    let name = if named { format!("name = {}, ", quoted(&entry.filename)) } else { String::new() };
    let size = entry.size.map_or(String::new(), |size| format!(", size = {size}"));
    let hash = quoted(&hash(entry)?.to_hex());
    Ok(format!("{name}{}{size}, hashes = {{ sha256 = {hash} }}", place(&entry.url)))
}

fn folder(path: Option<&str>) -> String {
    path.map_or(String::new(), |path| format!(", subdirectory = {}", quoted(path)))
}

/// True if it says where its project is, which may be a path of this machine or hold a secret.
pub fn names_a_place(requirement: &Requirement) -> bool {
    matches!(requirement.version_or_url, Some(VersionOrUrl::Url(_)))
}

/// Where an archive is: a local one by its path.
fn place(url: &Url) -> String {
    match url.to_file_path() {
        Ok(path) if url.scheme() == "file" => format!("path = {}", quoted(&path.to_string_lossy())),
        _ => format!("url = {}", quoted(bare(url.clone()).as_str())),
    }
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            control if control.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(control))),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}
