//! Strict parsing of the canonical text: lines in their order, sorted, checked, nothing left over.

use super::{
    FORMAT, ParseManifestError, SCHEMES, WheelFile, WheelManifest, file_that_is_a_parent, one_line, script_key,
    script_value,
};
use crate::digest::Digest;
use crate::tags::WheelFilename;
use crate::wheel::archive::check_path;
use crate::wheel::entry_points::{EntryPoint, EntryPointKind, is_dotted_name, is_script_name};
use std::str::FromStr;

type Parsed<T> = Result<T, ParseManifestError>;

fn error(reason: impl Into<String>) -> ParseManifestError {
    ParseManifestError { reason: reason.into() }
}

/// `checksum `, 64 digits, newline.
const CHECKSUM_LINE: usize = 9 + 64 + 1;

pub(super) fn parse(bytes: &[u8]) -> Parsed<WheelManifest> {
    let mut lines = Lines(checked_text(bytes)?);
    if lines.next() != Some(FORMAT) {
        return Err(error("it is of another format version"));
    }
    let filename = lines.required("filename ")?.to_owned();
    let parsed = WheelFilename::parse(&filename).map_err(|fault| error(fault.to_string()))?;
    let display_name = lines.required("display-name ")?.to_owned();
    let requires_python = lines.optional("requires-python ").map(str::to_owned);
    let requires_dist = lines.many("requires-dist ");
    let provides_extra = lines.many("provides-extra ");
    let mut entry_points = Vec::new();
    for kind in [EntryPointKind::Console, EntryPointKind::Gui] {
        while let Some(value) = lines.optional(&format!("{} ", script_key(kind))) {
            entry_points.push(parse_script(kind, value).ok_or_else(|| error("a script line is malformed"))?);
        }
    }
    let import_names = lines.many("import ");
    let warnings = lines.many("warning ");
    let files = parse_files(&mut lines)?;
    Ok(WheelManifest {
        filename,
        name: parsed.name,
        display_name,
        version: parsed.version,
        tags: parsed.tags,
        requires_python,
        requires_dist,
        provides_extra,
        entry_points,
        import_names,
        warnings,
        files,
    })
}

/// The text before the checksum, which must fit.
fn checked_text(bytes: &[u8]) -> Parsed<&str> {
    let split = bytes.len().checked_sub(CHECKSUM_LINE).ok_or_else(|| error("it is cut off"))?;
    let (content, checksum) = bytes.split_at(split);
    if checksum != format!("checksum {}\n", Digest::of(content)).as_bytes() {
        return Err(error("its checksum does not fit"));
    }
    std::str::from_utf8(content).map_err(|_| error("it is not UTF-8"))
}

/// The unread lines, each of which must end in a newline.
struct Lines<'text>(&'text str);

impl<'text> Lines<'text> {
    fn peek(&self) -> Option<(&'text str, &'text str)> {
        self.0.split_once('\n')
    }

    fn next(&mut self) -> Option<&'text str> {
        let (line, rest) = self.peek()?;
        self.0 = rest;
        Some(line)
    }

    /// The value of the next line if it has this key and the value is one that is written.
    fn optional(&mut self, key: &str) -> Option<&'text str> {
        let (line, rest) = self.peek()?;
        let value = line.strip_prefix(key).filter(|value| one_line(value) == *value)?;
        self.0 = rest;
        Some(value)
    }

    fn required(&mut self, key: &str) -> Parsed<&'text str> {
        self.optional(key).ok_or_else(|| error(format!("the line {:?} is missing", key.trim_end())))
    }

    fn many(&mut self, key: &str) -> Vec<String> {
        std::iter::from_fn(|| self.optional(key)).map(str::to_owned).collect()
    }
}

fn parse_script(kind: EntryPointKind, value: &str) -> Option<EntryPoint> {
    let (target, name) = value.split_once("] ")?;
    let (object, extras) = target.split_once('[')?;
    let (module, attribute) = object.split_once(':')?;
    if !is_dotted_name(module) || !is_dotted_name(attribute) || !is_script_name(name) {
        return None;
    }
    let extras = extras.split(',').filter(|extra| !extra.is_empty()).map(str::to_owned).collect();
    let (name, module, attribute) = (name.to_owned(), module.to_owned(), attribute.to_owned());
    let entry = EntryPoint { kind, name, module, attribute, extras };
    (script_value(&entry) == value).then_some(entry)
}

fn parse_files(lines: &mut Lines<'_>) -> Parsed<Vec<WheelFile>> {
    let count = number(lines.required("files ")?).ok_or_else(|| error("the number of files is malformed"))?;
    // Each line has at least 64 digits, so the text itself bounds what is allocated.
    let mut files: Vec<WheelFile> = Vec::with_capacity(lines.0.len() / 72);
    while let Some(line) = lines.next() {
        let file = parse_file(line)?;
        if files.last().is_some_and(|last| last.path >= file.path) {
            return Err(error(format!("{:?} is not in its place", file.path)));
        }
        files.push(file);
    }
    if !lines.0.is_empty() || files.len() as u64 != count {
        return Err(error("it does not have as many files as it says"));
    }
    if let Some(path) = file_that_is_a_parent(&files) {
        return Err(error(format!("{path:?} is a file and a directory at once")));
    }
    Ok(files)
}

/// Digits as they are written: no sign, no leading zero.
fn number(text: &str) -> Option<u64> {
    let canonical = text == "0" || (text.starts_with(|first: char| first.is_ascii_digit()) && !text.starts_with('0'));
    if canonical { text.parse().ok() } else { None }
}

fn parse_file(line: &str) -> Parsed<WheelFile> {
    let malformed = || error("a file line is malformed");
    let mut parts = line.splitn(4, ' ');
    let mut part = || parts.next().ok_or_else(malformed);
    let digest = Digest::from_str(part()?).map_err(|_| malformed())?;
    let size = number(part()?).ok_or_else(malformed)?;
    let executable = match part()? {
        "x" => true,
        "-" => false,
        _ => return Err(malformed()),
    };
    let path = part()?;
    check_path(path).map_err(|reason| error(format!("{path:?}: {reason}")))?;
    match path.split_once('/') {
        Some((scheme, _)) if SCHEMES.contains(&scheme) => {}
        _ => return Err(error(format!("{path:?} has an unknown scheme"))),
    }
    Ok(WheelFile { digest, size, executable, path: path.to_owned() })
}
