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
    // Where it is in the sources, and where in a view.
    let mut files: Vec<(String, String)> =
        ["_omnipkg.pth", "_omnipkg_reporter.py"].map(|name| (name.to_owned(), format!("site/{name}"))).into();
    for name in names(&root.join("omnipkg"))?.iter().filter(|name| name.ends_with(".py")) {
        files.push((format!("omnipkg/{name}"), format!("site/omnipkg/{name}")));
    }
    for name in names(&root.join("activate"))? {
        files.push((format!("activate/{name}"), format!("bin/{name}")));
    }
    files.sort();
    let mut hasher = DefaultHasher::new();
    let mut list = String::from("&[\n");
    for (source, file) in &files {
        let path = root.join(source);
        (file, fs::read(&path)?).hash(&mut hasher);
        println!("cargo::rerun-if-changed={}", path.display());
        writeln!(list, "RuntimeFile {{ path: {file:?}, bytes: include_bytes!({path:?}) }},")?;
    }
    for folder in ["omnipkg", "activate"] {
        println!("cargo::rerun-if-changed={}", root.join(folder).display());
    }
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

fn names(folder: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let text = |name: std::ffi::OsString| name.into_string().map_err(|name| format!("{name:?} is no text").into());
    fs::read_dir(folder)?.map(|entry| text(entry?.file_name())).collect()
}
