//! What the healer asks of the outside: views from the workshop, runs from the launcher, talk on stderr.

use crate::bubbles::Beside;
use crate::context::{Base, Context};
use crate::inputs;
use crate::launch::{self, Answer, Program, Wrapper};
use crate::output;
use crate::settings::Settings;
use crate::signals::Signals;
use crate::standard_input::StandardInput;
use crate::workshop::{Composed, Found, Workshop, is_unsatisfiable};
use crate::writable::WritableRuns;
use anyhow::{Context as _, Result};
use omnipkg_healer::{Diagnosis, Listener, Plan, Provides, Remedy, Report, Runner, Talk, Verdict, Views};
use omnipkg_store::catalog::Catalog;
use omnipkg_store::interpreter::Identity;
use omnipkg_store::{Store, ViewId};
use pep508_rs::{PackageName, Requirement};
use std::collections::BTreeSet;
use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::str::FromStr;

/// anyhow's error as one that the healer's traits can carry.
#[derive(Debug)]
pub struct Failure(pub anyhow::Error);

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

/// A view that a program runs in.
#[derive(Debug, Clone)]
pub struct RunView {
    /// Its name.
    pub id: ViewId,
    /// Where it can be seen.
    pub path: PathBuf,
    /// What composing it gave; `None` if it was there from the start.
    pub composed: Option<Box<Composed>>,
}

impl From<Composed> for RunView {
    fn from(composed: Composed) -> Self {
        Self { id: composed.id, path: composed.path.clone(), composed: Some(Box::new(composed)) }
    }
}

/// Supplies views; nothing is opened before the first one is asked for.
pub struct LazyWorkshop<'a> {
    /// Settings of the command.
    pub settings: &'a Settings,
    /// Signals end the command while it composes.
    pub signals: &'a Signals,
    /// Finds the context and opens the store, when that is needed.
    pub open: Box<dyn FnOnce() -> Result<(Store, Context)> + 'a>,
    workshop: Option<Workshop<'a>>,
}

impl<'a> LazyWorkshop<'a> {
    /// Supplies views over the context that `open` finds.
    pub fn new(
        settings: &'a Settings,
        signals: &'a Signals,
        open: impl FnOnce() -> Result<(Store, Context)> + 'a,
    ) -> Self {
        Self { settings, signals, open: Box::new(open), workshop: None }
    }

    /// The workshop, opened now if it was not.
    pub fn workshop(&mut self) -> Result<&mut Workshop<'a>> {
        if self.workshop.is_none() {
            let spent: Box<dyn FnOnce() -> Result<(Store, Context)>> = Box::new(|| anyhow::bail!("already opened"));
            let (store, context) = std::mem::replace(&mut self.open, spent)()?;
            self.workshop = Some(Workshop::new(self.settings, store, context));
        }
        self.workshop.as_mut().context("no workshop")
    }

    /// The interpreter that views are made for, once the workshop is open.
    pub fn interpreter(&self) -> Option<Identity> {
        self.workshop.as_ref().map(|workshop| workshop.context().interpreter.identity.clone())
    }

    /// Composes the view of a plan over the context's base.
    ///
    /// What the base holds stays visible: first with its own requirements as they are, then with its projects in
    /// whatever version fits, and last without them. Each is tried only where the one before has no solution.
    pub fn compose_plan(&mut self, plan: &Plan) -> Result<Composed> {
        let (composed, unnoted) = self.compose_unnoted(plan)?;
        unnoted.note(self.workshop()?.store())?;
        Ok(composed)
    }

    /// As [`Self::compose_plan`], but nothing is noted of it yet.
    pub fn compose_unnoted(&mut self, plan: &Plan) -> Result<(Composed, Unnoted)> {
        let _interruptible = self.signals.interruptible()?;
        let workshop = self.workshop()?;
        // What a failing script is healed with is not built: a build runs whatever its source says.
        let added = plan.remedies().iter().filter_map(|remedy| match remedy {
            Remedy::Require(_) => None,
            Remedy::Add(requirement) => Some(requirement.name.clone()),
            Remedy::Replace { to, .. } => Some(to.clone()),
        });
        workshop.rules.formats.only_binary.names.extend(added);
        let left_out: Vec<PackageName> = plan.replaced().cloned().collect();
        let own = plan.requirements();
        workshop.anew = inputs::from_urls(own);
        let (strict, relaxed) = beneath(&workshop.context().base, own, &left_out);
        let mut first_error = None;
        let mut tried: Vec<Vec<Requirement>> = Vec::new();
        for extra in [strict, relaxed, Vec::new()] {
            let all = [own.to_vec(), extra].concat();
            if tried.contains(&all) {
                continue;
            }
            match workshop.find(&all, &left_out) {
                Ok((composed, found)) => {
                    let bubbles = Beside::of(workshop, own, &composed)?;
                    return Ok((composed, Unnoted { bubbles, found }));
                }
                Err(error) if is_unsatisfiable(&error) => first_error = first_error.or(Some(error)),
                Err(error) => return Err(error),
            }
            tried.push(all);
        }
        Err(first_error.context("nothing was tried")?)
    }
}

