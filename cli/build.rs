//! Lists the files of the Python side, so that none can be forgotten, and a stamp that changes with any of them, so that
//! the warm path need not hash them.

use std::collections::hash_map::DefaultHasher;
use std::error::Error;
use std::fmt::Write;
use std::hash::{Hash, Hasher};
use std::path::Path;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../python").canonicalize()?;
    let mut files = vec!["_omnipkg.pth".to_owned()];
    for entry in fs::read_dir(root.join("omnipkg"))? {
        let name = entry?.file_name().into_string().map_err(|name| format!("{name:?} is no text"))?;
        files.extend(name.ends_with(".py").then(|| format!("omnipkg/{name}")));
    }
    files.sort();
    let mut hasher = DefaultHasher::new();
    let mut list = String::from("&[\n");
    for file in &files {
        let path = root.join(file);
        (file, fs::read(&path)?).hash(&mut hasher);
        println!("cargo::rerun-if-changed={}", path.display());
        writeln!(list, "RuntimeFile {{ path: {file:?}, bytes: include_bytes!({path:?}) }},")?;
    }
    println!("cargo::rerun-if-changed={}", root.join("omnipkg").display());
    if env::var("PROFILE")? == "release" {
        // The program is started for every run: a position-independent one has 30,000 pointers relocated each time,
        // which takes longer than anything else that a warm run does.
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
    println!("cargo::rustc-env=OMNIPKG_RUNTIME_STAMP={:016x}", hasher.finish());
    list.push(']');
    fs::write(Path::new(&env::var("OUT_DIR")?).join("runtime_files.rs"), list)?;
    Ok(())
}
