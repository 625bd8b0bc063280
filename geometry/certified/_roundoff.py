"""Values of recorded functions in plain floats, with a bound of their rounding errors for all places of a box at once.

The bound is found once for a box, from the ranges of all numbers on the way, where an interval for each place would
cost several times as much for each. With u = 2⁻⁵³, an operation rounds by u of its exact result on the rounded
arguments; so do a fused one, and each step of a sum, in whatever order: Σ_{i≤n} by n·u/(1 − nu) Σ|x̂_i| (Higham (2002),
Section 4.2). The elementary functions are those of `_outward`, with the margins that are proven there. A result that
underflows is off by less than `SMALL`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import numpy

from geometry.arithmetic import _outward as outward
from geometry.arithmetic._outward import FAR, MARGINS, UNIT, fast
from geometry.arithmetic.intervals import FUNCTIONS, Interval, interval, sqr
from geometry.certified._cells import BATCH
from geometry.expressions._nodes import Node, ordered
from geometry.expressions.expression import Expression

__all__ = ["values"]

SUPPORTED = frozenset(
    {
        *("theta", "constant", "take", "sum", "add", "subtract", "multiply", "divide", "negative", "square"),
        *("exp", "sin", "cos"),
    }
)
UP = 1 + 2.0**-48  # covers the rounding of the few operations by which a bound is found
ARRAYS = 4  # of floats, which a cache holds together
SMALL = 1e-30  # also what is lost of sin and cos beside a part of their size


@numpy.errstate(all="ignore")
def values(expression: Expression, theta: numpy.ndarray) -> Interval | None:
    """f at places θ (m, p, d), those of each of the m boxes near each other: (m, p). None: an operation is missing."""
    if not all(map(_is_supported, ordered([expression.node]))):
        return None
    program, (m, p, d) = expression.program("node", exact=True), theta.shape
    assert program is not None

    @numpy.errstate(all="ignore")  # which is each thread's own
    def of_floats(places: numpy.ndarray) -> numpy.ndarray:
        [[found]] = program.run(places, FLOATS.__getitem__, partial(numpy.asarray, dtype=float))
        return numpy.broadcast_to(found, len(places))

    @numpy.errstate(all="ignore")
    def of_boxes(low: numpy.ndarray, high: numpy.ndarray) -> numpy.ndarray:
        [[found]] = program.run(Ranges(interval(low, high), 0.0), RANGES.__getitem__, Ranges.constant)
        return numpy.broadcast_to(found.error, len(low))

    places, each = theta.reshape(-1, d), max(1, BATCH // (ARRAYS * program.widest))
    found = numpy.concatenate([of_floats(places[i : i + each]) for i in range(0, m * p, each)]).reshape(m, p)
    low, high, each = theta.min(1), theta.max(1), max(1, BATCH // program.widest)
    error = numpy.concatenate([of_boxes(low[i : i + each], high[i : i + each]) for i in range(0, m, each)])
    # An error that is not 0 is at least u of the value: twice as much covers the rounding of both ends.
    error = 2 * numpy.broadcast_to(error[:, None], found.shape)
    proven = numpy.isfinite(found) & numpy.isfinite(error)
    low, high = numpy.where(proven, found - error, -numpy.inf), numpy.where(proven, found + error, numpy.inf)
    return Interval(low, high)


def _is_supported(node: Node) -> bool:
    """Whether its operation has a bound here; a `take` must not fill up with zeros."""
    return node.operation in SUPPORTED and not (node.operation == "take" and bool((node.data < 0).any()))


class Ranges:
    """Where the exact numbers are, x ∈ X, over boxes; and e with |x̂ − x| ≤ e for the computed ones."""

    __array_ufunc__ = None
    __hash__: ClassVar[Any] = None

    def __init__(self, range_: Interval, error: Any) -> None:
        self.range, self.error = range_, error

    @classmethod
    def constant(cls, number: Any) -> Ranges:
        """Floats as they are."""
        return cls(interval(number), 0.0)

    @classmethod
    def rounded(cls, range_: Interval, error: Any, unit: float = UNIT) -> Ranges:
        """A result that is rounded once more, by `unit` of what is computed from exact arguments, |φ(x̂)| ≤ |X| + e."""
        return cls(range_, (error + unit * (range_.mag + error)) * UP + SMALL)

    def __getitem__(self, key: Any) -> Ranges:
        error = numpy.broadcast_to(self.error, self.range.shape)[key]
        return Ranges(self.range[key], error)

    def __neg__(self) -> Ranges:
        return Ranges(-self.range, self.error)

    def __pos__(self) -> Ranges:
        return self

    def __add__(self, other: Any) -> Ranges:
        other = _operand(other)
        return self.rounded(self.range + other.range, self.error + other.error)

    def __sub__(self, other: Any) -> Ranges:
        return self + -_operand(other)

    def __rsub__(self, other: Any) -> Ranges:
        return -self + other

    def __mul__(self, other: Any) -> Ranges:
        """|x̂ŷ − xy| ≤ |x| e_y + |y| e_x + e_x e_y."""
        if other is self:
            return self.square()
        other = _operand(other)
        error = self.range.mag * other.error + other.range.mag * self.error + self.error * other.error
        return self.rounded(self.range * other.range, error)

    __radd__, __rmul__ = __add__, __mul__

    def __truediv__(self, other: Any) -> Ranges:
        """|x̂/ŷ − x/y| ≤ (e_x + |x/y| e_y)/(|y| − e_y); ∞ where ŷ may be 0."""
        other = _operand(other)
        quotient = self.range / other.range
        least = other.range.mig * (2 - UP) - other.error * UP
        error = (self.error + quotient.mag * other.error) / least
        return self.rounded(quotient, numpy.where(least > 0, error, numpy.inf))

    def __rtruediv__(self, other: Any) -> Ranges:
        return _operand(other) / self

    def square(self) -> Ranges:
        return self.rounded(sqr(self.range), (2 * self.range.mag + self.error) * self.error)

    def sum(self) -> Ranges:
        n = self.range.shape[-1]
        error = numpy.broadcast_to(self.error, self.range.shape)
        lost = 2 * n * UNIT * (self.range.mag + error).sum(-1)  # twice: 1/(1 − nu), and the rounding of these sums
        return self.rounded(self.range.sum(-1), error.sum(-1) * (1 + 4 * n * UNIT) + lost)

    def exponential(self) -> Ranges:
        """|eˣ̂ − eˣ| ≤ e·exp(x + e)."""
        steepest = FUNCTIONS["exp"](self.range + interval(self.error)).hi
        return self.rounded(FUNCTIONS["exp"](self.range), steepest * self.error, MARGINS[outward.exp])

    def wave(self, name: str) -> Ranges:
        """sin or cos, whose slopes are at most 1."""
        near = self.range.mag + self.error < FAR / 2
        return self.rounded(FUNCTIONS[name](self.range), numpy.where(near, self.error, numpy.inf), MARGINS[outward.sin])


def _operand(other: Any) -> Ranges:
    return other if isinstance(other, Ranges) else Ranges.constant(other)


def _entries(theta: Any, indices: Any) -> Any:
    return theta[..., indices]


FLOATS: dict[str, Callable[..., Any]] = {
    "sum": partial(numpy.add.reduce, axis=-1),
    "entries": _entries,
    "exp": lambda x: fast(outward.exp)(x),
    "sin": lambda x: fast(outward.sin)(x),
    "cos": lambda x: fast(outward.cos)(x),
}
RANGES: dict[str, Callable[..., Any]] = {
    "sum": Ranges.sum,
    "entries": _entries,
    "exp": Ranges.exponential,
    "sin": partial(Ranges.wave, name="sin"),
    "cos": partial(Ranges.wave, name="cos"),
}
