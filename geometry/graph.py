"""The graph Γ = {(θ, f(θ))} of a function f: ℝᵈ → ℝ, and its first and second order geometry.

The formulas are functions of the gradient g = ∇f(θ) (and the Hessian H), so that one evaluation of f serves several of
them; `FunctionGraph` is the noun that carries f. Notation: W = √(1+|g|²), G = I + g gᵀ.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from geometry import _autodiff
from geometry._namespace import (
    Array,
    Namespace,
    array_namespace,
    broadcast,
    device_of,
    floating,
    is_array_api_obj,
    is_numpy_namespace,
    library,
    quietly,
)
from geometry._vectors import dot, slope, split

__all__ = ["FunctionGraph", "check_surface", "eigenvalues", "shape_matrix", "steepest_tangent", "upward_normal"]

Function = Callable[[Array], Array]


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
    xp, g = _vectors("gradient", gradient)
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
    xp, g = _vectors("gradient", gradient)
    return xp.concat([g, dot(xp, g, g)[..., None]], axis=-1)


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
    direction, _, stretch = slope(xp, g)
    half = _scale_columns(xp, h, direction, 1 / stretch)
    return _scale_columns(xp, xp.matrix_transpose(half), direction, 1 / stretch)


@quietly
def eigenvalues(xp: Namespace, matrix: Array) -> Array:
    """Eigenvalues of symmetric matrices, ascending; NaN for a matrix that is not finite, which solvers would refuse."""
    finite = xp.all(xp.isfinite(matrix), axis=(-2, -1))[..., None]
    values = xp.linalg.eigvalsh(xp.where(finite[..., None], matrix, xp.zeros_like(matrix)))
    return xp.where(finite, values, xp.nan)


def _scale_columns(xp: Namespace, matrix: Array, direction: Array, factor: Array) -> Array:
    """Multiply each row vector's part along `direction` by `factor`."""
    along, across = split(xp, matrix, direction[..., None, :])
    return across + along * factor[..., None, None] * direction[..., None, :]


def _vectors(name: str, array: Array) -> tuple[Namespace, Array]:
    xp, vectors = floating(name, array)
    if vectors.ndim == 0 or vectors.shape[-1] == 0:
        raise ValueError(f"{name} must have shape (..., d) with d >= 1, got {tuple(vectors.shape)}")
    return xp, vectors


