"""Whether a recorded function is one to compile."""

from __future__ import annotations

from collections.abc import Callable

import numpy

from geometry._namespace import Array
from geometry.expressions.expression import Expression, trial_points

__all__ = ["unfit"]

LONGEST = 2000
"""Longer formulas take compilers minutes."""


def unfit(expression: Expression, **derivatives: Callable[[Array], Array] | None) -> str:
    """Why a recorded function is not what searches are compiled with, in words; "" where it is.

    It is too long, or a derivative that was given, a gradient or a Hessian, is not that of the values.
    """
    points = trial_points(expression.d, 8)
    for what, function in derivatives.items():
        if function is None:
            continue
        with numpy.errstate(all="ignore"):
            expected = getattr(expression, what)(points)
            try:
                found = numpy.broadcast_to(numpy.asarray(function(points), dtype=float), expected.shape)
            except Exception as error:
                return f"its {what} raised {type(error).__name__}: {error}"
        size = numpy.max(numpy.abs(expected), where=numpy.isfinite(expected), initial=0.0)
        wrong = ~((numpy.abs(found - expected) <= 1e-6 * size) | ~numpy.isfinite(expected))
        if wrong.any():
            entry = tuple(int(i) for i in numpy.argwhere(wrong)[0])
            return (
                f"its {what} at {points[entry[0]].tolist()} has {found[entry]} in entry {list(entry[1:])}, "
                f"where the values rise with {expected[entry]}"
            )
    count = len(expression.operations)
    return f"it takes {count} operations, and {LONGEST} at most are compiled" if count > LONGEST else ""
