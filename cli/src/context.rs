//! The context of a command: the interpreter, and what lies beneath.
//!
//! [`Target`] says which is meant; here it is looked up, and where there is nothing at all, the default environment of
//! the first Python found is made.

mod default;
mod target;

pub use default::{by_version, interpreter_for, is_default_name};
pub use target::{Purpose, RUN_OVER, STARTED_FROM, Target, run_over};

use crate::arguments::Selection;
use crate::rebind;
use crate::settings::Settings;
use crate::workshop::Workshop;
use anyhow::{Context as _, Result, bail};
use omnipkg_store::environment::{Environments, Generation};
use omnipkg_store::interpreter::registry::Registry;
use omnipkg_store::interpreter::{Interpreter, probe_cached};
use omnipkg_store::view::description::{Overlay, ViewDescription};
use omnipkg_store::{Layout, Store, ViewId};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// What lies beneath a run, found with a few readlinks and stats: enough for the warm path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Beneath {
    /// An environment of this store, and its current view.
    Environment {
        /// Its name.
        name: String,
        /// Its current view.
        view: ViewId,
    },
    /// A view that the command was started from.
    View(ViewId),
    /// An environment that omnipkg does not manage.
    Unmanaged(PathBuf),
    /// Nothing yet.
    Nothing,
}

impl Beneath {
    /// Looks, starting and making nothing.
    pub fn look(layout: &Layout, target: &Target) -> Result<Self> {
        let name = match target {
            Target::Environment(name) => name.clone(),
            Target::View(view) => return Ok(Self::View(*view)),
            Target::Unmanaged(prefix) => return Ok(Self::Unmanaged(prefix.clone())),
            Target::Nothing => return Ok(Self::Nothing),
            Target::Python { request, .. } => match default::environment_of(layout, request) {
                Some(name) => name,
                None => return Ok(Self::Nothing),
            },
        };
        let link = layout.envs().join(&name);
        let view = fs::read_link(link).ok().and_then(|link| link.file_name()?.to_str()?.parse().ok());
        match (view, target) {
            (Some(view), _) => Ok(Self::Environment { name, view }),
            (None, Target::Environment(name)) => bail!("no environment is called {name}"),
            (None, _) => Ok(Self::Nothing),
        }
    }

    /// Tells one state beneath from another: a changed environment gives another text.
    pub fn identity(&self) -> String {
        match self {
            Self::Environment { view, .. } | Self::View(view) => format!("view {view}"),
            Self::Unmanaged(prefix) => {
                let lib = prefix.join("lib");
                let directories = fs::read_dir(&lib).into_iter().flatten().flatten();
                let mut states: Vec<String> = directories
                    .filter_map(|entry| {
                        let path = entry.path().join("site-packages");
                        let metadata = fs::metadata(&path).ok()?;
                        Some(format!("{} {} {}", path.display(), metadata.mtime(), metadata.mtime_nsec()))
                    })
                    .collect();
                states.sort();
                format!("unmanaged {} {}", prefix.display(), states.join(" "))
            }
            Self::Nothing => "nothing".to_owned(),
        }
    }
}

/// What a view is composed over.
#[derive(Debug, Clone)]
pub enum Base {
    /// A view of this store; with its generation if an environment has it.
    Managed {
        /// Its name.
        view: ViewId,
        /// What the view is made of.
        description: Box<ViewDescription>,
        /// The environment's record: its requirements.
        generation: Option<Generation>,
    },
    /// An environment that omnipkg does not manage.
    Overlay {
        /// What stays visible.
        overlay: Overlay,
        /// Projects (normalised) and versions that it has.
        installed: BTreeMap<String, String>,
    },
    /// Nothing: only what is asked for.
    Isolated,
}

/// The interpreter and what lies beneath.
#[derive(Debug, Clone)]
pub struct Context {
    /// The interpreter.
    pub interpreter: Interpreter,
    /// What lies beneath.
    pub base: Base,
    /// The environment's name, if one lies beneath.
    pub environment: Option<String>,
}

impl Context {
    /// Finds the context, making the default environment where there is nothing.
    pub fn find(settings: &Settings, store: &Store, target: &Target) -> Result<Self> {
        match Beneath::look(store.layout(), target)? {
            Beneath::Environment { name, view } => Self::of_environment(settings, store, name, view),
            Beneath::View(view) => Self::of_view(store, &view, None),
            Beneath::Unmanaged(prefix) => Self::of_unmanaged(store, prefix),
            Beneath::Nothing => {
                let interpreter = default::interpreter_for(store, target)?;
                Self::default_environment(settings, store, interpreter, *target == Target::Nothing)
            }
        }
    }

    /// The context of a command that makes a new generation: an environment as it is, or the default one of an
    /// interpreter as it would begin, which is then made by the command itself, and only if that succeeds.
    pub fn to_change(settings: &Settings, store: &Store, selection: &Selection) -> Result<Self> {
        let target = Target::find(store.layout(), selection, Purpose::Change)?;
        match Beneath::look(store.layout(), &target)? {
            Beneath::Environment { name, view } => Self::of_environment(settings, store, name, view),
            Beneath::View(view) => match environment_of_view(store, &view)? {
                Some((name, view)) => Self::of_environment(settings, store, name, view),
                None => Self::of_default(store, Self::of_view(store, &view, None)?.interpreter),
            },
            // What omnipkg does not manage is never changed: the interpreter's own environment takes the packages.
            Beneath::Unmanaged(prefix) => Self::of_default(store, Self::of_unmanaged(store, prefix)?.interpreter),
            Beneath::Nothing => Self::of_default(store, default::interpreter_for(store, &target)?),
        }
    }

