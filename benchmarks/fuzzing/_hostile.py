"""What ports in Python do beside their work, and what may come of it; commands are run in forks of this process."""

from __future__ import annotations

import atexit
import ctypes
import os
import select
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from fuzzing import Fault
from tests.rbo_ref.tainted import FORGED

__all__ = ["MISBEHAVIOURS", "MOMENTS", "Ran", "ran", "source"]

PATIENCE = 60.0  # seconds until a command hangs
NAME = FORGED.replace("\ud800", "")

# Statements, and the exit statuses that they may lead to; none: those of the port without them.
MISBEHAVIOURS = {
    "raises": ("raise ValueError(FORGED)", {1}),
    "raises at length": ("raise ValueError(FORGED * 10**4)", {1}),
    "raises a mute": ("raise type('Mute', (Exception,), {'__str__': lambda self: 1 / 0})()", {1}),
    "raises by a forged name": ("raise type(NAME, (BaseException,), {})(FORGED)", {1}),
    "raises a group": ("raise ExceptionGroup(FORGED, [ValueError(FORGED)])", {1}),
    "raises MemoryError": ("raise MemoryError", {1}),
    "recurses": ("def f(): f()\nf()", {1}),
    "exits": ("sys.exit(0)", {1}),
    "exits with words": ("sys.exit(FORGED)", {1}),
    "skips": ("raise Skip(FORGED)", {3}),
    "interrupts": ("raise KeyboardInterrupt(FORGED)", {2}),
    "gets Ctrl-C": ("os.kill(os.getpid(), signal.SIGINT)", {2}),
    "ends": ("os._exit(0)", {3}),
    "ends as if wrong": ("os._exit(1)", {3}),
    "ends in C": ("ctypes.CDLL(None).exit(0)", {3}),
    "aborts": ("os.abort()", {3}),
    "crashes": ("ctypes.string_at(0)", {3}),
    "kills itself": ("os.kill(os.getpid(), signal.SIGKILL)", {3}),
    "stops itself in an exit hook": ("atexit.register(os._exit, 0)", set()),
    "hangs": ("time.sleep(1000)", {1}),
    "spins": ("while True: pass", {1}),
    "hangs on": ("while True:\n    try: time.sleep(1000)\n    except BaseException: pass", {1}),
    "waits for a lock": ("threading.Lock().acquire() and threading.Event().wait()", {1}),
    "forks": ("os.fork()", {1}),
    "forks in C": ("ctypes.CDLL(None).fork()", {1}),
    "forks and ends": ("if os.fork() == 0: os._exit(0)", set()),
    "leaves a process": ("if os.fork() == 0:\n    os.setsid()\n    time.sleep(1000)", set()),
    "becomes a daemon": ("if os.fork(): os._exit(0)\nos.setsid()", {3}),
    "leaves a thread": ("threading.Thread(target=time.sleep, args=(0.1,)).start()", set()),
    "leaves a daemonic thread": ("threading.Thread(target=time.sleep, args=(9,), daemon=True).start()", set()),
    "prints": ("print(NAME); print(NAME, file=sys.stderr)", set()),
    "writes": ("os.write(1, NAME.encode()); os.write(2, NAME.encode())", set()),
    "closes the streams": ("sys.stdout.close(); sys.stderr.close()", {0, 1}),
    "closes their numbers": ("os.closerange(0, 3)", set()),
    "loses the streams": ("sys.stdout = sys.stderr = None", set()),
    "fills standard error": ("print('x' * 200_000, file=sys.stderr)", set()),
    "goes elsewhere": ("os.chdir('/')", set()),
    "is nowhere": ("os.mkdir('gone'); os.chdir('gone'); os.rmdir('../gone')", set()),
    "takes a signal": ("signal.signal(signal.SIGUSR1, lambda *_: None)", set()),
    "ignores signals": ("[signal.signal(n, signal.SIG_IGN) for n in (signal.SIGINT, signal.SIGTERM)]", set()),
    "takes the alarm": ("signal.signal(signal.SIGALRM, signal.SIG_IGN)", set()),
    "sets the alarm": ("signal.alarm(1)", {0, 1, 3}),
    "limits recursion": ("sys.setrecursionlimit(90)", {1, 2}),
    "traces": ("sys.settrace(lambda *_: 1 / 0)", {1}),
    "raises for floats": ("numpy.seterr(all='raise')", {0, 1}),
    "raises for warnings": ("warnings.simplefilter('error')", {0, 1}),
    "warns": ("warnings.warn(NAME)", set()),
    "logs": ("logging.error(NAME)", set()),
    "changes its input": ("theta[...] = 0", {1}),
    "returns nothing": ("return None", {1}),
    "returns itself": ("return step", {1}),
    "returns words": ("return {FORGED: theta}", {1}),
    "returns a stranger": ("return type(NAME, (), {'__getattr__': lambda self, name: sys.exit(0)})()", {1}),
    "returns odd parts": ("return {'theta': theta, 'inner': [FORGED], 'normal': FORGED}", {1}),
    "returns NaN": ("return theta * numpy.nan", {1}),
    "asks for nonsense": ("loss(FORGED)", {1}),
    "asks elsewhere": ("loss(numpy.zeros(99))", {1}),
    "asks for ever": ("while True: loss(theta)", {1}),
    "deletes files": ("[os.remove(name) for name in os.listdir('.') if name.endswith('.json')]", set()),
    "has many files open": ("[open(os.devnull) for _ in range(100)]", set()),
}  # fmt: skip
MOMENTS = {
    "always": "True",
    "once": "not calls",
    "in two dimensions": "theta.shape[0] == 2",
    "later": "len(calls) == 3",
}

