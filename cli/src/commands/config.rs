//! `omnipkg config`: every setting in force, with its value and who told it. Secrets are masked.

use crate::commands::open_store;
use crate::index_settings::{self, IndexSettings, Origin, Told, shown, variable, with_scheme};
use crate::interpreters;
use crate::settings::{Settings, is_yes};
use anyhow::Result;

/// One line of the answer.
struct Row {
    name: &'static str,
    value: String,
    origin: String,
}

/// Prints the settings.
pub fn config(settings: &Settings, python: Option<&str>) -> Result<u8> {
    let mut rows = of_omnipkg(settings);
    let told = IndexSettings::read(&settings.index);
    rows.extend(of_indexes(settings, &told, python)?);
    rows.extend(index_settings::of_the_connection().iter().map(|(name, told)| row(name, told)));
    if settings.json {
        let rows: Vec<_> = rows
            .iter()
            .map(|row| serde_json::json!({ "name": row.name, "value": row.value, "origin": row.origin }))
            .collect();
        println!("{}", serde_json::json!({ "schema": 1, "settings": rows }));
        return Ok(0);
    }
    let width = |text: fn(&Row) -> &str| rows.iter().map(|row| text(row).chars().count()).max().unwrap_or(0);
    let (names, values) = (width(|row| row.name), width(|row| &row.value).min(60));
    for Row { name, value, origin } in &rows {
        println!("{name:names$}  {value:values$}  {origin}");
    }
    Ok(0)
}

fn of_omnipkg(settings: &Settings) -> Vec<Row> {
    let home = variable(&["OMNIPKG_HOME", "XDG_DATA_HOME", "HOME"]).map(|told| told.origin);
    let home = Told { value: settings.home.display().to_string(), origin: home.unwrap_or(Origin::Default) };
    let offline = match (settings.offline, variable(&["OMNIPKG_OFFLINE"])) {
        (true, Some(told)) if is_yes("OMNIPKG_OFFLINE") => told,
        (true, _) => Told { value: "true".to_owned(), origin: Origin::Flag("--offline") },
        (false, _) => default("false"),
    };
    let others = [
        ("projection", "OMNIPKG_PROJECTION", Some("probe")),
        ("python", "OMNIPKG_PYTHON", None),
        ("python-mirror", "OMNIPKG_PYTHON_MIRROR", None),
        ("python-mirror", "UV_PYTHON_INSTALL_MIRROR", None),
        ("python-downloads", "OMNIPKG_PYTHON_DOWNLOADS", None),
    ];
    let told = |name| variable(&[name]);
    let others = others
        .into_iter()
        .filter_map(|(name, variable, otherwise)| Some(row(name, &told(variable).or(otherwise.map(default))?)));
    [row("home", &home), row("offline", &offline)].into_iter().chain(others).collect()
}

fn of_indexes(settings: &Settings, told: &IndexSettings, python: Option<&str>) -> Result<Vec<Row>> {
    let or = |told: &Option<Told>, otherwise: &str| told.clone().unwrap_or_else(|| default(otherwise));
    let mut rows = vec![row("no-index", &or(&told.no_index, "false"))];
    if told.no_index.is_none() {
        let main = match &told.index_url {
            Some(told) => told.clone(),
            None => {
                let store = open_store(settings)?;
                index_settings::default_index(&store, &interpreters::find(&store, python, None)?)?
            }
        };
        rows.extend(told.extra.iter().map(|told| row("extra-index-url", told)));
        rows.push(row("index-url", &main));
        rows.extend(told.index_for.iter().map(|told| row("index-for", told)));
    }
    rows.extend(told.find_links.iter().map(|told| row("find-links", told)));
    rows.extend(told.exclude_newer.iter().map(|told| row("exclude-newer", told)));
    rows.extend(of_formats(settings));
    rows.push(row("keyring-provider", &or(&told.keyring, "disabled")));
    rows.extend(
        index_settings::netrc()
            .filter(|told| std::path::Path::new(&told.value).exists())
            .map(|told| row("netrc", &told)),
    );
    rows.push(row("http-timeout", &or(&told.timeout, "30")));
    rows.extend(told.proxy.iter().map(|told| row("proxy", told)));
    rows.extend(told.certificates.iter().map(|told| row("certificates", told)));
    Ok(rows)
}

/// What may be taken as a wheel or built from source.
fn of_formats(settings: &Settings) -> Vec<Row> {
    let flags = &settings.index;
    let no_build = flags.no_build.then(|| ":all:".to_owned());
    let mut rows = Vec::new();
    for (name, flag, values, variables) in [
        ("only-binary", "--only-binary", flags.only_binary.clone(), ["PIP_ONLY_BINARY", "UV_NO_BUILD"]),
        ("only-binary", "--no-build", no_build.into_iter().collect(), [""; 2]),
        ("no-binary", "--no-binary", flags.no_binary.clone(), ["PIP_NO_BINARY", "UV_NO_BINARY"]),
    ] {
        let flags = values.into_iter().map(|value| Told { value, origin: Origin::Flag(flag) });
        let told = flags.chain(variables.into_iter().filter_map(|name| of_format(variable(&[name])?)));
        rows.extend(told.map(|told| row(name, &told)));
    }
    rows
}

/// pip's variables name projects, uv's are switches for all of them.
fn of_format(told: Told) -> Option<Told> {
    match &told.origin {
        Origin::Variable(name) if name.starts_with("UV_") => {
            is_yes(name).then(|| Told { value: ":all:".to_owned(), ..told.clone() })
        }
        _ => Some(told),
    }
}

fn row(name: &'static str, told: &Told) -> Row {
    // Without its scheme a proxy's login would not be seen as one.
    let is_proxy = name != "no-proxy" && name.ends_with("proxy");
    let value = if is_proxy { shown(&with_scheme(&told.value)) } else { shown(&told.value) };
    Row { name, value, origin: told.origin.to_string() }
}

fn default(value: &str) -> Told {
    Told { value: value.to_owned(), origin: Origin::Default }
}
