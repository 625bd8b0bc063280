"""Vectors of long trajectories of the Rolling Ball Optimizer, as arrays: from each row one step leads to the next."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle, islice
from typing import Any, NamedTuple

import numpy
from numpy.typing import NDArray

from rbo_ref.oracle.cases import Case, all_cases
from rbo_ref.oracle.dialects import DIALECTS
from rbo_ref.oracle.losses import Loss
from rbo_ref.oracle.optimizers.truth import Problem
from rbo_ref.oracle.rounding import Format, format_of, rounded
from rbo_ref.oracle.suite import ROLLING_BALL
from rbo_ref.oracle.tolerance import rounding
from rbo_ref.oracle.truth import Hyper
from rbo_ref.oracle.vectors.arithmetic import Evaluated
from rbo_ref.oracle.vectors.formulas import walk
from rbo_ref.oracle.vectors.losses import held, name_of
from rbo_ref.oracle.vectors.numbers import Record, coarse, numbered
from rbo_ref.oracle.vectors.reading import ARRAYS
from rbo_ref.oracle.vectors.records import hyper_record
from rbo_ref.oracle.vectors.truths import Truth, certain, followed, nearest_to, walked

__all__ = ["Trajectory", "trajectory_vectors"]

STEPS = 64
AUTHORS = DIALECTS["authors"]


class Trajectory(NamedTuple):
    """A vector, its loss, and its arrays by name."""

    record: Record
    loss: Loss
    arrays: dict[str, NDArray[Any]]


def trajectory_vectors() -> Iterator[Trajectory]:
    """Of all cases that do nothing but walk."""
    for case in all_cases(0):
        if case.walk and not case.single:
            for dtype in ("float32", "float64"):
                yield _trajectory(case, held(case.loss), format_of(dtype))


def _trajectory(case: Case, loss: Loss, target: Format) -> Trajectory:
    places, tolerances = [rounded(case.theta, target)], []
    for hyper in islice(cycle(case.hypers), STEPS):
        truth = _step(places[-1], loss, hyper, target)
        if walked(places[-1], [truth], target) == 0:
            break
        places.append(nearest_to(truth, target))
        tolerances.append(coarse(truth.tolerance + rounding(places[-1].astype(float), target)))
    name = f"{ROLLING_BALL}.trajectory.{case.id}.{AUTHORS.name}.{target.name}"
    arrays = {f"{name}/theta": numpy.stack(places), f"{name}/tolerance": numpy.stack(tolerances)}
    record = {
        "id": name,
        "optimizer": ROLLING_BALL,
        "kind": "trajectory",
        "dialect": AUTHORS.name,
        "dtype": target.name,
        "note": case.note,
        "hyper": [hyper_record(hyper._asdict()) for hyper in case.hypers],
        "theta": numbered(places[0], target),
        "iterations": len(tolerances),
        "loss": name_of(loss),
        "arrays": {"file": ARRAYS, "theta": f"{name}/theta", "tolerance": f"{name}/tolerance"},
        "decidable": True,
        "tolerance": {"rule": "evaluated"},
    }
    return Trajectory(record, loss, arrays)


def _step(place: NDArray[Any], loss: Loss, hyper: Hyper, target: Format) -> Truth:
    def step() -> list[Truth]:
        arithmetic = Evaluated(target)
        formula = walk(Problem(arithmetic, loss), arithmetic.exact(place), [hyper], AUTHORS)
        return followed(formula, place, 1, target)

    return certain(step)[0]
