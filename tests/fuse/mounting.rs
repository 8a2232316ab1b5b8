//! Mounting, unmounting, and mounts whose server died.

use super::store::{TestStore, names};
use nix::errno::Errno;
use omnipkg_fusefs::{Error, MountState, Options, clear_stale, is_mounted, mount, mount_state, probe};
use omnipkg_tests::{FuseDevice, User};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

#[test]
fn a_mount_comes_and_goes() {
    let store = TestStore::new();
    let view = store.sample();
    let path = store.layout().mnt();
    assert_eq!(mount_state(&path).unwrap(), MountState::Absent);
    let Some(first) = store.mount() else { return };
    assert!(probe().is_ok());
    assert!(is_mounted(&path).unwrap());
    assert!(!clear_stale(&path).unwrap(), "a living mount is left alone");
    assert!(matches!(mount(store.layout(), Options::default()), Err(Error::AlreadyMounted(_))));
    let line = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let line = line.lines().find(|line| line.contains(path.to_str().unwrap())).unwrap().to_owned();
    for option in [" ro,nosuid,nodev", " fuse.omnipkg omnipkg ", "default_permissions"] {
        assert!(line.contains(option), "{option:?} is not in {line:?}");
    }
    first.mounted.unmounter().unmount().unwrap();
    first.mounted.wait();
    assert_eq!(mount_state(&path).unwrap(), MountState::Absent);
    drop(first);
    let second = store.mount().unwrap();
    assert_eq!(names(&second.path(&view, "")), ["bin", "lib", "share"]);
}

#[test]
fn a_mount_in_use_is_not_taken_away_unless_asked() {
    let store = TestStore::new();
    let view = store.sample();
    let Some(mount) = store.mount() else { return };
    let mut file = File::open(mount.path(&view, "lib/pkg/data.bin")).unwrap();
    match mount.mounted.unmounter().unmount() {
        Err(Error::Mount { source, .. }) => assert_eq!(source.raw_os_error(), Some(Errno::EBUSY as i32)),
        other => panic!("{other:?}"),
    }
    mount.mounted.unmounter().detach().unwrap();
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes.len(), 300_000, "what is open stays readable");

    // a new server takes the place while the old one still serves; the old one's end leaves it alone
    let next = store.mount().unwrap();
    drop(file);
    mount.mounted.wait();
    assert!(is_mounted(&store.layout().mnt()).unwrap());
    assert_eq!(names(&next.path(&view, "")), ["bin", "lib", "share"]);
    drop(next);
}

const SERVE: &str = "OMNIPKG_TEST_SERVE";

/// What the child process does that the tests below start: serves until its standard input ends.
fn serve(root: std::ffi::OsString) {
    let store = omnipkg_store::Store::open(root).unwrap();
    let mounted = mount(store.layout(), Options::default()).unwrap();
    println!("serving");
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    mounted.unmounter().unmount().unwrap();
    mounted.wait();
}

fn start_server(root: &Path, user: Option<&User>) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "--nocapture", "mounting::a_dead_mount_is_seen_and_cleared"]).env(SERVE, root);
    command.current_dir("/").stdin(Stdio::piped()).stdout(Stdio::piped());
    if let Some(user) = user {
        user.apply(&mut command);
    }
    let mut server = command.spawn().unwrap();
    let mut stdout = BufReader::new(server.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("serving") {
        line.clear();
        assert_ne!(stdout.read_line(&mut line).unwrap(), 0, "the server ended");
    }
    // it says more at its end
    server.stdout = Some(stdout.into_inner());
    server
}

#[test]
fn an_ordinary_user_mounts_by_the_helper() {
    let program = std::env::current_exe().unwrap();
    if !omnipkg_tests::require_fuse() || !omnipkg_tests::user::executable_by_others(&program) {
        eprintln!("skipped: no FUSE, or {} cannot be reached by another user", program.display());
        return;
    }
    let Some(user) = User::ordinary() else { return };
    let Some(device) = FuseDevice::open_to_all() else { return };
    let store = TestStore::new();
    let view = store.sample();
    user.own(store.layout().root().parent().unwrap()).unwrap();
    let mut server = start_server(store.layout().root(), Some(&user));
    drop(device);
    let read = || {
        let path = store.layout().mnt().join(view.to_string()).join("lib/pkg/__init__.py");
        let mut command = Command::new("cat");
        user.apply(command.arg(path));
        command.output().unwrap()
    };
    assert_eq!(read().stdout, b"VALUE = 1\n");
    drop(server.stdin.take());
    assert!(server.wait().unwrap().success());
    assert!(!read().status.success());
    assert_eq!(mount_state(&store.layout().mnt()).unwrap(), MountState::Absent);
}

#[test]
fn a_dead_mount_is_seen_and_cleared() {
    if let Some(root) = std::env::var_os(SERVE) {
        return serve(root);
    }
    if !omnipkg_tests::require_fuse() {
        return;
    }
    let store = TestStore::new();
    let view = store.sample();
    let path = store.layout().mnt();
    let mut server = start_server(store.layout().root(), None);
    assert_eq!(mount_state(&path).unwrap(), MountState::Serving);
    fs::metadata(path.join(view.to_string())).unwrap();
    server.kill().unwrap();
    server.wait().unwrap();
    assert_eq!(mount_state(&path).unwrap(), MountState::Dead, "also where the kernel has the attributes");
    let mount = store.mount().unwrap();
    assert_eq!(fs::read(mount.path(&view, "lib/pkg/__init__.py")).unwrap(), b"VALUE = 1\n");
    drop(mount);
    assert_eq!(mount_state(&path).unwrap(), MountState::Absent);
    assert!(!clear_stale(&path).unwrap());
}
