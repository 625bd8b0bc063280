"""Freezing the suite: ``python -c "from rbo_ref.oracle import freezing; freezing.freeze()"`` writes ``suite.json``.

Each case has a fingerprint of what it asks, so that a changed question is seen as one.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

from geometry.arithmetic.formats import format_of
from rbo_ref.oracle.cases import all_cases
from rbo_ref.oracle.cases.case import Case
from rbo_ref.oracle.dialects import OPTIMIZERS, ROLLING_BALL, Hyper
from rbo_ref.oracle.judge import levels_of
from rbo_ref.oracle.losses import correctly_rounded
from rbo_ref.oracle.suite import FILE, frozen

__all__ = ["VERSION", "freeze", "record"]

VERSION = "1.2"
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
    fixed = {name: [case for case in all_cases(name) if not case.id.startswith("drawn-")] for name in OPTIMIZERS}
    return {"version": VERSION, "optimizers": {name: dict(map(_entry, cases)) for name, cases in fixed.items()}}


def _entry(case: Case) -> tuple[str, dict[str, Any]]:
    digest = sha256(_question(case).encode()).hexdigest()[:8]
    return case.id, {"levels": list(levels_of(case.optimizer, case)), "fingerprint": digest}


def _question(case: Case) -> str:
    """Place, hyper-parameters, draws and, to six digits that no BLAS moves, the loss and its slope there."""
    value, gradient = correctly_rounded(case.loss, tuple(case.theta.reshape(-1)), format_of("float64"))
    numbers = [value, *gradient, *([] if case.draws is None else case.draws.reshape(-1))]
    asked: Any = sorted(case.hyper(0).items())
    if case.optimizer == ROLLING_BALL:
        asked = tuple(Hyper(**hyper) for hyper in case.hypers)
    return f"{case.theta.tolist()} {asked} {case.walk} {[round(float(x), 6) + 0.0 for x in numbers]}"
