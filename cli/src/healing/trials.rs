//! Trials of a search: a program that only imports, run in a view. What came of one is remembered, since neither changes.

use super::RunView;
use omnipkg_store::{Digest, Layout};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// Whether a program ends well in a view.
pub fn passes(home: &Path, view: &RunView, program: &str) -> bool {
    let key = Digest::of(format!("{}\n{program}", view.id).as_bytes()).to_hex();
    let known = Layout::new(home).cache().join("trials").join(key);
    if let Ok(outcome) = fs::read(&known) {
        return outcome == b"passes";
    }
    let mut command = Command::new(view.path.join("bin/python"));
    // Nothing of the user's is imported: the working directory has modules of any name.
    let program = format!("import sys\nsys.path[:1] = []\n{program}");
    command.args(["-E", "-s", "-c", &program]).current_dir("/");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let passes = command.status().is_ok_and(|status| status.success());
    // Best effort: it would only be tried again.
    let _ = known.parent().map(fs::create_dir_all);
    let _ = fs::write(&known, if passes { "passes" } else { "fails" });
    passes
}
