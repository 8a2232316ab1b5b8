//! Interpreters that vanish: their environments are bound to one that can take the place, or refused.

use crate::support::{one_error, publish, quiet_success, script};
use omnipkg_tests::{Context, Python};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// An interpreter of its own at `prefix`: the executable is a copy, its library is the context's own one's.
fn interpreter(context: &Context, prefix: &Path) -> PathBuf {
    let executable = context.interpreter().executable.canonicalize().unwrap();
    let original = executable.parent().and_then(Path::parent).unwrap();
    fs::create_dir_all(prefix.join("bin")).unwrap();
    let copy = prefix.join("bin").join(executable.file_name().unwrap());
    fs::copy(&executable, &copy).unwrap();
    symlink(&copy, prefix.join("bin/python3")).unwrap();
    for name in ["lib", "include"] {
        symlink(original.join(name), prefix.join(name)).unwrap();
    }
    copy
}

/// A context whose default environment is bound to an interpreter at `work/first`, with rich installed.
fn bound(context: Context) -> (Context, PathBuf) {
    publish(&context, &[("rich", "13.7.1")]);
    let first = interpreter(&context, &context.work().join("first"));
    let version = context.interpreter().version();
    context.run(["install", "--python", first.to_str().unwrap(), "rich"]).success();
    quiet_success(context.run(["swap", "python", &version]));
    script(&context, "s.py", &["import rich, sys", "print(rich.__version__, sys.base_prefix)"]);
    assert_eq!(
        quiet_success(context.run(["run", "s.py"])),
        format!("13.7.1 {}\n", context.work().join("first").display())
    );
    (context, first)
}

#[test]
fn an_environment_whose_interpreter_is_gone_is_bound_to_another_of_its_kind() {
    for link in [false, true] {
        let (context, first) = bound(Context::new());
        let context = if link { context.link() } else { context };
        // The machine's own one can take the place.
        fs::remove_file(&first).unwrap();
        let output = context.run(["run", "s.py"]).success();
        assert!(output.stdout.starts_with("13.7.1 "), "{output}");
        assert!(output.stderr.contains("is gone: bound to") && output.stderr.lines().count() == 1, "{output}");
        assert_eq!(quiet_success(context.run(["run", "s.py"])), output.stdout);
        let history = quiet_success(context.run(["env", "history"]));
        assert!(history.lines().last().unwrap().contains("bound to"), "{history}");
        // Going back is to what was another set, not to the same one on what is gone.
        quiet_success(context.run(["revert"]));
        assert_eq!(quiet_success(context.run(["list"])), "");
        quiet_success(context.run(["revert"]));
        assert_eq!(quiet_success(context.run(["run", "s.py"])), output.stdout);
        // What came before is brought back on the interpreter of today.
        quiet_success(context.run(["uninstall", "rich"]));
        quiet_success(context.run(["revert", "2"]));
        assert_eq!(quiet_success(context.run(["run", "s.py"])), output.stdout);
    }
}

#[test]
fn an_environment_that_no_interpreter_can_carry_is_refused_and_kept() {
    // One that is not among the system's own, which are found wherever PATH leads.
    let is_systems = |version: &str| {
        ["/usr/bin", "/usr/local/bin"].iter().any(|bin| Path::new(bin).join(format!("python{version}")).exists())
    };
    let Some(python) = Python::any(|python| !is_systems(&python.version())) else {
        return eprintln!("skipped: every Python here is the system's");
    };
    let Some(context) = Context::with_python(&python.version()) else { return };
    let (context, first) = bound(context);
    let nowhere = context.work().join("nowhere");
    fs::create_dir(&nowhere).unwrap();
    fs::rename(&first, context.work().join("put-away")).unwrap();
    let context = context.env("PATH", &nowhere).env("HOME", &nowhere);
    let error = one_error(&context, context.run(["run", "s.py"]));
    assert!(error.contains("has no interpreter") && error.contains("is gone"), "{error}");
    // Neither is it told as one that could be used.
    let output = context.run(["info", "python"]).success();
    assert!(output.stdout.is_empty() && output.stderr.contains("is gone"), "{output}");
    assert!(quiet_success(context.run(["env", "list"])).contains("its Python is gone"));
    fs::rename(context.work().join("put-away"), &first).unwrap();
    assert!(quiet_success(context.run(["run", "s.py"])).starts_with("13.7.1 "));
}

#[test]
fn an_interpreter_that_was_rebuilt_in_place_goes_on_quietly() {
    let (context, first) = bound(Context::new());
    let bytes = fs::read(&first).unwrap();
    fs::remove_file(&first).unwrap();
    fs::copy(context.interpreter().executable.canonicalize().unwrap(), &first).unwrap();
    assert_eq!(fs::read(&first).unwrap(), bytes);
    assert!(quiet_success(context.run(["run", "s.py"])).starts_with("13.7.1 "));
}
