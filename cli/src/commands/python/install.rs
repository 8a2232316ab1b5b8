//! `omnipkg python install`: an archive is fetched, verified, unpacked into the store, and its interpreter taken into use.
//!
//! Nothing is unpacked before the whole archive has the hash that was promised, and the interpreter gets its name only
//! when its whole tree is in the store.

use super::known::Known;
use super::{adopt, source};
use crate::arguments::PythonInstallOptions;
use crate::commands::open_store;
use crate::index_settings;
use crate::output;
use crate::progress::Display;
use crate::projection;
use crate::settings::Settings;
use anyhow::{Context, Result, bail};
use omnipkg_resolver::Resolver;
use omnipkg_store::Store;
use omnipkg_store::interpreter::archive::{self, Tree};
use omnipkg_store::interpreter::{Interpreter, installed, probe_cached};
use omnipkg_store::view::description::ViewDescription;

/// Installs the interpreter of an archive; what is there already is no news.
pub fn install(settings: &Settings, options: &PythonInstallOptions) -> Result<u8> {
    let store = open_store(settings)?;
    let display = Display::new(settings);
    let http = index_settings::http(settings)?;
    let fetcher = Resolver::without_index(store.clone(), http, display.progress());
    let known = Known::load(&fetcher)?;
    let source = source::find(&fetcher, &known, options)?;
    let tree = Tree::of(store.layout(), &source.filename, &source.sha256);
    let interpreter = if tree.is_installed(store.layout()) {
        let interpreter = ViewDescription::load(&store, &tree.id)?.interpreter;
        projection::make_interpreter_visible(settings, &store, &interpreter)?;
        probe_cached(&store, &interpreter)?
    } else {
        let archive = fetcher.archive(&source.filename, &source.urls, source.sha256)?;
        let path = archive::unpack(&store, archive.path(), &source.filename, &source.sha256, &tree)?;
        drop(archive);
        let projected = projection::make_visible(settings, &store, &tree.id)?;
        installed::point(&store, &tree.name, &projected)?;
        match started(&store, &path, &source.filename).and_then(|interpreter| as_named(interpreter, &tree)) {
            Ok(interpreter) => interpreter,
            Err(error) => {
                installed::remove(&store, &tree.name)?;
                return Err(error);
            }
        }
    };
    let (record, new) = adopt::into_use(settings, &store, interpreter)?;
    if new && record.name != record.interpreter.facts.name() && !settings.quiet {
        output::talk(&format!(
            "{} is in use already: this one is called {}",
            record.interpreter.facts.name(),
            record.name
        ));
    }
    adopt::tell(settings, &store, &record, new, "installed");
    Ok(0)
}

fn started(store: &Store, path: &std::path::Path, filename: &str) -> Result<Interpreter> {
    probe_cached(store, path).with_context(|| format!("the interpreter in {filename} does not run on this machine"))
}

/// What an archive holds is what its name says, or it is not used.
fn as_named(interpreter: Interpreter, tree: &Tree) -> Result<Interpreter> {
    let found = interpreter.facts.full_version();
    let named = tree.name.split('-').nth(1).unwrap_or_default();
    let is_version = named.split('.').count() == 3 && named.split('.').all(|part| part.parse::<u16>().is_ok());
    if is_version && named != found {
        bail!("the archive of Python {named} holds Python {found}");
    }
    Ok(interpreter)
}
