"""The reach of a surface of which points are known, and perhaps normals."""

from __future__ import annotations

import math
from typing import Any, Literal, overload

import numpy

from geometry._namespace import Array, Namespace, device_of, epsilon, floating, quietly, to_numpy, whole
from geometry._vectors import dot, length

__all__ = ["reach_from_points"]

AT_ONCE = 2**22  # pairs of points to hold at once
NOISE = 8  # units of the last place of the coordinates that a height over a tangent plane may be wrong by


@overload
def reach_from_points(
    points: Array, *, normals: Array | None = ..., neighbors: int | None = ..., per_point: Literal[False] = ...
) -> float: ...


@overload
def reach_from_points(
    points: Array, *, normals: Array | None = ..., neighbors: int | None = ..., per_point: Literal[True]
) -> Array: ...


@quietly
def reach_from_points(
    points: Array, *, normals: Array | None = None, neighbors: int | None = None, per_point: bool = False
) -> Any:
    """Estimate of the reach of a surface from points of it: the least of Federer's quotients over all pairs.

    min over p ≠ q of |q − p|² / (2 |N(q − p)|), N: orthogonal projection to the normal space at p.

    Parameters
    ----------
    points : array (N, n)
    normals : array (N, n) or (N, k, n), optional
        Normals of the surface at the points, of any length and sign; k of them span the normal space of a surface of
        dimension n − k, as of a curve in space. With them the result is an upper bound of the reach, up to rounding.
        Without, those of a hypersurface are estimated, and it is no bound.
    neighbors : int, optional
        How many of the nearest points each normal is estimated from; default 2n. They are not paired with the point.
    per_point : bool
        Whether to return the least quotient of each point p instead: an estimate of its local feature size, the radius
        of the largest ball that touches the surface at p, from either side, and holds no other point.

    Returns
    -------
    float, or array (N,) with ``per_point``
        inf where all points lie in the tangent plane of p.

    Raises
    ------
    TypeError, ValueError
        For arguments of the wrong kind or shape, and for a point or a normal that is not finite, or a normal of length
        zero, with its index.

    References
    ----------
    H. Federer, "Curvature measures", Trans. AMS 93 (1959), Theorem 4.18.
    E. Aamari et al., "Estimating the reach of a manifold", Electronic J. Statistics 13 (2019), Section 4.

    Examples
    --------
    >>> import numpy as np
    >>> angle = np.linspace(0, 2 * np.pi, 100, endpoint=False)
    >>> circle = np.stack([3 * np.cos(angle), 3 * np.sin(angle)], axis=-1)
    >>> round(reach_from_points(circle, normals=circle), 12)
    3.0

    A wall beside the circle halves the gap for the points that face it:

    >>> wall = np.stack([np.full(41, 5.0), np.linspace(-2, 2, 41)], axis=-1)
    >>> both = np.concatenate([circle, wall])
    >>> normals = np.concatenate([circle, np.full((41, 2), [1.0, 0.0])])
    >>> reach_from_points(both, normals=normals, per_point=True)[[0, 50, 120]].round(12)
    array([1., 3., 1.])
    """
    xp, points = floating("points", points)
    if points.ndim != 2 or points.shape[0] < 2 or points.shape[1] < 2:
        raise ValueError(f"points must have shape (N, n) with N, n >= 2, got {tuple(points.shape)}")
    _check_rows(xp, "points", points)
    unit = 2.0 ** math.frexp(float(xp.max(xp.abs(points))))[1]  # squares of coordinates neither overflow nor vanish
    points, (count, n), near = points / unit, points.shape, None
    if normals is None:
        near = _nearest(points, min(2 * n if neighbors is None else whole("neighbors", neighbors, n), count - 1))
        normals = _estimated_normals(xp, points, near)
    elif neighbors is not None:
        raise ValueError("neighbors is for estimating normals: give normals or neighbors, not both")
    xp, points, normals = floating("points and normals", points, normals)
    normals = _normal_spaces(xp, points, normals)
    step, least = max(1, AT_ONCE // (count * n * normals.shape[1])), []
    for i in range(0, count, step):
        rows = slice(i, min(i + step, count))
        quotients = _quotients(xp, points[rows, :], normals[rows, ...], points)
        if near is not None:
            quotients = xp.where(_pairs(xp, near[rows], count), xp.inf, quotients)
        least.append(xp.min(quotients, axis=1))
    radii = unit * xp.concat(least)
    return radii if per_point else float(xp.min(radii))


def _quotients(xp: Namespace, p: Array, normals: Array, q: Array) -> Array:
    """|q − p|² / (2 |N(q − p)|) for points p (m, n) with normals (m, k, n) and q (N, n): (m, N); never too small.

    A height that rounding may have made is none.
    """
    away = q[None, :, :] - p[:, None, :]
    heights = length(xp, dot(xp, away[:, :, None, :], normals[:, None, :, :]))
    heights = heights - NOISE * epsilon(xp, q.dtype) * xp.max(xp.abs(q))
    squares = xp.sum(away**2, axis=-1)
    return xp.where((heights > 0) & (squares > 0), squares / (2 * heights), xp.inf)


def _normal_spaces(xp: Namespace, points: Array, normals: Array) -> Array:
    """Orthonormal bases of the spaces that normals span, (N, k, n)."""
    (count, n), k = points.shape, normals.shape[1] if normals.ndim == 3 else 1
    if normals.shape not in ((count, n), (count, k, n)) or not 1 <= k <= n:
        raise ValueError(
            f"normals must have the shape of points, {(count, n)}, or {(count, 'k', n)} with 1 <= k <= n, "
            f"got {tuple(normals.shape)}"
        )
    _check_rows(xp, "normals", normals)
    empty = numpy.flatnonzero(to_numpy(xp.any(length(xp, xp.reshape(normals, (count, k, n))) == 0, axis=-1)))
    if empty.size:
        raise ValueError(f"normals must not be zero, got zero at index {empty[0]}")
    if k == 1:
        return xp.reshape(normals / length(xp, normals)[..., None], (count, 1, n))
    return xp.matrix_transpose(xp.linalg.qr(xp.matrix_transpose(normals))[0])


def _check_rows(xp: Namespace, name: str, rows: Array) -> None:
    """Raise unless all numbers are finite."""
    bad = numpy.flatnonzero(to_numpy(~xp.all(xp.isfinite(xp.reshape(rows, (rows.shape[0], -1))), axis=-1)))
    if bad.size:
        raise ValueError(f"{name} must be finite, got {to_numpy(rows)[bad[0]].tolist()} at index {bad[0]}")


def _nearest(points: Array, count: int) -> numpy.ndarray:
    from scipy.spatial import cKDTree

    array = to_numpy(points)
    return cKDTree(array).query(array, k=range(1, count + 2))[1]


def _estimated_normals(xp: Namespace, points: Array, near: numpy.ndarray) -> Array:
    """The directions in which the nearest points spread least."""
    (count, n), k = points.shape, near.shape[1]
    index = xp.asarray(near.reshape(-1), device=device_of(points))
    patch = xp.reshape(xp.take(points, index, axis=0), (count, k, n))
    patch = patch - xp.mean(patch, axis=1, keepdims=True)
    return xp.linalg.eigh(xp.matmul(xp.matrix_transpose(patch), patch))[1][..., 0]


def _pairs(xp: Namespace, near: numpy.ndarray, count: int) -> Array:
    """Whether points are among the nearest, (rows, count)."""
    table = numpy.zeros((len(near), count), dtype=bool)
    numpy.put_along_axis(table, near, True, axis=1)
    return xp.asarray(table)
