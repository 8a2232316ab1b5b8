//! One file a verb.

mod doctor;
mod info;
pub mod install;
mod list;
pub mod mount;
pub mod run;
mod server;
mod status;

use crate::arguments::Verb;
use crate::demos;
use crate::settings::Settings;
use anyhow::{Result, anyhow};
use omnipkg_store::Store;
use pep508_rs::Requirement;
use std::str::FromStr;

/// Does what a verb says and returns the exit code.
pub fn execute(settings: &Settings, verb: Verb) -> Result<u8> {
    match verb {
        Verb::Run(options) => run::run(settings, &options),
        Verb::Mount(options) => mount::mount(settings, &options),
        Verb::Unmount { path } => mount::unmount(settings, &path),
        Verb::Install(options) => install::install(settings, &options),
        Verb::List(selection) => list::list(settings, &selection),
        Verb::Info { subject, selection } => info::info(settings, subject.as_deref(), &selection),
        Verb::Status => status::status(settings),
        Verb::Doctor => doctor::doctor(settings),
        Verb::Demo { number, python, .. } => demos::demo(settings, number, python.as_deref()),
        Verb::Server { verb } => server::server(settings, verb),
    }
}

/// Opens the store that the settings name.
pub fn open_store(settings: &Settings) -> Result<Store> {
    Ok(Store::open(&settings.home)?)
}

/// Reads requirements as the user wrote them.
pub fn parse_requirements(texts: &[String]) -> Result<Vec<Requirement>> {
    texts.iter().map(|text| parse_requirement(text)).collect()
}

/// The parser's text has a drawing of the place below its first line.
pub fn not_a_requirement(text: &str, error: &impl std::fmt::Display) -> anyhow::Error {
    let error = error.to_string();
    anyhow!("{text:?} is not a requirement: {}", error.lines().next().unwrap_or_default())
}

fn parse_requirement(text: &str) -> Result<Requirement> {
    Requirement::from_str(text.trim()).map_err(|error| not_a_requirement(text, &error))
}
