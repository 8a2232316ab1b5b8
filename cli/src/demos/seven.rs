//! Demo 7: a script asserts another version than its environment has, is healed, and starts healed from then on.
//!
//! Everything happens for real, in a store of its own that is taken away afterwards: wheels come from the index,
//! the failure is the script's own assertion, and times run from process start to process exit.

use super::seven_uv;
use super::stage::{output_of, timed};
use super::table::Table;
use super::temporary::TemporaryStore;
use crate::arguments::RunOptions;
use crate::commands::install;
use crate::commands::run::{Job, Keeping};
use crate::context::Context;
use crate::healing::{Failure, LazyWorkshop, ProgramRunner, RunView};
use crate::interpreters;
use crate::namespace;
use crate::output;
use crate::settings::Settings;
use crate::signals::Signals;
use crate::workshop::Composed;
use anyhow::{Context as _, Result, ensure};
use omnipkg_healer::{Attempt, Plan, Report, Runner, Verdict, Views};
use omnipkg_store::Store;
use omnipkg_store::interpreter::Interpreter;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

const SCRIPT: &str = include_str!("seven.py");
const ACTIVE: &str = "13.7.1";
const WANTED: &str = "13.4.2";

/// Runs the demo; an error if anything is not as it should be.
pub fn run(settings: &Settings, python: Option<&str>) -> Result<u8> {
    let demo = TemporaryStore::new(settings)?;
    namespace::enter_for_run(&demo.place().settings)?;
    let signals = Signals::block()?;
    let place = demo.place();
    let settings = &place.settings;
    let store = Store::open(&settings.home)?;
    let mut table = Table::new("stage", ["omnipkg", "uv"]);

    println!("1. An environment with rich {ACTIVE}, in a store of its own ({})", settings.home.display());
    let interpreter = interpreters::find(&store, python, None)?;
    println!("   Python {} at {}", interpreter.facts.full_version(), interpreter.path().display());
    let (_, made) = timed(|| environment(settings, &store, interpreter.clone()))?;

    let script = place.work.join("seven.py");
    fs::write(&script, SCRIPT).with_context(|| format!("cannot write {}", script.display()))?;
    println!("\n2. A script that wants rich {WANTED}:\n");
    SCRIPT.lines().for_each(|line| println!("   | {line}"));

    println!("\n3. `omnipkg run seven.py`\n");
    let healed = heal_it(settings, &signals, &script)?;
    healed.show();
    ensure!(healed.exit == 0, "the healed script ended with exit code {}", healed.exit);

    println!("\n4. The second start is healed from the first instant\n");
    let (text, second) = timed(|| output_of(place.omnipkg()?.arg("run").arg(&script)))?;
    print!("   {text}");
    ensure!(text.contains(WANTED), "the second start did not see rich {WANTED}");

    println!("\n5. The environment is what it was\n");
    let check = "import importlib.metadata as m; print('rich', m.version('rich'))";
    let text = output_of(place.omnipkg()?.args(["run", "--", "python", "-c", check]))?;
    print!("   {text}");
    ensure!(text.trim() == format!("rich {ACTIVE}"), "the environment's rich changed: {text}");

    let uv = seven_uv::compare(place, &interpreter, &script, [ACTIVE, WANTED])?;
    println!("\nTimes\n");
    table.row("environment made, downloads included", [Some(made), uv.as_ref().map(|uv| uv.environment)]);
    healed.times(&mut table, uv.as_ref().map(|uv| uv.first));
    table.row("the second start", [Some(second), None]);
    if let Some(uv) = &uv {
        table.row("a later start, median of 5", [Some(uv.later[0]), Some(uv.later[1])]);
    }
    table.print();
    Ok(0)
}

fn environment(settings: &Settings, store: &Store, interpreter: Interpreter) -> Result<()> {
    let context = Context::default_environment(settings, store, interpreter, true)?;
    let wanted = [format!("rich=={ACTIVE}").parse().context("the demo's requirement")?];
    install::install_into(settings, store, context, &wanted)?.context("another process changed the demo's store")?;
    Ok(())
}

