//! What is spread over several wheels and meets in a view: namespace packages, `.pth` files, shared libraries, data.

use crate::support::{install, over_both_projections, quiet_success, script};
use omnipkg_tests::process::run;
use omnipkg_tests::{Context, WheelBuilder};
use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;
use std::process::Command;
use zip::write::SimpleFileOptions;

/// As setuptools writes it for `namespace_packages`.
const NAMESPACE_PTH: &str = "import sys, types, os;p = os.path.join(sys._getframe(1).f_locals['sitedir'], *('listed',));\
importlib = __import__('importlib.util');__import__('importlib.machinery');m = sys.modules.setdefault('listed', \
importlib.util.module_from_spec(importlib.machinery.PathFinder.find_spec('listed', [os.path.dirname(p)])));\
mp = (m or []) and m.__dict__.setdefault('__path__',[]);(p not in mp) and mp.append(p)\n";

const EXTENDED: &str = "__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n";

/// A wheel of one side; both sides have the same packages, and a module each in them.
fn side(name: &str) -> WheelBuilder {
    WheelBuilder::new(name, "1.0")
        .file(&format!("space/{name}.py"), format!("NAME = 'space.{name}'\n"))
        .file(&format!("space/data/{name}.txt"), format!("data of {name}"))
        .file("extended/__init__.py", EXTENDED)
        .file(&format!("extended/{name}.py"), format!("NAME = 'extended.{name}'\n"))
        .file(&format!("listed/{name}.py"), format!("NAME = 'listed.{name}'\n"))
        .file(&format!("{name}-nspkg.pth"), NAMESPACE_PTH)
        .data_file("data", &format!("share/man/man1/{name}.1"), format!("manual of {name}"))
        .data_file("data", &format!("share/jupyter/kernels/{name}/kernel.json"), "{}")
        .data_file("data", &format!("etc/jupyter/{name}.json"), "{}")
}

fn zipped_module() -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file("zipped/__init__.py", SimpleFileOptions::default()).unwrap();
    writer.write_all(b"WHERE = __file__\nDATA = __loader__.get_data\n").unwrap();
    writer.finish().unwrap().into_inner()
}

fn both_sides_installed(context: Context) -> Context {
    let left = side("left")
        .file("eggs/zipped.egg", zipped_module())
        .file("extra/from_extra.py", "HERE = True\n")
        // Read in the order of their names, whichever wheel they are of.
        .file("b.pth", "import sys; sys.order = getattr(sys, 'order', []) + ['b']\n")
        .file("left-1.0.dist-info/entry_points.txt", "[gui_scripts]\nleft-window = space.left:main [some-extra]\n");
    let right = side("right")
        .file(
            "a.pth",
            "# a comment\nextra\neggs/zipped.egg\nimport sys; sys.order = getattr(sys, 'order', []) + ['a']\n",
        )
        .file("c.pth", "not/there\nimport sys; sys.order += ['c']\n");
    context.publish(&[left.build(), right.build()]);
    install(&context, &["left", "right"]);
    context
}

over_both_projections!(
    both_sides_installed:
    namespace_packages_are_whole,
    pth_files_are_read_in_order,
    data_of_all_wheels_is_merged,
    libraries_find_each_other,
);

fn namespace_packages_are_whole(context: Context) {
    let lines = [
        "import importlib, pkgutil, sys",
        "for space in ('space', 'extended', 'listed'):",
        "    names = [importlib.import_module(space + '.' + side).NAME for side in ('left', 'right')]",
        "    package = sys.modules[space]",
        "    modules = sorted(each.name for each in pkgutil.iter_modules(package.__path__))",
        "    print(names, modules, len(list(package.__path__)))",
        "from importlib.resources import files",
        "print(sorted(each.name for each in files('space').joinpath('data').iterdir()))",
    ];
    script(&context, "s.py", &lines);
    let expected = |space| format!("['{space}.left', '{space}.right'] ['left', 'right'] 1\n");
    let packages: String = ["space", "extended", "listed"].map(expected).concat();
    let output = context.run(["run", "s.py"]);
    if output.stderr.contains("cannot import name 'files'") {
        return eprintln!("skipped: this Python has no importlib.resources.files");
    }
    assert_eq!(quiet_success(output), format!("{packages}['left.txt', 'right.txt']\n"));
}

