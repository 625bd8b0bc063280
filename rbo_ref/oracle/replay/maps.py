"""The map Φ of one step, θ_{t+1} = Φ(θ_t), of many recorded steps at once: the formula, over batches of numbers.

What a formula remembers before each step follows from the places of all earlier ones: `Memory`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy
from numpy.typing import NDArray

from geometry import FunctionGraph
from geometry.arithmetic.batched import FIRST, WHOLE, WIDE, Batch, Counts
from geometry.arithmetic.formats import Format, handing_over
from geometry.arithmetic.rounded import Rounded
from rbo_ref.oracle.formulas import Formula
from rbo_ref.oracle.replay.surfaces import Surface

__all__ = ["NUMBERS_AT_ONCE", "STEPS_AT_ONCE", "Beside", "Hypers", "Images", "Map", "errors_of", "wide"]

STEPS_AT_ONCE = 512
NUMBERS_AT_ONCE = 2**19  # in the generators of the steps that are judged together
Floats = NDArray[numpy.float64]
Wide = NDArray[Any]  # float64 or longdouble


class Hypers(dict[str, NDArray[Any]]):
    """The hyper-parameters of n steps by name: numbers (n,), or (n, k) where one is several.

    Examples
    --------
    >>> hypers = Hypers(learning_rate=numpy.array([0.5, 0.25]), betas=numpy.array([[0.5, 0.75]] * 2))
    >>> hypers.one(1)
    {'learning_rate': 0.25, 'betas': (0.5, 0.75)}
    """

    def take(self, some: Any) -> Hypers:
        """Those of some steps."""
        return Hypers({name: column[some] for name, column in self.items()})

    def one(self, i: int) -> dict[str, Any]:
        """Those of one step, as numbers of Python."""
        rows = ((name, column[i].tolist()) for name, column in self.items())
        return {name: tuple(row) if isinstance(row, list) else row for name, row in rows}

    def alike(self) -> list[NDArray[numpy.intp]]:
        """The steps in groups that have the same counts and switches."""
        keys = numpy.zeros(len(next(iter(self.values()))), dtype=int)
        for column in self.values():
            if column.dtype.kind != "f":
                codes = numpy.unique(column, return_inverse=True)[1]
                keys = numpy.unique(keys * (codes.max(initial=0) + 1) + codes, return_inverse=True)[1]
        return [numpy.flatnonzero(keys == key) for key in range(keys.max(initial=-1) + 1)]

    def given(self, batch: Batch) -> dict[str, Any]:
        """In the numbers of a batch; counts and switches, which are the same in all steps, as they are."""
        return {name: _given(batch, column) for name, column in self.items()}


def _given(batch: Batch, column: NDArray[Any]) -> Any:
    if column.dtype.kind != "f":
        return column[0].item()
    if column.ndim > 1:
        return tuple(_given(batch, part) for part in column.T)
    return batch.given(column[:1] if (column == column[0]).all() else column)


class Beside(NamedTuple):
    """What is known of n steps beside their places and hyper-parameters."""

    number: NDArray[numpy.int64]  # of each, counted from 1
    memory: Mapping[str, tuple[Wide, Floats]] = {}  # values (..., 1, n), and errors (..., 3, n)
    gradient: NDArray[Any] | None = None  # as it was recorded, (n, ...)
    draws: NDArray[Any] | None = None  # (n, ...)

    def take(self, some: Any) -> Beside:
        """That of some steps."""
        memory = {name: (value[..., some], error[..., some]) for name, (value, error) in self.memory.items()}
        told = (None if rows is None else rows[some] for rows in (self.gradient, self.draws))
        return Beside(self.number[some], memory, *told)


class Images(NamedTuple):
    """Where n steps lead."""

    theta: Wide  # (n, d)
    first: Floats  # how far from there a right port may be, to first order; (n, d)
    whole: Floats  # the same for certain
    doubt: Floats  # how far from Φ(θ) `theta` may be
    derivative: Floats  # DΦ, (n, d, d); of a formula that remembers (n, d, 0)


class Map(NamedTuple):
    """What is judged: a formula, on a surface, in a format."""

    surface: Surface | None  # None where values and gradients come from a recording
    formula: type[Formula]
    target: Format

    @property
    def is_served(self) -> bool:
        """Whether values and gradients come from elsewhere than from a formula that the port evaluates."""
        return self.surface is None or self.surface.is_served

    @property
    def graph(self) -> FunctionGraph:
        """The function."""
        assert self.surface is not None
        return self.surface.graph

    def batch(self) -> Batch:
        """An arithmetic for some steps."""
        return Batch(self.target, self.is_served)

    def loss(self, batch: Batch, gradient: NDArray[Any] | None) -> Any:
        """The loss as ports are answered, or the gradients that they were given."""
        if self.surface is not None:
            return partial(batch.evaluate, self.surface.loss)
        assert gradient is not None
        slopes = batch.along(gradient)
        return lambda theta: (batch.exact(numpy.nan).lost(), slopes)

    def images(self, theta: NDArray[Any], hyper: Hypers, beside: Beside | None = None) -> Images:
        """Steps from recorded places (n, ...); those that are alike are taken together."""
        n, d = len(theta), theta[0].size
        first, whole, doubt = numpy.empty((3, n, d))
        derivative = numpy.empty((n, d, d if self.formula.is_memoryless else 0))
        found = Images(theta.reshape(n, d).astype(self.batch().dtype), first, whole, doubt, derivative)
        for some in hyper.alike():
            parts = self._step(theta[some], hyper.take(some), beside and beside.take(some))
            for array, part in zip(found, parts, strict=True):
                array[some] = part
        return found

    def _step(self, theta: NDArray[Any], hyper: Hypers, beside: Beside | None) -> Images:
        """Steps of which all counts and switches are the same."""
        batch, formula = self.batch(), self.formula()
        beside = beside or Beside(numpy.ones(len(theta), dtype=int))
        start = batch.seeded(theta) if self.formula.is_memoryless else batch.along(theta)
        draws = None if beside.draws is None else batch.along(beside.draws)
        formula.told(self.loss(batch, beside.gradient), start, hyper.given(batch), draws)
        formula.begin(start)
        vars(formula).update({name: batch.enclosed(*known) for name, known in beside.memory.items()})
        formula.t = Counts(beside.number)
        place = formula.step(start).reshaped((-1,))
        vars(formula).clear()  # what it holds refers to it; many generators would wait for the garbage collector
        errors, before = errors_of(place), theta.reshape(len(theta), -1).astype(float)
        handed = handing_over(before, wide(place).astype(float), self.target)
        flow = batch.derivative(place)
        return Images(wide(place), errors[FIRST] + handed, errors[WHOLE] + handed, errors[WIDE], flow)


def wide(numbers: Rounded) -> Wide:
    """The values of n vectors, (n, d)."""
    return numbers.value[:, 0].T


def errors_of(numbers: Rounded) -> Floats:
    """Their errors, (3, n, d)."""
    shape = (*numbers.shape, 3, numbers.value.shape[-1])
    return numpy.moveaxis(numpy.broadcast_to(numbers.radius, shape), 0, -1)
