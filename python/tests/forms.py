"""Scripts that fail, and the checks that the reporter must find in them. Data of test_reporter.py.

Installed are rich 13.7.1, numpy 2.0.1, opencv-python 4.8.0.76 (module cv2, which says 4.8.0) and settings-kit 1.2.3.
"""

HEAD = """\
try:
    from importlib import metadata
    from importlib.metadata import version
except ImportError:
    import importlib_metadata as metadata
    from importlib_metadata import version
import rich
"""


def check(op, value, subject="version", distribution="rich", **more):
    return dict(more, distribution=distribution, subject=subject, op=op, value=value)


EXACT = [check("==", "13.4.2")]

# name: (script after HEAD, expected checks)
FOUND = {
    "attribute": ('assert rich.__version__ == "13.4.2"', EXACT),
    "attribute_message": ('assert rich.__version__ == "13.4.2", "wrong " + rich.__version__', EXACT),
    "metadata_call": ('assert metadata.version("rich") == "13.4.2"', EXACT),
    "imported_call": ('assert version("rich") == "13.4.2", "ven\\u010d"', EXACT),
    "local_import": (
        "def main():\n    import rich as r\n    assert r.__version__ == '13.4.2'\nmain()\n", EXACT),
    "bound_earlier": ('v = version("rich")\nprint()\nassert v == "13.4.2"', [check("==", "13.4.2", how="binding")]),
    "bound_twice": ('a = rich.__version__\nb = a\nWANT = "13.4.2"\nassert b == WANT', EXACT),
    "reversed_sides": ('assert "13.4.2" == rich.__version__', EXACT),
    "not_equal_raise": ('if rich.__version__ != "13.4.2":\n    raise RuntimeError("no")', EXACT),
    "one_line": ('if rich.__version__ != "13.4.2": raise RuntimeError("no")', EXACT),
    "not_operator": ('if not (rich.__version__ == "13.4.2"):\n    raise RuntimeError("no")', EXACT),
    "else_branch": ('if rich.__version__ == "13.4.2":\n    pass\nelse:\n    raise RuntimeError("no")', EXACT),
    "elif_chain": (
        'if rich.__version__ == "13.4.1":\n    pass\nelif rich.__version__ == "13.4.2":\n    pass\nelse:\n'
        '    raise RuntimeError("no")', EXACT),
    "guard": (
        'def check():\n    if rich.__version__ == "13.4.2":\n        return\n    raise RuntimeError("no")\ncheck()', EXACT),
    "strict_flag": ('strict = True\nif rich.__version__ != "13.4.2":\n    if strict:\n        raise RuntimeError("no")', EXACT),
    "translated": (
        'def _(text):\n    return {"Wrong version": "Falsche Fassung"}[text]\n'
        'if version("rich") != "13.4.2":\n    raise RuntimeError(_("Wrong version"))', EXACT),
    "helper_raises": (
        'def fail(text):\n    message = text.upper()\n    raise SystemError(message)\n'
        'if rich.__version__ != "13.4.2":\n    fail("no")', EXACT),
    "or_fail": ('def fail():\n    raise SystemError()\nrich.__version__ == "13.4.2" or fail()', EXACT),
    "helper_compares": (
        'def require(have, want):\n    assert have == want, "no"\nrequire(rich.__version__, "13.4.2")', EXACT),
    "helper_keywords": (
        'def require(want, have=None):\n    if have != want:\n        raise ValueError(have)\n'
        'require("13.4.2", have=version("rich"))', EXACT),
    "helper_by_name": (
        'def require(name, want):\n    got = metadata.version(name)\n    if got != want:\n        raise ValueError(got)\n'
        'require("rich", "13.4.2")', EXACT),
    "helper_returns": ('def of(name):\n    return version(name)\nassert of("rich") == "13.4.2"', EXACT),
    "predicate": ('def right():\n    return rich.__version__ == "13.4.2"\nassert right()', EXACT),
    "boolean_name": ('ok = rich.__version__ == "13.4.2"\nassert ok, "no"', EXACT),
    "loop_over_pins": (
        'for name, want in {"rich": "13.4.2"}.items():\n    assert version(name) == want, name', EXACT),
    "dict_item": ('have = {"rich": rich.__version__}\nwant = {"rich": "13.4.2"}\nassert have["rich"] == want["rich"]', EXACT),
    "method_attribute": (
        'class Check(object):\n    def __init__(self):\n        self.have = rich.__version__\n'
        '    def run(self):\n        assert self.have == "13.4.2"\nCheck().run()', EXACT),
    "closure": (
        'def outer():\n    have = rich.__version__\n    def inner():\n        assert have == "13.4.2"\n    inner()\nouter()', EXACT),
    "default_argument": ('def check(have=rich.__version__):\n    assert have == "13.4.2"\ncheck()', EXACT),
    "imported_name": ('from rich import __version__ as have\nassert have == "13.4.2"', EXACT),
    "import_module": ('import importlib\nassert importlib.import_module("rich").__version__ == "13.4.2"', EXACT),
    "getattr": ('assert getattr(rich, "__version__", None) == "13.4.2"', EXACT),
    "formatted_constant": ('M = 13\nassert rich.__version__ == f"{M}.4.2"', EXACT),
    "multi_line": ('assert (\n    rich.__version__\n    ==\n    "13.4.2"\n), (\n    "no"\n)', EXACT),
    "chained_exception": (
        'try:\n    assert rich.__version__ == "13.4.2"\nexcept AssertionError as error:\n'
        '    raise RuntimeError("no") from error', EXACT),
    "raised_in_handler": (
        'try:\n    assert rich.__version__ == "13.4.2"\nexcept AssertionError:\n    raise RuntimeError("no")', EXACT),
    "conditional_expression": ('v = rich.__version__ if rich else "0"\nassert v == "13.4.2"', EXACT),
    "while_loop": ('while rich.__version__ != "13.4.2":\n    raise RuntimeError()', EXACT),
    "greater": ('assert rich.__version__ >= "14.0.0"', [check(">=", "14.0.0")]),
    "less": ('if rich.__version__ >= "13.5":\n    raise ImportError("too new")', [check("<", "13.5")]),
    "not_this_one": ('assert rich.__version__ != "13.7.1"', [check("!=", "13.7.1")]),
    "chained_comparison": ('assert "13.0" <= rich.__version__ < "13.5"', [check("<", "13.5")]),
    "member": ('assert rich.__version__ in ("13.4.1", "13.4.2")', [check("in", ["13.4.1", "13.4.2"])]),
    "not_member": ('if rich.__version__ in ["13.7.1"]:\n    raise ValueError()', [check("not in", ["13.7.1"])]),
    "starts_with": ('assert rich.__version__.startswith("13.4.")', [check("==", "13.4.", "starts_with")]),
    "starts_with_not": (
        'if not rich.__version__.startswith("12"):\n    raise ValueError()', [check("==", "12", "starts_with")]),
    "characters": ('assert rich.__version__[:4] == "13.4"', [check("==", "13.4", "starts_with")]),
    "characters_as_number": ('assert float(rich.__version__[:4]) < 13.5', [check("<", "13.5", "prefix", length=2)]),
    "contained": ('assert "13.4." in rich.__version__', [check("==", "13.4.", "starts_with")]),
    "split_tuple": (
        'assert tuple(map(int, rich.__version__.split("."))) < (13, 5)', [check("<", [13, 5], "prefix", length=None)]),
    "split_generator": (
        'assert tuple(int(p) for p in rich.__version__.split(".")[:2]) == (13, 4)', [check("==", [13, 4], "prefix", length=2)]),
    "split_slice": ('assert rich.__version__.split(".")[:2] == ["13", "4"]', [check("==", ["13", "4"], "prefix", length=2)]),
    "joined": ('assert ".".join(rich.__version__.split(".")[:2]) == "13.4"', [check("==", "13.4", "prefix", length=2)]),
    "component": ('assert int(rich.__version__.split(".")[0]) < 13', [check("<", 13, "component", index=0)]),
    "component_text": ('assert rich.__version__.split(".")[1] == "4"', [check("==", "4", "component", index=1)]),
    "unpacked": (
        'major, minor = [int(p) for p in rich.__version__.split(".")][:2]\nassert (major, minor) == (13, 4)',
        [check("==", [13, 4], "prefix", length=2)]),
    "unpacked_both": (
        'import numpy\nmajor, minor, patch = map(int, numpy.__version__.split("."))\nassert major == 1 and minor == 24',
        [check("==", 1, "component", "numpy", index=0), check("==", 24, "component", "numpy", index=1)]),
    "version_info": ('assert rich.__version_info__[:2] == (13, 4)', [check("==", [13, 4], "prefix", length=2)]),
    "nested_version_module": ('import rich.version\nassert rich.version.VERSION == "13.4.2"', EXACT),
    "version_object": (
        'from packaging.version import Version\nassert Version(rich.__version__) == Version("13.4.2")', EXACT),
    "version_object_earlier": (
        'from packaging import version as V\nWANT = V.parse("13.5")\nif V.parse(version("rich")) >= WANT:\n'
        '    raise RuntimeError()', [check("<", "13.5")]),
    "version_major": (
        'from packaging.version import Version\nassert Version(rich.__version__).major == 12',
        [check("==", 12, "component", index=0)]),
    "version_release": (
        'from packaging.version import Version\nassert Version(rich.__version__).release[:2] <= (13, 4)',
        [check("<=", [13, 4], "prefix", length=2)]),
    "specifier_set": (
        'from packaging.specifiers import SpecifierSet\nassert rich.__version__ in SpecifierSet(">=12,<13.5")',
        [check("satisfies", ">=12,<13.5")]),
    "two_at_once": (
        'import numpy\nassert rich.__version__ == "13.4.2" and numpy.__version__ == "1.24.3"',
        EXACT + [check("==", "1.24.3", distribution="numpy")]),
    "one_of_two": ('import numpy\nassert numpy.__version__ == "2.0.1" and rich.__version__ == "13.4.2"', EXACT),
    "either": ('if rich.__version__ != "13.4.2" or rich.__version__ == "13.4.3":\n    raise ValueError()', EXACT),
    "all_of": ('assert all([rich.__version__ == "13.4.2", True])', EXACT),
    "module_of_other_name": (
        'import cv2\nassert cv2.__version__ == "4.7.0"',
        [check("==", "4.7.0", "prefix", "opencv-python", length=3)]),
    "distribution_object": ('d = metadata.distribution("rich")\nassert d.version == "13.4.2"', EXACT),
    "metadata_item": ('assert metadata.metadata("rich")["Version"] == "13.4.2"', EXACT),
    "by_value": (
        'import json\nhave = json.loads("\\"13.7.1\\"")\nassert have == "13.4.2"', [check("==", "13.4.2", how="value")]),
    "by_value_attribute": (
        'import types\nenv = types.SimpleNamespace(rich="13.7.1".strip())\nassert env.rich == "13.4.2"',
        [check("==", "13.4.2", how="value")]),
    "version_with_dots_in_name": (
        'assert version("settings_kit") == "1.2.4"', [check("==", "1.2.4", distribution="settings-kit")]),
}