fn pth_files_are_read_in_order(context: Context) {
    let lines = [
        "import os, sys, from_extra, zipped",
        "packages = [path for path in sys.path if path.endswith('site-packages')]",
        "below = [os.path.relpath(path, packages[0]) for path in sys.path if path.startswith(packages[0])]",
        // In a virtual environment `site` itself reads them all twice.
        "print(sys.order[:3], below, from_extra.HERE, os.path.relpath(zipped.WHERE, packages[0]))",
        "print(len(zipped.DATA(zipped.WHERE)) > 20, type(zipped.__loader__).__name__)",
    ];
    script(&context, "s.py", &lines);
    let expected = "['a', 'b', 'c'] ['.', 'extra', 'eggs/zipped.egg'] True eggs/zipped.egg/zipped/__init__.py\n\
                    True zipimporter\n";
    assert_eq!(quiet_success(context.run(["run", "s.py"])), expected);
}

fn data_of_all_wheels_is_merged(context: Context) {
    let lines = [
        "import os, sys",
        "for folder in ('share/man/man1', 'share/jupyter/kernels', 'etc/jupyter'):",
        "    print(sorted(os.listdir(os.path.join(sys.prefix, folder))))",
        "print(os.access(os.path.join(sys.prefix, 'bin/left-window'), os.X_OK))",
    ];
    script(&context, "s.py", &lines);
    let expected = "['left.1', 'right.1']\n['left', 'right']\n['left.json', 'right.json']\nTrue\n";
    assert_eq!(quiet_success(context.run(["run", "s.py"])), expected);
}

/// Compiles a shared library; false where there is no compiler.
fn compiled(directory: &Path, source: &str, output: &str, options: &[&str]) -> bool {
    fs::write(directory.join("source.c"), source).unwrap();
    let mut command = Command::new("cc");
    command.current_dir(directory).args(["-shared", "-fPIC", "source.c", "-o", output]).args(options);
    match command.output() {
        Ok(ended) => {
            assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
            true
        }
        Err(error) => {
            eprintln!("skipped: no C compiler: {error}");
            false
        }
    }
}

fn libraries_find_each_other(context: Context) {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    // As wheels have them: a versioned name and no link to it.
    let named = ["-Wl,-soname,libbase.so.3"];
    if !compiled(at, "int base(void) { return 41; }\n", "libbase.so.3.1", &named) {
        return;
    }
    let source = "int base(void);\nint above(void) { return base() + 1; }\n";
    let found = ["./libbase.so.3.1", "-Wl,-rpath,$ORIGIN/../base_libs/lib"];
    assert!(compiled(at, source, "libabove.so", &found));
    let read = |name: &str| fs::read(at.join(name)).unwrap();
    let base = WheelBuilder::new("base-libs", "1.0").file("base_libs/lib/libbase.so.3", read("libbase.so.3.1"));
    let above = WheelBuilder::new("above", "1.0")
        .requires("base-libs")
        .executable("above/libabove.so", read("libabove.so"))
        .file(
            "above/__init__.py",
            "import ctypes, os\nfolder = os.path.dirname(__file__)\n\
               print(ctypes.CDLL(os.path.join(folder, 'libabove.so')).above())\n",
        );
    context.publish(&[base.build(), above.build()]);
    script(&context, "s.py", &["import above"]);
    assert_eq!(quiet_success(context.run(["run", "--with", "above", "s.py"])), "42\n");
}

#[test]
fn programs_start_from_a_store_with_a_long_path() {
    // The kernel reads 256 bytes of a script's first line. (A mount's server has a socket, whose path cannot be long.)
    let context = Context::new().link();
    let store = context.work().join("long-".repeat(40)).join("names-".repeat(40));
    let context = context.env("OMNIPKG_HOME", &store);
    let tool = WheelBuilder::new("tool", "1.0").console_script("the-tool", "tool:main");
    let script = "#!python\nimport sys\nprint('script', sys.argv[1:])\n";
    let tool = tool.file("tool.py", "def main():\n    print('tool')\n").data_file("scripts", "the-script", script);
    context.publish(&[tool.build()]);
    let view = quiet_success(context.run(["mount", "tool"]));
    for (name, said) in [("the-tool", "tool\n"), ("the-script", "script ['a b']\n")] {
        let mut command = context.program(Path::new(view.trim_end()).join("bin").join(name));
        command.arg("a b");
        assert_eq!(quiet_success(run(command, b"")), said);
    }
}
