"""Fused multiply-add: compilers contract a·b + c into one operation that rounds once.

That is right, and more precise; but results differ in bits from those without it, wherever numbers cancel in all their
digits. A port whose bits are those of contracted operations is told so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

import numpy
from numpy.typing import NDArray

from geometry.arithmetic.formats import exact, format_of, nearest
from geometry.arithmetic.precision import working_precision
from rbo_ref.oracle.calls import ServedLoss
from rbo_ref.oracle.formulas import Formula, formula_of
from rbo_ref.oracle.judge import Run
from rbo_ref.oracle.report import Result
from rbo_ref.oracle.setting import Setting
from rbo_ref.oracle.suspects.courses import floating
from rbo_ref.oracle.suspects.played import Played, Step

__all__ = ["Fusing", "contracted", "fused", "notes"]

LARGEST = (10, 20)  # dimension and inner steps of the cases that are taken
LEAST = 3  # steps that tell
SHARE = 1 / 3  # of these, that have the bits: compilers contract sums in more ways than one


def fused(a: Any, b: Any, c: Any) -> NDArray[Any]:
    """a·b + c, rounded once to the dtype of c.

    Examples
    --------
    >>> x = numpy.float32(1 + 2**-12)
    >>> float(fused(x, x, -x * x)) == float(x) ** 2 - float(x * x)  # what the product loses
    True
    """
    a, b, c = numpy.broadcast_arrays(*(numpy.asarray(x, dtype=c.dtype) for x in (a, b, c)))
    target = format_of(c.dtype)
    with working_precision(2200):  # every sum of such numbers is exact
        numbers = [
            nearest(exact(x) * exact(y) + exact(z), target) if numpy.isfinite([x, y, z]).all() else numpy.nan
            for x, y, z in zip(a.reshape(-1), b.reshape(-1), c.reshape(-1), strict=True)
        ]
    return numpy.array(numbers, dtype=c.dtype).reshape(c.shape)


class Fusing:
    """An array of floats, in which a product is fused with what is added to it; of a sum of two products the first.

    Parameters
    ----------
    numbers : array
    factors : pair of arrays, optional
        Of which the numbers are the product.

    Examples
    --------
    >>> x = Fusing(numpy.array([1 + 2.0**-30]))
    >>> float((x * x - 1).numbers[0]) == 2.0**-29 + 2.0**-60
    True
    """

    __array_ufunc__ = None  # NumPy arrays leave mixed operations to us
    __hash__: ClassVar[Any] = None

    def __init__(self, numbers: Any, factors: tuple[Any, Any] | None = None) -> None:
        self.numbers, self.factors = numpy.asarray(numbers), factors

    @property
    def shape(self) -> tuple[int, ...]:
        return self.numbers.shape

    @property
    def T(self) -> Fusing:
        return Fusing(self.numbers.T)

    def __array_namespace__(self, api_version: str | None = None) -> Any:
        return FUNCTIONS

    def __getitem__(self, key: Any) -> Fusing:
        return Fusing(self.numbers[key])

    def __mul__(self, other: Any) -> Fusing:
        factors = self.numbers, _plain(other)
        return Fusing(factors[0] * factors[1], factors)

    def __neg__(self) -> Fusing:
        return Fusing(-self.numbers, self.factors and (-self.factors[0], self.factors[1]))

    def __add__(self, other: Any) -> Fusing:
        for one, rest in ((self, other), (other, self)):
            if isinstance(one, Fusing) and one.factors is not None:
                return Fusing(fused(*one.factors, numpy.asarray(_plain(rest), dtype=one.numbers.dtype)))
        return Fusing(self.numbers + _plain(other))

    def __sub__(self, other: Any) -> Fusing:
        return self + -other

    def __rsub__(self, other: Any) -> Fusing:
        return -self + other

    __radd__, __rmul__ = __add__, __mul__


def _plain(numbers: Any) -> Any:
    """The floats of such arrays, wherever they are."""
    if isinstance(numbers, list | tuple):
        return [_plain(one) for one in numbers]
    return numbers.numbers if isinstance(numbers, Fusing) else numbers


def _with(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of arrays in which nothing is fused."""
    return lambda *arguments, **options: Fusing(function(*map(_plain, arguments), **options))


