//! Turns the tables of names into ones that are looked up without being read first: thousands of rows would take longer
//! to parse than anything else that a diagnosis does.

use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Apis {
    api: Vec<Api>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Api {
    distribution: String,
    #[serde(default)]
    also: Vec<String>,
    names: Vec<String>,
    versions: String,
    source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Modules {
    modules: BTreeMap<String, Module>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Module {
    distribution: String,
    #[serde(default)]
    versions: String,
    source: String,
}

fn main() -> Result<(), Box<dyn Error>> {
    let data = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("data");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("apis.rs"), apis(&data.join("apis.toml"))?)?;
    fs::write(out.join("modules.rs"), modules(&[data.join("modules.toml"), data.join("popular.toml")])?)?;
    Ok(())
}

fn read(table: &Path) -> Result<String, Box<dyn Error>> {
    println!("cargo::rerun-if-changed={}", table.display());
    Ok(fs::read_to_string(table)?)
}

fn apis(table: &Path) -> Result<String, Box<dyn Error>> {
    let apis: Apis = toml::from_str(&read(table)?)?;
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    for (row, api) in apis.api.iter().enumerate() {
        if api.names.is_empty() || api.source.len() < 8 || api.versions.is_empty() {
            return Err(format!("apis.toml: the row of {:?} says too little", api.names).into());
        }
        for name in &api.names {
            if names.insert(name, row).is_some() {
                return Err(format!("apis.toml: {name} stands twice").into());
            }
        }
    }
    let mut code = String::from("static ROWS: &[Row] = &[\n");
    for Api { distribution, also, versions, source, .. } in &apis.api {
        writeln!(
            code,
            "Row {{ distribution: {distribution:?}, also: &{also:?}, versions: {versions:?}, source: {source:?} }},"
        )?;
    }
    code += "];\nstatic NAMES: &[(&str, usize)] = &[\n";
    for (name, row) in names {
        writeln!(code, "({name:?}, {row}),")?;
    }
    code += "];\n";
    Ok(code)
}

fn modules(tables: &[PathBuf]) -> Result<String, Box<dyn Error>> {
    let mut rows: BTreeMap<String, (usize, Module)> = BTreeMap::new();
    for (table_number, table) in tables.iter().enumerate() {
        let read: Modules = toml::from_str(&read(table)?)?;
        for (module, row) in read.modules {
            if row.source.len() < 8 || row.distribution.is_empty() {
                return Err(format!("{}: the row of {module} says too little", table.display()).into());
            }
            rows.entry(module).or_insert((table_number, row));
        }
    }
    let mut code = String::from("static ROWS: &[Row] = &[\n");
    for (module, (table, Module { distribution, versions, source })) in &rows {
        let is_reviewed = *table == 0;
        writeln!(
            code,
            "Row {{ module: {module:?}, distribution: {distribution:?}, versions: {versions:?}, source: {source:?}, \
             is_reviewed: {is_reviewed} }},"
        )?;
    }
    let projects: BTreeSet<String> = rows.values().map(|(_, row)| normalised(&row.distribution)).collect();
    writeln!(code, "];\nstatic PROJECTS: &[&str] = &{projects:?};", projects = Vec::from_iter(projects))?;
    Ok(code)
}

/// PEP 503.
fn normalised(name: &str) -> String {
    name.to_lowercase().split(['-', '_', '.']).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}
