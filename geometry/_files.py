"""Files that are there as a whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from os import PathLike
from pathlib import Path
from typing import IO

__all__ = ["whole_file", "write_whole"]


def write_whole(path: str | PathLike[str], content: bytes) -> None:
    """Write a file beside its place, then move it there: `whole_file` for contents that are at hand.

    Raises
    ------
    OSError
        If that cannot be done; the old file, if there was one, is then still there.
    """
    with whole_file(path) as file:
        file.write(content)


@contextmanager
def whole_file(path: str | PathLike[str]) -> Iterator[IO[bytes]]:
    """A file to write to, which takes its place when the block ends; after an exception nothing has changed.

    Before it is moved it is on the disk, so that a crash of the machine leaves the old file or the new one. Pipes, and
    all that is in /dev, are written to directly.

    Raises
    ------
    OSError
        If that cannot be done.
    """
    place = Path(path)
    if place.exists() and (not place.is_file() or place.absolute().is_relative_to("/dev")):
        with place.open("wb") as file:
            yield file
        return
    place = place.resolve()  # of a link the file behind it
    beside = place.with_name(f".{secrets.token_hex(8)}.new")  # of a name that nobody can foresee, and not too long
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if place.exists():
            beside.chmod(place.stat().st_mode)
        beside.replace(place)
    except BaseException:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise
    _sync(place.parent)


def _sync(folder: Path) -> None:
    """Have the new name on the disk, too, where folders can be opened; the file is whole without."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
