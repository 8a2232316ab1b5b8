"""The layers that activations put over this process's environment: one stack for the process, under one lock.

A layer changes `sys.path` and `sys.modules` when it is laid and changes them back, exactly, when it is lifted:

* `sys.path` gets the activation's folder; a strict activation takes the environment's folders out for the time;
* modules of projects that the activation has in another version are taken out of `sys.modules` and remembered, and so
  are pure modules of distributions that depend on one: they hold the other version. Lifting brings the same objects back;
* modules that were imported from the activation leave with it. So do others that were imported meanwhile and hold a part of
  it (a helper module of the script, for example). Everything else that was imported stays: it is what the environment
  would have given, and taking it out would make a second set of its classes. That goes for the standard library above all.

Layers are lifted in the reverse of the order in which they were laid. If one in the middle is left (generators, tasks and
threads interleave), those above it are lifted, and laid again with the modules that they had.

What stays as it is: `os.environ`, hooks that imported code set on purpose (`atexit`, `sys.excepthook`, codecs), loggers
(they are named, not imported), `pkg_resources.working_set`. The `.pth` files of an activation are not executed: they
are for the start of an interpreter.
"""

import os
import sys
import threading

from omnipkg import _compiled, _layer
from omnipkg._activation import KEPT
from omnipkg._loader_errors import ThreadConflictError

_stack = []  # layers that were entered and not left, in the order of entering
_laid = []  # those of them that are in place
_lock = threading.RLock()


def _after_fork():
    """In a forked child: whoever held the lock is not there, and what other threads had put in place is inherited."""
    global _lock
    _lock = threading.RLock()
    for layer in _stack:
        layer.holders = [_holder()] * len(layer.holders)


def _holder():
    """Who enters: the thread, and its task of asyncio if it is in one."""
    asyncio = sys.modules.get("asyncio")
    task = None
    if asyncio is not None:
        try:
            task = (getattr(asyncio, "current_task", None) or asyncio.Task.current_task)()
        except (RuntimeError, AttributeError):
            pass  # No loop runs here.
    return threading.get_ident(), None if task is None else id(task)


def _is_another(holder, other):
    """True if one does not wait for the other: another thread, or another task; code around a loop waits for its tasks."""
    return holder[0] != other[0] or None not in (holder[1], other[1]) and holder[1] != other[1]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def enter(activation):
    """Puts an activation in place and gives its layer, for `leave`."""
    thread = _holder()
    with _lock:
        same = _in_effect(activation)
        if same is not None:
            same.holders.append(thread)
            return same
        _refuse_conflicts(activation, thread)
        layer = _layer.Layer(activation, thread)
        target = _effective(_stack + [layer])
        _compiled.refuse_second_versions(activation, _stack)
        _stack.append(layer)
        try:
            _change_to(target)
        except BaseException:
            _stack.remove(layer)
            _change_to(_effective(_stack))
            raise
        return layer


def leave(layer):
    """Undoes one `enter`; the last one of a layer lifts it."""
    thread = _holder()
    with _lock:
        # A generator may be closed by another thread than the one that entered.
        layer.holders.remove(thread if thread in layer.holders else layer.holders[-1])
        if layer.holders:
            return
        _stack.remove(layer)
        _change_to(_effective(_stack), layer)


def _change_to(target, left=None):
    """Lifts and lays layers until exactly those of `target` are in place, in its order; `left` is not needed any more."""
    common = 0
    while common < min(len(_laid), len(target)) and _laid[common] is target[common]:
        common += 1
    while len(_laid) > common:
        _laid[-1].lift(_laid[:-1])
        del _laid[-1]
    if left is not None:
        _compiled.keep_aside(left.activation, left.modules)
        left.modules = {}
        for layer in _stack:
            layer.forget_below(left.activation.site_packages + os.sep)
    for layer in target[common:]:
        # First into the list: if laying is interrupted, it is lifted like any other.
        _laid.append(layer)
        layer.lay(_laid[:-1])
    _compiled.update_guard(_laid)


def _effective(stack):
    """Which layers of a stack are to be in place.

    An activation that asks for the environment's own version of something takes layers that replaced it out of effect
    for the time.
    """
    layers = []
    for layer in stack:
        kept = [] if layer.activation.strict else layer.activation.parts_of(KEPT)
        for part in kept:
            while layers and _compiled.identity_beneath(part.project, layers, layer.activation) != part.identity:
                decides = [each for each in layers if each.activation.strict or part.project in each.activation.parts]
                layers.remove(decides[-1])
        layers.append(layer)
    return layers


def _in_effect(activation):
    """The layer that has just this activation in place, with nothing above it that changes what it shows."""
    for layer in reversed(_laid):
        if layer.activation.key == activation.key:
            return layer
        if _clash(layer.activation, activation) is not None:
            return None
    return None


def _refuse_conflicts(activation, thread):
    for layer in reversed(_stack):
        others = [holder for holder in layer.holders if _is_another(holder, thread)]
        if others:
            what = _clash(layer.activation, activation)
            if what is not None:
                raise ThreadConflictError(what, activation.requirements, _name_of(thread), _name_of(others[-1]))


def _clash(there, new):
    """What stands against having both activations in place at once: a text, or None."""
    if (there.strict or new.strict) and there.key != new.key:
        return "%s %s active with the environment %s" % (
            ", ".join(there.requirements), "is" if len(there.requirements) == 1 else "are",
            "taken out" if there.strict else "beneath")
    for project, part in there.parts.items():
        other = new.parts.get(project)
        if other is not None and other.identity != part.identity and not (part.is_dependent and other.is_dependent):
            return "%s %s is active" % (project, part.version)
    return None


def _name_of(holder):
    names = ["thread %s" % thread.name for thread in threading.enumerate() if thread.ident == holder[0]]
    name = names[0] if names else "thread %d" % holder[0]
    return name if holder[1] is None else "a task in " + name
