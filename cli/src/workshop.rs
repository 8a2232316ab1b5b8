//! Composing views: requirements over a context become a lock, wheels in the store, and a view.
//!
//! A remembered answer is used until asked otherwise: then nothing here needs the network or a solver.

mod composed;
mod wheels;

pub use composed::{Composed, Cost, Found};

use crate::answers::{Answer, Question};
use crate::build_environments::Builder;
use crate::context::{Base, Context};
use crate::index_settings;
use crate::inputs;
use crate::origins;
use crate::output;
use crate::pins::Pins;
use crate::progress::Display;
use crate::projection;
use crate::rules::Rules;
use crate::runtime_files::RUNTIME;
use crate::seeds::seeds;
use crate::settings::Settings;
use anyhow::{Context as _, Result, bail};
use omnipkg_resolver::{About, Error as ResolveError, Lock, LockedWheel, Request, Resolver, Target};
use omnipkg_store::interpreter::Interpreter;
use omnipkg_store::view::builder::{ViewRequest, ViewWheel, build};
use omnipkg_store::view::description::{Overlay, WheelReference};
use omnipkg_store::wheel::WheelTree;
use omnipkg_store::{Sha256, Store};
use pep440_rs::Version;
use pep508_rs::{PackageName, Requirement};
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Instant;
use url::Url;

/// Wheels that the store has, by their archives' hashes.
pub type Wheels = Vec<(Sha256, WheelTree)>;

/// How often what is built may turn out to need other things than was assumed.
const MISLED: u32 = 8;

/// Composes views over one context.
pub struct Workshop<'a> {
    settings: &'a Settings,
    store: Store,
    context: Context,
    resolver: Option<Resolver>,
    /// What answers are remembered under.
    indexes: OnceCell<Vec<String>>,
    display: Display,
    /// What is to be taken newer than it is there.
    pub upgrade: Upgrade,
    /// What more a choice obeys.
    pub rules: Rules,
    /// Projects that are to be looked for where they are asked for, though they are there.
    pub anew: BTreeSet<String>,
    /// What is being built with what is composed here, the outermost first.
    pub building: Vec<String>,
    /// The Python that builds, if the context's is another machine's.
    pub builder: Option<Interpreter>,
}

/// What is to be taken newer than it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Upgrade {
    /// Nothing: what satisfies stays.
    Nothing,
    /// These projects.
    Projects(BTreeSet<String>),
    /// Everything.
    Everything,
}

impl<'a> Workshop<'a> {
    /// A workshop; nothing is opened or started before it is needed.
    pub fn new(settings: &'a Settings, store: Store, context: Context) -> Self {
        let (display, upgrade) = (Display::new(settings), Upgrade::Nothing);
        let rules = Rules { formats: settings.formats.clone(), ..Rules::default() };
        let (anew, building, builder) = (BTreeSet::new(), Vec::new(), None);
        let (resolver, indexes) = (None, OnceCell::new());
        Self { settings, store, context, resolver, indexes, display, upgrade, rules, anew, building, builder }
    }

    /// The context that views are composed over.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Composes the view that satisfies `requirements`, without the projects in `left_out`.
    pub fn compose(&mut self, requirements: &[Requirement], left_out: &[PackageName]) -> Result<Composed> {
        let (composed, found) = self.find(requirements, left_out)?;
        found.remember(&self.store)?;
        Ok(composed)
    }

    /// As [`Self::compose`], but what was found out is left to be remembered.
    pub fn find(&mut self, requirements: &[Requirement], left_out: &[PackageName]) -> Result<(Composed, Found)> {
        let mut cost = Cost::default();
        let (question, lock, wheels) = self.answer(requirements, left_out, &mut cost)?;
        let started = Instant::now();
        let composed = self.view(&wheels)?;
        cost.view = started.elapsed();
        cost.files = wheels.iter().map(|(_, tree)| tree.files).sum();
        cost.bytes = wheels.iter().map(|(_, tree)| tree.bytes).sum();
        Ok((Composed { cost, ..composed }, Found::new(question, lock, wheels)))
    }

    /// The wheels that answer `requirements`, all of them in the store; no view is made of them.
    pub fn choose(&mut self, requirements: &[Requirement]) -> Result<Wheels> {
        let (question, lock, wheels) = self.answer(requirements, &[], &mut Cost::default())?;
        Answer { lock }.write(&self.store, &question)?;
        Ok(wheels)
    }

