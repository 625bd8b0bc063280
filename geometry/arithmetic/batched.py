"""Rounded numbers of many steps at once, in floats that are wider than the format that rounds.

Where `Arithmetic` has balls, a `Batch` has floats: the arrays of n steps lie along the last of two trailing axes. They
round as well, and what that does is bounded like the rounding of a port, for it is one: in wider floats. So the axis
before the last tells three errors of every number, which its own rounding, products and Hessians make of the same
generators:

- `FIRST`: of ports in the format, to first order in the place where a port evaluates the loss;
- `WHOLE`: with all that the Hessian varies over the box of such places, so that no right port is
  farther from the truth;
- `WIDE`: of these floats themselves, so that no truth is farther from them.

A generator has the size of the first kind of error. `weights` are the largest ratios, for each step, of the others to
it, of all errors that became generators: the sum of all generators, times the weight, is no smaller than any error.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy
from numpy.typing import NDArray

from geometry.arithmetic import number_arrays
from geometry.arithmetic.formats import SAFETY, Floats, Format, format_of, rounded
from geometry.arithmetic.rounded import Arithmetic, Rounded
from geometry.arithmetic.running import Rounding, Running

__all__ = ["FIRST", "WHOLE", "WIDE", "Batch", "Counts", "errors_of_formulas", "wider"]

FIRST = 0
WHOLE = 1
WIDE = 2


def wider(target: Format) -> numpy.dtype:
    """The dtype of numbers that are computed to judge those of a format."""
    return numpy.dtype(numpy.float64 if target.precision < 53 else numpy.longdouble)


class Counts:
    """A whole number in each step of a batch: exact, and no line of a formula may ask how large it is.

    Examples
    --------
    >>> half = Batch(format_of("float32"), is_served=True).given(0.5)
    >>> (half ** (Counts(numpy.array([1, 2])) + 1)).middle
    array([[0.25 , 0.125]])
    """

    def __init__(self, numbers: NDArray[numpy.int64]) -> None:
        self.numbers = numbers

    def __add__(self, other: int) -> Counts:
        return Counts(self.numbers + other)


class Batch(Arithmetic):
    """The arithmetic of some steps.

    Parameters
    ----------
    target : Format
        Of the ports.
    is_served : bool
        Whether ports are given values and gradients that are correctly rounded; else they evaluate the formula.

    Examples
    --------
    >>> batch = Batch(format_of("float32"), is_served=True)
    >>> thirds = 1 / batch.along(numpy.array([3.0, 6.0]))
    >>> thirds.middle[0].round(3), (thirds.radius[WHOLE] < 1e-7).all(), (thirds.radius[WIDE] < 1e-15).all()
    (array([0.333, 0.167]), np.True_, np.True_)
    """

    trailing = 2

    def __init__(self, target: Format, is_served: bool) -> None:
        super().__init__(target)
        self.dtype, self.is_served = wider(target), is_served
        self.format = format_of(self.dtype)
        self.weights = numpy.array([[1.0], [1.0], [0.0]])
        self._roundings: dict[Format | None, Rounding] = {}

    def values(self, numbers: NDArray[Any]) -> NDArray[Any]:
        return numbers.astype(self.dtype)

    def middles(self, values: NDArray[Any]) -> Floats:
        return values.astype(numpy.float64)

    def function(self, name: str, values: NDArray[Any]) -> NDArray[Any]:
        result: NDArray[Any] = getattr(numpy, name)(values)
        return result

    def matmul(self, a: Any, b: Any) -> Any:
        rank = max(a.ndim, b.ndim)
        a, b = (
            x.reshape(*x.shape[:2], *(1,) * (rank - x.ndim), *x.shape[2:])
            for x in (numpy.moveaxis(x, (-2, -1), (0, 1)) for x in (a, b))
        )
        return numpy.moveaxis(a @ b, (0, 1), (-2, -1))

    def worst(self, errors: Any) -> Any:
        return errors.max(axis=-2, keepdims=True)

    def rounding(self, sizes: Floats, target: Format) -> Floats:
        unit, least, most = _limits(target, target, self.format)
        return numpy.where(sizes < most, unit * sizes + least, numpy.inf)

    def counted(self, count: Any) -> Any:
        return count.numbers[None].astype(float) if isinstance(count, Counts) else super().counted(count)

    def exact(self, numbers: Any) -> Rounded:
        return self.along(numbers.numbers) if isinstance(numbers, Counts) else super().exact(numbers)

    def anchored(self, errors: Floats) -> tuple[Floats, Floats]:
        errors = numpy.broadcast_to(errors, (*errors.shape[:-2], 3, errors.shape[-1]))
        finite = numpy.isfinite(errors).all(axis=tuple(range(errors.ndim - 1)))
        sizes = numpy.where(finite, errors[..., :1, :], 0.0)
        ratio = numpy.where(errors > 0, errors / errors[..., :1, :], 0.0)
        ratio = numpy.where(finite, ratio, 0.0).max(axis=tuple(range(errors.ndim - 2)), initial=0.0)
        self.weights = numpy.maximum(self.weights, ratio)
        return sizes, numpy.where(finite, 0.0, errors)

    def along(self, numbers: NDArray[Any]) -> Rounded:
        """Exact numbers of every step, (n, ...)."""
        return self.enclosed(numpy.moveaxis(numpy.asarray(numbers, dtype=self.dtype), 0, -1)[..., None, :])

    def seeded(self, theta: NDArray[Any]) -> Rounded:
        """Exact θ (n, ...) with generators by which `derivative` finds what becomes of it."""
        start = self.along(theta)
        self.seeds = theta[0].size
        names = self.new_names(self.seeds)
        spread = numpy.eye(self.seeds).reshape(self.seeds, *start.shape, 1, 1)
        spread = numpy.broadcast_to(spread, (self.seeds, *start.value.shape))
        return Rounded(self, start.value, names, spread, start.rest)

    def derivative(self, numbers: Rounded) -> Floats:
        """Of numbers (d,) by the θ that was seeded, (n, d, d)."""
        return numpy.moveaxis(numbers.spread[: self.seeds, :, 0, :], (0, 1, 2), (2, 1, 0))

    def given(self, number: Any) -> Rounded:
        """A hyper-parameter, or one for every step: some ports hold it as it is, others round it to the format."""
        numbers = numpy.asarray(number, dtype=float).reshape(1, -1)
        normal = numpy.abs(numbers) >= self.target.smallest_normal
        held = numpy.where(normal, rounded(numbers, self.target).astype(float), 0.0)
        doubt = numpy.abs(held - numbers) * numpy.array([[1.0], [1.0], [0.0]])
        return self.enclosed(numbers.astype(self.dtype), doubt)

    def pi(self) -> Rounded:
        return self.exact(numpy.arctan2(self.dtype.type(0), self.dtype.type(-1))).again()

    def evaluate(self, loss: Any, theta: Rounded) -> tuple[Rounded, Rounded]:
        """f(θ) and ∇f(θ), as they are served, or by the formula, at the places where a port may be."""
        self.evaluations += 1
        theta.anchor()
        flat = theta.reshaped((-1,))
        place, radius = flat.value[:, 0].T, flat.radius
        (value, gradient), boxes = loss.first(place, numpy), numpy.moveaxis(radius, -1, 0).max(axis=-1)
        box = boxes + 2.0**-52 * numpy.abs(place).astype(float)
        e_value, e_gradient = self._errors(loss, place.astype(float), box)
        if not len(theta.names) and not radius.any():
            slopes = self.enclosed(gradient.T[:, None], e_gradient).again()
            return self.enclosed(value[None], e_value).again(), slopes.reshaped(theta.shape)
        bend, varies = self._bends(loss, place.astype(float), box)
        slopes, spread = gradient.T[:, None], flat.spread
        curved = _product(numpy.abs(bend) + varies, radius)
        height_rest = BEYOND_FIRST * (curved * radius).sum(axis=0) / 2 + e_value
        height_spread = (spread * slopes.astype(float)).sum(axis=1)
        height = Rounded(self, value[None], theta.names, height_spread, height_rest)
        bent = sum(spread[:, j, None] * bend[j] for j in range(len(bend)))  # a Hessian is symmetric
        grown = Rounded(self, slopes, theta.names, bent, BEYOND_FIRST * _product(varies, radius) + e_gradient)
        return height.again(), grown.again().reshaped(theta.shape)

    def _errors(self, loss: Any, middle: Floats, box: Floats) -> tuple[Floats, Floats]:
        """What rounding in the formulas adds to f, (3, n), and to ∇f, (d, 3, n), anywhere in boxes (n, d)."""
        target = self.format if self.is_served else self.target
        rounding = self._roundings.setdefault(target, Rounding(target))
        rounding.jumped = False
        errors = errors_of_formulas(loss, middle, box, rounding)
        if self.is_served:
            shares = numpy.array([0.0, 0.0, 1.0])
        elif not rounding.jumped:
            shares = numpy.array([1.0, 1.0, self.format.unit / target.unit])
        else:
            wide = errors_of_formulas(loss, middle, box, Rounding(self.format))
            e_value, e_gradient = (numpy.stack([e, e, w]) for e, w in zip(errors, wide, strict=True))
            return e_value, numpy.moveaxis(e_gradient, -1, 0)
        e_value, e_gradient = (shares.reshape(-1, *(1,) * e.ndim) * e for e in errors)
        return e_value, numpy.moveaxis(e_gradient, -1, 0)

    def _bends(self, loss: Any, middle: Floats, box: Floats) -> tuple[Floats, Floats]:
        """∇²f over boxes (n, d): its middle and how much it varies, (d, d, 1, n)."""
        found = loss.second(Running(self._roundings.setdefault(None, Rounding()), middle, box), number_arrays)
        parts = (numpy.broadcast_to(part, (*middle.shape, middle.shape[-1])) for part in (found.middle, found.reach))
        bend, varies = (numpy.moveaxis(part, 0, -1)[:, :, None] for part in parts)
        return bend, varies


@numpy.errstate(all="ignore")
def errors_of_formulas(loss: Any, middle: Floats, box: Floats, rounding: Rounding) -> list[Floats]:
    """What rounding adds to f, (n,), and to ∇f, (n, d), which are evaluated anywhere in boxes (n, d).

    Without bound, or NaN, where a formula may leave its domain.
    """
    parts = loss.first(Running(rounding, middle, box), number_arrays)
    return [numpy.broadcast_to(part.error, part.shape) for part in parts]


BEYOND_FIRST = numpy.array([[0.0], [1.0], [1.0]])


@cache
def _limits(*formats: Format) -> tuple[Floats, Floats, Floats]:
    """For each of some formats: the error of one operation by the size of its result, or of a small one; the range."""
    rows = [(SAFETY * f.unit, f.smallest_normal, 2.0 ** min(f.most - 2, 1023)) for f in formats]
    unit, least, most = (numpy.array(column)[:, None] for column in zip(*rows, strict=True))
    return unit, least, most


def _product(matrix: Floats, vector: Floats) -> Floats:
    """Of matrices (d, d, 1, n) and vectors (d, 3, n)."""
    product: Floats = sum(matrix[:, j] * vector[j] for j in range(len(vector)))
    return product
