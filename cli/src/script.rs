//! Scripts: their bytes, and the requirements that they state themselves (PEP 723).

pub mod write;

use crate::commands::parse_requirement;
use anyhow::{Context, Result, anyhow, bail};
use omnipkg_store::Digest;
use pep440_rs::VersionSpecifiers;
use pep508_rs::Requirement;
use serde::Deserialize;
use std::fs;
use std::path::Path;
use std::str::FromStr;

/// A script that is about to run.
pub struct Script {
    /// Its bytes.
    pub source: Vec<u8>,
    /// Their digest.
    pub digest: Digest,
    /// Its PEP 723 block, if it has one.
    pub block: Option<Block>,
}

/// A PEP 723 `script` block.
#[derive(Debug, Clone, Default)]
pub struct Block {
    /// What it depends on.
    pub dependencies: Vec<Requirement>,
    /// Which Pythons it runs on.
    pub requires_python: Option<VersionSpecifiers>,
}

impl Script {
    /// Reads a script; `None` if the path is no regular file (a directory or a pipe that Python runs as well).
    pub fn read(path: &Path) -> Result<Option<Self>> {
        let metadata = fs::metadata(path).with_context(|| format!("cannot find the script {}", path.display()))?;
        if !metadata.is_file() {
            return Ok(None);
        }
        let bytes = fs::read(path).with_context(|| format!("cannot read the script {}", path.display()))?;
        let block = parse_block(&bytes).with_context(|| format!("the PEP 723 block of {}", path.display()))?;
        Ok(Some(Self { digest: Digest::of(&bytes), source: bytes, block }))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct RawBlock {
    #[serde(default)]
    dependencies: Vec<String>,
    requires_python: Option<String>,
}

/// Finds and reads the `# /// script` block, as the reference implementation of PEP 723 does.
fn parse_block(bytes: &[u8]) -> Result<Option<Block>> {
    // Nearly every script has none: found out without decoding it.
    if !bytes.windows(12).any(|window| window == b"# /// script") {
        return Ok(None);
    }
    let text = String::from_utf8_lossy(bytes);
    let Some(toml) = block_text(&text)? else { return Ok(None) };
    let raw: RawBlock = toml::from_str(&toml).map_err(|error| not_toml(&toml, &error))?;
    let mut block = Block::default();
    for text in &raw.dependencies {
        block.dependencies.push(parse_requirement(text)?);
    }
    if let Some(text) = &raw.requires_python {
        let specifiers = VersionSpecifiers::from_str(text).map_err(|error| not_specifiers(text, &error))?;
        block.requires_python = Some(specifiers);
    }
    Ok(Some(block))
}

fn not_specifiers(text: &str, error: &impl std::fmt::Display) -> anyhow::Error {
    let error = error.to_string();
    let reason = error.lines().next().unwrap_or_default().trim_end_matches(':');
    anyhow!("requires-python {text:?} is not valid: {reason}")
}

/// An error of the TOML parser in one line: the parser's own text is a drawing of many.
pub fn not_toml(text: &str, error: &toml::de::Error) -> anyhow::Error {
    let place = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    anyhow!("not valid TOML in its line {}: {}", place.matches('\n').count() + 1, error.message())
}

fn block_text(text: &str) -> Result<Option<String>> {
    let mut found = None;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim_end() != "# /// script" {
            continue;
        }
        if found.is_some() {
            bail!("there are two script blocks");
        }
        // The block ends at the last closing line of the run of comment lines.
        let comment: Vec<&str> = lines.clone().take_while(|line| *line == "#" || line.starts_with("# ")).collect();
        let Some(end) = comment.iter().rposition(|line| line.trim_end() == "# ///") else {
            bail!("the script block has no closing \"# ///\" line");
        };
        found = Some(comment[..end].iter().map(|line| line.get(2..).unwrap_or("")).collect::<Vec<_>>().join("\n"));
        lines.nth(end);
    }
    Ok(found)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_read_and_other_comments_are_not() {
        let text = "#!/usr/bin/env python\n# /// script\n# requires-python = \">=3.9\"\n# dependencies = [\n#   \"rich<14\",\n# ]\n# ///\nprint()\n";
        let block = parse_block(text.as_bytes()).unwrap().unwrap();
        assert_eq!(block.dependencies[0].to_string(), "rich<14");
        assert_eq!(block.requires_python.unwrap().to_string(), ">=3.9");
        assert!(parse_block(b"# /// other\n# ///\n").unwrap().is_none());
        assert!(parse_block(b"x = '# /// script'\n").unwrap().is_none());
    }

    #[test]
    fn broken_blocks_are_errors() {
        assert!(parse_block(b"# /// script\n# dependencies = []\nprint()\n").is_err());
        assert!(parse_block(b"# /// script\n# x = \n# ///\n").is_err());
        assert!(parse_block(b"# /// script\n# ///\n\n# /// script\n# ///\n").is_err());
        assert!(parse_block(b"# /// script\n# dependencies = ['a b c']\n# ///\n").is_err());
    }
}
