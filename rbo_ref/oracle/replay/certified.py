"""Arrays of the balls of python-flint: of a function of arrays they make a loss of the oracle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy
from numpy.typing import NDArray

from geometry import FunctionGraph
from rbo_ref.oracle.losses import Vector
from rbo_ref.oracle.replay._functions import Numbers, Parts, Truth

if TYPE_CHECKING:
    from flint import arb, arb_mat

__all__ = ["Certified", "CertifiedGraph"]


def _each(function: Any, *arrays: NDArray[Any]) -> NDArray[Any]:
    """`function` of every ball; a result of a single ball stays an array."""
    result = numpy.frompyfunc(function, len(arrays), 1)(*arrays)
    return numpy.asarray(result, dtype=object)


class Certified:
    """The arithmetic, at the working precision of `flint.ctx`; constants are exact."""

    def constant(self, value: NDArray[numpy.float64]) -> Parts:
        from flint import arb

        return (_each(lambda number: arb(float(number)), value),)

    def negative(self, a: Parts) -> Parts:
        return (_each(lambda x: -x, *a),)

    def add(self, a: Parts, b: Parts) -> Parts:
        return (_each(lambda x, y: x + y, *a, *b),)

    def multiply(self, a: Parts, b: Parts) -> Parts:
        return (_each(lambda x, y: x * y, *a, *b),)

    def divide(self, a: Parts, b: Parts) -> Parts:
        return (_each(lambda x, y: x / y, *a, *b),)

    def power(self, a: Parts, exponent: int) -> Parts:
        return (_each(lambda x: x**exponent, *a),)

    def function(self, name: str, a: Parts) -> Parts:
        if name in ("round", "floor", "ceil"):
            return (_each(_rounding(name), *a),)
        return (_each(lambda x: getattr(x, name)(), *a),)

    def largest(self, a: Parts, b: Parts) -> Parts:
        return (_each(lambda x, y: x.max(y), *a, *b),)

    def sum(self, a: Parts, axis: int) -> Parts:
        return (numpy.asarray(numpy.add.reduce(a[0], axis=axis), dtype=object),)

    def is_less(self, a: Parts, b: Parts) -> Truth:
        less, not_less = _each(lambda x, y: x < y, *a, *b), _each(lambda x, y: x >= y, *a, *b)
        return Truth(less.astype(bool), ~(less.astype(bool) | not_less.astype(bool)))

    def is_finite(self, a: Parts) -> Truth:
        return Truth(_each(lambda x: x.is_finite(), *a).astype(bool))

    def choose(self, truth: Truth, a: Parts, b: Parts) -> Parts:
        either = _each(lambda x, y: x.union(y), *a, *b) if truth.doubt.any() else a[0]
        return (numpy.where(truth.doubt, either, numpy.where(truth.yes, a[0], b[0])),)


def _rounding(name: str) -> Any:
    """A rounding function of balls; halves are rounded up where a port may round them to even, which is a tie."""

    def rounded(x: arb) -> arb:
        return (x + 0.5).floor() if name == "round" else getattr(x, name)()

    return rounded


@dataclass(frozen=True)
class CertifiedGraph:
    """A function graph as a loss of the oracle: see `rbo_ref.oracle.losses.Loss`."""

    graph: FunctionGraph

    def value_and_gradient(self, theta: Vector) -> tuple[arb, Vector]:
        value, gradient = self.graph.value_and_gradient(_array(theta))
        return value.parts[0].item(), list(gradient.parts[0])

    def hessian(self, theta: Vector) -> arb_mat:
        from flint import arb_mat

        return arb_mat(self.graph.hessian(_array(theta)).parts[0].tolist())


def _array(theta: Vector) -> Numbers:
    vector = numpy.empty(len(theta), dtype=object)
    vector[:] = theta
    return Numbers(Certified(), vector)
