//! The Python side's modules as scripts of the first omnipkg use them, and workers, with the program behind them.

use crate::support::{install, publish, quiet_success, rich_installed};
use omnipkg_tests::process::run;
use omnipkg_tests::{Context, Output};
use std::fs;

/// Runs a script in an environment's own Python.
fn with(context: &Context, environment: &str, text: &str, arguments: &[&str]) -> Output {
    context.script("script.py", text.trim_start());
    let mut command = context.program(context.store().join("envs").join(environment).join("bin/python"));
    command.arg("script.py").args(arguments);
    run(command, b"")
}

/// rich 13.7.1 in the environments of two interpreters, the second of which is the active one.
fn two_pythons() -> Option<(Context, String, String)> {
    let context = Context::with_python("3.11")?.also_python(Context::python("3.9")?);
    publish(&context, &[("rich", "13.4.2"), ("rich", "13.6.0"), ("rich", "13.7.1")]);
    quiet_success(context.run(["python", "adopt", "3.11", "-q"]));
    context.run(["install", "--python", "3.9", "rich==13.7.1"]).success();
    context.run(["install", "--python", "3.11", "rich==13.7.1"]).success();
    context.run(["swap", "python", "3.9"]).success();
    Some((context, "3.11".to_owned(), "3.9".to_owned()))
}

/// The context's one environment, with rich 13.7.1.
fn one_python() -> (Context, String) {
    let context = rich_installed(Context::new());
    let name = context.interpreter().version();
    (context, name)
}

#[test]
fn the_module_is_the_program_for_the_python_that_runs_it() {
    let Some((context, other, active)) = two_pythons() else { return };
    let python = context.store().join("envs").join(&other).join("bin/python");
    let module = |arguments: &[&str], input: &[u8]| {
        let mut command = context.program(&python);
        command.args(arguments);
        run(command, input)
    };
    assert_eq!(quiet_success(module(&["-m", "omnipkg.cli", "install", "rich==13.4.2"], b"")), "");
    assert_eq!(quiet_success(module(&["-m", "omnipkg", "list"], b"")), "rich  13.4.2\n");
    assert_eq!(quiet_success(context.run(["list"])), "rich  13.7.1\n", "{active} is as it was");
    // Arguments, standard input, output and exit code are the program's.
    let script = context.script("s.py", "import sys\nprint(sys.stdin.read(), sys.argv[1:])\nsys.exit(7)\n");
    let ran = module(&["-m", "omnipkg.cli", "run", script.to_str().unwrap(), "-x", "ä b"], b"input");
    assert_eq!(ran.expect_code(7).stdout, "input ['-x', 'ä b']\n");
    assert_eq!(module(&["-m", "omnipkg.cli", "no-such-verb"], b"").code(), 2);
    assert_eq!(module(&["-c", "from omnipkg.cli import main; print(main(['list']))"], b"").stdout, "rich  13.4.2\n0\n");
    // A signal is the program's too.
    let kill = "import os, signal; os.kill(os.getpid(), signal.SIGTERM)";
    assert_eq!(module(&["-m", "omnipkg.cli", "run", "--heal=off", "--", "python", "-c", kill], b"").code(), 143);
}

const ORCHESTRATOR: &str = r#"
import subprocess, sys, threading
from omnipkg.common_utils import ensure_python_or_relaunch, print_header, run_command, safe_print, sync_context_to_runtime
from omnipkg.core import ConfigManager
from omnipkg.i18n import _

ensure_python_or_relaunch("3.11")
sync_context_to_runtime()
print_header(_("On {}").format("%d.%d" % sys.version_info[:2]))
assert run_command(["omnipkg", "info"]).splitlines()[0] == "environment: 3.11"
run_command(["omnipkg", "swap", "python", "3.9"])
run_command(["omnipkg", "install", "rich==13.4.2"])
pythons = {}
for line in run_command(["omnipkg", "info", "python"]).splitlines():
    version, path = line[len("Python "):].split(": ")
    pythons[version] = path
assert pythons["3.11"] == str(ConfigManager(suppress_init_messages=True).get_interpreter_for_version("3.11"))
payload = "import rich, sys; print(rich.__version__, '%d.%d' % sys.version_info[:2])"
safe_print(run_command([pythons["3.9"], "-c", payload]).strip(), sys.argv[1:])
safe_print(run_command([pythons["3.11"], "-c", payload]).strip())

def install(version, requirement):
    subprocess.run([pythons[version], "-m", "omnipkg.cli", "install", requirement], check=True)

threads = [threading.Thread(target=install, args=each) for each in (("3.9", "rich==13.6.0"), ("3.11", "rich==13.4.2"))]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
for version in ("3.9", "3.11"):
    safe_print(run_command([pythons[version], "-c", payload]).strip())
"#;

