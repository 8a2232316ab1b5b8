//! Where overlays are mounted, by the kernel's table of mounts, and where a run is that enters a namespace.

use super::edits::{mount, with_plain};
use crate::support::{one_error, quiet_success};
use omnipkg_tests::process::run;
use omnipkg_tests::{Context, FuseDevice, Output};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

/// How many are mounted, by the kernel's table.
fn overlays(context: &Context) -> usize {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let writable = context.store().join("writable");
    table.lines().filter(|line| line.contains(writable.to_str().unwrap())).count()
}

#[test]
fn an_overlay_is_known_as_mounted_whatever_its_name_is() {
    let Some(context) = mount() else { return };
    for name in ["two words", "back\\slash", "a\\040b", "é#,:"] {
        let arguments = ["mount", "--writable", "plain", "--keep", name];
        let path = PathBuf::from(context.run(arguments).success().stdout.trim_end());
        context.run(arguments).success();
        assert_eq!(overlays(&context), 1, "{name}");
        context.run(["unmount", path.to_str().unwrap()]).success();
        assert_eq!(overlays(&context), 0, "{name}");
        assert_eq!(quiet_success(context.run(["writable", "remove", name])), "");
    }
    // Through a link to the store too.
    let linked = context.work().join("linked");
    symlink(context.store(), &linked).unwrap();
    for _ in 0..2 {
        let mut command = context.command(["mount", "--writable", "plain", "--keep", "linked"]);
        command.env("OMNIPKG_HOME", &linked);
        run(command, b"").success();
        assert_eq!(overlays(&context), 1);
    }
    context.run(["unmount", "linked"]).success();
    for name in ["two\nlines", "a\ttab", "\u{7f}"] {
        let text = one_error(&context, context.run(["mount", "--writable", "plain", "--keep", name]));
        assert!(text.contains("cannot be the name of a kept layer"), "{text}");
    }
}

/// A command of an ordinary user's in a directory that other processes' mounts do not have.
fn in_a_directory_of_its_own(context: &Context, shell: &str, arguments: &[&str]) -> Output {
    let inner = context.command(arguments);
    let mut command = Command::new("unshare");
    let words = format!(
        "mount -t tmpfs tmpfs other && cd other && echo here > name && {shell} && \
         exec setpriv --reuid=nobody --regid=$(id -g nobody) --clear-groups \"$@\""
    );
    command.args(["--mount", "sh", "-c", &words, "sh"]).arg(inner.get_program()).args(inner.get_args());
    command.env_clear().envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.current_dir(context.work());
    run(command, b"")
}

#[test]
fn a_run_is_where_it_was_started_or_not_in_the_namespace() {
    let Some(_device) = FuseDevice::open_to_all() else { return };
    let Some(context) = Context::as_ordinary_user() else { return };
    let context = with_plain(context.env("FUSERMOUNT_PATH", "/nonexistent/fusermount3"));
    fs::create_dir(context.work().join("other")).unwrap();
    let code = "import plain.mod, os, sys; print(sys.prefix.split('/')[-2], os.path.exists('name'))";
    let line = ["run", "--", "python", "-c", code];
    assert_eq!(quiet_success(context.run(line)), "mnt False\n");
    assert_eq!(quiet_success(in_a_directory_of_its_own(&context, "true", &line)), "links True\n");
    // Nothing was remembered of it.
    assert_eq!(quiet_success(context.run(line)), "mnt False\n");
    let forced = "export OMNIPKG_PROJECTION=namespace";
    let text = one_error(&context, in_a_directory_of_its_own(&context, forced, &line));
    assert_eq!(text, "omnipkg: error: the working directory is not seen in the server's mount namespace\n");
    // One that was removed is removed inside too.
    let removed = "import plain.mod, os, sys; print(sys.prefix.split('/')[-2], os.stat('.').st_nlink)";
    let program = context.command(line).get_program().to_str().unwrap().to_owned();
    let mut shell = context.program("sh");
    shell.args(["-c", "mkdir gone && cd gone && rmdir ../gone && exec \"$@\"", "sh", &program]);
    shell.args(["run", "--", "python", "-c", removed]);
    assert_eq!(quiet_success(run(shell, b"")), "mnt 0\n");
}
