//! What an ingest leaves in the store: files in their schemes, scripts, RECORD, INSTALLER; and that it is
//! done once, whole, and only for the archive that was meant.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod zip_maker;

use omnipkg_store::tags::WheelFilename;
use omnipkg_store::wheel::{Fault, Ingested, WheelError, WheelManifest, ingest, read_metadata};
use omnipkg_store::{Error, Sha256, Store, objects};
use std::fs;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::PathBuf;
use zip_maker::*;

struct Context {
    dir: tempfile::TempDir,
    store: Store,
}

impl Context {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path().join("store")).unwrap();
        Self { dir, store }
    }

    fn write(&self, zip: &Zip) -> PathBuf {
        let path = self.dir.path().join("archive");
        fs::write(&path, zip.bytes()).unwrap();
        path
    }

    fn ingest(&self, zip: &Zip) -> Result<Ingested, Error> {
        ingest(&self.store, &self.write(zip), FILENAME, None)
    }

    fn text(&self, manifest: &WheelManifest, path: &str) -> String {
        let file = manifest.file(path).unwrap_or_else(|| panic!("no {path}"));
        String::from_utf8(objects::read(&self.store, &file.digest).unwrap()).unwrap()
    }
}

fn fault(result: Result<Ingested, Error>) -> Fault {
    match result {
        Err(Error::Wheel(WheelError::Refused { fault, .. })) => fault,
        other => panic!("{other:?}"),
    }
}

fn paths(manifest: &WheelManifest) -> Vec<&str> {
    manifest.files.iter().map(|file| file.path.as_str()).collect()
}

/// A wheel with a member of every kind.
fn rich_wheel() -> Zip {
    let entry_points = "[console_scripts]\ndemo = demo.cli:main\nwrapped = demo:run\npython3 = demo:no\n";
    Zip::new(wheel(vec![
        deflated("demo/__init__.py", b"VERSION = 1\n"),
        deflated("demo/__pycache__/__init__.cpython-311.pyc", b"stale"),
        stored("demo/native.cpython-311-x86_64-linux-gnu.so", b"\x7fELF").attributes(EXECUTABLE),
        stored("demo-1.0.data/purelib/single.py", b"pass\n"),
        stored("demo-1.0.data/scripts/tool", b"#!python\nprint()\n"),
        stored("demo-1.0.data/scripts/tool.sh", b"#!/bin/sh\n"),
        stored("demo-1.0.data/scripts/wrapped", b"#!python\nold\n"),
        stored("demo-1.0.data/scripts/python", b"evil"),
        stored("demo-1.0.data/headers/demo.h", b"#define X\n"),
        stored("demo-1.0.data/data/share/demo, 1.txt", b"shared"),
        stored("demo-1.0.dist-info/entry_points.txt", entry_points.as_bytes()),
        stored("demo-1.0.dist-info/INSTALLER", b"someone"),
    ]))
}

#[test]
fn every_member_goes_to_its_scheme() {
    let context = Context::new();
    let Ingested { manifest, .. } = context.ingest(&rich_wheel()).unwrap();
    let expected = [
        "bin/demo",
        "bin/tool",
        "bin/tool.sh",
        "bin/wrapped",
        "data/share/demo, 1.txt",
        "include/Demo/demo.h",
        "site/demo-1.0.dist-info/INSTALLER",
        "site/demo-1.0.dist-info/METADATA",
        "site/demo-1.0.dist-info/RECORD",
        "site/demo-1.0.dist-info/WHEEL",
        "site/demo-1.0.dist-info/entry_points.txt",
        "site/demo/__init__.py",
        "site/demo/native.cpython-311-x86_64-linux-gnu.so",
        "site/single.py",
    ];
    assert_eq!(paths(&manifest), expected);
    let executable: Vec<_> = manifest.files.iter().filter(|file| file.executable).map(|file| &file.path[..]).collect();
    assert_eq!(executable, [&expected[..4], &[expected[12]]].concat());
    assert_eq!(manifest.import_names, ["demo", "single"]);
    assert_eq!((manifest.name.as_ref(), manifest.display_name.as_str()), ("demo", "Demo"));
    assert_eq!(manifest.requires_python.as_deref(), Some(">=3.8"));
    assert_eq!(manifest.requires_dist, ["rich>=13"]);
    assert_eq!(manifest.entry_points.iter().map(|entry| &entry.name[..]).collect::<Vec<_>>(), ["demo", "wrapped"]);
    assert_eq!(manifest.warnings.len(), 2, "{:?}", manifest.warnings);
}

