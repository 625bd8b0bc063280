"""Vectors of exact projection: the points of a graph nearest to a query, all of them where there are several.

Certified search encloses every nearest point; Newton's method then finds the point in each region, and its interval
form proves that there is one within 10⁻⁶⁰.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy
from numpy.typing import NDArray

from geometry.arithmetic.formats import Format, exact, format_of, rounded
from geometry.arithmetic.precision import working_precision
from rbo_ref.oracle.losses import Bumps, Loss, Quadratic, Ridges, Vector
from rbo_ref.oracle.vectors.drafts import Draft
from rbo_ref.oracle.vectors.loss_records import held, name_of
from rbo_ref.oracle.vectors.notation import Record, enclosed, numbered, tolerated

if TYPE_CHECKING:
    from flint import arb, arb_mat

__all__ = ["FOOTPOINT", "LOCAL", "MEDIAL", "Query", "footpoint_vectors"]

FOOTPOINT = "footpoint"
MEDIAL = "footpoint.medial_axis"
LOCAL = "footpoint.local_minimum"
PRECISION = 512  # bits
NARROW = 2.0**-240  # radius of the enclosures
GRID = 300  # their midpoints are multiples of 2^-GRID


class Query(NamedTuple):
    """A point, and what it is there for."""

    name: str
    loss: Loss
    point: tuple[float, ...]  # numbers that float32 holds
    note: str
    flags: tuple[str, ...] = ()


def footpoint_vectors() -> Iterator[Draft]:
    """All of them, each with its loss."""
    for query in _queries():
        loss = held(query.loss)
        regions = _regions(loss, query.point)
        for dtype in ("float32", "float64"):
            yield _vector(query, loss, regions, format_of(dtype)), loss


def _queries() -> tuple[Query, ...]:
    def array(*numbers: Any) -> NDArray[numpy.float64]:
        return numpy.array(numbers, dtype=float)

    def sines(weights: Any, shifts: Any, amplitudes: Any) -> Ridges:
        return Ridges("sin", array(*weights), array(*shifts), array(*amplitudes))

    valley = Loss((Quadratic(array([1.0]), array(0.0)),))
    trough = Loss((Quadratic(numpy.diag([2.0, 0.5]), array(0.0, 0.0)),))
    saddle = Loss((Quadratic(numpy.diag([1.0, -0.5]), array(0.0, 0.0)),))
    catenary = Loss((Ridges("exp", array([1.0], [-1.0]), array(0.0, 0.0), array(0.5, 0.5)),))
    wells = Loss((Bumps(array([1.5], [-1.5]), -1.0, 0.5),))
    hill = Loss((Bumps(array([0.25, -0.5]), 1.5, 1.0),))
    wave = Loss((sines([[1.0]], [0.0], [1.0]),))
    ripples = Loss((sines([[1.0], [9.0]], [0.5, 0.0], [1.0, 0.125]),))
    egg = Loss((sines([[2.0, 0.0], [0.0, 2.0]], [0.25, 0.5], [0.5, 0.5]),))
    return (
        Query("valley-near", valley, (0.5, 1.0), "within the reach: one nearest point"),
        Query("valley-axis", valley, (0.0, 3.0), "above the bottom of a valley: two nearest points", (MEDIAL,)),
        Query("valley-off-axis", valley, (0.0625, 3.0), "beside the medial axis: a local minimum opposite", (LOCAL,)),
        Query("valley-below", valley, (0.75, -2.0), "below a valley: one nearest point"),
        Query("trough-axis", trough, (0.0, 0.0, 2.0), "above a trough: two nearest points across it", (MEDIAL,)),
        Query("trough-along", trough, (0.0, 0.75, 1.25), "the medial axis seen along the trough", (MEDIAL,)),
        Query("trough-near", trough, (0.375, -0.5, 0.5), "within the reach of a trough"),
        Query("saddle-above", saddle, (0.0, 0.25, 2.5), "above a saddle: two nearest points", (MEDIAL,)),
        Query("saddle-below", saddle, (0.25, 0.0, -4.0), "below a saddle: two nearest points", (MEDIAL,)),
        Query("catenary-axis", catenary, (0.0, 4.0), "above a catenary: two nearest points", (MEDIAL,)),
        Query("catenary-off-axis", catenary, (-0.125, 4.0), "beside the medial axis of a catenary", (LOCAL,)),
        Query("wells-between", wells, (0.0, -2.0), "below the middle of two wells: two nearest points", (MEDIAL,)),
        Query("wells-left", wells, (-0.0625, -2.0), "nearer to the left of two wells", (LOCAL,)),
        Query("hill-beside", hill, (1.5, -0.5, 1.25), "beside a hill"),
        Query("wave-near", wave, (0.5, 1.0), "above the slope of a wave"),
        Query("wave-large-ball", wave, (-1.5, 2.0), "a large ball over a valley of a wave", (LOCAL,)),
        Query("ripples", ripples, (-0.5, 3.0), "many local minima of the distance", (LOCAL,)),
        Query("ripples-far", ripples, (-2.0, 4.0), "many local minima of the distance", (LOCAL,)),
        Query("egg-box", egg, (0.0, 0.0, 2.0), "local minima of the distance in two dimensions", (LOCAL,)),
        Query("egg-box-far", egg, (-0.75, -1.0, 2.0), "local minima of the distance in two dimensions", (LOCAL,)),
    )


# --- nearest points, with a proof -----------------------------------------------------------------------------------


def _regions(loss: Loss, point: tuple[float, ...]) -> list[Vector]:
    """The nearest points, enclosed."""
    from geometry.certified import footpoint

    found = footpoint(loss.graph, numpy.array([point]), tolerance=1e-9)
    lower, upper, unique = found.of(0)
    if not unique.all():
        raise ArithmeticError(f"the nearest points to {point} are not isolated")
    with working_precision(PRECISION):
        query = [exact(x) for x in point]
        roots = [_root(loss, query, low, high) for low, high in zip(lower, upper, strict=True)]
        different = {tuple(ball.mid().man_exp() for ball in root): root for root in roots}  # regions may share a point
        distances = [(_distance(loss, root, query), root) for root in different.values()]
        return [root for own, root in distances if not any(other < own for other, _ in distances)]


def _distance(loss: Loss, theta: Vector, query: Vector) -> arb:
    """|q − (θ, f(θ))|."""
    value, _ = loss.value_and_gradient(theta)
    return sum(((a - b) * (a - b) for a, b in zip([*theta, value], query, strict=True)), 0 * value).sqrt()


def _root(loss: Loss, query: Vector, low: NDArray[Any], high: NDArray[Any]) -> Vector:
    """The stationary point in a region that holds one."""
    from flint import arb

    theta = [exact(x) for x in (low + high) / 2]
    for _ in range(12):
        theta = [ball.mid() for ball in _newton(loss, query, theta, theta)]
    box = [t + arb(0, NARROW) for t in theta]
    root = _newton(loss, query, theta, box)
    proven = all(b.contains_interior(r) for b, r in zip(box, root, strict=True))
    inside = all(a <= r and r <= b for r, a, b in zip(root, low.tolist(), high.tolist(), strict=True))
    if not (proven and inside):
        raise ArithmeticError("Newton's method did not find the stationary point")
    return [_settled(ball) for ball in root]


def _settled(ball: arb) -> arb:
    """Wider, around a number of few bits, so that the way on which Newton's method came does not show."""
    from flint import arb

    man, exp = (ball.mid() * arb(2) ** GRID + 0.5).floor().mid().man_exp()
    return arb((man, exp - GRID), NARROW)


