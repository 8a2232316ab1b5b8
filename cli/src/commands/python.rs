//! `omnipkg python`: the interpreters that have an environment here, and those that could have one.

mod adopt;
mod find;
mod install;
pub mod known;
mod list;
mod remove;
mod rescan;
mod source;

use crate::arguments::{PythonVerb, Selection};
use crate::commands::swap;
use crate::settings::Settings;
use anyhow::Result;

/// Does what the verb says.
pub fn python(settings: &Settings, verb: &PythonVerb) -> Result<u8> {
    match verb {
        PythonVerb::List => list::list(settings),
        PythonVerb::Find { request } => find::find(settings, request.as_deref()),
        PythonVerb::Adopt { request } => adopt::adopt(settings, request),
        PythonVerb::Switch { request } => {
            swap::activate(settings, &Selection { python: Some(request.clone()), env: None })
        }
        PythonVerb::Install(options) => install::install(settings, options),
        PythonVerb::Remove { request } => remove::remove(settings, request),
        PythonVerb::Rescan => rescan::rescan(settings),
    }
}
