"""Derivatives of footpoints, for PyTorch and JAX, by the implicit function theorem.

A search ends where ∇φ(θ; q) = 0, whatever way it took. What holds of its end is therefore differentiated, and not the
way: the search runs on constants, and Newton's steps from its end, which go nowhere, carry the derivatives.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import singledispatch
from typing import Any

from geometry import _autodiff
from geometry._compilable import SEARCH, Compilable
from geometry._contact import Contact, distance_gradient, is_finite, scale_along
from geometry._namespace import (
    Array,
    Namespace,
    array_namespace,
    count_dtype,
    device_of,
    epsilon,
    is_compiling,
    while_loop,
)
from geometry._vectors import dot, length, slope
from geometry.expressions.expression import Expression
from geometry.frames import eigh, shape_matrix
from geometry.graph import FunctionGraph
from geometry.level_set import LevelSet
from geometry.parametric import Parametric

__all__ = [
    "at_maximum",
    "attached",
    "attached_to_level_set",
    "attached_to_parameters",
    "equation",
    "still",
    "tangents",
]

ORDER = 2  # of the derivatives that are right: each step with a constant matrix adds one
MATRIX = 32  # dimensions up to which the matrix of Newton's equation is formed

Solve = Callable[[Array], Array]


class _Still(FunctionGraph):
    """A graph whose values, gradients and Hessians are constants; it notes whether they were to be differentiated."""

    def __init__(self, graph: Compilable) -> None:
        super().__init__(graph.value, name=graph.name)
        self._graph, self.recorded = graph, is_compiling()

    def _constant(self, array: Array) -> Array:
        xp = array_namespace(array)
        if not is_compiling():  # which follows no attribute that changes, and leaves nobody to ask
            self.recorded = self.recorded or _autodiff.is_recorded(xp, array)
        return _autodiff.constant(xp, array)

    def value(self, theta: Array) -> Array:
        return self._constant(self._graph.value(theta))

    def gradient(self, theta: Array) -> Array:
        return self._constant(self._graph.gradient(theta))

    def value_and_gradient(self, theta: Array) -> tuple[Array, Array]:
        value, gradient = self._graph.value_and_gradient(theta)
        return self._constant(value), self._constant(gradient)

    def hessian(self, theta: Array) -> Array:
        return self._constant(self._graph.hessian(theta))

    def hessian_vector(self, theta: Array, vector: Array) -> Array:
        return self._constant(self._graph.hessian_vector(theta, vector))

    def has_second_order(self, theta: Array) -> bool:
        return self._graph.has_second_order(theta)

    def to_compile(self, theta: Array, evaluations: int = SEARCH) -> Expression | None:
        return self._graph.to_compile(theta, evaluations)


class _StillParametric(Parametric):
    """A parametric surface of which the coordinates are such functions."""

    def __init__(self, surface: Parametric) -> None:
        super().__init__(surface.function, box=surface.box, name=surface.name)
        self._surface, self.still = surface, list[_Still]()

    def coordinates(self, like: Array) -> list[Compilable]:
        self.still = self.still or [_Still(x) for x in self._surface.coordinates(like)]
        return list(self.still)

    def point(self, theta: Array, *, max_steps: int = 0) -> Array:
        return array_namespace(theta).stack([x.value(theta) for x in self.coordinates(theta)], axis=-1)


@singledispatch
def still(surface: Any) -> tuple[Any, Callable[[], bool]]:
    """The surface with constant values, and what tells afterwards whether they were to be differentiated."""
    graph = _Still(surface)
    return graph, lambda: graph.recorded


@still.register
def _(surface: LevelSet) -> tuple[Any, Callable[[], bool]]:
    held = copy.copy(surface)
    held._function = graph = _Still(surface._function)
    return held, lambda: graph.recorded


@still.register
def _(surface: Parametric) -> tuple[Any, Callable[[], bool]]:
    held = _StillParametric(surface)
    return held, lambda: any(x.recorded for x in held.still)


def attached(surface: FunctionGraph, query: Array, end: Contact) -> Contact:
    """The same contact, with its derivatives by the query and by whatever the surface depends on."""
    xp = array_namespace(query)
    finite = is_finite(end, query)
    theta = rest = _autodiff.constant(xp, xp.where(finite[..., None], end.theta, xp.zeros_like(end.theta)))
    query = xp.where(finite[..., None], query, xp.zeros_like(query))
    try:
        solve = equation(surface, query, rest)
    except (TypeError, ValueError, RuntimeError, NotImplementedError) as error:
        recorded = (query, *surface.value_and_gradient(rest))
        return Contact(*(_autodiff.without_derivative(xp, a, _sentence(surface, error), *recorded) for a in end))
    for _ in range(ORDER):
        force = distance_gradient(Contact(theta, *surface.value_and_gradient(theta)), query)
        theta = _autodiff.with_derivative_of(xp, rest, theta - solve(force))
    value, gradient = surface.value_and_gradient(theta)
    carried = zip(end, (theta, value, gradient), strict=True)
    return Contact(*(_carry(xp, finite, known, derived) for known, derived in carried))


def _sentence(surface: Any, error: Exception) -> str:
    return f"{surface.name}: a derivative of footpoints needs second derivatives of the surface; pass hessian=. {error}"


def _carry(xp: Namespace, finite: Array, known: Array, derived: Array) -> Array:
    """What is known, with the derivatives of what was derived, where all is finite."""
    derived = xp.where(finite if known.ndim == finite.ndim else finite[..., None], derived, known)
    return _autodiff.with_derivative_of(xp, known, derived)


@singledispatch
def equation(surface: Any, query: Array, theta: Array) -> Solve:
    """Newton's equation v ↦ ∇²φ⁻¹ v for a footpoint θ, a linear function with constant coefficients.

    Raises
    ------
    TypeError, ValueError, RuntimeError, NotImplementedError
        Without second derivatives.
    """
    xp, query = array_namespace(query), _autodiff.constant(array_namespace(query), query)
    value, gradient = (_autodiff.constant(xp, a) for a in surface.value_and_gradient(theta))
    at, height = slope(xp, gradient), (value - query[..., -1])[..., None]
    if not surface.has_second_order(theta):
        surface = FunctionGraph(surface.value, surface.gradient, name=surface.name)
    if theta.shape[-1] <= MATRIX:
        bends, vectors = _spectrum(xp, shape_matrix(gradient, _autodiff.constant(xp, surface.hessian(theta))))
        inverse = _inverse(xp, 1 + height * bends, vectors)
    else:

        def product(v: Array) -> Array:
            return v + height * scale_along(surface.hessian_vector(theta, scale_along(v, at, -1)), at, -1)

        def inverse(v: Array) -> Array:
            return _autodiff.symmetric_solve(xp, product, _conjugate_gradients, v)

    return lambda v: scale_along(inverse(scale_along(v, at, -1)), at, -1)


def _spectrum(xp: Namespace, matrix: Array) -> tuple[Array, Array]:
    """Eigenvalues and eigenvectors of symmetric matrices; of zero in place of one that is not finite."""
    finite = xp.all(xp.isfinite(matrix), axis=(-2, -1))
    return eigh(xp, xp.where(finite[..., None, None], matrix, xp.zeros_like(matrix)))


def _inverse(xp: Namespace, eigenvalues: Array, vectors: Array) -> Solve:
    """v ↦ A⁻¹v; at a focal point, where A is singular and footpoints have no derivative, it is large and finite."""
    floor = epsilon(xp, vectors.dtype)
    small = xp.abs(eigenvalues) < floor
    eigenvalues = xp.where(small, xp.full_like(eigenvalues, floor), eigenvalues)

    def solve(v: Array) -> Array:
        parts = xp.sum(vectors * v[..., :, None], axis=-2) / eigenvalues
        return xp.sum(vectors * parts[..., None, :], axis=-1)

    return solve


def _conjugate_gradients(product: Solve, b: Array) -> Array:
    """The solution of A v = b; NaN where it is not found, as where A is indefinite."""
    xp, d = array_namespace(b), b.shape[-1]
    eps = epsilon(xp, b.dtype)
    scale = length(xp, b)[..., None]
    b = b / xp.where(scale > 0, scale, xp.ones_like(scale))

    def iterate(state: tuple[Array, ...]) -> tuple[Array, ...]:
        v, rest, p, square, count = state
        bent = product(p)
        bend = dot(xp, p, bent)[..., None]
        alpha = xp.where(square > eps**2, square / xp.where(bend == 0, 1.0, bend), 0.0)
        v, rest = v + alpha * p, rest - alpha * bent
        new = dot(xp, rest, rest)[..., None]
        return v, rest, rest + new / xp.where(square > 0, square, 1.0) * p, new, count + 1

    square = dot(xp, b, b)[..., None]
    count = xp.zeros((), dtype=count_dtype(xp, b), device=device_of(b))
    v, _, _, square, _ = while_loop(
        lambda s: xp.any(s[3] > eps**1.75) & (s[4] < 4 * d), iterate, (xp.zeros_like(b), b, b, square, count), b
    )
    return scale * xp.where(square <= eps, v, xp.nan)


def at_maximum(function: Callable[[Array], Array], place: Array, value: Array) -> Array:
    """The same maxima (b,) of a function (b, m) → (b,), with their derivatives by whatever it depends on.

    To first order those of the function at a fixed place; to second order its place follows, by a step of Newton that
    goes nowhere. At a kink, where the step goes somewhere, and where the function cannot be differentiated twice, the
    place stays.
    """
    xp = array_namespace(place)
    here = _autodiff.constant(xp, place)

    def slope(v: Array) -> Array:
        return _autodiff.value_and_gradient(xp, function, v)[1]

    def followed() -> Array:
        step = _inverse(xp, *_spectrum(xp, bend))(slope(here))
        rests = xp.all(xp.abs(_autodiff.constant(xp, step)) <= epsilon(xp, here.dtype) ** 0.25, axis=-1)
        moved = xp.where(rests[..., None], here - step, place)
        return function(_autodiff.with_derivative_of(xp, here, moved))

    try:
        bend = _autodiff.constant(xp, _autodiff.hessian(xp, slope, here))
    except (TypeError, ValueError, RuntimeError, NotImplementedError):
        return _autodiff.with_derivative_of(xp, value, function(place))
    known = xp.all(xp.isfinite(bend))  # not so where curvatures are equal
    return _autodiff.with_derivative_of(xp, value, _autodiff.either(xp, known, followed, lambda: function(place)))


def attached_to_level_set(surface: LevelSet, query: Array, end: Array) -> Array:
    """The same footpoints on a level set, with their derivatives.

    A footpoint x solves x + s∇F(x) = q and F(x) = 0, with s the height of the query over it; F counts in units of its
    slope there.
    """
    xp = array_namespace(query)
    finite = xp.all(xp.isfinite(end) & xp.isfinite(query), axis=-1)
    x = rest = _autodiff.constant(xp, xp.where(finite[..., None], end, xp.zeros_like(end)))
    query = xp.where(finite[..., None], query, xp.zeros_like(query))
    normal, size = _unit_slope(surface, rest)
    s = height = _autodiff.constant(xp, dot(xp, query - rest, normal)[..., None])
    try:
        solve = equation(surface, query, rest)
    except (TypeError, ValueError, RuntimeError, NotImplementedError) as error:
        return _autodiff.without_derivative(
            xp, end, _sentence(surface, error), query, *surface.value_and_gradient(rest)
        )
    for _ in range(ORDER):
        value, gradient = surface.value_and_gradient(x)
        force = xp.concat([x - query + s * (gradient / size), value[..., None] / size], axis=-1)
        step = solve(force)
        x = _autodiff.with_derivative_of(xp, rest, x - step[..., :-1])
        s = _autodiff.with_derivative_of(xp, height, s - step[..., -1:])
    return _carry(xp, finite, end, x)


def _unit_slope(surface: LevelSet, x: Array) -> tuple[Array, Array]:
    """∇F/|∇F|, and |∇F| (..., 1), or 1 where that is no length."""
    xp, gradient = array_namespace(x), _autodiff.constant(array_namespace(x), surface.gradient(x))
    size = length(xp, gradient)[..., None]
    size = xp.where((size > 0) & xp.isfinite(size), size, xp.ones_like(size))
    return gradient / size, size


@equation.register
def _(surface: LevelSet, query: Array, theta: Array) -> Solve:
    """That of x + s∇F/|∇F| = q and F/|∇F| = 0, for (x, s)."""
    xp, (normal, size) = array_namespace(query), _unit_slope(surface, theta)
    height = dot(xp, _autodiff.constant(xp, query) - theta, normal)[..., None, None]
    bend = height * _autodiff.constant(xp, surface.hessian(theta)) / size[..., None]
    return _inverse(xp, *_spectrum(xp, _bordered(xp, bend, normal)))


def attached_to_parameters(surface: Parametric, query: Array, end: Array) -> Array:
    """The same parameters of footpoints, with their derivatives; those that a rim holds have none."""
    xp = array_namespace(query)
    finite = xp.all(xp.isfinite(end), axis=-1) & xp.all(xp.isfinite(query), axis=-1)
    theta = rest = _autodiff.constant(xp, xp.where(finite[..., None], end, xp.zeros_like(end)))
    query = xp.where(finite[..., None], query, xp.zeros_like(query))

    def force(t: Array) -> Array:
        point, jacobian = surface.point_and_jacobian(t)
        return xp.sum(jacobian * (point - query)[..., :, None], axis=-2)

    try:
        solve = equation(surface, query, rest)
    except (TypeError, ValueError, RuntimeError, NotImplementedError) as error:
        return _autodiff.without_derivative(xp, end, _sentence(surface, error), query, surface.point(rest))
    for _ in range(ORDER):
        theta = _autodiff.with_derivative_of(xp, rest, theta - solve(force(theta)))
    return _carry(xp, finite, end, theta)


@equation.register
def _(surface: Parametric, query: Array, theta: Array) -> Solve:
    """(JᵀJ + (x − q)·∂²x/∂t²)⁻¹ with J = ∂x/∂t; parameters that a rim holds do not move."""
    xp = array_namespace(query)
    point, jacobian = (_autodiff.constant(xp, a) for a in surface.point_and_jacobian(theta))
    away = point - _autodiff.constant(xp, query)
    free = surface.free(theta, -xp.sum(jacobian * away[..., :, None], axis=-2))
    bend = xp.sum(_autodiff.constant(xp, surface.second_derivatives(theta)) * away[..., None, None], axis=-3)
    matrix = xp.matmul(xp.matrix_transpose(jacobian), jacobian) + bend
    matrix = xp.where(free[..., :, None] & free[..., None, :], matrix, xp.zeros_like(matrix))
    inverse = _inverse(xp, *_spectrum(xp, matrix))

    def solve(v: Array) -> Array:
        return xp.where(free, inverse(xp.where(free, v, xp.zeros_like(v))), xp.zeros_like(v))

    return solve


@singledispatch
def tangents(surface: Any, theta: Array) -> Array:
    """How the point moves with what `equation` is for: (I, ∇f) of a graph, (..., n, m)."""
    xp, gradient = array_namespace(theta), surface.gradient(theta)
    one = xp.eye(theta.shape[-1], dtype=theta.dtype, device=device_of(theta))
    return xp.concat([xp.broadcast_to(one, (*theta.shape, theta.shape[-1])), gradient[..., None, :]], axis=-2)


@tangents.register
def _(surface: Parametric, theta: Array) -> Array:
    """∂x/∂t."""
    return surface.jacobian(theta)


@tangents.register
def _(surface: LevelSet, theta: Array) -> Array:
    """(I, 0): the height s does not move it."""
    xp, n = array_namespace(theta), theta.shape[-1]
    one = xp.eye(n, n + 1, dtype=theta.dtype, device=device_of(theta))
    return xp.broadcast_to(one, (*theta.shape[:-1], n, n + 1))


def _bordered(xp: Namespace, bend: Array, normal: Array) -> Array:
    """[[I + A, n], [nᵀ, 0]], (..., n+1, n+1)."""
    one = xp.eye(normal.shape[-1], dtype=normal.dtype, device=device_of(normal))
    wide = xp.concat([one + bend, normal[..., :, None]], axis=-1)
    last = xp.concat([normal, xp.zeros_like(normal[..., :1])], axis=-1)
    return xp.concat([wide, last[..., None, :]], axis=-2)
