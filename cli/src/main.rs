//! The `omnipkg` program: arguments in, one verb done, an exit code out.
//!
//! Exit codes: 0; 1 the user can mend it; 2 usage; on `run` the program's own (128 + n for a signal).

/// Data on stdout, by [`output::data`]: the standard macro panics where nobody reads.
macro_rules! println {
    ($($text:tt)*) => {
        $crate::output::data(format_args!("{}\n", format_args!($($text)*)))
    };
}

/// As [`println!`], without the end of the line.
macro_rules! print {
    ($($text:tt)*) => {
        $crate::output::data(format_args!($($text)*))
    };
}

mod activation;
mod answers;
mod arguments;
mod as_of;
mod bubbles;
mod build_environments;
mod change;
mod closure;
mod commands;
mod compiling;
mod context;
mod demos;
mod foresight;
mod healing;
mod hints;
mod index_settings;
mod inputs;
mod interpreters;
mod launch;
mod logins;
mod namespace;
mod origins;
mod output;
mod pins;
mod progress;
mod project_files;
mod projection;
mod pylock;
mod rebind;
mod remembered;
mod requirement_files;
mod rules;
mod runtime_files;
mod script;
mod seeds;
mod server;
mod settings;
mod signals;
mod standard_input;
mod trial;
mod workshop;
mod writable;

use anyhow::{Result, anyhow};
use arguments::{Arguments, IndexOptions, Verb};
use omnipkg_resolver::{Formats, Names};
use settings::Settings;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = Arguments::read();
    let settled = as_of::settle(&mut arguments.verb).and_then(|()| settings_for(&arguments));
    let result = settled.and_then(|settings| commands::execute(&settings, arguments.verb));
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            output::error(&error);
            ExitCode::FAILURE
        }
    }
}

/// What the options, and the variables of pip and uv, say of wheels and sources.
fn formats(index: &IndexOptions) -> Result<Formats> {
    let mut formats = Formats::default();
    if index.no_build || settings::is_yes("UV_NO_BUILD") {
        formats.only_binary = Names::all();
    }
    if settings::is_yes("UV_NO_BINARY") {
        formats.no_binary = Names::all();
    }
    let sides = [
        (&mut formats.only_binary, "--only-binary", "PIP_ONLY_BINARY", &index.only_binary),
        (&mut formats.no_binary, "--no-binary", "PIP_NO_BINARY", &index.no_binary),
    ];
    for (names, option, variable, given) in sides {
        let of_variable = std::env::var(variable).ok().map(|text| (variable, text));
        for (origin, text) in of_variable.into_iter().chain(given.iter().map(|text| (option, text.clone()))) {
            names.add(&text).map_err(|part| anyhow!("{origin}: {part:?} is no project's name, nor :all: or :none:"))?;
        }
    }
    Ok(formats)
}

fn settings_for(arguments: &Arguments) -> Result<Settings> {
    let none = IndexOptions::default();
    let index = match &arguments.verb {
        Verb::Run(options) => &options.index,
        Verb::Heal(options) => &options.index,
        Verb::Bisect(options) => &options.index,
        Verb::Mount(options) => &options.index,
        Verb::Install(options) => &options.index,
        Verb::Upgrade(options) => &options.index,
        Verb::Swap(options) => &options.index,
        Verb::Resolve(options) => &options.index,
        Verb::Export(options) => &options.index,
        Verb::Sync(options) => &options.index,
        Verb::Activate(options) => &options.index,
        Verb::Demo { index, .. } | Verb::Config { index, .. } => index,
        _ => &none,
    };
    Ok(Settings {
        home: Settings::home()?,
        projection: Settings::projection()?,
        offline: arguments.common.offline || settings::is_yes("OMNIPKG_OFFLINE"),
        refresh: index.refresh,
        quiet: arguments.common.quiet,
        verbose: arguments.common.verbose,
        json: arguments.common.json,
        index: index.clone(),
        formats: formats(index)?,
    })
}
