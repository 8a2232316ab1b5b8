//! What goes wrong around omnipkg: one clear error, exit code 1, nothing half-made, and all is well once it is mended.

use crate::support::{install, installed_version, one_error, pinned, publish, quiet_success, script, store_state};
use insta::assert_snapshot;
use nix::mount::{MsFlags, mount, umount};
use omnipkg_tests::{BuiltWheel, Context, Fault, FileOptions, Index, User, WheelBuilder};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn rich() -> BuiltWheel {
    WheelBuilder::with_version_attribute("rich", "1.0").build()
}

/// A context with its default environment made, so that what an error leaves behind can be told from it.
fn started(context: Context) -> Context {
    script(&context, "ok.py", &["print('ok')"]);
    assert_eq!(quiet_success(context.run(["run", "ok.py"])), "ok\n");
    context
}

/// `install rich`: one error, and a store as it was before.
#[track_caller]
fn refused(context: &Context) -> String {
    let before = store_state(context);
    let text = one_error(context, context.run(["install", "rich"]));
    assert_eq!(store_state(context), before, "nothing half-made");
    text
}

#[track_caller]
fn installs(context: &Context) {
    install(context, &["rich"]);
    assert_eq!(installed_version(context, "rich"), "1.0");
}

#[test]
fn a_corrupt_wheel() {
    let context = started(Context::new());
    let good = WheelBuilder::with_version_attribute("rich", "0.9");
    context.index().add(&good.clone().corrupt_member("rich/__init__.py").build());
    assert_snapshot!(refused(&context), @r#"
    omnipkg: error: cannot use the wheel rich-0.9-py3-none-any.whl: "rich/__init__.py" does not match RECORD: it has sha256=GhEhAeVnlIrVbuSBZNpnT2-UOFSKaOlmI268DuZLmAM, expected sha256=0vOmOuJLb9CvqShKRYF5y28eXno5--92_gQvEop-BRM
    hint: the wheel is defective: choose another version, and tell its authors
    "#);
    publish(&context, &[("rich", "1.0")]);
    install(&context, &["--refresh", "rich"]);
    assert_eq!(installed_version(&context, "rich"), "1.0");
}

#[test]
fn a_wheel_cut_short_and_published_so() {
    let context = started(Context::new());
    let whole = rich().bytes.len();
    let cut = WheelBuilder::with_version_attribute("rich", "1.0").truncate(whole / 2).build();
    context.index().add(&cut);
    assert_snapshot!(refused(&context), @r"
    omnipkg: error: cannot use the wheel rich-1.0-py3-none-any.whl: malformed archive: it has no end record: cut off, or no zip archive
    hint: the wheel is defective: choose another version, and tell its authors
    ");
}

#[test]
fn a_wrong_hash() {
    let context = started(Context::new());
    context.index().add_with(&rich(), FileOptions::default().wrong_hash());
    assert_snapshot!(refused(&context), @r"
    omnipkg: error: sha256 of rich-1.0-py3-none-any.whl is [SHA256], expected [SHA256]
    hint: the file on the index is not the one it promised: try again, and tell the index's keeper if it stays so
    ");
}

#[test]
fn a_download_that_breaks_off() {
    let context = started(Context::new());
    context.publish(&[rich()]);
    context.index().fault(&Index::file_path(&rich()), Fault::Cut(100));
    assert_snapshot!(refused(&context), @r"
    omnipkg: error: cannot fetch [ORIGIN]/files/rich-1.0-py3-none-any.whl: error decoding response body: request or response body error: error reading a body from connection: end of file before message length reached
    hint: check the network and the index URL (`omnipkg doctor`); --offline uses only what is here
    ");
    context.index().mend(&Index::file_path(&rich()));
    installs(&context);
}

#[test]
fn the_index_is_down() {
    let context = started(Context::new());
    assert_snapshot!(refused(&context), @r"
    omnipkg: error: cannot fetch http://127.0.0.1:9/simple/rich/: error sending request: client error (Connect): tcp connect error: Connection refused (os error 111)
    hint: check the network and the index URL (`omnipkg doctor`); --offline uses only what is here
    ");
    context.publish(&[rich()]);
    installs(&context);
}

#[test]
fn the_index_refuses() {
    let context = started(Context::new());
    context.publish(&[rich()]);
    let mut text = String::new();
    for status in [401, 403, 500] {
        context.index().fault("/simple/rich/", Fault::Status(status));
        text += &refused(&context);
    }
    context.index().fault("/simple/rich/", Fault::Html);
    text += &refused(&context);
    assert_snapshot!(text, @r"
    omnipkg: error: [INDEX]rich/ answered 401 (credentials are missing or wrong)
    hint: give credentials in the index URL, in ~/.netrc or by --keyring-provider subprocess, or another --index-url
    omnipkg: error: [INDEX]rich/ answered 403 (forbidden)
    hint: give credentials in the index URL, in ~/.netrc or by --keyring-provider subprocess, or another --index-url
    omnipkg: error: [INDEX]rich/ answered 500 (server error)
    hint: check the network and the index URL (`omnipkg doctor`); --offline uses only what is here
    omnipkg: error: [INDEX]rich/ gave a wrong answer: the HTML is no project page: it links to no file
    hint: check that the URL is that of a package index (it ends in /simple/)
    ");
    context.index().mend("/simple/rich/");
    installs(&context);
}

#[test]
fn credentials_in_the_url_are_used_and_not_said() {
    // Links: nothing of the store is hidden beneath a mount.
    let context = started(Context::new().link());
    context.publish(&[rich()]);
    context.index().require_login("user", "sesame");
    let url = context.index().url().replace("http://", "http://user:wrong-secret@");
    let text = one_error(&context, context.run(["install", "--index-url", &url, "rich"]));
    assert!(!text.contains("secret"), "{text}");
    let url = context.index().url().replace("http://", "http://user:sesame@");
    install(&context, &["--index-url", &url, "rich"]);
    for file in context.store_files("") {
        let bytes = std::fs::read(context.store().join(&file)).unwrap_or_default();
        assert!(!bytes.windows(6).any(|window| window == b"sesame"), "{} holds the password", file.display());
    }
}

#[test]
fn a_project_or_version_that_there_is_not() {
    let context = started(Context::new());
    context.publish(&[rich()]);
    let before = store_state(&context);
    assert_snapshot!(one_error(&context, context.run(["install", "no-such-project"])), @r"
    omnipkg: error: no index knows project no-such-project (asked: 127.0.0.1/simple)
    hint: check the name, or name the index that has it with --index-url
    ");
    assert_snapshot!(one_error(&context, context.run(["install", "rich==2.0"])), @r"
    omnipkg: error: no versions fit together on Python [VERSION]:
      you asked for rich==2.0
      there is no rich==2.0 (there is only 1.0)
    hint: loosen one of these requirements, or try another Python with --python
    ");
    assert_eq!(store_state(&context), before);
    installs(&context);
}

#[test]
fn a_python_that_there_is_not() {
    let context = Context::new();
    script(&context, "s.py", &["print('runs')"]);
    let text = one_error(&context, context.run(["run", "--python", "3.99", "s.py"]));
    assert!(text.starts_with("omnipkg: error: no Python 3.99 on this machine (found [VERSION]"), "{text}");
    assert!(text.contains("\nhint: `omnipkg python list` lists"), "{text}");
    let broken = context.script("not-python", "#!/bin/sh\nexit 3\n");
    std::fs::set_permissions(&broken, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    for path in [broken, context.work().join("nothing-there")] {
        one_error(&context, context.run(["run", "--python", path.to_str().unwrap(), "s.py"]));
    }
    assert!(store_state(&context).is_empty(), "{:?}", store_state(&context));
    assert_eq!(quiet_success(context.run(["run", "s.py"])), "runs\n");
}

#[test]
fn what_is_no_requirement_and_no_script() {
    let context = Context::new();
    script(&context, "s.py", &["print('runs')"]);
    assert_snapshot!(one_error(&context, context.run(["install", "rich=1.0"])), @r#"
    omnipkg: error: "rich=1.0" is not a requirement: no such comparison operator "=", must be one of ~= == != <= >= < > ===
    hint: write it as NAME, NAME==VERSION or 'NAME>=VERSION' (PEP 508)
    "#);
    assert_snapshot!(one_error(&context, context.run(["run", "--with", "???", "s.py"])), @r#"
    omnipkg: error: "???" is not a requirement: Expected package name starting with an alphanumeric character, found `?`
    hint: write it as NAME, NAME==VERSION or 'NAME>=VERSION' (PEP 508)
    "#);
    assert_snapshot!(one_error(&context, context.run(["run", "absent.py"])), @r"
    omnipkg: error: cannot find the script absent.py: No such file or directory (os error 2)
    hint: check the path
    ");
    assert_snapshot!(one_error(&context, context.run(["mount", "absent.py"])), @r"
    omnipkg: error: cannot find the script absent.py: No such file or directory (os error 2)
    hint: check the path
    ");
    assert!(store_state(&context).is_empty());
}

#[test]
fn offline_what_is_not_here_is_named() {
    let context = started(Context::new());
    let before = store_state(&context);
    assert_snapshot!(one_error(&context, context.run(["--offline", "install", "rich"])), @r"
    omnipkg: error: offline, and the index page of rich is not in the cache
    hint: run it once without --offline
    ");
    assert_eq!(store_state(&context), before);
}

#[test]
fn a_store_of_an_unknown_layout_is_refused() {
    let context = Context::new();
    pinned(&context, "s.py", "rich", "1.0");
    std::fs::create_dir(context.store()).unwrap();
    let version = context.store().join("version");
    std::fs::write(&version, "omnipkg-store 99\n").unwrap();
    for verb in [&["run", "s.py"][..], &["install", "rich"], &["list"], &["status"], &["doctor"], &["info", "python"]] {
        let text = one_error(&context, context.run(verb));
        assert!(text.contains("omnipkg-store 99") && text.contains("\nhint: "), "{verb:?}: {text}");
    }
    assert_eq!(std::fs::read_dir(context.store()).unwrap().count(), 1, "nothing was added to it");
    assert_eq!(std::fs::read_to_string(&version).unwrap(), "omnipkg-store 99\n");
}

#[test]
fn a_store_that_cannot_be_written() {
    let (Some(context), Some(user)) = (Context::as_ordinary_user(), User::ordinary()) else { return };
    script(&context, "s.py", &["print('runs')"]);
    std::fs::create_dir(context.store()).unwrap();
    let text = one_error(&context, context.run(["run", "s.py"]));
    assert_snapshot!(text, @r"
    omnipkg: error: cannot create directory [STORE]/objects: Permission denied (os error 13)
    hint: check who owns that path, or put the store elsewhere with OMNIPKG_HOME
    ");
    user.own(&context.store()).unwrap();
    assert_eq!(context.run(["run", "s.py"]).success().stdout, "runs\n");
}

/// A small disk at the store's place.
struct Disk(PathBuf);

impl Disk {
    fn mount(at: &Path, size: &str) -> Option<Self> {
        std::fs::create_dir(at).unwrap();
        let options = format!("size={size}");
        let mounted = mount(Some("none"), at, Some("tmpfs"), MsFlags::empty(), Some(options.as_str()));
        mounted.map_err(|error| eprintln!("skipped: cannot mount a small disk: {error}")).ok()?;
        Some(Self(at.to_owned()))
    }

    fn resize(&self, size: &str) {
        let options = format!("size={size}");
        mount(Some("none"), &self.0, Some("tmpfs"), MsFlags::MS_REMOUNT, Some(options.as_str())).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // what compiles in the background ends a moment after it was told to
        let deadline = Instant::now() + Duration::from_secs(30);
        while umount(&self.0).is_err() {
            assert!(Instant::now() < deadline, "something holds the disk");
            std::thread::yield_now();
        }
    }
}

#[test]
fn the_disk_is_full() {
    // Links: a server would keep the disk busy.
    let context = Context::new().link();
    let Some(disk) = Disk::mount(&context.store(), "1m") else { return };
    script(&context, "s.py", &["print('runs')"]);
    let text = one_error(&context, context.run(["run", "s.py"]));
    assert!(text.contains("No space left on device") && text.contains("hint: make room on that disk"), "{text}");
    assert!(store_state(&context).is_empty(), "{:?}", store_state(&context));
    disk.resize("200m");
    assert_eq!(quiet_success(context.run(["run", "s.py"])), "runs\n");

    let large = WheelBuilder::with_version_attribute("rich", "1.0").file("rich/data.bin", noise(3 << 20)).build();
    context.publish(&[large]);
    let filling = fill(&context.store());
    let before = store_state(&context);
    let text = one_error(&context, context.run(["install", "rich"]));
    assert!(text.contains("No space left on device") && text.contains("hint: make room on that disk"), "{text}");
    assert_eq!(store_state(&context), before);
    std::fs::remove_file(filling).unwrap();
    installs(&context);
}

/// Takes all but 2 MB of a disk.
fn fill(disk: &Path) -> PathBuf {
    let state = nix::sys::statvfs::statvfs(disk).unwrap();
    let free = state.blocks_available() * state.fragment_size();
    let path = disk.join("filling");
    std::fs::write(&path, vec![0; usize::try_from(free - (2 << 20)).unwrap()]).unwrap();
    path
}

/// Bytes that no compression makes smaller (xorshift).
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let words = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    words.flatten().take(length).collect()
}
