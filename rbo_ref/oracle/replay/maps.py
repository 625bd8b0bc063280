"""The map Φ of one step, θ_{t+1} = Φ(θ_t), of many recorded steps at once: the formula, over batches of numbers."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy
from numpy.typing import NDArray

from geometry import FunctionGraph
from geometry.arithmetic.batched import FIRST, WHOLE, WIDE, Batch
from geometry.arithmetic.formats import Format, handing_over
from geometry.arithmetic.rounded import Rounded
from rbo_ref.oracle.formulas import RollingBallFormula
from rbo_ref.oracle.replay.surfaces import Surface

__all__ = ["Hypers", "Images", "Map", "errors_of", "wide"]

Floats = NDArray[numpy.float64]
Wide = NDArray[Any]  # float64 or longdouble


class Hypers(NamedTuple):
    """The hyper-parameters of n steps, shape (n,)."""

    learning_rate: Floats
    radius: Floats
    projection_rate: Floats
    projection_steps: NDArray[numpy.int64]

    def take(self, some: Any) -> Hypers:
        """Those of some steps."""
        return Hypers(*(numbers[some] for numbers in self))

    def one(self, i: int) -> dict[str, Any]:
        """Those of one step, by name."""
        return {name: numbers[i].item() for name, numbers in self._asdict().items()}

    def given(self, batch: Batch, projection_steps: int) -> dict[str, Any]:
        """In the numbers of a batch, with so many inner iterations."""
        return {name: batch.given(numbers) for name, numbers in self._asdict().items()} | {
            "projection_steps": projection_steps
        }


class Images(NamedTuple):
    """Where n steps lead."""

    theta: Wide  # (n, d)
    first: Floats  # how far from there a right port may be, to first order; (n, d)
    whole: Floats  # the same for certain
    doubt: Floats  # how far from Φ(θ) `theta` may be
    derivative: Floats  # DΦ, (n, d, d)


class Map(NamedTuple):
    """What is judged: a formula, on a surface, in a format."""

    surface: Surface | None  # None where values and gradients come from a recording
    formula: type[RollingBallFormula]
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

    def images(self, theta: NDArray[Any], hyper: Hypers) -> Images:
        """Steps from recorded places (n, d); those of equally many inner iterations are taken together."""
        assert self.surface is not None
        n, d = theta.shape
        first, whole, doubt = numpy.empty((3, n, d))
        found = Images(theta.astype(self.batch().dtype), first, whole, doubt, numpy.empty((n, d, d)))
        for count in numpy.unique(hyper.projection_steps):
            some = hyper.projection_steps == count
            batch, formula = self.batch(), self.formula()
            loss = partial(batch.evaluate, self.surface.loss)
            place = formula.advance(loss, batch.seeded(theta[some]), hyper.take(some).given(batch, int(count)))
            vars(formula).clear()  # what it holds refers to it; many generators would wait for the garbage collector
            errors, start = errors_of(place), theta[some].astype(float)
            handed = handing_over(start, wide(place).astype(float), self.target)
            parts = wide(place), errors[FIRST] + handed, errors[WHOLE] + handed, errors[WIDE], batch.derivative(place)
            for array, part in zip(found, parts, strict=True):
                array[some] = part
        return found


def wide(numbers: Rounded) -> Wide:
    """The values of n vectors, (n, d)."""
    return numbers.value[:, 0].T


def errors_of(numbers: Rounded) -> Floats:
    """Their errors, (3, n, d)."""
    shape = (*numbers.shape, 3, numbers.value.shape[-1])
    return numpy.moveaxis(numpy.broadcast_to(numbers.radius, shape), 0, -1)
