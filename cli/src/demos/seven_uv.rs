//! Demo 7 with uv: what a uv user does.
//!
//! An environment with one version; the script fails in it; its message is read, and it is run again with the other
//! version. The user's reading time is not counted. uv's cache begins empty, as the demo's store does.

use super::stage::{Place, median, output_of, timed};
use super::uv::Uv;
use anyhow::{Context, Result, ensure};
use omnipkg_store::interpreter::Interpreter;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

/// Times of the same work, both sides from process start to process exit.
pub struct Comparison {
    /// uv: the environment made, downloads included.
    pub environment: Duration,
    /// uv: the failing run, then the first run with the right version, downloads included.
    pub first: Duration,
    /// A later start with omnipkg, and with uv offline: medians.
    pub later: [Duration; 2],
}

/// uv's times for `script`, in whose environment rich is `active` and which wants `wanted`; `None` without uv.
pub fn compare(
    place: &Place,
    interpreter: &Interpreter,
    script: &Path,
    [active, wanted]: [&str; 2],
) -> Result<Option<Comparison>> {
    let Some(uv) = Uv::find(place, interpreter)? else {
        println!("\n6. uv is not on PATH, so there is nothing to compare with");
        return Ok(None);
    };
    println!("\n6. The same with uv: process start to process exit on both sides");
    let python = interpreter.path();
    let [active, wanted] = [active, wanted].map(|version| format!("rich=={version}"));
    let venv = place.work.join("venv");
    let (_, environment) = timed(|| {
        uv.environment(&venv, python)?;
        uv.install(&venv, &[active], false)
    })?;
    let (passed, failing) = timed(|| passes(place, &venv, script))?;
    ensure!(!passed, "uv's environment should not satisfy the script");
    let (_, first) = timed(|| uv.run_with(python, &wanted, script, false))?;
    uv.run_with(python, &wanted, script, true)?;

    // Interleaved, so that the machine's noise falls on both.
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        ours.push(timed(|| output_of(place.omnipkg()?.arg("run").arg(script)))?.1);
        theirs.push(timed(|| uv.run_with(python, &wanted, script, true))?.1);
    }
    let later = [median(ours), median(theirs)];
    println!("   a later start takes uv {:.1} times as long", later[1].as_secs_f64() / later[0].as_secs_f64());
    Ok(Some(Comparison { environment, first: failing + first, later }))
}

/// True if the script passes in the environment.
fn passes(place: &Place, venv: &Path, script: &Path) -> Result<bool> {
    let mut command = place.command(venv.join("bin/python"));
    command.arg(script).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Ok(command.status().context("cannot start the environment's Python")?.success())
}
