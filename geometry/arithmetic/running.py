"""Running errors: a number over a box of places, with what it varies there, and with what rounding may do to it.

A `Running` array holds m, r and e in float64. Wherever in the box, with x the exact number there, and x̂ the one of a
port that rounds every operation to a format, in whatever order it sums,

    |x − m| ≤ r,    |x̂ − x| ≤ e.

Every operation keeps that. With u and v for what is computed, φ with |φ′| ≤ L on all of [m − r − e, m + r + e] gives
|φ(x) − φ(m)| ≤ L r and |φ(x̂) − φ(x)| ≤ L e; a product |x̂ŷ − xy| ≤ |x| e_y + |y| e_x + e_x e_y; and the result is
rounded once, by `unit` times its size at most, in m by 2⁻⁵³. All bounds grow with e at least in proportion, so that a
format of a ρ times smaller unit has errors of at most ρ e, unless a choice or a step was in doubt (`Rounding.jumped`).
Bounds are rounded to nearest themselves: what that leaves out is 2⁻⁵² of them for each operation.

N. J. Higham, "Accuracy and Stability of Numerical Algorithms" (2002), Section 3.3.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy
from numpy.typing import NDArray

from geometry.arithmetic.comparisons import Compared
from geometry.arithmetic.formats import SAFETY, Format

__all__ = ["Rounding", "Running"]

Floats = NDArray[numpy.float64]
FUNCTION = 4.0  # roundings charged to an elementary function
FINE = 2.0**-53
ZERO = 0.0  # the bounds of what is exact, and nothing else has this type


class Rounding:
    """How a port rounds: every operation to a format; or not at all."""

    def __init__(self, target: Format | None = None) -> None:
        self.unit = SAFETY * target.unit if target else 0.0
        self.precision, self.smallest = (target.precision, target.smallest_normal) if target else (53, 0.0)
        self.jumped = False  # whether rounding may have changed a choice or a whole number
        self._lost: dict[float, Any] = {}

    def of(self, numbers: Any) -> Any:
        """What is lost of constants."""
        if numpy.ndim(numbers) or not self.unit:
            return self._of(numbers) if self.unit else ZERO
        number = float(numbers)
        if number not in self._lost:
            self._lost[number] = self._of(numbers)
        return self._lost[number]

    def _of(self, numbers: Any) -> Any:
        shifted = numpy.ldexp(numpy.frexp(numbers)[0], self.precision)
        rounds = shifted != numpy.rint(shifted)
        return numpy.where(rounds, self.unit * numpy.abs(numbers), 0.0) if rounds.any() else ZERO


class Running:
    """An array of numbers with running errors.

    Parameters
    ----------
    rounding : Rounding
    middle, reach, error : array
        m, r and e; r and e are arrays of the shape of m, or 0.0.

    Examples
    --------
    >>> x = Running(Rounding(), numpy.array([1.0]), numpy.array([0.5]))
    >>> y = x * x - x                               # on [0.5, 1.5]
    >>> y.middle, y.reach.round(3)
    (array([0.]), array([1.75]))
    """

    __slots__ = ("error", "middle", "reach", "rounding")
    __array_ufunc__ = None
    __hash__: ClassVar[Any] = None
    namespace: ClassVar[Any] = None  # of array functions, once it is imported
    dtype: ClassVar[Any] = numpy.dtype(float)
    device: ClassVar[Any] = None

    def __init__(self, rounding: Rounding, middle: Floats, reach: Any = ZERO, error: Any = ZERO) -> None:
        self.rounding, self.middle, self.reach, self.error = rounding, middle, reach, error

    def __array_namespace__(self, api_version: str | None = None) -> Any:
        return self.namespace

    @property
    def shape(self) -> tuple[int, ...]:
        return self.middle.shape

    @property
    def ndim(self) -> int:
        return self.middle.ndim

    def constant(self, numbers: Any) -> Running:
        """Numbers that ports hold in the format."""
        numbers = numpy.asarray(numbers, dtype=float)
        return Running(self.rounding, numbers, ZERO, self.rounding.of(numbers))

    def operand(self, other: Any) -> Running:
        return other if isinstance(other, Running) else self.constant(other)

    def moved(self, move: Callable[[Floats], Floats]) -> Running:
        """`move`, which moves entries about, of all parts."""
        parts = (part if _is_zero(part) else numpy.asarray(move(part)) for part in self._whole())
        return Running(self.rounding, *parts)

    @staticmethod
    def joined(parts: Any, join: Callable[[list[Floats]], Floats]) -> Running:
        """One array of several."""
        one = next(part for part in parts if isinstance(part, Running))
        whole = zip(*(one.operand(part)._whole() for part in parts), strict=True)
        shapes = [numpy.shape(part if isinstance(part, numpy.ndarray) else part.middle) for part in parts]

        def joined(arrays: Any) -> Any:
            return join([numpy.broadcast_to(a, shape) for a, shape in zip(arrays, shapes, strict=True)])

        return Running(one.rounding, *map(joined, whole))

    def _whole(self) -> tuple[Floats, Any, Any]:
        """All parts in one shape."""
        reach, error = (
            b if _is_zero(b) or b.shape == self.shape else numpy.broadcast_to(b, self.shape)
            for b in (self.reach, self.error)
        )
        return self.middle, reach, error

    def __getitem__(self, key: Any) -> Running:
        return self.moved(lambda part: part[key])

    def _rounded(self, middle: Floats, reach: Any, error: Any, times: float = 1.0) -> Running:
        """A result with the roundings of its operation."""
        size = numpy.abs(middle)
        reach = reach + times * FINE * size
        if self.rounding.unit:
            error = error + times * self.rounding.unit * (size + reach + error) + self.rounding.smallest
        return Running(self.rounding, middle, reach, error)

    # --- arithmetic ---

    def __add__(self, other: Any) -> Running:
        other = self.operand(other)
        return self._rounded(self.middle + other.middle, self.reach + other.reach, self.error + other.error)

    def __neg__(self) -> Running:
        return Running(self.rounding, -self.middle, self.reach, self.error)

    def __pos__(self) -> Running:
        return self

    def __sub__(self, other: Any) -> Running:
        return self + -self.operand(other)

    def __rsub__(self, other: Any) -> Running:
        return -self + other

    def __mul__(self, other: Any) -> Running:
        other = self.operand(other)
        a, b = numpy.abs(self.middle), numpy.abs(other.middle)
        reach = _bilinear(a, self.reach, b, other.reach)
        error = _bilinear(a + self.reach, self.error, b + other.reach, other.error)
        return self._rounded(self.middle * other.middle, reach, error)

    def __truediv__(self, other: Any) -> Running:
        other = self.operand(other)
        quotient, least = self.middle / other.middle, numpy.abs(other.middle) - other.reach
        size = numpy.abs(quotient)
        reach = _over(self.reach + size * other.reach, least)
        error = _over(self.error + (size + reach) * other.error, least - other.error)
        return self._rounded(quotient, reach, error)

    def __rtruediv__(self, other: Any) -> Running:
        return self.operand(other) / self

    __radd__, __rmul__ = __add__, __mul__

    def __matmul__(self, other: Any) -> Running:
        """The product of matrices, summed in any order."""
        (x, r, e), (y, s, h), product = self._whole(), self.operand(other)._whole(), numpy.matmul
        a, b, times = numpy.abs(x), numpy.abs(y), x.shape[-1]
        size, error = a @ b, ZERO
        reach = _bilinear(a, r, b, s, product) + times * FINE * size
        if self.rounding.unit:
            error = _bilinear(a + r, e, b + s, h, product)
            error = error + times * (self.rounding.unit * (size + reach + error) + self.rounding.smallest)
        return Running(self.rounding, x @ y, reach, error)

    def __pow__(self, exponent: Any) -> Running:
        return self.power(exponent)

    def __rpow__(self, base: Any) -> Running:
        return self.operand(base).power(self)

    def square(self) -> Running:
        return self * self

    def power(self, p: Any) -> Running:
        """xᵖ."""
        if isinstance(p, Running) or not float(p).is_integer():
            return (self.smooth("log") * p).smooth("exp")
        if p < 0:
            return 1 / self.power(-p)
        size = numpy.abs(self.middle) + self.reach
        steep = (p * x ** max(p - 1, 0.0) for x in (size, size + self.error))
        reach, error = (_times(bound, slope) for bound, slope in zip((self.reach, self.error), steep, strict=True))
        return self._rounded(self.middle**p, reach, error, max(p - 1, 1.0))

    # --- functions ---

    def smooth(self, name: str, *domain: Any) -> Running:
        """A function of the table of operations."""
        value = getattr(numpy, {"asin": "arcsin", "acos": "arccos", "atan": "arctan"}.get(name, name), None)
        value = value or getattr(numpy, f"arc{name[1:]}")  # asinh, acosh, atanh
        width = self.reach + self.error
        slope = ZERO if _is_zero(width) else SLOPES[name](self.middle, width)
        reach, error = _times(self.reach, slope), _times(self.error, slope)
        return self._rounded(value(self.middle), reach, error, 1.0 if name == "sqrt" else FUNCTION)

    def sin(self) -> Running:
        return self.smooth("sin")

    def cos(self) -> Running:
        return self.smooth("cos")

    def tan(self) -> Running:
        return self.sin() / self.cos()

    def hypot(self, other: Running) -> Running:
        return (self.square() + other.square()).smooth("sqrt")

    def logaddexp(self, other: Running) -> Running:
        return self.maximum(other) + (-abs(self - other)).smooth("exp").smooth("log1p")

    def atan2(self, other: Running) -> Running:
        """The angle of (x, y), y being this one; without bound where it may turn around."""
        size = numpy.hypot(self.middle, other.middle)
        apart = [self.reach + other.reach, self.error + other.error]
        crossing = (other.middle <= apart[0] + apart[1]) & (numpy.abs(self.middle) <= apart[0] + apart[1])
        least = numpy.where(crossing & (size > 0), 0.0, size - apart[0] - apart[1])
        reach, error = (_over(bound, least) for bound in apart)
        return self._rounded(numpy.arctan2(self.middle, other.middle), reach, error, FUNCTION)

    def __abs__(self) -> Running:
        return Running(self.rounding, numpy.abs(self.middle), self.reach, self.error)

    def sign(self) -> Running:
        return self._stepped(numpy.sign)

    def rounded(self, how: str) -> Running:
        """floor, ceil, trunc or roundeven."""
        return self._stepped(getattr(numpy, {"roundeven": "rint"}.get(how, how)))

    def _stepped(self, step: Callable[[Any], Any]) -> Running:
        """A function that rises in steps; its errors are jumps."""
        middle, ends = step(self.middle), (self.reach, self.reach + self.error)
        low, high = ([step(self.middle + side * end) for end in ends] for side in (-1, 1))
        reach = numpy.maximum(high[0] - middle, middle - low[0])
        error = numpy.where((low[1] != high[1]) & (self.error != 0), high[1] - low[1], 0.0)
        self.rounding.jumped |= bool(numpy.any(error != 0))
        return Running(self.rounding, middle, reach, error)

    def maximum(self, other: Running) -> Running:
        bounds = (numpy.maximum(a, b) for a, b in ((self.reach, other.reach), (self.error, other.error)))
        return Running(self.rounding, numpy.maximum(self.middle, other.middle), *bounds)

    def minimum(self, other: Running) -> Running:
        return -(-self).maximum(-other)

    def choice(self, condition: Any, other: Running) -> Running:
        """These numbers where a condition holds, else the others; where either may be meant, both."""
        condition = condition if isinstance(condition, Compared) else Compared.certain(condition)
        yes, doubt = condition.possibly, condition.possibly != condition.surely
        gap = numpy.where(doubt, numpy.abs(self.middle - other.middle), 0.0)
        reach = numpy.where(yes, self.reach, other.reach) + numpy.where(doubt, gap + self.reach + other.reach, 0.0)
        error = numpy.where(yes, self.error, other.error)
        error = numpy.where(doubt, reach + self.error + other.error, error) if self.rounding.unit else error
        self.rounding.jumped |= bool(doubt.any())
        return Running(self.rounding, numpy.where(yes, self.middle, other.middle), reach, error)

    # --- reductions ---

    def sum(self, axis: int = -1) -> Running:
        """In any order."""
        middle, reach, error = self._whole()
        times = middle.shape[axis]
        size = numpy.abs(middle).sum(axis)
        reach = (ZERO if _is_zero(reach) else reach.sum(axis)) + times * FINE * size
        error = ZERO if _is_zero(error) else error.sum(axis)
        if self.rounding.unit:
            error = error + (times - 1) * self.rounding.unit * (size + reach + error)
        return Running(self.rounding, middle.sum(axis), reach, error)

    def largest(self, axis: int = -1) -> Running:
        parts = self._whole()
        return Running(self.rounding, *(part if _is_zero(part) else part.max(axis) for part in parts))

    # --- comparisons ---

    def _compared(self, other: Any) -> tuple[Any, Any]:
        if other is self:  # as NaN is looked for
            return self.middle - self.middle, ZERO
        other = self.operand(other)
        doubt = self.reach + other.reach + self.error + other.error
        return self.middle - other.middle, doubt

    def __lt__(self, other: Any) -> Compared:
        gap, doubt = self._compared(other)
        return Compared(gap < -doubt, gap < doubt)

    def __le__(self, other: Any) -> Compared:
        gap, doubt = self._compared(other)
        return Compared(gap <= -doubt, gap <= doubt)

    def __gt__(self, other: Any) -> Compared:
        return ~(self <= other)

    def __ge__(self, other: Any) -> Compared:
        return ~(self < other)

    def __eq__(self, other: Any) -> Any:
        return (self <= other) & (self >= other)

    def __ne__(self, other: Any) -> Any:
        return ~(self == other)


def _is_zero(bound: Any) -> bool:
    return type(bound) is float


def _bilinear(a: Floats, r: Any, b: Floats, s: Any, product: Any = numpy.multiply) -> Any:
    """|xy − mn| for |m| = a, |n| = b, |x − m| ≤ r and |y − n| ≤ s, of a product."""
    if _is_zero(s):
        return ZERO if _is_zero(r) else product(r, b)
    return product(a, s) if _is_zero(r) else product(a + r, s) + product(r, b)


def _times(bound: Any, slope: Any) -> Any:
    """What a function of that slope makes of a bound; a steep one leaves 0 at 0."""
    return ZERO if _is_zero(bound) else numpy.where(bound > 0, slope * bound, 0.0)


def _over(bound: Any, least: Any) -> Any:
    """A bound divided by the least size of a divisor."""
    return ZERO if _is_zero(bound) else numpy.where(bound > 0, bound / numpy.maximum(least, 0.0), 0.0)


def _least(m: Floats, w: Floats) -> Floats:
    """The least absolute value in [m − w, m + w]."""
    return numpy.maximum(numpy.abs(m) - w, 0.0)


def _inside(m: Floats, w: Floats) -> Floats:
    """The least 1 − x² there."""
    most = numpy.abs(m) + w
    return numpy.maximum((1 - most) * (1 + most), 0.0)


SLOPES: dict[str, Callable[[Floats, Floats], Floats]] = {
    "sin": lambda m, w: numpy.minimum(numpy.abs(numpy.cos(m)) + w, 1.0),
    "cos": lambda m, w: numpy.minimum(numpy.abs(numpy.sin(m)) + w, 1.0),
    "exp": lambda m, w: numpy.exp(m + w),
    "expm1": lambda m, w: numpy.exp(m + w),
    "log": lambda m, w: 1 / numpy.maximum(m - w, 0.0),
    "log1p": lambda m, w: 1 / numpy.maximum(1 + m - w, 0.0),
    "sqrt": lambda m, w: 0.5 / numpy.sqrt(numpy.maximum(m - w, 0.0)),
    "sinh": lambda m, w: numpy.cosh(numpy.abs(m) + w),
    "cosh": lambda m, w: numpy.sinh(numpy.abs(m) + w),
    "tanh": lambda m, w: 1 / numpy.cosh(numpy.minimum(_least(m, w), 700.0)) ** 2,
    "asin": lambda m, w: 1 / numpy.sqrt(_inside(m, w)),
    "acos": lambda m, w: 1 / numpy.sqrt(_inside(m, w)),
    "atan": lambda m, w: 1 / (1 + _least(m, w) ** 2),
    "asinh": lambda m, w: 1 / numpy.hypot(1.0, _least(m, w)),
    "acosh": lambda m, w: 1 / numpy.sqrt(numpy.maximum((m - w) ** 2 - 1, 0.0)),
    "atanh": lambda m, w: 1 / _inside(m, w),
}
"""The largest slopes on [m − w, m + w]."""
