//! The context of a command: the interpreter, and what lies beneath.
//!
//! In this order: a view that the command was started from (`$VIRTUAL_ENV` leads into this store); the environment
//! that `--python` names, else the active one; `$VIRTUAL_ENV`, an environment that omnipkg does not manage; and
//! where there is nothing at all, the default environment of the first Python found, which is made then.

use crate::interpreters;
use crate::projection;
use crate::settings::{Settings, non_empty};
use crate::workshop::Workshop;
use anyhow::{Context as _, Result};
use omnipkg_store::environment::{Environments, Generation};
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
    pub fn look(layout: &Layout, python: Option<&str>) -> Result<Self> {
        let virtual_env = non_empty("VIRTUAL_ENV").map(PathBuf::from);
        let started_from = virtual_env.as_ref().and_then(|path| projection::view_of_path(layout, path));
        if let (Some(view), None) = (started_from, python) {
            return Ok(Self::View(view));
        }
        let name = match python {
            Some(python) => Some(python.to_owned()).filter(|name| is_environment_name(name)),
            None => fs::read_link(layout.active()).ok().and_then(|link| Some(link.file_name()?.to_str()?.to_owned())),
        };
        if let Some(name) = name
            && let Ok(link) = fs::read_link(layout.envs().join(&name))
            && let Some(view) = link.file_name().and_then(|name| name.to_str()?.parse().ok())
        {
            return Ok(Self::Environment { name, view });
        }
        let unmanaged = virtual_env.filter(|path| python.is_none() && path.join("pyvenv.cfg").is_file());
        Ok(unmanaged.map_or(Self::Nothing, Self::Unmanaged))
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

/// A version request such as `3.11` is the name of that Python's default environment.
fn is_environment_name(text: &str) -> bool {
    text.split('.').count() == 2 && text.split('.').all(|part| part.parse::<u16>().is_ok())
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
    pub fn find(settings: &Settings, store: &Store, python: Option<&str>) -> Result<Self> {
        match Beneath::look(store.layout(), python)? {
            Beneath::Environment { name, view } => Self::of_view(store, &view, Some(name)),
            Beneath::View(view) => Self::of_view(store, &view, None),
            Beneath::Unmanaged(prefix) => Self::of_unmanaged(store, prefix),
            Beneath::Nothing => {
                let interpreter = interpreters::find(store, python, None)?;
                Self::default_environment(settings, store, interpreter, python.is_none())
            }
        }
    }

    /// An interpreter with nothing beneath.
    pub fn isolated(interpreter: Interpreter) -> Self {
        Self { interpreter, base: Base::Isolated, environment: None }
    }

    fn of_view(store: &Store, view: &ViewId, environment: Option<String>) -> Result<Self> {
        let description = ViewDescription::load(store, view)?;
        let interpreter = probe_cached(store, &description.interpreter)
            .context("the environment's Python cannot be used any more")?;
        let generation = match &environment {
            Some(name) => Environments::new(store).current(name)?,
            None => None,
        };
        let base = Base::Managed { view: *view, description: Box::new(description), generation };
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
        let name = default_name(store, &interpreter)?;
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
        let name = default_name(store, &interpreter)?;
        if environments.view(&name)?.is_none() {
            let mut workshop = Workshop::new(settings, store.clone(), Self::isolated(interpreter.clone()));
            let composed = workshop.compose(&[], &[])?;
            environments.publish(&name, None, composed.generation(Vec::new(), "made".to_owned()))?;
        }
        if activate && environments.active()?.is_none() {
            environments.set_active(&name)?;
        }
        let view = environments.view(&name)?.with_context(|| format!("the environment {name} vanished"))?;
        Self::of_view(store, &view, Some(name))
    }
}

/// `3.11`, `pypy3.9`; a second interpreter of one version gets a suffix from its path.
fn default_name(store: &Store, interpreter: &Interpreter) -> Result<String> {
    let facts = &interpreter.facts;
    let implementation = if facts.implementation == "cpython" { "" } else { facts.implementation.as_str() };
    let variant = if facts.free_threaded { "t" } else { "" };
    let name = format!("{implementation}{}{variant}", facts.short_version());
    match Environments::new(store).view(&name)? {
        Some(view) if ViewDescription::load(store, &view)?.interpreter != interpreter.path() => {
            let digest = omnipkg_store::Digest::of(interpreter.path().as_os_str().as_encoded_bytes());
            Ok(format!("{name}-{}", &digest.to_hex()[..8]))
        }
        _ => Ok(name),
    }
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
