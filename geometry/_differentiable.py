"""A function f: ℝᵈ → ℝ on any array library, with its derivatives: as given, or found by differentiation.

PyTorch and JAX arrays are differentiated by their framework; for all others f is recorded once, and the recording is
differentiated.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from geometry import _autodiff
from geometry._namespace import (
    Array,
    Namespace,
    array_namespace,
    device_of,
    floating,
    is_array_api_obj,
    is_compiling,
    library,
    quietly,
)
from geometry._slips import slip
from geometry._trees import Whole
from geometry.expressions.expression import Expression, difference, record, trial_points
from geometry.frames import vectors

__all__ = ["Differentiable", "Function"]

Function = Callable[[Array], Array]
FULL = 32
"""A function of more variables that came with a gradient is not recorded for the sake of second derivatives."""


class Differentiable(Whole):
    """f with ∇f, ∇²f and products with it. Parameters as of `geometry.FunctionGraph`."""

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
        self._recordings: dict[int, Expression | TypeError] = {}
        self._blind: dict[tuple[str, int], str] = {}
        self.name: str = str(name or getattr(value, "__name__", "surface"))

    @classmethod
    def from_value_and_gradient(
        cls, function: Callable[[Array], tuple[Array, Array]], *, name: str | None = None, **second_order: Any
    ) -> Self:
        """A graph from one function that returns the pair (f(θ), ∇f(θ)): one call an evaluation.

        Examples
        --------
        >>> from geometry import FunctionGraph
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
        return self.__dict__ | {"_recordings": {}, "_blind": {}}  # which another process does itself

    @property
    def function(self) -> Function:
        """f as it was handed over."""
        return self._value

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

    @quietly
    def value(self, theta: Array) -> Array:
        """Height f(θ), shape (...)."""
        xp, theta = self._parameters(theta)
        if found := self._compiled(theta, 0):
            return found[0][()]
        return self._checked(xp, "value", self._value(theta), theta, theta.shape[:-1])

    @quietly
    def gradient(self, theta: Array) -> Array:
        """∇f(θ), shape (..., d)."""
        xp, theta = self._parameters(theta)
        if self._gradient is not None and not self._is_told_to_compile:
            return self._checked(xp, "gradient", self._gradient(theta), theta, theta.shape)
        if self._both is not None or _autodiff.is_differentiable(xp):
            return self.value_and_gradient(theta)[1]
        if found := self._compiled(theta, 1):
            return found[1]
        if self._gradient is not None:
            return self._checked(xp, "gradient", self._gradient(theta), theta, theta.shape)
        return self._recorded(xp, theta, "gradient").parts(xp, theta, "slope")[0]

    @quietly
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

    @quietly
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

    @quietly
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

    def is_smooth(self, theta: Array) -> bool:
        """Whether f is known to have no kinks, from what was recorded of it."""
        if self._both is not None:
            return False
        d, foreign = theta.shape[-1], _autodiff.is_differentiable(array_namespace(theta))
        found = self._recordings.get(d) if foreign else self._recording(d)
        return isinstance(found, Expression) and found.is_smooth

    _is_told_to_compile: bool | None = False

    def _compiled(self, theta: Array, order: int) -> tuple[Array, ...] | None:
        """f and its derivatives up to an order by compiled code; None where arrays do."""
        return None

    def _written(self) -> Self:
        """This function, evaluated as it is written."""
        return self

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

    def slip(self, theta: Array) -> str:
        """In which entry a derivative that was given is not that of the values at NumPy's points (n, d), in words.

        "" where all are. Raises a `TypeError` where the function cannot be recorded.
        """
        written, second = self._written(), self._hessian is not None or self._hessian_vector is not None
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
        >>> from geometry import FunctionGraph
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
