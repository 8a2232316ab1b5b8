# Compiles Python sources to bytecode that any view can share. Runs on CPython 3.6+ and PyPy 3.
# Started as: python -I -S -B -W ignore -c <this> <niceness> <seconds>.
# On standard input, for each source: a big-endian u32 and that many bytes. On standard output, for each, at once:
# a big-endian u32 and that many bytes of .pyc; 0 says that it never compiles, 0xFFFFFFFF that it did not this time.
# It ends with its input, or when one source takes longer than it may: then nobody may be there to wait for it.
import gc, importlib._bootstrap_external as external, importlib.util, os, signal, struct, sys

# The times that every file of a view has: 3.6 has no hash-based pycs (PEP 552) and compares them.
MODIFIED = 315532800


def pyc(source):
    code = compile(source, "<omnipkg>", "exec", dont_inherit=True, optimize=0)
    if hasattr(external, "_code_to_hash_pyc"):
        return external._code_to_hash_pyc(code, importlib.util.source_hash(source), checked=False)
    return external._code_to_bytecode(code, MODIFIED, len(source))


def answer(source):
    try:
        data = bytes(pyc(source))
    except (SyntaxError, ValueError, RecursionError, OverflowError):
        return struct.pack(">I", 0)
    except MemoryError:
        return struct.pack(">I", 0xFFFFFFFF)
    return struct.pack(">I", len(data)) + data


niceness, seconds = int(sys.argv[1]), int(sys.argv[2])
if niceness:
    os.nice(niceness)
    try:
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    except (AttributeError, OSError):
        pass
try:
    import resource
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a source that crashes the compiler leaves nothing behind
except (ImportError, ValueError, OSError):
    pass
gc.disable()
signal.signal(signal.SIGALRM, signal.SIG_DFL)
source, sink = sys.stdin.buffer, sys.stdout.buffer
while True:
    head = source.read(4)
    if len(head) < 4:
        break
    text = source.read(struct.unpack(">I", head)[0])
    signal.alarm(seconds)
    data = answer(text)
    signal.alarm(0)
    sink.write(data)
    sink.flush()
