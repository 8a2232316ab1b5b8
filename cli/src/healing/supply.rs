//! Supplying views: plans become views over the context's base, on the context's Python or, where a remedy needs it,
//! on another one.

use super::{Failure, RunView, guesses, trials};
use crate::bubbles::Beside;
use crate::context::{Base, Context};
use crate::healing::pythons;
use crate::inputs;
use crate::interpreters;
use crate::settings::Settings;
use crate::signals::Signals;
use crate::workshop::{Composed, Found, Workshop, is_unsatisfiable};
use anyhow::{Context as _, Result, bail};
use omnipkg_healer::remedy::has_a_python_3;
use omnipkg_healer::{Plan, Remedy, Views};
use omnipkg_resolver::Names;
use omnipkg_store::Store;
use omnipkg_store::interpreter::{Identity, Interpreter, probe_cached};
use pep440_rs::{Operator, Version, VersionSpecifier, VersionSpecifiers};
use pep508_rs::{PackageName, Requirement, VersionOrUrl};
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::str::FromStr;

/// Which Pythons a remedy may choose.
#[derive(Debug, Clone, Default)]
pub struct PythonChoice {
    /// The one that the user asked for: no remedy takes another.
    pub asked: Option<String>,
    /// What the script itself requires.
    pub required: Option<VersionSpecifiers>,
    /// Another Python is taken only if a remedy names it.
    pub only_by_name: bool,
    /// What heals a failure may be built from source.
    pub builds: bool,
}

impl PythonChoice {
    fn is_free(&self) -> bool {
        self.asked.is_none() && !self.only_by_name
    }
}

/// Supplies views; nothing is opened before the first one is asked for.
pub struct LazyWorkshop<'a> {
    settings: &'a Settings,
    /// Signals end the command while it composes.
    signals: &'a Signals,
    /// Finds the context and opens the store, when that is needed.
    open: Box<dyn FnOnce() -> Result<(Store, Context)> + 'a>,
    choice: PythonChoice,
    workshop: Option<Workshop<'a>>,
    /// On another Python than the context's.
    other: Option<Workshop<'a>>,
}

impl<'a> LazyWorkshop<'a> {
    /// Supplies views over the context that `open` finds.
    pub fn new(
        settings: &'a Settings,
        signals: &'a Signals,
        choice: PythonChoice,
        open: impl FnOnce() -> Result<(Store, Context)> + 'a,
    ) -> Self {
        Self { settings, signals, open: Box::new(open), choice, workshop: None, other: None }
    }

