"""Curves and surfaces given by parameters: {x(t)}, as Bézier curves, NURBS, helices and tori are."""

from __future__ import annotations

import copy
import math
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy

from geometry import _autodiff
from geometry._chart_search import Spot, downhill
from geometry._compilable import Compilable
from geometry._namespace import (
    Array,
    Namespace,
    array_namespace,
    device_of,
    epsilon,
    is_array_api_obj,
    is_traced,
    quietly,
    to_numpy,
)
from geometry._spread import kronecker
from geometry._trees import Whole
from geometry._vectors import dot, length
from geometry.frames import eigenvalues, vectors

__all__ = ["Parametric"]

MOST = 3  # parameters
SAMPLES = {1: 2**11, 2: 2**13, 3: 2**14}  # of the box, among which searches begin
BESIDE = 16  # places at which both ends of a side are compared
WIDE = 4.0  # half the side of the cube of samples where there is no box


class Parametric(Whole):
    """A curve, surface or hypersurface x(t) of ℝⁿ with parameters t ∈ ℝᵏ, k ≤ 3 and k < n.

    Parameters
    ----------
    point : callable
        x: array (..., k) → array (..., n), written in functions of the array library.
    box : sequence of (low, high), optional
        The parameters that belong to it, one pair for each. Where x and its derivatives are the same at both ends of a
        side, the surface is closed along it; otherwise it has a rim there. Default: all of ℝᵏ, and searches begin among
        samples of [−4, 4]ᵏ.
    name : str, optional

    Notes
    -----
    The parameters θ of its points are t. Derivatives are found as those of a `FunctionGraph`, coordinate by coordinate.
    The normal of a curve in the plane points to its left, that of a surface along ∂x/∂t₁ × ∂x/∂t₂: generally so that
    det[∂x/∂t, ν] > 0, as for a graph, x(t) = (t, f(t)). "Above" is where it points to. Where n > k + 1 there is no such
    normal: verbs that need a side refuse.

    A footpoint may lie on the rim, where it is the nearest point of the surface but no stationary one of the distance
    to what x continues; `residual` counts what points into the surface.

    Examples
    --------
    >>> import numpy as np
    >>> from geometry import distance, medial_radius, project
    >>> circle = Parametric(lambda t: 2 * np.concat([np.cos(t), np.sin(t)], axis=-1), box=[(0, 2 * np.pi)])
    >>> distance(circle, [[3.0, 0.0], [0.0, 1.5]])
    array([1. , 0.5])
    >>> project(circle, [0.0, 5.0]).theta / np.pi, circle.curvatures([0.0])
    (array([0.5]), array([0.5]))
    >>> medial_radius(circle, [1.0]).round(9)
    np.float64(2.0)
    """

    def __init__(
        self,
        point: Callable[[Array], Array],
        *,
        box: Sequence[tuple[float, float]] | None = None,
        name: str | None = None,
    ) -> None:
        if not callable(point):
            raise TypeError(f"point must be callable, got {point!r}")
        self._point, self.box = point, None if box is None else _sides(box)
        self.name: str = str(name or getattr(point, "__name__", "parametric surface"))
        self._coordinates: dict[int, list[Compilable]] = {}
        self._is_closed: tuple[bool, ...] | None = None

    def __repr__(self) -> str:
        return f"<Parametric of {self.name}>"

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_coordinates": {}}  # which another process records itself

    @quietly
    def point(self, theta: Array, *, max_steps: int = 0) -> Array:
        """x(t), shape (..., n)."""
        xp, t = vectors("theta", theta)
        x = self._point(t)
        if not is_array_api_obj(x) or x.ndim != t.ndim or x.shape[:-1] != t.shape[:-1]:
            got = tuple(x.shape) if is_array_api_obj(x) else type(x).__name__
            raise ValueError(
                f"{self.name}: point must return shape (..., n) for t of shape {tuple(t.shape)}, got {got}"
            )
        if not t.shape[-1] < x.shape[-1] or t.shape[-1] > MOST:
            raise ValueError(
                f"{self.name}: expected k parameters, k <= {MOST} and k < n, got {t.shape[-1]} for n = {x.shape[-1]}"
            )
        return x if x.dtype == t.dtype else xp.astype(x, t.dtype)

    def jacobian(self, theta: Array) -> Array:
        """∂x/∂t, shape (..., n, k)."""
        return self.point_and_jacobian(theta)[1]

    @quietly
    def point_and_jacobian(self, theta: Array) -> tuple[Array, Array]:
        """The pair (x, ∂x/∂t)."""
        xp, t = vectors("theta", theta)
        pairs = [x.value_and_gradient(t) for x in self.coordinates(t)]
        return tuple(xp.stack(parts, axis=axis) for parts, axis in zip(zip(*pairs, strict=True), (-1, -2), strict=True))

    @quietly
    def second_derivatives(self, theta: Array) -> Array:
        """∂²x/∂t², shape (..., n, k, k)."""
        xp, t = vectors("theta", theta)
        return xp.stack([x.hessian(t) for x in self.coordinates(t)], axis=-3)

    def has_gradient(self, theta: Array) -> bool:
        """Whether derivatives are at hand for arrays such as `theta`."""
        return all(x.has_gradient(theta) for x in self.coordinates(theta))

    def has_second_order(self, theta: Array) -> bool:
        """Whether second derivatives are at hand for arrays such as `theta`."""
        return all(x.has_second_order(theta) for x in self.coordinates(theta))

    @quietly
    def normal(self, theta: Array) -> Array:
        """Unit normal, det[∂x/∂t, ν] > 0, shape (..., n), n = k + 1; NaN where ∂x/∂t has not full rank."""
        return self._normal(self.jacobian(theta))

    @quietly
    def point_and_normal(self, theta: Array) -> tuple[Array, Array]:
        """The pair (x, ν)."""
        point, jacobian = self.point_and_jacobian(theta)
        return point, self._normal(jacobian)

    @quietly
    def curvatures(self, theta: Array) -> Array:
        """Principal curvatures, ascending, shape (..., k): positive where the surface bends towards its normal.

        Of a curve in more than two dimensions it is the curvature, which is not negative.
        """
        jacobian = self.jacobian(theta)
        xp, (n, k) = array_namespace(jacobian), jacobian.shape[-2:]
        frame, inverse = _frame(xp, jacobian)
        bent = self.second_derivatives(theta)
        if n > k + 1:
            if k > 1:
                raise TypeError(f"{self.name} has no principal curvatures: its codimension is {n - k}")
            across = bent[..., 0, 0] - dot(xp, bent[..., 0, 0], frame[..., 0])[..., None] * frame[..., 0]
            scale = xp.where(inverse[..., 0, :1] > 0, inverse[..., 0, :1], xp.nan)
            return length(xp, across)[..., None] * scale**2
        second = xp.sum(bent * self._normal(jacobian)[..., None, None], axis=-3)  # NaN where there is no normal
        return eigenvalues(xp, _in_frame(xp, second, inverse))

    @quietly
    def across(self, theta: Array, vector: Array) -> Array:
        """What of vectors (..., n) is normal to the surface at t."""
        jacobian = self.jacobian(theta)
        xp = array_namespace(jacobian)
        frame, _ = _frame(xp, jacobian)
        along = xp.sum(frame * vector[..., :, None], axis=-2)
        return vector - xp.sum(frame * along[..., None, :], axis=-1)

    def is_above(self, points: Array) -> Array:
        """Refuses: no point is inside."""
        raise TypeError(f"{self.name} is parametric, and has no inside that tells a sign: use distance")

    @property
    def function(self) -> Callable[[Array], Array]:
        """x as it was handed over."""
        return self._point

    def dimension(self, theta: Array) -> int:
        """k."""
        return int(theta.shape[-1])

    def parameters(self, theta: Array, points: Array) -> Array:
        """Those of points x(θ): θ."""
        return theta

    def parameters_of(self, points: Array) -> Array:
        """NaN: points of the ambient space tell no parameters."""
        xp = array_namespace(points)
        shape = (*points.shape[:-1], self._parameters_for(points))
        return xp.full(shape, xp.nan, dtype=points.dtype, device=device_of(points))

    def settled(self, theta: Array) -> Array:
        """Parameters of a point of the surface: θ."""
        return theta

    def place(self, theta: Array) -> Array:
        """The point with parameters θ."""
        return self.point(theta)

    def start_of(self, points: Array) -> Array:
        """Parameters of the nearest of samples of the box."""
        return self._nearest(points, 1)[0, ...]

    def around(self, query: Array, start: Array, offsets: Array) -> Array:
        """Further starts: the nearest of the samples of each part of the box, of as many parts as there are offsets."""
        count = offsets.shape[0]
        return self._nearest(query, count) if count else start[None, ...][:0, ...]

    def _nearest(self, points: Array, count: int) -> Array:
        """Parameters of the samples nearest to points, of each of so many parts of the box, (count, ..., k)."""
        xp = array_namespace(points)
        t, x = self._samples(xp, points)
        if x.shape[-1] != points.shape[-1]:
            raise ValueError(f"points must have shape (..., {x.shape[-1]}), got {tuple(points.shape)}")
        flat = xp.reshape(points, (-1, x.shape[-1]))
        flat = _within_squares(xp, xp.where(xp.isfinite(flat), flat, xp.zeros_like(flat)))
        found = []
        for part in _parts(t, numpy.arange(len(t)), count):
            some = xp.asarray(t[part], dtype=points.dtype, device=device_of(points))
            found.append(xp.take(some, _nearest_of(x[part], flat), axis=0))
        return xp.reshape(xp.stack(found), (count, *points.shape[:-1], t.shape[-1]))

    def onto(self, start: Array) -> Array:
        return self.moved(start, 0 * start)[0]

    def moved(self, theta: Array, step: Array) -> tuple[Array, Array]:
        """t + step: along closed sides around, otherwise up to the rim."""
        if self.box is None:
            return theta + step, step
        xp, (low, high) = array_namespace(theta), self._ends(theta)
        closed = self._closed(theta)
        ends = xp.minimum(xp.maximum(theta + step, low), high)
        step = xp.where(closed, step, ends - theta)
        around = low + (theta + step - low) % (high - low)
        return xp.where(closed, around, ends), step

    def is_smooth(self, theta: Array) -> bool:
        """Whether all coordinates are known to have no kinks."""
        return all(coordinate.is_smooth(theta) for coordinate in self.coordinates(theta))

    def beside(self, theta: Array, far: Array, way: Array) -> tuple[Array, Array]:
        """Steps that way, as long in the ambient space as the derivatives tell, and the points there."""
        xp = array_namespace(theta)
        speed = length(xp, xp.sum(self.jacobian(theta) * way[..., None, :], axis=-1))[..., None]
        steps = far[..., None] * way / xp.where(speed > 0, speed, xp.ones_like(speed))
        thetas, steps = self.moved(theta, steps)
        return steps, self.place(thetas)

    def spot(self, theta: Array, query: Array, curved: bool) -> Spot:
        """φ = ½|x − q|² has the Hessian I − B in an orthonormal frame, B = ((q − x)·∂²x/∂t²) across the surface."""
        xp, (point, jacobian) = array_namespace(theta), self.point_and_jacobian(theta)
        away = query - point
        slope = xp.sum(jacobian * away[..., :, None], axis=-2)
        free = self.free(theta, slope)
        frame, inverse = _frame(xp, xp.where(free[..., None, :], jacobian, xp.zeros_like(jacobian)))
        force = xp.sum(frame * away[..., :, None], axis=-2)
        step, is_minimum = force, xp.isfinite(away[..., 0])
        if curved:
            across = away - xp.sum(frame * force[..., None, :], axis=-1)
            bend = xp.sum(self.second_derivatives(theta) * across[..., None, None], axis=-3)
            step, is_minimum = downhill(_in_frame(xp, bend, inverse), force, length(xp, across))
        direction = xp.sum(inverse * step[..., None, :], axis=-1)
        return Spot(theta, point, slope, direction, length(xp, step), length(xp, force), is_minimum)

    def free(self, theta: Array, slope: Array) -> Array:
        """Which parameters may move down the slope: those on a rim that the slope leaves may not."""
        if self.box is None:
            return theta == theta
        low, high = self._ends(theta)
        held = ((theta <= low) & (slope < 0)) | ((theta >= high) & (slope > 0))
        return ~held | self._closed(theta)

    def _ends(self, like: Array, otherwise: float = numpy.inf) -> tuple[Array, Array]:
        """The lowest and the highest parameters, (k,)."""
        xp = array_namespace(like)
        box = self.box or ((-otherwise, otherwise),) * like.shape[-1]
        low, high = (xp.asarray(ends, dtype=like.dtype, device=device_of(like)) for ends in zip(*box, strict=True))
        return low, high

    def _normal(self, jacobian: Array) -> Array:
        xp, (n, k) = array_namespace(jacobian), jacobian.shape[-2:]
        if n != k + 1:
            raise TypeError(f"{self.name} has no unit normal: it has {k} parameters in {n} dimensions")
        unit = jacobian / length(xp, xp.matrix_transpose(jacobian))[..., None, :]
        rows = [unit[..., i, :] for i in range(n)]
        minors = [(-1) ** (i + k) * _determinant(xp, rows[:i] + rows[i + 1 :]) for i in range(n)]
        normal = xp.stack(minors, axis=-1)
        return normal / length(xp, normal)[..., None]

    def coordinates(self, like: Array) -> list[Compilable]:
        """The coordinates of x as functions."""
        k = int(like.shape[-1])
        if k not in self._coordinates:
            n = self.point(like[..., :1, :] if like.ndim > 1 else like).shape[-1]
            self._coordinates[k] = [
                Compilable(partial(_coordinate, self._point, i), name=f"{self.name}: coordinate {i}") for i in range(n)
            ]
        return self._coordinates[k]

    def prepared(self, theta: Array, evaluations: int, order: int = 0) -> Parametric:
        """This surface for so many evaluations: see `FunctionGraph.prepared`."""
        ready = copy.copy(self)
        coordinates = [x.prepared(theta, evaluations, order) for x in self.coordinates(theta)]
        ready._coordinates = {int(theta.shape[-1]): coordinates}
        return ready

    def to_look(self, theta: Array, name: str) -> None:
        """No kernel looks at parametric surfaces."""

    def _parameters_for(self, points: Array) -> int:
        """k; without a box the least number of parameters that x makes points of so many coordinates of."""
        if self.box is not None:
            return len(self.box)
        xp = array_namespace(points)
        for k in range(1, MOST + 1):
            try:
                x = self.point(xp.zeros((1, k), dtype=points.dtype, device=device_of(points)))
            except (IndexError, ValueError, TypeError, RuntimeError):  # of so few parameters, or so many, there is none
                continue
            if x.shape[-1] == points.shape[-1]:
                return k
        raise ValueError(
            f"points have {points.shape[-1]} coordinates, and those of {self.name} have not, for k <= {MOST}"
        )

    def _samples(self, xp: Namespace, like: Array) -> tuple[numpy.ndarray, numpy.ndarray]:
        """Parameters, (m, k), and the points there, (m, n)."""
        with _autodiff.numbers(xp):
            k = self._parameters_for(like)
            low, high = (
                numpy.asarray(ends, dtype=float) for ends in zip(*(self.box or ((-WIDE, WIDE),) * k), strict=True)
            )
            t = low + (high - low) * kronecker(k, 0, SAMPLES[k])
            points = self.point(xp.asarray(t, dtype=like.dtype, device=device_of(like)))
            return t, to_numpy(points)

    def _closed(self, like: Array) -> Array:
        """Along which sides x is the same at both ends, (k,)."""
        xp = array_namespace(like)
        if self._is_closed is None:
            with _autodiff.numbers(xp):
                low, high = (to_numpy(end) for end in self._ends(like))
                inner = low + (high - low) * kronecker(len(low), 0, BESIDE)
                self._is_closed = tuple(
                    bool(self._meets(numpy.where(one, low, inner), numpy.where(one, high, inner), like))
                    for one in numpy.eye(len(low), dtype=bool)
                )
        return xp.asarray(self._is_closed, device=device_of(like))

    def _meets(self, low: numpy.ndarray, high: numpy.ndarray, like: Array) -> Any:
        xp = array_namespace(like)
        here, there = (
            to_numpy(self.point(xp.asarray(t, dtype=like.dtype, device=device_of(like)))) for t in (low, high)
        )
        return abs(here - there).max() <= epsilon(xp, like.dtype) ** 0.5 * abs(here).max()


