"""Recorded functions over rectangles of complex numbers: how large a function becomes around a box of real ones.

A rectangle is a pair of intervals, of real and imaginary parts. Each operation is the analytic function that its real
one is continued to, on a domain that the rectangle must lie in; elsewhere the box is `lost`. So a function of a box
that is not lost is analytic there, real on real numbers, and its values are in the rectangle that is found.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy

from geometry.arithmetic.intervals import FUNCTIONS as REAL
from geometry.arithmetic.intervals import Interval, interval, recip, sqr, sqrt, symmetric
from geometry.expressions._nodes import ordered
from geometry.expressions._operations import TABLE
from geometry.expressions.expression import Expression

__all__ = ["is_analytic", "largest_values"]

ANALYTIC = frozenset(
    {
        *("theta", "constant", "take", "join", "sum", "matmul", "add", "subtract", "multiply", "divide", "negative"),
        *("square", "pow", "sqrt", "exp", "expm1", "log", "log1p", "log2", "log10", "sin", "cos", "tan", "asin"),
        *("acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "hypot", "logaddexp"),
    }
)
WIDE = 3.0  # of an angle: its sine and cosine are hardly better known than by [−1, 1]


def is_analytic(expression: Expression) -> bool:
    """Whether a function is made of operations that are analytic where they are smooth."""
    return all(node.operation in ANALYTIC for node in ordered([expression.node]))


def largest_values(expression: Expression, re: Interval, im: Interval) -> numpy.ndarray:
    """Upper bounds of |f| over rectangles re + i·im, of shape (n, d); ∞ where f is not known to be analytic."""
    lost = numpy.zeros(len(re.lo), dtype=bool)
    program = expression.program("node", exact=True)
    assert program is not None
    theta = Rectangles(re, im, lost, False)
    with numpy.errstate(all="ignore"):
        [[value]] = program.run(theta, lambda name: REDUCTIONS.get(name) or TABLE[name].enclosure, theta.constant)
        size = value.size()
    size = numpy.where(numpy.isnan(size), numpy.inf, size)
    return numpy.where(lost, numpy.inf, numpy.broadcast_to(size, lost.shape))


class Rectangles:
    """Arrays of rectangles (n, ...), with the operations of the table; of numbers that are `fixed`, without n."""

    __slots__ = ("fixed", "im", "lost", "re")
    __array_ufunc__ = None
    __hash__: ClassVar[Any] = None

    def __init__(self, re: Interval, im: Interval | None, lost: numpy.ndarray, fixed: bool) -> None:
        self.re, self.im, self.lost, self.fixed = re, im, lost, fixed

    @property
    def shape(self) -> tuple[int, ...]:
        return self.re.lo.shape

    @property
    def ndim(self) -> int:
        return self.re.lo.ndim

    def __getitem__(self, key: Any) -> Rectangles:
        def entry(end: numpy.ndarray) -> numpy.ndarray:
            return numpy.ascontiguousarray(end[key]).reshape(end[key].shape)

        return self.new(self.re.map(entry), None if self.im is None else self.im.map(entry))

    def new(self, re: Interval, im: Interval | None, *others: Rectangles) -> Rectangles:
        return Rectangles(re, im, self.lost, self.fixed and all(o.fixed for o in others))

    def constant(self, value: Any) -> Rectangles:
        number = numpy.asarray(value, dtype=float)
        if not numpy.isfinite(number).all():
            self.lost[:] = True
        return Rectangles(interval(number), None, self.lost, True)

    def lose(self, where: Any) -> None:
        """The boxes where an operation may leave its domain are lost; without any knowledge it may as well."""
        if self.fixed:
            self.lost |= bool(numpy.any(where))
        else:
            where = numpy.asarray(where)
            self.lost |= where.reshape(len(where), -1).any(1)

    def inside(self, low: float, high: float = numpy.inf) -> None:
        """All real parts are to be in the open interval (low, high)."""
        self.lose(~((self.re.lo > low) & (self.re.hi < high)))

    def size(self) -> numpy.ndarray:
        """|z|, rounded up."""
        if self.im is None:
            return self.re.mag
        return sqrt(sqr(symmetric(self.re)) + sqr(symmetric(self.im))).hi

    # Arithmetic.

    def _operand(self, other: Any) -> Rectangles:
        return other if isinstance(other, Rectangles) else self.constant(other)

    def __neg__(self) -> Rectangles:
        return self.new(-self.re, None if self.im is None else -self.im)

    def __pos__(self) -> Rectangles:
        return self

    def __add__(self, other: Any) -> Rectangles:
        other = self._operand(other)
        shape = numpy.broadcast_shapes(self.shape, other.shape)
        parts = [_spread(z.im, shape) for z in (self, other) if z.im is not None]
        im = parts[0] + parts[1] if len(parts) == 2 else parts[0] if parts else None
        return self.new(self.re + other.re, im, other)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Rectangles:
        return self + -self._operand(other)

    def __rsub__(self, other: Any) -> Rectangles:
        return -self + other

    def __mul__(self, other: Any) -> Rectangles:
        if other is self:
            return self.square()
        a, b = self, self._operand(other)
        if a.im is None or b.im is None:
            a, b = (a, b) if b.im is None else (b, a)
            return a.new(a.re * b.re, None if a.im is None else a.im * b.re, b)
        return a.new(a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re, b)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Rectangles:
        return self * self._operand(other).reciprocal()

    def __rtruediv__(self, other: Any) -> Rectangles:
        return self.reciprocal() * other

    def square(self) -> Rectangles:
        if self.im is None:
            return self.new(sqr(self.re), None)
        both = self.re * self.im
        return self.new(sqr(self.re) - sqr(self.im), both + both)

    def reciprocal(self) -> Rectangles:
        """(a − ib)/(a² + b²)."""
        square = sqr(self.re) if self.im is None else sqr(self.re) + sqr(self.im)
        self.lose(~(square.lo > 0))
        if self.im is None:
            return self.new(recip(self.re), None)
        return self.new(self.re / square, -self.im / square)

    def sum(self) -> Rectangles:
        return self.new(self.re.sum(-1), None if self.im is None else self.im.sum(-1))

    # Powers.

    def power(self, p: Any) -> Rectangles:
        if isinstance(p, Rectangles):
            return (p * self.logarithm()).exponential()
        if not float(p).is_integer() or abs(p) > 2**31:
            return (self.constant(p) * self.logarithm()).exponential()
        n, factor, result = abs(int(p)), self, self.constant(1.0) + self * 0.0
        while n:
            result = result * factor if n & 1 else result
            factor, n = factor.square() if n > 1 else factor, n >> 1
        return result.reciprocal() if p < 0 else result

    def __pow__(self, p: Any) -> Rectangles:
        return self.power(p)

    # Functions.

    def smooth(self, name: str, low: float = 0.0, high: float = 0.0, closed: bool = False) -> Rectangles:
        return FUNCTIONS[name](self)

    def exponential(self) -> Rectangles:
        """eᵃ(cos b + i sin b)."""
        size = REAL["exp"](self.re)
        if self.im is None:
            return self.new(size, None)
        cosine, sine = _turn(self.im)
        return self.new(size * cosine, size * sine)

    def logarithm(self) -> Rectangles:
        """In the right half-plane: log|z| + i·atan(b/a)."""
        self.inside(0.0)
        if self.im is None:
            return self.new(REAL["log"](self.re), None)
        size = REAL["log"](sqr(self.re) + sqr(self.im))
        return self.new(size * 0.5, REAL["atan"](self.im / self.re))

    def root(self) -> Rectangles:
        """In the right half-plane: c + i·b/(2c), c² = (|z| + a)/2."""
        self.inside(0.0)
        if self.im is None:
            return self.new(sqrt(self.re), None)
        size = sqrt(sqr(self.re) + sqr(self.im))
        re = sqrt((size + self.re) * 0.5)
        return self.new(re, self.im / re * 0.5)

    def sin(self) -> Rectangles:
        """sin a cosh b + i cos a sinh b."""
        cosine, sine = _turn(self.re)
        if self.im is None:
            return self.new(sine, None)
        return self.new(sine * REAL["cosh"](self.im), cosine * REAL["sinh"](self.im))

    def cos(self) -> Rectangles:
        """cos a cosh b − i sin a sinh b."""
        cosine, sine = _turn(self.re)
        if self.im is None:
            return self.new(cosine, None)
        return self.new(cosine * REAL["cosh"](self.im), -(sine * REAL["sinh"](self.im)))

    def tan(self) -> Rectangles:
        return self.sin() / self.cos()

    def sinh(self) -> Rectangles:
        if self.im is None:
            return self.new(REAL["sinh"](self.re), None)
        cosine, sine = _turn(self.im)
        return self.new(REAL["sinh"](self.re) * cosine, REAL["cosh"](self.re) * sine)

    def cosh(self) -> Rectangles:
        if self.im is None:
            return self.new(REAL["cosh"](self.re), None)
        cosine, sine = _turn(self.im)
        return self.new(REAL["cosh"](self.re) * cosine, REAL["sinh"](self.re) * sine)

    def tanh(self) -> Rectangles:
        """±(1 − 2w/(1 + w)), w = e^(∓2z), with the sign of the middle, so that w is not large."""
        side = self.constant(1.0) * Rectangles(
            interval(numpy.where(self.re.middle < 0, -1.0, 1.0)), None, self.lost, self.fixed
        )
        w = (side * self * -2.0).exponential()
        return side * (1.0 - w * 2.0 / (w + 1.0))

    def atan(self) -> Rectangles:
        """(log(1 + iz) − log(1 − iz))/2i, for |b| < 1: both in the right half-plane."""
        if self.im is None:
            return self.new(REAL["atan"](self.re), None)
        turned = self.new(-self.im, self.re)
        found = (1.0 + turned).logarithm() - (1.0 - turned).logarithm()
        assert found.im is not None
        return self.new(found.im * 0.5, found.re * -0.5)

    def asin(self) -> Rectangles:
        """atan(z/√(1 − z²)), where the root is in the right half-plane."""
        return (self / (1.0 - self.square()).root()).atan()

    def acos(self) -> Rectangles:
        quarter = REAL["acos"](interval(0.0))
        return Rectangles(quarter, None, self.lost, True) - self.asin()

    def hypot(self, other: Rectangles) -> Rectangles:
        return (self.square() + other.square()).root()

    def logaddexp(self, other: Rectangles) -> Rectangles:
        """log(eˣ⁻ᵐ + eʸ⁻ᵐ) + m for every number m."""
        middle = numpy.maximum(self.re.middle, other.re.middle)
        shift = Rectangles(interval(middle), None, self.lost, self.fixed and other.fixed)
        return ((self - shift).exponential() + (other - shift).exponential()).logarithm() + shift


FUNCTIONS: dict[str, Callable[[Rectangles], Rectangles]] = {
    "sqrt": Rectangles.root,
    "exp": Rectangles.exponential,
    "expm1": lambda z: z.exponential() - 1.0,
    "log": Rectangles.logarithm,
    "log1p": lambda z: (z + 1.0).logarithm(),
    "sinh": Rectangles.sinh,
    "cosh": Rectangles.cosh,
    "tanh": Rectangles.tanh,
    "atan": Rectangles.atan,
    "asin": Rectangles.asin,
    "acos": Rectangles.acos,
    "asinh": lambda z: (z + (z.square() + 1.0).root()).logarithm(),
    "acosh": lambda z: (z + (z - 1.0).root() * (z + 1.0).root()).logarithm(),
    "atanh": lambda z: ((1.0 + z).logarithm() - (1.0 - z).logarithm()) * 0.5,
}
REDUCTIONS: dict[str, Callable[..., Any]] = {
    "sum": Rectangles.sum,
    "entries": lambda theta, indices: theta[..., indices],
}


def _spread(x: Interval, shape: tuple[int, ...]) -> Interval:
    return x.map(lambda end: numpy.broadcast_to(end, shape))


def _turn(angle: Interval) -> tuple[Interval, Interval]:
    """cos and sin; of wide angles [−1, 1], without any work."""
    narrow = ~(angle.hi - angle.lo >= WIDE)
    found = []
    for name in ("cos", "sin"):
        low, high = numpy.full(narrow.shape, -1.0), numpy.full(narrow.shape, 1.0)
        if narrow.any():
            some = REAL[name](angle[narrow])
            low[narrow], high[narrow] = some.lo, some.hi
        found.append(Interval(low, high))
    return found[0], found[1]
