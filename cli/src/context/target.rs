//! Which environment or Python a command means, before anything is opened: a few variables, links and stats.
//!
//! In this order: the flags; the Python that the command was started from (`<env python> -m omnipkg.cli`, told by
//! `OMNIPKG_STARTED_FROM`); `OMNIPKG_PYTHON`; the run around this command, until another environment is made the active
//! one: its view, or its environment if that has another view by now; `.python-version` here or above; the active environment; `$VIRTUAL_ENV`, an environment that
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

/// Told by a run to what it starts: the active environment, the one beneath it, and that one's view, as they were then.
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
        let virtual_env = non_empty("VIRTUAL_ENV").map(PathBuf::from);
        let around = virtual_env.as_ref().and_then(|path| projection::view_of_path(layout, path));
        match started_from().and_then(|prefix| Self::of_prefix(layout, &prefix)) {
            Some(Self::View(view)) if around == Some(view) => {
                return Ok(RunOver::told().map_or(Self::View(view), |over| over.target(layout, view, purpose)));
            }
            Some(target) => return Ok(target),
            None => {}
        }
        if let Some(request) = non_empty(PYTHON) {
            let Some(request) = request.to_str() else { bail!("{PYTHON} is no text: {}", request.display()) };
            return Ok(Self::of_request(layout, request, Some(PYTHON.to_owned())));
        }
        if let Some(view) = around
            && let Some(over) = RunOver::told().filter(|over| over.active == active(layout))
        {
            return Ok(over.target(layout, view, purpose));
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

/// What a run told to what it started: the environments as they were then.
struct RunOver {
    /// The active one.
    active: Option<String>,
    /// The one beneath the run, and its view.
    environment: Option<(String, String)>,
}

impl RunOver {
    fn told() -> Option<Self> {
        let text = env::var(RUN_OVER).ok()?;
        let words: Vec<Option<String>> =
            text.split(' ').map(|word| Some(word.to_owned()).filter(|word| word != NONE)).collect();
        let [active, environment, view] = <[Option<String>; 3]>::try_from(words).ok()?;
        Some(Self { active, environment: environment.zip(view) })
    }

    /// What a command within the run means: the run's own view, until its environment has another.
    fn target(self, layout: &Layout, view: ViewId, purpose: Purpose) -> Target {
        match self.environment {
            Some((name, then)) if purpose == Purpose::Change || current_view(layout, &name) != Some(then.clone()) => {
                Target::Environment(name)
            }
            _ => Target::View(view),
        }
    }
}

const NONE: &str = "-";

/// What a run over an environment (or over none) tells to what it starts, by two readlinks.
pub fn run_over(layout: &Layout, environment: Option<&str>) -> String {
    let active = active(layout);
    let view = environment.and_then(|name| current_view(layout, name));
    let word = |word: Option<&str>| word.unwrap_or(NONE).to_owned();
    [word(active.as_deref()), word(environment), word(view.as_deref())].join(" ")
}

fn current_view(layout: &Layout, name: &str) -> Option<String> {
    Some(fs::read_link(layout.envs().join(name)).ok()?.file_name()?.to_str()?.to_owned())
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