#[test]
fn scripts_installer_and_record_are_made() {
    let context = Context::new();
    let Ingested { manifest, .. } = context.ingest(&rich_wheel()).unwrap();
    let script = context.text(&manifest, "bin/demo");
    assert!(script.starts_with("#!/bin/sh\n") && script.contains("from demo.cli import main\n"), "{script}");
    assert!(context.text(&manifest, "bin/wrapped").contains("from demo import run\n"));
    assert!(context.text(&manifest, "bin/tool").ends_with("print()\n"));
    assert_eq!(context.text(&manifest, "bin/tool.sh"), "#!/bin/sh\n");
    assert_eq!(context.text(&manifest, "site/demo-1.0.dist-info/INSTALLER"), "omnipkg\n");
    let record = context.text(&manifest, "site/demo-1.0.dist-info/RECORD");
    let rows: Vec<&str> = record.lines().collect();
    assert_eq!(rows[0], format!("../../../bin/demo,sha256={},{}", base64(script.as_bytes()), script.len()));
    assert_eq!(rows[4], format!("\"../../../share/demo, 1.txt\",sha256={},6", base64(b"shared")));
    assert!(rows.contains(&"demo-1.0.dist-info/RECORD,,"));
    // Everything but the header, whose place depends on the interpreter.
    assert_eq!(rows.len(), manifest.files.len() - 1);
    assert!(rows.is_sorted_by_key(|row| row.trim_start_matches('"')));
}

#[test]
fn a_wheel_is_taken_in_once() {
    let context = Context::new();
    let zip = rich_wheel();
    let first = context.ingest(&zip).unwrap();
    assert_eq!(first.sha256, Sha256::of(&zip.bytes()));
    assert_eq!(first.new_objects as usize, first.manifest.files.len());
    assert_eq!(first.new_bytes, first.manifest.size());
    let again = context.ingest(&zip).unwrap();
    assert_eq!((again.new_objects, again.new_bytes), (0, 0));
    assert_eq!(again.manifest, first.manifest);
    assert_eq!(WheelManifest::read(&context.store, &first.sha256).unwrap(), first.manifest);
    assert_eq!(fs::read_dir(context.store.layout().tmp()).unwrap().count(), 0);
    // Another archive with the same content: a manifest of its own, every object shared.
    let mut commented = zip.clone();
    commented.comment = b"rebuilt".to_vec();
    let other = context.ingest(&commented).unwrap();
    assert_ne!(other.sha256, first.sha256);
    assert_eq!((other.new_objects, other.manifest), (0, first.manifest));
}

#[test]
fn a_store_that_cannot_be_written_gains_nothing() {
    let context = Context::new();
    let layout = context.store.layout();
    fs::remove_dir(layout.objects()).unwrap();
    fs::write(layout.objects(), "in the way").unwrap();
    assert!(matches!(context.ingest(&honest()), Err(Error::Io { .. })));
    assert_eq!(fs::read_dir(layout.wheels()).unwrap().count(), 0);
    assert_eq!(fs::read_dir(layout.tmp()).unwrap().count(), 0);
}

#[test]
fn a_damaged_manifest_is_made_again() {
    let context = Context::new();
    let first = context.ingest(&honest()).unwrap();
    let path = context.store.layout().wheel(&first.sha256);
    fs::remove_file(&path).unwrap();
    fs::write(&path, "omnipkg-wheel 1\n").unwrap();
    assert!(matches!(WheelManifest::read(&context.store, &first.sha256), Err(Error::Damaged { .. })));
    assert_eq!(context.ingest(&honest()).unwrap().manifest, first.manifest);
    assert_eq!(WheelManifest::read(&context.store, &first.sha256).unwrap(), first.manifest);
}

#[test]
fn only_the_archive_that_was_meant_is_taken() {
    let context = Context::new();
    let path = context.write(&honest());
    let found = Sha256::of(&honest().bytes());
    let expected = Sha256::of(b"another");
    let error = fault(ingest(&context.store, &path, FILENAME, Some(expected)));
    assert_eq!(error.to_string(), format!("the archive has sha256 {found}, expected {expected}"));
    ingest(&context.store, &path, FILENAME, Some(found)).unwrap();
    // Known by its hash, but not under this name.
    fault(ingest(&context.store, &path, "demo-2.0-py3-none-any.whl", None));
    fault(ingest(&context.store, &path, "other-1.0-py3-none-any.whl", None));
    for name in ["demo-1.0-py3-none-any.zip", "demo-1.0-py3-none-\nany.whl", "../demo-1.0-py3-none-any.whl"] {
        let error = ingest(&context.store, &path, name, None).unwrap_err();
        assert!(matches!(error, Error::Wheel(WheelError::Filename { .. })), "{error:?}");
    }
}

