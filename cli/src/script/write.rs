//! Writing a PEP 723 block into a script: what it was healed with stands in it then, for every tool that reads such blocks.
//!
//! What must stay true: nothing of the script changes but the block; the file is replaced whole or not at all, and only if
//! what was written reads as what was meant.

use super::parse_block;
use anyhow::{Context, Result, bail};
use pep508_rs::Requirement;
use std::fs;
use std::io::Write;
use std::path::Path;

const BOM: &[u8] = b"\xef\xbb\xbf";

/// Writes `dependencies` and `requires-python` into a script's block, a new one if it has none.
///
/// # Errors
/// If the script cannot be read or replaced, or has a block that cannot be changed line by line.
pub fn write_block(script: &Path, dependencies: &[Requirement], requires_python: &str) -> Result<()> {
    let path = script.canonicalize().with_context(|| format!("cannot find the script {}", script.display()))?;
    let bytes = fs::read(&path).with_context(|| format!("cannot read the script {}", script.display()))?;
    let written = with_block(&bytes, dependencies, requires_python)
        .with_context(|| format!("cannot write a PEP 723 block into {}", script.display()))?;
    let replace = || -> std::io::Result<()> {
        let permissions = fs::metadata(&path)?.permissions();
        let mut file = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(&path))?;
        file.write_all(&written)?;
        file.as_file().set_permissions(permissions)?;
        file.as_file().sync_all()?;
        file.persist(&path).map(drop).map_err(|error| error.error)
    };
    replace().with_context(|| format!("cannot write {}", script.display()))
}

/// The script's bytes with the block.
fn with_block(bytes: &[u8], dependencies: &[Requirement], requires_python: &str) -> Result<Vec<u8>> {
    if bytes.contains(&0) {
        bail!("it is no text");
    }
    let end = if bytes.windows(2).any(|pair| pair == b"\r\n") { "\r\n" } else { "\n" };
    let mut own = format!("# requires-python = {}{end}", quoted(requires_python));
    own.push_str(&format!("# dependencies = [{end}"));
    for dependency in dependencies {
        own.push_str(&format!("#     {},{end}", quoted(&dependency.to_string())));
    }
    own.push_str(&format!("# ]{end}"));
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let start = lines.iter().position(|line| line.trim_ascii_end() == b"# /// script");
    let written = match start {
        Some(start) => {
            let length = lines[start + 1..].iter().position(|line| line.trim_ascii_end() == b"# ///");
            let close = start + 1 + length.context("its block does not end")?;
            let kept = without_own(&lines[start + 1..close])?;
            [lines[..=start].concat(), own.into_bytes(), kept.concat(), lines[close..].concat()].concat()
        }
        None => {
            let head = head(&lines);
            let block = format!("# /// script{end}{own}# ///{end}{end}");
            let rest = lines[head..].concat();
            // A mark of the byte order stays the first thing, and a block behind it on its line is none. A first line without
            // an end would run into the block.
            let (mark, rest) = match rest.strip_prefix(BOM) {
                Some(rest) if head == 0 => ([BOM, end.as_bytes()].concat(), rest.to_vec()),
                _ => (Vec::new(), rest),
            };
            let before = lines[..head].concat();
            let gap = if before.is_empty() || before.ends_with(b"\n") { "" } else { end };
            [mark, before, gap.into(), block.into_bytes(), rest].concat()
        }
    };
    let read = parse_block(&written)?.context("the block that was written cannot be found")?;
    if read.dependencies != dependencies {
        bail!("the block that was written reads otherwise");
    }
    Ok(written)
}

/// How many lines must stay the first ones: `#!`, and what says the encoding (PEP 263) with what stands before it.
fn head(lines: &[&[u8]]) -> usize {
    let first = lines.first().map(|line| line.strip_prefix(BOM).unwrap_or(line)).unwrap_or_default();
    let is_comment = first.trim_ascii().is_empty() || first.starts_with(b"#");
    match lines.get(1) {
        Some(second) if is_comment && is_encoding(second) => 2,
        _ => usize::from(first.starts_with(b"#!") || is_encoding(first)),
    }
}

