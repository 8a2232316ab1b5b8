//! Where a member goes: the scheme and path of a wheel manifest, or nowhere.

use super::error::Fault;

/// What becomes of a member.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Placement {
    /// It is a file at this path, which begins with its scheme.
    File(String),
    /// It is a script at this path: relocated if its first line asks for it, always executable.
    Script(String),
    /// It is made anew by ingest (RECORD, INSTALLER) or is a signature of what is made anew.
    Replaced,
    /// It is bytecode, which would be stale.
    Bytecode,
    /// It would replace a part of the environment itself.
    Reserved,
}

/// Decides about one member by its name; `project` is the name that headers are filed under.
pub(super) fn place(path: &str, dist_info: &str, project: &str) -> Result<Placement, Fault> {
    if let Some(file) = path.strip_prefix(dist_info).and_then(|rest| rest.strip_prefix('/'))
        && matches!(file, "RECORD" | "RECORD.jws" | "RECORD.p7s" | "INSTALLER")
    {
        return Ok(Placement::Replaced);
    }
    let mut parts = path.rsplit('/');
    let file = parts.next().unwrap_or_default();
    if file.ends_with(".pyc") && parts.next() == Some("__pycache__") {
        return Ok(Placement::Bytecode);
    }
    let (top, rest) = path.split_once('/').unwrap_or((path, ""));
    if !top.ends_with(".data") {
        return Ok(Placement::File(format!("site/{path}")));
    }
    let Some((scheme, rest)) = rest.split_once('/') else {
        return Err(Fault::member(path, "it is not below a scheme's directory"));
    };
    Ok(match scheme {
        "purelib" | "platlib" => Placement::File(format!("site/{rest}")),
        "headers" => Placement::File(format!("include/{project}/{rest}")),
        "scripts" if is_python(rest) => Placement::Reserved,
        "scripts" => Placement::Script(format!("bin/{rest}")),
        "data" if rest == "pyvenv.cfg" || rest.strip_prefix("bin/").is_some_and(is_python) => Placement::Reserved,
        "data" => Placement::File(format!("data/{rest}")),
        _ => return Err(Fault::member(path, format!("{scheme:?} is no scheme"))),
    })
}

/// Names in `bin/` that are the interpreter's: `python`, `python3`, `python3.11`.
pub(super) fn is_python(name: &str) -> bool {
    name.strip_prefix("python").is_some_and(|rest| rest.chars().all(|char| char.is_ascii_digit() || char == '.'))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn schemes_are_mapped() {
        let file = |path: &str| Placement::File(path.to_owned());
        for (path, expected) in [
            ("rich/a.py", file("site/rich/a.py")),
            ("x-1.data/purelib/a.py", file("site/a.py")),
            ("x-1.data/platlib/a.so", file("site/a.so")),
            ("x-1.data/headers/a/b.h", file("include/X/a/b.h")),
            ("x-1.data/data/share/man/x.1", file("data/share/man/x.1")),
            ("x-1.data/scripts/go", Placement::Script("bin/go".to_owned())),
            ("x-1.dist-info/METADATA", file("site/x-1.dist-info/METADATA")),
            ("x-1.dist-info/RECORD.jws", Placement::Replaced),
            ("a/__pycache__/b.cpython-311.pyc", Placement::Bytecode),
            ("a/b.pyc", file("site/a/b.pyc")),
            ("x-1.data/scripts/python3.11", Placement::Reserved),
            ("x-1.data/scripts/python-config", Placement::Script("bin/python-config".to_owned())),
            ("x-1.data/data/bin/python", Placement::Reserved),
            ("x-1.data/data/pyvenv.cfg", Placement::Reserved),
        ] {
            assert_eq!(place(path, "x-1.dist-info", "X").unwrap(), expected, "{path}");
        }
    }

    #[test]
    fn unknown_schemes_are_refused() {
        for path in ["x-1.data/other/a", "x-1.data/a", "x-1.data"] {
            assert!(place(path, "x-1.dist-info", "X").is_err(), "{path}");
        }
    }
}
