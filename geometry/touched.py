"""Which samples a rolling ball can touch, and which results the ends of the data have no part in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy

from geometry._namespace import Array, device_of, is_dask, is_traced, parted, quietly, to_numpy, whole
from geometry._passes import Roll, either, refuse

__all__ = ["free_of_ends", "reachable_samples"]

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
    axes: int | Sequence[int] | None = None,
    mask: Array | None = None,
    x: Array | None = None,
) -> Array:
    """Which samples of a profile or an image a ball of radius ρ can touch, wherever its centre is.

    A ball is over the samples if its centre is at (c, h) with h ≥ f(xᵢ) + √(ρ² − |xᵢ − c|²) for all samples with
    |xᵢ − c| ≤ ρ: what is under a sample is solid. It touches the samples for which equality holds. Its centre may be
    over a sample, between some, or beyond the ends, unlike those of `closing`, whose contacts are fewer.

    Parameters
    ----------
    heights : array, N-D
        As in `dilate`; the ball spans one axis or two. A wall (+inf) cannot be touched, nor can what is missing.
    radius, spacing, boundary, nan, mask, x
        As in `dilate`.
    side : {"above", "below"}
        Whether the ball rolls over the profile or under it.
    axes : int or sequence of int, optional
        The axis or the two axes that the ball spans; the others are a batch. Needed for N > 2.

    Returns
    -------
    array of bool
        Same shape, namespace and device. What a ball touches together with others only up to rounding counts as
        touched: a part of 10⁻⁹ of the radius in an image. With ``nan="propagate"`` nothing is touched that a NaN could
        keep the ball from.

    Raises
    ------
    TypeError, ValueError
        For wrong arguments, for NaN with ``nan="raise"``, and for a ball that spans more than two axes.

    Notes
    -----
    Along a line, balls of one radius that rest on two samples each are ordered as the samples are, so that one look
    finds all intervals of centres: O(n). In a plane inversion about a sample makes half-spaces of the samples around
    it, which are cut from a polyhedron until no corner is far enough away, or all samples within 2ρ were looked at:
    some 0.1 ms a sample for ρ of 5 to 20 samples. A contact of `dilate` is known to be touched and costs nothing.

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
    options = {"spacing": spacing, "boundary": boundary, "nan": nan, "axes": axes, "x": x}
    roll = _rolling(heights, radius, mask, options)
    held = roll.heights
    f = SIDES[side] * numpy.asarray(to_numpy(held), dtype=float)
    if roll.nan == "raise":
        refuse(roll.xp, roll.xp.isnan(held))
    f[numpy.isnan(f)] = numpy.inf if roll.nan == "propagate" else -numpy.inf
    first = f.ndim - roll.ball.spans
    items = f.reshape(math.prod(f.shape[:first]), *f.shape[first:])
    touched = roll.ball.touched(items).reshape(f.shape)
    return roll.answer((roll.xp.asarray(touched, device=device_of(held)), None))


def _rolling(heights: Array, radius: Any, mask: Any, options: dict[str, Any]) -> Roll:
    """The ball over heights, if these are known here and now."""
    if is_dask(heights) or is_traced(heights):
        raise TypeError(
            "heights must hold numbers: of a dask array call heights.map_blocks, along axes that the ball does not "
            "span; within jax.jit they are not known"
        )
    heights, own = parted(heights)
    return Roll.of(heights, radius, mask=either(own, mask), **options)


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
    roll = _rolling(heights, radius, mask, {"spacing": spacing, "nan": nan, "axes": axes, "x": x})
    xp, held = roll.xp, roll.heights
    free = xp.ones(held.shape, dtype=xp.bool, device=device_of(held))
    if nan == "propagate":
        free = ~roll.reached(xp.isnan(held), passes)
    lines = roll.ball.free(held.shape, passes)
    for axis, line in enumerate(lines, held.ndim - len(lines)):
        shape = tuple(n if k == axis else 1 for k, n in enumerate(held.shape))
        free = free & xp.reshape(xp.asarray(line, device=device_of(held)), shape)
    return roll.answer((free, None))
