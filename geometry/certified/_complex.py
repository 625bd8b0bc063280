"""Recorded functions over rectangles of complex numbers: how large a function becomes around a box of real ones.

A rectangle is a pair of intervals, of real and imaginary parts. Each operation is the analytic function that its real
one is continued to, on a domain that the rectangle must lie in; elsewhere the box is `lost`. So a function of a box
that is not lost is analytic there, real on real numbers, and its values are in the rectangle that is found.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy

from geometry.certified._intervals import Interval, add_up, call, halved, interval, like, mapped, midpoint, symmetric
from geometry.expressions._graph import ordered
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

        return self.new(mapped(entry, self.re), None if self.im is None else mapped(entry, self.im))

    def new(self, re: Interval, im: Interval | None, *others: Rectangles) -> Rectangles:
        return Rectangles(re, im, self.lost, self.fixed and all(o.fixed for o in others))

    def constant(self, value: Any) -> Rectangles:
        number = numpy.asarray(value, dtype=float)
        if not numpy.isfinite(number).all():
            self.lost[:] = True
        made = interval(number.reshape(-1))
        return Rectangles(mapped(lambda end: end.reshape(number.shape), made), None, self.lost, True)

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
        return call("sqrt", call("sqr", symmetric(self.re)) + call("sqr", symmetric(self.im))).hi

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
            return self.new(call("sqr", self.re), None)
        both = self.re * self.im
        return self.new(call("sqr", self.re) - call("sqr", self.im), both + both)

    def reciprocal(self) -> Rectangles:
        """(a − ib)/(a² + b²)."""
        square = call("sqr", self.re) if self.im is None else call("sqr", self.re) + call("sqr", self.im)
        self.lose(~(square.lo > 0))
        if self.im is None:
            return self.new(call("recip", self.re), None)
        return self.new(self.re / square, -self.im / square)

    def sum(self) -> Rectangles:
        return self.new(add_up(self.re, -1), None if self.im is None else add_up(self.im, -1))

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
        size = call("exp", self.re)
        if self.im is None:
            return self.new(size, None)
        cosine, sine = _turn(self.im)
        return self.new(size * cosine, size * sine)

    def logarithm(self) -> Rectangles:
        """In the right half-plane: log|z| + i·atan(b/a)."""
        self.inside(0.0)
        if self.im is None:
            return self.new(call("log", self.re), None)
        size = call("log", call("sqr", self.re) + call("sqr", self.im))
        return self.new(halved(size), call("atan", self.im / self.re))

    def root(self) -> Rectangles:
        """In the right half-plane: c + i·b/(2c), c² = (|z| + a)/2."""
        self.inside(0.0)
        if self.im is None:
            return self.new(call("sqrt", self.re), None)
        size = call("sqrt", call("sqr", self.re) + call("sqr", self.im))
        re = call("sqrt", halved(size + self.re))
        return self.new(re, halved(self.im / re))

    def sin(self) -> Rectangles:
        """sin a cosh b + i cos a sinh b."""
        cosine, sine = _turn(self.re)
        if self.im is None:
            return self.new(sine, None)
        return self.new(sine * call("cosh", self.im), cosine * call("sinh", self.im))

    def cos(self) -> Rectangles:
        """cos a cosh b − i sin a sinh b."""
        cosine, sine = _turn(self.re)
        if self.im is None:
            return self.new(cosine, None)
        return self.new(cosine * call("cosh", self.im), -(sine * call("sinh", self.im)))

    def tan(self) -> Rectangles:
        return self.sin() / self.cos()

    def sinh(self) -> Rectangles:
        if self.im is None:
            return self.new(call("sinh", self.re), None)
        cosine, sine = _turn(self.im)
        return self.new(call("sinh", self.re) * cosine, call("cosh", self.re) * sine)

    def cosh(self) -> Rectangles:
        if self.im is None:
            return self.new(call("cosh", self.re), None)
        cosine, sine = _turn(self.im)
        return self.new(call("cosh", self.re) * cosine, call("sinh", self.re) * sine)

    def tanh(self) -> Rectangles:
        """±(1 − 2w/(1 + w)), w = e^(∓2z), with the sign of the middle, so that w is not large."""
        side = self.constant(1.0) * Rectangles(
            _like_numbers(self.re, numpy.where(midpoint(self.re) < 0, -1.0, 1.0)), None, self.lost, self.fixed
        )
        w = (side * self * -2.0).exponential()
        return side * (1.0 - w * 2.0 / (w + 1.0))

    def atan(self) -> Rectangles:
        """(log(1 + iz) − log(1 − iz))/2i, for |b| < 1: both in the right half-plane."""
        if self.im is None:
            return self.new(call("atan", self.re), None)
        turned = self.new(-self.im, self.re)
        found = (1.0 + turned).logarithm() - (1.0 - turned).logarithm()
        return self.new(halved(found.im), halved(-found.re))

    def asin(self) -> Rectangles:
        """atan(z/√(1 − z²)), where the root is in the right half-plane."""
        return (self / (1.0 - self.square()).root()).atan()

    def acos(self) -> Rectangles:
        quarter = self.constant(numpy.pi / 2)
        ends = numpy.nextafter(numpy.pi / 2, 0), numpy.nextafter(numpy.pi / 2, 2)
        quarter.re = like(quarter.re, *(numpy.asarray(end) for end in ends))
        return quarter - self.asin()

    def hypot(self, other: Rectangles) -> Rectangles:
        return (self.square() + other.square()).root()

    def logaddexp(self, other: Rectangles) -> Rectangles:
        """log(eˣ⁻ᵐ + eʸ⁻ᵐ) + m for every number m."""
        middle = numpy.maximum(midpoint(self.re), midpoint(other.re))
        shift = Rectangles(_like_numbers(self.re, middle), None, self.lost, self.fixed and other.fixed)
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


def _like_numbers(kind: Interval, numbers: numpy.ndarray) -> Interval:
    return like(kind, numbers, numbers)


def _spread(x: Interval, shape: tuple[int, ...]) -> Interval:
    return mapped(lambda end: numpy.broadcast_to(end, shape), x)


def _turn(angle: Interval) -> tuple[Interval, Interval]:
    """cos and sin; of wide angles [−1, 1], without any work."""
    narrow = ~(angle.hi - angle.lo >= WIDE)
    found = []
    for name in ("cos", "sin"):
        low, high = numpy.full(narrow.shape, -1.0), numpy.full(narrow.shape, 1.0)
        if narrow.any():
            some = call(name, like(angle, angle.lo[narrow], angle.hi[narrow]))
            low[narrow], high[narrow] = some.lo, some.hi
        found.append(like(angle, low, high))
    return found[0], found[1]
