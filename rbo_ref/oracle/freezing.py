"""Freezing the suite: ``python -c "from rbo_ref.oracle import freezing; freezing.freeze()"`` writes ``suite.json``.

Each case has a fingerprint of what it asks, so that a changed question is seen as one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

import numpy

from rbo_ref.oracle import cases, levels, optimizers
from rbo_ref.oracle.optimizers import judge
from rbo_ref.oracle.rounding import format_of
from rbo_ref.oracle.suite import FILE, ROLLING_BALL, frozen
from rbo_ref.oracle.truth import correctly_rounded

__all__ = ["VERSION", "freeze", "levels_of", "record"]

VERSION = "1.1"
"""Of the suite, not of the package. New, changed or removed cases need a new one."""


def freeze() -> None:
    """Write ``suite.json``.

    Raises
    ------
    ValueError
        If the cases differ from those frozen under the same version.
    """
    now = record()
    if FILE.exists() and frozen()["version"] == VERSION and frozen() != now:
        raise ValueError(f"the cases are not those of suite {VERSION}: give freezing.VERSION a new number")
    FILE.write_text(json.dumps(now, indent=1) + "\n", encoding="utf-8")


def record() -> dict[str, Any]:
    """The suite as the cases of the package have it now."""
    chosen: dict[str, Iterable[Any]] = {ROLLING_BALL: cases.all_cases()}
    chosen |= {optimizer: optimizers.cases.all_cases(optimizer) for optimizer in optimizers.OPTIMIZERS}
    fixed = {name: [case for case in some if not case.id.startswith("drawn-")] for name, some in chosen.items()}
    entries = {name: {case.id: _entry(case) for case in some} for name, some in fixed.items()}
    return {"version": VERSION, "optimizers": entries}


def levels_of(case: Any) -> tuple[str, ...]:
    """The levels at which a case is judged.

    Examples
    --------
    >>> levels_of(cases.select("walk-2d", 0)[0])
    ('restarted', 'walk')
    """
    if isinstance(case, optimizers.cases.Case):
        return judge.LEVELS
    return levels.LEVELS[:4] * case.single + levels.LEVELS[4:] * bool(case.walk)


def _entry(case: Any) -> dict[str, Any]:
    return {"levels": list(levels_of(case)), "fingerprint": sha256(_question(case).encode()).hexdigest()[:8]}


def _question(case: Any) -> str:
    """Place, hyper-parameters, draws and, to six digits that no BLAS moves, the loss and its slope there."""
    place = numpy.asarray(case.theta, dtype=float)
    value, gradient = correctly_rounded(case.loss, tuple(place.reshape(-1)), format_of("float64"))
    asked = case.hypers if hasattr(case, "hypers") else sorted(case.hyper.items())
    length = case.walk if hasattr(case, "walk") else case.length
    draws = getattr(case, "draws", None)
    numbers = [value, *gradient, *([] if draws is None else draws.reshape(-1))]
    return f"{place.tolist()} {asked} {length} {[round(float(x), 6) + 0.0 for x in numbers]}"
