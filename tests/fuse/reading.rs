//! What reads: stat, listings, links, data, execution, terminals, extended attributes, limits.

use super::store::{TestStore, errno, names, pattern};
use nix::errno::Errno;
use omnipkg_fusefs::FILE_TIME_SECONDS;
use omnipkg_fusefs::counters::Request;
use omnipkg_store::Digest;
use omnipkg_store::view::manifest::ManifestBuilder;
use omnipkg_tests::sys::entries;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{Seek, SeekFrom};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::process::Command;

#[test]
fn stat_shows_constant_attributes() {
    let store = TestStore::new();
    let view = store.sample();
    let Some(mount) = store.mount() else { return };
    let cases = [
        ("", 0o040_755, 0, 2),
        ("lib/pkg", 0o040_755, 0, 2),
        ("lib/pkg/data.bin", 0o100_644, 300_000, 1),
        ("bin/hello", 0o100_755, 26, 1),
        ("bin/greet", 0o120_777, 5, 1),
    ];
    for (path, mode, size, links) in cases {
        let metadata = fs::symlink_metadata(mount.path(&view, path)).unwrap();
        assert_eq!((metadata.mode(), metadata.size(), metadata.nlink()), (mode, size, links), "{path}");
        assert_eq!(metadata.blocks(), size.div_ceil(512), "{path}");
        assert_eq!(metadata.mtime(), FILE_TIME_SECONDS as i64, "{path}");
        assert_eq!(metadata.uid(), nix::unistd::geteuid().as_raw(), "{path}");
    }
}

#[test]
fn what_is_not_there_is_enoent() {
    let store = TestStore::new();
    let view = store.sample();
    let Some(mount) = store.mount() else { return };
    for path in ["nothing", "lib/nothing", "share/nothing/x", "bin/__pycache__"] {
        for _ in 0..2 {
            assert_eq!(errno(fs::metadata(mount.path(&view, path))), Errno::ENOENT, "{path}");
        }
    }
    assert_eq!(errno(fs::metadata(mount.path(&view, "bin/hello/x"))), Errno::ENOTDIR);
    assert_eq!(errno(fs::metadata(mount.path(&view, "bin/dangling"))), Errno::ENOENT);
    assert_eq!(errno(fs::metadata(mount.root().join("not-a-view"))), Errno::ENOENT);
}

#[test]
fn listings_are_complete() {
    let store = TestStore::new();
    let mut builder = ManifestBuilder::new();
    let digest = store.object(b"x");
    let expected: Vec<String> = (0..3000).map(|n| format!("{n:04}-with-a-rather-long-name")).collect();
    for name in &expected {
        builder.file(&format!("many/{name}"), digest, 1, false).unwrap();
    }
    let (sample, many) = (store.sample(), store.publish(&builder));
    let Some(mount) = store.mount() else { return };
    for _ in 0..2 {
        assert_eq!(names(&mount.path(&sample, "")), ["bin", "lib", "share"]);
        assert_eq!(names(&mount.path(&sample, "lib/pkg")), ["__init__.py", "__pycache__", "data.bin"]);
        assert_eq!(names(&mount.path(&sample, "share/nothing")), Vec::<String>::new());
        assert_eq!(names(&mount.path(&many, "many")), expected);
    }
    assert_eq!(errno(fs::read_dir(mount.path(&sample, "bin/hello")).map(drop)), Errno::ENOTDIR);
}

