"""Dilation of a profile whose samples lie anywhere on a line: the specification, in functions of the array API."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy

from geometry._ball import EPSILON
from geometry._namespace import (
    Array,
    Namespace,
    array_namespace,
    count_dtype,
    device_of,
    floating,
    to_numpy,
    widest_float,
)

__all__ = ["ProfileBall", "positions", "profile_dilation"]


class ProfileBall(NamedTuple):
    """A ball of radius ρ over samples at increasing positions, known by its centre or its apex."""

    radius: float
    positions: numpy.ndarray  # (n,)
    apex: bool = False

    @property
    def scale(self) -> float:
        """A power of two, so that squares neither overflow nor vanish, and no digit changes."""
        return 2.0 ** (math.frexp(self.radius)[1] - 1)

    @property
    def rim(self) -> float:
        """How far beyond ρ a sample may be by the rounding of positions, in units of `scale`."""
        return 4 * EPSILON * (self.radius + float(abs(self.positions).max(initial=0.0))) / self.scale

    def weights(self, away: numpy.ndarray) -> numpy.ndarray:
        """√(ρ² − s²) for samples at distances s, less ρ of a ball that is known by its apex; −inf outside of it."""
        radius, away = self.radius / self.scale, abs(away) / self.scale
        squares = away * away
        root = numpy.sqrt(numpy.maximum(radius * radius - squares, 0.0))
        heights = -(squares / (radius + root)) if self.apex else root
        return numpy.where(away <= radius + self.rim, self.scale * heights, -numpy.inf)

    def windows(self) -> tuple[numpy.ndarray, numpy.ndarray]:
        """The first and the last sample under the ball at each position, (n,) each."""
        x, radius = self.positions / self.scale, self.radius / self.scale + self.rim
        reach = radius * (1 + 2 * EPSILON)
        first, last = numpy.searchsorted(x, x - reach), numpy.searchsorted(x, x + reach, "right") - 1
        return first, last


def positions(x: Any, count: int) -> numpy.ndarray:
    """Positions of `count` samples, in double precision on the CPU, if they are finite and increase; any for none."""
    found = numpy.asarray(to_numpy(floating("x", x)[1]), dtype=float)
    if found.ndim != 1 or (count and len(found) != count):
        raise ValueError(f"x must have the length of the axis that the ball spans, ({count},), got {found.shape}")
    if not numpy.isfinite(found).all() or not (numpy.diff(found) > 0).all():
        raise ValueError("x must be finite and increase from sample to sample")
    return found[:count]


def profile_dilation(heights: Array, ball: ProfileBall, *, contact: bool = False) -> tuple[Array, Array | None]:
    """Heights of the ball's centre over every sample, and the sample that touches.

    Parameters
    ----------
    heights : array (..., n)
        Finite or −inf, which means that there is no sample.
    ball : ProfileBall
        Of n positions.
    contact : bool
        Whether to return contacts.

    Returns
    -------
    values : array (..., n)
        In the dtype of `heights`; sums are formed in the device's widest floating dtype, and rounded once.
    contacts : array (..., n), or None
        The lowest flat index of the samples with the largest sum; −1 where there is no sample.
    """
    xp = array_namespace(heights)
    wide = xp.astype(heights, widest_float(xp, heights))
    values = xp.full(heights.shape, -numpy.inf, dtype=wide.dtype, device=device_of(heights))
    contacts = xp.full(heights.shape, -1, dtype=count_dtype(xp, heights), device=device_of(heights))
    starts = _starts(xp, contacts)
    places, (first, last) = numpy.arange(len(ball.positions)), ball.windows()
    for offset in range(int((first - places).min()), int((last - places).max()) + 1):
        samples = numpy.clip(places + offset, 0, len(places) - 1)
        weights = ball.weights(ball.positions[samples] - ball.positions)
        weights = numpy.where(samples == places + offset, weights, -numpy.inf)
        index = xp.asarray(samples, device=device_of(heights))
        sums = xp.take(wide, index, axis=-1) + xp.asarray(weights, dtype=wide.dtype, device=device_of(heights))
        contacts = xp.where(sums > values, starts + xp.astype(index, contacts.dtype), contacts)
        values = xp.maximum(values, sums)
    return xp.astype(values, heights.dtype), contacts if contact else None


def _starts(xp: Namespace, like: Array) -> Array:
    """The flat index of the first sample of each line, (..., 1)."""
    lines = math.prod(like.shape[:-1])
    numbers = xp.arange(lines, dtype=like.dtype, device=device_of(like)) * like.shape[-1]
    return xp.reshape(numbers, (*like.shape[:-1], 1))