class FunctionGraph:
    """The graph of a function, the surface that the ball rolls on.

    Parameters
    ----------
    value : callable
        f: array (..., d) → array (...), written in functions of the array library.
    gradient : callable, optional
        ∇f: array (..., d) → array (..., d). Without it PyTorch and JAX arrays are differentiated by their framework;
        arrays of other libraries raise a `TypeError`.
    hessian : callable, optional
        ∇²f: array (..., d) → array (..., d, d). Found by differentiation like the gradient.
    hessian_vector : callable, optional
        (θ, v) ↦ ∇²f(θ) v, both (..., d): second order without a d×d matrix.
    name : str, optional
        For error messages and reports.

    Notes
    -----
    Leading dimensions are a batch: item i of the result must depend on item i of θ alone. Results follow θ: same
    namespace, device and floating dtype; integers become the namespace's default float.

    Examples
    --------
    >>> import numpy as np
    >>> bowl = FunctionGraph(lambda t: np.sum(t**2, axis=-1) / 2, lambda t: t)
    >>> bowl.point([3.0, 4.0])
    array([ 3. ,  4. , 12.5])
    >>> bowl.normal([0.0, 0.0])
    array([-0., -0.,  1.])
    """

    def __init__(
        self,
        value: Function,
        gradient: Function | None = None,
        hessian: Function | None = None,
        *,
        hessian_vector: Callable[[Array, Array], Array] | None = None,
        name: str | None = None,
    ) -> None:
        given = {"value": value, "gradient": gradient, "hessian": hessian, "hessian_vector": hessian_vector}
        for argument, function in given.items():
            if not callable(function) and (function is not None or argument == "value"):
                raise TypeError(f"{argument} must be callable, got {function!r}")
        self._value, self._gradient, self._hessian, self._hessian_vector = value, gradient, hessian, hessian_vector
        self._both: Callable[[Array], tuple[Array, Array]] | None = None
        self.name = name or getattr(value, "__name__", "surface")

    @classmethod
    def from_value_and_gradient(
        cls, function: Callable[[Array], tuple[Array, Array]], *, name: str | None = None, **second_order: Any
    ) -> Self:
        """A graph from one function that returns the pair (f(θ), ∇f(θ)): one call an evaluation.

        Examples
        --------
        >>> surface = FunctionGraph.from_value_and_gradient(lambda t: ((t**2).sum(-1), 2 * t))
        >>> surface.value_and_gradient([1.0, 2.0])
        (np.float64(5.0), array([2., 4.]))
        """
        if not callable(function):
            raise TypeError(f"function must be callable, got {function!r}")
        graph = cls(
            lambda theta: function(theta)[0],
            lambda theta: function(theta)[1],
            name=name or getattr(function, "__name__", "surface"),
            **second_order,
        )
        graph._both = function
        return graph

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.name}>"

    def value(self, theta: Array) -> Array:
        """Height f(θ), shape (...)."""
        xp, theta = self._parameters(theta)
        return self._checked(xp, "value", self._value(theta), theta, theta.shape[:-1])

    def gradient(self, theta: Array) -> Array:
        """∇f(θ), shape (..., d)."""
        xp, theta = self._parameters(theta)
        if self._gradient is None:
            return self.value_and_gradient(theta)[1]
        return self._checked(xp, "gradient", self._gradient(theta), theta, theta.shape)

    def value_and_gradient(self, theta: Array) -> tuple[Array, Array]:
        """The pair (f(θ), ∇f(θ)) from one evaluation."""
        xp, theta = self._parameters(theta)
        if self._both is not None:
            pair = self._both(theta)
        elif self._gradient is not None:
            pair = self._value(theta), self._gradient(theta)
        else:
            self._require_framework(xp, "gradient")
            pair = _autodiff.value_and_gradient(xp, self.value, theta)
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise ValueError(f"{self.name}: expected a pair (value, gradient), got {type(pair).__name__}")
        value, gradient = pair
        return (
            self._checked(xp, "value", value, theta, theta.shape[:-1]),
            self._checked(xp, "gradient", gradient, theta, theta.shape),
        )

    def hessian(self, theta: Array) -> Array:
        """∇²f(θ), shape (..., d, d)."""
        xp, theta = self._parameters(theta)
        if self._hessian is not None:
            result = self._hessian(theta)
        elif self._hessian_vector is not None:
            identity = xp.eye(theta.shape[-1], dtype=theta.dtype, device=device_of(theta))
            columns = [self.hessian_vector(theta, xp.zeros_like(theta) + e) for e in xp.unstack(identity)]
            result = xp.stack(columns, axis=-1)
        else:
            self._require_framework(xp, "hessian")
            result = _autodiff.hessian(xp, self.gradient, theta)
        return self._checked(xp, "hessian", result, theta, (*theta.shape, theta.shape[-1]))

    def hessian_vector(self, theta: Array, vector: Array) -> Array:
        """∇²f(θ) v, shape (..., d), without forming the matrix where the framework or the user allows it."""
        xp, theta, vector = floating("theta and vector", theta, vector)
        if theta.shape != vector.shape:
            raise ValueError(
                f"theta and vector must have one shape, got {tuple(theta.shape)} and {tuple(vector.shape)}"
            )
        if self._hessian_vector is not None:
            result = self._hessian_vector(theta, vector)
        elif self._hessian is None:
            self._require_framework(xp, "hessian_vector")
            result = _autodiff.hessian_vector(xp, self.gradient, theta, vector)
        else:
            result = xp.sum(self.hessian(theta) * vector[..., None, :], axis=-1)
        return self._checked(xp, "hessian_vector", result, theta, theta.shape)

    def has_gradient(self, xp: Namespace) -> bool:
        """Whether gradients are at hand for arrays of namespace `xp`."""
        return self._gradient is not None or self._both is not None or _autodiff.is_differentiable(xp)

    def has_second_order(self, xp: Namespace) -> bool:
        """Whether Hessians or their products with vectors are at hand for arrays of namespace `xp`."""
        given = self._hessian is not None or self._hessian_vector is not None
        return given or (_autodiff.is_differentiable(xp) and self._both is None)

    def point(self, theta: Array) -> Array:
        """The point p = (θ, f(θ)) of Γ, shape (..., d+1)."""
        xp, theta = self._parameters(theta)
        return xp.concat([theta, self.value(theta)[..., None]], axis=-1)

    def parameters_of(self, points: Array) -> Array:
        """θ (..., d) of points (θ, y) of the ambient space."""
        return points[..., :-1]

    def is_above(self, points: Array) -> Array:
        """Where points (..., d+1) are above the graph or on it, y ≥ f(x); shape (...)."""
        _, points = floating("points", points)
        return points[..., -1] >= self.value(points[..., :-1])

    def normal(self, theta: Array) -> Array:
        """Upward unit normal ν at (θ, f(θ)), shape (..., d+1). See `upward_normal`."""
        return upward_normal(self.gradient(theta))

    def point_and_normal(self, theta: Array) -> tuple[Array, Array]:
        """The pair (p, ν), from one evaluation."""
        xp, theta = self._parameters(theta)
        value, gradient = self.value_and_gradient(theta)
        return xp.concat([theta, value[..., None]], axis=-1), upward_normal(gradient)

    def tangent(self, theta: Array) -> Array:
        """Tangent τ of steepest ascent at (θ, f(θ)), shape (..., d+1). See `steepest_tangent`."""
        return steepest_tangent(self.gradient(theta))

    def metric(self, theta: Array) -> Array:
        """First fundamental form G = I + g gᵀ in θ-coordinates, shape (..., d, d)."""
        g = self.gradient(theta)
        xp = array_namespace(g)
        return xp.eye(g.shape[-1], dtype=g.dtype, device=device_of(g)) + g[..., :, None] * g[..., None, :]

    def curvatures(self, theta: Array) -> Array:
        """Principal curvatures with respect to the upward normal, ascending, shape (..., d): positive in a valley.

        They are the eigenvalues of G^(-1/2) H G^(-1/2) / W.

        Examples
        --------
        >>> import numpy as np
        >>> wave = FunctionGraph(lambda t: np.sin(t[..., 0]), np.cos, lambda t: -np.sin(t)[..., None])
        >>> wave.curvatures([[-np.pi / 2], [np.pi / 2]])
        array([[ 1.],
               [-1.]])
        """
        gradient = self.gradient(theta)
        xp = array_namespace(gradient)
        stretch = slope(xp, gradient).stretch
        return eigenvalues(xp, shape_matrix(gradient, self.hessian(theta))) / stretch[..., None]

    def _parameters(self, theta: Array) -> tuple[Namespace, Array]:
        return _vectors("theta", theta)

    def _checked(self, xp: Namespace, what: str, result: Any, theta: Array, shape: tuple[int, ...]) -> Array:
        if isinstance(result, float | int) and shape == () and is_numpy_namespace(xp):  # as compiled functions return
            result = xp.asarray(result, dtype=theta.dtype)[()]
        if not is_array_api_obj(result) or array_namespace(result) is not xp:
            raise TypeError(
                f"{self.name}: {what} must return an array of theta's library ({library(xp)}), "
                f"got {type(result).__module__}.{type(result).__qualname__}"
            )
        if tuple(result.shape) != tuple(shape):
            raise ValueError(
                f"{self.name}: {what} must return shape {tuple(shape)} for theta of shape {tuple(theta.shape)}, "
                f"got {tuple(result.shape)}"
            )
        if result.dtype == theta.dtype:
            return result
        if not xp.isdtype(result.dtype, ("real floating", "integral", "bool")):
            raise TypeError(f"{self.name}: {what} must return real numbers, got {result.dtype}")
        return xp.astype(result, theta.dtype)

    def _require_framework(self, xp: Namespace, what: str) -> None:
        if not _autodiff.is_differentiable(xp):
            raise TypeError(
                f"{self.name} was given no {what}, and arrays of {library(xp)} cannot be differentiated: "
                f"pass {what}=..., or use PyTorch or JAX arrays"
            )
        if self._both is not None:  # its gradient may not be differentiable
            raise TypeError(f"{self.name} was given a function of value and gradient, but no {what}: pass {what}=...")


def check_surface(surface: FunctionGraph) -> None:
    """Raise unless `surface` is a `FunctionGraph`."""
    if not isinstance(surface, FunctionGraph):
        raise TypeError(
            f"surface must be a FunctionGraph, got {surface!r}; a function f becomes one by FunctionGraph(f)"
        )
