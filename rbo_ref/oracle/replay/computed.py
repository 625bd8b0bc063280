"""The arithmetic of ports that evaluate a loss themselves, and round in every operation of its formula."""

from __future__ import annotations

from typing import Any

import numpy

from geometry.arithmetic.batched import errors_of_formulas
from geometry.arithmetic.rounded import Arithmetic, Rounded
from geometry.arithmetic.running import Rounding

__all__ = ["Computed"]


class Computed(Arithmetic):
    """Of losses that can be evaluated over running errors.

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
        if not numpy.isfinite(theta.radius).all():
            return value, gradient
        place, radius = (numbers.reshape(1, -1) for numbers in (theta.middle, theta.radius))
        box = radius + 2.0**-52 * numpy.abs(place)
        e_value, e_gradient = errors_of_formulas(loss, place, box, Rounding(self.target))
        return value.doubted(e_value[0]), gradient.doubted(e_gradient[0].reshape(gradient.shape))
