"""Whether derivatives that were written by hand are those of the values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy
from numpy.typing import NDArray

if TYPE_CHECKING:
    from geometry.expressions.expression import Expression

__all__ = ["slip"]

OWN = 2.0**-26
"""Of the size of the derivatives that are compared: room for the rounding of constants."""
OTHERS = 2.0**-40
"""Of the size of those of the other order, times that of θ: room for the rounding of what they are made of."""
NEARBY = 2.0**-48
"""Of the size of θ: within so much, a derivative may be that of any place, as at a kink."""


def slip(expression: Expression, given: Mapping[str, Callable[[Any], Any]], theta: NDArray[Any]) -> str:
    """In which entry a given derivative is not that of the values at places (n, d), in words; "" where it is.

    Parameters
    ----------
    expression : Expression
        The values, of which the derivatives are the truth.
    given : dict
        Functions of arrays under the names "gradient" and "hessian".
    theta : array (n, d) of float64
    """
    if not len(theta):
        return ""
    scale = 1 + numpy.abs(theta).max()
    away = NEARBY * scale * numpy.cos(numpy.arange(theta.shape[1]))  # off all diagonals
    places = [theta, theta + away, theta - away]
    truths = {
        what: numpy.stack([getattr(expression, what)(place) for place in places]) for what in ("gradient", "hessian")
    }
    sizes = {what: numpy.abs(truth[numpy.isfinite(truth)]).max(initial=0.0) for what, truth in truths.items()}
    for (what, truth), other in zip(truths.items(), ("hessian", "gradient"), strict=True):
        if what in given:
            slack = OWN * sizes[what] + OTHERS * scale * sizes[other]
            if told := _told(what, given[what], theta, truth, slack):
                return told
    return ""


def _told(what: str, function: Callable[[Any], Any], theta: NDArray[Any], truth: NDArray[Any], slack: float) -> str:
    with numpy.errstate(all="ignore"):
        try:
            found = numpy.broadcast_to(numpy.asarray(function(theta), dtype=float), truth.shape[1:])
        except Exception as error:
            return f"its {what} raised {type(error).__name__}: {error}"
        inside = (truth.min(0) - slack <= found) & (found <= truth.max(0) + slack)
    wrong = ~inside & numpy.isfinite(truth).all(0)
    if not wrong.any():
        return ""
    at = tuple(int(i) for i in numpy.argwhere(wrong)[0])
    return (
        f"{what}{list(at[1:])} is {found[at]:.9g} at theta = {theta[at[0]].tolist()}, "
        f"but the derivative of the value is {truth[0][at]:.9g}"
    )
