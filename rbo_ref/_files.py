"""Files that are there as a whole or not at all."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

__all__ = ["write_whole"]


def write_whole(path: str | Path, content: bytes) -> None:
    """Write a file beside its place, then move it there. Pipes, and all that is in /dev, are written to directly.

    Raises
    ------
    OSError
        If that cannot be done; the old file, if there was one, is then still there.
    """
    place = Path(path)
    if place.exists() and (not place.is_file() or place.absolute().is_relative_to("/dev")):
        place.write_bytes(content)
        return
    place = place.resolve()  # of a link the file behind it
    beside = place.with_name(f".{secrets.token_hex(8)}.new")  # of a name that nobody can foresee, and not too long
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as file:
            file.write(content)
        if place.exists():
            beside.chmod(place.stat().st_mode)
        beside.replace(place)
    except BaseException:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise
