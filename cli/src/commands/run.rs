//! `omnipkg run`: a program in the environment that it needs, healed if its environment fails it.
//!
//! The warm path reads the script, one remembered answer and a few links, and starts the program: no network, no
//! solver, no async runtime, no SQLite.

mod healed;

use crate::arguments::{HealPolicy, RunOptions};
use crate::commands::open_store;
use crate::compiling;
use crate::context::{Base, Beneath, Context, Purpose, RUN_OVER, Target, run_over};
use crate::healing::{LazyWorkshop, ProgramRunner, PythonChoice, RunView, Unnoted};
use crate::index_settings;
use crate::inputs::{self, Inputs};
use crate::interpreters;
use crate::launch::{self, Program, Told, Wrapper};
use crate::namespace;
use crate::output;
use crate::projection;
use crate::remembered::{RememberedRun, RunKey};
use crate::script::{Block, Script};
use crate::server::gather;
use crate::settings::Settings;
use crate::signals::Signals;
use crate::writable::WritableRuns;
use anyhow::Result;
use omnipkg_healer::{Ended, Plan};
use omnipkg_store::interpreter::registry;
use omnipkg_store::{Digest, Layout, Store};
use pep508_rs::Requirement;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::thread::JoinHandle;

/// Runs a program and returns its exit code.
pub fn run(settings: &Settings, options: &RunOptions) -> Result<u8> {
    // While there is one thread, and before anything is looked at in the mount.
    namespace::enter_for_run(settings)?;
    let signals = Signals::block()?;
    let job = Job::new(settings, &signals, options)?;
    let remembered = job.remembered();
    let mut workshop = LazyWorkshop::new(settings, &signals, job.python_choice(), || job.open());
    let (mut start, keeping) = match job.start_at_once(remembered.as_ref()) {
        Some(view) => (view, None),
        None => job.first_view(&mut workshop, remembered.as_ref())?,
    };
    let mut plan = job.plan(remembered.as_ref())?;
    let predicted = match remembered {
        Some(_) => None,
        None => job.predict(&signals, (&plan, &start), &mut workshop),
    };
    let is_predicted = predicted.is_some();
    if let Some(better) = predicted {
        (plan, start) = better;
    }
    if options.compile {
        compile(settings, &signals, &start)?;
    }
    let mut writable = match options.writable {
        true => Some(WritableRuns::new(settings, open_store(settings)?, options.keep.clone())),
        false => None,
    };
    if options.heal == HealPolicy::Off {
        let (path, wrapper) = match &mut writable {
            Some(runs) => runs.prepare(&start)?,
            None => (start.path.clone(), Wrapper::default()),
        };
        let code = launch::run(&signals, &path, &wrapper, &job.program, job.told(), None);
        keeping.into_iter().for_each(Keeping::finish);
        finish(writable);
        gather::after_run(&Layout::new(&settings.home), &start.id, &start.path);
        return Ok(exit_code(code?));
    }
    let mut runner = ProgramRunner::new(&signals, &job.program, &job.over, &settings.home);
    runner.writable = writable;
    let outcome = job.heal(plan, start, &mut workshop, &mut runner);
    keeping.into_iter().for_each(Keeping::finish);
    finish(runner.writable);
    let outcome = outcome?;
    job.remember(&outcome, is_predicted, workshop.interpreter_of(&outcome.view))?;
    if let Some(form) = options.save {
        job.save(form, &outcome);
    }
    if outcome.exit != 0 && remembered.as_ref().is_some_and(RememberedRun::is_on_another_python) {
        job.forget();
    }
    gather::after_run(&Layout::new(&settings.home), &outcome.view.id, &outcome.view.path);
    if let Ended::NotComposed(error) = &outcome.ended {
        output::error(&error.0);
        if !options.heal_builds && format!("{:#}", error.0).contains("no wheel, only source") {
            output::hint("--heal-builds lets what heals a failure be built from source");
        }
    }
    Ok(exit_code(outcome.exit))
}

/// What is to be run, and all that decides in which view.
pub struct Job<'a> {
    settings: &'a Settings,
    options: &'a RunOptions,
    /// What is started.
    pub program: Program,
    /// What it is told of what lies beneath it.
    pub over: String,
    block: Option<Block>,
    source: Option<Vec<u8>>,
    with: Vec<Requirement>,
    target: Target,
    beneath: Beneath,
    key: Option<Digest>,
}

