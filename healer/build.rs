//! Turns the table of APIs into one that is looked up without being read first: thousands of names would take longer to
//! parse than anything else that a diagnosis does.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write;
use std::path::Path;
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

fn main() -> Result<(), Box<dyn Error>> {
    let table = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("data/apis.toml");
    println!("cargo::rerun-if-changed={}", table.display());
    let apis: Apis = toml::from_str(&fs::read_to_string(&table)?)?;
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
    fs::write(Path::new(&env::var("OUT_DIR")?).join("apis.rs"), code)?;
    Ok(())
}
