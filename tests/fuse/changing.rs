//! Nothing can be changed, by any system call, not by root either.

use super::store::{TestStore, errno, names};
use nix::errno::Errno;
use nix::sys::stat::Mode;
use std::fs::{self, File, OpenOptions, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};

#[test]
fn every_change_is_refused() {
    let store = TestStore::new();
    let view = store.sample();
    let Some(mount) = store.mount() else { return };
    let (file, directory, new) =
        (mount.path(&view, "bin/hello"), mount.path(&view, "share/nothing"), mount.path(&view, "bin/new"));
    let pycache = mount.path(&view, "lib/pkg/__pycache__/__init__.cpython-311.pyc.1");
    let attempts: Vec<(&str, std::io::Result<()>)> = vec![
        ("write", OpenOptions::new().write(true).open(&file).map(drop)),
        ("append", OpenOptions::new().append(true).open(&file).map(drop)),
        ("truncate", File::create(&file).map(drop)),
        ("create", File::create(&new).map(drop)),
        ("create bytecode", File::create(&pycache).map(drop)),
        ("create at the root", File::create(mount.root().join("x")).map(drop)),
        ("mkdir", fs::create_dir(&new)),
        ("mkdir at the root", fs::create_dir(mount.root().join("x"))),
        ("unlink", fs::remove_file(&file)),
        ("rmdir", fs::remove_dir(&directory)),
        ("rmdir of a view", fs::remove_dir(mount.path(&view, ""))),
        ("rename", fs::rename(&file, &new)),
        ("rename a directory", fs::rename(&directory, &new)),
        ("symlink", symlink("x", &new)),
        ("link", fs::hard_link(&file, &new)),
        ("chmod", fs::set_permissions(&file, Permissions::from_mode(0o777))),
        ("chown", std::os::unix::fs::chown(&file, Some(1), Some(1))),
        ("mkfifo", nix::unistd::mkfifo(&new, Mode::S_IRWXU).map_err(Into::into)),
        ("truncate by path", nix::unistd::truncate(&file, 1).map_err(Into::into)),
        ("times", File::open(&file).unwrap().set_modified(std::time::SystemTime::now())),
    ];
    for (attempt, result) in attempts {
        assert_eq!(errno(result), Errno::EROFS, "{attempt}");
    }
    assert_eq!(names(&mount.path(&view, "bin")), ["dangling", "greet", "hello"]);
    assert_eq!(fs::read(&file).unwrap(), b"#!/bin/sh\necho \"hello $1\"\n");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o755);
}
