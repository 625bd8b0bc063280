"""The arithmetic of ports that evaluate a loss themselves, and round in every operation of its formula."""

from __future__ import annotations

from typing import Any

import numpy

from geometry.arithmetic.rounded import Arithmetic, Rounded
from rbo_ref.oracle.replay.running import formula_error

__all__ = ["Computed"]


class Computed(Arithmetic):
    """Of losses that have a graph, a function of arrays.

    Examples
    --------
    >>> from rbo_ref.oracle.cases import select
    >>> from geometry.arithmetic.formats import format_of
    >>> (case,) = select("rolling-ball", "plane")
    >>> served, computed = (kind(format_of("float64")) for kind in (Arithmetic, Computed))
    >>> values = [a.evaluate(case.loss, a.exact(case.theta))[0] for a in (served, computed)]
    >>> values[0].middle == values[1].middle, values[0].radius < values[1].radius
    (np.True_, np.True_)
    """

    def evaluate(self, loss: Any, theta: Rounded) -> tuple[Rounded, Rounded]:
        value, gradient = super().evaluate(loss, theta)
        if numpy.isfinite(theta.radius).all():
            place, radius = (numbers.reshape(1, -1) for numbers in (theta.middle, theta.radius))
            e_value, e_gradient = formula_error(loss.graph, place, radius, self.target)
            value.rest = value.rest + e_value[0]
            gradient.rest = gradient.rest + e_gradient[0].reshape(gradient.shape)
        return value, gradient