for _operation in ("truediv", "rtruediv", "pow", "rpow", "matmul", "rmatmul", "abs", "lt", "le", "gt", "ge"):
    setattr(Fusing, f"__{_operation}__", _with(getattr(numpy.ndarray, f"__{_operation}__")))


class _Functions:
    """Those of NumPy, but for the sum of products, each of which is added to those before it."""

    __name__ = __name__

    def __getattr__(self, name: str) -> Any:
        return _with(getattr(numpy, name))

    def sum(self, array: Fusing) -> Fusing:
        if array.factors is None:
            return Fusing(numpy.sum(array.numbers))
        a, b = (x.reshape(-1) for x in numpy.broadcast_arrays(*array.factors))
        total = a[0] * b[0]
        for x, y in zip(a[1:], b[1:], strict=True):
            total = fused(x, y, total)
        return Fusing(total)


FUNCTIONS = _Functions()


def contracted(cls: type[Formula]) -> type[Formula]:
    """The ports of a formula on NumPy of which every multiplication that is followed by an addition is fused with it.

    Examples
    --------
    >>> port = contracted(formula_of("gradient-descent"))()
    >>> hyper = {"learning_rate": 0.5, "momentum": 0.0, "nesterov": False}
    >>> port(lambda x: (x @ x, 2 * x), numpy.array([1.0]), iterations=1, **hyper)
    [array([0.])]
    """

    def advance(self: Formula, loss: Any, theta: Any, hyper: Mapping[str, Any], draw: Any = None) -> Any:
        def served(place: Fusing) -> tuple[Fusing, Fusing]:
            value, gradient = loss(place.numbers)
            return Fusing(value), Fusing(gradient)

        return cls.advance(self, served, Fusing(theta), hyper, draw).numbers

    return type(f"Contracted{cls.__name__}", (cls,), {"advance": advance})


@numpy.errstate(all="ignore")
def notes(judged: Iterable[tuple[Result, Run]], setting: Setting) -> list[str]:
    """A sentence, if a port that is right has the bits of contracted operations."""
    plain, fusing, telling = 0, 0, 0
    for run in {id(run): run for _, run in judged if _tells(run, setting)}.values():
        cls, played = formula_of(run.case.optimizer, setting.dialect), _played(run)
        loss = ServedLoss(run.case.loss, numpy, run.case.theta.shape)
        both = (floating(make, played, loss, setting.target.dtype) for make in (cls, contracted(cls)))
        for step, one, other in zip(played.steps, *both, strict=False):
            if not numpy.array_equal(one, other):
                telling += 1
                plain += numpy.array_equal(step.answer, one)
                fusing += numpy.array_equal(step.answer, other)
    if telling < LEAST or fusing < SHARE * telling:
        return []
    share = f"{fusing} of the {telling} steps in which it shows ({plain} have those without it)"
    return [f"the bits are those of a fused multiply-add in {share}: right either way"]


def _played(run: Run) -> Played:
    """The steps of a run, as far as they were answered."""
    case, known = run.case, numpy.zeros(run.case.theta.shape)
    steps = [
        Step(t.theta, t.hyper, None if case.draws is None else case.draws[k], t.answer, known, known, wrong=False)
        for k, t in enumerate(run.taken)
        if t.answer is not None
    ]
    return Played(case.id, case.loss, steps, alone=run.level == "step")


def _tells(run: Run, setting: Setting) -> bool:
    """Whether it is a run of short steps, of several for what has memory, in a format that NumPy rounds to."""
    if run.level != ("step" if formula_of(run.case.optimizer).is_memoryless else "walk"):
        return False
    inner = max((count for count in run.taken[0].hyper.values() if type(count) is int), default=0)
    small = run.case.dimension <= LARGEST[0] and inner <= LARGEST[1]
    return small and setting.formats.compute is None and setting.target.name in ("float32", "float64")
