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
from typing import Any, ClassVar, NamedTuple

import numpy
from numpy.typing import NDArray

from geometry.arithmetic.formats import Format, exact, nearest, rounding

__all__ = ["Arithmetic", "Compared", "Floats", "Rounded", "concatenated", "joined"]

GENERATORS = 600  # a zonotope of more is replaced by the box around it
Floats = NDArray[numpy.float64]
Objects = NDArray[numpy.object_]
NAMELESS = numpy.zeros(0, dtype=int)


class Arithmetic:
    """What the numbers of one run share: the format that rounds, names for generators, a count of evaluations."""

    def __init__(self, target: Format) -> None:
        self.target = self.sums = target  # the format of results, and that in which products of matrices are summed
        self.names = 0
        self.evaluations = 0

    def exact(self, numbers: Any) -> Rounded:
        """Floating numbers that every port holds as they are."""
        numbers = numpy.asarray(numbers)
        return self.enclosed(_vector([exact(x) for x in numbers.reshape(-1)]).reshape(numbers.shape))

    def given(self, number: float) -> Rounded:
        """A hyper-parameter: some ports hold it as it is, others round it to the format."""
        value = exact(number)
        held = 0.0 if abs(number) < self.target.smallest_normal else float(nearest(value, self.target) or 0.0)
        return self.enclosed(_objects(value), _array(abs(held - number)))

    def pi(self) -> Rounded:
        from flint import arb

        return self.enclosed(_objects(arb.pi())).again()

    def enclosed(self, values: Objects, rest: Floats | None = None) -> Rounded:
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
        height, slopes = self.enclosed(_objects(value)), self.enclosed(_vector(gradient))
        if not numpy.isfinite(flat.radius).all():
            height, slopes = height.lost(), slopes.lost()
        elif flat.radius.any():
            height, slopes = self._moved(loss, flat, height, slopes)
        return height.again(), slopes.again().reshaped(theta.shape)

    def _moved(self, loss: Any, theta: Rounded, height: Rounded, slopes: Rounded) -> tuple[Rounded, Rounded]:
        """Value and gradient with the errors of θ: Taylor's formula with the Hessian over the box around it."""
        from flint import arb

        radius = theta.radius
        box = [t + arb(0, float(r)) for t, r in zip(theta.value, radius, strict=True)]
        here, there = (numpy.array(loss.hessian(place).tolist()) for place in (list(theta.value), box))
        bend, varies = _mid(here), _size(there - here)
        rest = _array(radius @ _size(there) @ radius / 2)
        height = Rounded(self, height.value, theta.names, theta.spread @ slopes.middle, rest)
        return height, Rounded(self, slopes.value, theta.names, theta.spread @ bend, varies @ radius)


