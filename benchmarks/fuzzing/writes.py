"""A fault at the k-th call that writes a report, for every k: what was there stays whole, and nothing else is left.

In the process of the command the calls of the operating system that a file is made with raise ENOSPC, EIO or EDQUOT, or
write half of what they are given before they do.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any
from unittest import mock

from fuzzing import Fault, in_a_sentence
from fuzzing.recordings import samples
from rbo_ref.cli import main

COUNT = 400
ERRORS = (errno.ENOSPC, errno.EIO, errno.EDQUOT)
COMMANDS = {
    "report.json": ["replay", "RUN", "--json"],
    "report.xml": ["replay", "RUN", "--junit"],
    "report.html": ["replay", "RUN", "--html"],
    "iron.json": ["iron", "sine", "--radius", "1", "--json"],
    "iron.svg": ["iron", "sine", "--radius", "1", "--out"],
}
OLD = b"what was there before"


class Disk:
    """A disk that fails at a call, and every later one that needs room."""

    def __init__(self, fails_at: int, error: int) -> None:
        self.calls, self.fails_at, self.error = 0, fails_at, error

    def use(self) -> None:
        self.calls += 1
        if self.calls >= self.fails_at:
            raise OSError(self.error, os.strerror(self.error))


class File(io.FileIO):
    """A file on such a disk; of what does not fit half is written."""

    disk: Disk

    def write(self, content: Any) -> int:
        try:
            self.disk.use()
        except OSError:
            super().write(bytes(content)[: len(content) // 2])
            raise
        return super().write(content)


def prepared(folder: Path) -> Callable[[int, Random], str]:
    room, run = folder / "room", folder / "run"
    run.write_bytes(samples(folder)[0])

    def attempt(number: int, random: Random) -> str:
        name, arguments = list(COMMANDS.items())[number % len(COMMANDS)]
        k = 1 + number // len(COMMANDS) % 8
        shutil.rmtree(room, ignore_errors=True)
        room.mkdir()
        there = random.random() < 0.5
        if there:
            (room / name).write_bytes(OLD)
        disk = Disk(k, random.choice(ERRORS))
        status, told = _on(disk, [*(str(run) if a == "RUN" else a for a in arguments), str(room / name)])
        kept = {path.name: path.read_bytes() for path in room.iterdir()}
        if disk.calls < k or status == 0:
            if status != 0 or len(kept.get(name, b"")) < 100 or len(kept) != 1:
                raise Fault(f"{name}, call {k}: status {status}, files {sorted(kept)}, told {told!r}")
            return "written"
        if kept != ({name: OLD} if there else {}) or status != 2:
            raise Fault(f"{name}, call {k}: status {status}, files {sorted(kept)}")
        in_a_sentence(told.strip().splitlines()[-1])
        return "refused"

    return attempt


def _on(disk: Disk, arguments: list[str]) -> tuple[int, str]:
    """Status and words of a command whose files are on this disk."""

    def opened(descriptor: int, mode: str) -> io.BufferedWriter:
        raw = File(descriptor, mode)
        raw.disk = disk
        return io.BufferedWriter(raw)

    def checked(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            disk.use()
            return real(*arguments, **options)

        return call

    out, err = io.StringIO(), io.StringIO()
    system = mock.Mock(wraps=os)
    for name in ("O_WRONLY", "O_CREAT", "O_EXCL", "O_RDONLY", "PathLike"):
        setattr(system, name, getattr(os, name))
    system.O_BINARY = getattr(os, "O_BINARY", 0)
    system.fdopen, system.open, system.fsync = opened, checked(os.open), checked(os.fsync)
    with (
        mock.patch("geometry._files.os", system),
        mock.patch.object(Path, "replace", checked(Path.replace)),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        return main(arguments), err.getvalue()
