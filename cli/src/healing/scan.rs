//! A first look at a script's text: whether it may be worth asking Python what the script will fail of before it runs.
//!
//! It is quick and asks for too much rather than too little: it decides nothing. A script that imports only what is there
//! costs a few looks at the view.

use omnipkg_healer::knowledge::api;
use std::fs;
use std::path::{Path, PathBuf};

/// Modules that every Python 3 from 3.6 on has; sorted.
#[rustfmt::skip] // a name a line would be all of this file
const STANDARD: &[&str] = &[
    "__future__", "abc", "argparse", "array", "ast", "asyncio", "atexit", "base64", "bdb", "binascii", "bisect",
    "builtins", "bz2", "cProfile", "calendar", "cmath", "cmd", "code", "codecs", "codeop", "collections", "colorsys",
    "compileall", "concurrent", "configparser", "contextlib", "copy", "copyreg", "csv", "ctypes", "curses",
    "datetime", "dbm", "decimal", "difflib", "dis", "doctest", "email", "encodings", "ensurepip", "enum", "errno",
    "faulthandler", "fcntl", "filecmp", "fileinput", "fnmatch", "fractions", "ftplib", "functools", "gc",
    "genericpath", "getopt", "getpass", "gettext", "glob", "grp", "gzip", "hashlib", "heapq", "hmac", "html", "http",
    "imaplib", "importlib", "inspect", "io", "ipaddress", "itertools", "json", "keyword", "linecache", "locale",
    "logging", "lzma", "mailbox", "marshal", "math", "mimetypes", "mmap", "modulefinder", "multiprocessing", "netrc",
    "ntpath", "nturl2path", "numbers", "opcode", "operator", "optparse", "os", "pathlib", "pdb", "pickle",
    "pickletools", "pkgutil", "platform", "plistlib", "poplib", "posix", "posixpath", "pprint", "profile", "pstats",
    "pty", "pwd", "py_compile", "pyclbr", "pydoc", "pydoc_data", "pyexpat", "queue", "quopri", "random", "re",
    "readline", "reprlib", "resource", "rlcompleter", "runpy", "sched", "secrets", "select", "selectors", "shelve",
    "shlex", "shutil", "signal", "site", "smtplib", "socket", "socketserver", "sqlite3", "sre_compile",
    "sre_constants", "sre_parse", "ssl", "stat", "statistics", "string", "stringprep", "struct", "subprocess",
    "symtable", "sys", "sysconfig", "syslog", "tabnanny", "tarfile", "tempfile", "termios", "textwrap", "threading",
    "time", "timeit", "tkinter", "token", "tokenize", "trace", "traceback", "tracemalloc", "tty", "turtle", "types",
    "typing", "unicodedata", "unittest", "urllib", "uuid", "venv", "warnings", "wave", "weakref", "webbrowser",
    "wsgiref", "xml", "xmlrpc", "xxlimited", "xxsubtype", "zipapp", "zipfile", "zipimport", "zlib",
];

/// Words that make a comment one that may ask for projects.
const ASKING: [&str; 7] =
    ["pip install ", "pip3 install ", "requires:", "require:", "requirements:", "dependencies:", "depends:"];

/// Whether there may be anything to tell of a script in a view.
pub fn may_fail(source: &[u8], script: &Path, view: &Path) -> bool {
    let text = String::from_utf8_lossy(source);
    let Some(site_packages) = site_packages(view) else { return true };
    // Python looks beside the file that a link leads to.
    let script = script.canonicalize().unwrap_or_else(|_| script.to_owned());
    let beside = script.parent().map(Path::to_owned).unwrap_or_default();
    let folders = [beside, site_packages];
    let is_there = |module: &str| is_in(module, &folders);
    let mut in_main = false;
    for line in text.lines() {
        let is_top = !line.starts_with([' ', '\t']);
        in_main = if is_top && !line.trim().is_empty() { line.starts_with("if __name__") } else { in_main };
        let statement = line.trim();
        let is_asking = match statement.strip_prefix('#') {
            Some(comment) => {
                let comment = comment.to_lowercase();
                ASKING.iter().any(|word| comment.contains(word))
            }
            None => {
                let is_reached = is_top || in_main;
                is_of_python_2(statement)
                    || (is_reached && compares_versions(statement))
                    || (is_reached && imported(statement).any(|module| !is_there(module)))
                    || (is_reached && went(statement))
            }
        };
        if is_asking {
            return true;
        }
    }
    false
}

/// Whether a module is certainly nowhere to be found from a folder, in a view that is all that lies beneath.
pub fn is_missing(module: &str, folder: &Path, view: &Path) -> bool {
    site_packages(view).is_some_and(|site_packages| !is_in(module, &[folder.to_owned(), site_packages]))
}