# What Python 2 has no words for: exceptions that carry their causes, newer syntax, newer classes.
NOT_OF_PYTHON_2 = ("raised_in_handler", "chained_exception", "formatted_constant", "by_value_attribute", "python_version")

# Failures that are the script's own: no version of anything would mend them.
NOT_FOUND = {
    "division": "1 / 0",
    "unrelated_assert": "assert 1 + 1 == 3",
    "unrelated_strings": 'have = "a"\nassert have == "b"',
    "constant_that_looks_installed": 'have = "13.7.1"\nassert have == "13.4.2"',
    "constant_of_a_table": 'have = {"x": "13.7.1"}\nassert have["x"] == "13.4.2"',
    "unrelated_number": "limit = 13\nassert limit < 12",
    "holds_already": 'assert rich.__version__ == "13.7.1" and 1 == 2',
    "python_version": 'import sys\nassert sys.version_info < (3, 0)',
    "platform": 'import sys\nassert sys.platform == "13.4.2"',
    "message_only": 'raise RuntimeError("rich 13.4.2 is required, 13.7.1 is installed")',
    "own_bug_under_a_version_test": 'if rich.__version__ >= "13":\n    1 / 0',
    "own_raise_under_a_version_test": (
        'x = -1\nif rich.__version__ >= "13":\n    if x < 0:\n        raise ValueError(x)'),
    "own_raise_in_a_callee": (
        'def work(x):\n    if x < 0:\n        raise ValueError(x)\nif rich.__version__ != "13.4.2":\n    work(-1)'),
    "own_version_of_the_script": '__version__ = "13.7.1"\nassert __version__ == "13.4.2"',
    "parsed_data": 'import json\nrow = json.loads("{\\"total\\": \\"3.5\\"}")\nassert row["total"] == "4.5"',
    "two_versions": 'import numpy\nassert rich.__version__ == numpy.__version__',
    "value_against_words": 'import json\nhave = json.loads("\\"13.7.1\\"")\nassert have == "latest"',
    "attribute_error": "rich.nothing",
    "assertion_inside_call": 'def f():\n    raise KeyError("x")\nassert f() == rich.__version__',
    "length": "assert len(rich.__version__) == 5",
    "in_a_handler": 'try:\n    assert rich.__version__ == "13.4.2"\nexcept AssertionError:\n    1 / 0',
}
