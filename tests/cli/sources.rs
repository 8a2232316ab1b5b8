//! Projects that come as sources: from an index, a path, a directory, a repository.

use crate::support::{one_error, python, quiet_success};
use omnipkg_tests::{Context, FileOptions, Index, WheelBuilder};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const PYPROJECT: &str = "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n";

/// The project `own`, which its own backend builds, with what it needs for that on the index.
fn project(context: &Context) -> PathBuf {
    context.publish(&[
        WheelBuilder::with_version_attribute("tool", "5.0").build(),
        WheelBuilder::with_version_attribute("dependency", "1.5").build(),
    ]);
    let root = context.work().join("own-1.0");
    fs::create_dir_all(&root).unwrap();
    fs::write(root.join("pyproject.toml"), PYPROJECT).unwrap();
    fs::write(root.join("backend.py"), include_str!("backend.py")).unwrap();
    fs::write(root.join("own.py"), "VALUE = 1\n").unwrap();
    root
}

fn run(directory: &Path, program: &str, arguments: &[&str]) {
    let status = Command::new(program).args(arguments).current_dir(directory).status();
    assert!(status.is_ok_and(|status| status.success()), "{program} {arguments:?}");
}

/// Packs the project as a source distribution.
fn archive(root: &Path) -> PathBuf {
    let parent = root.parent().unwrap();
    run(parent, "tar", &["-czf", "own-1.0.tar.gz", "own-1.0"]);
    parent.join("own-1.0.tar.gz")
}

/// The project on the index, as a source only.
pub fn publish_source(context: &Context) {
    let bytes = fs::read(archive(&project(context))).unwrap();
    context.index().add_file("own", "1.0", "own-1.0.tar.gz", &bytes, FileOptions::default());
}

fn value(context: &Context) -> String {
    quiet_success(python(context, &["-c", "import own; print(own.VALUE)"]))
}

#[test]
fn what_an_index_has_as_a_source_only_is_built_once() {
    let context = Context::new();
    publish_source(&context);
    assert_eq!(quiet_success(context.run(["resolve", "own"])), "dependency==1.5\nown==1.0\n");
    quiet_success(context.run(["install", "own"]));
    let seen = quiet_success(python(&context, &["-c", "import own, dependency; print(own.VALUE, own.TOOL)"]));
    assert_eq!(seen, "1 5.0\n");
    // What builds it is no part of the environment, and nothing of the build is left.
    assert!(!quiet_success(context.run(["list"])).contains("tool"));
    assert!(context.store_files("tmp").is_empty(), "{:?}", context.store_files("tmp"));
    context.index().stop();
    quiet_success(context.run(["env", "create", "other"]));
    quiet_success(context.run(["install", "--env", "other", "own", "--offline"]));
}

#[test]
fn a_build_is_only_made_where_it_is_wanted() {
    let context = Context::new();
    publish_source(&context);
    for option in [&["--no-build"][..], &["--only-binary", ":all:"], &["--only-binary", "own"]] {
        let refused = one_error(&context, context.run([&["install", "own"], option].concat()));
        assert!(
            refused.contains("own 1.0 has no wheel, only source, which --only-binary or --no-build forbids"),
            "{refused}"
        );
    }
    context.publish(&[WheelBuilder::new("own", "0.9").file("own.py", "VALUE = 9\n").build()]);
    quiet_success(context.run(["install", "own", "--only-binary", "own"]));
    assert_eq!(value(&context), "9\n");
    quiet_success(context.run(["install", "own>=1"]));
    assert_eq!(value(&context), "1\n");
    let refused = one_error(&context, context.run(["install", "own<1", "--no-binary", "own"]));
    assert!(refused.contains("own 0.9 has no source, only wheels"), "{refused}");
}

#[test]
fn paths_give_projects_as_they_are_now() {
    let context = Context::new();
    let root = project(&context);
    let archive = archive(&root);
    quiet_success(context.run(["install", "./own-1.0.tar.gz"]));
    assert_eq!(value(&context), "1\n");
    let count = || fs::read_to_string(context.home().join("count")).unwrap();
    let with = |what: &str| {
        quiet_success(context.run(["run", "--with", what, "--", "python", "-c", "import own; print(own.VALUE)"]))
    };
    assert_eq!(with("./own-1.0"), "1\n");
    fs::write(root.join("own.py"), "VALUE = 22\n").unwrap();
    assert_eq!(with("./own-1.0"), "22\n");
    assert_eq!(with("./own-1.0"), "22\n");
    assert_eq!(count(), "built\nbuilt\nbuilt\n", "what is the same is not built again");
    assert_eq!(with(&format!("own @ file://{}", archive.display())), "1\n");
    // Another archive of the same name is another project's state.
    self::archive(&root);
    quiet_success(context.run(["install", "./own-1.0.tar.gz"]));
    assert_eq!(value(&context), "22\n");
    let refused = one_error(&context, context.run(["install", "dependency @ ./own-1.0"]));
    assert!(refused.contains("it is the project own"), "{refused}");
    let refused = one_error(&context, context.run(["install", "./nothing"]));
    assert!(refused.contains("neither a requirement nor a file or directory"), "{refused}");
}

