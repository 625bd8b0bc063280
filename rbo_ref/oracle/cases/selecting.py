"""The cases of every optimizer: fixed ones, and three that a seed draws.

Those of an optimizer stand in the module ``for_`` and its name: its function `fixed` makes them. A function `drawn`
makes three from a seed; where there is none, they are fixed ones elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cache
from importlib import import_module
from typing import Any

import numpy

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
    here = import_module(f"rbo_ref.oracle.cases.for_{optimizer.replace('-', '_')}")
    cases = here.fixed()
    if hasattr(here, "drawn"):
        return (*cases, *here.drawn(seed))
    return (*cases, *(_elsewhere(cases, seed, number) for number in range(3)))


def _elsewhere(cases: tuple[Case, ...], seed: int, number: int) -> Case:
    """A fixed case elsewhere, with other rates, and with fractions that are neither the usual ones nor simple."""
    optimizer = cases[0].optimizer
    random = numpy.random.RandomState([seed, number, OPTIMIZERS.index(optimizer) - 1])
    case = cases[random.randint(len(cases))]

    def other(name: str, value: Any) -> Any:
        if name == "betas" and optimizer != "alice":  # of which β₃ must stay positive
            return tuple(other("beta", beta) for beta in value)
        if not isinstance(value, float) or value == 0:
            return value
        if name in ("momentum", "beta", "beta_rms", "averaging"):
            return float(random.uniform(0.1, 0.9))
        return value * float(random.uniform(0.5, 1.0))

    hyper = {name: other(name, value) for name, value in case.hyper(0).items()}
    shift = random.uniform(-0.25, 0.25, case.theta.shape).astype(numpy.float32)
    theta = (case.theta + shift).astype(numpy.float32).astype(float)
    return replace(case, id=f"drawn-{case.id}-{seed}-{number}", theta=theta, hypers=(hyper,))


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
