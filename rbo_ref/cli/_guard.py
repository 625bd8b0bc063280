"""A process that only waits for the one that judges: a port that ends its process must not pass for a verdict.

``os._exit(0)`` in a port, ``exit(0)`` in its C library or a crash of one end the process without a word, and compiled
code that never comes back keeps it for ever. So on Linux the work is done by a fork, and the process that the user
started says what became of it.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import select
import signal
import struct
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from rbo_ref.cli._common import COULD_NOT_RUN, UNDECIDED, WRONG
from rbo_ref.cli._streams import warn

__all__ = ["going_on", "guarded"]

PASSED_ON = ("SIGINT", "SIGTERM", "SIGHUP")
GRACE = 0.2  # seconds in which Ctrl-C, which a terminal sends to both, reaches the other process by itself
UNFLUSHED = 120  # exit status of Python where standard output could not be written in the end
OVERDUE = 30.0  # seconds after the end of its time in which a port may yet be stopped from inside
LOOK = 1.0  # seconds between two looks at the clock
DIES_WITH_PARENT, ADOPTS = 1, 36  # PR_SET_PDEATHSIG and PR_SET_CHILD_SUBREAPER of Linux
MOMENT = 0.01  # seconds


class _Board:
    """Memory of both processes: nothing that a port may close, and no reader that has to keep up."""

    ENDED, STATUS, INTERRUPTED, JUDGING, DEADLINE, TEXT = 0, 1, 2, 3, 8, 16

    def __init__(self) -> None:
        self.memory = mmap.mmap(-1, 1024)

    def end(self, status: int) -> None:
        self.memory[self.STATUS], self.memory[self.ENDED] = status, 1

    @property
    def status(self) -> int | None:
        """What the work came to; None where it did not come to its end."""
        return self.memory[self.STATUS] if self.memory[self.ENDED] else None

    def interrupt(self) -> None:
        self.memory[self.INTERRUPTED] = 1

    @property
    def is_interrupted(self) -> bool:
        return bool(self.memory[self.INTERRUPTED])

    def expect(self, deadline: float | None) -> None:
        """By when, in seconds of ``time.monotonic``, a port has to answer; None: it is not asked."""
        struct.pack_into("d", self.memory, self.DEADLINE, deadline or 0.0)

    @property
    def is_overdue(self) -> bool:
        (deadline,) = struct.unpack_from("d", self.memory, self.DEADLINE)
        return bool(deadline) and time.monotonic() > deadline + OVERDUE

    @property
    def is_judging(self) -> bool:
        return bool(self.memory[self.JUDGING])

    def write(self, text: str, is_judging: bool = False) -> None:
        self.memory[self.JUDGING] = is_judging
        line = text.encode("utf-8", "backslashreplace")[: len(self.memory) - self.TEXT - 1]
        self.memory[self.TEXT : self.TEXT + len(line) + 1] = line + b"\0"

    @property
    def text(self) -> str:
        return self.memory[self.TEXT :].partition(b"\0")[0].decode("utf-8", "replace")


_boards: list[_Board] = []  # of this process; none in one that is not guarded


def going_on(what: str, is_judging: bool = False) -> None:
    """Note what is going on, in a clause that follows "while"; it is told if the process vanishes.

    A port that vanishes while it is judged has left the check incomplete; anything else could not be run.
    """
    for board in _boards:
        board.write(what, is_judging)


def guarded(work: Callable[[], int], what: str) -> int:
    """The exit status of some work, done in a process of its own where the system is Linux.

    Parameters
    ----------
    work : callable
        () → exit status.
    what : str
        What is going on, until `going_on` says something else.
    """
    if sys.platform != "linux" or threading.current_thread() is not threading.main_thread():
        return work()
    board, parent, others = _Board(), os.getpid(), _children()
    board.write(what)
    _adopt()
    with _signals(board) as worker:
        pid = _forked()
        if pid:
            worker.append(pid)
            ending = _waited(board, pid)
    if pid:
        _end_what_is_left(others)
        return _told(board, ending)
    from rbo_ref.oracle.time_limit import EXPECTING

    EXPECTING.append(board.expect)
    _boards.append(board)
    _bind(parent)
    _note_interrupts(board)
    try:
        status = work()
    except BaseException:
        board.end(COULD_NOT_RUN)
        raise
    board.end(status)
    return status


def _forked() -> int:
    """What ``os.fork()`` returns; the threads of BLAS, of which Python warns, see to themselves."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # closed by the shell
            stream.flush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _waited(board: _Board, pid: int) -> int:
    """How the worker ended, which is killed if a port in it has not answered, and nothing inside could stop it."""
    with suppress(AttributeError, OSError):  # of an old kernel: we only wait
        handle = os.pidfd_open(pid)
        while not select.select([handle], [], [], LOOK)[0]:
            if board.is_overdue:
                os.kill(pid, signal.SIGKILL)
        os.close(handle)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _adopt() -> None:
    """Processes whose parents have ended become ours, as a daemon does that a port has started."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(ADOPTS, 1, 0, 0, 0)


def _children() -> set[int]:
    """The processes that are ours."""
    return {int(pid) for path in Path("/proc/self/task").glob("*/children") for pid in path.read_text().split()}


def _end_what_is_left(others: set[int]) -> None:
    """End the processes that a port has left running, and say so; each leaves its own to us."""
    deadline, ended = time.monotonic() + GRACE, set[int]()
    while left := _running(_children() - others):
        if time.monotonic() > deadline:
            for pid in left:
                os.kill(pid, signal.SIGKILL)
            ended |= left
        time.sleep(MOMENT)
    if ended:
        told = "1 process running, which was ended" if len(ended) == 1 else f"{len(ended)} processes running, now ended"
        warn(f"a port has left {told}")


def _running(pids: set[int]) -> set[int]:
    """Those that have not ended."""
    return {pid for pid in pids if os.waitpid(pid, os.WNOHANG) == (0, 0)}


def _told(board: _Board, ending: int) -> int:
    """The exit status for the shell, with a sentence where the work was not done."""
    if board.status is not None:
        return COULD_NOT_RUN if ending == UNFLUSHED else board.status
    if board.is_overdue and ending == -signal.SIGKILL:
        warn(f"WRONG: no answer while {board.text}, and only its end could stop it")
        return WRONG
    how = f"ended itself with exit status {ending}" if ending >= 0 else f"was killed by {signal.Signals(-ending).name}"
    verdict = "INCOMPLETE: " if board.is_judging else ""
    warn(f"{verdict}the process {how} while {board.text}")
    return UNDECIDED if board.is_judging else COULD_NOT_RUN


@contextmanager
def _signals(board: _Board) -> Iterator[list[int]]:
    """While the work is done elsewhere, what ends us ends the worker, of which the process id is put into the list."""
    worker: list[int] = []
    ended_by: list[int] = []

    def pass_on(number: int, frame: Any) -> None:
        if number == signal.SIGINT:
            time.sleep(GRACE)
        else:
            ended_by.append(number)
        if worker and not (number == signal.SIGINT and board.is_interrupted):
            with suppress(ProcessLookupError):
                os.kill(worker[0], number)

    numbers = [signal.Signals[name] for name in PASSED_ON if signal.getsignal(signal.Signals[name]) != signal.SIG_IGN]
    before = {number: signal.signal(number, pass_on) for number in numbers}
    try:
        yield worker
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if ended_by:
            os.kill(os.getpid(), ended_by[0])


def _bind(parent: int) -> None:
    """End with the parent, even if it is killed."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(DIES_WITH_PARENT, int(signal.SIGTERM), 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)


def _note_interrupts(board: _Board) -> None:
    """Let the parent know that Ctrl-C has arrived here."""
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        return

    def interrupted(number: int, frame: Any) -> None:
        board.interrupt()
        signal.default_int_handler(number, frame)

    signal.signal(signal.SIGINT, interrupted)
