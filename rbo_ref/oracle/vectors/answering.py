"""How a vector's questions about the loss are answered, and what rounding that adds to the tolerance.

A port that evaluates the loss itself rounds in every operation of the formula; `Evaluated` bounds that, for sums in any
order and elementary functions that are off by a few units in the last place. A port that is given a script is answered
its k-th question with the k-th evaluation, wherever it asks; `Scripted` writes the script, along the true run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
from numpy.typing import NDArray

from geometry.arithmetic import ball_arrays as balls
from geometry.arithmetic.formats import Format, nearest, rounding
from geometry.arithmetic.rounded import Arithmetic, Rounded
from rbo_ref.oracle.losses import PROFILES, Bumps, Loss, Quadratic, Ridges, correctly_rounded

__all__ = ["Evaluated", "Scripted", "evaluation_error"]

Floats = NDArray[numpy.float64]
FUNCTION = 4  # roundings in an elementary function; each counts for two units roundoff


class Evaluated(Arithmetic):
    """The loss is evaluated by its formula, in the format."""

    def evaluate(self, loss: Loss, theta: Rounded) -> tuple[Rounded, Rounded]:
        from flint import arb

        value, gradient = super().evaluate(loss, theta)
        if not numpy.isfinite(theta.radius).all():
            return value, gradient
        ends = zip(theta.value.reshape(-1), theta.radius.reshape(-1), strict=True)
        e_value, e_gradient = evaluation_error(loss, [t + arb(0, float(r)) for t, r in ends], self.target)
        return value.doubted(e_value), gradient.doubted(e_gradient.reshape(gradient.shape))


class Scripted(Arithmetic):
    """The loss is answered from a script, which is written on the way: places, values, gradients."""

    def __init__(self, target: Format) -> None:
        super().__init__(target)
        self.script: list[tuple[NDArray[Any], Any, NDArray[Any]]] = []

    def evaluate(self, loss: Loss, theta: Rounded) -> tuple[Rounded, Rounded]:
        self.evaluations += 1
        theta.anchor()  # its errors come back by several ways
        flat = [nearest(ball.mid(), self.target) for ball in theta.value.reshape(-1)]
        value, slopes = correctly_rounded(loss, tuple(flat), self.target)
        place, gradient = (numpy.array(a, dtype=self.target.dtype).reshape(theta.shape) for a in (flat, slopes))
        self.script.append((place, value, gradient))
        return self.exact(value), self.exact(gradient)


# --- the error of evaluating a formula ------------------------------------------------------------------------------


def evaluation_error(loss: Loss, box: list[Any], target: Format) -> tuple[float, Floats]:
    """Bounds of the errors of f and ∇f, evaluated in the format by the formulas of the terms anywhere in a box.

    Sums of n terms, in any order, are off by at most n roundings of the sum of the absolute values.
    """
    parts = [_ERRORS[type(term)](term, box, target) for term in loss.terms]
    sizes, values, slopes, gradients = (sum(part[i] for part in parts) for i in range(4))
    more = len(parts) - 1
    return float(values + more * rounding(sizes, target)), gradients + more * rounding(slopes, target)


Parts = tuple[Any, Any, Any, Any]  # size of the value, its error; sizes of the gradient, their errors


def _quadratic(term: Quadratic, box: list[Any], target: Format) -> Parts:
    theta, d = _size(box), len(box)
    curved = numpy.abs(term.matrix) @ theta
    value = curved @ theta / 2 + numpy.abs(term.slope) @ theta + abs(term.height)
    gradient = curved + numpy.abs(term.slope)
    return value, (2 * d + 3) * rounding(value, target), gradient, (d + 1) * rounding(gradient, target)


def _ridges(term: Ridges, box: list[Any], target: Format) -> Parts:
    weights, amplitudes = numpy.abs(term.weights), numpy.abs(term.amplitudes)
    e_u = (len(box) + 1) * rounding(weights @ _size(box) + numpy.abs(term.shifts), target)
    height, slope, bend = _jets(term, box, e_u)
    whole = 1 + height if term.profile == "softplus" else height  # log(1 + exp(u)) rounds 1 + exp(u)
    e_height = slope * e_u + FUNCTION * rounding(whole, target)
    e_slope = bend * e_u + 2 * FUNCTION * rounding(slope, target)
    count, value, gradient = len(amplitudes), amplitudes @ height, (amplitudes * slope) @ weights
    e_value = amplitudes @ e_height + (count + 1) * rounding(value, target)
    e_gradient = (amplitudes * e_slope) @ weights + (count + 2) * rounding(gradient, target)
    return value, e_value, gradient, e_gradient


def _jets(term: Ridges, box: list[Any], e_u: Floats) -> tuple[Floats, Floats, Floats]:
    """The largest sizes of φ, φ' and φ'' where a port may evaluate them."""
    from flint import arb

    places = zip(term.weights.tolist(), term.shifts.tolist(), e_u.tolist(), strict=True)
    u = [sum((w * t for w, t in zip(row, box, strict=True)), arb(shift, error)) for row, shift, error in places]
    height, slope, bend = PROFILES[term.profile](balls.vector(u), balls)
    return _size(height), _size(slope), _size(bend)


def _bumps(term: Bumps, box: list[Any], target: Format) -> Parts:
    away = numpy.array([_size([t - m for t, m in zip(box, center, strict=True)]) for center in term.centers.tolist()])
    exponent, bump = _exponents(term, box)
    error = (len(box) + 4) * rounding(exponent, target)
    with numpy.errstate(over="ignore"):
        e_bump = bump * numpy.expm1(error) + (FUNCTION + 1) * rounding(bump, target)
    scale, count = 2 / term.square_width, len(bump)
    value, gradient = bump.sum(), scale * (bump @ away)
    e_value = e_bump.sum() + count * rounding(value, target)
    return value, e_value, gradient, scale * (e_bump @ away) + (count + 4) * rounding(gradient, target)


def _exponents(term: Bumps, box: list[Any]) -> tuple[Floats, Floats]:
    """The largest sizes of |θ − m|²/s and of the bumps."""
    squares = [
        sum((t - m) ** 2 for t, m in zip(box, center, strict=True)) / term.square_width
        for center in term.centers.tolist()
    ]
    return _size(squares), abs(term.amplitude) * _size([(-square).exp() for square in squares])


def _size(balls: Any) -> Floats:
    """The largest absolute values in balls."""
    return numpy.array([float(abs(ball).upper()) for ball in balls])


_ERRORS: dict[type[Any], Callable[..., Parts]] = {Quadratic: _quadratic, Ridges: _ridges, Bumps: _bumps}
