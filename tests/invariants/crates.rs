//! The dependency graph: direction, who reaches the network's libraries, and that nothing is listed in vain.

use crate::assert_none;
use crate::scan::{code_only, names_crate, root, rust};
use cargo_metadata::{Metadata, MetadataCommand, Package, PackageId};
use std::collections::{BTreeMap, BTreeSet};

/// Each crate of the product and those of the workspace that it may depend on.
const DIRECTION: [(&str, &[&str]); 5] = [
    ("omnipkg-store", &[]),
    ("omnipkg-resolver", &["omnipkg-store"]),
    ("omnipkg-fusefs", &["omnipkg-store"]),
    ("omnipkg-healer", &["omnipkg-store"]),
    ("omnipkg", &["omnipkg-store", "omnipkg-resolver", "omnipkg-fusefs", "omnipkg-healer"]),
];

/// What only one crate of the product may depend on directly.
const OWNED: [(&str, &str); 5] = [
    ("rusqlite", "omnipkg-store"),
    ("zip", "omnipkg-store"),
    ("blake3", "omnipkg-store"),
    ("fuser", "omnipkg-fusefs"),
    ("anyhow", "omnipkg"),
];

fn metadata() -> Metadata {
    // One platform: the graph is this system's, and crates of others need not have been fetched.
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let options = ["--offline", "--filter-platform", &platform].map(str::to_owned);
    MetadataCommand::new().manifest_path(root().join("Cargo.toml")).other_options(options).exec().unwrap()
}

fn member<'a>(metadata: &'a Metadata, name: &str) -> &'a Package {
    let mut packages = metadata.workspace_packages().into_iter();
    packages.find(|package| package.name.as_str() == name).unwrap_or_else(|| panic!("no crate {name}"))
}

/// The names of all that a crate depends on, at any depth, its own tests included.
fn reaches(metadata: &Metadata, start: &PackageId) -> BTreeSet<String> {
    let graph = metadata.resolve.as_ref().expect("a resolved graph");
    let nodes: BTreeMap<&PackageId, _> = graph.nodes.iter().map(|node| (&node.id, node)).collect();
    let mut seen = BTreeSet::from([start]);
    let mut open = vec![start];
    while let Some(id) = open.pop() {
        open.extend(nodes[id].dependencies.iter().filter(|dependency| seen.insert(dependency)));
    }
    seen.iter().map(|id| metadata[id].name.to_string()).collect()
}

#[test]
fn dependencies_point_down_only() {
    let metadata = metadata();
    let members: Vec<&str> = metadata.workspace_packages().iter().map(|package| package.name.as_str()).collect();
    let mut faults = Vec::new();
    for (name, allowed) in DIRECTION {
        for dependency in &member(&metadata, name).dependencies {
            let dependency = dependency.name.as_str();
            if members.contains(&dependency) && !allowed.contains(&dependency) && dependency != "omnipkg-tests" {
                faults.push(format!("{name} depends on {dependency}"));
            }
        }
    }
    assert_none("store <- resolver, fusefs, healer <- cli", &faults);
}

#[test]
fn only_resolver_and_cli_reach_the_network_libraries() {
    let metadata = metadata();
    let mut faults = Vec::new();
    for name in ["omnipkg-store", "omnipkg-fusefs", "omnipkg-healer"] {
        let reached = reaches(&metadata, &member(&metadata, name).id);
        let network = ["tokio", "reqwest", "hyper"].into_iter().filter(|library| reached.contains(*library));
        faults.extend(network.map(|library| format!("{name} reaches {library}")));
    }
    assert_none("only resolver and cli reach tokio and reqwest", &faults);
    let resolver = reaches(&metadata, &member(&metadata, "omnipkg-resolver").id);
    assert!(resolver.contains("reqwest"), "the graph is not read: it has no reqwest below resolver");
}

#[test]
fn a_library_with_one_owner_is_listed_by_it_alone() {
    let metadata = metadata();
    let mut faults = Vec::new();
    for (library, owner) in OWNED {
        for (name, _) in DIRECTION.into_iter().filter(|(name, _)| *name != owner) {
            let listed = member(&metadata, name).dependencies.iter().any(|dependency| dependency.name == library);
            faults.extend(listed.then(|| format!("{name} lists {library}, which is {owner}'s")));
        }
    }
    assert_none("only its owner depends on a library", &faults);
}

#[test]
fn every_dependency_is_used() {
    let metadata = metadata();
    let sources: Vec<(String, String)> =
        rust().into_iter().map(|file| (file.folder().to_owned(), code_only(&file.text))).collect();
    let mut faults = Vec::new();
    for (name, _) in DIRECTION {
        let package = member(&metadata, name);
        let folder = package.manifest_path.parent().and_then(|path| path.file_name()).expect("a crate's folder");
        for dependency in &package.dependencies {
            let named = dependency.rename.as_deref().unwrap_or(&dependency.name).replace('-', "_");
            let used = |(owner, code): &(String, String)| owner == folder && !names_crate(code, &named).is_empty();
            if !sources.iter().any(used) {
                faults.push(format!("{name} lists {}, and does not name it", dependency.name));
            }
        }
    }
    assert_none("every dependency that is listed is used", &faults);
}
