"""The cases of Entropy-SGD."""

from __future__ import annotations

from dataclasses import replace

import numpy

from rbo_ref.oracle.cases.case import Case
from rbo_ref.oracle.cases.starts import case_at

__all__ = ["fixed"]


def fixed() -> tuple[Case, ...]:
    """Those that no seed draws."""

    def case(
        name: str, rate: float, inner: tuple[int, float, float], averaging: float, scope: float, scoping: float
    ) -> Case:
        steps, inner_rate, noise = inner
        hyper = {
            "learning_rate": rate,
            "steps": steps,
            "inner_rate": inner_rate,
            "noise": noise,
            "averaging": averaging,
            "scope": scope,
            "scoping": scoping,
        }
        return _noisy(case_at("entropy-sgd", name, 4, hyper))

    return (
        case("usual-waves3", 1.0, (20, 0.1, 1e-4), 0.75, 0.03, 1e-3),
        case("usual-classifier", 1.0, (7, 0.1, 1e-4), 0.75, 0.03, 1e-3),
        case("warm-waves10", 0.5, (6, 0.1, 0.25), 0.75, 0.5, 0.125),
        case("warm-bowl", 0.5, (5, 0.125, 1.0), 0.25, 1.0, 0.25),
        case("hot-plane", 0.25, (3, 0.25, 2.0), 0.5, 2.0, 0.5),
        case("tied-far", 0.25, (8, 0.05, 0.01), 0.875, 3.0, 0.0),
        case("tied-steep", 0.25, (4, 0.01, 0.5), 0.6, 4.0, 0.125),
        case("short-saddle", 1.0, (1, 0.5, 0.125), 0.75, 0.5, 0.5),
        case("warm-table", 0.5, (4, 0.125, 0.25), 0.75, 0.5, 0.125),
        case("warm-sheer", 0.5, (3, 1e-5, 0.25), 0.5, 0.5, 0.125),
        case("tied-still", 0.25, (4, 0.125, 0.0), 0.6, 1.0, 0.125),
        case("long-waves3", 0.5, (2, 0.125, 0.125), 0.75, 0.5, 0.03125),
    )


def _noisy(case: Case) -> Case:
    """With normal draws, in numbers that float32 holds, for every inner step."""
    shape = (case.walk, case.hyper(0)["steps"], *case.theta.shape)
    seed = sum(map(ord, case.id))
    draws = numpy.random.RandomState(seed).standard_normal(shape).astype(numpy.float32).astype(float)
    return replace(case, draws=draws)
