"""A limit on the time of a call, which stays in the thread of its caller."""

from __future__ import annotations

import ctypes
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

__all__ = ["CENTURY", "EXPECTING", "granted", "unstopped", "within"]

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
    _here.alarms.append(alarm)
    _expect(alarm.until)
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
        _here.alarms.remove(alarm)
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


@contextmanager
def unstopped() -> Iterator[None]:
    """What is done within is done to its end, such as to clean up; a call whose time is up is stopped soon after it.

    Examples
    --------
    >>> def careful():
    ...     with unstopped():
    ...         time.sleep(0.02)
    ...         done.append("cleaned up")
    ...     time.sleep(60)
    >>> import time
    >>> done = []
    >>> within(0.01, careful)
    Traceback (most recent call last):
    ...
    TimeoutError: no answer within 0.01 s
    >>> done
    ['cleaned up']
    """
    alarms = list(_here.alarms)
    try:
        for alarm in alarms:
            alarm.hold(True)
        yield
    finally:
        for alarm in alarms:
            alarm.hold(False)


def granted(seconds: float) -> tuple[float, float]:
    """The time, of `time.monotonic`, by which what may take so long has to end, and the seconds that this is of.

    They are those of the call that it is part of, if that has to end before.

    Examples
    --------
    >>> within(5.0, lambda: granted(60.0)[1])
    5.0
    """
    return min([(monotonic() + seconds, seconds), *((alarm.until, alarm.seconds) for alarm in _here.alarms)])


class _Here(threading.local):
    """The alarms that may stop this thread."""

    def __init__(self) -> None:
        self.alarms: list[_Alarm] = []


_here = _Here()


class _Alarm:
    """Rings when the time of a call is up, and again and again until it ends, but not while it is held."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.rang, self.is_held = seconds, False, False
        self.until = monotonic() + seconds

    def hold(self, held: bool) -> None:
        self.is_held = held


class _Signal(_Alarm):
    """An alarm clock of the operating system, for the main thread; a timer that runs already goes on afterwards."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self._listens = False
        self._before: tuple[float, float] | None = None

    def start(self) -> None:
        self._began, self._handler = monotonic(), signal.signal(signal.SIGALRM, self._ring)
        self._before = signal.setitimer(signal.ITIMER_REAL, self.seconds, AGAIN)
        self._listens = True

    def _ring(self, *_: Any) -> None:
        if self._listens and not self.is_held:
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


class _Watcher(_Alarm):
    """A second thread that looks at the clock."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self._caller, self._done = ctypes.c_ulong(threading.get_ident()), threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True, name="time limit of a port")
        self._turn = threading.Lock()

    def start(self) -> None:
        self._thread.start()

    def _watch(self) -> None:
        patience = self.seconds
        while not self._done.wait(patience):
            patience = AGAIN
            with self._turn:
                if not self.is_held:
                    self.rang = True
                    self._raise(_Stopped)

    def _raise(self, error: type[_Stopped] | None) -> None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(self._caller, ctypes.py_object(error) if error else None)

    def hold(self, held: bool) -> None:
        with self._turn:
            self.is_held = held
            if held:
                self._raise(None)  # what is not yet raised

    def end(self) -> None:
        self._done.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._raise(None)