class Compared(NamedTuple):
    """What is known of comparisons, entry by entry."""

    surely: NDArray[Any]
    possibly: NDArray[Any]

    @classmethod
    def certain(cls, holds: Any) -> Compared:
        return cls(numpy.asarray(holds), numpy.asarray(holds))

    def __bool__(self) -> bool:
        if (self.surely != self.possibly).any():
            raise ArithmeticError("rounding decides a comparison")
        return bool(self.surely)


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
    namespace: ClassVar[Any] = None  # of array functions: the module `arrays`, once it is imported

    def __init__(self, arithmetic: Arithmetic, value: Objects, names: NDArray[Any], spread: Floats, rest: Floats):
        self.arithmetic, self.value = arithmetic, value
        self.names, self.spread = names, spread  # (N,) and (N, *shape): the generators
        self.rest = rest
        self._middle: Floats | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape

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
        return numpy.abs(self.spread).sum(axis=0) + self.rest if len(self.names) else self.rest

    @property
    def middle(self) -> Floats:
        """The true values in float64."""
        if self._middle is None:
            self._middle = _mid(self.value)
        return self._middle

    # --- errors ---

    def again(self, times: float = 1.0) -> Rounded:
        """Rounded once more, or as much as so many times."""
        error = times * rounding(numpy.abs(self.middle) + self.radius, self.arithmetic.target)
        rounded = Rounded(self.arithmetic, self.value, self.names, self.spread, self.rest + error)
        rounded._middle = self._middle
        return rounded

    def lost(self) -> Rounded:
        """With errors without bound."""
        return Rounded(self.arithmetic, self.value, self.names, self.spread, numpy.full(self.shape, numpy.inf))

    def boxed(self) -> Rounded:
        """With independent errors of the same size."""
        return self.arithmetic.enclosed(self.value, self.radius)

    def anchor(self) -> None:
        """The rest becomes generators; and all of them do where they are too many."""
        many = len(self.names) > GENERATORS
        errors = self.radius if many else self.rest
        if not errors.any() or not numpy.isfinite(errors).all():
            return
        fresh = numpy.diag(errors.reshape(-1)).reshape(errors.size, *self.shape)
        new = self.arithmetic.new_names(errors.size)
        self.names = new if many else numpy.concatenate([self.names, new])
        self.spread = fresh if many else numpy.concatenate([self.spread, fresh])
        self.rest = numpy.zeros(self.shape)

    def aligned(self, names: NDArray[Any], ndim: int | None = None) -> Floats:
        """The generators of the given names, with so many axes beside, or as many as there are."""
        ndim = len(self.shape) if ndim is None else ndim
        spread = self.spread
        if len(names) != len(self.names):
            spread = numpy.zeros((len(names), *self.shape))
            spread[numpy.searchsorted(names, self.names)] = self.spread
        return spread.reshape(len(names), *(1,) * (ndim - len(self.shape)), *self.shape)

    def _with(self, other: Any) -> tuple[Rounded, NDArray[Any], Floats, Floats]:
        """The other operand, the common names, and the generators of both under them."""
        if not isinstance(other, Rounded):
            other = self.arithmetic.exact(other)
        ndim, names = max(len(self.shape), len(other.shape)), _union(self.names, other.names)
        return other, names, self.aligned(names, ndim), other.aligned(names, ndim)

    # --- operations ---

    def __add__(self, other: Any) -> Rounded:
        other, names, a, b = self._with(other)
        total = _objects(self.value + other.value)
        return Rounded(self.arithmetic, total, names, a + b, self.rest + other.rest).again()

    def __neg__(self) -> Rounded:
        return Rounded(self.arithmetic, _objects(-self.value), self.names, -self.spread, self.rest)

    def __sub__(self, other: Any) -> Rounded:
        return self + -other

    def __rsub__(self, other: Any) -> Rounded:
        return -self + other

    def __mul__(self, other: Any) -> Rounded:
        other, names, a, b = self._with(other)
        x, y = self.middle, other.middle
        rest = numpy.abs(x) * other.rest + self.rest * numpy.abs(y) + self.radius * other.radius
        return Rounded(self.arithmetic, _objects(self.value * other.value), names, a * y + x * b, rest).again()

    def __matmul__(self, other: Rounded) -> Rounded:
        """The product of two matrices, summed in any order."""
        self.anchor()
        other.anchor()
        other, names, a, b = self._with(other)
        x, y = self.middle, other.middle
        summands = (numpy.abs(x) + self.radius) @ (numpy.abs(y) + other.radius)
        rest = self.radius @ other.radius + self.shape[1] * rounding(summands, self.arithmetic.sums)
        return Rounded(self.arithmetic, self.value @ other.value, names, a @ y + x @ b, rest).again()

    def __truediv__(self, other: Any) -> Rounded:
        return self * (other if isinstance(other, Rounded) else self.arithmetic.exact(other)).reciprocal()

    def __rtruediv__(self, other: Any) -> Rounded:
        return self.reciprocal() * other

    def __pow__(self, exponent: float) -> Rounded:
        if exponent == 0.5:
            return self.sqrt()
        if exponent != int(exponent):
            raise TypeError(f"a power of {exponent} is not known")
        power = self.arithmetic.exact(numpy.ones(self.shape))
        for _ in range(int(exponent)):
            power = power * self
        return power

    def __rpow__(self, base: float) -> Rounded:
        """A positive number to these powers: e to the power of them times its logarithm."""
        number = self.arithmetic.given(base)
        size, radius = number.middle, number.radius
        logarithm = number._mapped(_objects(exact(base).log()), 1 / size, radius**2 / (2 * (size - radius) ** 2))
        x = self * logarithm
        value = _vector([ball.exp() for ball in x.value.reshape(-1)]).reshape(self.shape)
        slope = numpy.exp(x.middle)
        return x._mapped(value, slope, slope * numpy.exp(x.radius) * x.radius**2 / 2)

    __radd__, __rmul__ = __add__, __mul__

    def reciprocal(self) -> Rounded:
        x, radius = self.middle, self.radius
        least = numpy.abs(x) - radius
        rest = numpy.where(least > 0, radius**2 / (x**2 * least), numpy.inf)
        return self._mapped(_objects(1 / self.value), -1 / x**2, numpy.where(radius == 0, 0.0, rest))

    def sqrt(self) -> Rounded:
        x, radius = self.middle, self.radius
        low = numpy.maximum(x - radius, 0)
        curved = low > x / 2
        slope = numpy.where(curved, 1 / (2 * numpy.sqrt(x)), 0)
        away = numpy.maximum(numpy.sqrt(x + radius) - numpy.sqrt(x), numpy.sqrt(x) - numpy.sqrt(low))
        rest = numpy.where(curved, radius**2 / (8 * low**1.5), away)
        roots = _vector([ball.sqrt() if ball > 0 else ball * 0 for ball in self.value.reshape(-1)])
        return self._mapped(roots.reshape(self.shape), slope, numpy.where(radius == 0, 0.0, rest))

    def __abs__(self) -> Rounded:
        x, radius = self.middle, self.radius
        certain = numpy.abs(x) > radius
        return self._mapped(_objects(abs(self.value)), numpy.sign(x) * certain, numpy.where(certain, 0, radius), 0.0)

    def sine(self) -> Rounded:
        """Entry by entry; the errors go through Taylor's formula of first order."""
        roots = _vector([ball.sin() for ball in self.value.reshape(-1)]).reshape(self.shape)
        slopes = _mid(_vector([ball.cos() for ball in self.value.reshape(-1)]).reshape(self.shape))
        return self._mapped(roots, slopes, self.radius**2 / 2)

    def integers(self) -> Rounded:
        """The nearest integers; where rounding decides which, the error is 1."""
        low, high = numpy.rint(self.middle - self.radius), numpy.rint(self.middle + self.radius)
        integers = self.arithmetic.exact(numpy.rint(self.middle))
        integers.rest = high - low
        return integers

    def signs(self) -> Rounded:
        """−1, 0 or 1. A zero that is exact but for what may be flushed to it has one; of another, rounding decides."""
        x, radius = self.middle, self.radius
        flushed = 2.0**10 * self.arithmetic.target.smallest_normal
        nothing = numpy.reshape([ball == 0 for ball in self.value.reshape(-1)], self.shape)
        exact = (radius == 0) | (nothing & (radius <= flushed) & (flushed < self.arithmetic.target.unit**4))
        signs = self.arithmetic.exact(numpy.sign(x))
        signs.rest = numpy.where((numpy.abs(x) > radius) | exact, 0.0, 2.0)
        return signs

    def minimum(self, other: Any) -> Rounded:
        return self._chosen(other, numpy.less_equal)

    def maximum(self, other: Any) -> Rounded:
        return self._chosen(other, numpy.greater_equal)

    def chosen(self, other: Any, condition: Compared) -> Rounded:
        """These numbers where a condition holds, else the others; where either may be meant, an error holds both."""
        other, names, a, b = self._with(other)
        first, doubtful = condition.possibly, condition.surely != condition.possibly
        gap = numpy.abs(self.middle - other.middle) + self.radius + other.radius
        value = _objects(numpy.where(first, self.value, other.value))
        rest = numpy.where(doubtful, gap, numpy.where(first, self.rest, other.rest))
        spread = numpy.where(doubtful, 0.0, numpy.where(first, a, b))
        return Rounded(self.arithmetic, value, names, spread, rest)

    def _gap(self, other: Any) -> tuple[Floats, Floats]:
        """The difference, and what rounding may make of it."""
        difference = self - other
        return difference.middle, difference.radius

    def __lt__(self, other: Any) -> Compared:
        gap, doubt = self._gap(other)
        return Compared(gap < -doubt, gap < doubt)

    def __gt__(self, other: Any) -> Compared:
        gap, doubt = self._gap(other)
        return Compared(gap > doubt, gap > -doubt)

    def __floor__(self) -> int:
        low, high = (math.floor(float(self.middle) + side * float(self.radius)) for side in (-1, 1))
        if low != high:
            raise ArithmeticError("rounding decides an integer")
        return low

    def _chosen(self, other: Any, better: Callable[[Floats, Floats], NDArray[Any]]) -> Rounded:
        """The better of two numbers; where errors may change the choice, its error is at most the larger one."""
        other, names, a, b = self._with(other)
        first = better(self.middle, other.middle)
        certain = numpy.abs(self.middle - other.middle) > self.radius + other.radius
        value = _objects(numpy.where(first, self.value, other.value))
        spread = numpy.where(certain, numpy.where(first, a, b), 0)
        rest = numpy.where(first, self.rest, other.rest)
        rest = numpy.where(certain, rest, numpy.maximum(self.radius, other.radius))
        return Rounded(self.arithmetic, value, names, spread, rest)

    def sum(self) -> Rounded:
        """The sum of all entries, in any order."""
        value, count = self.value.reshape(-1), self.value.size
        size = _array((numpy.abs(self.middle) + self.radius).sum())
        rest = self.rest.sum() + count * rounding(size, self.arithmetic.target)
        spread = self.spread.reshape(len(self.names), count).sum(axis=1)
        return Rounded(self.arithmetic, _objects(sum(value[1:], value[0])), self.names, spread, _array(rest))

    def norm(self) -> Rounded:
        """The Euclidean norm of all entries."""
        return (self * self).sum().sqrt()

    def __getitem__(self, key: Any) -> Rounded:
        spread = self.spread[(slice(None), *key)] if isinstance(key, tuple) else self.spread[:, key]
        return Rounded(self.arithmetic, _objects(self.value[key]), self.names, spread, _array(self.rest[key]))

    def transposed(self) -> Rounded:
        self.anchor()
        return Rounded(self.arithmetic, self.value.T, self.names, self.spread.transpose(0, 2, 1), self.rest.T)

    def reshaped(self, shape: tuple[int, ...]) -> Rounded:
        value = self.value.reshape(shape)
        spread = self.spread.reshape(len(self.names), *value.shape)
        return Rounded(self.arithmetic, value, self.names, spread, self.rest.reshape(shape))

    def _mapped(self, value: Objects, slope: Floats, rest: Floats, times: float = 1.0) -> Rounded:
        """The image under a function of this slope, up to the given rest, rounded so many times."""
        linear = numpy.where(self.spread == 0, 0.0, self.spread * slope)
        through = numpy.where(self.rest == 0, 0.0, numpy.abs(slope) * self.rest)
        image = Rounded(self.arithmetic, value, self.names, linear, through + rest)
        return image.again(times) if times else image