/// What is to be noted of a view, which can be used meanwhile.
pub struct Unnoted {
    bubbles: Beside,
    found: Found,
}

impl Unnoted {
    /// Notes it.
    pub fn note(self, store: &Store) -> Result<()> {
        self.found.remember(store)?;
        self.bubbles.note(store)
    }
}

/// Requirements that keep the base's projects visible: as they were asked for, and by name only.
pub fn beneath(base: &Base, own: &[Requirement], left_out: &[PackageName]) -> (Vec<Requirement>, Vec<Requirement>) {
    let Base::Managed { description, generation, .. } = base else { return (Vec::new(), Vec::new()) };
    let taken: BTreeSet<&PackageName> = own.iter().map(|requirement| &requirement.name).chain(left_out).collect();
    let texts: Vec<String> = match generation {
        Some(generation) => generation.requirements.clone(),
        None => description.wheels.iter().map(|wheel| format!("{}=={}", wheel.name, wheel.version)).collect(),
    };
    let strict: Vec<Requirement> = texts
        .iter()
        .filter_map(|text| Requirement::from_str(text).ok())
        .filter(|requirement| !taken.contains(&requirement.name))
        .collect();
    let relaxed = strict.iter().cloned().map(|requirement| Requirement { version_or_url: None, ..requirement });
    (strict.clone(), relaxed.collect())
}

impl Views for LazyWorkshop<'_> {
    type View = RunView;
    type Error = Failure;

    fn compose(&mut self, plan: &Plan) -> Result<RunView, Failure> {
        self.compose_plan(plan).map(RunView::from).map_err(Failure)
    }

    fn version(&self, view: &RunView, project: &str) -> Option<String> {
        Some(view.composed.as_ref()?.description.wheel(project)?.version.clone())
    }
}

/// Runs one program.
pub struct ProgramRunner<'a> {
    signals: &'a Signals,
    program: &'a Program,
    over: &'a str,
    input: StandardInput,
    /// If the views are to be writable.
    pub writable: Option<WritableRuns<'a>>,
}

impl<'a> ProgramRunner<'a> {
    /// Runs `program`, passing signals on to it; `over` is what it is told of what lies beneath.
    pub fn new(signals: &'a Signals, program: &'a Program, over: &'a str) -> Self {
        Self { signals, program, over, input: StandardInput::observe(), writable: None }
    }
}

impl Runner<RunView> for ProgramRunner<'_> {
    type Error = Failure;

    fn run(&mut self, view: &RunView, on_failure: &mut dyn FnMut(Report) -> Verdict) -> Result<i32, Failure> {
        self.input.rewind();
        let prepared = self.writable.as_mut().map(|runs| runs.prepare(view)).transpose();
        let (path, wrapper) = prepared.map_err(Failure)?.unwrap_or_else(|| (view.path.clone(), Wrapper::default()));
        let input = &self.input;
        let mut answer = |bytes: &[u8]| match Report::from_json(bytes) {
            Ok(mut report) => {
                report.input_gone = input.is_gone(report.input_read);
                match on_failure(report) {
                    Verdict::Print => Answer::Print,
                    Verdict::Quiet => Answer::Quiet,
                }
            }
            // Whatever sent that, it is not our reporter: the script prints its traceback itself.
            Err(_) => Answer::Print,
        };
        launch::run(self.signals, &path, &wrapper, self.program, self.over, Some(&mut answer)).map_err(Failure)
    }
}

/// Says the healer's lines.
pub struct Speaker<'a> {
    /// Settings of the command.
    pub settings: &'a Settings,
}

impl Listener for Speaker<'_> {
    fn say(&mut self, talk: Talk) {
        match talk {
            _ if self.settings.quiet => {}
            Talk::Healing(text) | Talk::Unhealed(text) => output::talk(&text),
            Talk::Hint(text) => output::hint(&text),
        }
    }

    fn consent(&mut self, diagnosis: &Diagnosis) -> bool {
        let terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        if !terminal || std::env::var_os("CI").is_some() {
            return false;
        }
        let remedies: Vec<String> = diagnosis.remedies.iter().map(ToString::to_string).collect();
        anstream::eprint!("omnipkg: {}; run with {}? [y/N] ", diagnosis.evidence, remedies.join(", "));
        let _ = std::io::stderr().flush();
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).is_ok() && matches!(line.trim(), "y" | "Y" | "yes")
    }
}

/// What the store's wheels prove about import names; the catalog is opened when it is first asked.
pub struct CatalogProvides {
    /// The store's root.
    pub home: PathBuf,
}

impl Provides for CatalogProvides {
    fn distributions_for(&self, import_name: &str) -> Vec<String> {
        let answer = || -> Result<Vec<String>> {
            let store = Store::open(&self.home)?;
            Ok(Catalog::open(&store)?.projects_providing(import_name)?)
        };
        // No catalog, no proof: the table may still know.
        answer().unwrap_or_default()
    }
}
