//! `mount` and `unmount`: views by their path.

use crate::support::{one_error, publish, quiet_success, rich_installed, script};
use insta::assert_snapshot;
use omnipkg_tests::Context;
use omnipkg_tests::process::run;
use std::fs;
use std::path::PathBuf;

#[track_caller]
fn mounted(context: &Context, arguments: &[&str]) -> PathBuf {
    PathBuf::from(quiet_success(context.run([&["mount"], arguments].concat())).trim_end())
}

/// What a view's own Python prints.
#[track_caller]
fn prints(context: &Context, view: &std::path::Path, code: &str) -> String {
    let mut command = context.program(view.join("bin/python"));
    command.args(["-c", code]);
    quiet_success(run(command, b""))
}

const VERSION: &str = "import rich, sys; print(rich.__version__, sys.prefix)";

#[test]
fn requirements_are_a_view_that_works() {
    let context = rich_installed(Context::new());
    let view = mounted(&context, &["rich==13.4.2"]);
    assert_eq!(prints(&context, &view, VERSION), format!("13.4.2 {}\n", view.display()));
    assert_eq!(mounted(&context, &["rich==13.4.2"]), view, "the same requirements are the same view");
    context.index().stop();
    assert_eq!(mounted(&context, &["rich==13.4.2"]), view);
    let json = quiet_success(context.run(["--json", "mount", "rich==13.4.2"]));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["path"], serde_json::json!(view));
}

#[test]
fn a_scripts_own_requirements_are_a_view() {
    let context = Context::new();
    publish(&context, &[("rich", "1.0")]);
    script(&context, "s.py", &["# /// script", "# dependencies = ['rich']", "# ///"]);
    let view = mounted(&context, &["s.py"]);
    assert!(prints(&context, &view, VERSION).starts_with("1.0 "));
}

#[test]
fn a_link_is_made_and_taken_away() {
    let context = rich_installed(Context::new());
    assert_eq!(mounted(&context, &["rich==13.4.2", "--at", ".venv"]), PathBuf::from(".venv"));
    let link = context.work().join(".venv");
    assert!(prints(&context, &link, VERSION).starts_with("13.4.2 "));
    mounted(&context, &["rich==13.7.1", "--at", ".venv"]);
    assert!(prints(&context, &link, VERSION).starts_with("13.7.1 "), "a link is replaced");
    assert_eq!(quiet_success(context.run(["unmount", ".venv"])), "");
    assert!(fs::symlink_metadata(&link).is_err());
}

#[test]
fn nothing_but_a_link_of_its_own_is_touched() {
    let context = rich_installed(Context::new());
    let work = context.work();
    fs::create_dir(work.join(".venv")).unwrap();
    fs::write(work.join(".venv/kept"), "kept").unwrap();
    fs::write(work.join("file"), "kept").unwrap();
    std::os::unix::fs::symlink("elsewhere", work.join("link")).unwrap();
    let mut text = String::new();
    for verb in [
        &["mount", "rich", "--at", ".venv"][..],
        &["mount", "rich", "--at", "file"],
        &["mount", "rich", "--at", "link"],
        &["unmount", ".venv"],
        &["unmount", "file"],
        &["unmount", "link"],
        &["unmount", "absent"],
    ] {
        text += &one_error(&context, context.run(verb));
    }
    assert_snapshot!(text, @r"
    omnipkg: error: .venv exists and is no link: nothing was changed
    omnipkg: error: file exists and is no link: nothing was changed
    omnipkg: error: link leads to elsewhere, which is no view: nothing was changed
    omnipkg: error: .venv is no link that `mount --at` made: Invalid argument (os error 22)
    omnipkg: error: file is no link that `mount --at` made: Invalid argument (os error 22)
    omnipkg: error: link leads to elsewhere, which is no view: nothing was changed
    omnipkg: error: absent is no link that `mount --at` made: No such file or directory (os error 2)
    hint: check the path
    ");
    assert_eq!(fs::read_to_string(work.join(".venv/kept")).unwrap(), "kept");
    assert_eq!(fs::read_to_string(work.join("file")).unwrap(), "kept");
    assert_eq!(fs::read_link(work.join("link")).unwrap(), PathBuf::from("elsewhere"));
}
