//! What is made before anything is timed: everything fetched, every environment warm.

use crate::measure::Rounds;
use crate::plain::{Plain, freeze};
use crate::sets;
use crate::stage::Stage;
use crate::uv::Uv;
use anyhow::{Context, Result};
use std::path::PathBuf;

/// A script that needs only its Python.
const OK: &str = "print('ok')\n";

/// Requirements that are measured, in a view and in a plain environment.
pub struct Subject {
    /// What rows call it.
    pub name: &'static str,
    /// Exact versions.
    pub pins: Vec<String>,
    /// What is imported of them.
    pub imports: &'static str,
    /// A view of them, with bytecode.
    pub view: PathBuf,
    /// The Python of a plain environment with the same distributions, with bytecode.
    pub plain: PathBuf,
}

/// All that the families measure with.
pub struct Bench<'a> {
    /// Where.
    pub stage: &'a Stage,
    /// How often.
    pub rounds: Rounds,
    /// The Python of an empty plain environment.
    pub bare: PathBuf,
    /// The script that needs nothing.
    pub ok: PathBuf,
    /// Small.
    pub rich: Subject,
    /// Large.
    pub scientific: Subject,
    /// The peer, if it is there.
    pub uv: Option<Uv<'a>>,
}

/// The interpreter that omnipkg takes; the other sides get the same.
pub fn interpreter(stage: &Stage) -> Result<PathBuf> {
    let python = stage.mount(&[sets::RICH.to_owned()], &[])?.join("bin/python");
    python.canonicalize().with_context(|| format!("cannot follow {}", python.display()))
}

impl<'a> Bench<'a> {
    /// Fetches and makes everything.
    pub fn prepare(stage: &'a Stage, interpreter: &'a std::path::Path, rounds: Rounds) -> Result<Self> {
        let plain = Plain::new(stage, interpreter);
        let ok = stage.script("ok.py", OK)?;
        let rich = subject(stage, &plain, "rich", vec![sets::RICH.to_owned()], sets::RICH_IMPORTS)?;
        let pins = scientific_pins(stage)?;
        let scientific = subject(stage, &plain, "numpy+scipy", pins, sets::SCIENTIFIC_IMPORTS)?;
        let bare = plain.empty("bare")?;
        let small = sets::SMALL.map(str::to_owned);
        for pins in [&rich.pins, &scientific.pins] {
            stage.mount(&[&pins[..], &small].concat(), &["--compile"])?;
        }
        // The first run makes the active environment.
        stage.run(stage.omnipkg("run").arg(&ok))?;
        let uv = Uv::find(stage, interpreter);
        if let Some(uv) = &uv {
            for pins in [&rich.pins, &scientific.pins] {
                uv.fetch(&[&pins[..], &small].concat(), &ok)?;
                uv.fetch(pins, &ok)?;
            }
        }
        Ok(Self { stage, rounds, bare, ok, rich, scientific, uv })
    }
}

fn subject(
    stage: &Stage,
    plain: &Plain<'_>,
    name: &'static str,
    pins: Vec<String>,
    imports: &'static str,
) -> Result<Subject> {
    let view = stage.mount(&pins, &["--compile"])?;
    let plain = plain.like(&format!("plain-{name}"), &view, imports)?;
    Ok(Subject { name, pins, imports, view, plain })
}

/// The versions that omnipkg resolves for this interpreter; the other sides get the same.
fn scientific_pins(stage: &Stage) -> Result<Vec<String>> {
    let view = stage.mount(&sets::SCIENTIFIC.map(str::to_owned), &[])?;
    freeze(stage, &view)
}
