//! Families 4 and 5: imports through a view over the same imports from a plain directory, each with bytecode.
//!
//! Both sides start their environment's own Python; the process says itself how long the imports took.

use crate::fresh::unseen;
use crate::measure::{Contender, Measurements, Sample, interleave};
use crate::prepare::{Bench, Subject};
use crate::rows::{Clock, Judged, Row, Sides};
use crate::stage::Stage;
use crate::uv::Uv;
use anyhow::{Context, Result};
use std::path::Path;
use std::time::Duration;

const VIEW: &str = "<view>/bin/python";
const PLAIN: &str = "venv/bin/python, warm";
const UV: &str = "first import in a new uv environment";

/// A warm import through a view over a plain directory.
const WARM_BUDGET: f64 = 1.05;

/// The first import in a fresh view over a warm plain directory.
const FIRST_BUDGET: f64 = 1.10;

/// Family 4: warm on both sides.
pub fn measure_warm(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let of_subject = |subject: &Subject, ids| -> Result<[Row; 2]> {
        let view = subject.view.join("bin/python");
        let contenders = vec![
            Contender::new(VIEW, || import(bench.stage, &view, subject.imports)),
            Contender::new(PLAIN, || import(bench.stage, &subject.plain, subject.imports)),
        ];
        let measured = interleave(contenders, bench.rounds)?;
        rows(&measured, ids, &format!("warm import of {}", subject.name), WARM_BUDGET)
    };
    let rich = of_subject(&bench.rich, ["warm-rich", "warm-rich-inside"])?;
    let scientific = of_subject(&bench.scientific, ["warm-scientific", "warm-scientific-inside"])?;
    Ok(rich.into_iter().chain(scientific).collect())
}

/// Family 5: in a view that was just made, of objects and bytecode that another view has.
pub fn measure_first(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let of_subject = |subject: &Subject, ids| -> Result<[Row; 2]> {
        let mut contenders = vec![
            Contender::new(VIEW, || {
                let view = bench.stage.mount(&unseen(bench, subject)?, &["--offline"])?;
                bench.stage.settle()?;
                import(bench.stage, &view.join("bin/python"), subject.imports)
            }),
            Contender::new(PLAIN, || {
                bench.stage.settle()?;
                import(bench.stage, &subject.plain, subject.imports)
            }),
        ];
        if let Some(uv) = &bench.uv {
            contenders.push(Contender::new(UV, || uv_first(bench, uv, subject)));
        }
        let measured = interleave(contenders, bench.rounds)?;
        rows(
            &measured,
            ids,
            &format!("first import of {} in a fresh view ÷ warm directory", subject.name),
            FIRST_BUDGET,
        )
    };
    let rich = of_subject(&bench.rich, ["first-rich", "first-rich-inside"])?;
    let scientific = of_subject(&bench.scientific, ["first-scientific", "first-scientific-inside"])?;
    Ok(rich.into_iter().chain(scientific).collect())
}

fn rows(measured: &Measurements, ids: [&'static str; 2], what: &str, budget: f64) -> Result<[Row; 2]> {
    let sides = Sides { omnipkg: VIEW, plain: PLAIN, peers: &[UV] };
    let [process, inside] = ids;
    let process =
        Row::new(process, format!("{what}, whole process"), measured, sides, (Judged::Ratio, Clock::Process))?;
    let inside = Row::new(inside, format!("{what}, imports alone"), measured, sides, (Judged::Ratio, Clock::Inside))?;
    Ok([process.budget(budget), inside.budget(budget)])
}

fn import(stage: &Stage, python: &Path, imports: &str) -> Result<Sample> {
    let text =
        format!("import time; start = time.perf_counter(); import {imports}; print(time.perf_counter() - start)");
    let finished = stage.run(stage.command(python).args(["-c", &text]))?;
    let seconds: f64 = finished.stdout.trim().parse().context("the import did not say how long it took")?;
    let inside = Duration::try_from_secs_f64(seconds).context("the import's time makes no sense")?;
    Ok(Sample { process: finished.took, inside: Some(inside) })
}

/// uv writes no bytecode when it installs, so the first import in each environment compiles.
fn uv_first(bench: &Bench<'_>, uv: &Uv<'_>, subject: &Subject) -> Result<Sample> {
    let environment = uv.environment("uv-first", &unseen(bench, subject)?)?;
    bench.stage.settle()?;
    let sample = import(bench.stage, &environment.python, subject.imports)?;
    environment.remove()?;
    Ok(sample)
}
