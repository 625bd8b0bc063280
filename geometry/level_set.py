"""Implicit hypersurfaces Γ = {x : F(x) = 0} of ℝⁿ, and their first and second order geometry.

A graph is the level set of F(θ, y) = y − f(θ), and all signs agree with it: the normal points to where F > 0, "above",
and a curvature is positive where Γ bends towards the normal, as a valley does.
"""

from __future__ import annotations

from collections.abc import Callable

from geometry._compilable import Compilable
from geometry._level_search import retract, tangential, unit
from geometry._namespace import Array, array_namespace, floating, quietly
from geometry._trees import Whole
from geometry._vectors import length
from geometry.expressions.expression import Expression
from geometry.frames import eigenvalues

__all__ = ["LevelSet"]

Function = Callable[[Array], Array]
NEARBY = 20  # steps from a sample to a level set: what is farther is left to nearer samples


class LevelSet(Whole):
    """The zero set of a function F: ℝⁿ → ℝ with ∇F ≠ 0 on it: an implicit curve, surface or hypersurface.

    The parameters θ of a level set are points x of ℝⁿ themselves. A verb that needs a point of Γ takes any x nearby and
    goes to Γ first; see `point`.

    Parameters
    ----------
    function : callable
        F: array (..., n) → array (...), written in functions of the array library.
    gradient : callable, optional
        ∇F: array (..., n) → array (..., n). Without it PyTorch and JAX arrays are differentiated by their framework.
    hessian : callable, optional
        ∇²F: array (..., n) → array (..., n, n).
    name : str, optional

    Notes
    -----
    Results follow x: same namespace, device and floating dtype. Leading dimensions are a batch.

    Examples
    --------
    >>> import numpy as np
    >>> from geometry import distance, reach
    >>> circle = LevelSet(
    ...     lambda x: np.sum(x**2, axis=-1) - 4, lambda x: 2 * x, lambda x: 2 * np.eye(2) + 0 * x[..., None]
    ... )
    >>> circle.point([3.0, 4.0]), circle.curvatures([0.0, 2.0])
    (array([1.2, 1.6]), array([-0.5]))
    >>> distance(circle, [[3.0, 4.0], [0.0, 0.5]])
    array([3. , 1.5])
    >>> reach(circle, [(-3, 3), (-3, 3)]).value.round(9)
    np.float64(2.0)
    """

    def __init__(
        self,
        function: Function,
        gradient: Function | None = None,
        hessian: Function | None = None,
        *,
        name: str | None = None,
    ) -> None:
        if not callable(function):
            raise TypeError(f"function must be callable, got {function!r}")
        self._function = Compilable(function, gradient, hessian, name=name)
        self.name: str = self._function.name

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.name}>"

    @property
    def given(self) -> frozenset[str]:
        """Which of value, gradient and hessian were handed over."""
        return self._function.given

    def value(self, x: Array) -> Array:
        """F(x), shape (...): positive above Γ, negative below."""
        return self._function.value(x)

    def gradient(self, x: Array) -> Array:
        """∇F(x), shape (..., n)."""
        return self._function.gradient(x)

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        """The pair (F(x), ∇F(x))."""
        return self._function.value_and_gradient(x)

    def hessian(self, x: Array) -> Array:
        """∇²F(x), shape (..., n, n)."""
        return self._function.hessian(x)

    def has_gradient(self, x: Array) -> bool:
        """Whether gradients are at hand for arrays such as `x`."""
        return self._function.has_gradient(x)

    def has_second_order(self, x: Array) -> bool:
        """Whether Hessians are at hand for arrays such as `x`."""
        return self._function.has_second_order(x)

    def is_smooth(self, x: Array) -> bool:
        """Whether F is known to have no kinks."""
        return self._function.is_smooth(x)

    def slip(self, x: Array) -> str:
        """In which entry a derivative that was given is not that of the values: see `FunctionGraph.slip`."""
        return self._function.slip(x)

    def expression(self, n: int) -> Expression:
        """What F does, recorded once: see `FunctionGraph.expression`."""
        return self._function.expression(n)

    def is_above(self, points: Array) -> Array:
        """Where points of the ambient space are above the surface or on it, F ≥ 0; shape (...)."""
        return self.value(points) >= 0

    @quietly
    def point(self, x: Array, *, max_steps: int = 100) -> Array:
        """The point of Γ to which Newton steps along ∇F lead from x, shape (..., n); NaN where they lead to none.

        It is near the footpoint of x, but is the footpoint only where ∇F points along the distance.
        """
        _, x = floating("x", x)
        return retract(self.value_and_gradient, x, max_steps)

    def parameters_of(self, points: Array) -> Array:
        """The points themselves; a `FunctionGraph` has θ for (θ, y)."""
        return points

    box = None  # of all parameters that belong to it; None: any

    @property
    def function(self) -> Function:
        """F as it was handed over."""
        return self._function.function

    def dimension(self, x: Array) -> int:
        """n − 1."""
        return int(x.shape[-1]) - 1

    def parameters(self, x: Array, points: Array) -> Array:
        """Those of points of the level set: the points."""
        return points

    def settled(self, x: Array) -> Array:
        """A point of the level set, near x; NaN where that is far."""
        return self.point(x, max_steps=NEARBY)

    def place(self, x: Array) -> Array:
        """The point with parameters x, which is on the level set."""
        return x

    def prepared(self, x: Array, evaluations: int, order: int = 0) -> LevelSet:
        """This level set for so many evaluations."""
        return self

    def to_look(self, x: Array, name: str) -> None:
        """No kernel looks at level sets."""

    def around(self, query: Array, start: Array, offsets: Array) -> Array:
        """Further starts, from offsets in the unit ball: within the start's distance of the query."""
        xp = array_namespace(query)
        radius, anywhere = length(xp, query - self.point(start)), length(xp, query) + 1
        return query + xp.where(xp.isfinite(radius), radius, anywhere)[..., None] * offsets

    def start_of(self, points: Array) -> Array:
        """Where searches for footpoints of points begin: at the points themselves."""
        return points

    @quietly
    def normal(self, x: Array) -> Array:
        """Unit normal ∇F/|∇F| of the level set through x, towards F > 0; shape (..., n)."""
        gradient = self.gradient(x)
        return unit(array_namespace(gradient), gradient)

    def point_and_normal(self, x: Array) -> tuple[Array, Array]:
        """The point of Γ near x, as `point` has it, and the unit normal there."""
        point = self.point(x)
        return point, self.normal(point)

    @quietly
    def shape_operator(self, x: Array) -> Array:
        """−∇²F/|∇F| restricted to the tangent space, a symmetric matrix (..., n−1, n−1), in some orthonormal basis."""
        gradient = self.gradient(x)
        xp = array_namespace(gradient)
        size = length(xp, gradient)[..., None, None]
        return tangential(xp, unit(xp, gradient), -self.hessian(x) / xp.where(size > 0, size, xp.nan))

    def curvatures(self, x: Array) -> Array:
        """Principal curvatures of the level set through x, ascending, shape (..., n−1).

        They are positive where the surface bends towards the normal: a sphere |x|² = r² has −1/r everywhere.
        """
        shape = self.shape_operator(x)
        return eigenvalues(array_namespace(shape), shape)
