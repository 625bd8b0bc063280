"""What the suite asks: a fingerprint of each case, so that a changed question is seen as one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from geometry.arithmetic.formats import format_of
from rbo_ref.oracle.cases import all_cases
from rbo_ref.oracle.cases.case import Case
from rbo_ref.oracle.dialects import OPTIMIZERS, ROLLING_BALL, Hyper
from rbo_ref.oracle.judge import levels_of
from rbo_ref.oracle.losses import correctly_rounded

__all__ = ["fixed_cases", "raised", "record"]


def fixed_cases(optimizer: str) -> list[Case]:
    """Those that no seed draws."""
    return [case for case in all_cases(optimizer) if not case.id.startswith("drawn-")]


def record(optimizers: Iterable[str] = OPTIMIZERS) -> dict[str, dict[str, Any]]:
    """The levels and the fingerprint of each case of some optimizers, as the package has them.

    Examples
    --------
    >>> record(["sam"])["sam"]["usual-waves3"]["levels"]
    ['step', 'walk']
    """
    return {name: dict(map(_entry, fixed_cases(name))) for name in optimizers}


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


def raised(version: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """The version after a change: a new minor one where something came, a new major one where something went.

    Examples
    --------
    >>> raised("1.1.4", {"a": 1}, {"a": 1, "b": 2}), raised("1.1", {"a": 1}, {"a": 2})
    ('1.2.0', '2.0')
    """
    if before == now:
        return version
    major, minor, *rest = map(int, version.split("."))
    some = [major, minor + 1] if before.items() <= now.items() else [major + 1, 0]
    return ".".join(map(str, some + [0] * len(rest)))
