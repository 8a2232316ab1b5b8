//! Family 2: a script that was healed before, over the same script run by the Python that healing found for it.

use crate::measure::{Contender, interleave};
use crate::prepare::Bench;
use crate::rows::{Clock, Judged, Row, Sides};
use crate::sets::RICH;
use crate::stage::Stage;
use crate::uv::Uv;
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// As in demo 7; its last line says which Python ran it.
const SCRIPT: &str = "\
import importlib.metadata, sys

found = importlib.metadata.version('rich')
assert found == '13.4.2', 'wrong rich: {}'.format(found)

from rich.console import Console

Console().print('rich', found)
print(sys.executable)
";

/// What the script wants.
const WANTED: &str = "rich==13.4.2";

const OMNIPKG: &str = "omnipkg run healed.py";
const PLAIN: &str = "<view>/bin/python healed.py";
const UV: &str = "failing run, then uv run --with";

/// Over the healed script alone.
const BUDGET: f64 = 1.1;

/// Heals once, then measures what is remembered.
pub fn measure(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let stage = bench.stage;
    stage.run(stage.omnipkg("install").arg(RICH))?;
    let script = stage.script("healed.py", SCRIPT)?;
    heal(stage, &script)?;
    let python = heal(stage, &script)?;
    let mut contenders = vec![
        Contender::new(OMNIPKG, || passes(stage, stage.omnipkg("run").arg(&script))),
        Contender::new(PLAIN, || passes(stage, stage.command(&python).arg(&script))),
    ];
    if let Some(uv) = &bench.uv {
        stage.run(&mut uv.run_with(&[WANTED], &script, false))?;
        stage.run(&mut uv.run_with(&[RICH], &bench.ok, false))?;
        let environment = uv.environment("uv-active", &[RICH])?;
        let script = &script;
        contenders.push(Contender::new(UV, move || fail_then_run_with(stage, uv, &environment.python, script)));
    }
    let measured = interleave(contenders, bench.rounds)?;
    let sides = Sides { omnipkg: OMNIPKG, plain: Some(PLAIN), peers: &[UV] };
    let what = "remembered heal ÷ the healed script alone";
    Ok(vec![Row::new("heal-remembered", what, &measured, sides, (Judged::Ratio, Clock::Process))?.budget(BUDGET)])
}

/// Runs the script with omnipkg and returns the Python that it ended with. Bytecode is made first, so that
/// none is made in the background while times are taken.
fn heal(stage: &Stage, script: &Path) -> Result<PathBuf> {
    let finished = stage.run(stage.omnipkg("run").arg("--compile").arg(script))?;
    let python = finished.stdout.lines().last().map(PathBuf::from).context("the healed script said nothing")?;
    ensure!(python.exists(), "the healed script ran with {}, which is not there", python.display());
    Ok(python)
}

fn passes(stage: &Stage, command: &mut Command) -> Result<Duration> {
    let finished = stage.run(command)?;
    ensure!(finished.stdout.starts_with("rich 13.4.2\n"), "the script said {:?}", finished.stdout);
    Ok(finished.took)
}

/// What a uv user's day has: the run that fails, and the run with the right version. Reading is not counted.
fn fail_then_run_with(stage: &Stage, uv: &Uv<'_>, python: &Path, script: &Path) -> Result<Duration> {
    let failed = stage.time(stage.command(python).arg(script))?;
    ensure!(failed.status.code() == Some(1), "the script should fail with {RICH}");
    Ok(failed.took + passes(stage, &mut uv.run_with(&[WANTED], script, true))?)
}
