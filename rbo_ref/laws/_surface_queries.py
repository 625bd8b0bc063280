"""What is asked about query points of surfaces, whose footpoints are known: answers, words, tolerances."""

from __future__ import annotations

from typing import Any

import numpy

from rbo_ref.laws.law import Numbers, Trial
from rbo_ref.strategies import SurfaceQuery

__all__ = ["found_at", "told_of", "tolerance_of"]


def found_at(trial: Trial, query: SurfaceQuery, point: Any) -> Numbers:
    """The answer at a point, of a footpoint its place."""
    of = "point" if any(verb.startswith("project") for verb in trial.law.verbs) else None
    return trial.answer(query.surface, trial.array(point), of=of, given=told_of(query))


def told_of(query: SurfaceQuery) -> dict[str, Any]:
    return {"surface": query.name, "q": query.point, "footpoint": query.footpoint, "r": query.offset}


def tolerance_of(trial: Trial, query: SurfaceQuery) -> float:
    """A residual of ε^(3/4) of the coordinates; below half the reach it is doubled at most."""
    size = 1 + float(numpy.abs(query.point).sum() + numpy.abs(query.footpoint).sum())
    return 8 * (2 * trial.unit) ** 0.75 * size + trial.tolerance
