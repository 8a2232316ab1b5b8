//! A real mount against plain directories with the same trees: the same answers to the same system calls, whatever the
//! kernel was made to forget in between, whichever server answers, and however many ask at once.

use crate::calls::{Call, calls};
use crate::store::{TestMount, TestStore};
use crate::tree::{Form, Leaf, Tree, additions, cases, forms, join, trees};
use omnipkg_store::ViewId;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use tempfile::TempDir;

#[derive(Debug, Clone)]
enum Step {
    /// In the first or the second view.
    Call(bool, Call),
    /// The kernel gives back every directory entry and inode that nobody uses. Only root can ask for it.
    Forget,
    /// The mount is taken down, and another server serves the store.
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        60 => (any::<bool>(), calls()).prop_map(|(second, call)| Step::Call(second, call)),
        1 => Just(Step::Forget),
        1 => Just(Step::Restart),
    ];
    prop::collection::vec(step, 1..120)
}

/// Two trees that have much in common.
fn two_trees() -> impl Strategy<Value = [Tree; 2]> {
    (trees(), additions()).prop_map(|(first, more)| {
        let mut second = first.clone();
        for (path, leaf) in more.iter().take(10) {
            second.insert(path, leaf);
        }
        [first, second]
    })
}

/// The trees as views of a store, and as directories of the same names.
struct Pair {
    store: TestStore,
    trees: [Tree; 2],
    views: [ViewId; 2],
    plain: TempDir,
}

impl Pair {
    fn new(trees: [Tree; 2], forms: [Form; 2]) -> Self {
        let (store, plain) = (TestStore::new(), tempfile::tempdir().unwrap());
        let views = [0, 1].map(|number| trees[number].publish(&store, forms[number]));
        for (tree, view) in trees.iter().zip(&views) {
            let root = plain.path().join(view.to_string());
            // Equal trees are one view.
            if !root.exists() {
                fs::create_dir(&root).unwrap();
                tree.write_to(&root);
                make_bytecode_directories(tree, &root);
            }
        }
        Self { store, trees, views, plain }
    }

    /// What a call shows where both views are: at the mount's root, or at [`Pair::plain`].
    fn answer(&self, root: &Path, second: bool, call: &Call) -> String {
        let number = usize::from(second);
        call.answer(&root.join(self.views[number].to_string()), &self.trees[number])
    }

    /// A file's number follows from its content and its executable bit alone; no directory or link shares one.
    fn check_numbers(&self, mount: &TestMount) {
        let (mut files, mut others) = (BTreeMap::new(), BTreeMap::new());
        for (tree, view) in self.trees.iter().zip(&self.views) {
            for (path, leaf) in &tree.0 {
                let number = fs::symlink_metadata(mount.path(view, path)).unwrap().ino();
                match leaf {
                    Leaf::File { bytes, executable } => {
                        assert_eq!(*files.entry((bytes, executable)).or_insert(number), number, "{path}");
                    }
                    _ => {
                        let place = (view.to_string(), path.clone());
                        assert_eq!(*others.entry(number).or_insert_with(|| place.clone()), place, "{path}");
                    }
                }
            }
        }
        let distinct: BTreeSet<u64> = files.values().chain(others.keys()).copied().collect();
        assert_eq!(distinct.len(), files.len() + others.len(), "every number is for one thing");
    }
}

/// The plain directory gets what the filesystem makes up, so that both hold the same.
fn make_bytecode_directories(tree: &Tree, root: &Path) {
    let directories = tree.0.iter().filter(|(_, leaf)| **leaf == Leaf::Directory);
    for directory in directories.map(|(path, _)| path.as_str()).chain([""]) {
        if tree.has_bytecode_directory(directory) {
            fs::create_dir(root.join(join(directory, "__pycache__"))).unwrap();
        }
    }
}

fn drop_kernel_caches() {
    // Not allowed to ordinary users, and then it is no part of the test.
    let _not_allowed = fs::write("/proc/sys/vm/drop_caches", "2");
}

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn it_answers_like_a_plain_directory(trees in two_trees(), forms in [forms(), forms()], steps in steps()) {
        let pair = Pair::new(trees, forms);
        let Some(mut mount) = pair.store.mount() else { return Ok(()) };
        for step in &steps {
            match step {
                Step::Call(second, call) => {
                    let answer = pair.answer(mount.root(), *second, call);
                    if !call.changes() {
                        prop_assert_eq!(answer, pair.answer(pair.plain.path(), *second, call), "{:?}", call);
                    }
                }
                Step::Forget => drop_kernel_caches(),
                Step::Restart => {
                    drop(mount);
                    mount = pair.store.mount().expect("it was mounted before");
                }
            }
        }
        pair.check_numbers(&mount);
    }
}

proptest! {
    #![proptest_config(cases(12))]

    #[test]
    fn it_answers_everybody_at_once(trees in two_trees(), forms in [forms(), forms()], calls in prop::collection::vec((any::<bool>(), calls()), 1..60)) {
        let pair = Pair::new(trees, forms);
        let Some(mount) = pair.store.mount() else { return Ok(()) };
        let calls: Vec<&(bool, Call)> = calls.iter().filter(|(_, call)| !call.changes()).collect();
        let expected: Vec<String> = calls.iter().map(|(second, call)| pair.answer(pair.plain.path(), *second, call)).collect();
        let (pair, root, calls, expected) = (&pair, mount.root(), &calls, &expected);
        std::thread::scope(|scope| {
            for thread in 0..4 {
                scope.spawn(move || {
                    for number in 0..calls.len() {
                        let number = (number + thread * calls.len() / 4) % calls.len();
                        let (second, call) = calls[number];
                        assert_eq!(pair.answer(root, *second, call), expected[number], "{call:?}");
                    }
                });
            }
        });
    }
}