#[test]
fn names_that_no_view_can_hold_are_refused_as_elsewhere() {
    let store = TestStore::new();
    let view = store.sample();
    let Some(mount) = store.mount() else { return };
    for directory in ["", "lib/pkg", "lib/pkg/__pycache__"] {
        let answer = |name: &OsStr| errno(fs::metadata(mount.path(&view, directory).join(name)));
        for length in [256, 1024, 1025] {
            assert_eq!(answer(OsStr::new(&"n".repeat(length))), Errno::ENAMETOOLONG, "{length} bytes in {directory:?}");
        }
        for name in [&[0xff, 0xfe][..], b"caf\xe9.py", b"\xed\xa0\x80", b"a\nb", b" "] {
            assert_eq!(answer(OsStr::from_bytes(name)), Errno::ENOENT, "{name:?} in {directory:?}");
        }
        assert_eq!(answer(OsStr::new(&"n".repeat(255))), Errno::ENOENT, "{directory:?}");
    }
    assert_eq!(errno(fs::metadata(mount.root().join("n".repeat(256)))), Errno::ENAMETOOLONG);
}

#[test]
fn a_long_listing_goes_on_from_wherever_it_was() {
    let store = TestStore::new();
    let mut builder = ManifestBuilder::new();
    let digest = store.object(b"x");
    for number in 0..3000 {
        builder.file(&format!("many/{number}.py"), digest, 1, false).unwrap();
    }
    let view = store.publish(&builder);
    let Some(mount) = store.mount() else { return };
    let mut directory = File::open(mount.path(&view, "many")).unwrap();
    let rest = |directory: &File, room: usize| {
        let parts = std::iter::from_fn(|| Some(entries(directory, room).unwrap()).filter(|part| !part.is_empty()));
        parts.flatten().collect::<Vec<_>>()
    };
    // Once from the server, once from what the kernel keeps.
    for room in [300, 64 * 1024] {
        directory.rewind().unwrap();
        let all = rest(&directory, room);
        assert_eq!(all.len(), 3003, "with `.`, `..` and `__pycache__`");
        for place in [0, 1, 2, 17, 1500, 3001, 3002] {
            directory.seek(SeekFrom::Start(all[place].next as u64)).unwrap();
            assert_eq!(rest(&directory, 700), all[place + 1..], "after {:?}", all[place]);
        }
    }
}

#[test]
fn links_are_followed_and_read() {
    let store = TestStore::new();
    let view = store.sample();
    let Some(mount) = store.mount() else { return };
    let link = |name: &str| fs::read_link(mount.path(&view, name));
    for _ in 0..2 {
        assert_eq!(link("bin/greet").unwrap().to_str(), Some("hello"));
        assert_eq!(link("bin/dangling").unwrap().to_str(), Some("/nowhere/at/all"));
    }
    assert_eq!(fs::metadata(mount.path(&view, "bin/greet")).unwrap().size(), 26);
    assert_eq!(errno(link("bin/hello")), Errno::EINVAL);
}

#[test]
fn data_is_read_whole_in_parts_and_not_past_the_end() {
    let store = TestStore::new();
    let view = store.sample();
    let Some(mount) = store.mount() else { return };
    let expected = pattern(300_000);
    let path = mount.path(&view, "lib/pkg/data.bin");
    let file = File::open(&path).unwrap();
    let mut buffer = vec![0; 5000];
    for offset in [0usize, 1, 4095, 131_071, 299_000, 299_999, 300_000, 900_000] {
        let count = file.read_at(&mut buffer, offset as u64).unwrap();
        let start = offset.min(expected.len());
        assert_eq!(buffer[..count], expected[start..(start + 5000).min(expected.len())], "at {offset}");
    }
    assert_eq!(fs::read(&path).unwrap(), expected);
    assert_eq!(fs::read(mount.path(&view, "lib/empty")).unwrap(), b"");
    assert_eq!(errno(fs::read(mount.path(&view, "lib"))), Errno::EISDIR);
}

#[test]
fn a_large_object_is_read_whole_and_again() {
    let store = TestStore::new();
    let (mut builder, expected) = (ManifestBuilder::new(), pattern(5 << 20));
    store.file(&mut builder, "large", &expected, false);
    let view = store.publish(&builder);
    let Some(mount) = store.mount() else { return };
    let path = mount.path(&view, "large");
    assert!(fs::read(&path).unwrap() == expected);
    let before = mount.count(Request::Read);
    assert!(fs::read(&path).unwrap() == expected);
    assert_eq!(mount.count(Request::Read), before, "the second time it is in the page cache");
}