def _coordinate(point: Callable[[Array], Array], i: int, t: Array) -> Array:
    return point(t)[..., i]


def _parts(t: numpy.ndarray, index: numpy.ndarray, count: int, axis: int = 0) -> list[numpy.ndarray]:
    """The indices of parameters (m, k), in parts of the box that are cut along one axis after the other."""
    if count == 1:
        return [index]
    order, half = index[numpy.argsort(t[index, axis], kind="stable")], count // 2
    cut, turn = len(order) * half // count, (axis + 1) % t.shape[1]
    return _parts(t, order[:cut], half, turn) + _parts(t, order[cut:], count - half, turn)


def _within_squares(xp: Namespace, points: Array) -> Array:
    """Points (n, d), drawn in along their rays as far as squares of their coordinates are finite, in float64 too."""
    size = xp.max(xp.abs(points), axis=-1, keepdims=True)
    most = min(float(xp.finfo(points.dtype).max), sys.float_info.max) ** 0.375
    return xp.where(size > most, points / xp.where(size > most, size, xp.ones_like(size)) * most, points)


def _nearest_of(x: numpy.ndarray, points: Array) -> Array:
    """The indices of those of x (m, n) that are nearest to points (b, n)."""
    xp = array_namespace(points)
    if is_traced(points):
        here = xp.asarray(x, dtype=points.dtype)
        return xp.argmin(xp.sum(here**2, axis=-1) / 2 - xp.matmul(points, xp.matrix_transpose(here)), axis=-1)
    from scipy.spatial import cKDTree

    return xp.asarray(cKDTree(x).query(to_numpy(points))[1], device=device_of(points))


