"""The graph Γ = {(θ, f(θ))} of a function f: ℝᵈ → ℝ, and its first and second order geometry.

`FunctionGraph` carries f; the formulas of `geometry.frames` take its gradient g = ∇f(θ) and its Hessian.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from geometry._compilable import Compilable
from geometry._differentiable import Function
from geometry._namespace import Array, array_namespace, device_of, floating, quietly
from geometry._vectors import length, slope
from geometry.frames import eigenvalues, shape_matrix, steepest_tangent, upward_normal

__all__ = ["FunctionGraph", "check_graph_of", "check_surface"]


class FunctionGraph(Compilable):
    """The graph of a function, the surface that the ball rolls on.

    Parameters
    ----------
    value : callable
        f: array (..., d) → array (...), written in functions of the array library.
    gradient : callable, optional
        ∇f: array (..., d) → array (..., d). Without it PyTorch and JAX arrays are differentiated by their framework;
        for arrays of all other libraries f is recorded (`geometry.expressions.record`), and what cannot be recorded
        raises a `TypeError` with the reason.
    hessian : callable, optional
        ∇²f: array (..., d) → array (..., d, d). Found by differentiation like the gradient.
    hessian_vector : callable, optional
        (θ, v) ↦ ∇²f(θ) v, both (..., d): second order without a d×d matrix.
    name : str, optional
        For error messages and reports.
    compile : bool, optional
        Whether searches over float64 arrays of NumPy, CuPy, PyTorch and JAX, the fixed loop `Descent` and trajectories
        of balls are compiled with the recorded function (numba for the CPU, CUDA C++ for GPUs), over NumPy arrays also
        searches for maxima and other evaluations: one loop over the items in place of array operations on all of them.
        Default: where that saves more time than it takes, about a second once; compiled code is kept on disk. Without
        numba, and where PyTorch or JAX may want a derivative, everything runs on arrays.

    Notes
    -----
    Leading dimensions are a batch: item i of the result must depend on item i of θ alone. Results follow θ: same
    namespace, device and floating dtype; integers become the namespace's default float.

    Examples
    --------
    >>> import numpy as np
    >>> bowl = FunctionGraph(lambda t: np.sum(t**2, axis=-1) / 2)
    >>> bowl.point([3.0, 4.0])
    array([ 3. ,  4. , 12.5])
    >>> bowl.gradient([3.0, 4.0])
    array([3., 4.])
    >>> bowl.curvatures([0.0, 0.0])
    array([1., 1.])
    """

    def __init__(
        self,
        value: Function,
        gradient: Function | None = None,
        hessian: Function | None = None,
        *,
        hessian_vector: Callable[[Array, Array], Array] | None = None,
        name: str | None = None,
        compile: bool | None = None,
    ) -> None:
        super().__init__(value, gradient, hessian, hessian_vector=hessian_vector, name=name, compile=compile)

    def point(self, theta: Array) -> Array:
        """The point p = (θ, f(θ)) of Γ, shape (..., d+1)."""
        xp, theta = self._parameters(theta)
        return xp.concat([theta, self.value(theta)[..., None]], axis=-1)

    def parameters_of(self, points: Array) -> Array:
        """θ (..., d) of points (θ, y) of the ambient space."""
        return points[..., :-1]

    box: Any = None  # of all parameters that belong to it; None: any

    def dimension(self, theta: Array) -> int:
        """d."""
        return int(theta.shape[-1])

    def parameters(self, theta: Array, points: Array) -> Array:
        """Those of points (θ, f(θ)): θ."""
        return theta

    def settled(self, theta: Array) -> Array:
        """Parameters of a point of the graph: θ."""
        return theta

    def place(self, theta: Array) -> Array:
        """The point with parameters θ."""
        return self.point(theta)

    def around(self, query: Array, start: Array, offsets: Array) -> Array:
        """Further starts, from offsets in the unit ball: within the start's distance of the query."""
        xp = array_namespace(query)
        radius = length(xp, query - self.point(start))
        return query[..., :-1] + xp.where(xp.isfinite(radius), radius, xp.zeros_like(radius))[..., None] * offsets

    def start_of(self, points: Array) -> Array:
        """Where searches for footpoints of points (..., d+1) begin: below them."""
        return points[..., :-1]

    def is_above(self, points: Array) -> Array:
        """Where points (..., d+1) are above the graph or on it, y ≥ f(x); shape (...)."""
        _, points = floating("points", points)
        x = points[..., :-1]
        return points[..., -1] >= self.prepared(x, math.prod(x.shape[:-1])).value(x)

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

    @quietly
    def metric(self, theta: Array) -> Array:
        """First fundamental form G = I + g gᵀ in θ-coordinates, shape (..., d, d)."""
        g = self.gradient(theta)
        xp = array_namespace(g)
        return xp.eye(g.shape[-1], dtype=g.dtype, device=device_of(g)) + g[..., :, None] * g[..., None, :]

    @quietly
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


def check_surface(surface: FunctionGraph) -> None:
    """Raise unless `surface` is a `FunctionGraph`."""
    if not isinstance(surface, FunctionGraph):
        raise TypeError(
            f"surface must be a FunctionGraph, got {surface!r}; a function f becomes one by FunctionGraph(f)"
        )


def check_graph_of(solver: str, surface: Any) -> None:
    """Raise unless `surface` is what a solver is for."""
    if not isinstance(surface, FunctionGraph):
        raise TypeError(f"{solver} is for a FunctionGraph, got {surface!r}; use GaussNewton, Newton or MultiStart")
