"""First and second derivatives of single operations, as programs of the argument and the value there."""

from __future__ import annotations

from functools import lru_cache

import numpy

from geometry.expressions._differentiation import directional
from geometry.expressions._nodes import Node, constant, join, take, theta
from geometry.expressions._operations import TABLE
from geometry.expressions._programs import Program

__all__ = ["rates"]


@lru_cache(maxsize=256)
def rates(name: str, *others: float) -> tuple[Program, Program]:
    """φ′ and φ″ of an operation by its first argument, in (x, φ(x)), from its slope rule; the others are numbers.

    Along the curve (x, φ(x)), the direction of which is (1, φ′), the slope rule has the derivative φ″.
    """
    both = theta(2)
    x, y = (take(both, numpy.asarray(i)) for i in range(2))
    rule = TABLE[name].slopes[0]
    assert rule is not None
    first: Node = rule(x, *map(constant, others), y)
    (second,) = directional([first], join([constant(1.0), first]))
    return Program([first], exact=True), Program([second], exact=True)
