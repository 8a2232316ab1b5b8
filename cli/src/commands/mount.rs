//! `omnipkg mount`: a view of requirements or of a script, kept, and its path printed.

use crate::arguments::MountOptions;
use crate::commands::{open_store, parse_requirements};
use crate::context::{Beneath, Context, Purpose, Target, interpreter_for};
use crate::healing::LazyWorkshop;
use crate::interpreters;
use crate::projection;
use crate::script::Script;
use crate::settings::Settings;
use crate::signals::Signals;
use anyhow::{Context as _, Result, bail};
use omnipkg_healer::Plan;
use omnipkg_store::interpreter::probe_cached;
use omnipkg_store::view::description::ViewDescription;
use omnipkg_store::view::manifest::{NodeKind, ViewManifest};
use omnipkg_store::{Digest, Layout, Store, ViewId, bytecode, links, view};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Makes a view and prints its path.
pub fn mount(settings: &Settings, options: &MountOptions) -> Result<u8> {
    let signals = Signals::block()?;
    let store = open_store(settings)?;
    let target = Target::find(store.layout(), &options.selection, Purpose::Use)?;
    let script = match &options.subjects[..] {
        // A script that is not there is not taken for a project of that name.
        [one] if Path::new(one).is_file() || one.ends_with(".py") || one.starts_with(['.', '/']) => {
            Script::read(Path::new(one))?
        }
        _ => None,
    };
    let (context, plan) = match script {
        Some(Script { block: Some(block), .. }) => {
            let interpreter = interpreters::find(&store, target.said_request(), block.requires_python.as_ref())?;
            (Context::isolated(interpreter), Plan::new(block.dependencies))
        }
        Some(_) => (Context::find(settings, &store, &target)?, Plan::default()),
        None => {
            let requirements = parse_requirements(&options.subjects)?;
            let interpreter = match Beneath::look(store.layout(), &target)? {
                Beneath::Nothing => interpreter_for(&store, &target)?,
                _ => Context::find(settings, &store, &target)?.interpreter,
            };
            (Context::isolated(interpreter), Plan::new(requirements))
        }
    };
    let opened = (store.clone(), context);
    let composed = LazyWorkshop::new(settings, &signals, move || Ok(opened)).compose_plan(&plan)?;
    if options.compile {
        compile_view(&store, &composed.id)?;
    }
    view::seal(&store, &composed.id)?;
    if let Some(at) = &options.at {
        link(store.layout(), &composed.path, at)?;
    }
    let shown = options.at.as_deref().unwrap_or(&composed.path);
    if settings.json {
        let json = serde_json::json!({ "schema": 1, "view": composed.id, "path": composed.path, "at": options.at });
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
    let target =
        fs::read_link(path).with_context(|| format!("{} is no link that `mount --at` made", path.display()))?;
    if projection::view_of_path(store.layout(), &target).is_none() {
        bail!("{} leads to {}, which is no view: nothing was changed", path.display(), target.display());
    }
    fs::remove_file(path).with_context(|| format!("cannot remove {}", path.display()))?;
    Ok(0)
}

/// Makes the bytecode of every source in a view that has none.
pub fn compile_view(store: &Store, view: &ViewId) -> Result<bytecode::Compiled> {
    let description = ViewDescription::load(store, view)?;
    let interpreter = probe_cached(store, &description.interpreter)?;
    let manifest = ViewManifest::open(&store.layout().view(view))?;
    let mut sources: BTreeSet<Digest> = BTreeSet::new();
    for entry in manifest.walk() {
        let entry = entry?;
        if let NodeKind::File { digest, .. } = entry.node.kind
            && entry.node.name.ends_with(b".py")
        {
            sources.insert(digest);
        }
    }
    let compiled = bytecode::compile(store, &interpreter, &sources)?;
    links::add_bytecode(store, view)?;
    Ok(compiled)
}