fn is_in(module: &str, folders: &[PathBuf]) -> bool {
    STANDARD.binary_search(&module).is_ok()
        || folders.iter().any(|folder| {
            // As a package, as a module, or as an extension module of whatever name.
            folder.join(module).exists()
                || folder.join(format!("{module}.py")).exists()
                || has_extension(folder, module)
        })
}

/// `lib/python3.11/site-packages`; none for Python 2, which is always asked.
fn site_packages(view: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(view.join("lib")).ok()?.flatten();
    let library = entries
        .map(|entry| entry.path())
        .find(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("python3")))?;
    Some(library.join("site-packages"))
}

fn has_extension(folder: &Path, module: &str) -> bool {
    let start = format!("{module}.");
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .any(|entry| entry.file_name().to_str().is_some_and(|name| name.starts_with(&start) && name.ends_with(".so")))
}

/// The top-level modules of `import a.b, c as d` and `from a.b import c`.
fn imported(statement: &str) -> impl Iterator<Item = &str> {
    let names = statement.strip_prefix("import ").unwrap_or_default();
    let from = statement.strip_prefix("from ").and_then(|rest| rest.split(" import").next()).unwrap_or_default();
    let top_level =
        |name: &str| name.trim_start().split(['.', ' ', ';', '#', '\\', '(']).next().unwrap_or_default().len();
    names.split(',').chain([from]).filter_map(move |name| {
        let name = name.trim_start();
        let module = name.get(..top_level(name))?;
        (!module.is_empty()).then_some(module)
    })
}

/// Whether a `from a import b, c` is of a name that the table of APIs has.
fn went(statement: &str) -> bool {
    let Some((module, names)) = statement.strip_prefix("from ").and_then(|rest| rest.split_once(" import ")) else {
        return statement.strip_prefix("import ").is_some_and(|names| {
            names.split(',').any(|name| api(name.trim().split(' ').next().unwrap_or_default()).is_some())
        });
    };
    let module = module.trim();
    let names = names.trim_matches(['(', ')', ' ']).split(',');
    api(module).is_some()
        // Names that go on in the next line are looked at by Python.
        || statement.ends_with(['(', '\\', ','])
        || names.into_iter().any(|name| {
            api(&format!("{module}.{}", name.trim().split(' ').next().unwrap_or_default())).is_some()
        })
}

fn compares_versions(statement: &str) -> bool {
    (statement.starts_with("assert ") || statement.starts_with("if ")) && statement.to_lowercase().contains("version")
}

/// Statements that only Python 2 has.
fn is_of_python_2(statement: &str) -> bool {
    let after =
        |word: &str| statement.strip_prefix(word).is_some_and(|rest| !rest.trim_start().starts_with(['(', '=']));
    after("print ") || after("exec ") || (statement.starts_with("except ") && statement.contains(", "))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn of(source: &str) -> bool {
        let folder = tempfile::tempdir().unwrap();
        let view = folder.path().join("view");
        let site = view.join("lib/python3.11/site-packages");
        fs::create_dir_all(site.join("rich")).unwrap();
        fs::write(site.join("six.py"), "").unwrap();
        fs::write(site.join("fast.cpython-311-x86_64-linux-gnu.so"), "").unwrap();
        let script = folder.path().join("s.py");
        fs::write(folder.path().join("own.py"), "").unwrap();
        may_fail(source.as_bytes(), &script, &view)
    }

    #[test]
    fn the_standard_names_are_sorted() {
        assert!(STANDARD.is_sorted());
    }

    #[test]
    fn what_needs_nothing_is_not_asked_about() {
        for source in [
            "",
            "import os, sys\nfrom json import load\nimport six, fast, own\nfrom rich.console import Console\nprint('x')",
            "def f():\n    import yaml\n",
            "# a comment about requests\nx = 1\nprint (x)\n",
            "if x:\n    import yaml\n",
            "from . import thing\n",
        ] {
            assert!(!of(source), "{source:?}");
        }
    }

    #[test]
    fn what_may_need_something_is() {
        for source in [
            "import yaml",
            "import os, yaml.nodes as n",
            "from yaml import load",
            "if __name__ == '__main__':\n    import yaml\n",
            "print 'x'",
            "try:\n    x\nexcept ValueError, e:\n    pass",
            "import rich\nassert rich.__version__ == '1'",
            "# pip install rich==1",
            "# Requires: rich",
            "from collections import Mapping",
            "import distutils.core",
            "from collections import (\n    Mapping)",
        ] {
            assert!(of(source), "{source:?}");
        }
    }
}
