"""Arithmetic that knows the truth and what rounding may do to it.

A `Rounded` array holds true values in ball arithmetic, and beside them the errors that a right port may have made on
the way: x̂ = x + Σ_i s_i ε_i + r ε with |ε_i| ≤ 1, entry by entry. Every operation adds its rounding to the rest r, and
so does what is not linear in the errors. Where a Hessian or a product of matrices mixes the entries, the rest becomes
generators s_i first, so that errors that come back by several ways can cancel as they do in a port. A formula written
once in such arrays yields the truth, and a bound on the rounding of every port that rounds each operation.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import reduce
from typing import Any, ClassVar

import numpy
from numpy.typing import NDArray

from geometry.arithmetic.ball_arrays import middles, vector
from geometry.arithmetic.bending import bends
from geometry.arithmetic.comparisons import Compared
from geometry.arithmetic.formats import Format, exact, nearest, rounding
from geometry.arithmetic.powers import error_of_power, whole

__all__ = ["Arithmetic", "Floats", "Rounded", "concatenated"]

GENERATORS = 600  # a zonotope of more is replaced by the box around it
Floats = NDArray[numpy.float64]
Values = NDArray[Any]  # of balls, or of wide floats
NAMELESS = numpy.zeros(0, dtype=int)


class Arithmetic:
    """What the numbers of one run share: the format that rounds, names for generators, a count of evaluations.

    True values are balls. Another arithmetic has other ones, and `trailing` axes behind those of every array.
    """

    dtype: Any = object  # of true values
    trailing: ClassVar[int] = 0
    seeds = 0  # the first generators, which count for nothing: they tell derivatives
    weights: Any = 1.0  # of generators, by which radii count them

    def __init__(self, target: Format) -> None:
        self.target = self.sums = target  # the format of results, and that in which products of matrices are summed
        self.names = 0
        self.evaluations = 0

    # What true values are made of.

    def values(self, numbers: NDArray[Any]) -> Values:
        """Floating numbers, in all axes, as true values."""
        return vector([exact(x) for x in numbers.reshape(-1)]).reshape(numbers.shape)

    def middles(self, values: Values) -> Floats:
        """True values in float64."""
        return middles(values)

    def function(self, name: str, values: Values) -> Values:
        """sqrt, sin, cos, exp or log."""
        roots = name == "sqrt"
        balls = [ball * 0 if roots and not ball > 0 else getattr(ball, name)() for ball in values.reshape(-1)]
        return vector(balls).reshape(values.shape)

    def matmul(self, a: Any, b: Any) -> Any:
        """The product of matrices, whose axes are the last two before the trailing ones."""
        return a @ b

    def worst(self, errors: Any) -> Any:
        """What a choice has to allow for."""
        return errors

    def rounding(self, sizes: Floats, target: Format) -> Floats:
        """The error of one operation with results of such sizes."""
        return rounding(sizes, target)

    def counted(self, count: Any) -> Any:
        """A whole exponent."""
        return whole(count)

    def anchored(self, errors: Floats) -> tuple[Floats, Floats]:
        """Sizes of generators in the place of errors, and what is left of these."""
        return (errors, 0 * errors) if numpy.isfinite(errors).all() else (numpy.zeros(()), errors)

    # Numbers.

    def exact(self, numbers: Any) -> Rounded:
        """Floating numbers that every port holds as they are."""
        numbers = numpy.asarray(numbers)
        return self.enclosed(self.values(numbers.reshape((*numbers.shape, *(1,) * self.trailing))))

    def given(self, number: float) -> Rounded:
        """A hyper-parameter: some ports hold it as it is, others round it to the format."""
        value = exact(number)
        held = 0.0 if abs(number) < self.target.smallest_normal else float(nearest(value, self.target) or 0.0)
        return self.enclosed(numpy.asarray(value, dtype=object), abs(held - number))

    def pi(self) -> Rounded:
        from flint import arb

        return self.enclosed(numpy.asarray(arb.pi(), dtype=object)).again()

    def enclosed(self, values: Values, rest: Any = None) -> Rounded:
        """True values of which a port may hold others, at most so far from them."""
        rest = numpy.zeros(values.shape) if rest is None else rest
        return Rounded(self, values, NAMELESS, numpy.zeros((0, *values.shape)), rest)

    def new_names(self, count: int) -> NDArray[Any]:
        self.names += count
        return numpy.arange(self.names - count, self.names)

    @contextmanager
    def within(self, inner: Format) -> Iterator[None]:
        """Rounding to another format for a while; products of matrices are summed in the present one, as devices do."""
        self.target, outer = inner, self.target
        try:
            yield
        finally:
            self.target = outer

    def evaluate(self, loss: Any, theta: Rounded) -> tuple[Rounded, Rounded]:
        """f(θ) and ∇f(θ) as they are served, correctly rounded, at the place where a port may be."""
        self.evaluations += 1
        theta.anchor()
        flat = theta.reshaped((-1,))
        value, gradient = loss.value_and_gradient(list(flat.value))
        height, slopes = self.enclosed(numpy.asarray(value, dtype=object)), self.enclosed(vector(gradient))
        if not numpy.isfinite(flat.radius).all():
            height, slopes = height.lost(), slopes.lost()
        elif flat.radius.any():
            height, slopes = self._moved(loss, flat, height, slopes)
        return height.again(), slopes.again().reshaped(theta.shape)

    def _moved(self, loss: Any, theta: Rounded, height: Rounded, slopes: Rounded) -> tuple[Rounded, Rounded]:
        """Value and gradient with the errors of θ: Taylor's formula with the Hessian over the box around it."""
        radius, bent = theta.radius, bends(loss, theta.value, theta.middle, theta.radius)
        if not (numpy.isfinite(bent.here) & numpy.isfinite(bent.away)).all():
            return height.lost(), slopes.lost()
        swing, rest = theta.spread @ slopes.middle, radius @ bent.largest @ radius / 2
        height = Rounded(self, height.value, theta.names, swing, rest)
        return height, Rounded(self, slopes.value, theta.names, theta.spread @ bent.here, bent.away @ radius)


