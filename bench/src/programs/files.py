"""One kind of file operation over a tree, timed: `files.py KIND ROOT`; the first line says how many seconds it took.

Both sides run this with the same Python. What it works on follows from the tree alone, so that two trees with the same
files give the same work; what that was is found before the clock starts, but for `cold-…`, which looks at nothing first.
"""

import mmap
import os
import sys
import time

SMALL = 4096


def tree(root, names=7000):
    files, folders = [], []
    for folder, inside, here in os.walk(root):
        inside[:] = sorted(name for name in inside if name != "__pycache__")
        folders.append((len(here), folder))
        files.extend(os.path.join(folder, name) for name in sorted(here) if not name.startswith("_omnipkg"))
        if len(files) >= names:
            break
    return files[:names], folders


def stat(root):
    files, _ = tree(root)
    return lambda: [os.stat(path) for path in files]


def missing(root):
    files, _ = tree(root)
    names = [path + ".missing" for path in files]
    for name in names:
        os.path.exists(name)
    return lambda: [os.path.exists(name) for name in names]


def read_small(root):
    files, _ = tree(root)
    files = [path for path in files if os.path.getsize(path) >= SMALL][:500]

    def run():
        for path in files * 4:
            descriptor = os.open(path, os.O_RDONLY)
            os.read(descriptor, SMALL)
            os.close(descriptor)

    run()
    return run


def listing(root):
    _, folders = tree(root)
    chosen, names = [], 0
    for count, folder in sorted(folders, reverse=True):
        chosen.append(folder)
        names += count
        if names >= 1000:
            break

    def run():
        for _ in range(20):
            for folder in chosen:
                os.listdir(folder)

    run()
    return run


def walk(root):
    def run():
        seen = 0
        for folder, inside, here in os.walk(root):
            inside[:] = [name for name in inside if name != "__pycache__"]
            for name in here:
                os.lstat(os.path.join(folder, name))
            seen += len(here)
            if seen >= 7000:
                break

    run()
    return run


def largest(root):
    files, _ = tree(root)
    return max(files, key=os.path.getsize)


def sequential(root):
    path = largest(root)

    def run():
        for _ in range(4):
            with open(path, "rb", buffering=0) as file:
                while file.read(1 << 20):
                    pass

    run()
    return run


def touch(root):
    path = largest(root)

    def run():
        for _ in range(4):
            with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as pages:
                for place in range(0, len(pages), mmap.PAGESIZE):
                    pages[place]

    run()
    return run


def cold_walk(root):
    def run():
        for folder, inside, here in os.walk(root):
            inside[:] = [name for name in inside if name != "__pycache__"]
            for name in here:
                os.lstat(os.path.join(folder, name))

    return run


KINDS = {
    "stat": stat,
    "missing": missing,
    "open": read_small,
    "list": listing,
    "walk": walk,
    "read": sequential,
    "mmap": touch,
    "cold": cold_walk,
}

work = KINDS[sys.argv[1]](sys.argv[2])
started = time.perf_counter()
work()
print(time.perf_counter() - started)
