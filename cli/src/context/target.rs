//! Which environment or Python a command means, before anything is opened: a few variables, links and stats.
//!
//! In this order: the flags; the Python that the command was started from (`<env python> -m omnipkg.cli`, told by
//! `OMNIPKG_STARTED_FROM`); `OMNIPKG_PYTHON`; the view of the run around this command, as long as nothing was swapped or
//! installed since it began; `.python-version` here or above; the active environment; `$VIRTUAL_ENV`, an environment that
//! omnipkg does not manage. The variables of a process are its own, so commands side by side do not disturb each other.

use crate::arguments::Selection;
use crate::projection;
use crate::settings::non_empty;
use anyhow::{Result, bail};
use omnipkg_store::interpreter::discover::PythonRequest;
use omnipkg_store::{Layout, ViewId};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// Told by the Python side: the prefix of the Python that a command was started from.
pub const STARTED_FROM: &str = "OMNIPKG_STARTED_FROM";

/// The user's choice for all commands of a shell, a job or a thread.
const PYTHON: &str = "OMNIPKG_PYTHON";

/// Told by a run to what it starts: the active environment and its view, as they were then.
pub const RUN_OVER: &str = "OMNIPKG_RUN_OVER";

/// What a command means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// An environment, by its name.
    Environment(String),
    /// A view that belongs to no environment for certain.
    View(ViewId),
    /// The default environment of a Python.
    Python {
        /// As the user wrote it: a version, an implementation, a path.
        request: String,
        /// Who said so, where that was not a flag.
        said_by: Option<String>,
    },
    /// An environment that omnipkg does not manage.
    Unmanaged(PathBuf),
    /// Nothing was said, and nothing is active.
    Nothing,
}

/// What the command is about to do with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Run in it or look at it.
    Use,
    /// Make a new generation: only an environment has those.
    Change,
}

impl Target {
    /// Finds what is meant.
    pub fn find(layout: &Layout, selection: &Selection, purpose: Purpose) -> Result<Self> {
        if let Some(name) = &selection.env {
            return Ok(Self::Environment(name.clone()));
        }
        if let Some(request) = &selection.python {
            return Ok(Self::of_request(layout, request, None));
        }
        if let Some(target) = started_from().and_then(|prefix| Self::of_prefix(layout, &prefix)) {
            return Ok(target);
        }
        if let Some(request) = non_empty(PYTHON) {
            let Some(request) = request.to_str() else { bail!("{PYTHON} is no text: {}", request.display()) };
            return Ok(Self::of_request(layout, request, Some(PYTHON.to_owned())));
        }
        let virtual_env = non_empty("VIRTUAL_ENV").map(PathBuf::from);
        let around = virtual_env.as_ref().and_then(|path| projection::view_of_path(layout, path));
        if let (Some(view), Purpose::Use) = (around, purpose)
            && env::var(RUN_OVER).is_ok_and(|then| then == run_over(layout))
        {
            return Ok(Self::View(view));
        }
        if let Some((request, file)) = python_version_file() {
            return Ok(Self::Python { request, said_by: Some(file.display().to_string()) });
        }
        if let Some(name) = active(layout) {
            return Ok(Self::Environment(name));
        }
        let unmanaged = virtual_env.filter(|path| around.is_none() && path.join("pyvenv.cfg").is_file());
        Ok(unmanaged.map_or(Self::Nothing, Self::Unmanaged))
    }

    /// A request for a Python; one by the path of an environment's own Python means that environment.
    fn of_request(layout: &Layout, request: &str, said_by: Option<String>) -> Self {
        let path = Path::new(request);
        let prefix = if path.is_dir() { Some(path) } else { path.parent().and_then(Path::parent) };
        prefix
            .filter(|_| request.contains('/'))
            .and_then(|prefix| Self::of_prefix(layout, prefix))
            .unwrap_or_else(|| Self::Python { request: request.to_owned(), said_by })
    }

    /// What an environment's or a view's root means, if it is one of this store.
    fn of_prefix(layout: &Layout, prefix: &Path) -> Option<Self> {
        if prefix == layout.active() {
            return active(layout).map(Self::Environment);
        }
        if prefix.parent() == Some(&layout.envs()) {
            return Some(Self::Environment(prefix.file_name()?.to_str()?.to_owned()));
        }
        projection::view_of_path(layout, prefix).map(Self::View)
    }

    /// The Python that was asked for in so many words: what a script with requirements of its own goes by, which has
    /// nothing to do with the directory that it is started in.
    pub fn said_request(&self) -> Option<&str> {
        match self {
            Self::Python { request, said_by } if said_by.as_deref().is_none_or(|who| who == PYTHON) => Some(request),
            _ => None,
        }
    }

    /// The Python request in it, if it is one.
    pub fn request(&self) -> Option<&str> {
        match self {
            Self::Python { request, .. } => Some(request),
            _ => None,
        }
    }
}

/// The root of the environment that the command was started from: as the Python side tells, or by its own `bin/omnipkg`.
fn started_from() -> Option<PathBuf> {
    if let Some(prefix) = non_empty(STARTED_FROM) {
        return Some(PathBuf::from(prefix));
    }
    let program = PathBuf::from(env::args_os().next()?);
    Some(program.parent()?.parent()?.to_owned()).filter(|prefix| prefix.is_absolute())
}

/// The active environment's name, by one readlink.
fn active(layout: &Layout) -> Option<String> {
    Some(fs::read_link(layout.active()).ok()?.file_name()?.to_str()?.to_owned())
}

/// The active environment and its view, by two readlinks: tells whether anything was swapped or installed since.
pub fn run_over(layout: &Layout) -> String {
    let Some(name) = active(layout) else { return String::new() };
    let view = fs::read_link(layout.envs().join(&name)).unwrap_or_default();
    format!("{name} {}", view.display())
}

/// The version that a `.python-version` here or above asks for (pyenv's file, which uv reads too): its first line that is
/// a version. Names of pyenv's virtual environments and `system` say nothing to omnipkg.
fn python_version_file() -> Option<(String, PathBuf)> {
    let here = env::current_dir().ok()?;
    let (file, text) = here.ancestors().find_map(|directory| {
        let file = directory.join(".python-version");
        fs::read_to_string(&file).ok().map(|text| (file, text))
    })?;
    let version = text.lines().map(str::trim).find(|line| {
        let request = PythonRequest::parse(line);
        !line.is_empty() && !matches!(request, PythonRequest::Path(_) | PythonRequest::Any)
    })?;
    Some((version.to_owned(), file))
}
