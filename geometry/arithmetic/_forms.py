"""Affine forms with all that the table of operations asks of them, and recorded functions over boxes and at points."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy

from geometry.arithmetic._affine import Record
from geometry.arithmetic._logic import Truth, as_truth
from geometry.arithmetic._smooth import Elementary
from geometry.arithmetic.intervals import Interval, hull, interval
from geometry.expressions._operations import TABLE
from geometry.expressions.expression import Expression

__all__ = ["Form", "Record", "box_form", "differentiated", "enclosed", "point_form"]


class Form(Elementary):
    """Forms that are compared, and chosen between."""

    __slots__ = ()

    # Comparisons. Where one side is not defined they are false, whatever the range of values elsewhere. Where both
    # sides can be equal, what hangs on the outcome may have a kink or a jump, and on a border of the box as well.

    def _compared(self, other: Any) -> tuple[numpy.ndarray, numpy.ndarray]:
        if other is self:  # as NaN is looked for
            difference = self.range()
            difference = difference.map(lambda end: numpy.where(numpy.isnan(end), end, 0.0))
            self.record.irregular_where(numpy.isnan(difference.lo))
        else:
            difference = (self - other).range()  # what both have in common cancels
            self.record.irregular_where(~((difference.lo > 0) | (difference.hi < 0)))
        if self.record.partial:
            return numpy.full(difference.shape, -numpy.inf), numpy.full(difference.shape, numpy.inf)
        return difference.lo, difference.hi

    def __lt__(self, other: Any) -> Truth:
        low, high = self._compared(other)
        return Truth(high < 0, low >= 0)

    def __le__(self, other: Any) -> Truth:
        low, high = self._compared(other)
        return Truth(high <= 0, low > 0)

    def __gt__(self, other: Any) -> Truth:
        low, high = self._compared(other)
        return Truth(low > 0, high <= 0)

    def __ge__(self, other: Any) -> Truth:
        low, high = self._compared(other)
        return Truth(low >= 0, high < 0)

    def __eq__(self, other: Any) -> Any:
        low, high = self._compared(other)
        return Truth((low == 0) & (high == 0), (low > 0) | (high < 0))

    def __ne__(self, other: Any) -> Any:
        return ~(self == other)

    # Choices.

    def choice(self, condition: Any, other: Form) -> Form:
        """Itself where the condition certainly holds, the other where it certainly does not, else the hull of both."""
        condition = as_truth(condition)
        self.record.irregular_where(~(condition.yes | condition.no))
        shape = numpy.broadcast_shapes(condition.shape, self.shape, other.shape)

        def of(x: Interval, y: Interval) -> Interval:
            x, y = (
                z.map(lambda end: numpy.broadcast_to(end, (*end.shape[: end.ndim - len(shape)], *shape)))
                for z in (x, y)
            )
            both = hull(x, y)
            ends = ((x.lo, y.lo, both.lo), (x.hi, y.hi, both.hi))
            return Interval(*(numpy.where(condition.yes, a, numpy.where(condition.no, b, c)) for a, b, c in ends))

        a, b = self, other
        if a.slopes is None and b.slopes is None:
            return self.flat(of(a.center, b.center))
        d = (b if a.slopes is None else a).slopes.shape[0]
        zero = a.center.map(lambda end: numpy.zeros((d, *(1,) * len(shape))))
        slopes = [zero if x.slopes is None else x.lifted(len(shape)) for x in (a, b)]
        return self.new(of(a.center, b.center), of(*slopes))

    def maximum(self, other: Form) -> Form:
        """The larger one; where that is undecided, of the ranges."""
        return self._extreme("maximum", other, self - other)

    def minimum(self, other: Form) -> Form:
        return self._extreme("minimum", other, other - self)

    def __abs__(self) -> Form:
        return self.maximum(-self)

    def _extreme(self, name: str, other: Form, ahead: Form) -> Form:
        """Itself where the difference is at least 0, wherever it is defined at all; where it can be 0 may be a kink."""
        whole = ahead.range()
        self.record.irregular_where(~((whole.lo > 0) | (whole.hi < 0)))
        first = Truth(whole.lo >= 0, whole.hi < 0)
        chosen, open_ = self.choice(first, other), ~(first.yes | first.no)
        if not open_.any():
            return chosen
        x, y = self.range(), other.range()
        extreme = getattr(numpy, name)
        found = Interval(extreme(x.lo, y.lo), extreme(x.hi, y.hi))
        ends = ((found.lo, chosen.center.lo), (found.hi, chosen.center.hi))
        slopes = chosen.full_slopes()
        slopes = slopes if slopes is None else slopes.map(lambda end: numpy.where(open_, 0.0, end))
        return self.new(Interval(*(numpy.where(open_, o, e) for o, e in ends)), slopes)

    def largest(self) -> Form:
        """The largest along the last axis, by halves."""
        form = self
        while (n := form.shape[-1]) > 1:
            pairs = form[..., : n // 2].maximum(form[..., n // 2 : 2 * (n // 2)])
            form = stacked([pairs, form[..., -1:]], numpy.concatenate) if n % 2 else pairs
        return form[..., 0]

    # Functions of two numbers.

    def hypot(self, other: Form) -> Form:
        return (self.square() + other.square()).smooth("sqrt", 0.0, closed=True)

    def logaddexp(self, other: Form) -> Form:
        """log(eˣ + eʸ) = m + log(eˣ⁻ᵐ + eʸ⁻ᵐ) for every number m."""
        middle = numpy.maximum(self.center.middle, other.center.middle)
        shifted = [(x - middle).smooth("exp") for x in (self, other)]
        return (shifted[0] + shifted[1]).smooth("log", 0.0) + middle

    def atan2(self, x: Form) -> Form:
        """The angle of (x, y): atan(y/x) or −atan(x/y), with the larger divisor, and quarter turns; or [−π, π]."""
        y = self
        up, across = y.range(), x.range()
        flat = across.mig >= up.mig
        quarters = numpy.select(
            [flat & (across.lo > 0), ~flat & (up.lo > 0), ~flat & (up.hi < 0), flat & (up.lo > 0), flat & (up.hi < 0)],
            [0, 1, -1, 2, -2],
            default=9,
        )
        known = quarters < 9
        x.record.irregular_where(~known)
        ratio = y.choice(flat, x) / x.constant(1.0).choice(~known, x.choice(flat, y))
        turn, quarter = ratio.smooth("atan"), x.constant(0.0).smooth("acos", -1.0, 1.0, closed=True)
        angle = turn.choice(flat, -turn) + quarter * numpy.where(known, quarters, 0)
        both, pi = up + across, numpy.nextafter(numpy.pi, 4)
        defined = both.lo <= both.hi
        ends = (numpy.where(defined, e, b) for e, b in ((-pi, both.lo), (pi, both.hi)))
        return angle.choice(known, x.flat(Interval(*ends)))


def stacked(forms: Sequence[Form], join: Callable[..., Any] = numpy.stack) -> Form:
    """Forms of one shape along a new last axis; or, with `numpy.concatenate`, along the last one."""
    slopes = [form.full_slopes() for form in forms]
    d = next((len(s.lo) for s in slopes if s is not None), None)
    center = Interval(*(join([getattr(f.center, end) for f in forms], axis=-1) for end in ("lo", "hi")))
    if d is None:
        return forms[0].flat(center)
    zero = [
        f.center.map(lambda end: numpy.zeros((d, *end.shape))) if s is None else s
        for f, s in zip(forms, slopes, strict=True)
    ]
    parts = (join([getattr(s, end) for s in zero], axis=-1) for end in ("lo", "hi"))
    return forms[0].new(center, Interval(*parts))


def point_form(point: numpy.ndarray, record: Record) -> Form:
    """Single points (n, d)."""
    return Form(interval(point), None, record)


def box_form(center: numpy.ndarray, radius: numpy.ndarray, record: Record) -> Form:
    """The coordinates center ± radius of boxes, (n, d): each its own ε."""
    d = center.shape[-1]
    slopes = numpy.zeros((d, *center.shape))
    for i in range(d):
        slopes[i, ..., i] = radius[..., i]
    return Form(interval(center), interval(slopes), record)


REDUCTIONS: dict[str, Callable[..., Form]] = {
    "sum": lambda x: x.sum(),
    "largest": Form.largest,
    "entries": lambda theta, indices: theta[..., indices],
}


def differentiated(expression: Expression, theta: Form, order: int = 2) -> tuple[Form, ...]:
    """f, ∇f and ∇²f up to an order, (...), (..., d) and (..., d, d), by the slope rules of the table.

    The derivatives hold where the record of the evaluation knows of no irregularity.
    """
    return enclosed(expression, theta, *("node", "slope", "curvature")[: order + 1])


def enclosed(expression: Expression, theta: Form, *names: str) -> tuple[Form, ...]:
    """Those parts of an expression that are named."""
    program = expression.program(*names, exact=True)
    assert program is not None
    batch, whole = theta.shape[:-1], []
    parts = program.run(theta, lambda name: REDUCTIONS.get(name) or TABLE[name].enclosure, theta.constant)
    for node, entries in zip(program.nodes, parts, strict=True):
        forms = [_spread(entry, batch) for entry in entries]
        form = stacked(forms) if node.shape else forms[0]
        whole.append(_reshaped(form, (*batch, *node.shape)) if len(node.shape) > 1 else form)
    return tuple(whole)


def _spread(form: Form, shape: tuple[int, ...]) -> Form:
    if form.shape == shape:
        return form
    slopes = form.lifted(len(shape))
    if slopes is not None:
        slopes = slopes.map(lambda end: numpy.broadcast_to(end, (len(end), *shape)))
    return form.new(form.center.map(lambda end: numpy.broadcast_to(end, shape)), slopes)


def _reshaped(form: Form, shape: tuple[int, ...]) -> Form:
    slopes = form.full_slopes()
    slopes = slopes if slopes is None else slopes.map(lambda end: end.reshape(len(end), *shape))
    return form.new(form.center.map(lambda end: end.reshape(shape)), slopes)
