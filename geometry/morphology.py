"""Rolling a ball over a sampled function: dilation, erosion, opening and closing by a ball, in any dimension.

Dilation raises every height to the centre of the ball that rests on the samples above θ: it is the offset function

    f_ρ(θ) = max over |s| ≤ ρ of f(θ + s) + √(ρ² − |s|²)

on a grid. The same operation is the tip dilation of atomic force microscopy, the morphological filter of surface
metrology (ISO 16610-41, -85) and, upside down, the rolling-ball background of microscopy.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from geometry._ball import Apex, Ball, ball_on_grid
from geometry._chunked import lazy
from geometry._dilation import dilation, extend
from geometry._kernels import kernel
from geometry._lending import lend
from geometry._namespace import (
    Array,
    Namespace,
    array_namespace,
    count_dtype,
    device_of,
    floating,
    holds,
    is_traced,
    quietly,
    whole,
    widest_float,
)

__all__ = ["closing", "dilate", "erode", "opening"]

BOUNDARIES = ("none", "periodic")
NAN = ("raise", "omit", "propagate")


@lazy(passes=1)
def dilate(
    heights: Array,
    radius: Any,
    *,
    spacing: Any = 1.0,
    boundary: str = "none",
    nan: str = "raise",
    return_contact: bool = False,
    out: Array | None = None,
    workers: int | None = None,
) -> Any:
    """Height of the centre of the ball that rests on a sampled function: the offset function f_ρ on a grid.

    Parameters
    ----------
    heights : array, n-D
        Samples of a function on a regular grid; n ≥ 1. An infinite height is a wall (+inf) or a missing sample (−inf).
        What is masked in an array of `numpy.ma`, or in one of dask of such arrays, counts as NaN; results are plain.
    radius : float or sequence of float
        ρ > 0, in the unit of `heights` and `spacing`. A sequence of n + 1 numbers gives the semi-axes of an ellipsoid,
        the height's last.
    spacing : float or sequence of float
        Distance of neighbouring samples: one number, or one per axis.
    boundary : {"none", "periodic"}
        Outside of the array there is nothing, or the array again.
    nan : {"raise", "omit", "propagate"}
        NaN is refused, or left out like a missing sample, or makes every result NaN whose ball reaches it. With "omit"
        a result is NaN where the ball reaches no sample but NaN. Under ``jax.jit`` and ``jax.vmap``, where nothing can
        be raised, "raise" is "propagate"; within ``torch.func.vmap`` a NaN in any item is refused.
    return_contact : bool
        Whether to return the contacts as well.
    out : array, optional
        Where to write the heights: the shape of `heights`, and the dtype of the result.
    workers : int, optional
        Number of threads; default: all cores. Used for arrays in the memory of the CPU.

    Returns
    -------
    heights : array
        Same shape, namespace, device and floating dtype; integers become the default floating dtype.
    contact : array of int
        With ``return_contact``: the flat index of the sample that the ball touches. Of several with the same rounded
        height of the centre it is the lowest index; of several walls, or NaN that propagate, the nearest. −1 where
        there is no sample.

    Raises
    ------
    TypeError, ValueError
        For wrong arguments, and for NaN with ``nan="raise"``.

    Notes
    -----
    The result is exact on the grid: the same bits as the maximum over all samples of height + √(ρ² − |s|²), in double
    precision (where the device has it), rounded once to the dtype of the result. It never exceeds the offset function
    of the sampled function, and for a smooth one falls short of it by O(h²).

    The cost hardly depends on the radius. In one dimension the contacts move monotonically, which a divide and conquer
    exploits: O(n log ρ/h). In more dimensions blocks of samples are skipped that cannot touch: because they are too
    low, or because each of their samples is beaten by its neighbour.

    References
    ----------
    S. R. Sternberg, "Grayscale morphology", Computer Vision, Graphics, and Image Processing 35 (1986), 333–355.
    A. Aggarwal, M. Klawe, S. Moran, P. Shor, R. Wilber, "Geometric applications of a matrix-searching algorithm",
    Algorithmica 2 (1987), 195–208: totally monotone matrices.

    Examples
    --------
    >>> import numpy as np
    >>> dilate(np.zeros(5), 2.0)
    array([2., 2., 2., 2., 2.])
    >>> heights, contact = dilate([0.0, 0.0, 9.0, 0.0], 2.5, spacing=0.5, return_contact=True)
    >>> heights.round(3)
    array([11.291, 11.449, 11.5  , 11.449])
    >>> contact
    array([2, 2, 2, 2])
    """
    roll = _prepare(heights, radius, spacing, boundary, nan, workers)
    return roll.answer(roll.over(roll.heights, return_contact), out)


@lazy(passes=1)
def erode(
    heights: Array,
    radius: Any,
    *,
    spacing: Any = 1.0,
    boundary: str = "none",
    nan: str = "raise",
    return_contact: bool = False,
    out: Array | None = None,
    workers: int | None = None,
) -> Any:
    """Height of the centre of the ball that hangs under a sampled function: erosion, −dilate(−heights).

    Parameters and results are those of `dilate`, upside down: here +inf is a missing sample and −inf a wall.

    Examples
    --------
    >>> import numpy as np
    >>> erode(np.array([5.0, 5.0, 0.0, 5.0]), 1.0)
    array([ 4., 0., -1., 0.])
    """
    roll = _prepare(heights, radius, spacing, boundary, nan, workers)
    return roll.answer(roll.under(roll.heights, return_contact), out)


@lazy(passes=2)
def opening(
    heights: Array,
    radius: Any,
    *,
    spacing: Any = 1.0,
    boundary: str = "none",
    nan: str = "raise",
    return_contact: bool = False,
    out: Array | None = None,
    workers: int | None = None,
) -> Any:
    """What a ball that rolls under a sampled function can reach: erosion, then dilation.

    The upper envelope of all balls below the function; it cuts off peaks that are narrower than the ball. Parameters
    and results are those of `dilate`; the contact is the sample that stops the ball which shapes the envelope, and the
    sample itself where a ball touches it. It is −closing(−heights): nowhere above `heights`, and rounded once.

    Examples
    --------
    >>> import numpy as np
    >>> opening(np.array([1.0, 1.0, 9.0, 1.0, 1.0]), 10.0).round(2)
    array([1. , 1. , 1.05, 1. , 1. ])
    """
    roll = _prepare(heights, radius, spacing, boundary, nan, workers)
    return roll.answer(roll.opened(roll.heights, return_contact), out)


@lazy(passes=2)
def closing(
    heights: Array,
    radius: Any,
    *,
    spacing: Any = 1.0,
    boundary: str = "none",
    nan: str = "raise",
    return_contact: bool = False,
    out: Array | None = None,
    workers: int | None = None,
) -> Any:
    """What a ball that rolls over a sampled function can reach: dilation, then erosion.

    The lower envelope of all balls above the function; it bridges valleys that are narrower than the ball. Parameters
    and results are those of `dilate`; the contact is the sample that carries the ball which shapes the envelope, and
    the sample itself where a ball touches it.

    The result is nowhere below `heights`. It is rounded once, to their dtype, and its error does not grow with ρ.

    Notes
    -----
    The balls are those with their centres over samples. The samples that one of them touches are those whose contact
    they are themselves::

        contact = closing(heights, radius, return_contact=True)[1]
        touched = contact == numpy.arange(heights.size).reshape(heights.shape)

    where of several balls that pass a sample within rounding the first decides. Comparing the closing with the heights
    tells less, since either may be rounded. Neither tells which part of a surface the ball can reach, however fine the
    grid: in a valley there are fewer balls than samples. For that, pass a surface through the samples to
    `geometry.reachable`.

    Examples
    --------
    >>> import numpy as np
    >>> closing(np.array([1.0, 1.0, -9.0, 1.0, 1.0]), 10.0).round(2)
    array([1. , 1. , 0.95, 1. , 1. ])
    """
    roll = _prepare(heights, radius, spacing, boundary, nan, workers)
    return roll.answer(roll.closed(roll.heights, return_contact), out)


def _prepare(heights: Array, radius: Any, spacing: Any, boundary: str, nan: str, workers: int | None) -> _Roll:
    """The arguments, checked."""
    if boundary not in BOUNDARIES:
        raise ValueError(f"boundary must be one of {BOUNDARIES}, got {boundary!r}")
    if nan not in NAN:
        raise ValueError(f"nan must be one of {NAN}, got {nan!r}")
    workers = None if workers is None else whole("workers", workers, 1)
    _, heights = floating("heights", heights)
    if heights.ndim == 0:
        raise ValueError("heights must have at least one dimension")
    ball = ball_on_grid(radius, spacing, heights.ndim)
    (heights,), back = lend(heights)
    return _Roll(array_namespace(heights), heights, ball, boundary, nan, workers, back)


@dataclass(frozen=True)
class _Roll:
    """One ball over and under arrays of one namespace."""

    xp: Namespace
    heights: Array
    ball: Ball
    boundary: str
    nan: str
    workers: int | None
    back: Callable[[Array], Array]  # to the caller's library

    @quietly
    def over(self, heights: Array, contact: bool) -> tuple[Array, Array | None]:
        """Dilation."""
        xp = self.xp
        if 0 in heights.shape:
            nothing = xp.zeros(heights.shape, dtype=count_dtype(xp, heights), device=device_of(heights))
            return heights, nothing if contact else None
        if is_traced(heights) and not contact and self.nan != "omit":
            return self._dilation(heights, contact)  # all it takes is a sum and a maximum, which keep +inf and NaN
        if not is_traced(heights) and not holds(~(xp.max(heights) < xp.inf)):
            return self._dilation(heights, contact)
        wall, missing = heights == xp.inf, xp.isnan(heights)
        self._refuse(missing)
        values, contacts = self._dilation(xp.where(wall | missing, -xp.inf, heights), contact)
        values, contacts = self._spread(wall, xp.inf, values, contacts)
        if self.nan == "omit":
            empty = self._dilation(xp.where(missing, -xp.inf, xp.zeros_like(values)), False)[0] == -xp.inf
            return xp.where(empty, xp.nan, values), contacts
        return self._spread(missing, xp.nan, values, contacts)

    def under(self, heights: Array, contact: bool) -> tuple[Array, Array | None]:
        """Erosion."""
        values, contacts = self.over(-heights, contact)
        return 0.0 - values, contacts  # unlike −values, without −0.0

    @quietly
    def closed(self, heights: Array, contact: bool) -> tuple[Array, Array | None]:
        """Closing. Between the passes the ball is known by its apex, in the widest float: ρ may be large."""
        xp, apex = self.xp, replace(self, ball=Apex(*self.ball))
        wide = xp.astype(heights, widest_float(xp, heights))
        apexes, carriers = apex.over(wide, contact)
        values, ball = apex.under(apexes, contact)
        low = values <= wide  # by rounding alone
        envelope = xp.astype(xp.where(low, wide, values) + 0.0, heights.dtype)
        if carriers is None or ball is None:
            return envelope, None
        carrier = xp.take(xp.reshape(carriers, (-1,)), xp.reshape(xp.where(ball < 0, 0, ball), (-1,)), axis=0)
        carrier = xp.where(ball < 0, ball, xp.reshape(carrier, ball.shape))
        own = xp.reshape(
            xp.arange(math.prod(carrier.shape), dtype=carrier.dtype, device=device_of(carrier)), carrier.shape
        )
        return envelope, xp.where(low & (carrier >= 0), own, carrier)

    def opened(self, heights: Array, contact: bool) -> tuple[Array, Array | None]:
        """Opening."""
        values, contacts = self.closed(-heights, contact)
        return 0.0 - values, contacts

    def _refuse(self, missing: Array) -> None:
        if self.nan == "raise" and not is_traced(missing) and holds(self.xp.any(missing)):
            try:
                count: Any = int(self.xp.count_nonzero(missing))
            except RuntimeError:  # within torch.func.vmap
                count = "some"
            raise ValueError(
                f"heights must not be NaN ({count} of {math.prod(missing.shape)} are); see the argument nan"
            )

    def _spread(self, mask: Array, level: float, values: Array, contacts: Array | None) -> tuple[Array, Array | None]:
        """A level that wins wherever the ball reaches the mask."""
        xp = self.xp
        if not is_traced(mask) and not holds(xp.any(mask)):
            return values, contacts
        zeros = xp.zeros_like(values)
        reached, nearest = self._dilation(xp.where(mask, zeros, -xp.inf), contacts is not None)
        won = reached > -xp.inf
        return xp.where(won, level, values), None if contacts is None else xp.where(won, nearest, contacts)

    def _dilation(self, heights: Array, contact: bool) -> tuple[Array, Array | None]:
        """Dilation of finite heights and −inf, by the fastest engine for these arrays."""
        periodic = self.boundary == "periodic"
        half = self.ball.half_widths(heights.shape, periodic)
        origin = half if periodic else (0,) * heights.ndim
        source = extend(self.xp, heights, origin, None)
        engine = kernel("dilation", self.xp) or dilation
        options = {} if engine is dilation else {"workers": self.workers}
        return engine(source, self.ball.cap(half), origin, heights.shape, contact=contact, **options)

    def answer(self, found: tuple[Array, Array | None], out: Array | None) -> Any:
        """The values, in `out` if there is one, and the contacts if there are any."""
        values, contacts = (None if array is None else self.back(array) for array in found)
        if out is not None:
            values = _into(out, values)
        return values if contacts is None else (values, contacts)


def _into(out: Array, values: Array) -> Array:
    """Write into the user's array."""
    wanted = getattr(out, "shape", None), getattr(out, "dtype", None)
    if wanted != (values.shape, values.dtype):
        raise ValueError(
            f"out must have shape {values.shape} and dtype {values.dtype}, got {wanted[0]} and {wanted[1]}"
        )
    out[...] = values
    return out
