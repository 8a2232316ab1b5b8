//! Trials of a search: a program that only imports, run in a view. What came of one is remembered, since neither changes.

use super::{RunView, asked};
use omnipkg_store::{Digest, Layout};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// An import that takes longer waits for something.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whether a program ends well in a view.
pub fn passes(home: &Path, view: &RunView, program: &str) -> bool {
    let key = Digest::of(format!("{}\n{program}", view.id).as_bytes()).to_hex();
    let known = Layout::new(home).cache().join("trials").join(key);
    match fs::read(&known).as_deref() {
        Ok(b"passes") => return true,
        Ok(b"fails") => return false,
        _ => {}
    }
    let mut command = Command::new(view.path.join("bin/python"));
    // Nothing of the user's is imported: the working directory has modules of any name.
    let program = format!("import sys\nsys.path[:1] = []\n{program}");
    command.args(["-E", "-s", "-c", &program]).current_dir("/");
    let code = asked::status(command, PATIENCE).and_then(|status| status.code());
    let Some(code) = code else { return false };
    let passes = code == 0;
    // Best effort: it would only be tried again. What did not end by itself says nothing for another time.
    let _ = known.parent().map(fs::create_dir_all);
    let _ = fs::write(&known, if passes { "passes" } else { "fails" });
    passes
}