#[test]
fn what_contradicts_record_is_refused_by_name() {
    let context = Context::new();
    let mut zip = honest();
    zip.members[1] = stored("demo/data.txt", b"dat2");
    let error = fault(context.ingest(&zip)).to_string();
    assert!(error.starts_with("\"demo/data.txt\" does not match RECORD: it has sha256="), "{error}");
    zip.members[1] = stored("demo/data.txt", b"longer");
    let error = fault(context.ingest(&zip)).to_string();
    assert!(error.contains("it has 6 bytes, expected 4"), "{error}");
    // Bytecode is left out, but not unchecked; nor are members that are streamed.
    for (name, data) in [("demo/__pycache__/x.pyc", vec![1; 10]), ("demo/large.bin", vec![1; 5 << 20])] {
        let mut zip = Zip::new(wheel(vec![deflated(name, &data)]));
        context.ingest(&zip).unwrap();
        zip.members[0] = deflated(name, &vec![2; data.len()]);
        assert!(fault(context.ingest(&zip)).to_string().contains(name));
    }
}

#[test]
fn defects_where_nothing_can_escape_are_warnings() {
    let context = Context::new();
    let mut zip = honest();
    zip.members.push(stored("demo/unlisted.txt", b""));
    zip.members.remove(1);
    let manifest = context.ingest(&zip).unwrap().manifest;
    let expected = [
        "RECORD does not list 1 file: demo/unlisted.txt",
        "RECORD lists, but the archive does not have, 1 file: demo/data.txt",
    ];
    assert_eq!(manifest.warnings, expected);
    let twice = wheel(vec![stored("demo.py", b"1"), stored("demo-1.0.data/purelib/demo.py", b"2")]);
    let manifest = context.ingest(&Zip::new(twice)).unwrap().manifest;
    assert_eq!(context.text(&manifest, "site/demo.py"), "2");
    assert_eq!(manifest.warnings, ["site/demo.py is there twice: the later one is used"]);
}

#[test]
fn a_wheel_without_the_files_that_make_it_one_is_refused() {
    let context = Context::new();
    for (file, reason) in [
        ("METADATA", "METADATA: the archive does not have it"),
        ("WHEEL", "WHEEL: the archive does not have it"),
        ("RECORD", "RECORD: the archive does not have it"),
    ] {
        let mut zip = honest();
        zip.members.retain(|member| !member.central.name.ends_with(file.as_bytes()));
        assert_eq!(fault(context.ingest(&zip)).to_string(), reason);
    }
    let cases = [
        (vec![stored("demo.py", b"")], "no .dist-info directory"),
        (wheel(vec![stored("other-1.0.dist-info/METADATA", b"")]), "the archive has two"),
        (with_record(vec![stored("demo-1.0.dist-info/METADATA", b"Name: demo\nVersion: 2\n")]), "Version is \"2\""),
        (wheel(vec![stored("demo-1.0.data/wrong/x", b"")]), "is no scheme"),
        (
            wheel(vec![stored("demo-1.0.dist-info/entry_points.txt", b"[console_scripts]\n../x = a:b\n")]),
            "valid script",
        ),
    ];
    for (members, reason) in cases {
        let error = fault(context.ingest(&Zip::new(members))).to_string();
        assert!(error.contains(reason), "{error:?} does not say {reason:?}");
    }
    assert_eq!(fs::read_dir(context.store.layout().wheels()).unwrap().count(), 0);
}

/// Counts what is read, as a reader over HTTP ranges has to pay for it; can fail like one.
struct Remote {
    bytes: Cursor<Vec<u8>>,
    read: u64,
    broken: bool,
}

impl Read for Remote {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.broken {
            return Err(io::Error::new(io::ErrorKind::ConnectionReset, "gone"));
        }
        let count = self.bytes.read(buffer)?;
        self.read += count as u64;
        Ok(count)
    }
}

impl Seek for Remote {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.bytes.seek(position)
    }
}

#[test]
fn metadata_is_read_without_the_rest_of_the_archive() {
    let large: Vec<u8> = (0..1_000_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let bytes = Zip::new(wheel(vec![stored("demo/large.bin", &large)])).bytes();
    let filename = WheelFilename::parse(FILENAME).unwrap();
    let mut remote = Remote { bytes: Cursor::new(bytes), read: 0, broken: false };
    assert_eq!(read_metadata(&mut remote, &filename).unwrap(), METADATA.as_bytes());
    assert!(remote.read < 2_000, "{} bytes", remote.read);
    let other = WheelFilename::parse("demo-1.1-py3-none-any.whl").unwrap();
    let error = read_metadata(&mut remote, &other).unwrap_err();
    assert!(matches!(error, Error::Wheel(WheelError::Refused { fault: Fault::Metadata { .. }, .. })), "{error:?}");
    remote.broken = true;
    let error = read_metadata(&mut remote, &filename).unwrap_err();
    assert!(matches!(error, Error::Wheel(WheelError::Refused { fault: Fault::Read(_), .. })), "{error:?}");
}
