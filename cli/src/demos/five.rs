//! Demo 5: a pipeline whose halves need different Pythons.
//!
//! numpy 1 and scipy on Python 3.9 convolve a signal; what comes out goes as JSON to tensorflow on Python 3.11, which
//! predicts. Every stage is a process that a user could start; nothing is done in this one but to look at what they
//! say. The stages rely on the active Python, so the demo has its store for itself.

use super::five_uv::{self, Installed};
use super::lasting::{LastingStore, Turn};
use super::stage::{Place, output_of, output_of_talking, timed};
use super::table::Table;
use crate::settings::Settings;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::process::Command;
use std::time::Duration;

/// The first half.
pub const CONVOLVE: &str = "five_convolve.py";
/// The second half.
pub const PREDICT: &str = "five_predict.py";

const OLD: &str = "3.9";
const NEW: &str = "3.11";
const SCIENTIFIC: [&str; 2] = ["numpy<2", "scipy"];

/// The same tensorflow without what drives GPUs, a third of the size; there are wheels of it for x86-64 only.
const TENSORFLOW: &str = if cfg!(target_arch = "x86_64") { "tensorflow-cpu" } else { "tensorflow" };

/// Runs the demo; an error if anything is not as it should be.
pub fn run(settings: &Settings) -> Result<u8> {
    println!("Demo 5: one pipeline, two Pythons\n");
    let scripts = [(CONVOLVE, include_str!("five_convolve.py")), (PREDICT, include_str!("five_predict.py"))];
    let demo = LastingStore::open(settings, Turn::Alone, &scripts)?;
    demo.introduce();
    demo.require(5, &[OLD, NEW])?;
    let mut pipeline = Pipeline { place: demo.place(), stages: Vec::new() };

    println!("\n1. Python {OLD} with numpy 1 and scipy\n");
    pipeline.swap(OLD)?;
    let scientific = pipeline.install(OLD, &SCIENTIFIC)?;
    let python = pipeline.python(OLD)?;

    println!("\n2. The first half, with that Python\n");
    let mut half = demo.place().command(&python);
    let convolved = pipeline.payload("the first half", half.arg(CONVOLVE), &format!("{python} {CONVOLVE}"))?;
    check_convolved(&convolved)?;

    println!("\n3. Python {NEW} with tensorflow{}\n", note());
    pipeline.swap(NEW)?;
    let tensorflow = pipeline.install(NEW, &[TENSORFLOW])?;

    println!("\n4. The second half gets what the first one said\n");
    let mut half = demo.place().omnipkg()?;
    half.args(["run", PREDICT, &convolved]);
    let line = format!("omnipkg run {PREDICT} '{convolved}'");
    let predicted = pipeline.payload("the second half, by `omnipkg run`", &mut half, &line)?;
    check_predicted(&predicted)?;

    let theirs = five_uv::measure(demo.place(), &[scientific, tensorflow], &convolved)?;
    pipeline.tell(theirs.as_ref());
    Ok(0)
}

fn note() -> String {
    if TENSORFLOW == "tensorflow" { String::new() } else { format!(" ({TENSORFLOW}: the same without GPUs, smaller)") }
}

/// What the first half must have said.
pub fn check_convolved(text: &str) -> Result<()> {
    let said = parse(text)?;
    let (sum, numpy) = (said["sum"].as_i64(), said["numpy"].as_str().unwrap_or_default());
    ensure!(sum == Some(225), "the first half came to {sum:?}, and not to 225");
    ensure!(numpy.starts_with("1."), "the first half ran with numpy {numpy}, and not with numpy 1");
    Ok(())
}

/// What the second half must have said.
pub fn check_predicted(text: &str) -> Result<()> {
    let said = parse(text)?;
    ensure!(said["prediction"] == "SUCCESS", "the second half predicted {}, and not SUCCESS", said["prediction"]);
    Ok(())
}

/// The last line that looks like JSON is a payload's own.
fn parse(text: &str) -> Result<Value> {
    let line = text.lines().rev().find(|line| line.starts_with('{'));
    let line = line.with_context(|| format!("there is no JSON in {text:?}"))?;
    serde_json::from_str(line).with_context(|| format!("cannot read {line}"))
}

/// The stages, one process after the other.
struct Pipeline<'a> {
    place: &'a Place,
    stages: Vec<(String, Duration)>,
}