    /// Composes the view of exactly the wheels of a lock; what the store does not have is fetched from where it says.
    pub fn compose_lock(&mut self, lock: &Lock) -> Result<Composed> {
        let (mut lock, mut cost) = (lock.clone(), Cost::default());
        let wheels = self.wheels(&mut lock, &mut cost)?;
        self.display.finish();
        origins::record(&self.store, &lock, true)?;
        Ok(Composed { cost, ..self.view(&wheels)? })
    }

    /// Where the archive of a wheel can be had: as it was when it was chosen, else as the index has it now.
    pub fn origin(&mut self, wheel: &WheelReference) -> Result<Option<LockedWheel>> {
        if let Some(known) = origins::read(&self.store, &wheel.sha256) {
            return Ok(Some(known));
        }
        let name = PackageName::from_str(&wheel.name).with_context(|| format!("the project {}", wheel.name))?;
        match self.resolver()?.locate(&name, &wheel.sha256)? {
            Some(found) => {
                origins::record(&self.store, &Lock { wheels: vec![found] }, true)?;
                Ok(origins::read(&self.store, &wheel.sha256))
            }
            None => Ok(None),
        }
    }

    /// The wheels that answer `requirements`; none is fetched.
    pub fn lock(&mut self, requirements: &[Requirement]) -> Result<Lock> {
        let question = self.question(requirements, &[])?;
        if let Some(answer) = self.remembered(&question) {
            return Ok(answer.lock);
        }
        if requirements.is_empty() {
            return Ok(Lock::default());
        }
        let lock = self.resolve(requirements, &[])?;
        self.display.finish();
        Answer { lock: lock.clone() }.write(&self.store, &question)?;
        Ok(lock)
    }

    fn answer(
        &mut self,
        requirements: &[Requirement],
        left_out: &[PackageName],
        cost: &mut Cost,
    ) -> Result<(Question, Lock, Wheels)> {
        let started = Instant::now();
        let question = self.question(requirements, left_out)?;
        let remembered = self.remembered(&question);
        let is_remembered = remembered.is_some();
        let mut lock = match remembered {
            Some(answer) => answer.lock,
            None if requirements.is_empty() => Lock::default(),
            None => match self.pinned(requirements, left_out)? {
                Some((lock, wheels)) if !self.replaces_what_stays(&lock) => {
                    cost.resolve = started.elapsed();
                    return Ok((question, lock, wheels));
                }
                _ => self.resolve(requirements, left_out)?,
            },
        };
        cost.resolve = started.elapsed();
        let started = Instant::now();
        let mut wheels = self.wheels(&mut lock, cost);
        // Each time more is known of what is built.
        for _ in 0..MISLED {
            if !wheels.as_ref().is_err_and(wheels::is_misled) {
                break;
            }
            lock = self.resolve(requirements, left_out)?;
            wheels = self.wheels(&mut lock, cost);
        }
        let wheels = wheels?;
        self.display.finish();
        cost.fetch = started.elapsed();
        origins::record(&self.store, &lock, !is_remembered)?;
        // What was given by hashes, or is there already, is not what a pin alone would come to.
        if (!is_remembered || cost.new_wheels > 0) && self.rules.hashes.is_empty() {
            let chosen = self.not_there(&lock);
            self.pins(|pins| pins.remember(&chosen, self.asks_anew()))?;
        }
        Ok((question, lock, wheels))
    }

    fn remembered(&self, question: &Question) -> Option<Answer> {
        if self.asks_anew() { None } else { Answer::read(&self.store, question) }
    }

    /// True if the indexes are to be asked, whatever is remembered.
    fn asks_anew(&self) -> bool {
        self.settings.refresh || self.upgrade != Upgrade::Nothing
    }

    /// The lock of a set that leaves no choice, if all of it is known.
    fn pinned(&self, requirements: &[Requirement], left_out: &[PackageName]) -> Result<Option<(Lock, Wheels)>> {
        if self.asks_anew()
            || !self.rules.are_usual()
            || !left_out.is_empty()
            || matches!(self.context.base, Base::Overlay { .. })
        {
            return Ok(None);
        }
        let markers = self.context.interpreter.facts.marker_environment()?;
        Ok(self.pins(|pins| pins.lock(requirements, &markers)))
    }

