"""Runs the corpus of failing scripts under `omnipkg run`, and tells what was healed and what was not.

    python3 tests/corpus/run.py --omnipkg target/release/omnipkg [--only api/numpy] [--store DIR] [--record]

Each script says in comments at its top where it fails and how it is mended:

    # python: 3.11            the Python of its environment; 3.11 if it says nothing
    # context: numpy==1.26.4  what is installed there; nothing if it says nothing
    # heals: numpy <1.24      the remedies in their order, "; " between them: "add NAME" brings what was not there
    # predicted: only         no failure tells of it, only its text

Without `heals` the failure is its own: omnipkg must run it once and leave its output, byte for byte, as Python's (in
`traps`, whose modules nobody certainly provides, lines of omnipkg's own may follow; in `told`, which lack what is no
distribution, they must). `heals: nothing` passes at once, without a word. What is healed must pass, pass again from the
start, and say nothing then. Nothing may be fetched for a script that is not healed. With `--no-predict` each remedy has a
line of its own, in the order of the failures; without, what is foreseen is said together. It needs a package index, so
it is no part of the test suite; `--record` writes beside each script the report of its first failure, which the suite
diagnoses (`healer/tests/corpus.rs`).
"""

import argparse
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
TALK = "omnipkg: "


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--omnipkg", required=True, type=Path, help="the program")
    parser.add_argument("--only", default="", help="scripts whose name begins with this")
    parser.add_argument("--store", type=Path, help="a store that is kept for the next time")
    parser.add_argument("--no-predict", action="store_true", help="let every script fail first")
    parser.add_argument("--record", action="store_true", help="write the reports of the first failures")
    arguments = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix="omnipkg-corpus-")).resolve()
    corpus = Corpus(arguments.omnipkg.resolve(), arguments.store or scratch / "store", scratch, arguments.no_predict)
    failed = []
    try:
        scripts = sorted(each for each in HERE.glob("*/*.py") if str(each.relative_to(HERE)).startswith(arguments.only))
        for script in scripts:
            case = Case(script)
            began = time.perf_counter()
            problems = corpus.check(case) if not arguments.record else corpus.record(case)
            took = time.perf_counter() - began
            print("%-40s %5.1f s  %s" % (case.name, took, "; ".join(problems) or "ok"), flush=True)
            failed += [case.name] if problems else []
        print("%d scripts, %d not as they should be" % (len(scripts), len(failed)))
    finally:
        corpus.omnipkg("server", "stop")
        shutil.rmtree(scratch, ignore_errors=True)
    return 1 if failed else 0


