"""Laws of the distance to implicit surfaces {F = 0} and of their footpoints, which are points x."""

from __future__ import annotations

from functools import partial

from rbo_ref.laws._surface_queries import found_at, told_of, tolerance_of
from rbo_ref.laws.law import BATCHES, Draw, Trial, law
from rbo_ref.strategies import batch_shapes, implicit_queries

__all__: list[str] = []

VERBS = ("distance+level", "signed_distance+level", "project+level")
DOMAIN = "spheres, ellipsoids, planes, cylinders, tori; |r| up to half the reach"
FEDERER = "H. Federer, Curvature measures (1959), Theorem 4.8"


@law("distance+level", domain=DOMAIN, source=FEDERER)
def level_parallel(trial: Trial, draw: Draw) -> None:
    """Along a normal the distance is the length: d(p + rν(p)) = |r|."""
    query = draw(implicit_queries())
    found = found_at(trial, query, query.point)
    trial.same("d(q)", found, abs(query.offset), tolerance_of(trial, query), told_of(query))


@law("signed_distance+level", domain=DOMAIN, source=f"{FEDERER}; positive where F is")
def level_signed(trial: Trial, draw: Draw) -> None:
    """Along a normal the signed distance is the length, with the sign of F: s(p + rν(p)) = r."""
    query = draw(implicit_queries())
    found = found_at(trial, query, query.point)
    trial.same("s(q)", found, query.offset, tolerance_of(trial, query), told_of(query))


@law("project+level", domain=DOMAIN, source=FEDERER)
def level_footpoint(trial: Trial, draw: Draw) -> None:
    """A whole piece of a normal has one footpoint: proj(p + rν(p)) = p."""
    query = draw(implicit_queries())
    found = found_at(trial, query, query.point)
    trial.same("proj(q)", found, query.footpoint, tolerance_of(trial, query), told_of(query))


@law(*VERBS, domain=f"{DOMAIN}; {BATCHES}", source="leading dimensions are a batch")
def level_batches(trial: Trial, draw: Draw) -> None:
    """A batch is its items, in whatever shape they are given."""
    query = draw(implicit_queries())
    points = [query.point, -query.point, query.footpoint]  # all these surfaces are symmetric
    trial.batched(
        partial(found_at, trial, query), points, draw(batch_shapes()), tolerance_of(trial, query), told_of(query)
    )
