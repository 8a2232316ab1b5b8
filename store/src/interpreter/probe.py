# Prints what omnipkg must know of this interpreter, as one JSON line. Runs on CPython 2.7 and 3.6+, and PyPy.
# Started as: python -E -s -S -B -c <this>, so nothing of the user's environment is read.
import glob, json, os, platform, struct, sys, sysconfig

info = sys.version_info
implementation = getattr(sys, "implementation", None)
name = implementation.name if implementation else platform.python_implementation().lower()


def full_version(version):
    text = "%d.%d.%d" % tuple(version[:3])
    return text if version[3] == "final" else text + version[3][0] + str(version[4])


def libc():
    try:
        kind, version = os.confstr("CS_GNU_LIBC_VERSION").split()
        if kind == "glibc":
            return ["glibc"] + [int(part) for part in version.split(".")[:2]]
    except (AttributeError, ValueError, OSError, TypeError):
        pass
    if info < (3,):
        # Python 2 does not know that name: the library is asked itself.
        try:
            import ctypes
            asked = ctypes.CDLL(None).gnu_get_libc_version
            asked.restype = ctypes.c_char_p
            return ["glibc"] + [int(part) for part in asked().split(".")[:2]]
        except (ImportError, AttributeError, ValueError, OSError):
            pass
    for loader in sorted(glob.glob("/lib/ld-musl-*.so.1")):
        import subprocess
        pipe = subprocess.Popen([loader], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for line in pipe.communicate()[1].decode("ascii", "replace").splitlines():
            if line.startswith("Version "):
                return ["musl"] + [int(part) for part in line.split()[1].split(".")[:2]]
    return None


def magic():
    if info < (3, 6):
        return 0
    from importlib.util import MAGIC_NUMBER
    return struct.unpack("<H", MAGIC_NUMBER[:2])[0]


variable = sysconfig.get_config_var
abi_flags = getattr(sys, "abiflags", "")
if name == "pypy":
    library = "lib/pypy%d.%d" % info[:2] if info >= (3, 8) else None
    site_packages = library + "/site-packages" if library else "site-packages"
else:
    # Debug builds share python3.X with release builds; free-threaded ones do not.
    site_packages = "lib/python%d.%d%s/site-packages" % (info[0], info[1], "t" if "t" in abi_flags else "")
executable = getattr(sys, "_base_executable", None) or sys.executable
print(json.dumps({
    "executable": os.path.realpath(executable),
    "implementation": name,
    "version": [info[0], info[1], info[2]],
    "cache_tag": (implementation.cache_tag if implementation else None) or "",
    "magic": magic(),
    "site_packages": site_packages,
    "stdlib": sysconfig.get_path("stdlib"),
    "soabi": variable("SOABI") or "",
    "abi_flags": abi_flags,
    "unicode_wide": sys.maxunicode > 0xFFFF,
    "free_threaded": bool(variable("Py_GIL_DISABLED")),
    "debug": hasattr(sys, "gettotalrefcount"),
    "pypy_version": list(getattr(sys, "pypy_version_info", ())[:2]),
    "platform": sysconfig.get_platform(),
    "pointer_bits": struct.calcsize("P") * 8,
    "libc": libc(),
    "markers": {
        "implementation_name": name,
        "implementation_version": full_version(implementation.version if implementation else info),
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_full_version": full_version(info),
        "python_version": "%d.%d" % info[:2],
        "sys_platform": "linux" if sys.platform.startswith("linux") else sys.platform,
    },
}))