#[test]
fn an_orchestrator_relaunches_itself_swaps_installs_and_runs_payloads() {
    let Some((context, _, active)) = two_pythons() else { return };
    let line = "=".repeat(60);
    let expected =
        format!("\n{line}\n  On 3.11\n{line}\n13.4.2 3.9 ['a b', '', 'ä']\n13.7.1 3.11\n13.6.0 3.9\n13.4.2 3.11\n");
    assert_eq!(quiet_success(with(&context, &active, ORCHESTRATOR, &["a b", "", "ä"])), expected);
    assert_eq!(fs::read_link(context.store().join("active")).unwrap().to_str(), Some("envs/3.9"));
}

#[test]
fn a_relaunch_keeps_the_command_line_and_happens_once() {
    let Some((context, other, active)) = two_pythons() else { return };
    let code = "import os, sys; from omnipkg.common_utils import ensure_script_is_running_on_version as ensure; \
                ensure('3.11'); print(sys.version_info[:2], sys.argv, sys.flags.optimize, os.environ.get('VIRTUAL_ENV'), \
                [name for name in os.environ if 'RELAUNCH' in name])";
    context.script("module.py", code);
    let relaunched = |first: &[&str], prefix: &str| {
        let mut command = context.program(context.store().join("envs").join(&active).join("bin/python"));
        command.args(first).args(["a", ""]).env("VIRTUAL_ENV", prefix);
        quiet_success(run(command, b""))
    };
    let store = context.store();
    let envs = |name: &str| store.join("envs").join(name).display().to_string();
    let module = context.work().join("module.py");
    for (first, argv0) in [
        (&["-O", "-c", code][..], "-c"),
        (&["-O", "-m", "module"], module.to_str().unwrap()),
        (&["-O", "module.py"], "module.py"),
    ] {
        let said = relaunched(first, &envs(&active));
        assert_eq!(said, format!("(3, 11) ['{argv0}', 'a', ''] 1 {} []\n", envs(&other)));
    }
    assert!(relaunched(&["-c", code], "/elsewhere").contains(" /elsewhere "), "another's variable is left alone");
    // From standard input there is nothing to start again, and a Python that is not what it should be is no loop.
    let mut command = context.program(store.join("envs").join(&active).join("bin/python"));
    command.arg("-");
    let ran = run(command, code.as_bytes()).expect_code(1);
    assert!(ran.stderr.contains("what was not started from a file: run it with `omnipkg run --python 3.11`"), "{ran}");
    let mut command = context.program(store.join("envs").join(&active).join("bin/python"));
    command.args(["-c", code]).env("OMNIPKG_RELAUNCHED_FOR", "3.11");
    let ran = run(command, b"").expect_code(1);
    assert!(ran.stderr.contains("started again for Python 3.11, this is still Python 3.9"), "{ran}");
}

#[test]
fn the_context_is_followed_only_where_it_differs() {
    let Some((context, other, _)) = two_pythons() else { return };
    let text = "from omnipkg.common_utils import sync_context_to_runtime\nsync_context_to_runtime()\n";
    assert_eq!(quiet_success(with(&context, &other, text, &[])), "");
    assert_eq!(fs::read_link(context.store().join("active")).unwrap().to_str(), Some("envs/3.11"));
    // It is: no process is started.
    let program = context.store().join("bin/omnipkg");
    let real = fs::read_link(&program).unwrap();
    fs::remove_file(&program).unwrap();
    std::os::unix::fs::symlink("/bin/false", &program).unwrap();
    assert_eq!(quiet_success(with(&context, &other, text, &[])), "");
    fs::remove_file(&program).unwrap();
    std::os::unix::fs::symlink(real, &program).unwrap();
    // A Python that belongs to no environment changes nothing.
    let view = quiet_success(context.run(["mount", "--python", "3.9", "rich==13.6.0"]));
    let mut command = context.program(format!("{}/bin/python", view.trim_end()));
    command.args(["-c", text]);
    assert_eq!(quiet_success(run(command, b"")), "");
    assert_eq!(fs::read_link(context.store().join("active")).unwrap().to_str(), Some("envs/3.11"));
}

const COMMANDS: &str = r#"
import io, subprocess, sys
from omnipkg.common_utils import ProcessCorruptedException, is_interactive_session, run_command, safe_print

output = run_command([sys.executable, "-c", "import sys; print('out'); print('err', file=sys.stderr)"])
assert (output, output.stdout, output.stderr, output.returncode) == ("out\n", "out\n", "err\n", 0)
output = run_command(["omnipkg", "install", "rich==99"], check=False)
assert output == "" and output.returncode == 1 and "rich==99" in output.stderr
try:
    run_command(["omnipkg", "install", "rich==99"])
except subprocess.CalledProcessError as error:
    assert error.returncode == 1 and "there is no rich==99" in str(error), error
else:
    raise AssertionError
assert run_command("echo $((1 + 1))") == "2\n" and run_command(["cat"], input="text") == "text"
assert not is_interactive_session() and issubclass(ProcessCorruptedException, RuntimeError)
stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", newline="")
safe_print("a", "\u2714", sep="-", end="!\n", file=stream, flush=True)
assert stream.buffer.getvalue() == b"a-\\u2714!\n", stream.buffer.getvalue()
safe_print("plain")
"#;

