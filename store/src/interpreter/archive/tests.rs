//! Archives as python-build-standalone makes them, and hostile ones: what is refused leaves nothing in the store.

use super::*;
use crate::interpreter::installed;
use crate::objects;
use crate::view::manifest::{NodeKind, ViewManifest};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;
use tar::EntryType;

const NAME: &str = "cpython-3.12.8+20241219-x86_64-unknown-linux-gnu-install_only_stripped.tar.gz";

/// One member of a tar archive, written with no check at all.
struct Raw<'a> {
    name: &'a str,
    kind: EntryType,
    link: &'a str,
    mode: u32,
    bytes: &'a [u8],
}

fn file<'a>(name: &'a str, bytes: &'a [u8]) -> Raw<'a> {
    Raw { name, kind: EntryType::Regular, link: "", mode: 0o644, bytes }
}

fn special<'a>(name: &'a str, kind: EntryType, link: &'a str) -> Raw<'a> {
    Raw { name, kind, link, mode: 0o777, bytes: b"" }
}

fn program() -> Vec<Raw<'static>> {
    vec![
        special("python/", EntryType::Directory, ""),
        Raw { mode: 0o755, ..file("python/bin/python3.12", b"#!program") },
        special("python/bin/python3", EntryType::Symlink, "python3.12"),
        file("python/lib/python3.12/os.py", b"# os\n"),
    ]
}

fn tar(members: &[Raw<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for member in members {
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..member.name.len()].copy_from_slice(member.name.as_bytes());
        header.as_old_mut().linkname[..member.link.len()].copy_from_slice(member.link.as_bytes());
        header.set_entry_type(member.kind);
        header.set_mode(member.mode);
        header.set_size(member.bytes.len() as u64);
        header.set_cksum();
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(member.bytes);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

struct Attempt {
    _directory: tempfile::TempDir,
    store: Store,
    tree: Tree,
    result: Result<PathBuf>,
}

fn attempt(bytes: &[u8]) -> Attempt {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path().join("s")).unwrap();
    let archive = directory.path().join(NAME);
    std::fs::write(&archive, bytes).unwrap();
    let sha256 = Sha256::of(bytes);
    let tree = Tree::of(store.layout(), NAME, &sha256);
    let result = unpack(&store, &archive, NAME, &sha256, &tree);
    Attempt { _directory: directory, store, tree, result }
}

/// The error of an archive that is refused; nothing of it is in the store.
fn refused(bytes: &[u8]) -> String {
    let attempt = attempt(bytes);
    let error = attempt.result.unwrap_err();
    assert!(matches!(error, Error::Archive(_)), "{error:?}");
    let layout = attempt.store.layout();
    for directory in [layout.objects(), layout.views(), layout.tmp()] {
        assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 0, "{} after {error}", directory.display());
    }
    error.to_string()
}

/// The members of an interpreter with more, refused.
fn refused_with(more: Vec<Raw<'_>>) -> String {
    let mut members = program();
    members.extend(more);
    refused(&gzip(&tar(&members)))
}

#[test]
fn an_archive_becomes_a_tree() {
    let mut members = program();
    members.extend([
        special("python/bin/python3.12-hard", EntryType::Link, "python/bin/python3.12"),
        special("python/lib/up", EntryType::Symlink, "../bin/python3"),
        file("python/lib/python3.12/__pycache__/os.cpython-312.pyc", b"old"),
        special("python/lib/empty/", EntryType::Directory, ""),
    ]);
    let attempt = attempt(&gzip(&tar(&members)));
    let layout = attempt.store.layout();
    assert_eq!(attempt.tree.name, "cpython-3.12.8-x86_64");
    let path = layout.pythons().join("cpython-3.12.8-x86_64/bin/python3.12");
    assert_eq!(attempt.result.unwrap(), path);

    let manifest = ViewManifest::open(layout, &attempt.tree.id).unwrap();
    manifest.verify().unwrap();
    let kind = |path: &str| manifest.resolve(path).unwrap().map(|node| manifest.node(node).unwrap().kind);
    for name in ["bin/python3.12", "bin/python3.12-hard"] {
        let Some(NodeKind::File { digest, executable: true, .. }) = kind(name) else { panic!("{name}") };
        assert_eq!(objects::read(&attempt.store, &digest).unwrap(), b"#!program");
    }
    assert_eq!(kind("lib/up"), Some(NodeKind::Symlink { target: Path::new("../bin/python3") }));
    assert_eq!(kind("lib/empty"), Some(NodeKind::Directory));
    assert_eq!(kind("lib/python3.12/__pycache__"), None, "bytecode is tied to times that no tree has");
    let description = ViewDescription::load(&attempt.store, &attempt.tree.id).unwrap();
    assert_eq!((description.interpreter, description.version.as_str()), (path, "3.12.8"));
    assert_eq!(description.cache_tag, "cpython-312");
}

