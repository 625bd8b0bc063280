"""Which samples a rolling ball can touch, and which results the ends of the data have no part in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy

from geometry._ball import EPSILON
from geometry._kernels import kernel
from geometry._kernels.arcs import envelope, handover
from geometry._namespace import Array, device_of, is_dask, is_traced, parted, quietly, to_numpy, whole
from geometry._passes import Roll, either, refuse

__all__ = ["free_of_ends", "reachable_samples"]

NOISE = 8  # units of the last place that two ends of an interval may be apart by rounding
SIDES = {"above": 1.0, "below": -1.0}


@quietly
def reachable_samples(
    heights: Array,
    radius: Any,
    *,
    spacing: Any = 1.0,
    boundary: str = "none",
    nan: str = "raise",
    side: str = "above",
    axes: int | None = None,
    mask: Array | None = None,
    x: Array | None = None,
) -> Array:
    """Which samples of a profile a ball of radius ρ can touch, wherever its centre is.

    A ball is over the profile if its centre is at (c, h) with h ≥ f(xᵢ) + √(ρ² − (xᵢ − c)²) for all samples with
    |xᵢ − c| ≤ ρ: what is under a sample is solid. It touches the samples for which equality holds. Its centre may be
    over a sample, between two, or beyond the ends, unlike those of `closing`, whose contacts are fewer.

    Parameters
    ----------
    heights : array, N-D
        As in `dilate`; the ball spans one axis. A wall (+inf) cannot be touched, nor can what is missing.
    radius, spacing, boundary, nan, mask, x
        As in `dilate`.
    side : {"above", "below"}
        Whether the ball rolls over the profile or under it.
    axes : int, optional
        The axis that the ball spans; the others are a batch of profiles. Needed unless N = 1.

    Returns
    -------
    array of bool
        Same shape, namespace and device. Samples that a ball touches together with two others, up to rounding, count
        as touched. With ``nan="propagate"`` nothing is touched that a NaN could keep the ball from.

    Raises
    ------
    TypeError, ValueError
        For wrong arguments, for NaN with ``nan="raise"``, and for a ball that spans more than one axis.

    Notes
    -----
    Balls of one radius that rest on two samples each are ordered as the samples are, so that one look along the profile
    finds all intervals of centres: O(n).

    Examples
    --------
    The larger the ball, the less of a groove it touches:

    >>> import numpy as np
    >>> groove = np.array([0.0, 0.0, -0.6, -1.0, -0.6, 0.0, 0.0])
    >>> reachable_samples(groove, 0.75)
    array([ True,  True,  True,  True,  True,  True,  True])
    >>> reachable_samples(groove, 2.5)
    array([ True,  True,  True, False,  True,  True,  True])
    """
    if side not in SIDES:
        raise ValueError(f"side must be one of {tuple(SIDES)}, got {side!r}")
    heights, own = _in_memory(heights)
    options = {"spacing": spacing, "boundary": boundary, "nan": nan, "axes": axes, "mask": either(own, mask), "x": x}
    roll = Roll.of(heights, radius, **options)
    xp, count = roll.xp, roll.heights.shape[-1]
    places, ball_radius, around = roll.ball.line(count)
    f = numpy.pad(_profiles(roll, SIDES[side]), ((0, 0), (around, around)), mode="wrap")
    touched, noise = numpy.zeros(f.shape, dtype=bool), NOISE * EPSILON * (ball_radius + abs(places).max(initial=0.0))
    run = kernel("envelope", numpy) or partial(envelope, handover=handover)
    for line, found in zip(f, touched, strict=True):
        run(line, places, ball_radius, noise, found)
    inner = touched[:, around : around + count].reshape(roll.heights.shape)
    return roll.answer((xp.asarray(inner, device=device_of(roll.heights)), None))


def _in_memory(heights: Array) -> tuple[Array, Any]:
    """The heights, if they are known here and now, and their mask."""
    if is_dask(heights) or is_traced(heights):
        raise TypeError(
            "heights must hold numbers: of a dask array call heights.map_blocks, along axes that the ball does not "
            "span; within jax.jit they are not known"
        )
    return parted(heights)


def _profiles(roll: Roll, sign: float) -> numpy.ndarray:
    """Heights (lines, n): +inf what cannot be touched but keeps the ball away, −inf what is missing."""
    if roll.nan == "raise":
        refuse(roll.xp, roll.xp.isnan(roll.heights))
    lines = math.prod(roll.heights.shape[:-1])
    f = sign * numpy.asarray(to_numpy(roll.heights), dtype=float).reshape(lines, roll.heights.shape[-1])
    f[numpy.isnan(f)] = numpy.inf if roll.nan == "propagate" else -numpy.inf
    return f


@quietly
def free_of_ends(
    heights: Array,
    radius: Any,
    *,
    spacing: Any = 1.0,
    nan: str = "propagate",
    axes: int | Sequence[int] | None = None,
    mask: Array | None = None,
    x: Array | None = None,
    passes: int = 2,
) -> Array:
    """Which results of a rolling ball would be the same, whatever lies beyond the ends of the array and in its holes.

    Parameters
    ----------
    heights, radius, spacing, axes, mask, x
        As in `dilate`.
    nan : {"propagate", "omit"}
        Whether NaN and what is masked are holes, or are known to be nothing.
    passes : {1, 2}
        1 for `dilate` and `erode`, 2 for `opening` and `closing`.

    Returns
    -------
    array of bool
        Same shape, namespace and device.

    Examples
    --------
    >>> import numpy as np
    >>> free_of_ends(np.zeros(8), 1.5)
    array([False, False,  True,  True,  True,  True, False, False])
    """
    if nan not in ("propagate", "omit"):
        raise ValueError(f"nan must be 'propagate' or 'omit', got {nan!r}")
    passes = whole("passes", passes, 1)
    if passes > 2:
        raise ValueError(f"passes must be 1 or 2, got {passes}")
    heights, own = _in_memory(heights)
    options = {"spacing": spacing, "nan": nan, "axes": axes, "mask": either(own, mask), "x": x}
    roll = Roll.of(heights, radius, **options)
    xp, held = roll.xp, roll.heights
    free = xp.ones(held.shape, dtype=xp.bool, device=device_of(held))
    if nan == "propagate":
        free = ~roll.reached(xp.isnan(held), passes)
    lines = roll.ball.free(held.shape, passes)
    for axis, line in enumerate(lines, held.ndim - len(lines)):
        shape = tuple(n if k == axis else 1 for k, n in enumerate(held.shape))
        free = free & xp.reshape(xp.asarray(line, device=device_of(held)), shape)
    return roll.answer((free, None))
