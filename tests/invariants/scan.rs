//! Reads the tree: its files, and Rust source with comments and literals blanked out.

use std::fs;
use std::path::PathBuf;

/// The workspace's root. The variable at run time wins, so that a moved test binary reads the tree it is run for.
pub fn root() -> PathBuf {
    let tests = std::env::var_os("CARGO_MANIFEST_DIR").map_or(PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    tests.parent().expect("the tests lie in the workspace").to_owned()
}

/// A text file of the tree.
pub struct Source {
    /// Relative to the root, with `/`.
    pub path: String,
    pub text: String,
}

impl Source {
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// The file's top-level folder: its crate.
    pub fn folder(&self) -> &str {
        self.path.split('/').next().unwrap_or_default()
    }
}

/// Every text file below the root, sorted; not what is built, locked, licensed or hidden (but for `.ci`).
pub fn files() -> Vec<Source> {
    let root = root();
    let mut files = Vec::new();
    let mut directories = vec![root.clone()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).unwrap().map(Result::unwrap) {
            let name = entry.file_name().into_string().unwrap();
            let skipped = name.starts_with('.') && name != ".ci" || name.starts_with("LICENSE");
            if skipped || ["target", "__pycache__", "Cargo.lock"].contains(&name.as_str()) {
                continue;
            }
            if entry.file_type().unwrap().is_dir() {
                directories.push(entry.path());
            } else if let Ok(text) = fs::read_to_string(entry.path()) {
                let path = entry.path().strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                files.push(Source { path, text });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// The Rust sources among [`files`].
pub fn rust() -> Vec<Source> {
    let mut files = files();
    files.retain(|file| file.path.ends_with(".rs"));
    assert!(files.len() > 20, "the scan found only {} Rust files: it looks in the wrong place", files.len());
    files
}

/// `source` with the inside of comments and of string and character literals replaced by blanks; lines stay.
pub fn code_only(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let after_word = code.ends_with(is_word);
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if let Some(length) = (!after_word).then(|| literal(rest)).flatten() {
            length
        } else {
            code.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        };
        code.extend(rest[..length].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        rest = &rest[length..];
    }
    code
}

/// Block comments nest.
fn block_comment(text: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of the string or character literal that `text` starts with, prefix included.
fn literal(text: &str) -> Option<usize> {
    let prefix = text.find(|c: char| !matches!(c, 'b' | 'c' | 'r')).filter(|length| *length <= 2)?;
    let hashes = text[prefix..].len() - text[prefix..].trim_start_matches('#').len();
    let quoted = &text[prefix + hashes..];
    if text[..prefix].ends_with('r') && quoted.starts_with('"') {
        let end = format!("\"{}", "#".repeat(hashes));
        let close = quoted[1..].find(&end).map_or(quoted.len(), |close| 1 + close + end.len());
        return Some(prefix + hashes + close);
    }
    match quoted.chars().next() {
        _ if hashes > 0 => None,
        Some('"') => Some(prefix + closing(quoted, '"')),
        Some('\'') if is_character(quoted) => Some(prefix + closing(quoted, '\'')),
        _ => None,
    }
}

/// Tells `'a'` and `'\n'` from the lifetime `'a`.
fn is_character(quoted: &str) -> bool {
    let mut characters = quoted.chars().skip(1);
    characters.next() == Some('\\') || characters.next() == Some('\'')
}

fn closing(quoted: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in quoted.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return at + character.len_utf8(),
            _ => {}
        }
    }
    quoted.len()
}

pub fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// The lines (from 1) and places at which `word` stands alone in blanked `code`.
pub fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = (usize, usize)> + 'a {
    code.match_indices(word).filter_map(move |(at, _)| {
        let alone = !code[..at].ends_with(is_word) && !code[at + word.len()..].starts_with(is_word);
        alone.then(|| (code[..at].matches('\n').count() + 1, at))
    })
}

/// The lines of blanked `code` that name the crate `name` in a path or a `use`.
pub fn names_crate(code: &str, name: &str) -> Vec<usize> {
    let named = words(code, name).filter(|(_, at)| {
        let before = code[..*at].trim_end();
        let own = before.ends_with("::") && !is_leading_colons(before) || before.ends_with('.');
        let imported = ["use", "crate"].iter().any(|word| before.ends_with(word));
        !own && (imported || code[at + name.len()..].trim_start().starts_with("::"))
    });
    named.map(|(line, _)| line).collect()
}

/// `::name` begins a path of its own; in `a::name` and `<T>::name` it goes on with another.
fn is_leading_colons(before: &str) -> bool {
    !before.trim_end_matches("::").ends_with(|c| is_word(c) || c == '>')
}

#[test]
fn comments_and_literals_are_blanked_and_nothing_else() {
    let source = "a /* b /* c */ \" */ d // e\n\"f \\\" g\" r#\"h \" i\"# 'j' '\\'' b\"k\" &'l str; br\"m\" n";
    let code = code_only(source);
    let left: Vec<&str> = code.split_whitespace().collect();
    assert_eq!(left, ["a", "d", "&'l", "str;", "n"]);
    assert_eq!(code.matches('\n').count(), 1);
}

#[test]
fn a_crate_is_named_by_a_path_or_a_use() {
    for code in ["use zip;", "use zip::A;", "zip::A", "::zip::A", "pub use zip as z;", "extern crate zip;"] {
        assert_eq!(names_crate(code, "zip"), [1], "{code}");
    }
    for code in ["a.zip(b)", "crate::zip::A", "self::zip::A", "unzip::A", "let zip = 1;", "std::iter::zip(a, b)"] {
        assert!(names_crate(code, "zip").is_empty(), "{code}");
    }
}
