//! What was written, told on stderr: stdout belongs to the program.

use super::{Change, changes::Kind};
use crate::output;
use crate::settings::Settings;

/// More lines are only counted.
const LINES: usize = 10;

/// Tells what was written and is thrown away, if anything was.
pub fn show(settings: &Settings, changes: &[Change], keep: &str) {
    if tell(settings, changes, "not kept") {
        output::hint(&format!("{keep} keeps what is written"));
    }
}

/// Tells what a kept layer holds, if it holds anything.
pub fn show_kept(settings: &Settings, changes: &[Change], name: &str) {
    tell(settings, changes, &format!("kept as {name}"));
}

/// True if something was told in words. With `--json` it is one line of JSON, on stderr all the same.
fn tell(settings: &Settings, changes: &[Change], fate: &str) -> bool {
    if changes.is_empty() || settings.quiet {
        return false;
    }
    if settings.json {
        anstream::eprintln!("{}", serde_json::json!({ "schema": 1, "written": changes, "fate": fate }));
        return false;
    }
    output::talk(&format!("{}: {fate}", sum(changes)));
    changes.iter().take(LINES).for_each(|change| anstream::eprintln!("  {change}"));
    if changes.len() > LINES {
        anstream::eprintln!("  and {} more", changes.len() - LINES);
    }
    true
}

/// `3 paths written (1.2 kB), 1 deleted`.
pub fn sum(changes: &[Change]) -> String {
    let deleted = changes.iter().filter(|change| change.kind == Kind::Deleted).count();
    let written = changes.len() - deleted;
    let bytes = output::bytes(changes.iter().map(|change| change.size).sum());
    match (written, deleted) {
        (0, _) => format!("{} deleted", output::count(deleted, "path")),
        (_, 0) => format!("{} written ({bytes})", output::count(written, "path")),
        _ => format!("{} written ({bytes}), {deleted} deleted", output::count(written, "path")),
    }
}
