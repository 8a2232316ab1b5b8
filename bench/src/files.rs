//! Family 10: file operations on a view over the same on a plain directory with the same files, by the same Python.

use crate::fresh::unseen;
use crate::measure::{Contender, Sample, interleave};
use crate::prepare::{Bench, Kind};
use crate::rows::{Clock, Judged, Row, Sides};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

const VIEW: &str = "<view>";
const PLAIN: &str = "directory";

/// The rows, what `programs/files.py` calls each, and what it does.
const OPERATIONS: [(&str, &str, &str); 8] = [
    ("files-stat", "stat", "stat of each file, warm"),
    ("files-missing", "missing", "stat of names that are missing, warm"),
    ("files-open", "open", "open, read 4 KB and close, warm"),
    ("files-list", "list", "listing 1,000 names, warm"),
    ("files-walk", "walk", "walking all files and looking at each, warm"),
    ("files-read", "read", "reading the largest file, warm"),
    ("files-mmap", "mmap", "touching each page of the largest file, mapped, warm"),
    ("files-cold", "cold", "walking a view that was just made ÷ a warm directory"),
];

/// What is wanted of them.
pub fn measure(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let subject = bench.subject(Kind::Scientific)?;
    let program = bench.stage.script("files.py", include_str!("programs/files.py"))?;
    let plain = site_packages(&subject.plain)?;
    let view = site_packages(&subject.view.join("bin/python"))?;
    let mut rows = Vec::new();
    for (id, kind, what) in OPERATIONS.iter().filter(|(id, ..)| bench.only.wants(id)) {
        let run = |root: &Path| -> Result<Sample> {
            let mut command = bench.stage.command(bench.bare()?);
            Sample::timed_inside(&bench.stage.run(command.arg(&program).arg(kind).arg(root))?)
        };
        let of_view = || match *kind {
            "cold" => {
                let fresh = bench.stage.mount(&unseen(bench, subject)?, &["--offline"])?;
                run(&site_packages(&fresh.join("bin/python"))?)
            }
            _ => run(&view),
        };
        let contenders = vec![Contender::new(VIEW, of_view), Contender::new(PLAIN, || run(&plain))];
        let measured = interleave(contenders, bench.rounds)?;
        let sides = Sides { omnipkg: VIEW, plain: Some(PLAIN), peers: &[] };
        let what = format!("{what} ({})", subject.name);
        rows.push(Row::new(id, what, &measured, sides, (Judged::Ratio, Clock::Inside))?);
    }
    Ok(rows)
}

/// Where the distributions of an environment lie: `lib/python3.N/site-packages`.
fn site_packages(python: &Path) -> Result<PathBuf> {
    let root = python.parent().and_then(Path::parent).context("a Python without an environment")?;
    let lib = root.join("lib");
    let entries = std::fs::read_dir(&lib).with_context(|| format!("cannot list {}", lib.display()))?;
    let mut found = entries.flatten().map(|entry| entry.path().join("site-packages")).filter(|path| path.is_dir());
    found.next().with_context(|| format!("there are no site-packages in {}", lib.display()))
}
