//! Many at the same time: each sees its own versions, and what is done twice at once is done.

use crate::support::{install, installed_version, pinned, publish, quiet_success, script};
use omnipkg_tests::Context;

const ROUNDS: usize = 20;

/// `ROUNDS` runs of two scripts that want different versions, side by side.
fn side_by_side(context: &Context) {
    publish(context, &[("numpy", "1.26.4"), ("numpy", "2.2.6")]);
    install(context, &["numpy==2.2.6"]);
    pinned(context, "old.py", "numpy", "1.26.4");
    pinned(context, "new.py", "numpy", "2.2.6");
    context.run(["run", "old.py"]).success();
    std::thread::scope(|scope| {
        for (name, version) in [("old.py", "1.26.4"), ("new.py", "2.2.6")] {
            scope.spawn(move || {
                for _ in 0..ROUNDS {
                    assert_eq!(quiet_success(context.run(["run", name])), format!("numpy {version}\n"));
                }
            });
        }
    });
    assert_eq!(installed_version(context, "numpy"), "2.2.6");
}

#[test]
fn each_script_sees_its_own_version() {
    side_by_side(&Context::new());
}

#[test]
fn each_script_sees_its_own_version_in_links() {
    side_by_side(&Context::new().link());
}

#[test]
fn a_bare_store_is_begun_by_many_at_once() {
    let context = Context::new();
    script(&context, "s.py", &["print('runs')"]);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(quiet_success(context.run(["run", "s.py"])), "runs\n"));
        }
    });
    assert!(context.store_files("tmp").is_empty());
    assert_eq!(context.store_files("views").len(), 1);
}

#[test]
fn the_same_script_is_healed_by_many_at_once() {
    let context = Context::new();
    publish(&context, &[("rich", "13.4.2"), ("rich", "13.7.1")]);
    install(&context, &["rich"]);
    pinned(&context, "s.py", "rich", "13.4.2");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(context.run(["run", "s.py"]).success().stdout, "rich 13.4.2\n"));
        }
    });
    assert_eq!(quiet_success(context.run(["run", "s.py"])), "rich 13.4.2\n");
}