def joined(first: Rounded, second: Rounded) -> Rounded:
    """A vector of the entries of two: of vectors, or of a vector and a number.

    Examples
    --------
    >>> from geometry.arithmetic.formats import format_of
    >>> arithmetic = Arithmetic(format_of("float64"))
    >>> joined(arithmetic.exact([1.0, 2.0]), arithmetic.exact(3.0)).middle
    array([1., 2., 3.])
    """
    return concatenated([part.reshaped((-1,)) for part in (first, second)])


def concatenated(parts: list[Rounded], axis: int = 0) -> Rounded:
    """One array of several, end to end."""
    names = reduce(_union, (part.names for part in parts))
    return Rounded(
        parts[0].arithmetic,
        numpy.concatenate([part.value for part in parts], axis=axis),
        names,
        numpy.concatenate([part.aligned(names) for part in parts], axis=axis + 1),
        numpy.concatenate([part.rest for part in parts], axis=axis),
    )


def _union(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    """Of two sorted lists of names."""
    if not len(b) or (len(a) == len(b) and (a == b).all()):
        return a
    return b if not len(a) else numpy.union1d(a, b)


def _array(number: Any) -> Floats:
    return numpy.asarray(number, dtype=float)


def _objects(values: Any) -> Objects:
    """An array of balls; NumPy unpacks those of no axis."""
    return numpy.asarray(values, dtype=object)


def _vector(balls: list[Any]) -> Objects:
    values = numpy.empty(len(balls), dtype=object)
    values[:] = balls
    return values


def _mid(values: Objects) -> Floats:
    return numpy.array([float(ball.mid()) for ball in values.reshape(-1)]).reshape(values.shape)


def _size(values: Objects) -> Floats:
    return numpy.array([float(abs(ball).upper()) for ball in values.reshape(-1)]).reshape(values.shape)
