//! Family 1: a warm `omnipkg run` over bare Python.

use crate::measure::{Contender, interleave};
use crate::prepare::Bench;
use crate::rows::{Clock, Judged, Row, Sides};
use crate::sets::RICH;
use anyhow::{Result, ensure};
use std::process::Command;
use std::time::Duration;

const PLAIN: &str = "venv/bin/python ok.py";
const ACTIVE: &str = "omnipkg run ok.py";
const WITH: &str = "omnipkg run --with";
const BLOCK: &str = "omnipkg run, PEP 723";
const UV_WITH: &str = "uv run --with";
const UV_BLOCK: &str = "uv run, PEP 723";

/// More than bare Python takes, in milliseconds.
const BUDGET: f64 = 3.0;

/// Three ways to say what the script needs; one plain side for all.
pub fn measure(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let (stage, bare) = (bench.stage, bench.bare()?);
    stage.run(stage.omnipkg("install").arg(RICH))?;
    let text = format!("# /// script\n# dependencies = [\"{RICH}\"]\n# ///\nprint('ok')\n");
    let block = stage.script("block.py", &text)?;
    let mut contenders = vec![
        Contender::new(ACTIVE, || ok(bench, stage.omnipkg("run").arg(&bench.ok))),
        Contender::new(PLAIN, || ok(bench, stage.command(bare).arg(&bench.ok))),
        Contender::new(WITH, || ok(bench, stage.omnipkg("run").args(["--with", RICH]).arg(&bench.ok))),
        Contender::new(BLOCK, || ok(bench, stage.omnipkg("run").arg(&block))),
    ];
    if let Some(uv) = &bench.uv {
        // Once online: what is measured is offline.
        stage.run(&mut uv.run_with(&[RICH], &bench.ok, false))?;
        stage.run(&mut uv.run_script(&block, false))?;
        contenders.push(Contender::new(UV_WITH, || ok(bench, &mut uv.run_with(&[RICH], &bench.ok, true))));
        contenders.push(Contender::new(UV_BLOCK, || ok(bench, &mut uv.run_script(&block, true))));
    }
    let measured = interleave(contenders, bench.rounds)?;
    let row = |id, what: &str, sides| {
        Row::new(id, what, &measured, sides, (Judged::Difference, Clock::Process)).map(|row| row.budget(BUDGET))
    };
    Ok(vec![
        row(
            "run-active",
            "warm `omnipkg run ok.py`, active environment",
            Sides { omnipkg: ACTIVE, plain: Some(PLAIN), peers: &[] },
        )?,
        row(
            "run-with",
            &format!("warm `omnipkg run --with {RICH} ok.py`"),
            Sides { omnipkg: WITH, plain: Some(PLAIN), peers: &[UV_WITH] },
        )?,
        row(
            "run-block",
            "warm `omnipkg run`, PEP 723 block",
            Sides { omnipkg: BLOCK, plain: Some(PLAIN), peers: &[UV_BLOCK] },
        )?,
    ])
}

/// Times a command that runs the script that needs nothing, and makes sure that it ran.
pub fn ok(bench: &Bench<'_>, command: &mut Command) -> Result<Duration> {
    let finished = bench.stage.run(command)?;
    ensure!(finished.stdout == "ok\n", "the script said {:?}", finished.stdout);
    Ok(finished.took)
}
