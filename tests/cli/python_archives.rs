//! `python install`: archives like those of python-build-standalone, whole, damaged and hostile.

use crate::support::{one_error, quiet_success};
use omnipkg_tests::encoding::sha256_hex;
use omnipkg_tests::{Context, Fault, Python, WheelBuilder, require_fuse};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const RELEASE: &str = "20990101";

/// Packs an interpreter's own folder as the archives have it, without what no test needs.
const PACK: &str = r"
import re, sys, tarfile
skipped = re.compile(r'(^|/)(test|tests|idlelib|lib2to3|turtledemo|__pycache__|site-packages|config-[^/]*)(/|$)|\.a$|^share')
def keep(member):
    return None if skipped.search(member.name[len('python/'):]) else member
with tarfile.open(sys.argv[2], 'w:gz', compresslevel=1) as archive:
    archive.add(sys.argv[1], 'python', filter=keep)
";

/// An archive of an interpreter of this machine.
struct Archive {
    python: Python,
    filename: String,
    bytes: Vec<u8>,
}

impl Archive {
    fn sha256(&self) -> String {
        sha256_hex(&self.bytes)
    }

    /// A list of known archives that has this one.
    fn list(&self) -> String {
        format!("# a list\n{}  {}\n", self.sha256(), self.filename)
    }
}

/// The archive, packed once for all tests; `None` where no interpreter lies in a folder of its own.
fn archive() -> Option<Archive> {
    let python = Python::any(|python| python.executable.components().any(|part| part.as_os_str() == "versions"));
    if python.is_none() {
        eprintln!("skipped: no Python under ~/.pyenv/versions to make an archive of");
    }
    let python = python?;
    let root = python.directory().parent().unwrap();
    let version = root.file_name().unwrap().to_str().unwrap();
    let libc =
        if Path::new("/lib64").exists() || !Path::new("/lib/ld-musl-x86_64.so.1").exists() { "gnu" } else { "musl" };
    let machine = std::env::consts::ARCH;
    let filename = format!("cpython-{version}+{RELEASE}-{machine}-unknown-linux-{libc}-install_only.tar.gz");
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(&filename);
    if !path.exists() {
        let scratch = tempfile::NamedTempFile::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let mut command = Command::new(&python.executable);
        command.args(["-I", "-c", PACK]).arg(root).arg(scratch.path());
        assert!(command.status().unwrap().success());
        scratch.persist(&path).unwrap();
    }
    Some(Archive { python, filename, bytes: fs::read(&path).unwrap() })
}

/// A context that knows the archive by a list of its own, and has a mirror that serves it as `at`.
fn mirrored(archive: &Archive, at: &str) -> Context {
    let context = Context::new();
    let list = context.script("known", &archive.list());
    context.index().page(&format!("/mirror/{at}"), "application/gzip", &archive.bytes);
    let mirror = format!("{}/mirror", context.index().origin());
    context.env("OMNIPKG_PYTHON_DOWNLOADS", list).env("OMNIPKG_PYTHON_MIRROR", mirror)
}

/// Everything of the store that an installation makes.
fn made(context: &Context) -> Vec<PathBuf> {
    ["objects", "views", "pythons", "envs", "tmp", "links"]
        .iter()
        .flat_map(|folder| context.store_files(folder))
        .collect()
}

/// The installed interpreter's own folder.
fn folder(context: &Context, archive: &Archive) -> PathBuf {
    let version = archive.filename.split(['-', '+']).nth(1).unwrap();
    context.store().join(format!("pythons/cpython-{version}-{}", std::env::consts::ARCH))
}

const BASE: &str = "import sys, json, decimal, sqlite3; print(sys.base_prefix)";

#[track_caller]
fn base(context: &Context, python: &str) -> PathBuf {
    let output = context.run(["run", "--python", python, "--", "python", "-c", BASE]);
    PathBuf::from(quiet_success(output).trim_end())
}

