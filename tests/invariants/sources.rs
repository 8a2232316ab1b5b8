//! What sources may name, and how a file looks.

use crate::assert_none;
use crate::scan::{Source, code_only, names_crate, rust, words};

const PRODUCT: [&str; 5] = ["store", "resolver", "fusefs", "healer", "cli"];

/// The hard limit; most files stay under 300.
const LINES: usize = 450;

#[test]
fn only_the_side_of_the_kernel_names_fuser() {
    let allowed = ["adapter", "connection", "session"].map(|name| format!("fusefs/src/{name}.rs"));
    let outside = |file: &Source| !allowed.contains(&file.path);
    assert_none("only fusefs's adapter.rs, connection.rs and session.rs name fuser", &naming("fuser", outside));
}

#[test]
fn only_store_names_its_libraries() {
    for library in ["rusqlite", "zip", "blake3"] {
        let outside = |file: &Source| PRODUCT[1..].contains(&file.folder());
        assert_none(&format!("only store names {library}"), &naming(library, outside));
    }
}

#[test]
fn only_resolver_and_cli_name_the_network_libraries() {
    for library in ["tokio", "reqwest"] {
        let outside = |file: &Source| ["store", "fusefs", "healer"].contains(&file.folder());
        assert_none(&format!("only resolver and cli name {library}"), &naming(library, outside));
    }
}

fn naming(library: &str, outside: impl Fn(&Source) -> bool) -> Vec<String> {
    let files = rust().into_iter().filter(|file| outside(file));
    files
        .flat_map(|file| {
            let lines = names_crate(&code_only(&file.text), library);
            lines.into_iter().map(move |line| format!("{}:{line}", file.path))
        })
        .collect()
}

#[test]
fn the_healer_opens_no_file_and_starts_no_process() {
    let mut faults = Vec::new();
    for file in rust().iter().filter(|file| file.path.starts_with("healer/src/")) {
        let places = outside_world(&code_only(&file.text));
        faults.extend(places.into_iter().map(|(line, what)| format!("{}:{line}: {what}", file.path)));
    }
    assert_none("healer does no I/O of its own", &faults);
}

/// Where blanked `code` names files, processes or sockets.
fn outside_world(code: &str) -> Vec<(usize, &'static str)> {
    let mut found = Vec::new();
    for module in ["fs", "process", "net", "os"] {
        found.extend(words(code, module).filter(|(_, at)| is_of_std(&code[..*at])).map(|(line, _)| (line, module)));
    }
    for kind in ["File", "Command", "OpenOptions", "TcpStream", "UnixStream"] {
        let path = |at: usize| code[at + kind.len()..].starts_with("::");
        found.extend(words(code, kind).filter(|(_, at)| path(*at)).map(|(line, _)| (line, kind)));
    }
    found
}

/// Whether what follows `before` is taken from std: `std::fs`, or `std::{io, fs}`.
fn is_of_std(before: &str) -> bool {
    let before = before.trim_end();
    if before.ends_with("std::") {
        return true;
    }
    let group = before.rfind("std::{").map(|at| &before[at..]);
    group.is_some_and(|group| group.matches('{').count() - group.matches('}').count() == 1 && !group.contains(';'))
}

#[test]
fn unsafe_stands_in_sys_files_with_its_reason() {
    let mut faults = Vec::new();
    for file in rust() {
        let code = code_only(&file.text);
        for (line, _) in words(&code, "unsafe") {
            if file.name() != "sys.rs" {
                faults.push(format!("{}:{line}: unsafe outside sys.rs", file.path));
            } else if !has_reason(&file.text, line) {
                faults.push(format!("{}:{line}: no `// SAFETY:` above it", file.path));
            }
        }
    }
    assert_none("unsafe only in sys.rs, each with its reason", &faults);
}

/// Looks upward from `line` (from 1) through the comments, attributes and the statement that it belongs to.
fn has_reason(text: &str, line: usize) -> bool {
    let lines: Vec<&str> = text.lines().take(line - 1).map(str::trim).collect();
    let statement_ends = |line: &&&str| !line.starts_with("//") && (line.is_empty() || line.ends_with([';', '{', '}']));
    lines.iter().rev().take_while(|line| !statement_ends(line)).any(|line| line.starts_with("// SAFETY:"))
}

#[test]
fn every_file_says_what_it_is_and_stays_short() {
    let mut faults = Vec::new();
    for file in rust() {
        if !file.text.starts_with("//! ") {
            faults.push(format!("{}: no `//!` header", file.path));
        }
        let lines = file.text.lines().count();
        if lines > LINES {
            faults.push(format!("{}: {lines} lines", file.path));
        }
    }
    assert_none(&format!("each file starts with its header and has at most {LINES} lines"), &faults);
}

#[test]
fn the_rules_find_what_breaks_them() {
    for code in ["use std::fs;", "std::process::exit(1)", "use std::{io, fs};", "File::open(p)", "Command::new(c)"] {
        assert_eq!(outside_world(code).len(), 1, "{code}");
    }
    for code in ["let fs = 1;", "use std::{io};\nlet net = fs;", "process(report)", "struct File;"] {
        assert!(outside_world(code).is_empty(), "{code}");
    }
    assert!(has_reason("// SAFETY: it is.\n#[allow(unsafe_code)]\nlet a =\n    unsafe { b() };", 4));
    assert!(!has_reason("// SAFETY: of another.\nlet a = unsafe { b() };\nlet c = unsafe { d() };", 3));
}
