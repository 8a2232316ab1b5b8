//! Locks as texts: canonical `pylock.toml`, and pinned requirements with hashes.

use super::LOCK_VERSION;
use anyhow::{Result, bail};
use omnipkg_resolver::{Lock, LockedWheel};
use omnipkg_store::Sha256;
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
    for wheel in &lock.wheels {
        writeln!(text, "{}=={} --hash=sha256:{}", wheel.name, wheel.version, hash(wheel)?)?;
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
    let mut file = format!("name = {}, {}", quoted(&wheel.filename), place(&wheel.url));
    if let Some(size) = wheel.size {
        write!(file, ", size = {size}")?;
    }
    writeln!(text, "wheels = [{{ {file}, hashes = {{ sha256 = {} }} }}]", quoted(&hash(wheel)?.to_hex()))?;
    Ok(())
}

/// True if it says where its project is, which may be a path of this machine or hold a secret.
fn names_a_place(requirement: &Requirement) -> bool {
    matches!(requirement.version_or_url, Some(VersionOrUrl::Url(_)))
}

/// Where an archive is: a local one by its path.
fn place(url: &Url) -> String {
    match url.to_file_path() {
        Ok(path) if url.scheme() == "file" => format!("path = {}", quoted(&path.to_string_lossy())),
        _ => format!("url = {}", quoted(bare(url.clone()).as_str())),
    }
}

/// Without credentials, and without a fragment, which says nothing that the entry does not.
fn bare(url: Url) -> Url {
    let mut url = crate::index_settings::without_login(url);
    url.set_fragment(None);
    url
}

fn hash(wheel: &LockedWheel) -> Result<Sha256> {
    match wheel.sha256 {
        Some(sha256) => Ok(sha256),
        None => bail!("the index gives no hash for {}: install it, then `omnipkg export`", wheel.filename),
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
