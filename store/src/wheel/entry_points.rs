//! `entry_points.txt`: the console and GUI scripts that a wheel asks for.

use super::error::Fault;
use super::metadata::one_line;

/// Whether a script is started in a terminal or from a desktop; on Linux both are made alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryPointKind {
    /// From `[console_scripts]`.
    Console,
    /// From `[gui_scripts]`.
    Gui,
}

/// A script that calls `module:attribute`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct EntryPoint {
    /// Console or GUI.
    pub kind: EntryPointKind,
    /// File name of the script in `bin/`.
    pub name: String,
    /// Dotted module to import.
    pub module: String,
    /// Dotted path of the callable in the module.
    pub attribute: String,
    /// Extras that the script says it needs; not checked, as in pip.
    pub extras: Vec<String>,
}

/// Parses `entry_points.txt`; sections other than the two of scripts are skipped. Sorted.
///
/// # Errors
/// [`Fault::Metadata`] if a script's name is not a file name, or it does not name a callable.
pub(super) fn parse(bytes: &[u8]) -> Result<Vec<EntryPoint>, Fault> {
    let text = String::from_utf8_lossy(bytes);
    let mut kind = None;
    let mut found: Vec<EntryPoint> = Vec::new();
    for line in text.lines().map(one_line) {
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(section) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            kind = match section.trim() {
                "console_scripts" => Some(EntryPointKind::Console),
                "gui_scripts" => Some(EntryPointKind::Gui),
                _ => None,
            };
            continue;
        }
        let Some(kind) = kind else { continue };
        let entry = parse_line(kind, &line)
            .ok_or_else(|| Fault::metadata("entry_points.txt", format!("{line:?} is not a valid script")))?;
        found.push(entry);
    }
    found.sort();
    found.dedup();
    if let Some(pair) = found.windows(2).find(|pair| pair[0].name == pair[1].name && pair[0].kind == pair[1].kind) {
        return Err(Fault::metadata("entry_points.txt", format!("the script {:?} is there twice", pair[0].name)));
    }
    Ok(found)
}

fn parse_line(kind: EntryPointKind, line: &str) -> Option<EntryPoint> {
    let (name, target) = line.split_once('=')?;
    let (name, target) = (name.trim(), target.trim());
    if !is_script_name(name) {
        return None;
    }
    let (object, extras) = match target.split_once('[') {
        Some((object, extras)) => (object.trim(), extras.strip_suffix(']')?),
        None => (target, ""),
    };
    let (module, attribute) = object.split_once(':')?;
    let (module, attribute) = (module.trim(), attribute.trim());
    if !is_dotted_name(module) || !is_dotted_name(attribute) {
        return None;
    }
    let extras = extras.split(',').map(str::trim).filter(|extra| !extra.is_empty()).map(str::to_owned).collect();
    Some(EntryPoint { kind, name: name.to_owned(), module: module.to_owned(), attribute: attribute.to_owned(), extras })
}

/// A script's name becomes a file name.
pub(super) fn is_script_name(name: &str) -> bool {
    !name.contains('/') && super::archive::check_path(name).is_ok()
}

/// Identifiers joined by dots. Checked, since both go into Python source.
pub(super) fn is_dotted_name(text: &str) -> bool {
    text.split('.').all(is_identifier)
}

/// A Python identifier, or near enough: a letter or `_`, then letters, digits and `_`.
pub(super) fn is_identifier(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|first| first == '_' || first.is_alphabetic())
        && chars.all(|char| char == '_' || char.is_alphanumeric())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_scripts_are_read() {
        let text = b"# c\n[console_scripts]\nb = pkg.mod : main.run [x, y]\na=pkg:main\n\n[other]\nz = what ever\n[gui_scripts]\ng = pkg:gui\n";
        let found = parse(text).unwrap();
        assert_eq!(found.iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>(), ["a", "b", "g"]);
        assert_eq!((found[1].module.as_str(), found[1].attribute.as_str()), ("pkg.mod", "main.run"));
        assert_eq!(found[1].extras, ["x", "y"]);
        assert_eq!(found[2].kind, EntryPointKind::Gui);
    }

    #[test]
    fn what_is_no_script_is_refused() {
        for bad in [
            "../x = a:b",
            "a/b = a:b",
            ".. = a:b",
            "x = a",
            "x = a:",
            "x = a:b;import os",
            "x",
            "x = a:b [e",
            " = a:b",
            "x = a:b\nx = a:c",
            "x = a b:c",
            "x = 1a:b",
        ] {
            assert!(parse(format!("[console_scripts]\n{bad}\n").as_bytes()).is_err(), "{bad}");
        }
    }
}
