"""When a recorded function is compiled, and what then runs in place of arrays."""

from __future__ import annotations

import math
from typing import Any, Self

from geometry import _autodiff
from geometry._differentiable import Differentiable
from geometry._kernels import KERNELS, kernel
from geometry._lending import lend
from geometry._namespace import Array, array_namespace, is_numpy_namespace, library, to_numpy
from geometry.expressions.expression import FEW, TRIALS, Expression, agreeing, trial_points

__all__ = ["SEARCH", "Compilable"]

LEAST = 200
"""Fewer items are not worth looking at for compilation."""
LOOP, PER_NUMBER, COMPILING = 150, 2e-9, 1.5
"""Seconds that arrays take for an evaluation: items × (numbers made for each + LOOP) × PER_NUMBER; and compilers."""
SEARCH, CALL = 10, 3e-5
"""Evaluations of a search; seconds that an evaluation takes on arrays of few items, with the inner step around it."""


class Compilable(Differentiable):
    """A function that loops over many items are compiled with, where that is asked for or saves time."""

    def __init__(self, *functions: Any, compile: bool | None = None, **options: Any) -> None:
        if not (compile is None or isinstance(compile, bool)):
            raise TypeError(f"compile must be True, False or None, got {compile!r}")
        super().__init__(*functions, **options)
        self.compile = compile
        self._compilable: dict[int, Expression | TypeError] = {}

    def __getstate__(self) -> dict[str, Any]:
        return super().__getstate__() | {"_compilable": {}}

    @property
    def _is_told_to_compile(self) -> bool | None:  # type: ignore[override]
        return self.compile

    def _written(self) -> Self:
        return self._with(compile=False)

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

    def prepared(self, theta: Array, evaluations: int, order: int = 0) -> Self:
        """This function for so many evaluations at arrays such as θ (..., d), of derivatives up to an order.

        Where it was left open whether to compile, and that saves more time than it takes, all of them are compiled.
        """
        if self.compile is not None or self._to_evaluate(theta, evaluations, order) is None:
            return self
        if kernel("evaluate", array_namespace(theta)) is None:
            return self
        return self._with(compile=True)

    def _with(self, *, compile: bool) -> Self:
        """This function, told whether to compile, with what it knows of its recordings."""
        graph = object.__new__(type(self))
        graph.__dict__.update(self.__dict__, compile=compile)
        return graph

    def _compiled(self, theta: Array, order: int) -> tuple[Array, ...] | None:
        if order == 0 and not self.compile:
            return None
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