impl Pipeline<'_> {
    /// `omnipkg WORDS`, shown as it is; its answer in JSON.
    fn omnipkg(&mut self, words: &[&str]) -> Result<Value> {
        let shown: Vec<String> = words.iter().map(|word| quoted(word)).collect();
        let shown = shown.join(" ");
        println!("   $ omnipkg {shown}");
        let (text, time) = timed(|| output_of_talking(self.place.omnipkg()?.args(words).arg("--json")))?;
        self.stages.push((shown, time));
        parse(&text)
    }

    fn swap(&mut self, python: &str) -> Result<()> {
        let said = self.omnipkg(&["swap", "python", python])?;
        ensure!(said["environment"] == python, "`omnipkg swap python {python}` made {} active", said["environment"]);
        Ok(())
    }

    /// What is new gets its bytecode ahead of the first start, so that the next run of the demo is a warm one already.
    fn install(&mut self, python: &'static str, requirements: &[&str]) -> Result<Installed> {
        let said = self.omnipkg(&[&["install"], requirements].concat())?;
        ensure!(said["environment"] == python, "it was installed into {}, and not into {python}", said["environment"]);
        let new = !said["generation"].is_null();
        if new {
            self.omnipkg(&[&["install", "--compile"], requirements].concat())?;
            let (_, compiled) = self.stages.pop().context("no stage was timed")?;
            let (what, time) = self.stages.last_mut().context("no stage was timed")?;
            what.push_str(", then bytecode");
            *time += compiled;
        }
        Ok(Installed { python, new })
    }

    /// The environment's own Python, as scripts find it out.
    fn python(&mut self, version: &str) -> Result<String> {
        println!("   $ omnipkg info python");
        let (text, time) = timed(|| output_of(self.place.omnipkg()?.args(["info", "python"])))?;
        self.stages.push(("info python".to_owned(), time));
        let prefix = format!("Python {version}: ");
        let path = text.lines().find_map(|line| line.strip_prefix(&prefix));
        let path = path.with_context(|| format!("`omnipkg info python` does not name Python {version}: {text}"))?;
        println!("   {prefix}{path}");
        Ok(path.to_owned())
    }

    /// A half of the pipeline; what it said.
    fn payload(&mut self, what: &str, command: &mut Command, shown: &str) -> Result<String> {
        println!("   $ {shown}");
        let (text, time) = timed(|| output_of_talking(command))?;
        self.stages.push((what.to_owned(), time));
        let text = text.trim_end().to_owned();
        println!("   {text}");
        Ok(text)
    }

    fn tell(&self, theirs: Option<&five_uv::Measured>) {
        println!("\nTimes\n");
        let mut table = Table::new("stage", ["omnipkg", "uv"]);
        for (place, (what, ours)) in self.stages.iter().enumerate() {
            table.row(what, [Some(*ours), theirs.and_then(|theirs| theirs.stages.get(place).copied().flatten())]);
        }
        let ours: Duration = self.stages.iter().map(|(_, time)| *time).sum();
        table.row("in all", [Some(ours), theirs.map(|theirs| theirs.stages.iter().flatten().sum())]);
        if let Some(theirs) = theirs {
            table.row("the two halves alone, in uv's warm environments", [None, Some(theirs.alone)]);
        }
        table.print();
        if let Some(theirs) = theirs {
            let ratio = ours.as_secs_f64() / theirs.alone.as_secs_f64();
            let first = if theirs.fetched { " (with downloads: run the demo again)" } else { "" };
            println!("\n   all stages take {ratio:.2} times what the two halves alone take{first}");
        } else {
            println!("\n   uv is not on PATH, so there is nothing to compare with");
        }
    }
}

/// As a shell would need it.
fn quoted(word: &str) -> String {
    if word.contains(['<', '>']) { format!("'{word}'") } else { word.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_are_judged_by_their_last_line_of_json() {
        assert!(check_convolved("noise\n{\"sum\": 225, \"numpy\": \"1.26.4\"}\n").is_ok());
        assert!(check_convolved("{\"sum\": 225, \"numpy\": \"2.0.0\"}").is_err());
        assert!(check_convolved("{\"sum\": 224, \"numpy\": \"1.26.4\"}").is_err());
        assert!(check_convolved("nothing").is_err());
        assert!(check_predicted("{\"prediction\": \"FAILURE\"}").is_err());
    }
}
