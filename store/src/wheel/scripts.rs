//! Relocatable scripts: files that are both `sh` and Python, and find `python` beside themselves.
//!
//! They name no path, so that one object serves every view. Nothing is forked in the common case: `sh`
//! replaces itself by Python. If the script was reached by a symlink from elsewhere, or by no path at all,
//! its real place is looked up first.

use super::entry_points::EntryPoint;

/// To `sh`: a no-op, then the start of Python. To Python: a string that is thrown away. `sh` never gets
/// to the closing quotes.
const LAUNCHER: &str = r#"#!/bin/sh
''':'
bin=${0%/*}
if [ -L "$0" ] || [ ! -e "$bin/../pyvenv.cfg" ]; then
    bin=$(realpath -- "$0") && bin=${bin%/*}
fi
exec "$bin/python" "$0" "$@"
'''
"#;

/// The same in one line that is a comment to Python, for scripts that cannot have a string before them.
/// Short, since older kernels read 127 bytes; costs a fork, and an `env` that knows `-S` (coreutils ≥ 8.30).
const LAUNCHER_LINE: &str = r#"#!/usr/bin/env -S sh -c 'bin=$(realpath -- "$0"); exec "${bin%/*}/python" "$0" "$@"'
"#;

/// The script of an entry point: what pip's does, wherever it lies.
pub(super) fn entry_point(entry: &EntryPoint) -> Vec<u8> {
    let EntryPoint { module, attribute, .. } = entry;
    let import = attribute.split('.').next().unwrap_or(attribute);
    format!(
        "{LAUNCHER}import sys\nfrom {module} import {import}\nif __name__ == \"__main__\":\n    sys.exit({attribute}())\n"
    )
    .into_bytes()
}

/// A wheel's own script: with a first line `#!python` or `#!pythonw` (PEP 427) it becomes relocatable,
/// any other is kept as it is.
pub(super) fn relocate(script: Vec<u8>) -> Vec<u8> {
    let end = script.iter().position(|byte| *byte == b'\n').map_or(script.len(), |newline| newline + 1);
    let (first, body) = script.split_at(end);
    if !first.starts_with(b"#!python") {
        return script;
    }
    let launcher = if needs_first_place(body) { LAUNCHER_LINE } else { LAUNCHER };
    [launcher.as_bytes(), body].concat()
}

/// True if something in a script counts only, or has its meaning only, if nothing but a comment is
/// before it: the docstring, `from __future__`, an encoding.
fn needs_first_place(body: &[u8]) -> bool {
    let contains = |text: &[u8], word: &[u8]| text.windows(word.len()).any(|window| window == word);
    let second_line = body.split(|byte| *byte == b'\n').next().unwrap_or_default();
    contains(body, b"__doc__") || contains(body, b"__future__") || contains(second_line, b"coding")
}

#[cfg(test)]
#[path = "scripts_tests.rs"]
mod tests;
