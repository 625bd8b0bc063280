"""Landscapes on which a step of the ball is known in closed form."""

from __future__ import annotations

from typing import Any

import numpy

from geometry._namespace import Array, Namespace
from rbo_ref.landscapes._formulas import Landscape, finite, landscape, landscapes, like, number

__all__ = ["gaussian_well", "paraboloid", "plane"]


@landscapes
def plane(slope: Any, height: float = 0.0) -> Landscape:
    """An inclined plane, f(θ) = height + ⟨slope, θ⟩: no minimum, no curvature, critical radius ∞.

    Parameters
    ----------
    slope : float or array (d,)
        The gradient; a number stands for d = 1.
    height : float
        f(0).

    Returns
    -------
    FunctionGraph

    Examples
    --------
    >>> plane([3.0, 4.0], height=1.0).value([[1.0, 0.0], [0.0, 1.0]])
    array([4., 5.])
    """
    what = "a finite number or a sequence of them"
    gradient = numpy.atleast_1d(finite("slope", slope, what, ndim=(0, 1)))
    height, d = number("height", height), len(gradient)

    def formula(xp: Namespace, theta: Array) -> Array:
        return height + xp.sum(like(xp, theta, gradient) * theta, axis=-1)

    return landscape("plane", formula, at_least=d, at_most=d)


@landscapes
def paraboloid(curvature: Any = 1.0) -> Landscape:
    """A quadratic, f(θ) = ½θᵀAθ, or f(θ) = ½k|θ|² in any dimension.

    Minimum 0 at the origin if A is positive definite. Critical radius: 1 over the largest eigenvalue of A (or over k)
    if that is positive, otherwise ∞.

    Parameters
    ----------
    curvature : float or array (d, d)
        The number k, or the symmetric matrix A: the principal curvatures at the origin.

    Returns
    -------
    FunctionGraph

    Examples
    --------
    >>> paraboloid([[2.0, 0.0], [0.0, -1.0]]).curvatures([0.0, 0.0])
    array([-1.,  2.])
    """
    matrix = finite("curvature", curvature, "a finite number or a symmetric matrix", ndim=(0, 2))
    if not numpy.array_equal(matrix, matrix.T):
        raise ValueError(f"curvature must be a symmetric matrix, got {curvature!r}")

    if matrix.ndim == 0:
        k = float(matrix)
        return landscape("paraboloid", lambda xp, theta: xp.sum(k / 2 * theta**2, axis=-1))

    def formula(xp: Namespace, theta: Array) -> Array:
        return xp.sum(theta * xp.sum(like(xp, theta, matrix) * theta[..., None, :], axis=-1), axis=-1) / 2

    return landscape("paraboloid", formula, at_least=len(matrix), at_most=len(matrix))


@landscapes
def gaussian_well(width: float = 1.0, depth: float = 1.0) -> Landscape:
    """A well in flat land, f(θ) = −depth·exp(−|θ|²/(2·width²)), any d.

    For depth > 0: minimum −depth at the origin, where all curvatures are depth/width², the largest; critical radius
    width²/depth. A negative depth makes a hill.

    Parameters
    ----------
    width : float
        Standard deviation, > 0: the slope is steepest at this distance from the origin.
    depth : float

    Returns
    -------
    FunctionGraph

    Examples
    --------
    >>> gaussian_well(width=2.0, depth=8.0).curvatures([0.0, 0.0])
    array([2., 2.])
    """
    width, depth = number("width", width, above=0), number("depth", depth)

    def formula(xp: Namespace, theta: Array) -> Array:
        return -depth * xp.exp(-xp.sum((theta / width) ** 2, axis=-1) / 2)

    return landscape("gaussian_well", formula)
