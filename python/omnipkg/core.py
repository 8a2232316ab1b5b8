"""The objects by which scripts of the first omnipkg steer it: `ConfigManager` and `omnipkg`.

Everything is done by the omnipkg program, for the environment that this Python belongs to. Methods that change something
return 0, or the program's exit code; what went wrong is on stderr.
"""

import os
import sys

from omnipkg import _generation, _program
from omnipkg._errors import CommandError, OmnipkgError

# What follows from the environment and is not a choice.
FIXED = ("multiversion_base", "python_executable", "site_packages_path")


class ConfigManager(object):
    """What is known of this Python's environment, in the dict ``config``.

    ``multiversion_base`` is the folder of what is installed beside the active versions (`<name>-<version>`),
    ``python_executable`` the environment's Python, ``site_packages_path`` where its packages are now.
    """

    def __init__(self, suppress_init_messages=False, *_args, **_named):
        store = _program.home()
        if store is None:
            raise OmnipkgError(
                "%s belongs to no environment of omnipkg: run the script with `omnipkg run`, or with a Python that "
                "`omnipkg info python` prints" % (sys.executable or "this Python"))
        version = "%d.%d" % sys.version_info[:2]
        name = _program.environment()
        prefix = os.path.join(store, "envs", name) if name else _program.view()
        base = os.path.join(store, "bubbles", name or version)
        os.makedirs(base, exist_ok=True)
        self.config = {
            "multiversion_base": base,
            "python_executable": os.path.join(prefix, "bin", "python"),
            "site_packages_path": os.path.join(prefix, "lib", "python" + version, "site-packages"),
        }

    def get(self, key, default=None):
        """A value of ``config``."""
        return self.config.get(key, default)

    def set(self, key, value):
        """Sets a value for as long as this object lives; those that follow from the environment cannot be set."""
        if key in FIXED:
            raise OmnipkgError("%s follows from the environment and cannot be set: `omnipkg swap` chooses another" % key)
        self.config[key] = value

    def list_available_pythons(self):
        """{"3.11": path of the Python of that version's environment}, of the interpreters in use."""
        from pathlib import Path

        found = {}
        for each in _program.call(["info", "python"])["pythons"]:
            # Of several environments the version's own one counts, whose name is the version.
            if each["short"] not in found or each["environment"] == each["short"]:
                found[each["short"]] = Path(each["python"])
        return found

    def get_interpreter_for_version(self, version):
        """The Python of a version's environment, or None; none is taken into use for the question."""
        return self.list_available_pythons().get(".".join(str(version).split(".")[:2]))


class InterpreterManager(object):
    """The interpreters in use."""

    def __init__(self, config_manager):
        self.config_manager = config_manager

    def list_available_interpreters(self):
        """As `ConfigManager.list_available_pythons`."""
        return self.config_manager.list_available_pythons()


class omnipkg(object):
    """The tool, for the environment that this Python belongs to."""

    def __init__(self, config_manager=None, minimal_mode=False, *_args, **_named):
        self.config_manager = ConfigManager() if config_manager is None else config_manager
        self.config = self.config_manager.config
        self.interpreter_manager = InterpreterManager(self.config_manager)
        self._chosen = []  # the Python that this object was switched to, as options of the program

    def adopt_interpreter(self, version):
        """Takes an interpreter of the machine into use."""
        return _code(["python", "adopt", str(version)])

    def switch_active_python(self, version):
        """Makes a Python's environment the active one, and the one that this object changes from here on.

        This process stays in its own.
        """
        code = _code(["swap", "python", str(version)])
        if code == 0:
            self._chosen = ["--python", str(version)]
        return code

    def smart_install(self, packages, *_args, **_named):
        """Installs requirements into this Python's environment, and this process can import them afterwards; after
        `switch_active_python`, into that Python's."""
        return _changed(["install"] + self._chosen + ["--"] + _words(packages))

    def smart_uninstall(self, packages, *_args, **_named):
        """Takes projects out of the environment that `smart_install` would install into."""
        return _changed(["uninstall", "--yes"] + self._chosen + ["--"] + _words(packages))

    def revert_to_last_known_good(self, *_args, **_named):
        """Goes back to the generation before, of the environment that `smart_install` would install into."""
        return _changed(["revert"] + self._chosen)

    def get_available_versions(self, package):
        """The versions of a project that the store holds, the oldest first."""
        try:
            return [each["version"] for each in _program.call(["info", "--", str(package)])["held"]]
        except CommandError:
            return []


def _words(packages):
    words = [packages] if isinstance(packages, str) else [str(each) for each in packages]
    if not words:
        raise ValueError('no package is named: write for example ["rich==13.7.1"]')
    return words


def _code(arguments):
    try:
        _program.call(arguments, shown=True)
    except CommandError as error:
        return _told(error)
    return 0


def _told(error):
    """The program has told what went wrong itself, unless it could not be started."""
    if error.code in (126, 127) and sys.stderr is not None:
        sys.stderr.write("omnipkg: error: %s\n" % error)
    return 128 - error.code if error.code < 0 else error.code or 1


def _changed(arguments):
    """A command that may make a new generation of this Python's environment."""
    before = _generation.names()
    try:
        answer = _program.call(arguments, shown=True)
    except CommandError as error:
        return _told(error)
    if answer.get("environment") in before:
        _generation.follow(answer["environment"])
    return 0