impl<'a> Job<'a> {
    /// What the program is told if nobody waits for reports.
    pub fn told(&self) -> Told<'_> {
        Told { over: &self.over, failures: None }
    }

    /// Reads the script and looks what lies beneath.
    pub fn new(settings: &'a Settings, signals: &Signals, options: &'a RunOptions) -> Result<Self> {
        let program = program(options);
        let with = Inputs::new(settings, options.selection.python.as_deref()).read(&options.with, &[])?;
        let script = match &program {
            Program::Script(line) if line.first().is_some_and(|path| path != "-") => Script::read(Path::new(&line[0]))?,
            _ => None,
        };
        let isolated = script.as_ref().is_some_and(|script| script.block.is_some());
        let target = Target::find(&Layout::new(&settings.home), &options.selection, Purpose::Use)?;
        let beneath = beneath(settings, signals, &target, isolated)?;
        let blocks = script.iter().filter_map(|script| script.block.as_ref());
        let local = with.iter().chain(blocks.flat_map(|block| &block.dependencies));
        let states: Vec<String> = local.filter_map(|one| inputs::state(one).transpose()).collect::<Result<_>>()?;
        let key = Self::key(options, &program, script.as_ref(), &target, &beneath, &states);
        let over = over(&Layout::new(&settings.home), &beneath, isolated);
        let (block, source) = script.map_or((None, None), |script| (script.block, Some(script.source)));
        Ok(Self { settings, options, program, over, block, source, with, target, beneath, key })
    }

    /// The key of (script, context); `None` for what has no stable content (standard input, a directory).
    fn key(
        options: &RunOptions,
        program: &Program,
        script: Option<&Script>,
        target: &Target,
        beneath: &Beneath,
        states: &[String],
    ) -> Option<Digest> {
        let mut key = RunKey::new();
        match (program, script) {
            (Program::Script(_), Some(script)) => key.add("script", script.digest.as_bytes()),
            (Program::Script(_), None) => return None,
            (Program::Module(line), _) => key.add("module", line.first()?.as_encoded_bytes()),
            (Program::Command(line), _) => {
                line.iter().for_each(|part| key.add("command", part.as_encoded_bytes()));
            }
        }
        options.with.iter().for_each(|text| key.add("with", text.as_bytes()));
        states.iter().for_each(|state| key.add("state", state.as_bytes()));
        // What lies beneath has its interpreter; a script with a PEP 723 block has nothing beneath, so that there the
        // Python that was asked for counts.
        if script.is_none_or(|script| script.block.is_none()) {
            key.add("beneath", beneath.identity().as_bytes());
            // No remedy takes another Python than one that was asked for.
            key.add("asked", target.request().or(options.selection.python.as_deref()).unwrap_or("").as_bytes());
        } else {
            key.add("python", target.said_request().unwrap_or("").as_bytes());
        }
        // What there was then is another question than what there is now.
        if let Some(limit) = index_settings::exclude_newer(&options.index) {
            key.add("exclude newer", limit.value.as_bytes());
        }
        Some(key.finish())
    }

    /// What is remembered of such a run.
    pub fn remembered(&self) -> Option<RememberedRun> {
        let run = RememberedRun::read(&Layout::new(&self.settings.home), self.key.as_ref()?)?;
        let unwanted = self.settings.refresh || (self.options.heal == HealPolicy::Off && run.is_healed());
        (!unwanted).then_some(run)
    }

    /// The view to start in, if it is known and visible without doing anything.
    pub fn start_at_once(&self, remembered: Option<&RememberedRun>) -> Option<RunView> {
        let layout = Layout::new(&self.settings.home);
        let id = match (remembered, &self.beneath) {
            (Some(run), _) => run.view,
            (None, Beneath::Environment { name, view }) if self.is_plain() => {
                registry::is_current(&layout, name).then_some(*view)?
            }
            (None, Beneath::View(view)) if self.is_plain() => *view,
            _ => return None,
        };
        // Through the projection to the interpreter: one that is gone is told of, and replaced, on the way that is not
        // this quick.
        let path = projection::visible_now(self.settings, &layout, &id)?;
        fs::metadata(path.join("bin/python")).ok()?;
        Some(RunView { id, path, composed: None })
    }

    /// True if nothing is asked for beyond what lies beneath.
    fn is_plain(&self) -> bool {
        self.block.is_none() && self.with.is_empty()
    }

    /// Which Pythons a remedy may choose.
    pub fn python_choice(&self) -> PythonChoice {
        let required = self.block.as_ref().and_then(|block| block.requires_python.clone());
        let asked = self.options.selection.python.as_deref().or(match &self.block {
            None => self.target.request(),
            Some(_) => self.target.said_request(),
        });
        PythonChoice {
            asked: asked.map(str::to_owned),
            required,
            only_by_name: false,
            builds: self.options.heal_builds,
        }
    }

    /// Opens the store and finds the context.
    pub fn open(&self) -> Result<(Store, Context)> {
        let store = open_store(self.settings)?;
        let context = match &self.block {
            Some(block) => {
                let said = self.target.said_request();
                Context::isolated(interpreters::find(&store, said, block.requires_python.as_ref())?)
            }
            None => Context::find(self.settings, &store, &self.target)?,
        };
        Ok((store, context))
    }

    /// Composes the first view, or makes a known one visible again. A new one is kept while the program runs already.
    pub fn first_view(
        &self,
        workshop: &mut LazyWorkshop<'_>,
        remembered: Option<&RememberedRun>,
    ) -> Result<(RunView, Option<Keeping>)> {
        if let Some(run) = remembered {
            let store = open_store(self.settings)?;
            if store.layout().view(&run.view).exists() {
                let path = projection::make_visible(self.settings, &store, &run.view)?;
                return Ok((RunView { id: run.view, path, composed: None }, None));
            }
        }
        if self.is_plain()
            && remembered.is_none()
            && let Base::Managed { view, .. } = workshop.workshop()?.context().base
        {
            let path = projection::make_visible(self.settings, workshop.workshop()?.store(), &view)?;
            return Ok((RunView { id: view, path, composed: None }, None));
        }
        let (composed, unnoted) = workshop.compose_unnoted(&self.plan(remembered)?)?;
        let view = RunView::from(composed);
        let made_for = workshop.interpreter_of(&view).filter(|_| !self.is_plain() && remembered.is_none());
        let keeping = match (&self.key, made_for) {
            (Some(key), Some(interpreter)) => {
                let run = RememberedRun::new(view.id, interpreter, &self.plan(None)?);
                Some(Keeping::start(workshop.workshop()?.store().clone(), run, *key, unnoted))
            }
            _ => {
                unnoted.note(workshop.workshop()?.store())?;
                None
            }
        };
        Ok((view, keeping))
    }

    /// What is asked for, with the remedies that are remembered.
    pub fn plan(&self, remembered: Option<&RememberedRun>) -> Result<Plan> {
        if let Some(run) = remembered {
            return run.plan();
        }
        let block = self.block.iter().flat_map(|block| block.dependencies.iter().cloned());
        Ok(Plan::new(block.chain(self.with.iter().cloned()).collect()))
    }
}

