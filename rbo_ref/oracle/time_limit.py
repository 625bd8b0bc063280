"""A limit on the time of a call, which stays in the thread of its caller."""

from __future__ import annotations

import ctypes
import signal
import threading
from collections.abc import Callable
from time import monotonic
from typing import Any

__all__ = ["CENTURY", "EXPECTING", "within"]

CENTURY = 1e9  # seconds: what is longer is no limit
AGAIN = 0.05  # seconds after which a call that has swallowed its end is told of it again

EXPECTING: list[Callable[[float | None], Any]] = []
"""Who is told by which time (of ``time.monotonic``) a call has to be back; None: it is back."""


class _Stopped(BaseException):
    """Raised inside a call that has run out of time."""


def within(seconds: float, function: Callable[[], Any]) -> Any:
    """The result of `function`, called in this thread, so that all settings of the thread hold.

    Raises
    ------
    TimeoutError
        If it takes longer. An exception is raised inside it, at its next Python instruction; where this is the main
        thread of a POSIX system also out of a sleep, or of waiting for a lock or a stream. What neither comes back from
        compiled code nor calls Python from there cannot be stopped in this process.

    Examples
    --------
    >>> within(1.0, lambda: threading.current_thread() is threading.main_thread())
    True
    >>> import time
    >>> within(0.01, lambda: time.sleep(60))
    Traceback (most recent call last):
    ...
    TimeoutError: no answer within 0.01 s
    """
    if seconds > CENTURY:
        return function()
    alarm = _Signal(seconds) if _has_signals() else _Watcher(seconds)
    _expect(monotonic() + seconds)
    try:
        try:
            alarm.start()
            result = function()
        finally:
            alarm.end()
    except KeyboardInterrupt:
        raise
    except BaseException:
        if not alarm.rang:
            raise
    finally:
        alarm.end()  # the first attempt may itself have been stopped
        _expect(None)
    if alarm.rang:
        raise TimeoutError(f"no answer within {seconds:g} s")
    return result


def _expect(deadline: float | None) -> None:
    for told in EXPECTING:
        told(deadline)


def _has_signals() -> bool:
    """Whether a signal can be raised here, and its handler be given back."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        return False
    return signal.getsignal(signal.SIGALRM) is not None


class _Signal:
    """An alarm clock of the operating system, for the main thread; a timer that runs already goes on afterwards."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.rang, self._listens = seconds, False, False
        self._before: tuple[float, float] | None = None

    def start(self) -> None:
        self._began, self._handler = monotonic(), signal.signal(signal.SIGALRM, self._ring)
        self._before = signal.setitimer(signal.ITIMER_REAL, self.seconds, AGAIN)
        self._listens = True

    def _ring(self, *_: Any) -> None:
        if self._listens:
            self.rang = True
            raise _Stopped

    def end(self) -> None:
        self._listens = False
        if self._before is not None:
            left, interval = self._before
            elapsed = monotonic() - self._began
            signal.setitimer(signal.ITIMER_REAL, max(left - elapsed, AGAIN) if left else 0.0, interval)
            signal.signal(signal.SIGALRM, self._handler)
            self._before = None


class _Watcher:
    """A second thread that looks at the clock."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.rang = seconds, False
        self._caller, self._done = ctypes.c_ulong(threading.get_ident()), threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True, name="time limit of a port")

    def start(self) -> None:
        self._thread.start()

    def _watch(self) -> None:
        patience = self.seconds
        while not self._done.wait(patience):
            self.rang, patience = True, AGAIN
            ctypes.pythonapi.PyThreadState_SetAsyncExc(self._caller, ctypes.py_object(_Stopped))

    def end(self) -> None:
        self._done.set()
        if self._thread.ident is not None:
            self._thread.join()
        ctypes.pythonapi.PyThreadState_SetAsyncExc(self._caller, None)  # what is not yet raised
