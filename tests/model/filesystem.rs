//! `ViewFs` without FUSE against the model, with forgetting and restarts in between.

use crate::store::TestStore;
use crate::tree::{Leaf, Tree, cases, forms, join, paths, trees};
use omnipkg_fusefs::{Attributes, Error, FileKind, Inode, Lookup, ViewFs};
use omnipkg_store::view::manifest::{ManifestBuilder, NodeIndex};
use omnipkg_store::{Digest, ViewId};
use proptest::prelude::*;
use std::ffi::OsStr;

#[derive(Debug, Clone)]
enum Operation {
    Look(String),
    /// Lists in parts of so many entries.
    List(String, usize),
    Read(String, u64, u32),
    /// A new server, which never handed out the numbers that are asked for.
    Restart,
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let operation = prop_oneof![
        4 => paths().prop_map(Operation::Look),
        2 => (paths(), 1..5usize).prop_map(|(path, part)| Operation::List(path, part)),
        1 => Just(Operation::List(String::new(), 2)),
        4 => (paths(), 0..10_000u64, 0..10_000u32).prop_map(|(path, offset, size)| Operation::Read(path, offset, size)),
        1 => Just(Operation::Restart),
    ];
    prop::collection::vec(operation, 1..60)
}

/// The subject, and what it is held against.
struct Subject<'test> {
    store: &'test TestStore,
    fs: ViewFs,
    view: ViewId,
    tree: &'test Tree,
}

impl Subject<'_> {
    fn lookup(&self, parent: Inode, name: &str) -> Result<Option<Attributes>, Error> {
        match self.fs.lookup(parent, OsStr::new(name))? {
            Lookup::Found(attributes) => Ok(Some(attributes)),
            Lookup::Missing { .. } => Ok(None),
        }
    }

    /// Goes down name by name, and gives every reference back at the end if asked.
    fn walk(&self, path: &str) -> Result<Option<Attributes>, Error> {
        let mut found = self.lookup(Inode::ROOT, &self.view.to_string())?.unwrap();
        for name in path.split('/').filter(|name| !name.is_empty()) {
            match self.lookup(found.inode, name)? {
                Some(next) => found = next,
                None => return Ok(None),
            }
        }
        Ok(Some(found))
    }

    fn check(&mut self, operation: &Operation) {
        match operation {
            Operation::Look(path) => self.check_look(path),
            Operation::List(path, part) => self.check_list(path, *part),
            Operation::Read(path, offset, size) => self.check_read(path, *offset, *size),
            Operation::Restart => self.fs = ViewFs::new(self.store.layout().clone(), None),
        }
    }

    fn check_look(&self, path: &str) {
        let found = self.walk(path);
        if self.is_made_up(path) {
            assert_eq!(found.unwrap().unwrap().kind, FileKind::Directory, "{path}");
            return;
        }
        let Some(leaf) = self.tree.get(path) else {
            assert!(matches!(found, Ok(None) | Err(Error::NotDirectory(_))), "{path}: {found:?}");
            return;
        };
        let attributes = found.unwrap().unwrap();
        let (kind, size) = match leaf {
            Leaf::Directory => (FileKind::Directory, 0),
            Leaf::File { bytes, .. } => (FileKind::File, bytes.len()),
            Leaf::Link(target) => (FileKind::Symlink, target.len()),
        };
        assert_eq!((attributes.kind, attributes.size), (kind, size as u64), "{path}");
        if let Leaf::File { executable, bytes } = leaf {
            assert_eq!(attributes.executable, *executable, "{path}");
            assert_eq!(attributes.inode, Inode::file(&Digest::of(bytes), *executable));
        }
        if let Leaf::Link(target) = leaf {
            assert_eq!(self.fs.readlink(attributes.inode).unwrap().to_str(), Some(target.as_str()));
        }
        self.check_restarted(attributes);
    }

    /// A server that knows nothing answers the same for the same number.
    fn check_restarted(&self, attributes: Attributes) {
        let fresh = ViewFs::new(self.store.layout().clone(), None);
        assert_eq!(fresh.getattr(attributes.inode).unwrap(), attributes);
        assert_eq!(self.fs.getattr(attributes.inode).unwrap(), attributes);
    }

    fn check_list(&self, path: &str, part: usize) {
        let Ok(Some(attributes)) = self.walk(path) else { return };
        if attributes.kind != FileKind::Directory {
            let refused = self.fs.readdir(attributes.inode, 0, &mut |_| Ok(true));
            assert!(matches!(refused, Err(Error::NotDirectory(_))), "{path}");
            return;
        }
        let mut expected = vec![".".to_owned(), "..".to_owned()];
        expected.extend(self.tree.children(path).into_iter().map(str::to_owned));
        if !self.is_made_up(path) && self.tree.has_bytecode_directory(path) {
            expected.push("__pycache__".to_owned());
        }
        let listed = self.list(attributes.inode, part);
        let names: Vec<&String> = listed.iter().map(|(name, _)| name).collect();
        assert_eq!(names, expected.iter().collect::<Vec<_>>(), "{path}");
        for (name, entry) in &listed[2..] {
            assert_eq!(self.lookup(attributes.inode, name).unwrap(), Some(*entry), "{path}/{name}");
        }
    }

    fn list(&self, inode: Inode, part: usize) -> Vec<(String, Attributes)> {
        let (mut listed, mut offset) = (Vec::new(), 0);
        loop {
            let (before, start) = (listed.len(), offset);
            let mut take = |entry: omnipkg_fusefs::DirectoryEntry<'_>| {
                if listed.len() == before + part {
                    return Ok(false);
                }
                listed.push((entry.name.to_str().unwrap().to_owned(), entry.attributes));
                offset = entry.next_offset;
                Ok(true)
            };
            self.fs.readdir(inode, start, &mut take).unwrap();
            if listed.len() == before {
                return listed;
            }
        }
    }

    fn check_read(&self, path: &str, offset: u64, size: u32) {
        let Ok(Some(attributes)) = self.walk(path) else { return };
        let read = self.fs.read(attributes.inode, offset, size);
        let Some(Leaf::File { bytes, .. }) = self.tree.get(path) else {
            assert!(matches!(read, Err(Error::IsDirectory(_))), "{path}");
            return;
        };
        let start = (offset as usize).min(bytes.len());
        let end = (start + size as usize).min(bytes.len());
        assert_eq!(read.unwrap(), bytes[start..end], "{path} at {offset}");
    }

    fn is_made_up(&self, path: &str) -> bool {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        let is_directory = self.tree.get(parent) == Some(&Leaf::Directory);
        name == "__pycache__" && is_directory && self.tree.has_bytecode_directory(parent)
    }
}

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn it_answers_like_the_model(tree in trees(), form in forms(), operations in operations()) {
        let store = TestStore::new();
        let view = tree.publish(&store, form);
        let fs = ViewFs::new(store.layout().clone(), None);
        let mut subject = Subject { store: &store, fs, view, tree: &tree };
        let every_path: Vec<String> = tree.0.keys().cloned().collect();
        every_path.iter().for_each(|path| subject.check_look(path));
        operations.iter().for_each(|operation| subject.check(operation));
    }

    /// Whatever the order, when all references are given back nothing is held.
    #[test]
    fn what_is_forgotten_is_dropped(tree in trees(), form in forms(), rounds in 1..4u64) {
        let store = TestStore::new();
        let view = tree.publish(&store, form);
        let subject = Subject { store: &store, fs: ViewFs::new(store.layout().clone(), None), view, tree: &tree };
        let root = subject.walk("").unwrap().unwrap().inode;
        let mut references = vec![root];
        let mut directories = vec![(root, String::new())];
        while let Some((inode, path)) = directories.pop() {
            for _ in 0..rounds {
                for name in tree.children(&path) {
                    let found = subject.lookup(inode, name).unwrap().unwrap();
                    references.push(found.inode);
                    if found.kind == FileKind::File {
                        subject.fs.read(found.inode, 0, 100).unwrap();
                    }
                }
            }
            for name in tree.children(&path) {
                let below = join(&path, name);
                if tree.get(&below) == Some(&Leaf::Directory) {
                    let found = subject.lookup(inode, name).unwrap().unwrap();
                    references.push(found.inode);
                    directories.push((found.inode, below));
                }
            }
        }
        prop_assert_eq!(subject.fs.held().1, 1);
        references.reverse();
        references.iter().for_each(|inode| subject.fs.forget(*inode, 1));
        prop_assert_eq!(subject.fs.held(), (0, 0, 0));
    }
}