    /// The workshop, opened now if it was not.
    pub fn workshop(&mut self) -> Result<&mut Workshop<'a>> {
        if self.workshop.is_none() {
            let spent: Box<dyn FnOnce() -> Result<(Store, Context)>> = Box::new(|| bail!("already opened"));
            let (store, context) = std::mem::replace(&mut self.open, spent)()?;
            self.workshop = Some(Workshop::new(self.settings, store, context));
        }
        self.workshop.as_mut().context("no workshop")
    }

    /// The interpreter that a view was made for here; `None` for one that was there already.
    pub fn interpreter_of(&self, view: &RunView) -> Option<Identity> {
        let path = &view.composed.as_ref()?.description.interpreter;
        let contexts = [&self.workshop, &self.other].into_iter().flatten().map(Workshop::context);
        let known = contexts.map(|context| &context.interpreter).find(|interpreter| interpreter.path() == path);
        let found = || probe_cached(self.workshop.as_ref()?.store(), path).ok();
        Some(known.cloned().or_else(found)?.identity)
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
        let base = self.workshop()?.context().base.clone();
        let (mut first_error, builds) = (None, self.choice.builds);
        for (interpreter, is_own) in self.pythons_for(plan)? {
            let composed = match is_own {
                true => compose(self.workshop()?, plan, &base, builds),
                false => self.compose_on(interpreter, plan, &base),
            };
            match composed {
                Err(error) if is_unsatisfiable(&error) => first_error = first_error.or(Some(error)),
                // What goes wrong on a Python that nobody asked for is not what the user wants to hear of.
                Err(error) if !is_own && first_error.is_some() => drop(error),
                composed => return composed,
            }
        }
        Err(first_error.context("nothing was tried")?)
    }

    /// The Pythons to be tried for a plan, in their order, and whether each is the context's own.
    ///
    /// A remedy that asks for older versions means the newest of them, which may have been made for older Pythons only:
    /// the Python that has the newest comes first, and of several the context's own, then the newest.
    fn pythons_for(&mut self, plan: &Plan) -> Result<Vec<(Interpreter, bool)>> {
        let candidates = self.candidates(plan)?;
        let Some((name, specifiers)) = plan.remedies().iter().rev().find_map(older_versions) else {
            return Ok(candidates);
        };
        if candidates.len() < 2 {
            return Ok(candidates);
        }
        let workshop = self.workshop()?;
        let mut newest_of = |interpreter: &Interpreter| {
            let versions = workshop.versions(name, interpreter).unwrap_or_default();
            versions.into_iter().rev().find(|version| specifiers.contains(version))
        };
        let mut ranked: Vec<_> =
            candidates.iter().filter_map(|one| Some((Reverse(newest_of(&one.0)?), one.clone()))).collect();
        ranked.sort_by(|(one, _), (other, _)| one.cmp(other));
        let found: Vec<(Interpreter, bool)> = ranked.into_iter().map(|(_, candidate)| candidate).collect();
        // Where none has any, the context's own tells why.
        Ok(if found.is_empty() { candidates } else { found })
    }

    /// The Pythons that a plan may run on: the context's own first, then the newest.
    fn candidates(&mut self, plan: &Plan) -> Result<Vec<(Interpreter, bool)>> {
        let (wanted, choice) = (plan.python(), self.choice.clone());
        let workshop = self.workshop()?;
        let own = workshop.context().interpreter.clone();
        let own_version = pythons::version(&own);
        // Of Python 3's versions "before 3.10" does not mean Python 2.
        let three = Version::new([3]);
        let fits = |version: &Version| match &wanted {
            Some(wanted) => wanted.contains(version) && (*version >= three || !has_a_python_3(wanted)),
            None => own_version.as_ref().is_some_and(|own| version < own) && *version >= three,
        };
        let own_fits =
            wanted.as_ref().is_none_or(|wanted| own_version.as_ref().is_some_and(|own| wanted.contains(own)));
        if let (false, Some(asked), Some(wanted)) = (own_fits, &choice.asked, &wanted) {
            bail!("it needs Python {wanted}, and Python {asked} was asked for");
        }
        let mut found = Vec::from_iter(own_fits.then(|| (own.clone(), true)));
        let may_be_another = wanted.is_some() || (!plan.remedies().is_empty() && choice.is_free());
        if may_be_another && choice.asked.is_none() {
            let required = |version: &Version| choice.required.as_ref().is_none_or(|own| own.contains(version));
            let others = pythons::all(workshop.store()).into_iter().filter(|other| {
                other.facts.short_version() != own.facts.short_version()
                    && pythons::version(other).is_some_and(|version| fits(&version) && required(&version))
            });
            found.extend(others.map(|other| (other, false)));
        }
        match (found.is_empty(), wanted) {
            (true, Some(wanted)) => {
                let required = choice.required.iter().flat_map(|own| own.iter());
                let at_least =
                    has_a_python_3(&wanted).then(|| VersionSpecifier::greater_than_equal_version(three.clone()));
                let both: Vec<VersionSpecifier> = wanted.iter().chain(required).cloned().chain(at_least).collect();
                let other = interpreters::find(workshop.store(), None, Some(&both.into_iter().collect()))?;
                Ok(vec![(other, false)])
            }
            _ => Ok(found),
        }
    }

    fn compose_on(&mut self, interpreter: Interpreter, plan: &Plan, base: &Base) -> Result<(Composed, Unnoted)> {
        let same = self.other.as_ref().is_some_and(|other| other.context().interpreter.path() == interpreter.path());
        if !same {
            let store = self.workshop()?.store().clone();
            let mut other = Workshop::new(self.settings, store, Context::isolated(interpreter));
            // There all is chosen anew, and a remedy builds nothing unless it may.
            if !self.choice.builds {
                other.rules.formats.only_binary = Names::all();
            }
            self.other = Some(other);
        }
        let builds = self.choice.builds;
        compose(self.other.as_mut().context("no workshop")?, plan, base, builds)
    }
}

/// The project and the versions of a remedy that asks for older ones.
fn older_versions(remedy: &Remedy) -> Option<(&PackageName, &VersionSpecifiers)> {
    let Remedy::Require(Requirement { name, version_or_url: Some(VersionOrUrl::VersionSpecifier(specifiers)), .. }) =
        remedy
    else {
        return None;
    };
    let is_bound = |one: &VersionSpecifier| matches!(one.operator(), Operator::LessThan | Operator::LessThanEqual);
    specifiers.iter().any(is_bound).then_some((name, specifiers))
}

fn compose(workshop: &mut Workshop<'_>, plan: &Plan, base: &Base, builds: bool) -> Result<(Composed, Unnoted)> {
    // What a failing script is healed with is not built unasked: a build runs whatever its source says.
    if !builds {
        workshop.rules.formats.only_binary.names.extend(plan.remedies().iter().filter_map(Remedy::project).cloned());
    }
    let left_out: Vec<PackageName> = plan.replaced().cloned().collect();
    let own = plan.requirements();
    workshop.anew = inputs::from_urls(own);
    let (strict, relaxed) = beneath(base, own, &left_out);
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

    fn about(&mut self, project: &PackageName, module: &str) -> (Option<String>, Option<bool>) {
        match self.workshop().and_then(|workshop| workshop.about(project)) {
            Ok(about) => guesses::in_words(&about, module),
            Err(error) => (Some(format!("{error:#}")), None),
        }
    }

    fn versions(&mut self, project: &PackageName) -> Vec<Version> {
        let mut versions = || -> Result<Vec<Version>> {
            let workshop = self.workshop()?;
            let interpreter = workshop.context().interpreter.clone();
            workshop.versions(project, &interpreter)
        };
        versions().unwrap_or_default()
    }

    fn probe(&mut self, view: &RunView, program: &str) -> bool {
        trials::passes(&self.settings.home, view, program)
    }

    fn is_same(&self, one: &RunView, other: &RunView) -> bool {
        one.id == other.id
    }

    fn other_python(&self, view: &RunView, before: &RunView) -> Option<String> {
        let description = &view.composed.as_ref()?.description;
        let before = match &before.composed {
            Some(composed) => composed.description.interpreter.as_path(),
            None => self.workshop.as_ref()?.context().interpreter.path(),
        };
        (description.interpreter != before).then(|| description.version.clone())
    }
}
