//! Wheels so large that views refer to them instead of holding their files.

use crate::support::{install, over_both_projections, quiet_success, script};
use omnipkg_tests::{Context, WheelBuilder};
use std::fs;

/// More files than are copied into a view.
const FILES: usize = 600;

const CHECK: &[&str] = &[
    "import importlib.metadata, importlib.resources, os, large, large.deep.er.module7, meeting.large, meeting.small",
    "here = os.path.dirname(large.__file__)",
    "found = {}",
    "for directory, _, names in os.walk(here):",
    "    for name in names:",
    "        path = os.path.join(directory, name)",
    "        if name.endswith('.txt'):",
    "            with open(path) as file: found[os.path.relpath(path, here)] = file.read()",
    "assert len(found) == 600, len(found)",
    "assert all(text == 'text of ' + os.path.basename(name) for name, text in found.items())",
    "assert os.path.samefile(os.path.join(here, 'deep', 'er', '..', '..'), here)",
    "assert importlib.resources.files(large).joinpath('part3/3.txt').read_text() == 'text of 3.txt'",
    "assert len(importlib.metadata.files('large')) > 600",
    "print(large.deep.er.module7.VALUE, meeting.large.VALUE, meeting.small.VALUE)",
];

fn with_large(context: Context) -> Context {
    let mut large = WheelBuilder::new("large", "1.0")
        .file("large/__init__.py", "")
        .file("large/deep/er/module7.py", "VALUE = 7\n")
        .file("meeting/large.py", "VALUE = 'large'\n");
    for number in 0..FILES {
        large = large.file(&format!("large/part{}/{number}.txt", number % 20), format!("text of {number}.txt"));
    }
    let small = WheelBuilder::new("small", "1.0").file("meeting/small.py", "VALUE = 'small'\n");
    context.publish(&[large.build(), small.build()]);
    install(&context, &["large", "small"]);
    script(&context, "check.py", CHECK);
    context
}

over_both_projections!(with_large: every_file_is_there, what_was_kept_of_its_wheel_may_be_lost, a_view_takes_little);

fn every_file_is_there(context: Context) {
    assert_eq!(quiet_success(context.run(["run", "check.py"])), "7 large small\n");
}

fn what_was_kept_of_its_wheel_may_be_lost(context: Context) {
    fs::remove_dir_all(context.store().join("cache/trees")).unwrap();
    quiet_success(context.run(["server", "stop"]));
    assert_eq!(quiet_success(context.run(["run", "check.py"])), "7 large small\n");
}

fn a_view_takes_little(context: Context) {
    let views = fs::read_dir(context.store().join("views")).unwrap();
    let sizes: Vec<u64> = views.map(|view| view.unwrap().metadata().unwrap().len()).collect();
    assert!(!sizes.is_empty() && sizes.iter().all(|size| *size < 32 * 1024), "{sizes:?}");
}
