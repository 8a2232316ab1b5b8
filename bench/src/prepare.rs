//! What is made before anything is timed: everything fetched, every environment warm; each when the first row needs it.

use crate::measure::Rounds;
use crate::plain::{Plain, freeze};
use crate::selection::Selection;
use crate::sets;
use crate::stage::Stage;
use crate::uv::Uv;
use anyhow::{Context, Result};
use std::cell::OnceCell;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A script that needs only its Python.
const OK: &str = "print('ok')\n";

/// Requirements that are measured, in a view and in a plain environment.
pub struct Subject {
    /// What rows call it.
    pub name: &'static str,
    /// Exact versions.
    pub pins: Vec<String>,
    /// How many files a view of them has, without bytecode.
    pub files: usize,
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
    subjects: [OnceCell<Subject>; Kind::ALL.len() + 2],
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Small and pure.
    Rich,
    /// Large extension modules.
    Scientific,
    /// Many distributions.
    Plotting,
    /// Twenty thousand files.
    Tensorflow,
    /// One module, beside the small wheels that are added to every set.
    Few,
    /// More files than any other.
    Large,
}

impl Kind {
    /// Those with something to import.
    pub const ALL: [Kind; 4] = [Kind::Rich, Kind::Scientific, Kind::Plotting, Kind::Tensorflow];

    /// What rows call it.
    pub fn id(self) -> &'static str {
        match self {
            Kind::Rich => "rich",
            Kind::Scientific => "scientific",
            Kind::Plotting => "plotting",
            Kind::Tensorflow => "tensorflow",
            Kind::Few => "few",
            Kind::Large => "large",
        }
    }

    /// What readers call it, what is asked for, and what is imported of it.
    fn contents(self) -> (&'static str, &'static [&'static str], &'static str) {
        match self {
            Kind::Rich => ("rich", &[sets::RICH], sets::RICH_IMPORTS),
            Kind::Scientific => ("numpy+scipy", &sets::SCIENTIFIC, sets::SCIENTIFIC_IMPORTS),
            Kind::Plotting => ("pandas+matplotlib", &sets::PLOTTING, sets::PLOTTING_IMPORTS),
            Kind::Tensorflow => ("tensorflow-cpu", &sets::TENSORFLOW, sets::TENSORFLOW_IMPORTS),
            Kind::Few => ("six", &["six==1.16.0"], "six"),
            Kind::Large => ("tensorflow-cpu+pandas+matplotlib+scikit-learn", &sets::LARGE, sets::LARGE_IMPORTS),
        }
    }
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
        Ok(Self { stage, rounds, only, ok, uv, interpreter, bare: OnceCell::new(), subjects: Default::default() })
    }

    /// The Python of an empty plain environment.
    pub fn bare(&self) -> Result<&Path> {
        once(&self.bare, || Plain::new(self.stage, self.interpreter).empty("bare")).map(PathBuf::as_path)
    }

    /// The interpreter of every side.
    pub fn interpreter(&self) -> &Path {
        self.interpreter
    }

    /// Something to measure with.
    pub fn subject(&self, kind: Kind) -> Result<&Subject> {
        once(&self.subjects[kind as usize], || self.make(kind))
    }

    /// What was made until now.
    pub fn prepared(&self) -> Vec<&Subject> {
        self.subjects.iter().filter_map(OnceCell::get).collect()
    }

    fn make(&self, kind: Kind) -> Result<Subject> {
        let (name, requirements, imports) = kind.contents();
        eprintln!("fetching and preparing {name} …");
        let requirements: Vec<String> = requirements.iter().map(|text| (*text).to_owned()).collect();
        // The versions that omnipkg resolves for this interpreter; the other sides get the same.
        let pins = freeze(self.stage, &self.stage.mount(&requirements, &[])?)?;
        let subject = subject(self.stage, &Plain::new(self.stage, self.interpreter), name, pins, imports)?;
        let with_small = sets::with_small(&subject.pins);
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
    let files = count_files(&view).with_context(|| format!("cannot walk {}", view.display()))?;
    let plain = plain.like(&format!("plain-{name}"), &view, imports)?;
    Ok(Subject { name, pins, files, imports, view, plain })
}

fn count_files(directory: &Path) -> io::Result<usize> {
    let mut count = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        match entry.file_type()? {
            kind if kind.is_dir() && entry.file_name() != "__pycache__" => count += count_files(&entry.path())?,
            kind if kind.is_file() => count += 1,
            _ => {}
        }
    }
    Ok(count)
}
