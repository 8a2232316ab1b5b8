//! Views as a mount and as links: chosen by what there is, or by who asks.

use crate::support::{
    COUNT, installed_version, one_error, pinned, python, quiet_success, rich_installed, runs, said, script,
};
use insta::assert_snapshot;
use omnipkg_tests::context::is_mounted;
use omnipkg_tests::{Context, FuseDevice, require_fuse};
use std::path::Path;

const PREFIX: &str = "import sys; print(sys.prefix)";

fn mounted(context: &Context) -> bool {
    is_mounted(&context.store().join("mnt"))
}

/// Where the active environment is seen: `mnt` or `links`.
#[track_caller]
fn place(context: &Context) -> String {
    let prefix = quiet_success(python(context, &["-c", PREFIX]));
    let below = Path::new(prefix.trim_end()).strip_prefix(context.store()).expect("a view of the store");
    below.iter().next().unwrap().to_str().unwrap().to_owned()
}

/// Heals a script, runs it again without a network, and finds the environment as it was.
#[track_caller]
fn heals_and_remembers(context: &Context) {
    let lines = ["import rich, sys", COUNT, "assert rich.__version__ == '13.4.2'", "print('runs', sys.prefix != '')"];
    script(context, "s.py", &lines);
    let output = context.run(["run", "--no-predict", "s.py"]).success();
    assert_eq!((output.stdout.as_str(), runs(context)), ("runs True\n", 2));
    assert_eq!(
        said(context, &output.stderr),
        "omnipkg: s.py:3 needs rich 13.4.2 (found 13.7.1): running with rich 13.4.2\n"
    );
    context.index().stop();
    assert_eq!(quiet_success(context.run(["--offline", "run", "s.py"])), "runs True\n");
    assert_eq!(runs(context), 3);
    assert_eq!(installed_version(context, "rich"), "13.7.1");
}

#[test]
fn links_do_what_the_mount_does() {
    let context = rich_installed(Context::new().link());
    heals_and_remembers(&context);
    assert_eq!(place(&context), "links");
    assert!(!mounted(&context));
    let status: serde_json::Value = serde_json::from_str(&quiet_success(context.run(["--json", "status"]))).unwrap();
    assert_eq!(status["server"], serde_json::Value::Null, "no server is started for links");
}

#[test]
fn the_mount_is_taken_where_there_is_fuse() {
    if !require_fuse() {
        return;
    }
    let context = rich_installed(Context::new());
    heals_and_remembers(&context);
    assert_eq!(place(&context), "mnt");
    assert!(mounted(&context));
}

#[test]
fn an_ordinary_user_with_fuse_mounts() {
    let Some(_device) = FuseDevice::open_to_all() else { return };
    let Some(context) = Context::as_ordinary_user() else { return };
    let context = rich_installed(context);
    heals_and_remembers(&context);
    assert_eq!(place(&context), "mnt");
    assert!(mounted(&context));
    context.run(["server", "stop"]).success();
    assert!(!mounted(&context));
}

#[test]
fn an_ordinary_user_without_fuse_gets_links_and_is_told_once() {
    let Some(_device) = FuseDevice::closed_to_users() else { return };
    let Some(context) = Context::as_ordinary_user() else { return };
    script(&context, "ok.py", &["print('ok')"]);
    let output = context.run(["run", "--no-predict", "ok.py"]).success();
    assert_eq!(output.stdout, "ok\n");
    assert_snapshot!(said(&context, &output.stderr), @"omnipkg: no FUSE here (/dev/fuse: permission denied): views are made of links; `omnipkg doctor` says more");
    assert_eq!(quiet_success(context.run(["run", "--no-predict", "ok.py"])), "ok\n");
    let context = rich_installed(context);
    heals_and_remembers(&context);
    assert_eq!(place(&context), "links");
    assert!(!mounted(&context));
}

#[test]
fn fuse_that_was_asked_for_and_is_closed_is_an_error() {
    let Some(_device) = FuseDevice::closed_to_users() else { return };
    let Some(context) = Context::as_ordinary_user() else { return };
    let context = context.fuse();
    script(&context, "ok.py", &["print('ok')"]);
    assert_snapshot!(one_error(&context, context.run(["run", "--no-predict", "ok.py"])), @"omnipkg: error: OMNIPKG_PROJECTION=fuse: cannot mount [STORE]/mnt: Permission denied (os error 13)");
    let context = context.env("OMNIPKG_PROJECTION", "");
    assert_eq!(context.run(["run", "--no-predict", "ok.py"]).success().stdout, "ok\n");
}

#[test]
fn one_store_can_be_seen_both_ways() {
    if !require_fuse() {
        return;
    }
    let context = rich_installed(Context::new().fuse());
    assert_eq!(place(&context), "mnt");
    let context = context.link();
    assert_eq!(place(&context), "links");
    pinned(&context, "s.py", "rich", "13.4.2");
    context.run(["run", "--no-predict", "s.py"]).success();
    let context = context.fuse();
    assert_eq!(quiet_success(context.run(["run", "--no-predict", "s.py"])), "rich 13.4.2\n");
    assert_eq!(place(&context), "mnt");
    assert_eq!(installed_version(&context, "rich"), "13.7.1");
}

#[test]
fn a_projection_that_there_is_not_is_an_error() {
    let context = Context::new().env("OMNIPKG_PROJECTION", "copy");
    assert_snapshot!(one_error(&context, context.run(["list"])), @r#"omnipkg: error: OMNIPKG_PROJECTION is "copy": it can be direct, fusermount, namespace, fuse (direct or fusermount) or link"#);
}
