//! Family 3: from a set that nobody has seen to a running Python; wheels are on the machine, versions pinned.

use crate::measure::{Contender, interleave};
use crate::prepare::{Bench, Kind, Subject};
use crate::rows::{Clock, Judged, Row, Sides};
use crate::start::ok;
use crate::uv::Uv;
use anyhow::{Result, ensure};
use std::process::Command;
use std::time::Duration;

const PLAIN: &str = "venv/bin/python ok.py";
const OMNIPKG: &str = "omnipkg run --with";
const UV_VENV: &str = "uv venv, uv pip install, python";
const UV_WITH: &str = "uv run --with";

/// More than bare Python takes, in milliseconds; the same for few files and for thousands.
const BUDGET: f64 = 10.0;

/// From a handful of files to twenty-two thousand.
pub fn measure(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (id, kind) in [
        ("fresh-few", Kind::Few),
        ("fresh-rich", Kind::Rich),
        ("fresh-scientific", Kind::Scientific),
        ("fresh-tensorflow", Kind::Tensorflow),
        ("fresh-large", Kind::Large),
    ] {
        if bench.only.wants(id) {
            rows.push(of_subject(bench, bench.subject(kind)?, id)?);
        }
    }
    Ok(rows)
}

fn of_subject(bench: &Bench<'_>, subject: &Subject, id: &'static str) -> Result<Row> {
    let (stage, bare) = (bench.stage, bench.bare()?);
    let mut contenders = vec![
        Contender::new(OMNIPKG, || omnipkg(bench, subject)),
        Contender::new(PLAIN, || {
            begin(bench, stage.command(bare).arg(&bench.ok))?;
            ok(bench, stage.command(bare).arg(&bench.ok))
        }),
    ];
    if let Some(uv) = &bench.uv {
        contenders.push(Contender::new(UV_VENV, || uv_environment(bench, uv, subject)));
        contenders.push(Contender::new(UV_WITH, || uv_with(bench, uv, subject)));
    }
    let measured = interleave(contenders, bench.rounds)?;
    let what = format!(
        "a view never seen, {} ({} files) and 4 small wheels, to a running Python",
        subject.name, subject.files
    );
    let sides = Sides { omnipkg: OMNIPKG, plain: Some(PLAIN), peers: &[UV_VENV, UV_WITH] };
    Ok(Row::new(id, what, &measured, sides, (Judged::Difference, Clock::Process))?.budget(BUDGET))
}

/// Before each side: the disk is at rest, and the side's own program has run the script, untimed and with no new view. What
/// the one before left behind (a peer that made and removed twenty thousand files has emptied the processor's caches) is
/// not charged to the next.
fn begin(bench: &Bench<'_>, program: &mut Command) -> Result<()> {
    bench.stage.settle()?;
    ok(bench, program).map(drop)
}

/// The subject's requirements and small wheels in a set that nobody has seen.
pub fn unseen(bench: &Bench<'_>, subject: &Subject) -> Result<Vec<String>> {
    let small = bench.stage.unseen_without(&subject.pins)?.into_iter().map(str::to_owned);
    Ok(subject.pins.iter().cloned().chain(small).collect())
}

fn omnipkg(bench: &Bench<'_>, subject: &Subject) -> Result<Duration> {
    let stage = bench.stage;
    let mut command = stage.omnipkg("run");
    command.arg("--offline");
    for requirement in unseen(bench, subject)? {
        command.arg("--with").arg(requirement);
    }
    let before = stage.views()?;
    begin(bench, stage.omnipkg("run").arg(&bench.ok))?;
    let took = ok(bench, command.arg(&bench.ok))?;
    ensure!(stage.views()? == before + 1, "the view was not a new one");
    Ok(took)
}

fn uv_environment(bench: &Bench<'_>, uv: &Uv<'_>, subject: &Subject) -> Result<Duration> {
    let requirements = unseen(bench, subject)?;
    begin(bench, &mut uv.run_with::<&str>(&[], &bench.ok, true))?;
    let environment = uv.environment("uv-fresh", &requirements)?;
    let ran = ok(bench, bench.stage.command(&environment.python).arg(&bench.ok))?;
    let took = environment.took + ran;
    environment.remove()?;
    Ok(took)
}

fn uv_with(bench: &Bench<'_>, uv: &Uv<'_>, subject: &Subject) -> Result<Duration> {
    let requirements = unseen(bench, subject)?;
    begin(bench, &mut uv.run_with::<&str>(&[], &bench.ok, true))?;
    ok(bench, &mut uv.run_with(&requirements, &bench.ok, true))
}
