"""How footpoints move with their queries, for every array library."""

from __future__ import annotations

from geometry._feet import Footpoints
from geometry._implicit import equation, tangents
from geometry._namespace import Array, floating, quietly
from geometry.footpoint import Solver, project
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
        Of a footpoint that is not stationary, as one that has not converged, it is the same formula there. Large at a
        focal point, where there is no derivative. Where a rim holds the footpoint, it moves along the rim.

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
    xp, points, theta = floating("points", points, feet.theta)
    moving, solve = tangents(surface, theta), equation(surface, points, theta)
    columns = [solve(moving[..., k, :]) for k in range(moving.shape[-2])]
    return feet, xp.matmul(moving, xp.stack(columns, axis=-1))