#[test]
fn scripts_and_mapped_programs_run() {
    let store = TestStore::new();
    let mut builder = ManifestBuilder::new();
    store.file(&mut builder, "bin/hello", b"#!/bin/sh\necho \"hello $1\"\n", true);
    store.file(&mut builder, "bin/plain", b"#!/bin/sh\n", false);
    // the loader maps it
    store.file(&mut builder, "bin/env", &fs::read("/usr/bin/env").unwrap(), true);
    let view = store.publish(&builder);
    let Some(mount) = store.mount() else { return };
    let run = |name: &str, argument: &str| Command::new(mount.path(&view, name)).arg(argument).output();
    assert_eq!(run("bin/hello", "there").unwrap().stdout, b"hello there\n");
    let assigned = run("bin/env", "KEY=value").unwrap().stdout;
    assert!(assigned.windows(9).any(|window| window == b"KEY=value"));
    assert_eq!(errno(run("bin/plain", "")), Errno::EACCES);
}

#[test]
fn python_maps_files_and_sees_no_terminal_and_no_extended_attributes() {
    let store = TestStore::new();
    let view = store.sample();
    let Some(python) = omnipkg_tests::Python::any(|_| true) else { return };
    let Some(mount) = store.mount() else { return };
    let path = mount.path(&view, "lib/pkg/data.bin");
    let code = "
import errno, hashlib, mmap, os, sys
with open(sys.argv[1], 'rb') as file:
    assert not file.isatty()
    with mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as mapped:
        print(hashlib.sha256(mapped).hexdigest())
for call in (lambda: os.getxattr(sys.argv[1], 'user.a'), lambda: os.listxattr(sys.argv[1])) * 3:
    try:
        assert call() == []
    except OSError as error:
        assert error.errno == errno.ENOTSUP, error
print(os.statvfs(sys.argv[1]).f_namemax, os.access(sys.argv[1], os.R_OK), os.access(sys.argv[1], os.X_OK))
";
    let program = python.directory().join("python3");
    let output = Command::new(program).args(["-c", code]).arg(&path).output().unwrap();
    let expected = format!("{}\n255 True False\n", omnipkg_store::Sha256::of(&pattern(300_000)));
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{}", String::from_utf8_lossy(&output.stderr));
    assert!(mount.count(Request::Ioctl) >= 1, "the question for a terminal came here");
    assert!(mount.count(Request::Xattr) <= 2, "the kernel asks once for each kind");
    assert_eq!(errno(File::open(&path).unwrap().set_len(1)), Errno::EINVAL, "not open for writing");
}

#[test]
fn the_same_content_is_one_inode_in_two_views() {
    let store = TestStore::new();
    let (mut first, mut second) = (ManifestBuilder::new(), ManifestBuilder::new());
    store.file(&mut first, "a/x.so", b"shared", true);
    store.file(&mut second, "b/y.so", b"shared", true);
    store.file(&mut second, "b/plain", b"shared", false);
    let (first, second) = (store.publish(&first), store.publish(&second));
    let Some(mount) = store.mount() else { return };
    let inode = |path| fs::metadata(path).unwrap().ino();
    let expected = omnipkg_fusefs::Inode::file(&Digest::of(b"shared"), true).0;
    assert_eq!(inode(mount.path(&first, "a/x.so")), expected);
    assert_eq!(inode(mount.path(&second, "b/y.so")), expected);
    assert_ne!(inode(mount.path(&second, "b/plain")), expected);
    assert_ne!(inode(mount.path(&first, "")), inode(mount.path(&second, "")));
    assert_eq!(fs::read(mount.path(&second, "b/plain")).unwrap(), b"shared");
}
