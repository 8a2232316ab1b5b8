//! Families 4 and 5: imports through a view over the same imports from a plain directory, each with bytecode.
//!
//! Both sides start their environment's own Python; the process says itself how long the imports took.

use crate::fresh::unseen;
use crate::measure::{Contender, Measurements, Sample, interleave};
use crate::prepare::{Bench, Kind, Subject};
use crate::rows::{Clock, Judged, Row, Sides};
use crate::selection::ROWS;
use crate::stage::Stage;
use crate::uv::Uv;
use anyhow::{Context, Result};
use std::path::Path;

const VIEW: &str = "<view>/bin/python";
const PLAIN: &str = "venv/bin/python, warm";
const UV: &str = "first import in a new uv environment";

/// A warm import through a view over a plain directory.
const WARM_BUDGET: f64 = 1.05;

/// The first import in a fresh view over a warm plain directory.
const FIRST_BUDGET: f64 = 1.10;

/// Family 4: warm on both sides.
pub fn measure_warm(bench: &Bench<'_>) -> Result<Vec<Row>> {
    of_wanted(bench, "warm", |subject, ids| {
        let view = subject.view.join("bin/python");
        let contenders = vec![
            Contender::new(VIEW, || import(bench.stage, &view, subject.imports)),
            Contender::new(PLAIN, || import(bench.stage, &subject.plain, subject.imports)),
        ];
        let measured = interleave(contenders, bench.rounds)?;
        rows(&measured, ids, &format!("warm import of {}", subject.name), WARM_BUDGET)
    })
}

/// Family 5: in a view that was just made, of objects and bytecode that another view has.
pub fn measure_first(bench: &Bench<'_>) -> Result<Vec<Row>> {
    of_wanted(bench, "first", |subject, ids| {
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
    })
}

/// The rows of the subjects of which one is wanted: `<family>-<subject>` and the same with `-inside`.
fn of_wanted(
    bench: &Bench<'_>,
    family: &str,
    of_subject: impl Fn(&Subject, [&'static str; 2]) -> Result<[Row; 2]>,
) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for kind in Kind::ALL {
        let id = |suffix: &str| {
            let id = format!("{family}-{}{suffix}", kind.id());
            ROWS.into_iter().find(|row| *row == id).with_context(|| format!("there is no row {id}"))
        };
        let ids = [id("")?, id("-inside")?];
        if ids.iter().any(|id| bench.only.wants(id)) {
            rows.extend(of_subject(bench.subject(kind)?, ids)?);
        }
    }
    Ok(rows)
}

fn rows(measured: &Measurements, ids: [&'static str; 2], what: &str, budget: f64) -> Result<[Row; 2]> {
    let sides = Sides { omnipkg: VIEW, plain: Some(PLAIN), peers: &[UV] };
    let [process, inside] = ids;
    let process =
        Row::new(process, format!("{what}, whole process"), measured, sides, (Judged::Ratio, Clock::Process))?;
    let inside = Row::new(inside, format!("{what}, imports alone"), measured, sides, (Judged::Ratio, Clock::Inside))?;
    Ok([process.budget(budget), inside.budget(budget)])
}

/// Imports in a process of their own, which times them and counts the modules that there are then.
pub fn import(stage: &Stage, python: &Path, imports: &str) -> Result<Sample> {
    let text = format!(
        "import sys, time; start = time.perf_counter(); import {imports}; print(time.perf_counter() - start); \
         print(len(sys.modules))"
    );
    Sample::timed_inside(&stage.run(stage.command(python).args(["-c", &text]))?)
}

/// A row of imports alone.
pub fn imports_row(
    id: &'static str,
    what: &str,
    measured: &Measurements,
    (omnipkg, plain): (&'static str, &'static str),
) -> Result<Row> {
    let sides = Sides { omnipkg, plain: Some(plain), peers: &[] };
    Row::new(id, what, measured, sides, (Judged::Ratio, Clock::Inside))
}

/// uv writes no bytecode when it installs, so the first import in each environment compiles.
fn uv_first(bench: &Bench<'_>, uv: &Uv<'_>, subject: &Subject) -> Result<Sample> {
    let environment = uv.environment("uv-first", &unseen(bench, subject)?)?;
    bench.stage.settle()?;
    let sample = import(bench.stage, &environment.python, subject.imports)?;
    environment.remove()?;
    Ok(sample)
}
