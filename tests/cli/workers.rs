//! Workers with the program behind them: which view a worker is in, what it is told, and what cannot be had.

use crate::support::{publish, quiet_success, rich_installed};
use omnipkg_tests::process::run;
use omnipkg_tests::{Context, WheelBuilder};

const WORKERS: &str = r#"
import os, sys
import rich
from omnipkg.worker import Pool, Worker, WorkerError
from omnipkg._errors import CommandError

def version():
    import rich
    return rich.__version__

open("rich", "w").close()  # no script
with Worker("rich==13.4.2") as worker, Worker({"rich": "13.7.1"}) as newer, Worker(["rich", "plain"]) as both:
    assert worker.call(version) == "13.4.2" and newer.call(version) == rich.__version__ == "13.7.1"
    assert both.call("plain:__name__.upper") == "PLAIN"
    assert worker.run("import sys; sys.version_info[:2]") == sys.version_info[:2]
    for name in ("prefix", "executable"):
        assert worker.run("getattr(sys, name)", name=name).startswith(worker.view), name
    environment = worker.run("import os; dict(os.environ)")
    assert environment["VIRTUAL_ENV"] == worker.view and environment["PATH"].split(":")[0] == worker.view + "/bin"
    assert worker.run("import shutil; shutil.which('python')") == worker.view + "/bin/python"
    try:
        worker.call("plain:__name__")
    except ImportError as error:
        assert "plain" in str(error)
    assert worker.run("os.getcwd()") == os.getcwd() and os.getcwd() not in worker.run("sys.path")
try:
    Worker("rich==99")
except CommandError as error:
    print(error)
with Pool() as pool:
    assert pool.call("rich==13.4.2", version) == "13.4.2" and pool.call("Rich == 13.4.2", "os:getpid") != os.getpid()
    assert pool.worker({"rich": "13.4.2"}) is pool.worker("rich==13.4.2") and len(pool) == 1
"#;

#[test]
fn a_worker_is_in_a_view_of_what_it_is_asked_for() {
    let context = rich_installed(Context::new());
    publish(&context, &[("plain", "1.0")]);
    context.script("s.py", WORKERS.trim_start());
    let mut command = context.program(context.store().join("active/bin/python"));
    command.arg("s.py");
    let said = quiet_success(run(command, b""));
    let version = context.interpreter().version();
    assert!(said.starts_with(&format!("no versions fit together on Python {version}.")), "{said}");
    assert!(said.contains("there is no rich==99") && said.contains("hint: "), "{said}");
}

#[test]
fn a_worker_has_another_python() {
    let Some(other) = Context::python("3.8") else { return };
    let context = rich_installed(Context::new().also_python(other));
    let text = "from omnipkg.worker import Worker\n\
                with Worker('rich==13.4.2', python='3.8') as worker:\n    \
                    print(worker.run('import sys, rich; (sys.version_info[:2], rich.__version__)'))\n";
    context.script("s.py", text);
    // Also where the active environment is not asked: in a view that a run made.
    let said = "((3, 8), '13.4.2')\n";
    assert_eq!(quiet_success(context.run(["run", "s.py"])), said);
    let mut command = context.program(context.store().join("active/bin/python"));
    command.arg("s.py");
    assert_eq!(quiet_success(run(command, b"")), said);
}

#[test]
fn python_2_has_no_worker() {
    let Some(other) = Context::python("2.7") else { return };
    let context = rich_installed(Context::new().also_python(other));
    context.index().add(&WheelBuilder::new("old", "1.0").file("old.py", "").tag("py2.py3-none-any").build());
    context.script("s.py", "from omnipkg.worker import Worker\nWorker('old', python='2.7')\n");
    let ran = context.run(["run", "s.py"]).expect_code(1);
    assert!(ran.stderr.contains("a worker needs Python 3.6 or newer"), "{ran}");
}