/// What healing the script came to, stage by stage.
struct Healed {
    exit: i32,
    attempts: Vec<Attempt>,
    runs: Vec<Duration>,
    compositions: Vec<(Duration, Composed)>,
}

fn heal_it(settings: &Settings, signals: &Signals, script: &Path) -> Result<Healed> {
    let options = RunOptions::for_script(script.as_os_str().to_owned());
    let job = Job::new(settings, signals, &options)?;
    let mut views = TimedViews {
        inner: LazyWorkshop::new(settings, signals, job.python_choice(), || job.open()),
        compositions: Vec::new(),
    };
    let (start, keeping) = job.first_view(&mut views.inner, None)?;
    keeping.into_iter().for_each(Keeping::finish);
    let mut runner =
        TimedRunner { inner: ProgramRunner::new(signals, &job.program, &job.over, &settings.home), runs: Vec::new() };
    let outcome = job.heal(job.plan(None)?, start, &mut views, &mut runner)?;
    job.remember(&outcome, false, views.inner.interpreter_of(&outcome.view))?;
    Ok(Healed { exit: outcome.exit, attempts: outcome.attempts, runs: runner.runs, compositions: views.compositions })
}

impl Healed {
    fn show(&self) {
        for (attempt, (_, composed)) in self.attempts.iter().zip(&self.compositions) {
            println!("\n   failure    {}: {}", attempt.report.exception.class, attempt.report.exception.message);
            if let Some(diagnosis) = &attempt.diagnosis {
                println!("   diagnosis  {}", diagnosis.evidence);
            }
            let plan: Vec<String> = attempt.taken.iter().map(ToString::to_string).collect();
            println!("   plan       {}", plan.join(", "));
            let cost = composed.cost;
            println!(
                "   view       {} ({} wheels, {} files)",
                composed.id,
                composed.description.wheels.len(),
                cost.files
            );
            println!(
                "   new        {} wheel, {} of its files were new to the store ({})",
                cost.new_wheels,
                cost.new_objects,
                output::bytes(cost.new_bytes)
            );
            println!("   re-run     exit code {}", self.exit);
        }
    }

    /// The stages, and their sum beside uv's.
    fn times(&self, table: &mut Table<2>, uv: Option<Duration>) {
        table.row("failing run, healing and re-run, in all", [Some(self.runs.iter().sum()), uv]);
        for (time, composed) in &self.compositions {
            let cost = composed.cost;
            table.row("  resolving", [Some(cost.resolve), None]);
            table.row("  fetching and storing what is new", [Some(cost.fetch), None]);
            table.row("  the view, made and visible", [Some(cost.view), None]);
            table.row("  diagnosis to healed view, in all", [Some(*time), None]);
        }
        if let Some(run) = self.runs.last() {
            table.row("  the re-run", [Some(*run), None]);
        }
    }
}

struct TimedViews<'a> {
    inner: LazyWorkshop<'a>,
    compositions: Vec<(Duration, Composed)>,
}

impl Views for TimedViews<'_> {
    type View = RunView;
    type Error = Failure;

    fn compose(&mut self, plan: &Plan) -> Result<RunView, Failure> {
        let started = Instant::now();
        let view = self.inner.compose(plan)?;
        if let Some(composed) = &view.composed {
            self.compositions.push((started.elapsed(), (**composed).clone()));
        }
        Ok(view)
    }

    fn version(&self, view: &RunView, project: &str) -> Option<String> {
        self.inner.version(view, project)
    }

    fn other_python(&self, view: &RunView, before: &RunView) -> Option<String> {
        self.inner.other_python(view, before)
    }
}

struct TimedRunner<'a> {
    inner: ProgramRunner<'a>,
    runs: Vec<Duration>,
}

impl Runner<RunView> for TimedRunner<'_> {
    type Error = Failure;

    fn run(&mut self, view: &RunView, on_failure: &mut dyn FnMut(Report) -> Verdict) -> Result<i32, Failure> {
        let started = Instant::now();
        let exit = self.inner.run(view, on_failure)?;
        self.runs.push(started.elapsed());
        Ok(exit)
    }
}
