//! The healer's analysis: from the bytes of a report to the plan that it leads to, over the recorded failures of the corpus
//! (`tests/corpus`), each in a process of its own, as `omnipkg run` does it: tables that are read when they are needed are
//! read each time. The network, the store's catalog and other interpreters are not asked.

use crate::prepare::Bench;
use crate::rows::{Judged, Row};
use anyhow::{Context, Result, ensure};
use omnipkg_healer::diagnosis::{Context as Leaning, diagnose};
use omnipkg_healer::knowledge::{Knowledge, NoPythons, Nothing};
use omnipkg_healer::{Heal, Plan, Report};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// The word that makes the bench analyse one report and print the milliseconds.
pub const ALONE: &str = "--analyse";
/// The design's bound on the median, in milliseconds.
const BUDGET: f64 = 5.0;

/// Analyses every recorded failure.
pub fn measure(_bench: &Bench<'_>) -> Result<Vec<Row>> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/corpus");
    let mut reports: Vec<PathBuf> = Vec::new();
    for kind in fs::read_dir(&corpus).with_context(|| format!("cannot list {}", corpus.display()))? {
        let Ok(entries) = fs::read_dir(kind?.path()) else { continue };
        reports.extend(entries.flatten().map(|entry| entry.path()));
    }
    reports.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    reports.sort();
    ensure!(!reports.is_empty(), "there are no recorded failures in {}", corpus.display());
    let program = std::env::current_exe().context("cannot find the bench program itself")?;
    let mut series = Vec::new();
    for report in &reports {
        let output = Command::new(&program).arg(ALONE).arg(report).output()?;
        let text = String::from_utf8(output.stdout)?;
        series.push(text.trim().parse().with_context(|| format!("cannot analyse {}", report.display()))?);
    }
    Ok(vec![Row {
        id: "analysis",
        what: format!("the analysis of {} recorded failures, report to plan", series.len()),
        omnipkg: series,
        plain: Vec::new(),
        judged: Judged::Alone,
        budget: Some(BUDGET),
        peers: Vec::new(),
    }])
}

/// Analyses one report and prints how many milliseconds that took.
pub fn alone(report: &Path) -> Result<()> {
    let bytes = fs::read(report).with_context(|| format!("cannot read {}", report.display()))?;
    let began = Instant::now();
    let report = Report::from_json(&bytes)?;
    let knowledge = Knowledge::embedded()?;
    let leaning = Leaning { knowledge: &knowledge, provides: &Nothing, pythons: &NoPythons, heal: Heal::Known };
    let diagnosis = diagnose(&report, leaning);
    let remedies = diagnosis.iter().flat_map(|diagnosis| diagnosis.remedies.iter().chain(&diagnosis.foreseen));
    let plan = remedies.fold(Plan::default(), |plan, remedy| plan.with(remedy));
    let took = began.elapsed().as_secs_f64() * 1e3;
    std::hint::black_box(plan);
    println!("{took}");
    Ok(())
}