#[test]
fn an_editable_project_is_imported_from_its_own_directory() {
    let context = Context::new();
    let root = project(&context);
    fs::write(context.work().join("r.txt"), "-e ./own-1.0\n").unwrap();
    assert_eq!(quiet_success(context.run(["resolve", "-r", "r.txt"])), "dependency==1.5\nown==1.0\n");
    quiet_success(context.run(["install", "-e", "own-1.0"]));
    fs::write(root.join("own.py"), "VALUE = 333\n").unwrap();
    assert_eq!(value(&context), "333\n");
    let refused = one_error(&context, context.run(["install", "-e", "tool"]));
    assert!(refused.contains("neither a requirement nor a file or directory"), "{refused}");
}

#[test]
fn a_repository_gives_the_commit_that_is_meant() {
    let context = Context::new();
    let root = project(&context);
    let git = |arguments: &[&str]| {
        let user = ["-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "init.defaultBranch=main"];
        run(&root, "git", &[&user[..], arguments].concat());
    };
    git(&["init", "-q"]);
    git(&["add", "."]);
    git(&["commit", "-q", "-m", "one"]);
    git(&["tag", "v1"]);
    fs::write(root.join("own.py"), "VALUE = 4444\n").unwrap();
    git(&["commit", "-q", "-a", "-m", "two"]);
    let url = format!("git+file://{}", root.display());
    quiet_success(context.run(["install", &url]));
    assert_eq!(value(&context), "4444\n");
    quiet_success(context.run(["install", &format!("own @ {url}@v1")]));
    assert_eq!(value(&context), "1\n");
    let refused = one_error(&context, context.run(["install", &format!("{url}@none")]));
    assert!(refused.contains("cannot use the repository file://"), "{refused}");
    assert!(context.store_files("tmp").is_empty(), "{:?}", context.store_files("tmp"));
}

#[test]
fn a_failing_build_shows_its_last_lines_and_leaves_nothing() {
    let context = Context::new();
    let root = project(&context);
    fs::write(root.join("fail"), "x.c:1:10: fatal error: Python.h: No such file or directory").unwrap();
    let archive = archive(&root);
    quiet_success(context.run(["install", "dependency"]));
    let before = context.store_files("wheels");
    let refused = context.run(["install", &format!("own @ file://{}", archive.display())]);
    assert_eq!(refused.status.code(), Some(1), "{refused}");
    assert!(refused.stderr.contains("build_wheel failed (exit status: 3)"), "{refused}");
    assert!(refused.stderr.contains("| the compiler says: x.c:1:10"), "{refused}");
    assert!(refused.stderr.contains("apt-get install python3-dev"), "{refused}");
    // What the build needed is kept, as any wheel is; of what failed there is nothing.
    let tool: Vec<_> = context.store_files("wheels").into_iter().filter(|file| !before.contains(file)).collect();
    assert_eq!(tool.len(), 1, "{tool:?}");
    assert!(context.store_files("tmp").is_empty(), "{:?}", context.store_files("tmp"));
    assert!(!quiet_success(context.run(["list"])).contains("own"));
}

#[test]
fn what_needs_itself_to_be_built_is_refused() {
    let context = Context::new();
    let root = project(&context);
    let needs_itself = PYPROJECT.replace("requires = []", "requires = ['own']");
    fs::write(root.join("pyproject.toml"), needs_itself).unwrap();
    let bytes = fs::read(archive(&root)).unwrap();
    context.index().add_file("own", "1.0", "own-1.0.tar.gz", &bytes, FileOptions::default());
    let refused = context.run(["install", "own"]);
    assert_eq!(refused.status.code(), Some(1), "{refused}");
    assert!(refused.stderr.contains("it needs itself: own 1.0 needs own 1.0"), "{refused}");
}

#[test]
fn a_source_in_a_directory_of_files_is_built() {
    let context = Context::new();
    let root = project(&context);
    archive(&root);
    quiet_success(context.run(["install", "own", "--find-links", "."]));
    assert_eq!(value(&context), "1\n");
}

#[test]
fn a_login_in_a_url_is_used_and_kept_nowhere() {
    let context = Context::new();
    let wheel = WheelBuilder::new("private", "1.0").file("private.py", "VALUE = 5\n").build();
    context.publish(std::slice::from_ref(&wheel));
    context.index().require_login("me", "s3cret");
    let place = format!("{}{}", context.index().origin(), Index::file_path(&wheel));
    let url = place.replace("http://", "http://me:s3cret@");
    let refused = one_error(&context, context.run(["install", &format!("private @ {place}")]));
    assert!(refused.contains("401"), "{refused}");
    for requirement in [url.clone(), format!("private @ {url}")] {
        quiet_success(context.run(["install", &requirement]));
        assert_eq!(quiet_success(python(&context, &["-c", "import private; print(private.VALUE)"])), "5\n");
        quiet_success(context.run(["uninstall", "private"]));
    }
    context.script("needs.py", &format!("# /// script\n# dependencies = ['private @ {url}']\n# ///\nimport private\n"));
    quiet_success(context.run(["run", "needs.py"]));
    let history = quiet_success(context.run(["env", "history"]));
    assert!(history.contains(&place) && !history.contains("s3cret"), "{history}");
    for file in context.store_files("") {
        let bytes = fs::read(context.store().join(&file)).unwrap_or_default();
        let secret = bytes.windows(6).any(|window| window == b"s3cret");
        assert!(!secret, "{} holds the password", file.display());
    }
}

#[test]
fn needs_are_read_from_another_wheel_and_checked_when_it_is_built() {
    let context = Context::new();
    publish_source(&context);
    let elsewhere = WheelBuilder::new("own", "1.0").tag("cp27-cp27m-win32").requires("other").build();
    context.publish(&[elsewhere, WheelBuilder::new("other", "3.0").build()]);
    // No build is needed to know this, and it is not so.
    assert_eq!(quiet_success(context.run(["resolve", "own"])), "other==3.0\nown==1.0\n");
    assert!(!context.home().join("count").exists());
    quiet_success(context.run(["install", "own"]));
    assert_eq!(quiet_success(context.run(["list"])), "dependency  1.5\nown         1.0\n");
    assert_eq!(quiet_success(context.run(["resolve", "own", "--refresh"])), "dependency==1.5\nown==1.0\n");
    assert_eq!(fs::read_to_string(context.home().join("count")).unwrap(), "built\n");
}

#[test]
fn an_editable_projects_new_version_is_seen() {
    let context = Context::new();
    let backend = project(&context).join("backend.py");
    let modified = fs::metadata(&backend).unwrap().modified().unwrap();
    quiet_success(context.run(["install", "-e", "own-1.0"]));
    let text = fs::read_to_string(&backend).unwrap();
    fs::write(&backend, text.replace("\"1.0\"", "\"1.1\"")).unwrap();
    // Of the same size and time as before: bytecode of the first would be taken for the second's.
    fs::File::options().write(true).open(&backend).unwrap().set_modified(modified).unwrap();
    let foreseen = quiet_success(context.run(["install", "--dry-run", "-e", "own-1.0"]));
    assert_eq!(foreseen, "own 1.0 -> 1.1\n");
    quiet_success(context.run(["install", "-e", "own-1.0"]));
    assert_eq!(quiet_success(context.run(["list"])), "dependency  1.5\nown         1.1\n");
}

#[test]
fn a_build_of_another_version_leaves_nothing() {
    let context = Context::new();
    let root = project(&context);
    let bytes = fs::read(archive(&root)).unwrap();
    context.index().add_file("own", "2.0", "own-2.0.tar.gz", &bytes, FileOptions::default());
    quiet_success(context.run(["install", "dependency", "tool"]));
    let before = context.store_files("wheels");
    let refused = one_error(&context, context.run(["install", "own"]));
    assert!(refused.contains("its backend built another version: own-1.0-py3-none-any.whl is of 1.0"), "{refused}");
    assert_eq!(context.store_files("wheels"), before);
}

#[test]
fn builds_in_one_directory_wait_for_each_other() {
    let context = Context::new();
    project(&context);
    let run = || context.run(["run", "--with", "./own-1.0", "--", "python", "-c", "import own; print(own.VALUE)"]);
    let outputs: Vec<_> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..4).map(|_| scope.spawn(run)).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    outputs.into_iter().for_each(|output| assert_eq!(quiet_success(output), "1\n"));
    assert_eq!(fs::read_to_string(context.home().join("count")).unwrap(), "built\n");
}