#[test]
fn what_is_installed_is_known_before_anything_is_fetched() {
    let attempt = attempt(&gzip(&tar(&program())));
    let layout = attempt.store.layout();
    assert!(!attempt.tree.is_installed(layout));
    installed::point(&attempt.store, &attempt.tree.name, &layout.mnt().join(attempt.tree.id.to_string())).unwrap();
    assert!(attempt.tree.is_installed(layout));
    let other = Tree::of(layout, NAME, &Sha256::of(b"another build"));
    assert!(other.name.starts_with("cpython-3.12.8-x86_64-") && !other.is_installed(layout), "{other:?}");
}

#[test]
fn names_that_lead_out_are_refused() {
    for name in ["/etc/passwd", "python/../x", "../python/x", "x", "python/a//b", "python/./x", "pythonic/x"] {
        let error = refused_with(vec![file(name, b"x")]);
        assert!(error.contains(name) && error.contains("leads out of python/"), "{error}");
    }
}

#[test]
fn links_that_lead_out_are_refused() {
    let link = |name, target| special(name, EntryType::Symlink, target);
    let cases = [
        vec![link("python/a", "/etc")],
        vec![link("python/a", "..")],
        vec![link("python/lib/a", "../../x")],
        // By itself each stays inside; through the other it does not.
        vec![link("python/deep/d", ".."), link("python/e", "deep/d/../x")],
        vec![link("python/a", "b"), link("python/b", "a")],
    ];
    for case in cases {
        let error = refused_with(case);
        assert!(error.contains("leads out of the tree"), "{error}");
    }
    for target in ["/etc/passwd", "python/../../x", "python/lib/none", "python/bin/python3"] {
        let error = refused_with(vec![special("python/h", EntryType::Link, target)]);
        assert!(error.contains("hardlink") && error.contains(target), "{error}");
    }
}

#[test]
fn a_link_is_no_directory_for_others() {
    let members = vec![special("python/d", EntryType::Symlink, "lib"), file("python/d/x", b"x")];
    let mut all = program();
    all.extend(members);
    let attempt = attempt(&gzip(&tar(&all)));
    assert!(matches!(attempt.result, Err(Error::View(_))), "{:?}", attempt.result);
    assert_eq!(std::fs::read_dir(attempt.store.layout().objects()).unwrap().count(), 0);
}

#[test]
fn devices_and_repeated_names_are_refused() {
    for kind in [EntryType::Char, EntryType::Block, EntryType::Fifo, EntryType::Continuous] {
        let error = refused_with(vec![special("python/d", kind, "")]);
        assert!(error.contains("neither a file"), "{error}");
    }
    let error = refused_with(vec![file("python/lib/python3.12/os.py", b"other")]);
    assert!(error.contains("there twice"), "{error}");
    let error = refused_with(vec![file("python/omnipkg.json", b"{}")]);
    assert!(error.contains("omnipkg.json"), "{error}");
}

#[test]
fn what_is_damaged_or_of_another_kind_is_refused() {
    let whole = gzip(&tar(&program()));
    for length in [12, whole.len() / 2, whole.len() - 4] {
        let error = refused(&whole[..length]);
        assert!(error.contains("damaged") || error.contains("ends early"), "{length}: {error}");
    }
    // The last bytes are the checksum and length of what was packed.
    let mut flipped = whole.clone();
    let last = flipped.len() - 6;
    flipped[last] ^= 1;
    assert!(refused(&flipped).contains("damaged"));
    assert!(refused(&[0x28, 0xb5, 0x2f, 0xfd, 0, 0]).contains("zstd"));
    assert!(refused(b"no archive").contains("no .tar.gz"));
    assert!(refused(&gzip(&tar(&program()[3..]))).contains("no bin/python3.N"));
}

#[test]
fn file_names_are_read() {
    let parsed = ArchiveName::parse(NAME).unwrap();
    assert_eq!((parsed.version, parsed.version_text().as_str()), ((3, 12, 8), "3.12.8"));
    assert_eq!(
        (parsed.release.as_str(), parsed.architecture.as_str(), parsed.libc.as_str()),
        ("20241219", "x86_64", "gnu")
    );
    let other = "cpython-3.13.1+20250101-aarch64-unknown-linux-musl-freethreaded-install_only.tar.gz";
    let parsed = ArchiveName::parse(other).unwrap();
    assert!(parsed.free_threaded && parsed.version_text() == "3.13.1t");
    assert_eq!(name_of(other), "cpython-3.13.1t-aarch64-musl");
    assert_eq!((name_of("my python.tar.gz"), name_of("../..")), ("mypython".to_owned(), "python".to_owned()));
    for name in
        ["cpython-3.12.8+20241219-x86_64-unknown-linux-gnu-debug-full.tar.zst", "x.tar.gz", "cpython-3.12.tar.gz"]
    {
        assert_eq!(ArchiveName::parse(name), None, "{name}");
    }
}