#[test]
fn a_version_is_fetched_from_a_mirror_once_and_is_an_interpreter_like_any_other() {
    let Some(archive) = archive() else { return };
    let context = mirrored(&archive, &format!("{RELEASE}/{}", archive.filename));
    context.publish(&[WheelBuilder::with_version_attribute("rich", "13.7.1").build()]);
    let version = archive.python.version();
    assert_eq!(quiet_success(context.run(["python", "install", &version])), "");
    let folder = folder(&context, &archive);
    assert!(folder.is_symlink());
    assert_eq!(base(&context, &version), folder);
    let list = quiet_success(context.run(["python", "list"]));
    assert!(
        list.lines().any(|line| line.starts_with(&format!("  {version} ")) && line.ends_with("(installed)")),
        "{list}"
    );

    context.index().clear_requests();
    assert_eq!(quiet_success(context.run(["python", "install", &version])), "");
    assert!(context.index().requests().is_empty(), "{:?}", context.index().requests());

    quiet_success(context.run(["install", "--python", &version, "rich"]));
    let python = context.store().join("envs").join(&version).join("bin/python");
    let mut command = context.program(python);
    command.args(["-c", "import rich, pip, sys; print(rich.__version__, sys.base_prefix)"]);
    let output = quiet_success(omnipkg_tests::process::run(command, b""));
    assert_eq!(output, format!("13.7.1 {}\n", folder.display()));
}

#[test]
fn an_installed_interpreter_follows_the_projection() {
    let Some(archive) = archive() else { return };
    if !require_fuse() {
        return;
    }
    let context = mirrored(&archive, &archive.filename).fuse();
    let version = archive.python.version();
    quiet_success(context.run(["python", "install", &version]));
    let folder = folder(&context, &archive);
    let leads_to = |place: &str| fs::read_link(&folder).unwrap().starts_with(Path::new("..").join(place));
    assert!(leads_to("mnt"));
    context.run(["server", "stop"]).success();
    assert_eq!(base(&context, &version), folder, "the mount comes back for it");
    context.run(["server", "stop"]).success();
    let context = context.link();
    assert_eq!(base(&context, &version), folder);
    assert!(leads_to("links"));
    let context = context.fuse();
    assert_eq!(base(&context, &version), folder);
    // It serves nothing but what is its own: removed, it leaves the machine's other Pythons.
    quiet_success(context.run(["python", "remove", &version]));
    assert!(!folder.is_symlink() && context.store_files("pythons").is_empty());
    assert_ne!(base(&context, &archive.python.version()), folder);
}

#[test]
fn by_links_from_a_directory_and_offline() {
    let Some(archive) = archive() else { return };
    let context = Context::new().link();
    let list = context.script("known", &archive.list());
    let mirror = context.work().join("mirror");
    fs::create_dir_all(mirror.join(RELEASE)).unwrap();
    fs::write(mirror.join(RELEASE).join(&archive.filename), &archive.bytes).unwrap();
    let context = context.env("OMNIPKG_PYTHON_DOWNLOADS", format!("file://{}", list.display()));
    let version = archive.python.version();
    quiet_success(context.run(["--offline", "python", "install", &version, "--mirror", mirror.to_str().unwrap()]));
    assert_eq!(base(&context, &version), folder(&context, &archive));
}

