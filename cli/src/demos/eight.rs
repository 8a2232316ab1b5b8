//! Demo 8: three Pythons with three versions of one project, at the same time.
//!
//! Three threads, each with processes of its own: swap to a Python, install a version of rich for it, and verify in that
//! Python what it sees. The active Python is one for all, so each thread's commands say which Python they mean; nothing
//! is locked between them.

use super::eight_uv;
use super::lasting::{LastingStore, Turn};
use super::stage::{Place, output_of};
use super::table::Table;
use crate::output;
use crate::settings::Settings;
use anyhow::{Context, Result, anyhow, ensure};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// What each thread runs in the end.
pub const VERIFY: &str = "eight_verify.py";

/// A Python, and the version of rich that it is to have.
#[derive(Debug, Clone, Copy)]
pub struct Lane {
    /// As `--python` takes it.
    pub python: &'static str,
    /// Of rich.
    pub version: &'static str,
}

/// One for each thread.
pub const LANES: [Lane; 3] = [
    Lane { python: "3.9", version: "13.4.2" },
    Lane { python: "3.10", version: "13.6.0" },
    Lane { python: "3.11", version: "13.7.1" },
];

/// Runs the demo; an error if anything is not as it should be.
pub fn run(settings: &Settings) -> Result<u8> {
    println!("Demo 8: three Pythons, three versions of rich, at the same time\n");
    let demo = LastingStore::open(settings, Turn::Shared, &[(VERIFY, include_str!("eight_verify.py"))])?;
    demo.introduce();
    demo.require(8, &LANES.map(|lane| lane.python))?;
    println!("\n1. Three threads; each one of these, for its own X and V:\n");
    println!("   $ omnipkg swap python X");
    println!("   $ omnipkg install --python X rich==V");
    println!("   $ <the environment's Python> {VERIFY}\n");
    let (threads, wall) = at_once(|lane, began| thread_of(demo.place(), lane, began))?;
    tell(&threads, wall);
    eight_uv::compare(demo.place())?;
    Ok(0)
}

/// Does something in a thread for each lane; what came of each, and the time from the first start to the last end.
pub fn at_once<T: Send>(work: impl Fn(Lane, Instant) -> Result<T> + Sync) -> Result<(Vec<T>, Duration)> {
    let began = Instant::now();
    let work = &work;
    let results: Vec<Result<T>> = thread::scope(|scope| {
        let threads = LANES.map(|lane| scope.spawn(move || work(lane, began)));
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err(anyhow!("a thread panicked")))).collect()
    });
    let wall = began.elapsed();
    let named = results.into_iter().zip(LANES).map(|(result, lane)| {
        result.with_context(|| format!("the thread with Python {} and rich {} failed", lane.python, lane.version))
    });
    Ok((named.collect::<Result<_>>()?, wall))
}

/// What a thread did, and how long each step took.
pub struct Thread {
    /// Which.
    pub lane: Lane,
    /// From the common start until it began.
    wait: Duration,
    swap: Duration,
    install: Duration,
    test: Duration,
    total: Duration,
    verified: Verified,
}

/// What the script said that verified.
struct Verified {
    python: String,
    executable: PathBuf,
    file: PathBuf,
}

/// The steps of one thread.
pub fn thread_of(place: &Place, lane: Lane, began: Instant) -> Result<Thread> {
    let wait = began.elapsed();
    let swapped = json(&output_of(place.omnipkg()?.args(["swap", "python", lane.python, "--json"]))?)?;
    let python = Path::new(swapped["python"].as_str().context("`omnipkg swap` names no Python")?);
    let swap = began.elapsed();
    let requirement = format!("rich=={}", lane.version);
    let mut install = place.omnipkg()?;
    let installed = json(&output_of(install.args(["install", "--python", lane.python, &requirement, "--json"]))?)?;
    let view = installed["view"].as_str().context("`omnipkg install` names no view")?;
    let install = began.elapsed();
    let said = output_of(place.command(python).arg(VERIFY))?;
    let total = began.elapsed();
    let verified = verify(place, lane, python, view, &said)?;
    Ok(Thread { lane, wait, swap: swap - wait, install: install - swap, test: total - install, total, verified })
}

fn json(text: &str) -> Result<Value> {
    serde_json::from_str(text).with_context(|| format!("not JSON: {text}"))
}

/// The right Python, the right version and no other beside it, from the view that was installed.
fn verify(place: &Place, lane: Lane, python: &Path, view: &str, said: &str) -> Result<Verified> {
    let said = json(said)?;
    let text = |key: &str| said[key].as_str().with_context(|| format!("{VERIFY} says nothing of its {key}"));
    check_version(&said, lane)?;
    let (executable, file) = (PathBuf::from(text("executable")?), PathBuf::from(text("file")?));
    ensure!(executable == python, "it ran {}, and not {}", executable.display(), python.display());
    let directory = file.parent().and_then(|path| fs::canonicalize(path).ok());
    let home = fs::canonicalize(&place.settings.home).context("cannot look at the demo's store")?;
    let roots = ["mnt", "links"].map(|projection| home.join(projection).join(view));
    ensure!(
        directory.is_some_and(|directory| roots.iter().any(|root| directory.starts_with(root))),
        "{} is not in the view {view}",
        file.display()
    );
    Ok(Verified { python: text("python")?.to_owned(), executable, file })
}

/// The right Python, the right version and no other beside it.
pub fn check_version(said: &Value, Lane { python, version }: Lane) -> Result<()> {
    let found = said["python"].as_str().unwrap_or_default();
    ensure!(found.starts_with(&format!("{python}.")), "it ran Python {found}");
    ensure!(said["versions"] == serde_json::json!([version]), "it sees rich {}", said["versions"]);
    Ok(())
}

fn tell(threads: &[Thread], wall: Duration) {
    let mut table = Table::new("thread", ["wait", "swap", "install", "test", "total"]);
    for Thread { lane, wait, swap, install, test, total, .. } in threads {
        let what = format!("Python {}, rich {}", lane.python, lane.version);
        table.row(&what, [wait, swap, install, test, total].map(|time| Some(*time)));
    }
    table.print();
    println!("\n   from the first start to the last end: {}", output::duration(wall));
    println!("   (wait: for a turn; no thread holds anything that another waits for)");
    println!("\n2. What each verified in a process of its own\n");
    for Thread { lane, verified, .. } in threads {
        println!("   Python {:7} {}", verified.python, verified.executable.display());
        println!("   rich {:9} {}", lane.version, verified.file.display());
    }
}