def _newton(loss: Loss, query: Vector, theta: Vector, box: Vector) -> Vector:
    """θ − J(box)⁻¹F(θ), F = (θ − x) + (f − y)∇f: every zero of F in the box is in there."""
    *across, height = query
    value, gradient = loss.value_and_gradient(theta)
    pull = [(t - x) + (value - height) * g for t, x, g in zip(theta, across, gradient, strict=True)]
    move = _jacobian(loss, box, height).solve(_column(pull))
    return [t - move[i, 0] for i, t in enumerate(theta)]


def _jacobian(loss: Loss, theta: Vector, height: arb) -> arb_mat:
    from flint import arb_mat

    value, gradient = loss.value_and_gradient(theta)
    slopes = _column(gradient)
    bent = loss.hessian(theta) * (value - height) + numpy.eye(len(theta))
    return arb_mat(bent.tolist()) + slopes * slopes.transpose()


def _column(vector: Vector) -> arb_mat:
    """A vector as a matrix of one column."""
    from flint import arb_mat

    return arb_mat([[x] for x in vector])


# --- vectors --------------------------------------------------------------------------------------------------------


def _vector(query: Query, loss: Loss, branches: list[Vector], target: Format) -> Record:
    balls = [numpy.array(branch, dtype=object) for branch in branches]
    size = max(
        1.0, *(abs(x) for x in query.point), *(float(abs(ball).upper()) for branch in branches for ball in branch)
    )
    return {
        "id": f"{FOOTPOINT}.{query.name}.{target.name}",
        "optimizer": FOOTPOINT,
        "kind": "footpoint",
        "dialect": "exact",
        "dtype": target.name,
        "note": query.note,
        "loss": name_of(loss),
        "point": numbered(rounded(query.point, target), target),
        "flags": list(query.flags),
        "decidable": True,
        "expected": {"branches": [enclosed(ball, target) for ball in balls]},
        "tolerance": {"rule": "square-root", "theta": tolerated(2 * numpy.sqrt(target.unit) * size)},
    }