/// The lines of a block without its own `dependencies` and `requires-python`.
fn without_own<'a>(lines: &[&'a [u8]]) -> Result<Vec<&'a [u8]>> {
    let mut kept = Vec::new();
    let mut open = 0;
    let mut in_table = false;
    for line in lines {
        let text = std::str::from_utf8(line).context("its block is not UTF-8")?;
        let toml = text.strip_prefix('#').unwrap_or(text).trim();
        if open > 0 {
            open += brackets(toml);
            continue;
        }
        in_table |= toml.starts_with('[');
        let key = toml.split('=').next().unwrap_or_default().trim().trim_matches(['"', '\'']);
        if !in_table && matches!(key, "dependencies" | "requires-python") && toml.contains('=') {
            open = brackets(toml);
            continue;
        }
        kept.push(*line);
    }
    Ok(kept)
}

/// How many brackets a line opens and does not close, outside of strings and comments.
fn brackets(toml: &str) -> i32 {
    let (mut open, mut string) = (0, None);
    for letter in toml.chars() {
        match (string, letter) {
            (None, '"' | '\'') => string = Some(letter),
            (Some(quote), letter) if letter == quote => string = None,
            (Some(_), _) => {}
            (None, '#') => break,
            (None, '[') => open += 1,
            (None, ']') => open -= 1,
            (None, _) => {}
        }
    }
    open
}

/// A basic string of TOML; control characters are in no requirement.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// PEP 263.
fn is_encoding(line: &[u8]) -> bool {
    let text = String::from_utf8_lossy(line);
    text.starts_with('#') && text.split_once("coding").is_some_and(|(_, rest)| rest.starts_with([':', '=']))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    fn written(script: &str, dependencies: &[&str]) -> String {
        let dependencies: Vec<Requirement> = dependencies.iter().map(|text| text.parse().unwrap()).collect();
        String::from_utf8(with_block(script.as_bytes(), &dependencies, ">=3.11").unwrap()).unwrap()
    }

    const BLOCK: &str =
        "# /// script\n# requires-python = \">=3.11\"\n# dependencies = [\n#     \"rich==13.4.2\",\n# ]\n# ///\n";

    #[test]
    fn a_new_block_stands_behind_the_first_lines() {
        assert_eq!(written("import rich\n", &["rich==13.4.2"]), format!("{BLOCK}\nimport rich\n"));
        let head = "#!/usr/bin/env python3\n# -*- coding: utf-8 -*-\n";
        assert_eq!(written(&format!("{head}x\n"), &["rich==13.4.2"]), format!("{head}{BLOCK}\nx\n"));
        assert_eq!(written("#!python", &["rich==13.4.2"]), format!("#!python\n{BLOCK}\n"));
        assert_eq!(written("\u{feff}x\n", &["rich==13.4.2"]), format!("\u{feff}\n{BLOCK}\nx\n"));
        assert_eq!(written("\u{feff}#!python\nx\n", &["rich==13.4.2"]), format!("\u{feff}#!python\n{BLOCK}\nx\n"));
        let encoded = "# My tool\n# -*- coding: latin-1 -*-\n";
        assert_eq!(written(&format!("{encoded}x\n"), &["rich==13.4.2"]), format!("{encoded}{BLOCK}\nx\n"));
        assert!(written("import rich\r\n", &["rich"]).starts_with("# /// script\r\n# requires-python"));
    }

    #[test]
    fn an_old_block_keeps_what_else_it_says() {
        let old = "x\n# /// script\n# dependencies = [\n#   \"rich[a]\", # ]\n# ]\n# requires-python = '>=3.8'\n#\n\
                   # [tool.uv]\n# dependencies = 1\n# ///\ny\n";
        let new =
            format!("x\n{}#\n# [tool.uv]\n# dependencies = 1\n# ///\ny\n", BLOCK.strip_suffix("# ///\n").unwrap());
        assert_eq!(written(old, &["rich==13.4.2"]), new);
        assert_eq!(written(&new, &["rich==13.4.2"]), new, "writing it again changes nothing");
    }

    #[test]
    fn what_cannot_be_changed_is_an_error() {
        assert!(with_block(b"# /// script\n# x = 1\n", &[], "").is_err());
        assert!(with_block(b"\x6f\x0d\x00\x00", &[], "").is_err());
    }
}
