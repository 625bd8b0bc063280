"""The cases of each optimizer: fixed ones, and three that a seed draws."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import cache

from rbo_ref.oracle.cases import of_optimizers, of_rolling_ball
from rbo_ref.oracle.cases.case import Case
from rbo_ref.oracle.dialects import OPTIMIZERS, ROLLING_BALL

__all__ = ["all_cases", "select"]


@cache
def all_cases(optimizer: str = ROLLING_BALL, seed: int = 0) -> tuple[Case, ...]:
    """The fixed cases of an optimizer, and three that `seed` draws.

    Examples
    --------
    >>> [case.id for case in all_cases("sam", seed=7)][-1].startswith("drawn-")
    True
    """
    of = of_rolling_ball if optimizer == ROLLING_BALL else of_optimizers
    return (*of.fixed(optimizer), *of.drawn(optimizer, seed))


def select(optimizer: str, patterns: Iterable[str] | str | None = None, seed: int = 0) -> list[Case]:
    """The cases of an optimizer of which the id matches one of the shell patterns; all for None.

    Raises
    ------
    ValueError
        If there is no such optimizer, a pattern matches no case, or the seed is no seed.

    Examples
    --------
    >>> [case.id for case in select("sam", "rest-*")]
    ['rest-bowl', 'rest-saddle']
    """
    if optimizer not in OPTIMIZERS:
        raise ValueError(f"optimizer must be one of {', '.join(OPTIMIZERS)}, got {optimizer!r}")
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise ValueError(f"seed must be an integer from 0 to 2³² − 1, got {seed!r}")
    cases = all_cases(optimizer, seed)
    if patterns is None:
        return list(cases)
    patterns = [patterns] if isinstance(patterns, str) else list(patterns)
    for pattern in patterns:
        if not any(fnmatchcase(case.id, pattern) for case in cases):
            raise ValueError(f"cases: {pattern!r} matches none of {', '.join(c.id for c in cases)}")
    return [case for case in cases if any(fnmatchcase(case.id, p) for p in patterns)]