    fn pins<T>(&self, then: impl FnOnce(Pins<'_>) -> T) -> T {
        then(Pins { store: &self.store, question: self.any_question() })
    }

    /// The view of exactly these wheels, which the store has.
    pub fn bind(&self, wheels: &[WheelReference]) -> Result<Composed> {
        let read = |wheel: &WheelReference| Ok((wheel.sha256, WheelTree::open(&self.store, &wheel.sha256)?));
        self.view(&wheels.iter().map(read).collect::<Result<Vec<_>>>()?)
    }

    /// What every question begins with.
    fn any_question(&self) -> Question {
        let indexes = self.indexes.get_or_init(|| index_settings::names(self.settings));
        Question::new(&self.context.interpreter, indexes)
    }

    fn question(&self, requirements: &[Requirement], left_out: &[PackageName]) -> Result<Question> {
        let mut question = self.any_question();
        for requirement in requirements {
            question.add("requirement", &requirement.to_string());
            let name = requirement.name.as_ref();
            let is_kept = || self.stays(name) && self.archives().any(|(there, _)| there == name);
            if inputs::is_local(requirement)
                && !is_kept()
                && let Some(state) = inputs::state(requirement)?
            {
                question.add("state", &state);
            }
        }
        left_out.iter().for_each(|name| question.add("left out", name.as_ref()));
        for (name, version) in self.preferences() {
            question.add("preference", &format!("{name} {version}"));
        }
        for (name, there) in self.archives() {
            question.add("there", &format!("{name} {} {}", there.sha256, self.stays(name)));
        }
        if let Base::Overlay { overlay, .. } = &self.context.base {
            question.add("overlay", &overlay.prefix.to_string_lossy());
        }
        self.rules.add_to(&mut question);
        Ok(question)
    }

    /// What lies beneath is preferred, as long as it satisfies.
    fn preferences(&self) -> BTreeMap<String, Version> {
        let pairs: Vec<(String, String)> = match &self.context.base {
            _ if self.upgrade == Upgrade::Everything => Vec::new(),
            Base::Managed { description, .. } => {
                description.wheels.iter().map(|wheel| (wheel.name.clone(), wheel.version.clone())).collect()
            }
            Base::Overlay { installed, .. } => installed.clone().into_iter().collect(),
            Base::Isolated => Vec::new(),
        };
        let is_free = |name: &str| matches!(&self.upgrade, Upgrade::Projects(projects) if projects.contains(name));
        let kept = pairs.into_iter().filter(|(name, _)| !is_free(name));
        kept.filter_map(|(name, version)| Some((name, Version::from_str(&version).ok()?))).collect()
    }

    fn resolve(&mut self, requirements: &[Requirement], left_out: &[PackageName]) -> Result<Lock> {
        let request = Request {
            requirements: requirements.iter().map(for_resolver).collect::<Result<_>>()?,
            constraints: self.rules.constraints.iter().map(for_resolver).collect::<Result<_>>()?,
            overrides: self.rules.overrides.iter().map(for_resolver).collect::<Result<_>>()?,
            formats: self.rules.formats.clone(),
            resolution: self.rules.resolution,
            hashes: self.rules.hashes.clone(),
            preferences: self.preferences(),
            installed: self.installed(),
            target: self.target()?,
        };
        let mut lock = self.resolver()?.resolve(&request)?;
        self.check_hashes_given(&lock)?;
        lock.wheels.retain(|wheel| !left_out.iter().any(|name| name.as_ref() == wheel.name));
        if let Base::Overlay { installed, .. } = &self.context.base {
            // The base provides what it has in the very version that was chosen.
            lock.wheels.retain(|wheel| {
                let beneath = installed.get(&wheel.name).and_then(|version| Version::from_str(version).ok());
                beneath.as_ref() != Some(&wheel.version)
            });
        }
        Ok(lock)
    }

    /// If hashes were given, they must have been for all that is not there already. What comes as a wheel is looked at
    /// when it has come; what is built must be known before.
    fn check_hashes_given(&self, lock: &Lock) -> Result<()> {
        let there = self.preferences();
        for LockedWheel { name, version, filename, sha256, .. } in &lock.wheels {
            match self.rules.hashes.get(name) {
                _ if self.rules.hashes.is_empty() => return Ok(()),
                None if there.get(name) == Some(version) => {}
                None => bail!("no hash was given for {name} {version}: where one requirement has hashes, all must"),
                Some(hashes) => match sha256 {
                    Some(sha256) if !hashes.contains(sha256) => {
                        bail!("{filename} has none of the hashes that were given for {name}, but sha256:{sha256}")
                    }
                    None if !filename.ends_with(".whl") => {
                        bail!(
                            "nothing tells the hash of {filename} before it is built: name it by a URL with #sha256=…"
                        )
                    }
                    _ => {}
                },
            }
        }
        Ok(())
    }

    /// What versions are chosen for.
    fn target(&self) -> Result<Target> {
        self.target_of(&self.context.interpreter)
    }

    fn target_of(&self, interpreter: &Interpreter) -> Result<Target> {
        let facts = &interpreter.facts;
        Ok(Target {
            markers: facts.marker_environment()?,
            python: Version::from_str(&facts.full_version()).context("the Python's version")?,
            tags: facts.tags(),
            prerelease: self.rules.prerelease,
        })
    }

    /// The name of the project that a URL gives.
    pub fn name_of(&mut self, url: &Url) -> Result<PackageName> {
        let target = self.target()?;
        let name = self.resolver()?.name_of(url, &target)?;
        self.display.finish();
        Ok(name)
    }

    /// The versions of a project that can be had for an interpreter without a build, oldest first.
    pub fn versions(&mut self, name: &PackageName, interpreter: &Interpreter) -> Result<Vec<Version>> {
        let target = self.target_of(interpreter)?;
        let versions = self.resolver()?.versions(name, &target)?;
        self.display.finish();
        Ok(versions)
    }

    /// What the index tells of a project that nobody has vouched for.
    pub fn about(&mut self, name: &PackageName) -> Result<About> {
        let target = self.target()?;
        let about = self.resolver()?.about(name, &target)?;
        self.display.finish();
        Ok(about)
    }

    fn resolver(&mut self) -> Result<&mut Resolver> {
        if self.resolver.is_none() {
            projection::make_interpreter_visible(self.settings, &self.store, self.context.interpreter.path())?;
            let indexes = index_settings::indexes(self.settings, &self.store, &self.context.interpreter)?;
            let options = index_settings::http(self.settings)?;
            let resolver = Resolver::new(self.store.clone(), &indexes, options, self.display.progress());
            let builder = Builder {
                settings: self.settings.clone(),
                store: self.store.clone(),
                interpreter: self.builder.clone().unwrap_or_else(|| self.context.interpreter.clone()),
                rules: self.rules.clone(),
                building: self.building.clone(),
            };
            self.resolver = Some(resolver.building_in(Arc::new(builder)));
        }
        self.resolver.as_mut().context("no resolver")
    }

    fn view(&self, wheels: &[(Sha256, WheelTree)]) -> Result<Composed> {
        let overlay: Option<Overlay> = match &self.context.base {
            Base::Overlay { overlay, .. } => Some(overlay.clone()),
            Base::Managed { description, .. } => description.overlay.clone(),
            Base::Isolated => None,
        };
        // Seeds are read from its standard library.
        projection::make_interpreter_visible(self.settings, &self.store, self.context.interpreter.path())?;
        let seeds = if overlay.is_some() { Vec::new() } else { seeds(&self.store, &self.context.interpreter)? };
        let request = ViewRequest {
            interpreter: &self.context.interpreter,
            wheels: wheels.iter().map(|(sha256, tree)| ViewWheel { sha256: *sha256, tree }).collect(),
            seeds: seeds.iter().map(|(sha256, tree)| ViewWheel { sha256: *sha256, tree }).collect(),
            runtime: RUNTIME,
            overlay,
        };
        let built = build(&self.store, &request)?;
        for conflict in built.conflicts.iter().filter(|_| self.settings.verbose) {
            output::warn(&format!("{} is in {} and {}: {0}'s is used", conflict.path, conflict.kept, conflict.dropped));
        }
        let path = projection::make_visible(self.settings, &self.store, &built.id)?;
        Ok(Composed { id: built.id, path, description: built.description, cost: Cost::default() })
    }
}

/// The resolver's requirements have plain URLs.
fn for_resolver(requirement: &Requirement) -> Result<omnipkg_resolver::Requirement> {
    let text = requirement.to_string();
    text.parse().with_context(|| format!("cannot use the requirement {text}"))
}

/// True if requirements contradict each other or the indexes: asking for less may help.
pub fn is_unsatisfiable(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref::<ResolveError>(), Some(ResolveError::NoSolution(_)))
}
