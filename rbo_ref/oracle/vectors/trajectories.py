"""Vectors of long trajectories of the Rolling Ball Optimizer, as arrays: from each row one step leads to the next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import cycle, islice
from typing import Any, NamedTuple

import numpy
from numpy.typing import NDArray

from geometry.arithmetic.formats import Format, format_of, rounded, rounding
from rbo_ref.oracle.cases import all_cases
from rbo_ref.oracle.cases.case import Case
from rbo_ref.oracle.dialects import READINGS
from rbo_ref.oracle.formulas import formula_of
from rbo_ref.oracle.formulas.evaluation import steps_of
from rbo_ref.oracle.losses import Loss
from rbo_ref.oracle.vectors.answering import Evaluated
from rbo_ref.oracle.vectors.drafts import head_record, hyper_record
from rbo_ref.oracle.vectors.loss_records import held, name_of
from rbo_ref.oracle.vectors.notation import Record, coarse, numbered
from rbo_ref.oracle.vectors.reading import ARRAYS
from rbo_ref.oracle.vectors.truths import Expected, certain, followed, nearest_to, walked

__all__ = ["Trajectory", "trajectory_vectors"]

STEPS = 64


class Trajectory(NamedTuple):
    """A vector, its loss, and its arrays by name."""

    record: Record
    loss: Loss
    arrays: dict[str, NDArray[Any]]


def trajectory_vectors() -> Iterator[Trajectory]:
    """Of all cases that do nothing but walk."""
    for case in all_cases():
        if case.walk and not case.single:
            for dtype in ("float32", "float64"):
                yield _trajectory(case, held(case.loss), format_of(dtype))


def _trajectory(case: Case, loss: Loss, target: Format) -> Trajectory:
    places, tolerances = [rounded(case.theta, target)], []
    for hyper in islice(cycle(case.hypers), STEPS):
        truth = _step(case, places[-1], loss, hyper, target)
        if walked(places[-1], [truth], target) == 0:
            break
        places.append(nearest_to(truth, target))
        tolerances.append(coarse(truth.tolerance + rounding(places[-1].astype(float), target)))
    head = head_record(case, "trajectory", READINGS[case.optimizer][0], target)
    name = head["id"]
    arrays = {f"{name}/theta": numpy.stack(places), f"{name}/tolerance": numpy.stack(tolerances)}
    record = head | {
        "hyper": [hyper_record(hyper) for hyper in case.hypers],
        "theta": numbered(places[0], target),
        "iterations": len(tolerances),
        "loss": name_of(loss),
        "arrays": {"file": ARRAYS, "theta": f"{name}/theta", "tolerance": f"{name}/tolerance"},
        "decidable": True,
        "tolerance": {"rule": "evaluated"},
    }
    return Trajectory(record, loss, arrays)


def _step(case: Case, place: NDArray[Any], loss: Loss, hyper: Mapping[str, Any], target: Format) -> Expected:
    def step() -> list[Expected]:
        arithmetic = Evaluated(target)
        steps = steps_of(formula_of(case.optimizer)(), arithmetic, loss, [hyper])
        return followed(steps, arithmetic.exact(place), 1, target)

    return certain(step)[0]
