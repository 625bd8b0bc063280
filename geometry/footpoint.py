"""Footpoints: the points of a surface nearest to query points.

All solvers here are local: they find a stationary point of the distance, and its distance is an *upper bound* of the
true one. Half the squared distance of the query q = (x, y) to the point (θ, f(θ)), its gradient and its Hessian in θ:

    φ(θ) = ½|θ − x|² + ½(f(θ) − y)²,   ∇φ = (θ − x) + (f − y) g,   ∇²φ = G + (f − y) H,   G = I + g gᵀ.

On a level set, whose parameters are points of the ambient space, the same steps are taken in its tangent spaces.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import singledispatch
from typing import Any, Protocol

import numpy

from geometry import _safeguarded
from geometry._autodiff import constant, is_differentiable, is_recorded
from geometry._chart_search import descend
from geometry._compilable import SEARCH
from geometry._contact import Contact, Status, choose
from geometry._feet import Footpoints, footpoints, known_of, parts_known
from geometry._implicit import attached, attached_to_level_set, attached_to_parameters, still
from geometry._itemwise import by_items
from geometry._kernels import kernel
from geometry._lending import lend
from geometry._level_search import LevelChart
from geometry._namespace import (
    Array,
    array_namespace,
    broadcast,
    count_dtype,
    device_of,
    epsilon,
    fixed,
    floating,
    is_dask,
    per_item,
    positive,
    quietly,
    repeat,
    whole,
)
from geometry._trees import Tree
from geometry._vectors import length
from geometry.graph import check_graph_of
from geometry.level_set import LevelSet
from geometry.parametric import Parametric
from geometry.surface import Surface, check_any_surface

__all__ = [
    "Descent",
    "Footpoints",
    "GaussNewton",
    "MultiStart",
    "Newton",
    "Solver",
    "Status",
    "nearest_of",
    "project",
]


class Solver(Protocol):
    """Anything that finds footpoints: `project` validates the arguments and calls `solve`."""

    def solve(self, surface: Surface, query: Array, theta: Array) -> Footpoints: ...


@quietly
def project(surface: Surface, points: Array, solver: Solver | None = None, *, start: Array | None = None) -> Footpoints:
    """Footpoints on `surface` of query points, p = proj_Γ(q).

    Parameters
    ----------
    surface : FunctionGraph or LevelSet
    points : array (..., d+1)
        Query points, height last.
    solver : Descent, GaussNewton, Newton or MultiStart, optional
        Default: `Newton` where the surface has second derivatives for this array library, else `GaussNewton`.
    start : array (..., d), optional
        Where the search starts; default: below the query, at its own θ. Broadcasts against `points`. For a level set it
        is a point (..., d+1), by default the query.

    Returns
    -------
    Footpoints
        Per item; numerical trouble is a status, never an exception.

    Raises
    ------
    TypeError, ValueError
        For arguments of the wrong kind or shape.

    Notes
    -----
    The footpoint found is a local one: its distance is an upper bound of the distance to Γ. `MultiStart` makes a wrong
    basin less likely, not impossible.

    Footpoints of dask arrays are lazy: blocks of queries are searched by themselves, with the function on their arrays.

    PyTorch and JAX differentiate footpoints by their query and by whatever the surface depends on, JAX in both modes:
    by the implicit function theorem, to second order, whatever way the search took and wherever it started. The
    derivatives are those of a footpoint; where `status` is not ``CONVERGED`` they mean nothing. Second derivatives of
    the surface are needed; if there are none, asking for a derivative raises a `TypeError`. The fixed loop `Descent` is
    differentiated step by step: it is what it does.

    Examples
    --------
    >>> import numpy as np
    >>> from geometry import FunctionGraph
    >>> bowl = FunctionGraph(lambda t: np.sum(t**2, axis=-1) / 2, lambda t: t)
    >>> foot = project(bowl, [0.5, 1.0])   # the footpoint s solves s³/2 + (1−y)s = x
    >>> foot.theta.round(12), bool(foot.converged)
    (array([1.]), True)
    """
    check_any_surface(surface)
    if isinstance(solver, type) or not (solver is None or hasattr(solver, "solve")):
        raise TypeError(f"solver must be an instance of Descent, GaussNewton, Newton or MultiStart, got {solver!r}")
    xp, points = floating("points", points)
    if points.ndim == 0 or points.shape[-1] < 2:
        raise ValueError(f"points must have shape (..., d+1) with d >= 1, got {tuple(points.shape)}")
    if start is None:
        start = surface.start_of(points)
    xp, points, start = floating("points and start", points, start)
    d = surface.parameters_of(points).shape[-1]
    if start.ndim == 0 or start.shape[-1] != d:
        raise ValueError(f"start must have shape (..., {d}), got {tuple(start.shape)}")
    batch = broadcast(points=points.shape[:-1], start=start.shape[:-1])
    points = xp.broadcast_to(points, (*batch, points.shape[-1]))
    start = xp.broadcast_to(start, (*batch, start.shape[-1]))
    if is_dask(points) and not isinstance(solver, Descent):  # whose loop is lazy as it is
        return _lazily(surface, points, start, solver)
    if solver is None:
        solver = Newton() if surface.has_second_order(start) else GaussNewton()
    return solver.solve(surface, points, start)


def _lazily(surface: Surface, points: Array, start: Array, solver: Solver | None) -> Footpoints:
    """Footpoints of dask arrays: those of each block of queries by themselves."""

    def feet(points: Array, start: Array) -> tuple[Array, ...]:
        found = project(surface, points, solver, start=start)
        return (*known_of(found), found.steps, found.status)

    theta, scalar = (start.shape[-1:], start.dtype), ((), start.dtype)
    of_known = (theta, scalar, theta)[: parts_known(surface)]
    count = ((), count_dtype(array_namespace(start), start))
    *known, steps, status = by_items(feet, ((points, 1), (start, 1)), (*of_known, count, count))
    return footpoints(surface, points, steps, tuple(known), status)


@dataclass(frozen=True)
class Descent(Tree):
    """The inner loop of the paper: θ ← θ − γ∇φ(θ), a fixed number of times, without a stopping test or a safeguard.

    It follows the *half* squared distance, as the authors' code does; the paper leaves the factor open. Exactly `steps`
    gradients are evaluated. A rate above 2/λ_max(∇²φ) makes the iteration diverge: the result is what it is, and its
    `Status` says so.

    Parameters
    ----------
    rate : float or array
        γ > 0; an array broadcasts against the batch.
    steps : int
        P ≥ 0.

    References
    ----------
    Belgoumri et al. (2025), Section 5 and v3, Eq. (4).

    Examples
    --------
    >>> import numpy as np
    >>> from geometry import FunctionGraph
    >>> plane = FunctionGraph(lambda t: t[..., 0], np.ones_like)
    >>> project(plane, [0.0, 1.0], Descent(0.25, 1)).theta   # ∇φ(0) = (0 − 1)·1
    array([0.25])
    """

    rate: Any
    steps: int

    def __post_init__(self) -> None:
        positive("rate", self.rate)
        whole("steps", self.steps)

    def solve(self, surface: Any, query: Array, theta: Array) -> Footpoints:
        check_graph_of("Descent", surface)
        xp = array_namespace(theta)
        rate = per_item(xp, "rate", self.rate, theta)
        if not isinstance(rate, float):
            theta = theta + xp.zeros_like(rate)
        x, y = query[..., :-1], query[..., -1:]

        def step(theta: Array) -> Array:
            value, gradient = surface.value_and_gradient(theta)
            return theta - rate * ((theta - x) + (value[..., None] - y) * gradient)

        expression = surface.to_compile(theta, self.steps)
        lent, back = lend(query, theta, rate)
        if expression is not None and (compiled := kernel("descent", array_namespace(*lent))) is not None:
            theta = back(compiled(expression, *lent, self.steps))
        else:
            theta = repeat(self.steps, step, theta, query)
        taken = xp.full(theta.shape[:-1], self.steps, dtype=count_dtype(xp, theta), device=device_of(theta))
        return Footpoints(surface, query, theta, taken)


@dataclass(frozen=True)
class GaussNewton(Tree):
    """Gauss–Newton steps of O(d), with a secant step length and a safeguard. No second derivative is needed.

    ∇²φ without its curvature term is G = I + g gᵀ, and the Sherman–Morrison formula gives the step −G⁻¹∇φ. Its length
    starts at 1 and is corrected by the secant (Barzilai–Borwein) quotient in the metric G, which makes the iteration
    superlinear for d = 1; a step is taken only if it brings the point nearer (Armijo), so that but for rounding it
    never is farther than the start. Without second derivatives a maximum of the distance cannot be told from a
    minimum: where symmetry may have kept θ on one, the search looks beside; a start within its rounding stalls.

    Parameters
    ----------
    tolerance : float, optional
        Stop when the residual is at most this fraction of the size of the coordinates and of the distance. Default:
        ε^(3/4) of the dtype (1.8e-12 in float64).
    max_steps : int
        Largest number of evaluations after the first.

    Examples
    --------
    >>> import numpy as np
    >>> from geometry import FunctionGraph
    >>> wave = FunctionGraph(lambda t: np.sin(t[..., 0]), np.cos)
    >>> foot = project(wave, [np.pi / 2 + 0.1, 3.0], GaussNewton())
    >>> bool(foot.converged), round(float(foot.distance), 6)
    (True, 2.001666)
    """

    tolerance: float | None = None
    max_steps: int = 200

    def __post_init__(self) -> None:
        _check_stopping(self.tolerance, self.max_steps)

    def solve(self, surface: Surface, query: Array, theta: Array) -> Footpoints:
        return _searched(surface, query, theta, _safeguarded.gauss_newton, self)


@dataclass(frozen=True)
class Newton(Tree):
    """Newton steps in the metric of the surface, safeguarded near and beyond focal points.

    With v = G^(1/2)·step, Newton's equation is (I + (f−y)K) v = −G^(-1/2)∇φ, K = G^(-1/2) H G^(-1/2). At a footpoint at
    distance r the eigenvalues of the matrix are 1 − rκᵢ: they vanish at focal points and are negative beyond. There
    their absolute values, bounded from below, make the step a direction of descent; a step is taken only if it brings
    the point nearer. Steps bend as the graph does, to second order along its geodesics: straight ones run into the
    walls of a steep curved valley. At a stationary point beyond a focal point, which is no minimum of the distance, the
    step follows the negative curvature. At a kink, where the Hessian is not finite, no minimum is known: the search
    tries to leave it, and does not call it converged. Where it is finite, or f does not tell by its operations that it
    has no kinks, θ may be kept on one by symmetry: the search looks to up to twelve sides of such a place, and goes on
    where the point is nearer.

    Parameters
    ----------
    matrix : bool, optional
        True: form the d×d Hessian and its eigenvectors. False: products of the Hessian with vectors (conjugate
        gradients, cut at negative curvature), O(d) memory. Default: the matrix for d ≤ 32.
    tolerance : float, optional
        As in `GaussNewton`.
    max_steps : int
        As in `GaussNewton`.

    Examples
    --------
    >>> import numpy as np
    >>> from geometry import FunctionGraph
    >>> wave = FunctionGraph(lambda t: np.sin(t[..., 0]), np.cos, lambda t: -np.sin(t)[..., None])
    >>> foot = project(wave, [-np.pi / 2, 1.0], Newton(), start=[0.5])   # the ball of radius 2 fits not into the valley
    >>> round(float(foot.distance), 6), bool(foot.converged)
    (1.814544, True)
    """

    matrix: bool | None = None
    tolerance: float | None = None
    max_steps: int = 100

    def __post_init__(self) -> None:
        if self.matrix is not None and not isinstance(self.matrix, bool):
            raise TypeError(f"matrix must be True, False or None, got {self.matrix!r}")
        _check_stopping(self.tolerance, self.max_steps)

    def solve(self, surface: Surface, query: Array, theta: Array) -> Footpoints:
        matrix = theta.shape[-1] <= 32 if self.matrix is None else self.matrix
        return _searched(surface, query, theta, _safeguarded.newton if matrix else _safeguarded.newton_cg, self)


@dataclass(frozen=True)
class MultiStart(Tree):
    """Another solver, run from several starts; the nearest result is kept.

    Any point of Γ nearer than the start's lies, in θ, within the start's distance of the query, so the further starts
    are drawn uniformly from that ball; the same `seed` draws the same. `Footpoints.unique` tells where another one that
    was found is as near.

    Parameters
    ----------
    solver : GaussNewton or Newton, optional
        Default: as in `project`.
    starts : int
        How many, the given one and the query's own θ among them.
    seed : int

    Examples
    --------
    >>> import numpy as np
    >>> from geometry import FunctionGraph
    >>> wave = FunctionGraph(lambda t: np.sin(3 * t[..., 0]), lambda t: 3 * np.cos(3 * t))
    >>> query = [0.1, 4.0]
    >>> one, many = (float(project(wave, query, s, start=[9.0]).distance) for s in (None, MultiStart(starts=20)))
    >>> many < one
    True
    """

    solver: Solver | None = None
    starts: int = 16
    seed: int = 0

    def __post_init__(self) -> None:
        whole("starts", self.starts, least=1)
        whole("seed", self.seed)

    def solve(self, surface: Surface, query: Array, theta: Array) -> Footpoints:
        xp, d, count = array_namespace(theta), theta.shape[-1], self.starts - 1
        offsets = fixed(_unit_ball_samples, theta, d, count, self.seed)
        offsets = xp.reshape(offsets, (count, *(1,) * (theta.ndim - 1), d))
        others = surface.around(query, theta, offsets)
        thetas = xp.concat([theta[None, ...], others], axis=0)[: self.starts, ...]
        return nearest_of(surface, query, thetas, self.solver)


def _unit_ball_samples(d: int, count: int, seed: int) -> numpy.ndarray:
    """Samples (count, d) of the unit ball: its centre first, then uniform ones."""
    random = numpy.random.default_rng(seed)
    samples = random.normal(size=(count, d))
    samples *= random.uniform(size=(count, 1)) ** (1 / d) / numpy.linalg.norm(samples, axis=-1, keepdims=True)
    samples[:1] = 0
    return samples


def nearest_of(surface: Surface, query: Array, starts: Array, solver: Solver | None) -> Footpoints:
    """The nearest of the footpoints that a solver finds from several starts, (k, ..., d)."""
    xp = array_namespace(starts)
    found = project(surface, xp.broadcast_to(query, (*starts.shape[:-1], query.shape[-1])), solver, start=starts)
    infinity = xp.full_like(found.distance, xp.inf)
    known = known_of(found)
    results = (*known, found.status, xp.where(xp.isfinite(found.distance), found.distance, infinity))
    best = tuple(array[0, ...] for array in results)
    for i in range(1, starts.shape[0]):
        other = tuple(array[i, ...] for array in results)
        best = choose(other[-1] < best[-1], other, best)
    nearest = footpoints(surface, query, xp.sum(found.steps, axis=0), best[: len(known)], best[-2])
    nearest.unique = _are_unique(found, nearest)
    return nearest


def _are_unique(found: Footpoints, nearest: Footpoints) -> Array:
    """Whether none of the footpoints found, (k, ...), is as near as the nearest, (...), and elsewhere."""
    xp, point = array_namespace(nearest.theta), nearest.point
    eps = epsilon(xp, point.dtype)
    size = length(xp, point) + length(xp, nearest.query)
    as_near = found.converged & (xp.abs(found.distance - nearest.distance) <= eps**0.75 * size)
    apart = xp.maximum(eps**0.125 * nearest.distance, eps**0.25 * size)
    return ~xp.any(as_near & (length(xp, found.point - point) > apart), axis=0)


def _searched(
    surface: Surface, query: Array, start: Array, direction: _safeguarded.Direction, solver: GaussNewton | Newton
) -> Footpoints:
    """What a search finds. It runs on constants; where a derivative may be wanted, it is attached to its end."""
    xp = array_namespace(query)
    held: Any = surface
    place, was_recorded = query, lambda: False
    if is_differentiable(xp):
        held, was_recorded = still(surface)
        place, start = constant(xp, query), constant(xp, start)
    known, steps, status = _found(held, place, start, direction, solver)
    if was_recorded() or is_recorded(xp, query):
        known = _with_derivatives(surface, query, known)
    return footpoints(surface, query, steps, known, status)


Found = tuple[tuple[Array, ...], Array, Array]


@singledispatch
def _found(surface: Any, query: Array, start: Array, direction: Any, solver: GaussNewton | Newton) -> Found:
    """What a search knows at its end, its steps, and its status."""
    return _safeguarded.descend(surface, query, start, direction, solver.tolerance, solver.max_steps)


@_found.register
def _(surface: LevelSet, query: Array, start: Array, direction: Any, solver: GaussNewton | Newton) -> Found:
    return _descended(LevelChart(surface), query, start, solver)


@_found.register
def _(surface: Parametric, query: Array, start: Array, direction: Any, solver: GaussNewton | Newton) -> Found:
    evaluations = math.prod(start.shape[:-1]) * SEARCH
    return _descended(surface.prepared(start, evaluations, order=2), query, start, solver)


def _descended(chart: Any, query: Array, start: Array, solver: GaussNewton | Newton) -> Found:
    curved = isinstance(solver, Newton)
    theta, residual, steps, status = descend(chart, query, start, curved, solver.tolerance, solver.max_steps)
    return (theta, residual), steps, status


@singledispatch
def _with_derivatives(surface: Any, query: Array, known: tuple[Array, ...]) -> tuple[Array, ...]:
    """The same numbers, with their derivatives."""
    return attached(surface, query, Contact(*known))


@_with_derivatives.register
def _(surface: LevelSet, query: Array, known: tuple[Array, ...]) -> tuple[Array, ...]:
    return attached_to_level_set(surface, query, known[0]), known[1]


@_with_derivatives.register
def _(surface: Parametric, query: Array, known: tuple[Array, ...]) -> tuple[Array, ...]:
    return attached_to_parameters(surface, query, known[0]), known[1]


def _check_stopping(tolerance: float | None, max_steps: int) -> None:
    if tolerance is not None:
        positive("tolerance", tolerance, zero=True)
    whole("max_steps", max_steps)