#[test]
fn an_archive_by_its_path_or_url_needs_a_hash() {
    let Some(archive) = archive() else { return };
    let context = Context::new();
    let path = context.work().join(&archive.filename);
    fs::write(&path, &archive.bytes).unwrap();
    let text = path.to_str().unwrap();
    let refused = one_error(&context, context.run(["python", "install", text]));
    assert!(refused.contains("is not known") && refused.contains("--sha256"), "{refused}");
    assert!(made(&context).is_empty());

    let version = archive.python.version();
    let beside = format!("{text}.sha256");
    let sums = context.work().join("SHA256SUMS");
    let right = archive.list();
    type Way<'a> = (&'a [&'a str], Option<(&'a Path, &'a str)>);
    let ways: [Way<'_>; 4] = [
        (&[text, "--sha256", &archive.sha256()], None),
        (&[&format!("file://{text}#sha256={}", archive.sha256())], None),
        (&[text], Some((Path::new(&beside), &archive.sha256()))),
        (&[text], Some((&sums, right.trim_start_matches("# a list\n")))),
    ];
    for (arguments, file) in ways {
        if let Some((file, content)) = file {
            fs::write(file, content).unwrap();
        }
        quiet_success(context.run([&["python", "install"], arguments].concat()));
        assert!(folder(&context, &archive).join("bin/python3").exists());
        quiet_success(context.run(["python", "remove", &version]));
        if let Some((file, _)) = file {
            fs::remove_file(file).unwrap();
        }
    }
}

#[test]
fn one_wrong_bit_or_a_missing_end_and_nothing_stays() {
    let Some(archive) = archive() else { return };
    let version = archive.python.version();
    let mut flipped = archive.bytes.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    for bytes in [&flipped, &archive.bytes[..archive.bytes.len() - 1]] {
        let context = mirrored(&archive, "elsewhere");
        context.index().page(&format!("/mirror/{RELEASE}/{}", archive.filename), "application/gzip", bytes);
        let refused = one_error(&context, context.run(["python", "install", &version]));
        let expected = "install_only.tar.gz is [SHA256], expected [SHA256]\nhint: ";
        assert!(refused.starts_with("omnipkg: error: sha256 of cpython-") && refused.contains(expected), "{refused}");
        assert!(made(&context).is_empty(), "{:?}", made(&context));
    }
    let context = mirrored(&archive, &archive.filename);
    context.index().fault(&format!("/mirror/{}", archive.filename), Fault::Cut(1000));
    one_error(&context, context.run(["python", "install", &version]));
    assert!(made(&context).is_empty(), "{:?}", made(&context));
}

#[test]
fn a_name_that_is_known_must_have_its_hash() {
    let Some(archive) = archive() else { return };
    let context = mirrored(&archive, "elsewhere");
    let path = context.work().join(&archive.filename);
    fs::write(&path, b"another").unwrap();
    let other = sha256_hex(b"another");
    let refused =
        one_error(&context, context.run(["python", "install", &format!("file://{}#sha256={other}", path.display())]));
    assert!(refused.contains("that of the list of known archives"), "{refused}");
    let refused = one_error(&context, context.run(["python", "install", path.to_str().unwrap()]));
    assert!(refused.contains("expected [SHA256]"), "{refused}");
    // Said explicitly, it is taken for what it is.
    let refused = one_error(&context, context.run(["python", "install", path.to_str().unwrap(), "--sha256", &other]));
    assert!(refused.contains("it is no .tar.gz"), "{refused}");
    assert!(made(&context).is_empty(), "{:?}", made(&context));
}

#[test]
fn a_hostile_archive_is_refused_and_nothing_stays() {
    let Some(archive) = archive() else { return };
    let context = Context::new();
    let code = "import io, sys, tarfile
with tarfile.open(sys.argv[1]) as source, tarfile.open(sys.argv[2], 'w:gz', compresslevel=1) as target:
    for member in source:
        target.addfile(member, source.extractfile(member) if member.isreg() else None)
        if member.name == 'python/bin':
            link = tarfile.TarInfo('python/bin/out')
            link.type, link.linkname = tarfile.SYMTYPE, '../../../../etc'
            target.addfile(link)
";
    let (path, hostile) = (context.work().join("whole.tar.gz"), context.work().join("hostile.tar.gz"));
    fs::write(&path, &archive.bytes).unwrap();
    let mut command = context.program(&archive.python.executable);
    command.args(["-I", "-c", code]).args([&path, &hostile]);
    omnipkg_tests::process::run(command, b"").success();
    let sha256 = sha256_hex(&fs::read(&hostile).unwrap());
    let output = context.run(["python", "install", hostile.to_str().unwrap(), "--sha256", &sha256]);
    let refused = one_error(&context, output);
    assert!(refused.contains("\"bin/out\": it is a link that leads out of the tree"), "{refused}");
    assert!(made(&context).is_empty(), "{:?}", made(&context));
}

#[test]
fn what_is_not_known_or_not_reachable_is_said() {
    let Some(archive) = archive() else { return };
    let version = archive.python.version();
    let context = mirrored(&archive, "elsewhere");
    let refused = one_error(&context, context.run(["python", "install", "3.98"]));
    assert!(
        refused.contains(&format!("no archive of Python 3.98 is known for this machine (known: {version})")),
        "{refused}"
    );
    let refused = one_error(&context, context.run(["python", "install", "pypy3.9"]));
    assert!(refused.contains("no archive of Python pypy3.9"), "{refused}");
    let refused = one_error(&context, context.run(["--offline", "python", "install", &version]));
    assert!(refused.contains("offline, and cpython-"), "{refused}");
    let refused = one_error(&context, context.run(["python", "install", &version]));
    assert!(refused.contains(&format!("/mirror/{RELEASE}/")) && refused.contains("404"), "{refused}");
    assert_eq!(context.index().requests().len(), 2, "with the release's folder and without");
    assert!(made(&context).is_empty(), "{:?}", made(&context));
}
