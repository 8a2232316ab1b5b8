# Compiles Python sources to bytecode that any view can share. Runs on CPython 3.6+ and PyPy 3.
# Started as: python -I -S -B -W ignore -c <this>, with one object path a line on standard input.
# For each line: a big-endian u32 and that many bytes of .pyc; a length of 0 means that it does not compile.
# On standard output, in the order of the input.
import importlib._bootstrap_external as external, importlib.util, struct, sys

# The times that every file of a view has: 3.6 has no hash-based pycs (PEP 552) and compares them.
MODIFIED = 315532800


def pyc(source):
    code = compile(source, "<omnipkg>", "exec", dont_inherit=True, optimize=0)
    if hasattr(external, "_code_to_hash_pyc"):
        return external._code_to_hash_pyc(code, importlib.util.source_hash(source), checked=False)
    return external._code_to_bytecode(code, MODIFIED, len(source))


output = sys.stdout.buffer
for line in sys.stdin.buffer:
    try:
        with open(line.rstrip(b"\n"), "rb") as file:
            data = bytes(pyc(file.read()))
    except (SyntaxError, ValueError, OSError, RecursionError, MemoryError, OverflowError):
        data = b""
    output.write(struct.pack(">I", len(data)) + data)
output.flush()