    /// An environment, bound again if its interpreter is another one now.
    pub fn of_environment(settings: &Settings, store: &Store, name: String, view: ViewId) -> Result<Self> {
        let description = ViewDescription::load(store, &view)?;
        if let Ok(interpreter) = probe_cached(store, &description.interpreter)
            && rebind::is_same(&interpreter, &description)
        {
            return Self::over_view(store, view, description, interpreter, Some(name));
        }
        let view = rebind::environment(settings, store, &name, view)?;
        Self::of_view(store, &view, Some(name))
    }

    /// An interpreter with nothing beneath.
    pub fn isolated(interpreter: Interpreter) -> Self {
        Self { interpreter, base: Base::Isolated, environment: None }
    }

    /// A view; with its environment's name, its generation too.
    pub fn of_view(store: &Store, view: &ViewId, environment: Option<String>) -> Result<Self> {
        let description = ViewDescription::load(store, view)?;
        let interpreter = probe_cached(store, &description.interpreter)
            .context("the environment's Python cannot be used any more")?;
        Self::over_view(store, *view, description, interpreter, environment)
    }

    fn over_view(
        store: &Store,
        view: ViewId,
        description: ViewDescription,
        interpreter: Interpreter,
        environment: Option<String>,
    ) -> Result<Self> {
        let generation = match &environment {
            Some(name) => Environments::new(store).current(name)?,
            None => None,
        };
        let base = Base::Managed { view, description: Box::new(description), generation };
        Ok(Self { interpreter, base, environment })
    }

    fn of_unmanaged(store: &Store, prefix: PathBuf) -> Result<Self> {
        let interpreter = probe_cached(store, &prefix.join("bin/python"))
            .with_context(|| format!("the environment {} (VIRTUAL_ENV) cannot be used", prefix.display()))?;
        let site_packages = prefix.join(&interpreter.facts.site_packages);
        let installed = installed_distributions(&site_packages);
        let overlay = Overlay { prefix, site_packages: vec![site_packages] };
        Ok(Self { interpreter, base: Base::Overlay { overlay, installed }, environment: None })
    }

    /// The default environment of an interpreter as it is, or as it would begin: nothing is made.
    pub fn of_default(store: &Store, interpreter: Interpreter) -> Result<Self> {
        let name = Registry::new(store).name_for(&interpreter)?;
        match Environments::new(store).view(&name)? {
            Some(view) => Self::of_view(store, &view, Some(name)),
            None => Ok(Self { environment: Some(name), ..Self::isolated(interpreter) }),
        }
    }

    /// The default environment of an interpreter, made (empty) if need be. With `activate` it becomes the active one
    /// if there is none; a Python that was asked for by name is no choice of a default.
    pub fn default_environment(
        settings: &Settings,
        store: &Store,
        interpreter: Interpreter,
        activate: bool,
    ) -> Result<Self> {
        let environments = Environments::new(store);
        let name = Registry::new(store).name_for(&interpreter)?;
        if environments.view(&name)?.is_none() {
            Registry::new(store).adopt(&interpreter)?;
            let mut workshop = Workshop::new(settings, store.clone(), Self::isolated(interpreter.clone()));
            let composed = workshop.compose(&[], &[])?;
            environments.publish(&name, None, composed.generation(store, Vec::new(), "made".to_owned())?)?;
        }
        if activate && environments.active()?.is_none() {
            environments.set_active(&name)?;
        }
        let view = environments.view(&name)?.with_context(|| format!("the environment {name} vanished"))?;
        Self::of_view(store, &view, Some(name))
    }
}

/// The environment that a view belongs to, with the environment's current view: the one whose current view it is, else
/// one that had it in a generation. Of several, the one with a Python's own name.
fn environment_of_view(store: &Store, view: &ViewId) -> Result<Option<(String, ViewId)>> {
    let environments = Environments::new(store);
    let mut had_it = Vec::new();
    for name in environments.names()? {
        let Some(current) = environments.view(&name)? else { continue };
        let is_current = current == *view;
        if is_current || environments.history(&name)?.iter().any(|generation| generation.view == *view) {
            had_it.push((!is_current, !is_default_name(&name), name, current));
        }
    }
    had_it.sort();
    Ok(had_it.into_iter().next().map(|(_, _, name, current)| (name, current)))
}

/// Projects and versions of `*.dist-info` directories.
fn installed_distributions(site_packages: &std::path::Path) -> BTreeMap<String, String> {
    let mut installed = BTreeMap::new();
    for entry in fs::read_dir(site_packages).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let stem = name.to_str().and_then(|name| name.strip_suffix(".dist-info"));
        if let Some((project, version)) = stem.and_then(|stem| stem.split_once('-')) {
            installed.insert(project.to_ascii_lowercase().replace(['_', '.'], "-"), version.to_owned());
        }
    }
    installed
}
