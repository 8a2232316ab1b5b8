//! Family 6: what changes nothing but a link, and what changes nothing at all: `swap python`, a satisfied `install`.
//!
//! Plain Python has nothing like it; beside it stands uv's install of what is there already.

use crate::measure::{Contender, Measurements, interleave};
use crate::prepare::Bench;
use crate::rows::{Clock, Judged, Row, Sides};
use crate::sets::RICH;
use crate::stage::Stage;
use crate::uv::Uv;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

const SWAP: &str = "omnipkg swap python";
const INSTALL: &str = "omnipkg install, satisfied";
const UV: &str = "uv pip install, satisfied";

/// Milliseconds.
const BUDGET: f64 = 5.0;

/// To another Python and back, in turn.
pub fn measure_swap(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let stage = bench.stage;
    let (here, other) = two_pythons(stage)?;
    let mut next = [other.clone(), here.clone()].into_iter().cycle();
    let swap = || {
        let python = next.next().context("no Python")?;
        let took = stage.run(stage.command(stage.program()).args(["swap", "python", &python]))?.took;
        ensure!(active(stage)? == python, "swapping to {python} made {} active", active(stage)?);
        Ok(took)
    };
    let measured = beside_uv(bench, Contender::new(SWAP, swap))?;
    stage.run(stage.command(stage.program()).args(["swap", "python", &here]))?;
    Ok(vec![row("swap-python", &format!("`swap python`, from {here} to {other} or back"), SWAP, &measured)?])
}

/// The same install again.
pub fn measure_install(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let stage = bench.stage;
    stage.run(stage.omnipkg("install").arg(RICH))?;
    let views = stage.views()?;
    let install = || {
        let took = stage.run(stage.omnipkg("install").arg(RICH))?.took;
        ensure!(stage.views()? == views, "a satisfied install made a view");
        Ok(took)
    };
    let measured = beside_uv(bench, Contender::new(INSTALL, install))?;
    Ok(vec![row("install-satisfied", &format!("`install {RICH}` where it is installed"), INSTALL, &measured)?])
}

fn row(id: &'static str, what: &str, omnipkg: &'static str, measured: &Measurements) -> Result<Row> {
    let sides = Sides { omnipkg, plain: None, peers: &[UV] };
    Ok(Row::new(id, what, measured, sides, (Judged::Alone, Clock::Process))?.budget(BUDGET))
}

fn beside_uv<'a>(bench: &'a Bench<'_>, omnipkg: Contender<'a>) -> Result<Measurements> {
    let mut contenders = vec![omnipkg];
    if let Some(uv) = &bench.uv {
        let python = satisfied(bench, uv)?;
        let install = move || -> Result<Duration> { Ok(bench.stage.run(&mut uv.install(&python, &[RICH]))?.took) };
        contenders.push(Contender::new(UV, install));
    }
    interleave(contenders, bench.rounds)
}

/// The Python of an environment of uv's that has it.
fn satisfied(bench: &Bench<'_>, uv: &Uv<'_>) -> Result<PathBuf> {
    let python = bench.stage.work().join("uv-satisfied/bin/python");
    if !python.exists() {
        uv.fetch(&[RICH.to_owned()], &bench.ok)?;
        uv.environment("uv-satisfied", &[RICH])?;
    }
    Ok(python)
}

/// The versions of the active Python and of another one of this machine, each with an environment.
fn two_pythons(stage: &Stage) -> Result<(String, String)> {
    let here = active(stage)?;
    for other in ["3.9", "3.10", "3.11", "3.12", "3.13", "3.8"] {
        if other != here && stage.run(stage.command(stage.program()).args(["swap", "python", other])).is_ok() {
            return Ok((here, other.to_owned()));
        }
    }
    anyhow::bail!("to swap takes two Pythons, and there is only {here}")
}

/// The active environment's name.
fn active(stage: &Stage) -> Result<String> {
    let link = stage.home().join("active");
    let target = fs::read_link(&link).with_context(|| format!("cannot read {}", link.display()))?;
    let name = Path::new(&target).file_name().context("the active environment has no name")?;
    Ok(name.to_string_lossy().into_owned())
}
