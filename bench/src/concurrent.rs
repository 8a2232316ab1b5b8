//! Family 7: demo 8's concurrent part. Three threads with a Python each: swap, a satisfied install, a script that
//! verifies; beside the script alone in plain environments, and beside three parallel `uv run`.

use crate::measure::{Contender, interleave};
use crate::plain::Plain;
use crate::prepare::Bench;
use crate::process;
use crate::rows::{Clock, Judged, Row, Sides};
use crate::stage::Stage;
use crate::uv::Uv;
use anyhow::{Context, Result, anyhow, ensure};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

const OMNIPKG: &str = "omnipkg: swap, install, python";
const PLAIN: &str = "three venv/bin/python";
const UV: &str = "three uv run --with";

/// Milliseconds.
const BUDGET: f64 = 120.0;

/// Over uv.
const UV_BUDGET: f64 = 0.5;

/// The demo's own script.
const SCRIPT: &str = include_str!("../../cli/src/demos/eight_verify.py");

/// As in the demo.
const VERSIONS: [(&str, &str); 3] = [("3.9", "13.4.2"), ("3.10", "13.6.0"), ("3.11", "13.7.1")];

struct Lane {
    python: &'static str,
    version: &'static str,
    interpreter: PathBuf,
    plain: PathBuf,
}

impl Lane {
    fn requirement(&self) -> String {
        format!("rich=={}", self.version)
    }
}

/// Three at once; no row where one of the Pythons is missing.
pub fn measure(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let stage = bench.stage;
    let script = &stage.script("eight_verify.py", SCRIPT)?;
    for (python, _) in VERSIONS {
        if stage.run(&mut swap(stage, python)).is_err() {
            eprintln!("there is no Python {python}: left out");
            return Ok(Vec::new());
        }
    }
    let lanes = &VERSIONS.map(|version| lane(stage, version)).into_iter().collect::<Result<Vec<_>>>()?;
    let omnipkg = |lane: &Lane| {
        let python = stage.home().join("envs").join(lane.python).join("bin/python");
        vec![swap(stage, lane.python), install(stage, lane), with(stage.command(python), script)]
    };
    let mut contenders = vec![
        Contender::new(OMNIPKG, move || at_once(stage, lanes, omnipkg)),
        Contender::new(PLAIN, || at_once(stage, lanes, |lane| vec![with(stage.command(&lane.plain), script)])),
    ];
    if let Some(uv) = &bench.uv {
        let run = |lane: &Lane, offline| uv_of(uv, lane).run_with(&[lane.requirement()], script, offline);
        lanes.iter().try_for_each(|lane| stage.run(&mut run(lane, false)).map(drop))?;
        contenders.push(Contender::new(UV, move || at_once(stage, lanes, |lane| vec![run(lane, true)])));
    }
    let measured = interleave(contenders, bench.rounds)?;
    let what = "three Pythons with three versions at once: swap, satisfied install, script (demo 8)";
    let sides = Sides { omnipkg: OMNIPKG, plain: Some(PLAIN), peers: &[UV] };
    let row = |id, judged| Row::new(id, what, &measured, sides, (judged, Clock::Process));
    let alone = row("three-pythons", Judged::Alone)?.budget(BUDGET);
    let against_uv = row("three-pythons-uv", Judged::PeerRatio)?.budget(UV_BUDGET);
    Ok(vec![alone, against_uv])
}

fn with(mut command: Command, script: &Path) -> Command {
    command.arg(script);
    command
}

fn swap(stage: &Stage, python: &str) -> Command {
    let mut command = stage.command(stage.program());
    command.args(["swap", "python", python, "--json"]);
    command
}

fn install(stage: &Stage, lane: &Lane) -> Command {
    let mut command = stage.command(stage.program());
    command.args(["install", "--json", "--python", lane.python, &lane.requirement()]);
    command
}

fn uv_of<'a>(uv: &Uv<'a>, lane: &'a Lane) -> Uv<'a> {
    uv.with_interpreter(&lane.interpreter)
}

/// Installs, and makes a plain environment with the same distributions.
fn lane(stage: &Stage, (python, version): (&'static str, &'static str)) -> Result<Lane> {
    let environment = stage.home().join("envs").join(python);
    let mut lane = Lane { python, version, interpreter: PathBuf::new(), plain: PathBuf::new() };
    stage.run(&mut install(stage, &lane))?;
    let own = environment.join("bin/python");
    lane.interpreter = own.canonicalize().with_context(|| format!("cannot follow {}", own.display()))?;
    lane.plain = Plain::new(stage, &lane.interpreter).like(&format!("plain-{python}"), &environment, "rich")?;
    // Bytecode is made first, so that none is made in the background while times are taken.
    let mut command = stage.command(stage.program());
    stage.run(command.args(["mount", "--compile", "--python", python, &lane.requirement()]))?;
    Ok(lane)
}

/// Each lane's commands one after the other, the lanes in a thread each: from the first start to the last end.
fn at_once(stage: &Stage, lanes: &[Lane], commands: impl Fn(&Lane) -> Vec<Command>) -> Result<Duration> {
    let work: Vec<(Vec<Command>, PathBuf)> =
        lanes.iter().map(|lane| Ok((commands(lane), stage.scratch_of(lane.python)?))).collect::<Result<_>>()?;
    let began = Instant::now();
    let said: Vec<Result<String>> = thread::scope(|scope| {
        let threads: Vec<_> = work.into_iter().map(|work| scope.spawn(move || one_after_the_other(work))).collect();
        let ended = threads.into_iter().map(|thread| thread.join());
        ended.map(|result| result.unwrap_or_else(|_| Err(anyhow!("a thread panicked")))).collect()
    });
    let took = began.elapsed();
    for (said, lane) in said.into_iter().zip(lanes) {
        let said: Value = serde_json::from_str(&said?).context("the script gave no JSON")?;
        let right = said["versions"] == serde_json::json!([lane.version]);
        ensure!(right, "Python {} saw rich {}, and not {}", lane.python, said["versions"], lane.version);
    }
    Ok(took)
}

/// What the last one said.
fn one_after_the_other((mut commands, scratch): (Vec<Command>, PathBuf)) -> Result<String> {
    let mut said = String::new();
    for command in &mut commands {
        said = process::run(command, &scratch)?.stdout;
    }
    Ok(said)
}
