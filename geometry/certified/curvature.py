"""Reach, critical radius and medial radius of a graph, each with a proof."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy

from geometry._namespace import Array, broadcast, floating, positive, to_numpy
from geometry.arithmetic.intervals import interval
from geometry.certified._batches import Problem, Report, solved
from geometry.certified._border import Home, checked, numbers, sides
from geometry.certified._branching import Bounds, gap
from geometry.certified._cells import Cells, derivatives, evaluated
from geometry.certified._curvature import ExtremeCurvature, extreme_curvature, shape_operator
from geometry.certified._medial import medial_radii
from geometry.certified._model import Model, mirrored
from geometry.certified._problems import Solution
from geometry.certified._slips import check_near, check_within
from geometry.certified.enclosure import Decision, Enclosure
from geometry.graph import FunctionGraph, check_surface

__all__ = ["critical_radius", "medial_radius", "reach", "reachable"]

LARGEST = 2**15  # boxes to begin with
SAMPLED = 12  # binary logarithm of the places where a great curvature is looked for before
PROBES, DROPPED = 16, 0.25  # boxes that are looked at, and the share of them that is to be dropped
SIDES = ("above", "below", "both")


def reach(
    surface: FunctionGraph,
    box: Sequence[tuple[float, float]] | Array,
    *,
    side: str = "both",
    tolerance: float = 1e-6,
    max_boxes: int = 1_000_000,
    progress: bool | Report = False,
) -> Enclosure:
    """Reach of a graph over a box: 1 / sup |κ| over all principal curvatures κ, between bounds that are proven.

    The graph of a C¹ function has no bottleneck, two sheets that face each other, so that its reach is the least radius
    of curvature.

    Parameters
    ----------
    surface : FunctionGraph
        As in `distance`.
    box : sequence of (low, high)
        One pair for each dimension of θ. What is outside has no say.
    side : {"both", "above", "below"}
        "above" counts what stops a ball above the graph, positive curvatures with respect to the upward normal; "below"
        the negative ones; "both" is the reach.
    tolerance : float
        Largest width, upper − lower, asked for; a length.
    max_boxes : int
        Largest number of boxes to examine.
    progress
        As in `distance`.

    Returns
    -------
    Enclosure
        Of shape (), and of the library of the box, if that is an array. ∞ where nothing bends. Where f has a kink the
        reach is 0, and so is the lower bound.

    Raises
    ------
    TypeError, ValueError
        For arguments of the wrong kind or shape, and for functions that cannot be recorded.

    References
    ----------
    H. Federer, "Curvature measures", Trans. Amer. Math. Soc. 93 (1959), Theorem 4.18.

    Examples
    --------
    The smallest circles of curvature of (θ² − 1)² are not those at the bottom of the wells, where the radius is 1/8:

    >>> well = FunctionGraph(lambda t: (t[..., 0] ** 2 - 1) ** 2)
    >>> found = reach(well, [(-2, 2)], tolerance=1e-9)
    >>> found.lower.round(8), bool(found.closed)
    (np.float64(0.12228568), True)
    """
    options = _checked(surface, side, tolerance, max_boxes, progress)
    home, (low, high) = sides(box)
    d = len(low)
    both, upside = side == "both", surface if side != "below" else mirrored(surface)
    check_within(surface, low, high)
    extreme = ExtremeCurvature(upside, d, both)
    first = _first_boxes(extreme, low, high, min(LARGEST, 1 + max_boxes // 4))
    cells = Cells(d, extreme)
    roots = cells.add(*first)

    def bounds(query: numpy.ndarray, cell: numpy.ndarray, _: numpy.ndarray) -> Bounds:
        over, at_center = cells.known.lo[0, cell], cells.known.lo[1, cell]
        return Bounds(over, at_center, cells.center[cell])

    nobody, known = numpy.zeros(len(roots), dtype=int), numpy.array([-extreme.greatest])
    problem = Problem(cells, bounds, nobody, roots, known, extreme.place[None])
    one = numpy.zeros(1, dtype=int)
    _, _, found = next(solved(one, lambda _: problem, one, one, gap=_radius_gap, **options))
    solution = Solution(*_radii(found.lower, found.upper), found.theta, found.boxes)
    return home.enclosure(solution, tolerance, (), _stuck(surface, found.theta) if both else side)


def _first_boxes(
    extreme: ExtremeCurvature, low: numpy.ndarray, high: numpy.ndarray, at_most: int
) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Boxes (n, d) that cover a box: about the largest of which some bend less than the surface elsewhere, if any do.

    The greatest curvature nearby, to which they are compared, is searched for in floats, and proven where it is found.
    """
    d = len(low)
    extreme.ascend(*_grid(low, high, 2 ** (SAMPLED // d)), low, high)
    turns = numpy.sqrt(numpy.arange(2.0, d + 2.0))
    places = low + numpy.arange(1, PROBES + 1)[:, None] * turns % 1 * (high - low)
    for level in range(int(math.log2(at_most)) // d + 1):
        center, radius = _grid(low, high, 2**level)
        over = extreme.by_hessian(places, numpy.broadcast_to(radius[0], places.shape))
        if (over < extreme.greatest).mean() > DROPPED:
            extreme.ascend(center, radius, low, high)
            return center, radius
    return _grid(low, high, 1)


def _grid(low: numpy.ndarray, high: numpy.ndarray, number: int) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Center and radius of boxes, so many along each axis."""
    ends = [numpy.linspace(a, b, number + 1) for a, b in zip(low, high, strict=True)]
    below, above = (
        numpy.stack(numpy.meshgrid(*part), axis=-1).reshape(-1, len(low))
        for part in ([e[:-1] for e in ends], [e[1:] for e in ends])
    )
    center = below / 2 + above / 2
    return center, (interval(below, above) - center).mag


def _stuck(surface: FunctionGraph, theta: numpy.ndarray) -> str:
    """On which side the curvature is greatest at θ (1, d)."""
    form, _ = evaluated(lambda form: shape_operator(*derivatives(surface, form)[1:]), theta)
    high, low = (extreme_curvature(f)[1][0] for f in (form, -form))
    return "below" if low > high else "above"


def critical_radius(
    surface: FunctionGraph,
    box: Sequence[tuple[float, float]] | Array,
    *,
    tolerance: float = 1e-6,
    max_boxes: int = 1_000_000,
    progress: bool | Report = False,
) -> Enclosure:
    """1 / the greatest positive curvature: up to this radius a ball above touches every point of the graph.

    Parameters
    ----------
    surface, box, tolerance, max_boxes, progress
        As in `reach`.

    Returns
    -------
    Enclosure
        Of shape ().

    Raises
    ------
    TypeError, ValueError
        As `reach`.

    Examples
    --------
    >>> import numpy as np
    >>> wave = FunctionGraph(lambda t: np.sin(t[..., 0]))
    >>> found = critical_radius(wave, [(-4, 4)])
    >>> 1.0 in found, bool(found.closed)
    (True, True)
    """
    options: dict[str, Any] = {"tolerance": tolerance, "max_boxes": max_boxes}
    return reach(surface, box, side="above", progress=progress, **options)


def medial_radius(
    surface: FunctionGraph,
    theta: Array,
    *,
    side: str = "above",
    box: Sequence[tuple[float, float]] | Array | None = None,
    tolerance: float = 1e-6,
    max_boxes: int = 100_000,
    progress: bool | Report = False,
) -> Enclosure:
    """Radius of the largest ball that touches a graph at a point and has no point of it inside.

    ρ_max(p) = inf |q − p|²/(2(q − p)·ν(p)) over the points q of the graph with (q − p)·ν(p) > 0, which is at most the
    radius of curvature. A ball of a greater radius cannot touch at p.

    Parameters
    ----------
    surface : FunctionGraph
        As in `distance`.
    theta : array (..., d)
        Of the points p.
    side : {"above", "below"}
        Where the ball is.
    box : sequence of (low, high), optional
        Which points q count. Default: all.
    tolerance, max_boxes, progress
        As in `distance`.

    Returns
    -------
    Enclosure
        Of shape (...). Where no ball is stopped, as on the outside of a convex graph, the radius is ∞, which a search
        of the whole space cannot prove: the lower bound tells how far it went.

    Raises
    ------
    TypeError, ValueError
        As `reach`.

    Examples
    --------
    The largest ball that touches a parabola at θ is centred on its axis, at distance √(θ² + 1):

    >>> bowl = FunctionGraph(lambda t: t[..., 0] ** 2 / 2)
    >>> found = medial_radius(bowl, [[0.75], [2.0]])
    >>> found.upper.round(5), found.closed
    (array([1.25   , 2.23607]), array([ True,  True]))
    """
    home, batch, found = _medial(surface, theta, side, box, numpy.inf, tolerance, max_boxes, progress)
    return home.enclosure(found, tolerance, batch)


def reachable(
    surface: FunctionGraph,
    theta: Array,
    radius: Array,
    *,
    side: str = "above",
    box: Sequence[tuple[float, float]] | Array | None = None,
    tolerance: float = 1e-6,
    max_boxes: int = 100_000,
    progress: bool | Report = False,
) -> Decision:
    """Whether a ball of a radius can touch a graph at points without crossing it, where that is proven.

    Parameters
    ----------
    surface, theta, side, box, max_boxes, progress
        As in `medial_radius`.
    radius : float or array
        ρ > 0, finite; broadcasts against the batch.
    tolerance : float
        Radii that are nearer than that to ρ_max may be left open.

    Returns
    -------
    Decision
        No point farther than 2ρ has a say, so that the search always ends.

    Raises
    ------
    TypeError, ValueError
        As `reach`.

    Examples
    --------
    >>> import numpy as np
    >>> wave = FunctionGraph(lambda t: np.sin(t[..., 0]))
    >>> found = reachable(wave, [[-np.pi / 2], [0.0], [np.pi / 2]], 2.0)
    >>> found.yes, found.no
    (array([False,  True,  True]), array([ True, False, False]))
    """
    positive("radius", radius)
    radius = to_numpy(floating("radius", radius)[1]).astype(float)
    if not numpy.isfinite(radius).all():
        raise ValueError("radius must be finite")
    home, batch, found = _medial(surface, theta, side, box, radius, tolerance, max_boxes, progress)
    rho = numpy.broadcast_to(radius, batch)
    lower, upper, boxes = (part.reshape(batch) for part in (found.lower, found.upper, found.boxes))
    return Decision(*map(home.count, (lower >= rho, upper < rho, boxes)))


def _medial(
    surface: FunctionGraph, theta: Array, side: str, box: Any, radius: Any, tolerance: float, *budget: Any
) -> tuple[Home, tuple[int, ...], Solution]:
    """Where answers go, the batch, and bounds of ρ_max, of which no more is asked than whether it is as much as ρ."""
    options = _checked(surface, side, tolerance, *budget)
    if side == "both":
        raise ValueError("side must be 'above' or 'below', got 'both'")
    home, theta = numbers("theta", theta)
    if theta.ndim == 0 or theta.shape[-1] == 0:
        raise ValueError(f"theta must have shape (..., d) with d >= 1, got {theta.shape}")
    ends = None if box is None else sides(box)[1]
    batch, d = broadcast(theta=theta.shape[:-1], radius=numpy.shape(radius)), theta.shape[-1]
    if ends is not None and len(ends[0]) != d:
        raise ValueError(f"box must have {d} pairs for theta of shape {theta.shape}, got {len(ends[0])}")
    theta = numpy.broadcast_to(theta, (*batch, d)).reshape(-1, d)
    cap = numpy.nextafter(numpy.broadcast_to(radius, batch).reshape(-1) + tolerance, numpy.inf)
    check_near(surface, theta, numpy.ones(len(theta)))
    model = Model(mirrored(surface) if side == "below" else surface, d)
    return home, batch, medial_radii(model, theta, ends, cap, **options)


def _radii(lower: numpy.ndarray, upper: numpy.ndarray) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Bounds of 1/κ, from bounds of −κ; ∞ where κ ≤ 0."""
    with numpy.errstate(divide="ignore"):
        least = numpy.where(lower < 0, numpy.nextafter(-1 / lower, 0), numpy.inf)
        most = numpy.where(upper < 0, numpy.nextafter(-1 / upper, numpy.inf), numpy.inf)
    return least, most


def _radius_gap(lower: numpy.ndarray, upper: numpy.ndarray) -> numpy.ndarray:
    return gap(*_radii(lower, upper))


# The border.


def _checked(surface: FunctionGraph, side: str, *options: Any) -> dict[str, Any]:
    check_surface(surface)
    if side not in SIDES:
        raise ValueError(f"side must be 'above', 'below' or 'both', got {side!r}")
    return checked(*options)
