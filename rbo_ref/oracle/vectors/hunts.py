"""Which vectors are there to catch which mistake: a frozen table, of which a test proves every claim."""

from __future__ import annotations

from functools import cache
from pathlib import Path

__all__ = ["FILE", "hunts"]

FILE = Path(__file__).with_name("hunts.txt")


@cache
def hunts() -> dict[str, tuple[str, ...]]:
    """The flags of each vector that has any.

    Examples
    --------
    >>> "rolling-ball.ascent" in {flag for flags in hunts().values() for flag in flags}
    True
    """
    found: dict[str, list[str]] = {}
    for entry in FILE.read_text(encoding="utf-8").splitlines():
        flag, _, ids = entry.partition(": ")
        for name in ids.split():
            found.setdefault(name, []).append(flag)
    return {name: tuple(sorted(flags)) for name, flags in found.items()}
