"""Distance to a surface, from footpoints. A local solver's distance is an upper bound of the true one."""

from __future__ import annotations

from geometry._namespace import Array, quietly
from geometry.footpoint import Solver, project
from geometry.surface import Surface

__all__ = ["distance", "distance_gradient", "signed_distance"]


def distance(surface: Surface, points: Array, solver: Solver | None = None, *, start: Array | None = None) -> Array:
    """Distance of points to the surface, d_Γ(q) = min over p of |q − p|.

    Parameters
    ----------
    surface, points, solver, start
        As in `project`.

    Returns
    -------
    array (...)
        An upper bound of the true distance, attained where the footpoint found is the global one.

    Examples
    --------
    >>> import numpy as np
    >>> from geometry import FunctionGraph
    >>> plane = FunctionGraph(lambda t: 0.75 * t[..., 0], lambda t: np.full_like(t, 0.75))
    >>> round(float(distance(plane, [0.0, 1.0])), 12)
    0.8
    """
    return project(surface, points, solver, start=start).distance


@quietly
def signed_distance(
    surface: Surface, points: Array, solver: Solver | None = None, *, start: Array | None = None
) -> Array:
    """Distance to the surface, positive above the graph and negative below; shape (...).

    The sign is that of y − f(x), or of F for a level set, and needs no footpoint, so that it is right even where the
    distance is only a bound.

    Examples
    --------
    >>> import numpy as np
    >>> from geometry import FunctionGraph
    >>> plane = FunctionGraph(lambda t: 0.75 * t[..., 0], lambda t: np.full_like(t, 0.75))
    >>> signed_distance(plane, [[0.0, 1.0], [0.0, -1.0]]).round(12)
    array([ 0.8, -0.8])
    """
    return project(surface, points, solver, start=start).signed_distance


@quietly
def distance_gradient(
    surface: Surface, points: Array, solver: Solver | None = None, *, start: Array | None = None
) -> Array:
    """Gradient of the distance, ∇d_Γ(q) = (q − p)/|q − p| = ±ν(p) for the footpoint p; shape (..., d+1).

    On the surface itself d_Γ has no gradient, and the upward normal is returned: the limit from above. On the medial
    axis, where there are several footpoints, it is the gradient of one branch. The normal is returned, not the
    quotient, of which little but rounding is left near the surface. Of a parametric surface, which may have a rim or no
    single normal, it is the quotient, and zero on the surface.

    Examples
    --------
    >>> import numpy as np
    >>> from geometry import FunctionGraph
    >>> plane = FunctionGraph(lambda t: 0.75 * t[..., 0], lambda t: np.full_like(t, 0.75))
    >>> distance_gradient(plane, [[0.0, 1.0], [0.0, -1.0], [0.0, 0.0]]).round(12)
    array([[-0.6,  0.8],
           [ 0.6, -0.8],
           [-0.6,  0.8]])
    """
    return project(surface, points, solver, start=start).gradient
