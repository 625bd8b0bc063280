"""Laws of the distance to implicit surfaces {F = 0} and of their footpoints, which are points x."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy

from rbo_ref.laws.law import BATCHES, Draw, Numbers, Trial, law
from rbo_ref.strategies import ImplicitQuery, batch_shapes, implicit_queries

__all__: list[str] = []

VERBS = ("distance+level", "signed_distance+level", "project+level")
DOMAIN = "spheres, ellipsoids, planes, cylinders, tori; |r| up to half the reach"
FEDERER = "H. Federer, Curvature measures (1959), Theorem 4.8"


def _found(trial: Trial, query: ImplicitQuery, point: Any) -> Numbers:
    of = "theta" if "project+level" in trial.law.verbs else None
    return trial.answer(query.surface, trial.array(point), of=of, given=_told(query))


def _told(query: ImplicitQuery) -> dict[str, Any]:
    return {"F(x)": query.name, "q": query.point, "footpoint": query.footpoint, "r": query.offset}


def _tolerance(trial: Trial, query: ImplicitQuery) -> float:
    """A residual of ε^(3/4) of the coordinates; below half the reach it is doubled at most."""
    size = 1 + float(numpy.abs(query.point).sum() + numpy.abs(query.footpoint).sum())
    return 8 * (2 * trial.unit) ** 0.75 * size + trial.tolerance


@law("distance+level", domain=DOMAIN, source=FEDERER)
def level_parallel(trial: Trial, draw: Draw) -> None:
    """Along a normal the distance is the length: d(p + rν(p)) = |r|."""
    query = draw(implicit_queries())
    found = _found(trial, query, query.point)
    trial.same("d(q)", found, abs(query.offset), _tolerance(trial, query), _told(query))


@law("signed_distance+level", domain=DOMAIN, source=f"{FEDERER}; positive where F is")
def level_signed(trial: Trial, draw: Draw) -> None:
    """Along a normal the signed distance is the length, with the sign of F: s(p + rν(p)) = r."""
    query = draw(implicit_queries())
    found = _found(trial, query, query.point)
    trial.same("s(q)", found, query.offset, _tolerance(trial, query), _told(query))


@law("project+level", domain=DOMAIN, source=FEDERER)
def level_footpoint(trial: Trial, draw: Draw) -> None:
    """A whole piece of a normal has one footpoint: proj(p + rν(p)) = p."""
    query = draw(implicit_queries())
    found = _found(trial, query, query.point)
    trial.same("proj(q)", found, query.footpoint, _tolerance(trial, query), _told(query))


@law(*VERBS, domain=f"{DOMAIN}; {BATCHES}", source="leading dimensions are a batch")
def level_batches(trial: Trial, draw: Draw) -> None:
    """A batch is its items, in whatever shape they are given."""
    query = draw(implicit_queries())
    points = [query.point, -query.point, query.footpoint]  # all these surfaces are symmetric
    trial.batched(partial(_found, trial, query), points, draw(batch_shapes()), _tolerance(trial, query), _told(query))
