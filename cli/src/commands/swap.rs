//! `omnipkg swap`: another active Python, another active environment, or other versions in it.

use crate::arguments::{Selection, SwapOptions};
use crate::change::{self, Manner};
use crate::commands::{install, open_store};
use crate::context::{Beneath, Context, Purpose, Target};
use crate::inputs::Inputs;
use crate::output;
use crate::projection;
use crate::settings::Settings;
use crate::workshop::Upgrade;
use anyhow::{Context as _, Result, bail};
use omnipkg_store::environment::Environments;
use omnipkg_store::view::description::ViewDescription;
use omnipkg_store::{Layout, Store};
use std::io::IsTerminal;

/// Swaps what the subjects say.
pub fn swap(settings: &Settings, options: &SwapOptions) -> Result<u8> {
    match &options.subjects[..] {
        [word, request] if word == "python" => {
            activate(settings, &Selection { python: Some(request.clone()), env: None })
        }
        [word, name] if word == "env" => activate(settings, &Selection { python: None, env: Some(name.clone()) }),
        [word, ..] if word == "python" || word == "env" => {
            bail!("swap {word} to what? `omnipkg swap python 3.9`, `omnipkg swap env NAME`")
        }
        subjects => {
            let store = open_store(settings)?;
            let wanted = Inputs::new(settings, options.selection.python.as_deref()).read(subjects, &[])?;
            change::change(settings, &store, &options.selection, Manner::default(), |before| {
                Ok(Some(install::edit(before, &wanted, Upgrade::Nothing, "swap")))
            })
        }
    }
}

/// Makes an environment the active one; the default one of a Python is made if there is none yet.
pub fn activate(settings: &Settings, selection: &Selection) -> Result<u8> {
    let store = open_store(settings)?;
    let target = Target::find(store.layout(), selection, Purpose::Change)?;
    let (name, view) = match Beneath::look(store.layout(), &target)? {
        Beneath::Environment { name, view } => (name, view),
        _ => {
            let context = Context::find(settings, &store, &target)?;
            let name = context.environment.context("that Python has no environment")?;
            let view = Environments::new(&store).view(&name)?.with_context(|| format!("{name} vanished"))?;
            (name, view)
        }
    };
    let environments = Environments::new(&store);
    let view = crate::rebind::environment(settings, &store, &name, view)?;
    let path = projection::make_visible(settings, &store, &view)?;
    environments.reproject(&name, &view, &path)?;
    environments.set_active(&name)?;
    tell(settings, &store, &name, &ViewDescription::load(&store, &view)?)?;
    Ok(0)
}

fn tell(settings: &Settings, store: &Store, name: &str, description: &ViewDescription) -> Result<()> {
    let layout = store.layout();
    if settings.json {
        let python = layout.envs().join(name).join("bin/python");
        let json = serde_json::json!({
            "schema": 1, "environment": name, "version": description.version, "python": python,
        });
        println!("{json}");
        return Ok(());
    }
    if settings.quiet {
        return Ok(());
    }
    // What goes before the active environment makes this swap look as if it had done nothing.
    match Target::find(layout, &Selection::default(), Purpose::Change)? {
        Target::Python { request, said_by: Some(said_by) } => {
            output::warn(&format!("{said_by} asks for Python {request}, and goes before the active one here"));
        }
        _ if std::io::stderr().is_terminal() && !is_on_path(layout) => {
            let bin = layout.active().join("bin");
            output::talk("for `python` to follow, add this line to your shell's start-up file:");
            anstream::eprintln!("export PATH=\"{}:$PATH\"", bin.display());
        }
        _ => {}
    }
    Ok(())
}

fn is_on_path(layout: &Layout) -> bool {
    let bin = layout.active().join("bin");
    std::env::var_os("PATH").is_some_and(|path| std::env::split_paths(&path).any(|directory| directory == bin))
}
