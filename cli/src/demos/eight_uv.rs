//! Demo 8 with uv: three parallel `uv run --offline --with`, against the three threads, when both have everything.

use super::eight::{LANES, Lane, VERIFY, at_once, check_version, thread_of};
use super::stage::{Place, median, timed};
use super::uv::Uv;
use crate::output;
use anyhow::{Context, Result};
use omnipkg_store::Store;
use omnipkg_store::environment::Environments;
use omnipkg_store::interpreter::{Interpreter, probe_cached};
use omnipkg_store::view::description::ViewDescription;
use std::fs;
use std::time::Duration;

/// Rounds in which both sides run.
const ROUNDS: usize = 5;

/// Prints how long both take.
pub fn compare(place: &Place) -> Result<()> {
    let interpreters = LANES.map(|lane| interpreter(place, lane)).into_iter().collect::<Result<Vec<_>>>()?;
    let first = interpreters.first().context("there is no lane")?;
    let Some(uv) = Uv::find(place, first)? else {
        println!("\n3. uv is not on PATH, so there is nothing to compare with");
        return Ok(());
    };
    println!("\n3. The same with uv, offline and warm: median of {ROUNDS} rounds, both sides in turn\n");
    for lane in LANES {
        println!("   $ uv run --offline --python {} --with rich=={} {VERIFY}", lane.python, lane.version);
    }
    let run = |lane: Lane, offline: bool| -> Result<()> {
        let interpreter = LANES.iter().zip(&interpreters).find(|(of, _)| of.python == lane.python);
        let (_, interpreter) = interpreter.context("no such lane")?;
        let requirement = format!("rich=={}", lane.version);
        let said = uv.run_with(interpreter.path(), &requirement, VERIFY.as_ref(), offline)?;
        check_version(&serde_json::from_str(&said).context("uv's script gave no JSON")?, lane).context("with uv")
    };
    fetch(place, &run)?;
    let (mut ours, mut theirs): (Vec<Duration>, Vec<Duration>) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(at_once(|lane, began| thread_of(place, lane, began))?.1);
        theirs.push(timed(|| at_once(|lane, _| run(lane, true)))?.1);
    }
    let (ours, theirs) = (median(ours), median(theirs));
    println!("\n   omnipkg {}, uv {}", output::duration(ours), output::duration(theirs));
    println!("   omnipkg takes {:.2} times what uv takes", ours.as_secs_f64() / theirs.as_secs_f64());
    Ok(())
}

/// Once, so that uv has everything in its cache; remembered, for then it need not be asked online again.
fn fetch(place: &Place, run: &impl Fn(Lane, bool) -> Result<()>) -> Result<()> {
    let fetched = place.work.join("uv-eight");
    let offline = fetched.exists();
    LANES.into_iter().try_for_each(|lane| run(lane, offline))?;
    fs::write(&fetched, "").with_context(|| format!("cannot write {}", fetched.display()))
}

/// The interpreter that a lane's environment is bound to.
fn interpreter(place: &Place, lane: Lane) -> Result<Interpreter> {
    let store = Store::open(&place.settings.home)?;
    let view = Environments::new(&store).view(lane.python)?;
    let view = view.with_context(|| format!("there is no environment {}", lane.python))?;
    Ok(probe_cached(&store, &ViewDescription::load(&store, &view)?.interpreter)?)
}
