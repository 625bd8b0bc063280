"""A program that is talked to in lines, within limits of time and length."""

from __future__ import annotations

import os
import signal
import subprocess
import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector
from time import monotonic
from typing import IO, Any

from rbo_ref._words import quoted
from rbo_ref.oracle.calls import PortError
from rbo_ref.oracle.time_limit import unstopped

__all__ = ["Program"]

CHUNK = 2**16  # bytes, of one reading
LAST_WORDS = 2000  # bytes, kept of standard error
SLICE = 0.1  # seconds of waiting, after which an exception for this thread is heard
GRACE = 1.0  # seconds, for a program to end by itself


class Program:
    """A process of its own group, started without a shell; whatever is left of the group in the end is killed.

    Parameters
    ----------
    command : sequence of str
        The program and its arguments.
    output_limit : int
        Bytes that one line may have.
    heard : callable, optional
        Called with ">" or "<" and each line that is sent or received.

    Raises
    ------
    OSError
        If it cannot be started.

    Examples
    --------
    >>> from time import monotonic
    >>> program = Program(["cat"], output_limit=100)
    >>> program.send(b"echo\\n", monotonic() + 10)
    >>> program.receive(monotonic() + 10)
    b'echo'
    >>> program.end()
    """

    def __init__(
        self, command: Sequence[str], output_limit: int, heard: Callable[[str, bytes], Any] | None = None
    ) -> None:
        if os.name != "posix":
            raise OSError("programs are judged on POSIX systems only")
        self.output_limit, self._heard = output_limit, heard or (lambda direction, line: None)
        with unstopped():  # or nobody would know of the process
            self._start(list(command))
        self._received, self._last_words, self._is_quiet = bytearray(), b"", False

    def _start(self, command: list[str]) -> None:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0, start_new_session=True
        )
        self._streams = [
            stream for stream in (self._process.stdin, self._process.stdout, self._process.stderr) if stream
        ]
        self._input, self._output, self._errors = self._streams
        for stream in self._streams:
            os.set_blocking(stream.fileno(), False)
        self._finish = weakref.finalize(self, _finish, self._process, self._streams)

    def send(self, line: bytes, deadline: float) -> None:
        """Write a line.

        Raises
        ------
        TimeoutError
            If the program has not read it by the deadline, a time of `time.monotonic`.
        PortError
            If it reads no more.
        """
        self._heard(">", line.rstrip(b"\n"))
        while line:
            self._wait(self._input, EVENT_WRITE, deadline)
            with suppress(BlockingIOError):
                try:
                    line = line[os.write(self._input.fileno(), line) :]
                except BrokenPipeError:
                    raise PortError(f"{self._ending('closed its standard input')}{self.last_words()}") from None

    def receive(self, deadline: float) -> bytes:
        """The next line, without its end.

        Raises
        ------
        TimeoutError
            If there is none by the deadline, a time of `time.monotonic`.
        PortError
            If the line is too long, or the program has ended.
        """
        while b"\n" not in self._received:
            if len(self._received) > self.output_limit:
                self._heard("<", bytes(self._received))
                raise PortError(f"printed more than {self.output_limit} bytes on one line")
            self._wait(self._output, EVENT_READ, deadline)
            with suppress(BlockingIOError):
                chunk = os.read(self._output.fileno(), CHUNK)
                if not chunk:
                    raise PortError(f"{self._ending('closed its standard output')}{self.last_words()}")
                self._received += chunk
        line, _, self._received = self._received.partition(b"\n")
        self._heard("<", bytes(line))
        return bytes(line)

    @property
    def unread(self) -> bytes:
        """What it has printed, and nobody has read, as far as that is known."""
        return bytes(self._received)

    def last_words(self) -> str:
        """The end of what it wrote to standard error, to be added to a sentence."""
        with suppress(TimeoutError):
            self._wait(None, EVENT_READ, monotonic())
        lines = self._last_words.strip().splitlines()
        return f"; its last words: {quoted(lines[-1], 200)}" if lines else ""

    def end(self) -> None:
        """Close its input, give it a moment to end, and kill what is left."""
        self._input.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE)
        self.kill()

    def kill(self) -> None:
        """Kill the process and its group."""
        with unstopped():
            self._finish()

    def _wait(self, stream: IO[bytes] | None, event: int, deadline: float) -> None:
        """Wait until the stream is ready, or for None until standard error is; keep what comes there meanwhile."""
        with DefaultSelector() as selector:
            if stream is not None:
                selector.register(stream, event)
            if not self._is_quiet:
                selector.register(self._errors, EVENT_READ)
            while True:
                ready = [key.fileobj for key, _ in selector.select(min(SLICE, max(0.0, deadline - monotonic())))]
                if self._errors in ready:
                    self._listen()
                    if self._is_quiet:
                        selector.unregister(self._errors)
                if stream in ready or (stream is None and ready):
                    return
                if monotonic() >= deadline:
                    raise TimeoutError

    def _listen(self) -> None:
        chunk = os.read(self._errors.fileno(), CHUNK)
        self._is_quiet = not chunk
        self._last_words = (self._last_words + chunk)[-LAST_WORDS:]

    def _ending(self, otherwise: str) -> str:
        """How the program ended, if it did."""
        try:
            status = self._process.wait(GRACE / 2)
        except subprocess.TimeoutExpired:
            return otherwise
        return f"was killed by {_signal(-status)}" if status < 0 else f"ended with exit status {status}"


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _finish(process: subprocess.Popen[bytes], streams: Sequence[IO[bytes]]) -> None:
    """Kill the group of a process, and forget the process."""
    with unstopped():
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        for stream in streams:
            stream.close()
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
