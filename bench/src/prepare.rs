//! What is made before anything is timed: everything fetched, every environment warm; each when the first row needs it.

use crate::measure::Rounds;
use crate::plain::{Plain, freeze};
use crate::selection::Selection;
use crate::sets;
use crate::stage::Stage;
use crate::uv::Uv;
use anyhow::{Context, Result};
use std::cell::OnceCell;
use std::path::{Path, PathBuf};

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
    /// Which rows.
    pub only: Selection,
    /// The script that needs nothing.
    pub ok: PathBuf,
    /// The peer, if it is there.
    pub uv: Option<Uv<'a>>,
    interpreter: &'a Path,
    bare: OnceCell<PathBuf>,
    rich: OnceCell<Subject>,
    scientific: OnceCell<Subject>,
}

/// The interpreter that omnipkg takes; the other sides get the same.
pub fn interpreter(stage: &Stage) -> Result<PathBuf> {
    let python = stage.mount(&[sets::RICH.to_owned()], &[])?.join("bin/python");
    python.canonicalize().with_context(|| format!("cannot follow {}", python.display()))
}

impl<'a> Bench<'a> {
    /// Makes what every row needs.
    pub fn prepare(stage: &'a Stage, interpreter: &'a Path, rounds: Rounds, only: Selection) -> Result<Self> {
        let ok = stage.script("ok.py", OK)?;
        // The first run makes the active environment.
        stage.run(stage.omnipkg("run").arg(&ok))?;
        let uv = Uv::find(stage, interpreter);
        let (bare, rich, scientific) = (OnceCell::new(), OnceCell::new(), OnceCell::new());
        Ok(Self { stage, rounds, only, ok, uv, interpreter, bare, rich, scientific })
    }

    /// The Python of an empty plain environment.
    pub fn bare(&self) -> Result<&Path> {
        once(&self.bare, || Plain::new(self.stage, self.interpreter).empty("bare")).map(PathBuf::as_path)
    }

    /// Small.
    pub fn rich(&self) -> Result<&Subject> {
        once(&self.rich, || self.subject("rich", vec![sets::RICH.to_owned()], sets::RICH_IMPORTS))
    }

    /// Large.
    pub fn scientific(&self) -> Result<&Subject> {
        let make = || self.subject("numpy+scipy", scientific_pins(self.stage)?, sets::SCIENTIFIC_IMPORTS);
        once(&self.scientific, make)
    }

    /// What was made until now.
    pub fn prepared(&self) -> Vec<&Subject> {
        self.rich.get().into_iter().chain(self.scientific.get()).collect()
    }

    fn subject(&self, name: &'static str, pins: Vec<String>, imports: &'static str) -> Result<Subject> {
        eprintln!("fetching and preparing {name} …");
        let subject = subject(self.stage, &Plain::new(self.stage, self.interpreter), name, pins, imports)?;
        let with_small = [&subject.pins[..], &sets::SMALL.map(str::to_owned)].concat();
        self.stage.mount(&with_small, &["--compile"])?;
        if let Some(uv) = &self.uv {
            uv.fetch(&with_small, &self.ok)?;
            uv.fetch(&subject.pins, &self.ok)?;
        }
        Ok(subject)
    }
}

/// What is in a cell, made first if need be.
fn once<T>(cell: &OnceCell<T>, make: impl FnOnce() -> Result<T>) -> Result<&T> {
    if cell.get().is_none() {
        let _ = cell.set(make()?);
    }
    cell.get().context("nothing was made")
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
