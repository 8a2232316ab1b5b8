//! What a run is healed with: foreseen before it, found by its failures, and remembered after it.

use super::{Job, RunView};
use crate::arguments::{HealPolicy, SaveForm};
use crate::commands::open_store;
use crate::context::Beneath;
use crate::healing::{CatalogProvides, Failure, LazyWorkshop, MachinePythons, Prediction, Speaker, saving, scan};
use crate::launch::Program;
use crate::output;
use crate::remembered::RememberedRun;
use crate::signals::Signals;
use anyhow::{Context as _, Result, bail};
use omnipkg_healer::report::{Frame, MissingModule};
use omnipkg_healer::{Diagnosis, Heal, Healer, Knowledge, Outcome, Plan, Report, Runner, Views, heal, predict};
use omnipkg_store::Layout;
use omnipkg_store::interpreter::Identity;
use std::cell::OnceCell;
use std::fs;
use std::path::Path;

impl Job<'_> {
    /// The plan and the view to start a script with, where what it would fail of is certain before it runs. What a script
    /// asks for itself in a PEP 723 block is left as it is.
    pub fn predict(
        &self,
        signals: &Signals,
        start: (&Plan, &RunView),
        workshop: &mut LazyWorkshop<'_>,
    ) -> Option<(Plan, RunView)> {
        if self.options.no_predict || self.options.heal == HealPolicy::Off {
            return None;
        }
        if let Program::Module(line) = &self.program {
            return self.predict_module(line.first()?.to_str()?, start, workshop);
        }
        let (Program::Script(line), Some(source), None) = (&self.program, &self.source, &self.block) else {
            return None;
        };
        let script = Path::new(line.first()?);
        let prediction = Prediction { home: &self.settings.home, script, source, signals };
        let mut speaker = Speaker { settings: self.settings };
        self.with_healer(|healer| {
            let mut is_nothing = false;
            let mut read = |view: &RunView| {
                let report = prediction.read(view)?;
                is_nothing = predict::certain(&report, healer.context()).is_empty();
                Some(report)
            };
            let better = healer.predict(start, &mut read, workshop, &mut speaker);
            if better.is_none() && is_nothing {
                prediction.is_nothing(start.1);
            }
            better
        })
    }

    /// `-m NAME`, where nothing has a module of that name: Python only says so and ends.
    fn predict_module(
        &self,
        name: &str,
        start: (&Plan, &RunView),
        workshop: &mut LazyWorkshop<'_>,
    ) -> Option<(Plan, RunView)> {
        let top_level = name.split('.').next()?.to_owned();
        // Where another environment lies beneath, or a path is given, more may be found than is looked at here.
        let is_alone = matches!(self.beneath, Beneath::Environment { .. }) && std::env::var_os("PYTHONPATH").is_none();
        if !is_alone || !scan::is_missing(&top_level, &std::env::current_dir().ok()?, &start.1.path) {
            return None;
        }
        let missing = MissingModule { module: name.to_owned(), top_level, ..MissingModule::default() };
        let frame = Frame { file: format!("python -m {name}"), place: "script".into(), ..Frame::default() };
        let report = Report { also_missing: vec![missing], frames: vec![frame], ..Report::default() };
        let mut told = Some(report);
        let mut speaker = Speaker { settings: self.settings };
        self.with_healer(|healer| healer.predict(start, &mut |_| told.take(), workshop, &mut speaker))
    }

    /// What a script will fail of in a view, as far as its text says so.
    ///
    /// # Errors
    /// If it is no script in a file.
    pub fn foreseen(&self, signals: &Signals, view: &RunView) -> Result<Vec<Diagnosis>> {
        let (Program::Script(line), Some(source)) = (&self.program, &self.source) else {
            bail!("only a script in a file can be looked at before it runs");
        };
        let script = line.first().map(Path::new).unwrap_or(Path::new(""));
        let report = Prediction { home: &self.settings.home, script, source, signals }.ask(view);
        let report = report.with_context(|| format!("cannot read {} as Python", script.display()))?;
        Ok(self.with_healer(|healer| predict::foresee(&report, healer.context())))
    }

    /// Runs the program and heals it, to a fixed point.
    pub fn heal<V, R>(&self, plan: Plan, start: RunView, views: &mut V, runner: &mut R) -> Result<Outcome<V>>
    where
        V: Views<View = RunView, Error = Failure>,
        R: Runner<RunView, Error = Failure>,
    {
        let mut speaker = Speaker { settings: self.settings };
        let run = |healer: &Healer<'_>| healer.run(plan, start, views, runner, &mut speaker);
        self.with_healer(run).map_err(|error| error.0.0)
    }

    fn with_healer<T>(&self, act: impl FnOnce(&Healer<'_>) -> T) -> T {
        let loaded = OnceCell::new();
        // A test sees to it that the embedded tables load; without them the store's own proofs still heal.
        let knowledge = || loaded.get_or_init(|| Knowledge::embedded().unwrap_or_default());
        let provides = CatalogProvides { home: self.settings.home.clone() };
        let pythons = MachinePythons::new(self.settings.home.clone());
        let heal = match self.options.heal {
            HealPolicy::Known => Heal::Known,
            HealPolicy::Ask => Heal::Ask,
            HealPolicy::Any => Heal::Any,
            HealPolicy::Off => Heal::Off,
        };
        let attempts = heal::DEFAULT_ATTEMPTS;
        let healer = Healer {
            knowledge: &knowledge,
            provides: &provides,
            pythons: &pythons,
            heal,
            attempts,
            search: self.options.search,
        };
        act(&healer)
    }

    /// Remembers what healing found, or what was predicted, so that the next start is healed from the first instant.
    pub fn remember<V: Views<View = RunView>>(
        &self,
        outcome: &Outcome<V>,
        is_predicted: bool,
        made_for: Option<Identity>,
    ) -> Result<()> {
        let is_kept = is_predicted && outcome.exit == 0;
        if outcome.advanced() || is_kept {
            self.write(&outcome.view, &outcome.plan, made_for)?;
        }
        Ok(())
    }

    /// Writes down what a script ran with. The script has run: what goes wrong is told, and changes nothing of how it ended.
    pub(super) fn save<V: Views<View = RunView>>(&self, form: SaveForm, outcome: &Outcome<V>) {
        let saved = || -> Result<()> {
            let (Program::Script(line), true) = (&self.program, outcome.exit == 0) else {
                bail!("only a script that has ended well is written down");
            };
            let script = Path::new(line.first().context("there is no script")?);
            let (store, context) = self.open()?;
            let own = self.block.as_ref().and_then(|block| block.requires_python.as_ref());
            saving::save(self.settings, &store, (script, form, own), (&outcome.plan, &outcome.view), &context.base)
        };
        if let Err(error) = saved() {
            output::warn(&format!("--save: {error:#}"));
        }
    }

    /// What was remembered has not come to a good end: the next start begins anew. Best effort.
    pub(super) fn forget(&self) {
        if let Some(key) = &self.key {
            let _ = fs::remove_file(Layout::new(&self.settings.home).remembered_run(key));
        }
    }

    /// Remembers a view and its plan for the next start.
    pub fn write(&self, view: &RunView, plan: &Plan, made_for: Option<Identity>) -> Result<()> {
        if let (Some(key), Some(interpreter)) = (&self.key, made_for) {
            RememberedRun::new(view.id, interpreter, plan).write(&open_store(self.settings)?, key)?;
        }
        Ok(())
    }
}