/// Two digests that agree in the 62 bits that an inode number holds.
#[test]
fn a_clash_is_refused_and_never_served_wrong() {
    let store = TestStore::new();
    let (first, mut bytes) = (Digest::of(b"first"), *Digest::of(b"first").as_bytes());
    bytes[31] ^= 1;
    let second = Digest::from_bytes(bytes);
    assert_eq!(Inode::file(&first, false), Inode::file(&second, false));
    let mut builder = ManifestBuilder::new();
    builder.file("first", first, 5, false).unwrap().file("second", second, 5, false).unwrap();
    let view = store.publish(&builder);
    store.object(b"first");
    let (fs, tree) = (ViewFs::new(store.layout().clone(), None), Tree::default());
    let subject = Subject { store: &store, fs, view, tree: &tree };
    let found = subject.walk("first").unwrap().unwrap();
    assert!(matches!(subject.walk("second"), Err(Error::Clash { .. })));
    assert_eq!(subject.fs.read(found.inode, 0, 10).unwrap(), b"first");
    std::fs::copy(store.layout().object(&first), store.layout().object(&second)).unwrap();
    let fresh = ViewFs::new(store.layout().clone(), None);
    assert!(matches!(fresh.getattr(found.inode), Err(Error::Clash { .. })), "not guessed after a restart either");
}

#[test]
fn numbers_of_nothing_are_unknown() {
    let store = TestStore::new();
    let fs = ViewFs::new(store.layout().clone(), None);
    let view = omnipkg_fusefs::inode::ViewPrefix::of(&ViewId::from_digest(&Digest::of(b"no view")));
    for inode in
        [Inode(0), Inode(2), Inode(u64::MAX), Inode::node(view, NodeIndex(0)), Inode::bytecode(view, NodeIndex(0))]
    {
        assert!(matches!(fs.getattr(inode), Err(Error::Unknown(_))), "{inode}");
        assert!(fs.lookup(inode, OsStr::new("x")).is_err(), "{inode}");
        fs.forget(inode, 7);
    }
    let known = store.sample();
    let prefix = omnipkg_fusefs::inode::ViewPrefix::of(&known);
    assert!(matches!(fs.getattr(Inode::node(prefix, NodeIndex(1000))), Err(Error::Store(_))));
}
