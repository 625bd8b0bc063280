"""Which cases catch a known mistake, and in which formats it is caught at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple

from rbo_ref.oracle.catalogue import catalogue
from rbo_ref.oracle.checking import check
from rbo_ref.oracle.dialects import ROLLING_BALL
from rbo_ref.oracle.freezing.questions import fixed_cases
from rbo_ref.oracle.hunters import clearness
from rbo_ref.oracle.matrix import workers

__all__ = ["HALVES", "LIBRARIES", "Kills", "kills_of"]

HALVES = "half-*"  # cases made for 16 bits: what they hunt they catch in all formats
LIBRARIES = {"float64": "numpy", "float32": "numpy", "float16": "numpy", "bfloat16": "torch"}


class Kills(NamedTuple):
    """Of a mistake: the cases that catch it, by how many tolerances, and the formats in which one does."""

    mistake: str
    cases: dict[str, float]
    formats: tuple[str, ...]


def kills_of(optimizer: str, processes: int, told: Callable[[str], object]) -> Iterable[Kills]:
    """Those of each mistake of an optimizer, in the order of the catalogue."""
    with workers(processes) as each:
        for kills in each(partial(_kills, optimizer), catalogue(optimizer)):
            told(f"{optimizer}: {kills.mistake}")
            yield kills


def _kills(optimizer: str, mistake: str) -> Kills:
    """Of the rolling ball in all formats, of other optimizers in float64."""
    found = _caught(optimizer, mistake, "float64")
    formats = ["float64"] if found else []
    if optimizer == ROLLING_BALL:
        for dtype in list(LIBRARIES)[1:]:
            half = _caught(optimizer, mistake, dtype, HALVES)
            found = {case: min(r, half.get(case, 0.0) if case.startswith("half-") else r) for case, r in found.items()}
            if half or _caught(optimizer, mistake, dtype):
                formats.append(dtype)
    return Kills(mistake, {case: ratio for case, ratio in found.items() if ratio > 1}, tuple(formats))


def _caught(optimizer: str, mistake: str, dtype: str, cases: str | None = None) -> dict[str, float]:
    """The fixed cases that catch a mistake, by how many tolerances."""
    port = catalogue(optimizer)[mistake]()
    report = check(port, optimizer=optimizer, xp=LIBRARIES[dtype], dtype=dtype, cases=cases, diagnosis=False)
    failed: dict[str, list] = {}
    for result in report.failures:
        failed.setdefault(result.id, []).append(result)
    known = {case.id for case in fixed_cases(optimizer)}
    return {case: clearness(results) for case, results in failed.items() if case in known}
