//! The Python side, embedded in the binary and projected into every view.

use omnipkg_store::view::builder::RuntimeFile;

macro_rules! runtime_files {
    ($($path:literal),* $(,)?) => {
        &[$(RuntimeFile { path: $path, bytes: include_bytes!(concat!("../../python/", $path)) }),*]
    };
}

/// Files of omnipkg itself in a view's site-packages.
pub const RUNTIME_FILES: &[RuntimeFile] = runtime_files![
    "_omnipkg.pth",
    "omnipkg/__init__.py",
    "omnipkg/__main__.py",
    "omnipkg/_activation.py",
    "omnipkg/_arrays.py",
    "omnipkg/_bindings.py",
    "omnipkg/_checks.py",
    "omnipkg/_compiled.py",
    "omnipkg/_definitions.py",
    "omnipkg/_distributions.py",
    "omnipkg/_errors.py",
    "omnipkg/_failure.py",
    "omnipkg/_functions.py",
    "omnipkg/_generation.py",
    "omnipkg/_layer.py",
    "omnipkg/_layers.py",
    "omnipkg/_loader_errors.py",
    "omnipkg/_memory.py",
    "omnipkg/_missing.py",
    "omnipkg/_modules.py",
    "omnipkg/_program.py",
    "omnipkg/_reporter.py",
    "omnipkg/_sources.py",
    "omnipkg/_specification.py",
    "omnipkg/_subjects.py",
    "omnipkg/_syntax.py",
    "omnipkg/_transport.py",
    "omnipkg/_values.py",
    "omnipkg/_worker_main.py",
    "omnipkg/_worker_process.py",
    "omnipkg/cli.py",
    "omnipkg/common_utils.py",
    "omnipkg/core.py",
    "omnipkg/i18n.py",
    "omnipkg/loader.py",
    "omnipkg/worker.py",
];

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn every_python_file_is_embedded() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../python");
        let mut files: Vec<String> = vec!["_omnipkg.pth".to_owned()];
        for entry in std::fs::read_dir(root.join("omnipkg")).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            files.extend(name.ends_with(".py").then(|| format!("omnipkg/{name}")));
        }
        files.sort();
        let embedded: Vec<&str> = RUNTIME_FILES.iter().map(|file| file.path).collect();
        assert_eq!(embedded, files);
    }
}
