//! `omnipkg mount`: a view of requirements or of a script, kept, and its path printed.

use crate::arguments::MountOptions;
use crate::commands::{open_store, writable};
use crate::compiling::compile_view;
use crate::context::{Beneath, Context, Purpose, Target, interpreter_for};
use crate::healing::{LazyWorkshop, PythonChoice};
use crate::inputs::{self, Inputs};
use crate::interpreters;
use crate::projection;
use crate::script::Script;
use crate::settings::Settings;
use crate::signals::Signals;
use anyhow::{Context as _, Result, bail};
use omnipkg_healer::Plan;
use omnipkg_store::{Layout, view};
use std::fs;
use std::path::Path;

/// Makes a view and prints its path.
pub fn mount(settings: &Settings, options: &MountOptions) -> Result<u8> {
    let signals = Signals::block()?;
    let store = open_store(settings)?;
    let target = Target::find(store.layout(), &options.selection, Purpose::Use)?;
    let script = match &options.subjects[..] {
        // A script that is not there is not taken for a project of that name.
        [one] if is_script(one) => Script::read(Path::new(one))?,
        _ => None,
    };
    let (context, plan) = match script {
        Some(Script { block: Some(block), .. }) => {
            let interpreter = interpreters::find(&store, target.said_request(), block.requires_python.as_ref())?;
            (Context::isolated(interpreter), Plan::new(block.dependencies))
        }
        Some(_) => (Context::find(settings, &store, &target)?, Plan::default()),
        None => {
            let requirements = Inputs::new(settings, target.said_request()).read(&options.subjects, &[])?;
            let interpreter = match Beneath::look(store.layout(), &target)? {
                Beneath::Nothing => interpreter_for(&store, &target)?,
                _ => Context::find(settings, &store, &target)?.interpreter,
            };
            (Context::isolated(interpreter), Plan::new(requirements))
        }
    };
    let opened = (store.clone(), context);
    let composed =
        LazyWorkshop::new(settings, &signals, PythonChoice::default(), move || Ok(opened)).compose_plan(&plan)?;
    if options.compile {
        let _interruptible = signals.interruptible()?;
        compile_view(settings, &store, &composed.id)?;
    }
    view::seal(&store, &composed.id)?;
    let path = match options.writable {
        true => writable::mount(settings, &store, composed.id, &composed.path, options.keep.as_deref())?,
        false => composed.path,
    };
    if let Some(at) = &options.at {
        link(store.layout(), &path, at)?;
    }
    let shown = options.at.as_deref().unwrap_or(&path);
    if settings.json {
        let json = serde_json::json!({ "schema": 1, "view": composed.id, "path": path, "at": options.at });
        println!("{json}");
    } else {
        println!("{}", shown.display());
    }
    Ok(0)
}

/// Puts a link at a place of the user's; only a link to another view is ever replaced.
fn link(layout: &Layout, view: &Path, at: &Path) -> Result<()> {
    match fs::symlink_metadata(at) {
        Ok(metadata) if !metadata.is_symlink() => bail!("{} exists and is no link: nothing was changed", at.display()),
        Ok(_) => {
            let target = fs::read_link(at).with_context(|| format!("cannot look at {}", at.display()))?;
            if projection::view_of_path(layout, &target).is_none() {
                bail!("{} leads to {}, which is no view: nothing was changed", at.display(), target.display());
            }
            fs::remove_file(at).with_context(|| format!("cannot replace {}", at.display()))?;
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("cannot look at {}", at.display())),
    }
    std::os::unix::fs::symlink(view, at).with_context(|| format!("cannot make the link {}", at.display()))
}

/// Takes a link away that leads into this store.
pub fn unmount(settings: &Settings, path: &Path) -> Result<u8> {
    let store = open_store(settings)?;
    let link = fs::read_link(path);
    if let Some(name) = writable::name_of(&store, path, link.as_deref().ok()) {
        writable::unmount(settings, &store, &name)?;
        if link.is_ok() {
            fs::remove_file(path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
        return Ok(0);
    }
    let target = link.with_context(|| format!("{} is no link that `mount --at` made", path.display()))?;
    if projection::view_of_path(store.layout(), &target).is_none() {
        bail!("{} leads to {}, which is no view: nothing was changed", path.display(), target.display());
    }
    fs::remove_file(path).with_context(|| format!("cannot remove {}", path.display()))?;
    Ok(0)
}

/// True for what is a script, if it is there; a project's directory and its archives are requirements.
fn is_script(subject: &str) -> bool {
    let path = Path::new(subject);
    let is_project = path.is_dir() || inputs::is_archive(subject);
    !is_project && (path.is_file() || subject.ends_with(".py") || subject.starts_with(['.', '/']))
}
