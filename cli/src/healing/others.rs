//! Reports that are not answered while the program waits: those of Pythons that it started, which leave them in a folder,
//! and what a program noted that ended itself. Both are looked at only when a program has failed.

use super::asked;
use nix::fcntl::OFlag;
use omnipkg_healer::Report;
use omnipkg_healer::report::MAX_BYTES;
use omnipkg_store::Layout;
use std::ffi::OsString;
use std::fs;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// The variable by which a started Python knows where to leave a report: the process that runs the program, and a folder.
pub const FAILURES: &str = "OMNIPKG_FAILURES";
/// More are not read: the first ones tell what there is to tell.
const MOST: usize = 16;
/// Each of these costs a start of Python.
const MOST_MISSES: usize = 4;
/// What a message begins with that tells which modules were not found.
pub const MISSES: &[u8] = b"misses\n";

/// Where the Pythons that a program starts leave their reports. The folder is made by the first of them.
pub struct Others {
    folder: PathBuf,
}

impl Others {
    /// A folder of this run's own.
    pub fn new(home: &Path) -> Self {
        static RUNS: AtomicU32 = AtomicU32::new(0);
        let name = format!("failures-{}-{}", std::process::id(), RUNS.fetch_add(1, Ordering::Relaxed));
        Self { folder: Layout::new(home).run().join(name) }
    }

    /// The value of [`FAILURES`].
    pub fn variable(&self) -> OsString {
        let mut value = OsString::from(format!("{}:", std::process::id()));
        value.push(&self.folder);
        value
    }

    /// The reports that are there, oldest first; they are gone then. What cannot be read is left out: a program may have
    /// written there too. `view` is the one that the program ran in.
    pub fn take(&self, view: &Path) -> Vec<Report> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut found: Vec<_> = entries
            .filter(|entry| entry.path().extension().is_none() && entry.file_type().is_ok_and(|kind| kind.is_file()))
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
            .collect();
        found.sort();
        let mut misses: Vec<Vec<u8>> = Vec::new();
        let reports = found.iter().take(MOST).filter_map(|(_, path)| {
            let mut bytes = Vec::new();
            // The program may put there what it likes, a pipe among others.
            let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
            let file = fs::OpenOptions::new().read(true).custom_flags(flags.bits()).open(path).ok()?;
            file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).ok()?;
            if !bytes.starts_with(MISSES) {
                return Report::from_json(&bytes).ok();
            }
            // Workers that were forked alike miss the same.
            let is_new = !misses.contains(&bytes) && misses.len() < MOST_MISSES;
            let report = is_new.then(|| left(view, &bytes)).flatten();
            misses.push(bytes);
            report
        });
        let reports = reports.collect();
        self.clear();
        reports
    }

    fn clear(&self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Drop for Others {
    fn drop(&mut self) {
        self.clear();
    }
}

/// The report of a program that did not find modules and ended itself, if one of them was why: its view's Python reads the
/// files in which they were imported.
pub fn left(view: &Path, misses: &[u8]) -> Option<Report> {
    // Not from the working directory, which may have modules of any name.
    const READ: &str = "import sys; sys.path[:1] = []; from omnipkg import _left; _left.main()";
    let mut command = Command::new(view.join("bin/python"));
    command.args(["-E", "-s", "-B", "-c", READ]);
    let output = asked::output(command, misses)?;
    Report::from_json(&output).ok()
}
