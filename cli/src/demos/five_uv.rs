//! Demo 5 with uv: an environment for each Python with the very versions that omnipkg installed, kept like omnipkg's
//! store is, and the two halves in them.

use super::five::{CONVOLVE, PREDICT, check_convolved, check_predicted};
use super::stage::{Place, output_of, timed};
use super::uv::Uv;
use anyhow::{Context, Result};
use omnipkg_store::Store;
use omnipkg_store::interpreter::probe_cached;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What omnipkg installed.
pub struct Installed {
    /// Into which environment.
    pub python: &'static str,
    /// False if it was there already.
    pub new: bool,
}

/// uv's times.
pub struct Measured {
    /// In the order of the demo's stages; `None` for what is omnipkg's alone.
    pub stages: [Option<Duration>; 7],
    /// The two halves once more, when everything is warm.
    pub alone: Duration,
    /// Something had to be fetched, on either side.
    pub fetched: bool,
}

/// Does the same work with uv; `None` without uv.
pub fn measure(place: &Place, installed: &[Installed; 2], convolved: &str) -> Result<Option<Measured>> {
    let [scientific, tensorflow] = installed;
    let interpreter = probe_cached(&Store::open(&place.settings.home)?, &interpreter(place, scientific.python)?)?;
    let Some(uv) = Uv::find(place, &interpreter)? else { return Ok(None) };
    println!("\n5. The same with uv: the same interpreters and versions, process start to process exit\n");
    let old = Environment::make(&uv, place, scientific.python)?;
    let first = || old.payload(place, &[CONVOLVE], check_convolved);
    let first_half = first()?;
    let new = Environment::make(&uv, place, tensorflow.python)?;
    let second = || new.payload(place, &[PREDICT, convolved], check_predicted);
    let second_half = second()?;
    // In the order of the demo's stages; `info python` has no counterpart.
    let stages = [old.made, old.installed, Duration::ZERO, first_half, new.made, new.installed, second_half];
    Ok(Some(Measured {
        stages: stages.map(|time| Some(time).filter(|time| !time.is_zero())),
        alone: first()? + second()?,
        fetched: old.fetched || new.fetched || scientific.new || tensorflow.new,
    }))
}

/// An environment of uv's.
struct Environment {
    path: PathBuf,
    made: Duration,
    installed: Duration,
    fetched: bool,
}

impl Environment {
    fn make(uv: &Uv<'_>, place: &Place, python: &str) -> Result<Self> {
        let path = place.work.join(format!("uv-{python}"));
        let pins = pins(place, python)?;
        // What was in it when it was finished: then nothing need be fetched again.
        let finished = place.work.join(format!("uv-{python}.txt"));
        let fetched = fs::read_to_string(&finished).ok().as_ref() != Some(&pins.join("\n"));
        let interpreter = interpreter(place, python)?;
        println!("   $ uv venv uv-{python}; uv pip install ({} projects)", pins.len());
        let (_, made) = timed(|| uv.environment(&path, &interpreter))?;
        let (_, installed) = timed(|| uv.install(&path, &pins, !fetched))?;
        fs::write(&finished, pins.join("\n")).with_context(|| format!("cannot write {}", finished.display()))?;
        Ok(Self { path, made, installed, fetched })
    }

    fn payload(&self, place: &Place, words: &[&str], check: fn(&str) -> Result<()>) -> Result<Duration> {
        let (text, time) = timed(|| output_of(place.command(self.path.join("bin/python")).args(words)))?;
        check(&text).context("with uv")?;
        Ok(time)
    }
}

/// `name==version` of all that an environment of omnipkg's holds.
fn pins(place: &Place, python: &str) -> Result<Vec<String>> {
    let said = ask(place, &["list", "--env", python])?;
    let rows = said["distributions"].as_array().into_iter().flatten();
    let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    Ok(rows.map(|row| format!("{}=={}", text(row, "name"), text(row, "version"))).collect())
}

/// The interpreter that an environment of omnipkg's is bound to.
fn interpreter(place: &Place, python: &str) -> Result<PathBuf> {
    let said = ask(place, &["info", "python"])?;
    let mut rows = said["pythons"].as_array().into_iter().flatten();
    let row = rows.find(|row| row["environment"] == python);
    let path = row.and_then(|row| row["interpreter"].as_str());
    path.map(|path| Path::new(path).to_owned()).with_context(|| format!("Python {python} has no interpreter"))
}

fn ask(place: &Place, words: &[&str]) -> Result<Value> {
    let text = output_of(place.omnipkg()?.args(words).arg("--json"))?;
    serde_json::from_str(&text).with_context(|| format!("`omnipkg {}` gave no JSON", words.join(" ")))
}
