"""Recorded runs of ports of the catalogue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from array_api_compat import numpy as xp

from geometry.arithmetic.formats import format_of
from rbo_ref.oracle.calls import ServedLoss
from rbo_ref.oracle.cases import all_cases
from rbo_ref.oracle.cases.case import Case
from rbo_ref.oracle.replay import Recording

CASES = {case.id: case for case in all_cases()}
HYPERS = ("learning_rate", "radius", "projection_rate", "projection_steps")


class Witness:
    """A loss that writes down what it is asked and what it answers."""

    def __init__(self, loss: Callable[[Any], tuple[Any, Any]]) -> None:
        self.loss, self.seen = loss, []

    def __call__(self, theta: Any) -> tuple[Any, Any]:
        value, gradient = self.loss(theta)
        self.seen.append((np.array(theta), np.array(value), np.array(gradient)))
        return value, gradient


def record(port: Any, loss: Any, theta: Any, hypers: list[dict[str, Any]], *, inner: bool = False) -> Recording:
    """The run of a port, one step for each of the hyper-parameters; with its inner iterates, of equally many each."""
    witness, path, told = Witness(loss), [np.array(theta)], []
    with np.errstate(all="ignore"):
        for hyper in hypers:
            witness.seen = []
            path.append(np.array(port(witness, path[-1].copy(), **hyper)))
            told.append(witness.seen)
    fields = {name: np.array([hyper[name] for hyper in hypers]) for name in HYPERS}
    if inner:
        places, values, gradients = (np.array([[s[i] for s in seen] for seen in told]) for i in range(3))
        fields |= {"value": values[:, 0], "gradient": gradients[:, 0]}
        fields |= {"inner": places[:, 1:], "inner_value": values[:, 1:], "inner_gradient": gradients[:, 1:]}
    return Recording(np.array(path), **fields)


def record_case(port: Any, case: Case, steps: int, dtype: str = "float64", **options: Any) -> Recording:
    """The run of a port on a case, where the oracle serves the loss."""
    start = case.start(format_of(dtype))
    hypers = [dict(case.hyper(t)) for t in range(steps)]
    return record(port, ServedLoss(case.loss, xp, start.shape), start, hypers, **options)


def theta_of(recording: Recording) -> np.ndarray:
    """All of its θ."""
    return np.concatenate([rows["theta"] for rows in recording.rows(1000)])
