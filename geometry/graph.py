"""The graph Γ = {(θ, f(θ))} of a function f: ℝᵈ → ℝ, and its first and second order geometry.

`FunctionGraph` carries f; the formulas of `geometry.frames` take its gradient g = ∇f(θ) and its Hessian.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Self

from geometry import _autodiff
from geometry._kernels import KERNELS, kernel
from geometry._lending import lend
from geometry._namespace import (
    Array,
    Namespace,
    array_namespace,
    device_of,
    floating,
    is_array_api_obj,
    is_compiling,
    is_numpy_namespace,
    library,
    to_numpy,
)
from geometry._slips import slip
from geometry._trees import Whole
from geometry._vectors import slope
from geometry.expressions.expression import FEW, TRIALS, Expression, agreeing, difference, record, trial_points
from geometry.frames import eigenvalues, shape_matrix, steepest_tangent, upward_normal, vectors

__all__ = ["FunctionGraph", "check_surface"]

Function = Callable[[Array], Array]
FULL = 32
"""A function of more variables that came with a gradient is not recorded for the sake of second derivatives."""
LEAST = 200
"""Fewer items are not worth looking at for compilation."""
LOOP, PER_NUMBER, COMPILING = 150, 2e-9, 1.5
"""Seconds that arrays take for an evaluation: items × (numbers made for each + LOOP) × PER_NUMBER; and compilers."""
SEARCH, CALL = 10, 3e-5
"""Evaluations of a search; seconds that an evaluation takes on arrays of few items, with the inner step around it."""


class FunctionGraph(Whole):
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
        if not (compile is None or isinstance(compile, bool)):
            raise TypeError(f"compile must be True, False or None, got {compile!r}")
        given = {"value": value, "gradient": gradient, "hessian": hessian, "hessian_vector": hessian_vector}
        for argument, function in given.items():
            if not callable(function) and (function is not None or argument == "value"):
                raise TypeError(f"{argument} must be callable, got {function!r}")
        self._value, self._gradient, self._hessian, self._hessian_vector = value, gradient, hessian, hessian_vector
        self._both: Callable[[Array], tuple[Array, Array]] | None = None
        self.compile = compile
        self._recordings: dict[int, Expression | TypeError] = {}
        self._compilable: dict[int, Expression | TypeError] = {}
        self._blind: dict[tuple[str, int], str] = {}
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

    def __getstate__(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "_recordings": {},
            "_compilable": {},
            "_blind": {},
        }  # which another process does itself
        return self.__dict__ | found

    @property
    def given(self) -> frozenset[str]:
        """Which of value, gradient, hessian and hessian_vector were handed over."""
        functions = {
            "value": self._value,
            "gradient": self._gradient,
            "hessian": self._hessian,
            "hessian_vector": self._hessian_vector,
        }
        return frozenset(name for name, function in functions.items() if function is not None)

    def value(self, theta: Array) -> Array:
        """Height f(θ), shape (...)."""
        xp, theta = self._parameters(theta)
        if self.compile and (found := self._compiled(theta, 0)):
            return found[0][()]
        return self._checked(xp, "value", self._value(theta), theta, theta.shape[:-1])

    def gradient(self, theta: Array) -> Array:
        """∇f(θ), shape (..., d)."""
        xp, theta = self._parameters(theta)
        if self._gradient is not None and not self.compile:
            return self._checked(xp, "gradient", self._gradient(theta), theta, theta.shape)
        if self._both is not None or _autodiff.is_differentiable(xp):
            return self.value_and_gradient(theta)[1]
        if found := self._compiled(theta, 1):
            return found[1]
        if self._gradient is not None:
            return self._checked(xp, "gradient", self._gradient(theta), theta, theta.shape)
        return self._recorded(xp, theta, "gradient").parts(xp, theta, "slope")[0]

    def value_and_gradient(self, theta: Array) -> tuple[Array, Array]:
        """The pair (f(θ), ∇f(θ)) from one evaluation."""
        xp, theta = self._parameters(theta)
        if found := self._compiled(theta, 1):
            return found[0][()], found[1]
        if self._both is not None:
            pair = self._both(theta)
        elif self._gradient is not None:
            pair = self._value(theta), self._gradient(theta)
        elif _autodiff.is_differentiable(xp):
            pair = _autodiff.value_and_gradient(xp, self.value, theta)
        else:
            pair = self._value(theta), self._recorded(xp, theta, "gradient").parts(xp, theta, "slope")[0]
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
        if found := self._compiled(theta, 2):
            return found[2]
        if self._hessian is not None:
            result = self._hessian(theta)
        elif self._hessian_vector is not None:
            identity = xp.eye(theta.shape[-1], dtype=theta.dtype, device=device_of(theta))
            columns = [self.hessian_vector(theta, xp.zeros_like(theta) + e) for e in xp.unstack(identity)]
            result = xp.stack(columns, axis=-1)
        elif self._differentiates(xp, theta, "hessian"):
            result = _autodiff.hessian(xp, self.gradient, theta)
        else:
            result = self._recorded(xp, theta, "hessian").parts(xp, theta, "curvature")[0]
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
        elif self._hessian is not None:
            result = xp.sum(self.hessian(theta) * vector[..., None, :], axis=-1)
        elif self._differentiates(xp, theta, "hessian_vector"):
            result = _autodiff.hessian_vector(xp, self.gradient, theta, vector)
        else:
            result = self._recorded(xp, theta, "hessian_vector").hessian_vector(theta, vector)
        return self._checked(xp, "hessian_vector", result, theta, theta.shape)

    def has_gradient(self, theta: Array) -> bool:
        """Whether gradients are at hand for arrays such as `theta`."""
        given = self._gradient is not None or self._both is not None
        return given or self._finds_derivatives(theta)

    def has_second_order(self, theta: Array) -> bool:
        """Whether Hessians or their products with vectors are at hand for arrays such as `theta`."""
        if self._hessian is not None or self._hessian_vector is not None:
            return True
        few = self._gradient is None or theta.shape[-1] <= FULL
        known = self._both is None and few and self._finds_derivatives(theta)
        return known and not self._blindness(array_namespace(theta), theta)

    def _finds_derivatives(self, theta: Array) -> bool:
        xp = array_namespace(theta)
        return _autodiff.is_differentiable(xp) or isinstance(self._recording(theta.shape[-1]), Expression)

    def point(self, theta: Array) -> Array:
        """The point p = (θ, f(θ)) of Γ, shape (..., d+1)."""
        xp, theta = self._parameters(theta)
        return xp.concat([theta, self.value(theta)[..., None]], axis=-1)

    def parameters_of(self, points: Array) -> Array:
        """θ (..., d) of points (θ, y) of the ambient space."""
        return points[..., :-1]

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
        return vectors("theta", theta)

    def _checked(self, xp: Namespace, what: str, result: Any, theta: Array, shape: tuple[int, ...]) -> Array:
        loses_derivative = _autodiff.is_differentiable(xp)
        if isinstance(result, float | int) and shape == () and not loses_derivative:
            result = xp.asarray(result, dtype=theta.dtype, device=device_of(theta))[()]
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

    def _differentiates(self, xp: Namespace, theta: Array, what: str) -> bool:
        """Whether the framework of the arrays finds second derivatives."""
        if self._both is not None:  # its gradient may not be differentiable
            raise TypeError(f"{self.name} was given a function of value and gradient, but no {what}: pass {what}=...")
        if blind := self._blindness(xp, theta):
            raise TypeError(
                f"{self.name} was given a gradient that {library(xp)} cannot differentiate, and no {what}: pass "
                f"{what}=..., or no gradient ({blind})"
            )
        return _autodiff.is_differentiable(xp)

    def _blindness(self, xp: Namespace, theta: Array) -> str:
        """Why the framework of the arrays cannot differentiate the gradient that was given; "" where it can."""
        if self._gradient is None or not _autodiff.is_differentiable(xp):
            return ""
        kind = library(xp), theta.shape[-1]
        if kind not in self._blind and not is_compiling():
            told = _autodiff.blindness(xp, self.gradient, theta, trial_points(theta.shape[-1], 3))
            if told is None:
                return ""
            self._blind[kind] = told
        return self._blind.get(kind, "")

    def to_compile(self, theta: Array, evaluations: int = SEARCH) -> Expression | None:
        """The recorded function that a loop from θ (..., d) is compiled with; None where it runs on arrays.

        Parameters
        ----------
        theta : array (..., d)
        evaluations : int
            How often the loop evaluates the function at each θ; default: as often as a search.

        Raises
        ------
        TypeError
            ``compile=True`` was asked for, and the function cannot be recorded, or has another gradient or Hessian than
            the one it was given.
        """
        d = theta.shape[-1]
        if self.compile is False or self._both is not None or d > FEW:
            return None
        (plain,), _ = lend(theta)
        xp, items = array_namespace(plain), math.prod(theta.shape[:-1])
        if ("search", library(xp)) not in KERNELS or plain.dtype != xp.float64:
            return None
        if self.compile is None and items * evaluations < LEAST * SEARCH:
            return None
        here = None if is_numpy_namespace(array_namespace(theta)) else self._some(theta)
        if here and _autodiff.is_recorded(array_namespace(theta), here[1]):
            return None
        found = self._recording(d)
        if isinstance(found, Expression):
            seconds = evaluations * (CALL + items * (found.cost + LOOP) * PER_NUMBER)
            if self.compile is None and seconds <= COMPILING:
                return None
            found = self._checked_once(found)
        if isinstance(found, Expression):
            same = here is None or agreeing(found.value(to_numpy(here[0])), to_numpy(here[1])).all()
            return found if same and kernel("search", xp) is not None else None
        if self.compile:
            raise TypeError(f"{self.name} cannot be compiled: {found}")
        return None

    def to_look(self, theta: Array, name: str) -> Expression | None:
        """The recorded function that a kernel is compiled with which looks for maxima; None where that runs on arrays.

        As in `to_compile`; in the memory of no other library than NumPy.
        """
        xp = array_namespace(theta)
        expression = self.to_compile(theta) if is_numpy_namespace(xp) else None
        return None if expression is None or kernel(name, xp) is None else expression

    def _some(self, theta: Array) -> tuple[Array, Array]:
        """A few of the places, (k, d), and what f is there, in arrays of another library than it is recorded with.

        It tells whether derivatives by something in f may be wanted, and whether f is still what was recorded.
        """
        few = array_namespace(theta).reshape(theta, (-1, theta.shape[-1]))[:TRIALS, :]
        return few, self.value(few)

    def prepared(self, theta: Array, evaluations: int, order: int = 0) -> FunctionGraph:
        """This graph for so many evaluations at arrays such as θ (..., d), of derivatives up to an order.

        Where it was left open whether to compile, and that saves more time than it takes, all of them are compiled.
        """
        if self.compile is not None or self._to_evaluate(theta, evaluations, order) is None:
            return self
        if kernel("evaluate", array_namespace(theta)) is None:
            return self
        return self._with(compile=True)

    def _with(self, *, compile: bool) -> FunctionGraph:
        """This graph, told whether to compile, with what it knows of its recordings."""
        graph = object.__new__(type(self))
        graph.__dict__.update(self.__dict__, compile=compile)
        return graph

    def _compiled(self, theta: Array, order: int) -> tuple[Array, ...] | None:
        """f and its derivatives up to an order by compiled code; None where arrays do."""
        expression = self._to_evaluate(theta, math.prod(theta.shape[:-1]), order)
        run = None if expression is None else kernel("evaluate", array_namespace(theta))
        return None if run is None else run(expression, theta, order)

    def _to_evaluate(self, theta: Array, evaluations: int, order: int) -> Expression | None:
        """The recorded function that is compiled for evaluations; None where arrays do."""
        if self.compile is False or self._both is not None or (self.compile is None and evaluations < LEAST):
            return None
        xp, d = array_namespace(theta), theta.shape[-1]
        if d > FEW or not is_numpy_namespace(xp) or theta.dtype != xp.float64:
            return None
        found = self._recording(d)
        if isinstance(found, Expression) and self.compile is None:
            share = (1, d + 1, (d + 1) * (d + 2) // 2)[order] / ((d + 1) * (d + 2) // 2)
            if evaluations * (found.cost * share + LOOP) * PER_NUMBER <= COMPILING:
                return None
        found = self._checked_once(found) if isinstance(found, Expression) else found
        return found if isinstance(found, Expression) else None

    def _checked_once(self, expression: Expression) -> Expression | TypeError:
        """The recording, or why it is not what a search is compiled with."""
        if expression.d not in self._compilable:
            told = self.slip(trial_points(expression.d, 8)) or expression.too_long
            self._compilable[expression.d] = TypeError(told) if told else expression
        return self._compilable[expression.d]

    def slip(self, theta: Array) -> str:
        """In which entry a derivative that was given is not that of the values at NumPy's points (n, d), in words.

        "" where all are. Raises a `TypeError` where the function cannot be recorded.
        """
        written, second = self._with(compile=False), self._hessian is not None or self._hessian_vector is not None
        functions = {"gradient": written.gradient} if self._gradient is not None else {}
        functions |= {"hessian": written.hessian} if second else {}
        return slip(self.expression(theta.shape[-1]), functions, theta) if functions else ""

    def expression(self, d: int, *, written: bool = False) -> Expression:
        """The function as recorded for d variables (`geometry.expressions.record`).

        Its gradient follows from the function; if `written`, it is the one that was given, where one was.

        Raises
        ------
        TypeError
            With the reason, if it cannot be recorded.

        Examples
        --------
        >>> FunctionGraph(lambda t: t[..., 0] * t[..., 1]).expression(2)
        <Expression of 2 variables>
        """
        found = self._recording(d)
        if isinstance(found, TypeError):
            raise TypeError(str(found)) from found
        return found.with_gradient(self._gradient) if written and self._gradient is not None else found

    def _recorded(self, xp: Namespace, theta: Array, what: str) -> Expression:
        found = self._recording(theta.shape[-1])
        if isinstance(found, Expression):
            return found
        self.value(theta)  # what is wrong with that comes first
        raise TypeError(
            f"{self.name} was given no {what}, arrays of {library(xp)} do not differentiate themselves, and {found}: "
            f"pass {what}=..., or use PyTorch or JAX arrays"
        )

    def _recording(self, d: int) -> Expression | TypeError:
        """The function as recorded for d variables, or why it cannot be."""
        if d not in self._recordings:
            self._recordings[d] = self._record(d)
        return self._recordings[d]

    def _record(self, d: int) -> Expression | TypeError:
        try:
            expression = record(self._value, d)
            told = difference(expression, self._value, (2, 3))
        except (TypeError, ValueError) as error:
            return TypeError(str(error))
        return TypeError(f"it is no function of batches: {told}") if told else expression


def check_surface(surface: FunctionGraph) -> None:
    """Raise unless `surface` is a `FunctionGraph`."""
    if not isinstance(surface, FunctionGraph):
        raise TypeError(
            f"surface must be a FunctionGraph, got {surface!r}; a function f becomes one by FunctionGraph(f)"
        )
