//! Families 8 and 9: the Python side, timed by Python itself: the loader, and workers that exchange an array.

use crate::measure::{Contender, Sample, interleave};
use crate::prepare::Bench;
use crate::rows::{Clock, Judged, Row, Sides};
use crate::sets::RICH;
use crate::statistics::Summary;
use anyhow::{Context, Result};
use std::cell::Cell;

const LOADER: &str = "omnipkgLoader";
const WORKER: &str = "omnipkg.worker";

/// Milliseconds.
const LOADER_BUDGET: f64 = 1.0;

/// Bytes of the array, in millions.
const ARRAY: f64 = 100.0;

/// Another rich in a running Python that has one imported.
pub fn measure_loader(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let stage = bench.stage;
    stage.run(stage.omnipkg("install").arg(RICH))?;
    let program = stage.script("loader.py", include_str!("programs/loader.py"))?;
    let run = || Sample::timed_inside(&stage.run(stage.omnipkg("run").arg(&program))?);
    let measured = interleave(vec![Contender::new(LOADER, run)], bench.rounds)?;
    let sides = Sides { omnipkg: LOADER, plain: None, peers: &[] };
    let what = "loader: enter and leave rich 13.4.2 where 13.7.1 is imported, inside";
    let row = Row::new("loader-rich", what, &measured, sides, (Judged::Alone, Clock::Inside))?;
    Ok(vec![row.budget(LOADER_BUDGET)])
}

/// An array from one numpy to another; no row where one of the Pythons is missing.
pub fn measure_worker(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let stage = bench.stage;
    for (python, numpy) in [("3.9", "numpy==1.24.3"), ("3.12", "numpy>=2.2,<2.3")] {
        let mut command = stage.command(stage.program());
        if stage.run(command.args(["mount", "--compile", "--python", python, numpy])).is_err() {
            eprintln!("there is no Python {python} with {numpy}: left out");
            return Ok(Vec::new());
        }
    }
    let program = stage.script("worker.py", include_str!("programs/worker.py"))?;
    let copies = Cell::new(0);
    let run = || {
        let finished = stage.run(stage.omnipkg("run").arg(&program))?;
        let said = finished.stdout.lines().nth(1).and_then(|line| line.parse().ok());
        copies.set(said.context("the program did not say how often it copied")?);
        Sample::timed_inside(&finished)
    };
    let measured = interleave(vec![Contender::new(WORKER, run)], bench.rounds)?;
    let time = measured.find(WORKER).and_then(|measured| Summary::of(&measured.inside));
    let rate = ARRAY / time.context("nothing was measured")?.median * 1e3;
    let what = format!(
        "worker: an array of 100 MB from numpy 1.24.3 on 3.9 to numpy 2.2 on 3.12 and its sum, inside ({rate:.0} MB/s, {} \
         copies)",
        copies.get()
    );
    let sides = Sides { omnipkg: WORKER, plain: None, peers: &[] };
    Ok(vec![Row::new("worker-array", what, &measured, sides, (Judged::Alone, Clock::Inside))?])
}