def _frame(xp: Namespace, jacobian: Array) -> tuple[Array, Array]:
    """An orthonormal frame E (..., n, k) of the tangent space, and T (..., k, k) with E = ∂x/∂t T, by Gram and Schmidt.

    Both are zero for parameters that move nothing, or no other way than those before.
    """
    one = xp.eye(jacobian.shape[-1], dtype=jacobian.dtype, device=device_of(jacobian))
    units: list[Array] = []
    turns: list[Array] = []
    for j in range(jacobian.shape[-1]):
        column, turn = jacobian[..., j], xp.zeros_like(jacobian[..., 0, :]) + one[j, :]
        size = length(xp, column)
        for unit, before in zip(units, turns, strict=True):
            along = dot(xp, column, unit)[..., None]
            column, turn = column - along * unit, turn - along * before
        rest = length(xp, column)
        full = (rest > 4 * epsilon(xp, rest.dtype) * size)[..., None]
        rest = xp.where(full, rest[..., None], 1.0)
        units.append(xp.where(full, column / rest, 0.0))
        turns.append(xp.where(full, turn / rest, 0.0))
    return xp.stack(units, axis=-1), xp.stack(turns, axis=-1)


def _in_frame(xp: Namespace, form: Array, inverse: Array) -> Array:
    """TᵀBT."""
    return xp.matmul(xp.matrix_transpose(inverse), xp.matmul(form, inverse))


def _determinant(xp: Namespace, rows: list[Array]) -> Array:
    """Of at most three rows (..., k), along the first of them."""
    if len(rows) == 1:
        return rows[0][..., 0]
    total = xp.zeros_like(rows[0][..., 0])
    for j in range(len(rows)):
        rest = [xp.concat([row[..., :j], row[..., j + 1 :]], axis=-1) for row in rows[1:]]
        total = total + (-1) ** j * rows[0][..., j] * _determinant(xp, rest)
    return total


def _sides(box: Any) -> tuple[tuple[float, float], ...]:
    try:
        sides = tuple((float(low), float(high)) for low, high in box)
    except (TypeError, ValueError) as error:
        raise ValueError(f"box must be a sequence of (low, high), one for each parameter, got {box!r}") from error
    if not 1 <= len(sides) <= MOST or not all(-math.inf < low < high < math.inf for low, high in sides):
        raise ValueError(f"box must have from 1 to {MOST} finite sides with low < high, got {box!r}")
    return sides
