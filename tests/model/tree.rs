//! The model: a map from paths to what is there, and random ones of it.

use crate::grafted;
use crate::store::TestStore;
use omnipkg_store::view::manifest::ManifestBuilder;
use omnipkg_store::{Digest, ViewId};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;

/// So many random cases, or as many as `PROPTEST_CASES` says.
pub fn cases(usual: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|number| number.parse().ok());
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(asked.unwrap_or(usual)) }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leaf {
    Directory,
    File { bytes: Vec<u8>, executable: bool },
    Link(String),
}

/// How a tree is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As one table.
    Alone,
    /// As one that refers to wheels.
    Grafted,
}

pub fn forms() -> impl Strategy<Value = Form> {
    prop::sample::select(&[Form::Alone, Form::Grafted][..])
}

/// Every directory is in it, but for the root.
#[derive(Debug, Clone, Default)]
pub struct Tree(pub BTreeMap<String, Leaf>);

impl Tree {
    /// False if the path cannot be added, and nothing is then.
    pub fn insert(&mut self, path: &str, leaf: &Leaf) -> bool {
        let parents: Vec<&str> = path.match_indices('/').map(|(end, _)| &path[..end]).collect();
        let blocked = parents.iter().any(|parent| self.0.get(*parent).is_some_and(|leaf| *leaf != Leaf::Directory));
        if blocked || self.0.get(path).is_some_and(|present| present != leaf) {
            return false;
        }
        for parent in parents {
            self.0.insert(parent.to_owned(), Leaf::Directory);
        }
        self.0.insert(path.to_owned(), leaf.clone());
        true
    }

    pub fn get(&self, path: &str) -> Option<&Leaf> {
        if path.is_empty() { Some(&Leaf::Directory) } else { self.0.get(path) }
    }

    /// Names in a directory, sorted by their bytes.
    pub fn children(&self, directory: &str) -> Vec<&str> {
        let below = |path: &'_ &String| match directory {
            "" => true,
            _ => path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/')),
        };
        let start = if directory.is_empty() { 0 } else { directory.len() + 1 };
        let names = self.0.keys().filter(below).map(|path| &path[start..]);
        let mut names: Vec<&str> = names.filter(|name| !name.contains('/')).collect();
        names.sort_unstable();
        names
    }

    /// True where the filesystem adds a directory for bytecode.
    pub fn has_bytecode_directory(&self, directory: &str) -> bool {
        let children = self.children(directory);
        let is_source =
            |name: &&str| name.ends_with(".py") && matches!(self.get(&join(directory, name)), Some(Leaf::File { .. }));
        !children.contains(&"__pycache__") && children.iter().any(is_source)
    }

    pub fn builder(&self) -> ManifestBuilder {
        let mut builder = ManifestBuilder::new();
        for (path, leaf) in &self.0 {
            add(&mut builder, path, leaf).unwrap();
        }
        builder
    }

    pub fn publish(&self, store: &TestStore, form: Form) -> ViewId {
        for leaf in self.0.values() {
            if let Leaf::File { bytes, .. } = leaf {
                store.object(bytes);
            }
        }
        match form {
            Form::Alone => store.publish(&self.builder()),
            Form::Grafted => store.publish_bytes(&grafted::bytes(self, store)),
        }
    }

    pub fn write_to(&self, root: &Path) {
        use std::os::unix::fs::PermissionsExt;
        for (path, leaf) in &self.0 {
            let path = root.join(path);
            match leaf {
                Leaf::Directory => std::fs::create_dir(path).unwrap(),
                Leaf::Link(target) => std::os::unix::fs::symlink(target, path).unwrap(),
                Leaf::File { bytes, executable } => {
                    std::fs::write(&path, bytes).unwrap();
                    let mode = if *executable { 0o755 } else { 0o644 };
                    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
                }
            }
        }
    }
}

pub fn add(builder: &mut ManifestBuilder, path: &str, leaf: &Leaf) -> omnipkg_store::Result<()> {
    match leaf {
        Leaf::Directory => builder.directory(path),
        Leaf::File { bytes, executable } => builder.file(path, Digest::of(bytes), bytes.len() as u64, *executable),
        Leaf::Link(target) => builder.symlink(path, target),
    }
    .map(drop)
}

pub fn join(directory: &str, name: &str) -> String {
    if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") }
}

/// Names that meet often, and now and then any other that a file can have: control characters, 255 bytes, any script.
fn names() -> impl Strategy<Value = String> {
    const NAMES: &[&str] = &["a", "b.py", "lib", "a-b", "a.py", "Z", "é", "__pycache__", "a.cpython-311.pyc"];
    let wild = "[^/\0]{1,60}".prop_map(|name| if name == "." || name == ".." { "...".to_owned() } else { name });
    let longest = prop::sample::select(&["x", "é", "\u{1f40d}", "e\u{301}"][..]);
    prop_oneof![
        12 => prop::sample::select(NAMES).prop_map(str::to_owned),
        1 => wild,
        1 => longest.prop_map(|part| part.repeat(255 / part.len())),
    ]
}

/// Paths of few names, so that they meet; some are deep.
pub fn paths() -> impl Strategy<Value = String> {
    let shallow = || prop::collection::vec(names(), 1..5).prop_map(|names| names.join("/"));
    let deep = (shallow(), 1..12usize).prop_map(|(end, depth)| format!("{}{end}", "lib/a-b/".repeat(depth)));
    prop_oneof![9 => shallow(), 1 => deep]
}

fn leaves() -> impl Strategy<Value = Leaf> {
    let bytes = prop_oneof![
        Just(Vec::new()),
        Just(b"same".to_vec()),
        prop::collection::vec(any::<u8>(), 0..9000),
        (any::<u8>(), 100_000..300_000usize).prop_map(|(byte, length)| vec![byte; length]),
    ];
    // Relative, absolute, dangling, in a circle; none leads out of the views.
    let targets: &[&str] =
        &["a", "lib/a", "nowhere", "lib", "./b.py", "../a", "lib/..", ".", "Z", "/nowhere/at/all", "é/../lib/"];
    prop_oneof![
        1 => Just(Leaf::Directory),
        4 => (bytes, any::<bool>()).prop_map(|(bytes, executable)| Leaf::File { bytes, executable }),
        1 => prop::sample::select(targets).prop_map(|target| Leaf::Link(target.to_owned())),
    ]
}

/// What is added, in order; some of it cannot be.
pub fn additions() -> impl Strategy<Value = Vec<(String, Leaf)>> {
    prop::collection::vec((paths(), leaves()), 0..40)
}

pub fn trees() -> impl Strategy<Value = Tree> {
    additions().prop_map(|additions| {
        let mut tree = Tree::default();
        for (path, leaf) in &additions {
            tree.insert(path, leaf);
        }
        tree
    })
}
