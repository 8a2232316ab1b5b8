//! What the tests of the command line share: contexts with something installed, scripts, and how errors look.

use omnipkg_tests::process::run;
use omnipkg_tests::{Context, Output, WheelBuilder};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Projects whose package says its version, on the context's index.
pub fn publish(context: &Context, projects: &[(&str, &str)]) {
    for (name, version) in projects {
        context.index().add(&WheelBuilder::with_version_attribute(name, version).build());
    }
}

/// rich 13.4.2 and 13.7.1 are on the index, and 13.7.1 is installed.
pub fn rich_installed(context: Context) -> Context {
    publish(&context, &[("rich", "13.4.2"), ("rich", "13.7.1")]);
    install(&context, &["rich==13.7.1"]);
    context
}

/// Installs into the active environment, which says nothing.
#[track_caller]
pub fn install(context: &Context, requirements: &[&str]) {
    let output = context.run([&["install"], requirements].concat()).success();
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", ""));
}

/// Writes a script of these lines.
pub fn script(context: &Context, name: &str, lines: &[&str]) -> PathBuf {
    context.script(name, &(lines.join("\n") + "\n"))
}

/// A script that runs with one version of a project only, and then says so.
pub fn pinned(context: &Context, name: &str, project: &str, version: &str) -> PathBuf {
    let lines = [
        format!("import {project}"),
        format!("assert {project}.__version__ == '{version}'"),
        format!("print('{project}', {project}.__version__)"),
    ];
    context.script(name, &(lines.join("\n") + "\n"))
}

/// `python arguments…` in the environment that `run` finds.
#[track_caller]
pub fn python(context: &Context, arguments: &[&str]) -> Output {
    context.run([&["run", "--", "python"], arguments].concat())
}

/// The version that the active environment has of a project.
#[track_caller]
pub fn installed_version(context: &Context, project: &str) -> String {
    let code = format!("import importlib.metadata as m; print(m.version({project:?}))");
    quiet_success(python(context, &["-c", &code])).trim_end().to_owned()
}

/// What a command that has nothing to say of itself prints on stdout.
#[track_caller]
pub fn quiet_success(output: Output) -> String {
    let output = output.success();
    assert_eq!(output.stderr, "", "nothing of its own is said\n{output}");
    output.stdout
}

/// The context's own Python, without omnipkg.
#[track_caller]
pub fn plain_python(context: &Context, arguments: &[&str]) -> Output {
    // By its real path, as views name it: it stands in tracebacks.
    let mut command = context.program(context.interpreter().executable.canonicalize().unwrap());
    command.args(arguments);
    run(command, b"")
}

/// One error (what goes on with it is indented) and at most one hint on stderr, nothing on stdout, exit code 1; for a
/// snapshot.
#[track_caller]
pub fn one_error(context: &Context, output: Output) -> String {
    let output = output.expect_code(1);
    let lines: Vec<&str> = output.stderr.lines().filter(|line| !line.starts_with("  ")).collect();
    let shape = matches!(lines[..], [error] | [error, _] if error.starts_with("omnipkg: error: "))
        && lines[1..].iter().all(|hint| hint.starts_with("hint: "));
    assert!(shape && output.stdout.is_empty(), "one error, and its hint\n{output}");
    said(context, &output.stderr)
}

/// What omnipkg said, for a snapshot: without what the machine and the compression of wheels decide.
pub fn said(context: &Context, text: &str) -> String {
    let hash = |word: &str| word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let python = |word: &str| word.starts_with("3.") && word.matches('.').count() == 2;
    let between = |character: char| !(character.is_alphanumeric() || character == '.');
    let stable = |part: &str| match part.trim_end_matches(between) {
        word if python(word) => part.replace(word, "[VERSION]"),
        word if hash(word) => part.replace(word, "[SHA256]"),
        _ => part.to_owned(),
    };
    context.filter(text).split_inclusive(between).map(stable).collect()
}

/// What omnipkg said after the traceback that Python printed by itself.
#[track_caller]
pub fn said_after_traceback(context: &Context, run: &[&str], output: &Output) -> String {
    let alone = context.run([&["run", "--heal=off"], run].concat());
    let rest = output.stderr.strip_prefix(&alone.stderr).filter(|_| !alone.stderr.is_empty());
    said(context, rest.unwrap_or_else(|| panic!("Python's own traceback comes first\n{output}")))
}

/// How often a script that calls [`COUNT`] has run.
pub fn runs(context: &Context) -> usize {
    std::fs::read(context.work().join("runs")).map_or(0, |bytes| bytes.len())
}

/// A line that makes a script count its runs.
pub const COUNT: &str = "open('runs', 'a').write('x')";

/// Wheel manifests, view manifests and scratch files, all of the store that an interrupted command could half-make.
///
/// Bytecode that is made in the background has scratch files for moments: only what stays is counted.
pub fn store_state(context: &Context) -> Vec<PathBuf> {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let state: Vec<PathBuf> = ["wheels", "views", "tmp", "envs", "links"]
            .iter()
            .flat_map(|folder| context.store_files(folder).into_iter().map(move |file| Path::new(folder).join(file)))
            .collect();
        if !state.iter().any(|path| path.starts_with("tmp")) || Instant::now() > deadline {
            return state;
        }
        std::thread::yield_now();
    }
}

/// Each function is a test over the mount and a test over links, with what `prepared` makes of a context.
macro_rules! over_both_projections {
    ($prepared:ident: $($name:ident),* $(,)?) => {
        mod mounted {
            $(#[test]
            fn $name() {
                if omnipkg_tests::require_fuse() {
                    super::$name(super::$prepared(omnipkg_tests::Context::new().fuse()));
                }
            })*
        }
        mod linked {
            $(#[test]
            fn $name() {
                super::$name(super::$prepared(omnipkg_tests::Context::new().link()));
            })*
        }
    };
}
pub(crate) use over_both_projections;

/// Beyond what anything takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Waits until something holds.
#[track_caller]
pub fn await_condition(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "{what} did not come");
        std::thread::yield_now();
    }
}
