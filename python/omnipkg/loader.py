"""`omnipkgLoader`: another version of a package for the time of a `with` block, in the running program.

    with omnipkgLoader("rich==13.4.2"):
        import rich  # 13.4.2
    import rich  # what the environment has

Entering finds the view that answers (``_activation.py``: remembered, or asked of the omnipkg program), and lays it over the
process (``_layers.py``); leaving undoes that exactly. A name that is bound already keeps what it is bound to: import inside
of the block. `sys.path` and `sys.modules` belong to the whole process, so other threads see what one of them activates;
two threads that contradict each other are refused, and a worker (``omnipkg.worker``) has a process of its own.
"""

import sys
from time import perf_counter

from omnipkg import _activation, _layers
from omnipkg._errors import OmnipkgError, ProcessCorruptedException
from omnipkg._loader_errors import CompiledPackageError, NotAvailableError, OutsideViewError, ThreadConflictError
from omnipkg._specification import requirements

__all__ = [
    "omnipkgLoader", "OmnipkgError", "CompiledPackageError", "NotAvailableError", "OutsideViewError",
    "ProcessCorruptedException", "ThreadConflictError",
]


class omnipkgLoader(object):
    """A context manager. `package_spec`: "rich==13.4.2", several such strings, or {"rich": "13.4.2"}.

    `isolation_mode` "overlay" leaves the environment's other packages visible, "strict" nothing but the standard library
    and what is asked for, with its dependencies. `enable_profiling` writes a line with the times to stderr on leaving. The
    other arguments are those of the first omnipkg; they are accepted and have no effect.
    """

    def __init__(
            self, package_spec=None, config=None, quiet=False, force_activation=False, use_worker_pool=True,
            enable_profiling=False, worker_fallback=True, cache_client=None, redis_key_prefix=None,
            isolation_mode="overlay", **ignored):
        self.requirements = requirements(package_spec)
        self.isolation_mode = isolation_mode or "overlay"
        if self.isolation_mode not in _activation.ISOLATIONS:
            raise ValueError('isolation_mode is "overlay" or "strict", not %r' % (isolation_mode,))
        self._profiling = enable_profiling
        self._layers = []  # (layer, thread) of each time that this loader was entered and not left
        self.activation_time_ms = None
        self.deactivation_time_ms = None

    def __enter__(self):
        started = perf_counter()
        activation = _activation.find(self.requirements, self.isolation_mode)
        self._layers.append(_layers.enter(activation))
        self.activation_time_ms = (perf_counter() - started) * 1000
        return self

    def __exit__(self, kind, value, traceback):
        started = perf_counter()
        _layers.leave(self._layers.pop())
        self.deactivation_time_ms = (perf_counter() - started) * 1000
        if self._profiling and sys.stderr is not None:
            sys.stderr.write("omnipkg: %s: entered in %.3f ms, left in %.3f ms\n" % (
                ", ".join(self.requirements), self.activation_time_ms, self.deactivation_time_ms))
        return False

    def get_performance_stats(self):
        """Milliseconds of the last entering and the last leaving; None where that has not happened yet."""
        return {
            "package_spec": ", ".join(self.requirements),
            "activation_time_ms": self.activation_time_ms,
            "deactivation_time_ms": self.deactivation_time_ms,
        }
