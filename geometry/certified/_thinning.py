"""Long sums over a box, without the terms that hardly change there.

Where a term stays within m ± w over a box, it is m there, up to w. So a sum of a thousand dents, of which few are near
a box, is over the box a sum of these few and a number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import numpy

from geometry.arithmetic._forms import REDUCTIONS, Form, Record
from geometry.arithmetic.intervals import Interval, interval
from geometry.expressions._nodes import Node, constant, largest, places, take, total
from geometry.expressions._operations import TABLE, elementwise
from geometry.expressions.expression import Expression

__all__ = ["Thinned", "thinned"]

LONG = 64  # terms: shorter sums are left as they are
SAMPLE = 16  # boxes that show whether it is worth while
UP = 1 + 1e-9  # covers the rounding of sums of widths, by which terms are chosen


class Thinned(NamedTuple):
    """A function that is f over a box, up to `off`."""

    expression: Expression
    off: float


def thinned(expression: Expression, low: numpy.ndarray, high: numpy.ndarray, slack: float) -> list[Thinned]:
    """For each of the boxes between low and high, (m, d), a shorter function, for which `off` ≤ slack."""
    found = [Thinned(expression, 0.0)] * len(low)
    for long, times in Counter(_sums(expression.node)).items():
        share = slack / times
        every = max(1, len(low) // SAMPLE)
        sample = _terms(long, expression.d, low[::every], high[::every])
        if sample is None or numpy.median((~_still(sample, share)).mean(1)) > 0.5:
            continue
        terms = _terms(long, expression.d, low, high) if every > 1 else sample
        if terms is not None:
            still = _still(terms, share)
            found = [_without(f, long, times, terms[i], still[i]) for i, f in enumerate(found)]
            slack /= 2  # of which a term takes half, as it is in the middle of where it may be
    return found


def _sums(node: Node) -> Iterator[Node]:
    """The long sums of numbers that a function is a sum of, each as often as it occurs."""
    if node.operation in ("add", "subtract", "negative"):
        for argument in node.arguments:
            yield from _sums(argument)
    elif node.operation == "sum" and node.shape == () and node.arguments[0].size >= LONG:
        yield node


@numpy.errstate(all="ignore")
def _terms(long: Node, d: int, low: numpy.ndarray, high: numpy.ndarray) -> Interval | None:
    """Where the terms of a sum are over boxes, (m, n); None where some may not be defined, or are not known."""
    program, record, summed = Expression(long, d).program("node", exact=True), Record(), []
    assert program is not None

    def total_of(form: Form) -> Form:
        summed.append(form.center)
        return form.sum()

    operations = REDUCTIONS | {"sum": total_of}
    theta = Form(interval(low, high), None, record)  # without slopes: natural interval arithmetic
    program.run(theta, lambda name: operations.get(name) or TABLE[name].enclosure, theta.constant)
    shape = (len(low), long.arguments[0].size)
    known = bool(summed) and summed[-1].shape == shape and not record.partial  # the last sum is the one of all terms
    return summed[-1] if known else None


def _still(terms: Interval, slack: float) -> numpy.ndarray:
    """Which terms are left out: those of the least widths, (m, n), together no more than the slack."""
    width = numpy.nextafter(terms.hi - terms.lo, numpy.inf)
    order = numpy.argsort(width, axis=1)  # NaN, and so what is unknown, comes last
    few = numpy.cumsum(numpy.take_along_axis(width, order, 1), axis=1) * UP <= slack
    still = numpy.zeros(width.shape, dtype=bool)
    numpy.put_along_axis(still, order, few, axis=1)
    return still


def _without(f: Thinned, long: Node, times: int, terms: Interval, still: numpy.ndarray) -> Thinned:
    rest = terms[still].sum(0) if still.any() else interval(0.0)
    middle = float(rest.middle)
    kept = numpy.flatnonzero(~still)
    short = total(_rows(long.arguments[0], kept, {})) if kept.size else constant(0.0)
    node = _replaced(f.expression.node, long, elementwise("add", short, constant(middle)))
    return Thinned(Expression(node, f.expression.d), (f.off + times * float((rest - middle).mag)) * UP)


def _replaced(node: Node, old: Node, new: Node) -> Node:
    if node == old:
        return new
    if node.operation in ("add", "subtract", "negative"):
        return elementwise(node.operation, *(_replaced(argument, old, new) for argument in node.arguments))
    return node


def _rows(node: Node, kept: numpy.ndarray, known: dict[Node, Node]) -> Node:
    """The entries of a node at some places of its first axis, from those of its arguments."""
    if node not in known:
        known[node] = _rows_anew(node, kept, known)
    return known[node]


def _rows_anew(node: Node, kept: numpy.ndarray, known: dict[Node, Node]) -> Node:
    if node.operation == "constant":
        return constant(node.data[kept])
    if node.operation == "take":
        return take(node.arguments[0], node.data[kept])
    if node.operation in ("sum", "largest"):
        reduced = total if node.operation == "sum" else largest
        return reduced(_rows(node.arguments[0], kept, known))
    if node.operation in TABLE and all(argument.shape == node.shape for argument in node.arguments):
        return elementwise(node.operation, *(_rows(argument, kept, known) for argument in node.arguments))
    return take(node, places(node)[kept])
