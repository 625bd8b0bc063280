"""A ball on a grid: how far it reaches, and the height of its upper cap over every sample.

There is one table of heights. Every engine reads it, so that engines can be compared bit by bit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Real
from typing import Any, NamedTuple

import numpy

from geometry._autodiff import is_recorded
from geometry._namespace import array_namespace, is_array_api_obj, positive, to_numpy

__all__ = ["Apex", "Ball", "ball_on_grid"]


class Ball(NamedTuple):
    """A ball of radius ρ over a grid of spacing h; an ellipsoid is a ball on a grid of another spacing."""

    radius: float
    spacing: tuple[float, ...]

    def half_widths(self, shape: Sequence[int], periodic: bool = False) -> tuple[int, ...]:
        """How many samples the ball reaches from its centre along each axis, within an array of a shape.

        On a periodic array the nearest copy of a sample is the highest under the ball, and half a period is enough.
        """
        limits = [n // 2 if periodic else n - 1 for n in shape]
        return tuple(min(self._reach(step, limit), limit) for step, limit in zip(self.spacing, limits, strict=True))

    def _reach(self, step: float, limit: int) -> int:
        """The largest m with m·step ≤ ρ up to rounding: 0.3 / 0.1 is 2.9999999999999996, but means 3."""
        ratio = self.ratio(step)
        return limit if ratio >= limit else math.floor(ratio * (1 + 4 * EPSILON))

    def ratio(self, step: float) -> float:
        """How many steps the radius is."""
        return self.radius / step if step > 0 else math.inf

    def cap(self, half_widths: Sequence[int]) -> numpy.ndarray:
        """√(ρ² − |s|²) for s = (m₁h₁, …, mₙhₙ), 0 ≤ mₖ ≤ half_widths[k]; −inf outside of the ball.

        A sample on the rim counts as inside when rounding puts it outside. The scale is a power of two, so that nothing
        overflows and no digit changes.
        """
        table = self._table(half_widths)
        return numpy.where(table.inside, table.scale * numpy.sqrt(table.left), -numpy.inf)

    def _table(self, half_widths: Sequence[int]) -> _Table:
        scale = 2.0 ** (math.frexp(self.radius)[1] - 1)
        radius = self.radius / scale
        steps = [
            (numpy.arange(m + 1) * (h / scale if m else 0.0)) ** 2
            for m, h in zip(half_widths, self.spacing, strict=True)
        ]
        squares = steps[0]
        for step in steps[1:]:
            squares = squares[..., None] + step
        left = radius * radius - squares
        rim = (len(steps) + 3) * EPSILON * radius * radius
        return _Table(scale, radius, squares, numpy.maximum(left, 0.0), left >= -rim)


class Apex(Ball):
    """A ball that is known by the height of its apex, that of its centre less ρ."""

    def cap(self, half_widths: Sequence[int]) -> numpy.ndarray:
        """√(ρ² − |s|²) − ρ, with a small relative error: a large ball is flat, and the difference would be rounding."""
        table = self._table(half_widths)
        drop = table.squares / (table.radius + numpy.sqrt(table.left))
        return numpy.where(table.inside, -table.scale * drop, -numpy.inf)


class _Table(NamedTuple):
    """What a ball is over a grid, in units of `scale`."""

    scale: float
    radius: float
    squares: numpy.ndarray  # |s|²
    left: numpy.ndarray  # ρ² − |s|², at least zero
    inside: numpy.ndarray


EPSILON = float(numpy.finfo(float).eps)


def ball_on_grid(radius: Any, spacing: Any, ndim: int) -> Ball:
    """The ball of a radius, or the ellipsoid of n + 1 semi-axes, the last of them for the height."""
    axes = _numbers("radius", radius)
    steps = _numbers("spacing", spacing)
    if len(axes) not in (1, ndim + 1):
        raise ValueError(
            f"radius must be one number or {ndim + 1} semi-axes, the height's last, got {len(axes)} numbers"
        )
    if len(steps) not in (1, ndim):
        raise ValueError(f"spacing must be one number or one per axis ({ndim}), got {len(steps)} numbers")
    height = axes[-1]
    steps = steps * ndim if len(steps) == 1 else steps
    across = axes[:-1] or [height] * ndim
    return Ball(height, tuple(h if a == height else _scaled(h, height, a) for h, a in zip(steps, across, strict=True)))


def _scaled(step: float, height: float, across: float) -> float:
    """step · height / across, none of whose parts leaves the range of floats: 0 where a ball is as good as flat."""
    (h, a), (c, b), (w, e) = math.frexp(step), math.frexp(height), math.frexp(across)
    return math.ldexp(h * (c / w), min(a + b - e, 1022))


def _numbers(name: str, value: Any) -> list[float]:
    """One finite positive number, or a sequence of them."""
    if not isinstance(value, (Real, Sequence, numpy.ndarray)) and not is_array_api_obj(value):
        raise TypeError(f"{name} must be a number or a sequence of numbers, got {value!r}")
    if is_array_api_obj(value) and is_recorded(array_namespace(value), value):
        raise TypeError(
            f"{name} must be numbers, got what is differentiated or traced: a ball on a grid has no derivative by its "
            f"{name}; pass {name}.detach(), of JAX a number"
        )
    positive(name, value)
    array = to_numpy(value) if is_array_api_obj(value) else numpy.asarray(value)
    if array.ndim > 1 or array.size == 0:
        raise ValueError(f"{name} must be a number or a sequence of numbers, got shape {array.shape}")
    return [float(number) for number in array.reshape(-1)]
