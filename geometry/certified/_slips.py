"""Whether hand-written derivatives are those of the values. Proofs do not rest on them; users should know all the same.

At points, the derivatives of the values are enclosed by differentiation, and the hand-written formulas are enclosed as
well, or are taken as floats where they do not run on intervals. What remains open is the rounding of constants.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from geometry.certified._cells import evaluated, regular
from geometry.certified._forms import Form
from geometry.certified._intervals import Interval, interval, midpoint
from geometry.certified._jets import differentiated
from geometry.graph import FunctionGraph

__all__ = ["check_derivatives", "check_near", "check_within"]

POINTS = 8  # of the queries, and as many around them; of a box
OWN = 2.0**-26  # of the size of the derivatives that are compared
OTHERS = 2.0**-40  # of the size of those of the other order, times that of θ


def check_near(surface: FunctionGraph, theta: numpy.ndarray, radius: numpy.ndarray, arithmetic: str | None) -> None:
    """Raise if hand-written derivatives are wrong at some of the points θ (n, d), or around them, within the radii."""
    if surface.given == {"value"}:
        return
    some = numpy.flatnonzero(numpy.isfinite(theta).all(1) & numpy.isfinite(radius))
    some = some[:: max(1, len(some) // POINTS)][:POINTS]
    reach = radius[some, None] / numpy.sqrt(theta.shape[1])
    around = theta[some] + (2 * _spread(len(some), theta.shape[1]) - 1) * reach
    check_derivatives(surface, numpy.concatenate([theta[some], around]), arithmetic)


def check_within(surface: FunctionGraph, low: numpy.ndarray, high: numpy.ndarray, arithmetic: str | None) -> None:
    """Raise if hand-written derivatives are wrong at some points of a box."""
    if surface.given != {"value"}:
        check_derivatives(surface, low + _spread(POINTS, len(low)) * (high - low), arithmetic)


def _spread(count: int, d: int) -> numpy.ndarray:
    """Points all over the unit cube, (count, d)."""
    steps: numpy.ndarray = numpy.outer(numpy.arange(1, count + 1), numpy.log(numpy.arange(2, d + 2)))
    return numpy.modf(steps)[0]


def check_derivatives(surface: Any, theta: numpy.ndarray, arithmetic: str | None = None) -> None:
    """Raise if the gradient or the Hessian that a surface was given differs from that of its values at points (n, d).

    Raises
    ------
    ValueError
        Names the entry. Points where the values are not known to be smooth have no say.
    TypeError
        If the values do not run on intervals.
    """

    def truths(form: Form) -> tuple[Form, ...]:
        return differentiated(surface.value, form)

    if not len(theta):
        return
    found, record = evaluated(truths, surface.name, theta, None, arithmetic)
    if record.irregular:
        theta = theta[regular(truths, surface.name, theta, numpy.zeros_like(theta), arithmetic)]
        if not len(theta):
            return
        found, _ = evaluated(truths, surface.name, theta, None, arithmetic)
    _, gradient, hessian = (form.center for form in found)
    size = 1 + numpy.abs(theta).max()
    first, second = (numpy.nan_to_num(x.mag, posinf=0.0).max(initial=0.0) for x in (gradient, hessian))
    if "gradient" in surface.given:
        _compare(surface, "gradient", gradient, theta, OWN * first + OTHERS * size * second, arithmetic)
    if surface.given & {"hessian", "hessian_vector"}:
        _compare(surface, "hessian", hessian, theta, OWN * second + OTHERS * size * first, arithmetic)


def _compare(
    surface: Any, what: str, truth: Interval, theta: numpy.ndarray, slack: float, arithmetic: str | None
) -> None:
    found = _enclosed(getattr(surface, what), surface.name, theta, arithmetic)
    with numpy.errstate(invalid="ignore"):
        apart = (found.lo - slack > truth.hi) | (found.hi + slack < truth.lo)
    if apart.any():
        place, *entry = (int(i) for i in numpy.argwhere(apart)[0])
        at = (place, *entry)
        raise ValueError(
            f"{surface.name}: {what}{entry} is {midpoint(found)[at]:.9g} at theta = {theta[place].tolist()}, "
            f"but the derivative of the value is {midpoint(truth)[at]:.9g}"
        )


def _enclosed(function: Callable[[Any], Any], name: str, theta: numpy.ndarray, arithmetic: str | None) -> Interval:
    try:
        return evaluated(function, name, theta, None, arithmetic)[0].center
    except TypeError:
        with numpy.errstate(all="ignore"):
            return interval(numpy.asarray(function(theta), dtype=float), arithmetic=arithmetic)
