//! No host of a package index or registry stands anywhere: tests talk to 127.0.0.1, and the default
//! index is read from the user's own pip. Every host that is written down is on a list of documentation.

use crate::assert_none;
use crate::scan::files;

/// Hosts that documentation may point to.
const DOCUMENTATION: &[&str] = &[
    "peps.python.org",
    "packaging.python.org",
    "docs.python.org",
    "devguide.python.org",
    "docs.rs",
    "doc.rust-lang.org",
    "www.rust-lang.org",
    "rustup.rs",
    "rust-lang.github.io",
    "www.rfc-editor.org",
    "man7.org",
    "docs.kernel.org",
    "www.kernel.org",
    "sqlite.org",
    "www.sqlite.org",
    "keepachangelog.com",
    "semver.org",
    "www.apache.org",
    // Where the project that builds the archives of `python install` publishes them: no index, and the default mirror.
    "github.com",
];

/// Names reserved for examples and tests (RFC 2606, RFC 6761), and this machine.
const RESERVED: &[&str] =
    &["localhost", "127.0.0.1", "example.com", "example.org", "example.net", "example", "invalid", "test"];

fn allowed(host: &str) -> bool {
    let reserved = |name: &str| host.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    DOCUMENTATION.contains(&host) || RESERVED.iter().copied().any(reserved)
}

/// Hosts of URLs, and bare names under the endings that indexes and registries have.
fn hosts(line: &str) -> Vec<String> {
    let mut hosts = Vec::new();
    for (at, scheme) in line.match_indices("https://").chain(line.match_indices("http://")) {
        let rest = &line[at + scheme.len()..];
        let end = |c: char| c.is_whitespace() || "/?#\"'`<>()\\,;|".contains(c);
        let authority = rest.split(end).next().unwrap_or_default();
        let host = authority.rsplit('@').next().unwrap_or_default();
        let without_port = host.split(':').next().unwrap_or_default();
        hosts.push(without_port.trim_end_matches('.').to_ascii_lowercase());
    }
    let part = |c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '.');
    let bare = line.split(part).map(|word| word.trim_matches('.').to_ascii_lowercase());
    hosts.extend(bare.filter(|word| [".org", ".com", ".net"].iter().any(|ending| word.ends_with(ending))));
    hosts.sort();
    hosts.dedup();
    // A placeholder, a scheme alone or an address in brackets is no host's name.
    hosts.retain(|host| host.contains(|c: char| c.is_ascii_alphanumeric()) && !host.contains(['{', '$', '%', '*']));
    hosts
}

#[test]
fn no_index_host_is_written_anywhere() {
    let mut faults = Vec::new();
    for file in files() {
        for (number, line) in file.text.lines().enumerate() {
            let strange = hosts(line).into_iter().filter(|host| !allowed(host));
            faults.extend(strange.map(|host| format!("{}:{}: {host}", file.path, number + 1)));
        }
    }
    assert_none("only documentation, reserved and local hosts are named", &faults);
}

#[test]
fn hosts_are_found_in_urls_and_alone() {
    let line = concat!("see https", "://user:pw@Index.Strange", ".org:8080/simple/, or files.strange", ".net.");
    assert_eq!(hosts(line), [["files.strange", ".net"].concat(), ["index.strange", ".org"].concat()]);
    assert!(hosts("format!(\"http://{host}/simple/\"), https:// and std::net").is_empty());
    assert!(allowed("a.example") && allowed("b.example.org") && allowed("127.0.0.1"));
    assert!(!allowed(&["notexample", "org"].join(".")) && !allowed(&["strange", "org"].join(".")));
}
