"""Dilation of profiles with samples at uneven positions, for NumPy arrays.

For samples j < j' the difference of their heights under the ball, f[j'] + w(x[j'] − x) − f[j] − w(x[j] − x), grows with
the place x of the ball, because w is concave. So the best sample moves monotonically, and divide and conquer finds all.
Floats know w to SLACK only, and near the rim, where it is steep, not even that. Therefore a range holds every sample
that may be best up to the slack, and samples near the rim are looked at for every place: the results are those of all
pairs, to the bit.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy
from numba import njit

from geometry._kernels import arcs, caps
from geometry._kernels.compiling import compiled, linked, read_only
from geometry._kernels.shares import available_cores, shared

__all__ = ["envelope", "profile_dilation", "touched"]

TASK = 16384  # least number of samples in a task
STEEP = 2.0**-12  # ρ² − s² in units of ρ² below which a sample is near the rim
SLACK = 512 * 2.0**-52
"""Of max|f| + ρ. With w ≥ ρ/64, four heights are off by less than 100 ε ρ each, and by ε of the sum."""
INF = numpy.inf
inlined = njit


class ProfileBall(Protocol):
    """What is known of a ball: `geometry._profile.ProfileBall`."""

    radius: float
    positions: numpy.ndarray
    apex: bool

    @property
    def scale(self) -> float: ...

    @property
    def rim(self) -> float: ...

    def windows(self) -> tuple[numpy.ndarray, numpy.ndarray]: ...


def profile_dilation(
    heights: numpy.ndarray, ball: ProfileBall, *, contact: bool = False, workers: int | None = None
) -> tuple[numpy.ndarray, numpy.ndarray | None]:
    """As `geometry._profile.profile_dilation`, with a number of threads."""
    samples = read_only(numpy.ascontiguousarray(heights, dtype=float).reshape(-1, heights.shape[-1]))
    values, contacts = numpy.empty(samples.shape), numpy.empty(samples.shape, numpy.int64)
    count, scale = heights.shape[-1], ball.scale
    x, radius = ball.positions / scale, ball.radius / scale
    inner = radius * (1 - STEEP) ** 0.5
    under = Under(x, radius, ball.rim, scale, ball.apex, numpy.stack(ball.windows()), numpy.stack(_windows(x, inner)))
    workers, parts = workers or available_cores(), -(-count // TASK)

    def task(first: int, stop: int) -> None:
        for number in range(first, stop):
            row, part = divmod(number, parts)
            first_place, stop_place = part * TASK, min((part + 1) * TASK, count)
            profile(samples[row], under, first_place, stop_place, values[row], contacts[row])

    shared(task, len(samples) * parts, workers)
    rounded = values.astype(heights.dtype, copy=False).reshape(heights.shape)
    if not contact:
        return rounded, None
    starts = numpy.arange(len(samples))[:, None] * count
    return rounded, numpy.where(contacts < 0, contacts, contacts + starts).reshape(heights.shape)


def _windows(x: numpy.ndarray, reach: float) -> tuple[numpy.ndarray, numpy.ndarray]:
    """The first and the last sample within reach of each position."""
    return numpy.searchsorted(x, x - reach), numpy.searchsorted(x, x + reach, "right") - 1


class Under(NamedTuple):
    """A ball over positions, in units of `scale`."""

    x: Any  # (n,)
    radius: float
    rim: float
    scale: float
    apex: bool
    windows: Any  # (2, n): the first and the last sample under the ball at each position
    gentle: Any  # (2, n): those of them that are not near the rim


@inlined
def height(f, ball, i, j):
    """f[j] + w with the ball at place i: as `ProfileBall.weights`."""
    away = abs(ball.x[j] - ball.x[i])
    square = away * away
    root = numpy.sqrt(max(ball.radius * ball.radius - square, 0.0))
    weight = -(square / (ball.radius + root)) if ball.apex else root
    return f[j] + ball.scale * weight if away <= ball.radius + ball.rim else -INF


@inlined
def highest(f, ball, i, first, last, best, where):
    """The largest of `best` and the heights of samples first, ..., last, and the lowest sample that has it."""
    for j in range(first, last + 1):
        value = height(f, ball, i, j)
        if value > best or (value == best and value > -INF and j < where):
            best, where = value, j
    return best, where


@inlined
def rest(f, ball, i, begin, end, slack):
    """Value and contact at place i, and the range of samples that may be best up to the slack, all in begin..end."""
    best, where = highest(f, ball, i, begin, end, -INF, -1)
    low, high = ball.gentle[0, i], ball.gentle[1, i]
    if where >= 0:
        low, high = begin, end
        while height(f, ball, i, low) < best - slack:
            low += 1
        while height(f, ball, i, high) < best - slack:
            high -= 1
    best, where = highest(f, ball, i, ball.windows[0, i], ball.gentle[0, i] - 1, best, where)
    best, where = highest(f, ball, i, ball.gentle[1, i] + 1, ball.windows[1, i], best, where)
    return best, where, low, high


@compiled()
def profile(f, ball, first, stop, values, contacts):
    """Values and contacts at places first, ..., stop − 1."""
    count, largest = stop - first, 0.0
    for j in range(ball.windows[0, first], ball.windows[1, stop - 1] + 1):
        if f[j] > -INF:
            largest = max(largest, abs(f[j]))
    slack = SLACK * (largest + ball.radius * ball.scale)
    low, high = numpy.empty(count, numpy.int64), numpy.empty(count, numpy.int64)
    stride = 1
    while stride < count:
        stride *= 2
    start = 0  # then stride, 3·stride, 5·stride, ..., between places whose ranges are known
    while stride > 0:
        for k in range(start, count, 2 * stride):
            i = first + k
            begin, end = ball.gentle[0, i], ball.gentle[1, i]
            if k >= stride:
                begin = max(begin, low[k - stride])
            if k > 0 and k + stride < count:
                end = min(end, high[k + stride])
            values[i], contacts[i], low[k], high[k] = rest(f, ball, i, begin, end, slack)
        stride //= 2
        start = stride


envelope = linked(arcs.handover, arcs.envelope)
_touched = linked(caps.height, caps.shared_sides, caps.clip, caps.cut, caps.carries, caps.touched)


def touched(f: numpy.ndarray, offsets: numpy.ndarray, steps: numpy.ndarray, found: numpy.ndarray) -> None:
    """As `caps.touched`, of all rows."""
    shared(lambda first, stop: _touched(f, offsets, steps, found, first, stop), len(f), available_cores())
