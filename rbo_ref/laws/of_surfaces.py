"""Laws of the distance to surfaces given by parameters or by samples, and of their footpoints."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy

from rbo_ref.laws.law import BATCHES, Draw, Numbers, Trial, law
from rbo_ref.strategies import SurfaceQuery, batch_shapes, parametric_queries, sampled_queries

__all__: list[str] = []

PARAMETRIC = "circles, tori and graphs, written by parameters; |r| up to half the reach"
FEDERER = "H. Federer, Curvature measures (1959), Theorem 4.8"


def _found(trial: Trial, query: SurfaceQuery, point: Any) -> Numbers:
    of = "point" if "project+parametric" in trial.law.verbs else None
    return trial.answer(query.surface, trial.array(point), of=of, given=_told(query))


def _told(query: SurfaceQuery) -> dict[str, Any]:
    return {"surface": query.name, "q": query.point, "footpoint": query.footpoint, "r": query.offset}


def _tolerance(trial: Trial, query: SurfaceQuery) -> float:
    """A residual of ε^(3/4) of the coordinates; below half the reach it is doubled at most."""
    size = 1 + float(numpy.abs(query.point).sum() + numpy.abs(query.footpoint).sum())
    return 8 * (2 * trial.unit) ** 0.75 * size + trial.tolerance


@law("distance+parametric", domain=f"{PARAMETRIC}; {BATCHES}", source=FEDERER)
def parametric_parallel(trial: Trial, draw: Draw) -> None:
    """Along a normal the distance is the length, d(p + rν(p)) = |r|; a batch is its items."""
    _along_a_normal(trial, draw, draw(parametric_queries()))


@law("project+parametric", domain=PARAMETRIC, source=FEDERER)
def parametric_footpoint(trial: Trial, draw: Draw) -> None:
    """A whole piece of a normal has one footpoint: proj(p + rν(p)) = p."""
    query = draw(parametric_queries())
    found = _found(trial, query, query.point)
    trial.same("proj(q)", found, query.footpoint, _tolerance(trial, query), _told(query))


@law(
    "distance+sampled",
    domain=f"paraboloids sampled on a grid; |r| up to half the reach; {BATCHES}",
    source=f"{FEDERER}; a polynomial is its own spline",
)
def sampled_parallel(trial: Trial, draw: Draw) -> None:
    """Between the samples the surface is smooth: along a normal the distance is the length, d(p + rν(p)) = |r|."""
    _along_a_normal(trial, draw, draw(sampled_queries()))


def _along_a_normal(trial: Trial, draw: Draw, query: SurfaceQuery) -> None:
    tolerance, told, call = _tolerance(trial, query), _told(query), partial(_found, trial, query)
    trial.same("d(q)", call(query.point), abs(query.offset), tolerance, told)
    middle = (query.point + query.footpoint) / 2
    trial.same("d(q)", call(middle), abs(query.offset) / 2, tolerance, told)
    trial.batched(call, [query.point, middle], draw(batch_shapes()), tolerance, told)
