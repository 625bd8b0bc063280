"""How footpoints move with their queries, for every array library."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

from geometry._feet import Footpoints
from geometry._namespace import Array, Namespace, array_namespace, device_of, floating, quietly
from geometry._vectors import dot, length
from geometry.footpoint import Solver, project
from geometry.level_set import LevelSet
from geometry.parametric import Parametric
from geometry.surface import Surface

__all__ = ["project_and_jacobian"]


@quietly
def project_and_jacobian(
    surface: Surface, points: Array, solver: Solver | None = None, *, start: Array | None = None
) -> tuple[Footpoints, Array]:
    """Footpoints, and the derivatives of the points p by the queries q: ∂p/∂q, a symmetric matrix for each.

    PyTorch and JAX differentiate `project` themselves; this is for all libraries, NumPy first, and without a graph of
    what was done. Along a principal direction of curvature κ it is 1/(1 − sκ), with s the signed distance; along the
    normal it is 0.

    Parameters
    ----------
    surface, points, solver, start
        As in `project`; the surface must have second derivatives, or a function of which they can be found.

    Returns
    -------
    footpoints : Footpoints
    jacobian : array (..., n, n)
        Of a footpoint that is not stationary, as one that has not converged, it is the same formula there. Infinite or
        NaN at a focal point, where there is no derivative. Where a rim holds the footpoint, it moves along the rim.

    Raises
    ------
    TypeError
        If there are no second derivatives.

    References
    ----------
    H. Federer, "Curvature measures", Trans. AMS 93 (1959), Section 4.

    Examples
    --------
    On a circle of radius 2 a footpoint moves by 2/r times what a query at distance r from its centre moves along it:

    >>> import numpy as np
    >>> from geometry import shapes
    >>> feet, jacobian = project_and_jacobian(shapes.Sphere(2.0), [5.0, 0.0])
    >>> feet.point, jacobian.round(12)
    (array([2., 0.]), array([[0. , 0. ],
           [0. , 0.4]]))
    """
    feet = project(surface, points, solver, start=start)
    _, points, _ = floating("points", points, feet.point)
    return feet, _jacobian(surface, feet.theta, points)


@singledispatch
def _jacobian(surface: Any, theta: Array, query: Array) -> Array:
    """J (JᵀJ + (f − y)∇²f)⁻¹ Jᵀ with J = (I, ∇f), of a graph."""
    xp = array_namespace(theta)
    value, gradient = surface.value_and_gradient(theta)
    one = xp.eye(theta.shape[-1], dtype=theta.dtype, device=device_of(theta))
    tangents = xp.concat([xp.broadcast_to(one, (*theta.shape, theta.shape[-1])), gradient[..., None, :]], axis=-2)
    return _moved(xp, tangents, (value - query[..., -1])[..., None, None] * surface.hessian(theta))


@_jacobian.register
def _(surface: Parametric, theta: Array, query: Array) -> Array:
    """The same with J = ∂x/∂t, and (x − q)·∂²x/∂t² beside JᵀJ; without the parameters that a rim holds."""
    xp = array_namespace(theta)
    point, tangents = surface.point_and_jacobian(theta)
    away = point - query
    bend = xp.sum(surface.second_derivatives(theta) * away[..., None, None], axis=-3)
    free = surface.free(theta, -xp.sum(tangents * away[..., :, None], axis=-2))
    tangents = xp.where(free[..., None, :], tangents, xp.zeros_like(tangents))
    both = free[..., :, None] & free[..., None, :]
    one = xp.broadcast_to(xp.eye(theta.shape[-1], dtype=xp.bool, device=device_of(theta)), both.shape)
    held = xp.astype(one & ~free[..., :, None], bend.dtype)
    return _moved(xp, tangents, xp.where(both, bend, held))


@_jacobian.register
def _(surface: LevelSet, theta: Array, query: Array) -> Array:
    """P (I + s P∇²F P/|∇F|)⁻¹ P, with P the projection along the normal and s the height over it."""
    xp, gradient = array_namespace(theta), surface.gradient(theta)
    size = length(xp, gradient)[..., None]
    normal = gradient / size
    one = xp.eye(theta.shape[-1], dtype=theta.dtype, device=device_of(theta))
    along = one - normal[..., :, None] * normal[..., None, :]
    bend = xp.matmul(along, xp.matmul(surface.hessian(theta) / size[..., None], along))
    height = dot(xp, query - theta, normal)[..., None, None]
    return xp.matmul(along, xp.matmul(xp.linalg.inv(one + height * bend), along))


def _moved(xp: Namespace, tangents: Array, bend: Array) -> Array:
    """J (JᵀJ + B)⁻¹ Jᵀ."""
    turned = xp.matrix_transpose(tangents)
    return xp.matmul(tangents, xp.linalg.solve(xp.matmul(turned, tangents) + bend, turned))
