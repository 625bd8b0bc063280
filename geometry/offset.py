"""Parallel surfaces of a graph."""

from __future__ import annotations

from geometry._namespace import Array, floating, per_item
from geometry.graph import FunctionGraph, check_surface, upward_normal

__all__ = ["offset"]


def offset(surface: FunctionGraph, theta: Array, radius: Array) -> Array:
    """The point of the parallel surface over a contact: p + ρν(p), the centre of the ball that touches at θ.

    Parameters
    ----------
    surface : FunctionGraph
    theta : array (..., d)
    radius : float or array
        ρ; broadcasts against the batch. A negative radius gives the parallel surface below.

    Returns
    -------
    array (..., d+1)

    Notes
    -----
    Up to the critical radius this parametrises the offset Γ_ρ. Beyond it the parallel surface folds over itself, and
    parts of it are nearer to Γ than ρ.

    References
    ----------
    Belgoumri et al. (2025), Eq. (6).

    Examples
    --------
    >>> import numpy as np
    >>> plane = FunctionGraph(lambda t: 0.75 * t[..., 0], lambda t: np.full_like(t, 0.75))
    >>> offset(plane, [0.0], 5.0)
    array([-3.,  4.])
    """
    check_surface(surface)
    xp, theta = floating("theta", theta)
    value, gradient = surface.value_and_gradient(theta)
    point = xp.concat([theta, value[..., None]], axis=-1)
    return point + per_item(xp, "radius", radius, gradient) * upward_normal(gradient)