class Case:
    """A script, and what its first lines say of it."""

    def __init__(self, path):
        self.path = path
        self.name = str(path.relative_to(HERE))
        said = dict(re.findall(r"^# (python|context|heals|predicted): (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE))
        self.python = said.get("python", "3.11")
        self.context = said.get("context", "").split()
        self.heals = [each.strip() for each in said.get("heals", "").split(";") if each.strip() not in ("", "own")]
        self.is_predicted = "predicted" in said
        self.passes = self.heals == ["nothing"]
        self.ends_itself = path.parent.name == "processes"
        self.is_told = path.parent.name == "told"
        self.is_trap = path.parent.name == "traps" or self.is_told


class Corpus:
    def __init__(self, program, store, scratch, no_predict):
        self.program, self.store, self.scratch, self.no_predict = program, store, scratch, no_predict
        self.run = ["run", "--no-predict"] if no_predict else ["run"]
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "OMNIPKG"))}
        self.environment["OMNIPKG_HOME"] = str(store)
        self.names = {}
        # What was healed before would be healed from the start, and an environment keeps the reporter that it was made with.
        for name in ("runs", "envs", "generations") if (store / "version").exists() else ():
            shutil.rmtree(store / name)
            (store / name).mkdir(mode=0o700)

    def omnipkg(self, *words, cwd=None):
        return subprocess.run(
            [str(self.program), *map(str, words)], env=self.environment, cwd=cwd or self.scratch,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def place(self, case):
        """The name of the environment that a script fails in."""
        key = (case.python, *case.context)
        if key not in self.names:
            name = "c" + re.sub(r"[^a-z0-9]+", "-", "-".join(key).lower())
            known = json.loads(self.omnipkg("--json", "env", "list").stdout or b"{}")
            if not any(each.get("name") == name for each in known.get("environments", [])):
                done = self.omnipkg("env", "create", name, "--python", case.python)
                if done.returncode == 0 and case.context:
                    done = self.omnipkg("install", "--env", name, *case.context)
                if done.returncode:
                    raise SystemExit("%s: %s" % (case.name, done.stderr.decode()))
            self.names[key] = name
        return self.names[key]

    def check(self, case):
        if case.is_predicted and self.no_predict:
            return []
        name = self.place(case)
        folder = self.scratch / "work"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        shutil.copy(case.path, folder / case.path.name)
        wheels = self.wheels()
        first = self.omnipkg(*self.run, "--env", name, case.path.name, cwd=folder)
        talk = [line for line in first.stderr.decode(errors="replace").splitlines() if line.startswith(TALK)]
        if case.passes:
            if (first.returncode, talk) == (0, []):
                return []
            return ["exit code %d: %r" % (first.returncode, first.stderr.decode(errors="replace")[-400:])]
        if case.heals:
            second = self.omnipkg(*self.run, "--env", name, case.path.name, cwd=folder)
            return self.healed(case, first, talk, second)
        problems = ["fetched something"] if self.wheels() != wheels else []
        plain = subprocess.run(
            [str(self.store / "envs" / name / "bin/python"), case.path.name], env=self.environment, cwd=folder,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        hidden = lambda data: re.sub(rb"0x[0-9a-f]{6,}", b"0x", data)
        err = first.stderr
        if case.is_told and not talk:
            problems.append("nothing is told")
        if case.is_trap:
            err = b"".join(l for l in err.splitlines(True) if not l.startswith((b"omnipkg: ", b"  hint", b"hint")))
        if first.returncode == 0:
            problems.append("it does not fail")
        code = plain.returncode if plain.returncode >= 0 else 128 - plain.returncode
        if (first.returncode, first.stdout, hidden(err)) != (code, plain.stdout, hidden(plain.stderr)):
            problems.append("not as Python has it: %r" % first.stderr.decode(errors="replace")[-300:])
        return problems

    def healed(self, case, first, talk, second):
        problems = []
        if first.returncode:
            tail = first.stderr.decode(errors="replace").strip()[-400:]
            return ["exit code %d: %r" % (first.returncode, tail)]
        if len(talk) != len(case.heals) if self.no_predict else not 0 < len(talk) <= len(case.heals) + 1:
            problems.append("%d remedies and not %d: %s" % (len(talk), len(case.heals), talk))
        if not self.no_predict:
            talk = [" ".join(talk)] * len(case.heals)
        for said, remedy in zip(talk, case.heals):
            project = re.split(r"[ \[<>=]", remedy.removeprefix("add "))[0]
            if "running with" not in said or project.lower() not in said.lower():
                problems.append("%r does not speak of %s" % (said, project))
        # Python may have something to say of an old script too (a deprecation): omnipkg has not. What a program printed
        # before it ended itself was printed.
        same = first.stdout.endswith(second.stdout) if case.ends_itself else first.stdout == second.stdout
        if second.returncode or not second.stdout or not same or TALK.encode() in second.stderr:
            problems.append("the second run: %d %r" % (second.returncode, second.stderr.decode(errors="replace")[-300:]))
        return problems

    def wheels(self):
        return sorted(os.listdir(self.store / "wheels"))

    def record(self, case):
        """Runs the script once, and keeps what its reporter says."""
        if case.is_predicted:
            return []
        name = self.place(case)
        self.omnipkg("server", "start")
        ours, theirs = socket.socketpair()
        status = os.fstat(theirs.fileno())
        variables = dict(self.environment)
        variables["OMNIPKG_REPORT"] = "%d:%d:%d" % (theirs.fileno(), status.st_dev, status.st_ino)
        folder = self.scratch / "work"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        shutil.copy(case.path, folder / case.path.name)
        process = subprocess.Popen(
            [str(self.store / "envs" / name / "bin/python"), str(folder / case.path.name)], env=variables, cwd=folder,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, pass_fds=[theirs.fileno()])
        theirs.close()
        length = ours.recv(4, socket.MSG_WAITALL)
        report = b""
        while length and len(report) < int.from_bytes(length, "big"):
            report += ours.recv(1 << 16)
        ours.close()
        process.wait()
        target = case.path.with_suffix(".json")
        # Of a script that ends itself it is only noted what it did not find, and of one that starts others it is they who tell.
        if not report or report.startswith(b"misses\n"):
            target.unlink(missing_ok=True)
            return [] if not case.heals or case.passes or case.ends_itself else ["no report"]
        text = report.decode().replace(str(folder), "/work").replace(str(self.store.resolve()), "/store")
        text = re.sub(r"https?://[^\s\"\\\\<>]+", "(an address)", text)
        data = json.loads(re.sub(r"/mnt/[0-9a-f]{40}", "/mnt/view", text))
        data["executable"] = "/store/envs/e/bin/python"
        data["frames"] = [frame for frame in data["frames"] if frame["where"] != "stdlib"][-12:]
        target.write_text(json.dumps(data, indent=1, sort_keys=True) + "\n")
        return []


if __name__ == "__main__":
    sys.exit(main())