#[test]
fn commands_are_run_and_their_failures_tell() {
    let (context, name) = one_python();
    // Without omnipkg on PATH.
    assert_eq!(quiet_success(with(&context, &name, COMMANDS, &[])), "plain\n");
}

const CORE: &str = r#"
import os, sys
from pathlib import Path
from omnipkg.core import ConfigManager, omnipkg as Core

config = ConfigManager(suppress_init_messages=True)
home, version = os.environ["OMNIPKG_HOME"], "%d.%d" % sys.version_info[:2]
prefix = os.path.join(home, "envs", version)
assert config.config == {
    "multiversion_base": os.path.join(home, "bubbles", version),
    "python_executable": os.path.join(prefix, "bin", "python"),
    "site_packages_path": os.path.join(prefix, "lib", "python" + version, "site-packages"),
}, config.config
assert os.path.isdir(config.config["multiversion_base"]) and config.get("x", 1) == 1
config.set("x", 2)
assert config.get("x") == 2
try:
    config.set("python_executable", "/bin/false")
except RuntimeError as error:
    assert "omnipkg swap" in str(error)
else:
    raise AssertionError
assert config.list_available_pythons() == {version: Path(prefix, "bin", "python")}
assert config.get_interpreter_for_version(version) == Path(prefix, "bin", "python")
assert config.get_interpreter_for_version("2.0") is None

core = Core(config_manager=config, minimal_mode=True)
assert core.interpreter_manager.config_manager is config
assert core.interpreter_manager.list_available_interpreters() == config.list_available_pythons()
assert core.adopt_interpreter(version) == 0 == core.switch_active_python(version)
started = sys.prefix
assert core.smart_install(["other==1.0"]) == 0
import other
assert other.__version__ == "1.0" and sys.prefix != started and started not in "".join(sys.path)
assert other.__file__.startswith(sys.prefix) and os.path.realpath(prefix) == sys.prefix
assert core.smart_install("other") == 0, "a satisfied one is fine too"
assert core.smart_install(["no-such-project"]) == 1 and core.smart_uninstall(["other"], force=True) == 0
assert not os.path.exists(os.path.join(config.config["site_packages_path"], "other"))
assert core.revert_to_last_known_good(force=True) == 0
assert os.path.exists(os.path.join(config.config["site_packages_path"], "other"))
assert core.get_available_versions("rich") == ["13.7.1"] and core.get_available_versions("unknown") == []
assert core.switch_active_python("2.0") == 1
print("done")
"#;

#[test]
fn the_core_steers_the_environment_of_its_python() {
    let (context, name) = one_python();
    publish(&context, &[("other", "1.0")]);
    let ran = with(&context, &name, CORE, &[]).success();
    assert_eq!(ran.stdout, "done\n", "{ran}");
    let errors = ran.stderr.lines().filter(|line| line.starts_with("omnipkg: error: ")).count();
    assert_eq!(errors, 2, "what went wrong is told once\n{ran}");
}

#[test]
fn only_the_process_that_installs_goes_on_in_the_new_generation() {
    let (context, name) = one_python();
    publish(&context, &[("other", "1.0")]);
    let text = r#"
import importlib, subprocess, sys
from omnipkg.core import omnipkg
subprocess.run([sys.executable, "-m", "omnipkg.cli", "install", "other"], check=True)
try:
    import other
except ImportError:
    print("as it was")
print(subprocess.check_output([sys.executable, "-c", "import other; print(other.__version__)"]).decode().strip())
assert omnipkg().smart_install("other") == 0
print(importlib.import_module("other").__version__)
"#;
    assert_eq!(quiet_success(with(&context, &name, text, &[])), "as it was\n1.0\n1.0\n");
    // A process of `omnipkg run` is in a view of the environment, not started as the environment.
    install(&context, &["rich==13.4.2"]);
    publish(&context, &[("third", "1.0")]);
    let text = "from omnipkg.core import omnipkg\nassert omnipkg().smart_install('third') == 0\nimport third\nprint('there')\n";
    context.script("s.py", text);
    assert_eq!(quiet_success(context.run(["run", "s.py"])), "there\n");
}

#[test]
fn a_python_outside_of_any_environment_is_told_the_next_step() {
    let (context, name) = one_python();
    let site = fs::canonicalize(context.store().join("envs").join(&name)).unwrap();
    let site = site.join("lib").join(format!("python{name}")).join("site-packages");
    let plain = |code: &str| {
        let mut command = context.program(&context.interpreter().executable);
        command.args(["-c", code]).env("PYTHONPATH", &site);
        run(command, b"").expect_code(1).stderr
    };
    assert!(plain("from omnipkg.core import ConfigManager; ConfigManager()").contains("`omnipkg info python` prints"));
    let said = plain("from omnipkg.worker import Worker; Worker('rich')");
    assert!(said.contains("the omnipkg program is not to be found") && said.contains("OMNIPKG_BINARY"), "{said}");
}
