"""Laws of the distance to surfaces given by parameters or by samples, and of their footpoints."""

from __future__ import annotations

from functools import partial

from rbo_ref.laws._surface_queries import found_at, told_of, tolerance_of
from rbo_ref.laws.law import BATCHES, Draw, Trial, law
from rbo_ref.strategies import SurfaceQuery, batch_shapes, parametric_queries, sampled_queries

__all__: list[str] = []

PARAMETRIC = "circles, tori and graphs, written by parameters; |r| up to half the reach"
FEDERER = "H. Federer, Curvature measures (1959), Theorem 4.8"


@law("distance+parametric", domain=f"{PARAMETRIC}; {BATCHES}", source=FEDERER)
def parametric_parallel(trial: Trial, draw: Draw) -> None:
    """Along a normal the distance is the length, d(p + rν(p)) = |r|; a batch is its items."""
    _along_a_normal(trial, draw, draw(parametric_queries()))


@law("project+parametric", domain=PARAMETRIC, source=FEDERER)
def parametric_footpoint(trial: Trial, draw: Draw) -> None:
    """A whole piece of a normal has one footpoint: proj(p + rν(p)) = p."""
    query = draw(parametric_queries())
    found = found_at(trial, query, query.point)
    trial.same("proj(q)", found, query.footpoint, tolerance_of(trial, query), told_of(query))


@law(
    "distance+sampled",
    domain=f"paraboloids sampled on a grid; |r| up to half the reach; {BATCHES}",
    source=f"{FEDERER}; a polynomial is its own spline",
)
def sampled_parallel(trial: Trial, draw: Draw) -> None:
    """Between the samples the surface is smooth: along a normal the distance is the length, d(p + rν(p)) = |r|."""
    _along_a_normal(trial, draw, draw(sampled_queries()))


def _along_a_normal(trial: Trial, draw: Draw, query: SurfaceQuery) -> None:
    tolerance, told, call = tolerance_of(trial, query), told_of(query), partial(found_at, trial, query)
    trial.same("d(q)", call(query.point), abs(query.offset), tolerance, told)
    middle = (query.point + query.footpoint) / 2
    trial.same("d(q)", call(middle), abs(query.offset) / 2, tolerance, told)
    trial.batched(call, [query.point, middle], draw(batch_shapes()), tolerance, told)
