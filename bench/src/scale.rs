//! Family 13, only if it is named: a store with very many views and objects. What the server takes to start, to answer
//! for one view, to list them all, and how its memory grows.

use crate::prepare::Bench;
use crate::rows::{Judged, Row};
use anyhow::{Context, Result, ensure};
use omnipkg_store::objects::Batch;
use omnipkg_store::view::manifest::ManifestBuilder;
use omnipkg_store::{Digest, Store, ViewId, publish};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const VIEWS: u64 = 10_000;
const OBJECTS: u64 = 1_000_000;

/// Objects that are made durable together.
const BATCH: u64 = 50_000;

/// Files of each view.
const FILES: u64 = 100;

/// Views that are looked at.
const LOOKED_AT: u64 = 100;

/// A store of its own beside the bench's.
struct Scale<'a> {
    bench: &'a Bench<'a>,
    store: Store,
}

/// Makes the store, then asks its server.
pub fn measure(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let home = bench.stage.work().join("scale-store");
    let scale = Scale { bench, store: Store::open(&home)? };
    eprintln!("making {OBJECTS} objects and {VIEWS} views …");
    scale.fill()?;
    bench.stage.settle()?;
    let rows = scale.ask();
    bench.stage.run(scale.omnipkg().args(["server", "stop"]))?;
    rows
}

impl Scale<'_> {
    fn omnipkg(&self) -> std::process::Command {
        let mut command = self.bench.stage.command(self.bench.stage.program());
        command.env("OMNIPKG_HOME", self.store.layout().root());
        command
    }

    fn fill(&self) -> Result<()> {
        for start in (0..OBJECTS).step_by(BATCH as usize) {
            let mut batch = Batch::new(&self.store);
            for number in start..start + BATCH {
                batch.add_bytes(&content(number))?;
            }
            batch.commit()?;
        }
        (0..VIEWS).try_for_each(|number| self.add_view(number).map(drop))
    }

    /// A view of `FILES` objects, each view with others.
    fn add_view(&self, number: u64) -> Result<ViewId> {
        let mut builder = ManifestBuilder::new();
        for file in 0..FILES {
            let content = content((number * FILES + file) % OBJECTS);
            let path = format!("lib/python3/site-packages/p{}/m{file}.py", file % 10);
            builder.file(&path, Digest::of(&content), content.len() as u64, false)?;
        }
        let id = ViewId::from_digest(&Digest::of(format!("view {number}").as_bytes()));
        publish::unsealed_file(&self.store, &self.store.layout().view(&id), || [], &[&builder.finish()?])?;
        Ok(id)
    }

    fn path(&self, number: u64) -> PathBuf {
        let id = ViewId::from_digest(&Digest::of(format!("view {number}").as_bytes()));
        self.store.layout().mnt().join(id.to_string())
    }

    fn ask(&self) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        let mut alone = |id, what: &str, took: Duration| {
            rows.push(row(id, what, took.as_secs_f64() * 1e3, Judged::Alone));
        };
        let started = self.bench.stage.run(self.omnipkg().args(["server", "start"]))?;
        alone("scale-start", "server start", started.took);
        let empty = self.memory()?;
        alone("scale-stat", "first stat of a file in a view", timed(|| look_at_one(&self.path(7)))?);
        alone("scale-add", "a new view, from its files to its first stat", {
            timed(|| self.add_view(VIEWS).and_then(|_| look_at_one(&self.path(VIEWS))))?
        });
        alone(
            "scale-look",
            "walking 100 views of 100 files",
            timed(|| (0..LOOKED_AT).try_for_each(|n| walk(&self.path(n))))?,
        );
        let looked = self.memory()?;
        let list = || {
            let count = fs::read_dir(self.store.layout().mnt())?.count() as u64;
            ensure!(count == VIEWS + 1, "the mount shows {count} views");
            Ok(())
        };
        alone("scale-list", "listing all views", timed(list)?);
        let listed = self.memory()?;
        for (id, what, kilobytes) in [
            ("scale-memory-start", "KB of the server's memory after its start", empty),
            ("scale-memory-look", "KB of the server's memory after 100 views", looked),
            ("scale-memory-list", "KB of the server's memory after listing all views", listed),
        ] {
            rows.push(row(id, what, kilobytes, Judged::Count));
        }
        Ok(rows)
    }

    /// What the process that answers the kernel has of its own in memory, in KB; pages of files are the kernel's to drop.
    fn memory(&self) -> Result<f64> {
        let status = self.bench.stage.run(self.omnipkg().args(["--json", "server", "status"]))?;
        let status: serde_json::Value =
            serde_json::from_str(&status.stdout).context("cannot read the server's status")?;
        let process = status["process"].as_u64().context("the status names no process")?;
        let path = format!("/proc/{process}/status");
        let status = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        let number = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse().ok());
        number.with_context(|| format!("{path} says nothing of memory"))
    }
}

fn content(number: u64) -> [u8; 8] {
    number.to_le_bytes()
}

fn look_at_one(view: &Path) -> Result<()> {
    let path = view.join("lib/python3/site-packages/p7/m7.py");
    let metadata = fs::metadata(&path).with_context(|| format!("cannot look at {}", path.display()))?;
    ensure!(metadata.len() == 8, "{} has {} bytes", path.display(), metadata.len());
    Ok(())
}

fn walk(directory: &Path) -> Result<()> {
    for entry in fs::read_dir(directory).with_context(|| format!("cannot list {}", directory.display()))? {
        let entry = entry?;
        if entry.metadata()?.is_dir() {
            walk(&entry.path())?;
        }
    }
    Ok(())
}

fn timed(work: impl FnOnce() -> Result<()>) -> Result<Duration> {
    let started = Instant::now();
    work()?;
    Ok(started.elapsed())
}

fn row(id: &'static str, what: &str, sample: f64, judged: Judged) -> Row {
    let what = format!("{VIEWS} views over {OBJECTS} objects: {what}");
    Row { id, what, omnipkg: vec![sample], plain: Vec::new(), judged, budget: None, peers: Vec::new() }
}