PORT = """
import atexit, ctypes, logging, numpy, os, signal, sys, threading, time, warnings
from rbo_ref.oracle import MISTAKES, RightPort, Skip
FORGED, NAME = {forged!r}, {name!r}
calls = []
port = {port}()

def step(loss, theta, **hyper):
{body}
    calls.append(1)
    return port(loss, theta, **hyper)
"""


def source(drawn: list[tuple[str, str]], port: str) -> str:
    """A module with a port that misbehaves at some moments."""
    lines = []
    for misbehaviour, moment in drawn:
        lines.append(f"    if {MOMENTS[moment]}:")
        lines += [f"        {line}" for line in MISBEHAVIOURS[misbehaviour][0].split("\n")]
    return PORT.format(forged=FORGED, name=NAME, port=port, body="\n".join(lines))


class Ran(NamedTuple):
    """What a command came to."""

    status: int
    out: str
    told: str


def ran(main: Callable[[], int], arguments: list[str], folder: Path, out: str | None = None) -> Ran:
    """Run a command in a fork of this process, which adopts whatever it leaves running: there must be nothing.

    `out` is a file in place of standard output.
    """
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            _become(main, arguments, folder, os.open(out, os.O_WRONLY) if out else output.fileno(), errors.fileno())
        status = _waited(pid)
        left = _left()
        texts = []
        for file in (output, errors):
            file.seek(0)
            texts.append(file.read().decode("utf-8", "strict"))
    if left:
        raise Fault(f"{left} processes are left")
    return Ran(status, *texts)


def _become(main: Callable[[], int], arguments: list[str], folder: Path, out: int, errors: int) -> None:
    """In the fork: a command of its own session, as the shell starts it; does not come back."""
    status = 99
    try:
        os.setsid()
        atexit._clear()  # of ours
        os.chdir(folder)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(out, 1)
        os.dup2(errors, 2)
        sys.stdout, sys.stderr = (os.fdopen(n, "w", encoding="utf-8", closefd=False) for n in (1, 2))
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.argv = ["rbo-ref", *arguments]
        status = main()
        atexit._run_exitfuncs()
    finally:
        os._exit(status)


def _waited(pid: int) -> int:
    handle = os.pidfd_open(pid)
    try:
        if not select.select([handle], [], [], PATIENCE)[0]:
            os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise Fault(f"it hangs, for more than {PATIENCE:g} s")
    finally:
        os.close(handle)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _left() -> int:
    """How many processes are left a moment later; they are ended."""
    for _ in range(50):
        try:
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass
        except ChildProcessError:
            return 0
        time.sleep(0.02)
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    for child in children:
        os.kill(int(child), signal.SIGKILL)
        os.waitpid(int(child), 0)
    return len(children)
