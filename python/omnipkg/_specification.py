"""What a user may write where packages are asked for, as a list of requirements (PEP 508) in one canonical form.

The form must stay stable: remembered activations are found by a digest of it (``_activation.py``).
"""

_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
_OPERATORS = ("===", "==", "~=", "!=", "<=", ">=", "<", ">")


def requirements(specification):
    """Sorted requirements: of ``"rich==13.4.2"``, of several such strings, or of ``{"rich": "13.4.2"}``."""
    if isinstance(specification, str):
        texts = [_canonical(specification)]
    elif isinstance(specification, dict):
        texts = [_pinned(name, version) for name, version in specification.items()]
    elif isinstance(specification, (list, tuple, set, frozenset)):
        texts = [_canonical(text) for text in specification]
    else:
        raise TypeError(
            'packages are asked for as "rich==13.4.2", as a list of such strings or as {"rich": "13.4.2"}, not as %s'
            % (type(specification).__name__,))
    if not texts:
        raise ValueError('no package is asked for: write for example "rich==13.4.2"')
    return sorted(set(texts))


def _pinned(name, version):
    if not isinstance(name, str):
        raise TypeError("the name of a package is a string, not %r" % (name,))
    if version is None:
        return _canonical(name)
    if not isinstance(version, str):
        raise TypeError('the version of %s is a string such as "1.0", not %r' % (name, version))
    version = version.strip()
    if version in ("", "*"):
        return _canonical(name)
    return _canonical(name + (version if version.startswith(_OPERATORS) else "==" + version))


def _canonical(text):
    if not isinstance(text, str):
        raise TypeError("a package is asked for with a string, not %r" % (text,))
    name, rest = _split_name(text)
    normal = "-".join(part for part in name.lower().replace("_", "-").replace(".", "-").split("-") if part)
    extras, rest = _split_extras(rest, text)
    rest, semicolon, marker = rest.partition(";")
    rest = rest.strip()
    if rest.startswith("@"):
        # A URL may hold a semicolon only as `%3B` when a marker follows, so the text is left as it was written.
        versions = " @ " + rest[1:].strip()
    else:
        if rest.startswith("(") and rest.endswith(")"):
            rest = rest[1:-1]
        parts = ["".join(part.split()) for part in rest.split(",")]
        if rest and not all(part.startswith(_OPERATORS) for part in parts):
            raise _not_a_requirement(text)
        versions = ",".join(sorted(parts))
    marker = " ; " + " ".join(marker.split()) if semicolon and marker.strip() else ""
    return normal + extras + versions + marker


def _split_name(text):
    stripped = text.strip()
    end = 0
    while end < len(stripped) and stripped[end] in _NAME:
        end += 1
    name = stripped[:end]
    if not name or not name[0].isalnum() or not name[-1].isalnum():
        raise _not_a_requirement(text)
    return name, stripped[end:].lstrip()


def _split_extras(rest, text):
    if not rest.startswith("["):
        return "", rest
    inside, bracket, rest = rest[1:].partition("]")
    extras = sorted(part.strip().lower().replace("_", "-") for part in inside.split(","))
    if not bracket:
        raise _not_a_requirement(text)
    return "[%s]" % ",".join(extras) if extras != [""] else "", rest.lstrip()


def _not_a_requirement(text):
    return ValueError("%r asks for no package: write it as NAME, NAME==VERSION or NAME>=VERSION (PEP 508)" % (text,))
