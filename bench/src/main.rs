//! `omnipkg-bench`: measures omnipkg beside plain Python and uv, and prints a table with the design's budgets.
//!
//! Sides take turns in every round, on the same interpreter, with bytecode writing on. Budgets are printed,
//! never asserted: a noisy machine is no reason to fail.

mod again;
mod analysis;
mod arguments;
mod concurrent;
mod environments;
mod files;
mod fresh;
mod healed;
mod imports;
mod inside;
mod measure;
mod plain;
mod prepare;
mod process;
mod report;
mod requests;
mod rows;
mod scale;
mod selection;
mod sets;
mod stage;
mod start;
mod statistics;
mod uv;

use anyhow::{Context, Result};
use arguments::{Arguments, HELP};
use measure::Rounds;
use prepare::Bench;
use report::Circumstances;
use rows::Row;
use stage::Stage;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

/// Rounds that are run first and not counted.
const WARM_UP: usize = 2;

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().skip(1).collect();
    if let [word, report] = &words[..]
        && word == analysis::ALONE
    {
        return ended(analysis::alone(Path::new(report)));
    }
    ended(Arguments::parse(words).and_then(|arguments| run(&arguments)))
}

fn ended(result: Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    if arguments.help {
        print!("{HELP}");
        return Ok(());
    }
    let stage = Stage::new(arguments.find_omnipkg()?, arguments.python.clone())?;
    let rounds = Rounds { warm_up: WARM_UP, measured: arguments.rounds };
    eprintln!("fetching and preparing …");
    let interpreter = prepare::interpreter(&stage)?;
    let bench = Bench::prepare(&stage, &interpreter, rounds, arguments.only.clone())?;
    let rows = measure_all(&bench)?;
    let circumstances = circumstances(&bench, &interpreter)?;
    print!("{}", report::markdown(&rows, &circumstances));
    if let Some(path) = &arguments.json {
        write(path, &format!("{:#}\n", report::json(&rows, &circumstances)))?;
    }
    if let Some(path) = &arguments.svg {
        write(path, &report::svg(&rows, &circumstances))?;
    }
    Ok(())
}

/// The families in the order of the table. Those that install into the active environment are measured last:
/// what is installed there would lie beneath every `run --with`.
fn measure_all(bench: &Bench<'_>) -> Result<Vec<Row>> {
    type Measure = fn(&Bench<'_>) -> Result<Vec<Row>>;
    let families: [(&str, &str, Measure); 15] = [
        ("again", "what one view leaves for the next", again::measure),
        ("fresh", "a view never seen", fresh::measure),
        ("warm", "warm imports", imports::measure_warm),
        ("first", "first imports in a fresh view", imports::measure_first),
        ("files", "file operations", files::measure),
        ("requests", "requests", requests::measure),
        ("run", "warm starts", start::measure),
        ("heal", "a remembered heal", healed::measure),
        ("analysis", "the healer's analysis", analysis::measure),
        ("install", "a satisfied install", environments::measure_install),
        ("swap", "swapping", environments::measure_swap),
        ("three", "three Pythons at the same time", concurrent::measure),
        ("loader", "the loader", inside::measure_loader),
        ("worker", "workers", inside::measure_worker),
        ("scale", "very many views", scale::measure),
    ];
    let mut rows = Vec::new();
    for (family, what, measure) in families {
        if bench.only.wants_some(family) {
            eprintln!("{what} …");
            rows.extend(measure(bench)?);
        }
    }
    rows.retain(|row| bench.only.wants(row.id));
    rows.sort_by_key(|row| selection::ROWS.iter().position(|id| *id == row.id));
    Ok(rows)
}

fn circumstances(bench: &Bench<'_>, interpreter: &Path) -> Result<Circumstances> {
    let stage = bench.stage;
    let uv = match &bench.uv {
        Some(uv) => format!("{}, its own cache, offline", stage.version(uv.program())?),
        None => "not on PATH".to_owned(),
    };
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    Ok(vec![
        ("omnipkg", format!("{} ({})", stage.version(stage.program())?, stage.program().display())),
        ("projection", stage.projection()?),
        ("Python", format!("{} ({})", stage.version(interpreter)?, interpreter.display())),
        ("uv", uv),
        ("machine", format!("{} cores, kernel {}", std::thread::available_parallelism()?, kernel.trim())),
        ("sets", bench.prepared().iter().flat_map(|subject| subject.pins.clone()).collect::<Vec<_>>().join(", ")),
    ])
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