/// A view that is noted where people find it, made durable, and then remembered, while the program that it was made for runs
/// already: a crash of the machine in that time costs no more than making the view again.
pub struct Keeping(JoinHandle<Result<()>>);

impl Keeping {
    fn start(store: Store, run: RememberedRun, key: Digest, unnoted: Unnoted) -> Self {
        Self(std::thread::spawn(move || {
            unnoted.note(&store)?;
            run.write(&store, &key)
        }))
    }

    /// Waits for it. The program has run: what went wrong is told, and changes nothing of how it ended.
    pub fn finish(self) {
        if let Ok(Err(error)) = self.0.join() {
            output::warn(&format!("this run is not remembered: {error:#}"));
        }
    }
}

/// What lies beneath. Where there is nothing yet the default environment is made now: what is remembered of this run
/// has to be found again by the next one, which it lies beneath.
fn beneath(settings: &Settings, signals: &Signals, target: &Target, isolated: bool) -> Result<Beneath> {
    let found = Beneath::look(&Layout::new(&settings.home), target)?;
    if isolated || found != Beneath::Nothing {
        return Ok(found);
    }
    let _interruptible = signals.interruptible()?;
    let context = Context::find(settings, &open_store(settings)?, target)?;
    Ok(match (context.environment, context.base) {
        (Some(name), Base::Managed { view, .. }) => Beneath::Environment { name, view },
        _ => found,
    })
}

/// A run in the view of a run around it lies over what that one lies over.
fn over(layout: &Layout, beneath: &Beneath, isolated: bool) -> String {
    match beneath {
        Beneath::Environment { name, .. } if !isolated => run_over(layout, Some(name)),
        Beneath::View(_) if !isolated => std::env::var(RUN_OVER).unwrap_or_else(|_| run_over(layout, None)),
        _ => run_over(layout, None),
    }
}

/// Tells what was written. What goes wrong here changes nothing of the program's end.
fn finish(writable: Option<WritableRuns<'_>>) {
    if let Some(Err(error)) = writable.map(WritableRuns::finish) {
        output::warn(&format!("{error:#}"));
    }
}

fn exit_code(code: i32) -> u8 {
    u8::try_from(code).unwrap_or(1)
}

/// What the words after the options mean. After `--` it is a command, else a script.
fn program(options: &RunOptions) -> Program {
    let line = options.command.clone();
    // The parser swallows a `--` that stands before the first word, so its place is looked up.
    let all: Vec<OsString> = std::env::args_os().collect();
    let before = all.len().checked_sub(line.len() + 1).and_then(|place| all.get(place));
    match before {
        _ if options.module => Program::Module(line),
        Some(word) if word == "--" => Program::Command(line),
        _ => Program::Script(line),
    }
}

/// Makes the bytecode of everything in a view.
fn compile(settings: &Settings, signals: &Signals, view: &RunView) -> Result<()> {
    if compiling::is_compiled(&Layout::new(&settings.home), &view.id) {
        return Ok(());
    }
    let _interruptible = signals.interruptible()?;
    compiling::compile_view(settings, &open_store(settings)?, &view.id)
}
