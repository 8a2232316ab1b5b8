//! One file a verb.

mod activate;
mod bisect;
mod config;
mod doctor;
mod environments;
pub mod export;
mod heal;
mod info;
pub mod install;
mod ladder;
mod list;
pub mod mount;
mod prune;
pub mod python;
mod resolve;
mod revert;
pub mod run;
mod server;
mod status;
pub mod swap;
mod sync;
mod uninstall;
mod upgrade;
mod writable;

use crate::arguments::{PythonVerb, Verb};
use crate::demos;
use crate::index_settings;
use crate::logins;
use crate::settings::Settings;
use crate::writable::overlay;
use anyhow::{Result, anyhow, bail};
use omnipkg_store::{Store, publish};
use pep508_rs::{PackageName, Requirement};
use std::str::FromStr;

/// Does what a verb says and returns the exit code.
pub fn execute(settings: &Settings, verb: Verb) -> Result<u8> {
    match verb {
        Verb::Run(options) => run::run(settings, &options),
        Verb::Heal(options) => heal::heal(settings, &options),
        Verb::Bisect(options) => bisect::bisect(settings, &options),
        Verb::Mount(options) => mount::mount(settings, &options),
        Verb::Unmount { path } => mount::unmount(settings, &path),
        Verb::Writable { verb } => writable::writable(settings, &verb),
        Verb::Within(options) => overlay::within(&options),
        Verb::Install(options) => install::install(settings, &options),
        Verb::Resolve(options) => resolve::resolve(settings, &options),
        Verb::Export(options) => export::export(settings, &options),
        Verb::Sync(options) => sync::sync(settings, &options),
        Verb::Uninstall(options) => uninstall::uninstall(settings, &options),
        Verb::Upgrade(options) => upgrade::upgrade(settings, &options),
        Verb::Revert(options) => revert::revert(settings, &options),
        Verb::Swap(options) => swap::swap(settings, &options),
        Verb::Prune(options) => prune::prune(settings, &options),
        Verb::Env { verb } => environments::environments(settings, &verb),
        Verb::Python { verb } => python::python(settings, &verb),
        Verb::Adopt { subjects } => match &subjects[..] {
            [word, request] if word == "python" => {
                python::python(settings, &PythonVerb::Adopt { request: request.clone() })
            }
            _ => bail!("adopt what? `omnipkg adopt python 3.9`"),
        },
        Verb::Activate(options) => activate::activate(settings, &options),
        Verb::List(selection) => list::list(settings, &selection),
        Verb::Info { subject, selection } => info::info(settings, subject.as_deref(), &selection),
        Verb::Status => status::status(settings),
        Verb::Doctor => doctor::doctor(settings),
        Verb::Demo { number, python, fresh, .. } => demos::demo(settings, number, python.as_deref(), fresh),
        Verb::Config { python, .. } => config::config(settings, python.as_deref()),
        Verb::Server { verb } => server::server(settings, verb),
    }
}

/// Opens the store that the settings name, and tells it where the tool is.
pub fn open_store(settings: &Settings) -> Result<Store> {
    let store = Store::open(&settings.home)?;
    let link = store.layout().program();
    // Best effort: only programs in views that call the tool by its bare name need it.
    if let Ok(program) = std::env::current_exe()
        && !std::fs::read_link(&link).is_ok_and(|known| known == program)
        && program.is_file()
    {
        let _ = publish::volatile_link(&store, &program, &link);
    }
    Ok(store)
}

/// Reads a project's name as the user wrote it; of a requirement its name counts, as pip has it.
pub fn parse_project(text: &str) -> Result<PackageName> {
    PackageName::from_str(text.trim())
        .or_else(|_| Requirement::from_str(text.trim()).map(|requirement: Requirement| requirement.name))
        .map_err(|_| anyhow!("{text:?} is no project name"))
}

/// Reads requirements as the user wrote them.
pub fn parse_requirements(texts: &[String]) -> Result<Vec<Requirement>> {
    texts.iter().map(|text| parse_requirement(text)).collect()
}

/// The parser's text has a drawing of the place below its first line.
pub fn not_a_requirement(text: &str, error: &impl std::fmt::Display) -> anyhow::Error {
    let (text, error) = (index_settings::shown(text), error.to_string());
    anyhow!("{text:?} is not a requirement: {}", error.lines().next().unwrap_or_default())
}

/// Reads a requirement; a login in its URL is taken out.
pub fn parse_requirement(text: &str) -> Result<Requirement> {
    let requirement = Requirement::from_str(text.trim()).map_err(|error| not_a_requirement(text, &error))?;
    Ok(logins::taken_out(requirement))
}
