//! Nothing can be changed, by any system call, not by root either.

use super::store::{TestMount, TestStore, errno, names};
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
use nix::mount::MsFlags;
use nix::sys::stat::Mode;
use omnipkg_fusefs::FILE_TIME_SECONDS;
use omnipkg_fusefs::counters::Request;
use omnipkg_store::ViewId;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;

/// Every change that a path is enough for.
fn attempts(mount: &TestMount, view: &ViewId) -> Vec<(&'static str, std::io::Result<()>)> {
    let (file, directory, new) =
        (mount.path(view, "bin/hello"), mount.path(view, "share/nothing"), mount.path(view, "bin/new"));
    let pycache = mount.path(view, "lib/pkg/__pycache__/__init__.cpython-311.pyc.1");
    let exchange = RenameFlags::RENAME_EXCHANGE;
    vec![
        ("truncate", File::create(&file).map(drop)),
        ("create", File::create(&new).map(drop)),
        ("create bytecode", File::create(&pycache).map(drop)),
        ("create at the root", File::create(mount.root().join("x")).map(drop)),
        ("mkdir", fs::create_dir(&new)),
        ("mkdir at the root", fs::create_dir(mount.root().join("x"))),
        ("unlink", fs::remove_file(&file)),
        ("rmdir", fs::remove_dir(&directory)),
        ("rmdir of a view", fs::remove_dir(mount.path(view, ""))),
        ("rename", fs::rename(&file, &new)),
        ("rename a directory", fs::rename(&directory, &new)),
        (
            "exchange",
            renameat2(AT_FDCWD, &file, AT_FDCWD, &mount.path(view, "bin/greet"), exchange).map_err(Into::into),
        ),
        ("symlink", symlink("x", &new)),
        ("link", fs::hard_link(&file, &new)),
        ("chmod", fs::set_permissions(&file, Permissions::from_mode(0o777))),
        ("chown", std::os::unix::fs::chown(&file, Some(1), Some(1))),
        ("mkfifo", nix::unistd::mkfifo(&new, Mode::S_IRWXU).map_err(Into::into)),
        ("bind a socket", UnixListener::bind(&new).map(drop)),
        ("truncate by path", nix::unistd::truncate(&file, 1).map_err(Into::into)),
        ("times", File::open(&file).unwrap().set_modified(std::time::SystemTime::now())),
    ]
}

#[track_caller]
fn is_as_it_was(mount: &TestMount, view: &ViewId) {
    let file = mount.path(view, "bin/hello");
    assert_eq!(names(&mount.path(view, "bin")), ["dangling", "greet", "hello"]);
    assert_eq!(fs::read(&file).unwrap(), b"#!/bin/sh\necho \"hello $1\"\n");
    let metadata = fs::metadata(&file).unwrap();
    assert_eq!((metadata.permissions().mode() & 0o7777, metadata.mtime()), (0o755, FILE_TIME_SECONDS as i64));
}

#[test]
fn every_change_is_refused() {
    let store = TestStore::new();
    let view = store.sample();
    let Some(mount) = store.mount() else { return };
    let file = mount.path(&view, "bin/hello");
    let open = |options: &mut OpenOptions| options.open(&file).map(drop);
    assert_eq!(errno(open(OpenOptions::new().write(true))), Errno::EROFS);
    assert_eq!(errno(open(OpenOptions::new().append(true))), Errno::EROFS);
    for (attempt, result) in attempts(&mount, &view) {
        assert_eq!(errno(result), Errno::EROFS, "{attempt}");
    }
    assert_eq!(mount.count(Request::Mutation), 0, "the kernel refuses by itself");
    is_as_it_was(&mount, &view);
}

/// Root can take the read-only flag away. Then the kernel asks, and it is the server that refuses.
#[test]
fn a_mount_made_writable_by_root_refuses_too() {
    let store = TestStore::new();
    let view = store.sample();
    let Some(mount) = store.mount() else { return };
    let none: Option<&str> = None;
    if nix::mount::mount(none, mount.root(), none, MsFlags::MS_REMOUNT, none).is_err() {
        return eprintln!("skipped: only root can mount again");
    }
    for (attempt, result) in attempts(&mount, &view) {
        assert_eq!(errno(result), Errno::EROFS, "{attempt}");
    }
    let file = mount.path(&view, "bin/hello");
    // The kernel opens by itself, so that only the write is asked for.
    let written = File::options().write(true).open(&file).and_then(|mut file| file.write_all(b"changed"));
    assert_eq!(errno(written), Errno::EROFS);
    assert!(mount.count(Request::Mutation) > 15);
    is_as_it_was(&mount, &view);
}