class Rounded:
    """An array of true values with what rounding may have added to them.

    Examples
    --------
    >>> from geometry.arithmetic.formats import format_of
    >>> arithmetic = Arithmetic(format_of("float32"))
    >>> third = 1 / arithmetic.exact([3.0])
    >>> bool(1e-8 < third.radius[0] < 1e-7)
    True
    """

    __array_ufunc__ = None  # NumPy arrays leave mixed operations to us
    namespace: ClassVar[Any] = None  # of array functions: the module `number_arrays`, once it is imported

    def __init__(self, arithmetic: Arithmetic, value: Any, names: NDArray[Any], spread: Floats, rest: Any):
        self.arithmetic, self.value = arithmetic, numpy.asarray(value, dtype=arithmetic.dtype)
        self.names, self.spread = names, spread  # (N,) and (N, *shape): the generators
        self.rest = numpy.asarray(rest, dtype=float)
        self._middle: Floats | None = None
        self._swing: Floats | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape[: self.value.ndim - self.arithmetic.trailing]

    @property
    def T(self) -> Rounded:
        return self.transposed()

    @property
    def dtype(self) -> Format:
        return self.arithmetic.target

    def __array_namespace__(self, api_version: str | None = None) -> Any:
        return self.namespace

    @property
    def radius(self) -> Floats:
        """The largest possible errors."""
        if not len(self.names):
            return self.rest
        if self._swing is None:
            seeds = self.arithmetic.seeds and numpy.searchsorted(self.names, self.arithmetic.seeds)
            self._swing = numpy.add.reduce(numpy.abs(self.spread[seeds:] if seeds else self.spread), axis=0)
        return self._swing * self.arithmetic.weights + self.rest

    @property
    def middle(self) -> Floats:
        """The true values in float64."""
        if self._middle is None:
            self._middle = self.arithmetic.middles(self.value)
        return self._middle

    # --- errors ---

    def again(self, times: float = 1.0) -> Rounded:
        """Rounded once more, or as much as so many times."""
        error = times * self.arithmetic.rounding(numpy.abs(self.middle) + self.radius, self.arithmetic.target)
        return self.doubted(error)

    def doubted(self, error: Any) -> Rounded:
        """With a further error."""
        doubted = Rounded(self.arithmetic, self.value, self.names, self.spread, self.rest + error)
        doubted._middle, doubted._swing = self._middle, self._swing
        return doubted

    def lost(self) -> Rounded:
        """With errors without bound."""
        return Rounded(self.arithmetic, self.value, self.names, self.spread, numpy.full(self.rest.shape, numpy.inf))

    def boxed(self) -> Rounded:
        """With independent errors of the same size."""
        return self.arithmetic.enclosed(self.value, self.radius)

    def anchor(self) -> None:
        """The rest becomes generators; and all of them do where they are too many."""
        many = len(self.names) > GENERATORS
        sizes, self.rest = self.arithmetic.anchored(self.radius if many else self.rest)
        if not sizes.any():
            return
        count = math.prod(self.shape)
        fresh = numpy.eye(count).reshape(count, *self.shape, *(1,) * self.arithmetic.trailing) * sizes
        new = self.arithmetic.new_names(count)
        kept = int(numpy.searchsorted(self.names, self.arithmetic.seeds)) if many else len(self.names)
        old = numpy.broadcast_to(self.spread[:kept], (kept, *fresh.shape[1:]))
        self.names = numpy.concatenate([self.names[:kept], new])
        self.spread, self._swing = numpy.concatenate([old, fresh]), None

    def aligned(self, names: NDArray[Any], ndim: int) -> Floats:
        """The generators of the given names, with so many axes beside."""
        spread = self.spread
        if len(names) == len(self.names) and spread.ndim == ndim + 1:
            return spread
        if len(names) != len(self.names):
            spread = numpy.zeros((len(names), *self.spread.shape[1:]))
            spread[numpy.searchsorted(names, self.names)] = self.spread
        shape = self.spread.shape[1:]
        return spread.reshape(len(names), *(1,) * (ndim - len(shape)), *shape)

    def operand(self, other: Any) -> Rounded:
        return other if isinstance(other, Rounded) else self.arithmetic.exact(other)

    def _linear(self, other: Rounded, value: Values, p: Any, q: Any) -> tuple[NDArray[Any], Floats]:
        """Names and generators of p·self + q·other, which has this value."""
        names = _union(self.names, other.names)
        whole = (len(names), *value.shape)
        parts = [(x.aligned(names, value.ndim), factor) for x, factor in ((self, p), (other, q)) if len(x.names)]
        terms = [spread if factor is None else spread * factor for spread, factor in parts]
        spread = sum(terms[1:], terms[0]) if terms else numpy.zeros(whole)
        return names, spread if spread.shape == whole else numpy.broadcast_to(spread, whole)

    # --- operations ---

    def __add__(self, other: Any) -> Rounded:
        other = self.operand(other)
        total = numpy.asarray(self.value + other.value)
        return Rounded(self.arithmetic, total, *self._linear(other, total, None, None), self.rest + other.rest).again()

    def __neg__(self) -> Rounded:
        return Rounded(self.arithmetic, -self.value, self.names, -self.spread, self.rest)

    def __sub__(self, other: Any) -> Rounded:
        return self + -other

    def __rsub__(self, other: Any) -> Rounded:
        return -self + other

    def __mul__(self, other: Any) -> Rounded:
        other = self.operand(other)
        x, y = self.middle, other.middle
        rest = numpy.abs(x) * other.rest + self.rest * numpy.abs(y) + self.radius * other.radius
        value = numpy.asarray(self.value * other.value)
        return Rounded(self.arithmetic, value, *self._linear(other, value, y, x), rest).again()

    def __matmul__(self, other: Rounded) -> Rounded:
        """The product of two matrices, summed in any order."""
        self.anchor()
        other.anchor()
        names, matmul = _union(self.names, other.names), self.arithmetic.matmul
        x, y, sums = self.middle, other.middle, self.arithmetic.sums
        summands = matmul(numpy.abs(x) + self.radius, numpy.abs(y) + other.radius)
        rest = matmul(self.radius, other.radius) + self.shape[1] * self.arithmetic.rounding(summands, sums)
        value = matmul(self.value, other.value)
        spread = matmul(self.aligned(names, value.ndim), y) + matmul(x, other.aligned(names, value.ndim))
        return Rounded(self.arithmetic, value, names, spread, rest).again()

    def __truediv__(self, other: Any) -> Rounded:
        return self * self.operand(other).reciprocal()

    def __rtruediv__(self, other: Any) -> Rounded:
        return self.reciprocal() * other

    def square(self) -> Rounded:
        return self * self

    def power(self, exponent: Any) -> Rounded:
        """A whole power by products, or the root."""
        if isinstance(exponent, float) and exponent == 0.5:
            return self.sqrt()
        times = self.arithmetic.counted(exponent)
        return self.arithmetic.enclosed(numpy.asarray(self.value**times), error_of_power(self, times))

    def __rpow__(self, base: float) -> Rounded:
        """A positive number to these powers; where its doubt d is small, log(1 + d) − d is at most d²."""
        given, function = self.arithmetic.given(base), self.arithmetic.function
        x = self * given._mapped(function("log", given.value), 1 / given.middle, (given.radius / given.middle) ** 2)
        slope, rest = numpy.exp(x.middle), numpy.exp(x.middle + x.radius) * x.radius**2 / 2
        return x._mapped(function("exp", x.value), slope, rest)

    __radd__, __rmul__, __pow__ = __add__, __mul__, power

    def reciprocal(self) -> Rounded:
        x, radius = self.middle, self.radius
        least = numpy.abs(x) - radius
        rest = numpy.where(least > 0, radius**2 / (x**2 * least), numpy.inf)
        return self._mapped(1 / self.value, -1 / x**2, numpy.where(radius == 0, 0.0, rest))

    def sqrt(self) -> Rounded:
        x, radius = self.middle, self.radius
        low = numpy.maximum(x - radius, 0)
        curved = numpy.maximum(x - self.arithmetic.worst(radius), 0) > x / 2
        slope = numpy.where(curved, 1 / (2 * numpy.sqrt(x)), 0)
        away = numpy.maximum(numpy.sqrt(x + radius) - numpy.sqrt(x), numpy.sqrt(x) - numpy.sqrt(low))
        rest = numpy.where(curved, radius**2 / (8 * low**1.5), away)
        return self._mapped(self.arithmetic.function("sqrt", self.value), slope, numpy.where(radius == 0, 0.0, rest))

    def __abs__(self) -> Rounded:
        x, radius = self.middle, self.radius
        certain = numpy.abs(x) > self.arithmetic.worst(radius)
        return self._mapped(abs(self.value), numpy.sign(x) * certain, numpy.where(certain, 0, radius), 0.0)

    # Under the names of the table of operations: `geometry.expressions`.

    def smooth(self, name: str, *domain: Any) -> Rounded:
        if name != "sqrt":
            raise AttributeError(f"what rounding does to {name} is not known")
        return self.sqrt()

    def sin(self) -> Rounded:
        """Entry by entry, of numbers of any size; the errors go through Taylor's formula of first order."""
        sines, cosines = (self.arithmetic.function(name, self.value) for name in ("sin", "cos"))
        return self._mapped(sines, self.arithmetic.middles(cosines), self.radius**2 / 2)

    def rounded(self, how: str) -> Rounded:
        """The nearest integers; where rounding decides which, the error is 1."""
        if how not in ("round", "roundeven"):
            raise AttributeError(f"what rounding does to {how} is not known")
        low, high = numpy.rint(self.middle - self.radius), numpy.rint(self.middle + self.radius)
        return self.arithmetic.enclosed(self.arithmetic.values(numpy.rint(self.middle)), high - low)

    def sign(self) -> Rounded:
        """−1, 0 or 1. A zero that is exact but for what may be flushed to it has one; of another, rounding decides."""
        x, radius, flushed = self.middle, self.radius, 2.0**10 * self.arithmetic.target.smallest_normal
        exact = numpy.asarray(self.value == 0, dtype=bool) & (flushed < self.arithmetic.target.unit**4)
        rest = numpy.where((numpy.abs(x) > radius) | (radius == 0) | (exact & (radius <= flushed)), 0.0, 2.0)
        return self.arithmetic.enclosed(self.arithmetic.values(numpy.sign(x)), rest)

    def minimum(self, other: Any) -> Rounded:
        return self._chosen(other, numpy.less_equal)

    def maximum(self, other: Any) -> Rounded:
        return self._chosen(other, numpy.greater_equal)

    def choice(self, condition: Any, other: Any) -> Rounded:
        """These numbers where a condition holds, else the others; where either may be meant, an error holds both."""
        other = self.operand(other)
        condition = condition if isinstance(condition, Compared) else Compared.certain(condition)
        first, doubtful = condition.possibly, condition.surely != condition.possibly
        gap = numpy.abs(self.middle - other.middle) + self.radius + other.radius
        rest = numpy.where(doubtful, gap, numpy.where(first, self.rest, other.rest))
        return self._either(other, first, ~doubtful, rest)

    def _either(self, other: Rounded, first: Any, certain: Any, rest: Floats) -> Rounded:
        """The first or the other numbers, with the generators where the choice is certain."""
        value = numpy.asarray(numpy.where(first, self.value, other.value))
        names, spread = self._linear(other, value, 1.0 * (first & certain), 1.0 * (~first & certain))
        return Rounded(self.arithmetic, value, names, spread, rest)

    def __lt__(self, other: Any) -> Compared:
        difference = self - other
        gap, doubt = difference.middle, self.arithmetic.worst(difference.radius)
        return Compared(gap < -doubt, gap < doubt)

    def __gt__(self, other: Any) -> Compared:
        return -self < -self.operand(other)

    def __floor__(self) -> int:
        low, high = (math.floor((self.middle + side * self.radius).item()) for side in (-1, 1))
        if low != high:
            raise ArithmeticError("rounding decides an integer")
        return low

    def _chosen(self, other: Any, better: Callable[[Floats, Floats], NDArray[Any]]) -> Rounded:
        """The better of two numbers; where errors may change the choice, its error is at most the larger one."""
        other = self.operand(other)
        first = better(self.middle, other.middle)
        certain = numpy.abs(self.middle - other.middle) > self.arithmetic.worst(self.radius + other.radius)
        rest = numpy.where(first, self.rest, other.rest)
        return self._either(other, first, certain, numpy.where(certain, rest, numpy.maximum(self.radius, other.radius)))

    def sum(self) -> Rounded:
        """The sum of all entries, in any order."""
        flat, target = self.reshaped((-1,)), self.arithmetic.target
        size = (numpy.abs(flat.middle) + flat.radius).sum(axis=0)
        rest = flat.rest.sum(axis=0) + len(flat.value) * self.arithmetic.rounding(size, target)
        total = sum(flat.value[1:], flat.value[0])
        return Rounded(self.arithmetic, total, self.names, flat.spread.sum(axis=1), rest)

    def __getitem__(self, key: Any) -> Rounded:
        spread = self.spread[(slice(None), *key)] if isinstance(key, tuple) else self.spread[:, key]
        return Rounded(self.arithmetic, self.value[key], self.names, spread, self.rest[key])

    def transposed(self) -> Rounded:
        self.anchor()
        value, spread, rest = self.value.swapaxes(0, 1), self.spread.swapaxes(1, 2), self.rest.swapaxes(0, 1)
        return Rounded(self.arithmetic, value, self.names, spread, rest)

    def reshaped(self, shape: tuple[int, ...]) -> Rounded:
        rank = len(self.shape)
        value = self.value.reshape((*shape, *self.value.shape[rank:]))
        spread = self.spread.reshape(len(self.names), *value.shape)
        rest = self.rest.reshape((*value.shape[: len(shape)], *self.rest.shape[rank:]))
        return Rounded(self.arithmetic, value, self.names, spread, rest)

    def _mapped(self, value: Any, slope: Floats, rest: Floats, times: float = 1.0) -> Rounded:
        """The image under a function of this slope, up to the given rest, rounded so many times."""
        linear = numpy.where(self.spread == 0, 0.0, self.spread * slope)
        through = numpy.where(self.rest == 0, 0.0, numpy.abs(slope) * self.rest)
        image = Rounded(self.arithmetic, value, self.names, linear, through + rest)
        return image.again(times) if times else image


def concatenated(parts: list[Rounded], axis: int = 0) -> Rounded:
    """One array of several, end to end."""
    arithmetic, names = parts[0].arithmetic, reduce(_union, (part.names for part in parts))

    def whole(arrays: list[Any], axis: int) -> Any:
        """Those of constants have trailing axes of length 1."""
        ends = numpy.broadcast_shapes(*(a.shape[a.ndim - arithmetic.trailing :] for a in arrays))
        arrays = [numpy.broadcast_to(a, (*a.shape[: a.ndim - arithmetic.trailing], *ends)) for a in arrays]
        return numpy.concatenate(arrays, axis=axis)

    value, rest = whole([part.value for part in parts], axis), whole([part.rest for part in parts], axis)
    spread = whole([part.aligned(names, part.value.ndim) for part in parts], axis + 1)
    return Rounded(arithmetic, value, names, spread, rest)


def _union(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    """Of two sorted lists of names."""
    if a is b or not len(b) or (len(a) == len(b) and (a == b).all()):
        return a
    return b if not len(a) else numpy.union1d(a, b)
