"""Which mistakes each case of the rolling ball is there to catch: every mistake of the catalogue by at least two cases.

A test proves each claim, those of the cases half-... in the 16-bit formats too. A case catches many more;
``rbo-ref matrix`` shows them all.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

__all__ = ["FILE", "catches"]

FILE = Path(__file__).with_name("catches.txt")


@cache
def catches() -> dict[str, tuple[str, ...]]:
    """The names of the mistakes, by case.

    Examples
    --------
    >>> "ascent" in catches()["plane"]
    True
    """
    lines = FILE.read_text(encoding="utf-8").splitlines()
    return {case: tuple(names.split()) for case, _, names in (line.partition(": ") for line in lines)}
