"""First and second order geometry of a graph, from the gradient g = ∇f(θ) and the Hessian H of its function.

One evaluation of f serves several of the formulas. Notation: W = √(1+|g|²), G = I + g gᵀ.
"""

from __future__ import annotations

from geometry._itemwise import by_items
from geometry._namespace import Array, Namespace, array_namespace, broadcast, floating, is_dask, quietly
from geometry._vectors import Slope, dot, slope, split

__all__ = [
    "eigenvalues",
    "eigh",
    "in_unit_frames",
    "shape_matrix",
    "steepest_tangent",
    "upward_normal",
    "vectors",
]


@quietly
def upward_normal(gradient: Array) -> Array:
    """Upward unit normal of a graph, ν = (−g, 1)/√(1+|g|²), from its gradient.

    Parameters
    ----------
    gradient : array (..., d)
        g = ∇f(θ). Any floating dtype; slopes up to the largest number of the dtype are safe.

    Returns
    -------
    array (..., d+1)

    References
    ----------
    Belgoumri et al., "Rolling Ball Optimizer" (2025), Eq. (1).

    Examples
    --------
    >>> upward_normal([0.75])
    array([-0.6,  0.8])
    """
    xp, g = vectors("gradient", gradient)
    size = xp.max(xp.abs(g), axis=-1, keepdims=True)
    size = xp.where(size > 4, size / 4, xp.ones_like(size))  # a quarter, so that 1/size is no subnormal number
    scaled = xp.concat([-g / size, 1 / size], axis=-1)
    return scaled / xp.sqrt(xp.sum(scaled**2, axis=-1, keepdims=True))


@quietly
def steepest_tangent(gradient: Array) -> Array:
    """Tangent vector of a graph over its gradient, τ = (g, |g|²): the direction of steepest ascent.

    τ is not a unit vector: |τ| = |g|√(1+|g|²). Where |g|² leaves the dtype's range the last component is inf or 0, the
    correctly rounded value.

    Parameters
    ----------
    gradient : array (..., d)
        g = ∇f(θ).

    Returns
    -------
    array (..., d+1)

    References
    ----------
    Belgoumri et al., "Rolling Ball Optimizer" (2025), Eq. (2).

    Examples
    --------
    >>> steepest_tangent([3.0, 4.0])
    array([ 3.,  4., 25.])
    """
    xp, g = vectors("gradient", gradient)
    return xp.concat([g, dot(xp, g, g)[..., None]], axis=-1)


@quietly
def shape_matrix(gradient: Array, hessian: Array) -> Array:
    """The symmetric matrix G^(-1/2) H G^(-1/2), of which the eigenvalues are W times the principal curvatures.

    It is similar to W·S, where S = G⁻¹H/W is the shape operator in θ-coordinates.

    Parameters
    ----------
    gradient : array (..., d)
    hessian : array (..., d, d)

    Returns
    -------
    array (..., d, d)

    Examples
    --------
    >>> shape_matrix([0.0, 0.75], [[1.0, 0.0], [0.0, 1.5625]])
    array([[1., 0.],
           [0., 1.]])
    """
    xp, g, h = floating("gradient and hessian", gradient, hessian)
    d = g.shape[-1] if g.ndim else 0
    if d == 0 or tuple(h.shape[-2:]) != (d, d):
        raise ValueError(
            "gradient and hessian must have shapes (..., d) and (..., d, d) with d >= 1, "
            f"got {tuple(g.shape)} and {tuple(h.shape)}"
        )
    broadcast(gradient=g.shape[:-1], hessian=h.shape[:-2])
    return in_unit_frames(h, slope(xp, g))


def in_unit_frames(hessian: Array, at: Slope) -> Array:
    """G^(-1/2) H G^(-1/2)."""
    xp = array_namespace(hessian)
    half = _scale_columns(xp, hessian, at.direction, 1 / at.stretch)
    return _scale_columns(xp, xp.matrix_transpose(half), at.direction, 1 / at.stretch)


@quietly
def eigenvalues(xp: Namespace, matrix: Array) -> Array:
    """Eigenvalues of symmetric matrices, ascending; NaN for a matrix that is not finite, which solvers would refuse."""
    if is_dask(matrix):  # which has no solver
        items, results = ((matrix, 2),), ((matrix.shape[-1:], matrix.dtype),)
        return by_items(lambda block: (eigenvalues(array_namespace(block), block),), items, results)[0]
    finite = xp.all(xp.isfinite(matrix), axis=(-2, -1))[..., None]
    matrix = xp.where(finite[..., None], matrix, xp.zeros_like(matrix))
    usual = xp.finfo(matrix.dtype).bits in (32, 64)
    return xp.where(finite, xp.linalg.eigvalsh(matrix) if usual else eigh(xp, matrix)[0], xp.nan)


def eigh(xp: Namespace, matrix: Array) -> tuple[Array, Array]:
    """Eigenvalues, ascending, and eigenvectors of finite symmetric matrices, in formats too that LAPACK has not.

    Shorter ones are solved in float32. In longer ones the eigenvectors of float64 are made orthonormal; the values
    x*Ax that they have then are wrong by the square of what the vectors are wrong by.
    """
    dtype, bits = matrix.dtype, xp.finfo(matrix.dtype).bits
    if bits in (32, 64):
        return xp.linalg.eigh(matrix)
    if bits < 32:
        values, vectors = xp.linalg.eigh(xp.astype(matrix, xp.float32))
        return xp.astype(values, dtype), xp.astype(vectors, dtype)
    size = xp.max(xp.abs(matrix), axis=(-2, -1), keepdims=True)
    matrix = matrix / xp.where(size > 0, size, xp.ones_like(size))
    vectors = xp.astype(xp.linalg.eigh(xp.astype(matrix, xp.float64))[1], dtype)
    square = xp.matmul(xp.matrix_transpose(vectors), vectors)
    vectors = xp.matmul(vectors, (3 * xp.eye(matrix.shape[-1], dtype=dtype) - square) / 2)
    return size[..., 0] * xp.sum(vectors * xp.matmul(matrix, vectors), axis=-2), vectors


def _scale_columns(xp: Namespace, matrix: Array, direction: Array, factor: Array) -> Array:
    """Multiply each row vector's part along `direction` by `factor`."""
    along, across = split(xp, matrix, direction[..., None, :])
    return across + along * factor[..., None, None] * direction[..., None, :]


def vectors(name: str, array: Array) -> tuple[Namespace, Array]:
    """The namespace and the array, of shape (..., d) and a floating dtype; an error with its name otherwise."""
    xp, found = floating(name, array)
    if found.ndim == 0 or found.shape[-1] == 0:
        raise ValueError(f"{name} must have shape (..., d) with d >= 1, got {tuple(found.shape)}")
    return xp, found
