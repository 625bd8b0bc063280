"""Rolling a ball over a sampled function: dilation, erosion, opening and closing by a ball, in any dimension.

Dilation raises every height to the centre of the ball that rests on the samples above θ: it is the offset function

    f_ρ(θ) = max over |s| ≤ ρ of f(θ + s) + √(ρ² − |s|²)

on a grid. The same operation is the tip dilation of atomic force microscopy, the morphological filter of surface
metrology (ISO 16610-41, -85) and, upside down, the rolling-ball background of microscopy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from geometry._chunked import lazy
from geometry._namespace import Array
from geometry._passes import Roll

__all__ = ["closing", "dilate", "erode", "opening"]


@lazy(passes=1)
def dilate(
    heights: Array,
    radius: Any,
    *,
    spacing: Any = 1.0,
    boundary: str = "none",
    nan: str = "raise",
    return_contact: bool = False,
    axes: int | Sequence[int] | None = None,
    mask: Array | None = None,
    x: Array | None = None,
    out: Array | None = None,
    workers: int | None = None,
) -> Any:
    """Height of the centre of the ball that rests on a sampled function: the offset function f_ρ on a grid.

    Parameters
    ----------
    heights : array, N-D
        Samples of a function on a regular grid, or of a batch of functions: see `axes`; N ≥ 1. An infinite height is a
        wall (+inf) or a missing sample (−inf). What is masked in an array of `numpy.ma`, or in one of dask of such
        arrays, is as in `mask`; results are plain.
    radius : float or sequence of float
        ρ > 0, in the unit of `heights` and `spacing`. For a ball that spans n axes a sequence of n + 1 numbers gives
        the semi-axes of an ellipsoid, the height's last.
    spacing : float or sequence of float
        Distance of neighbouring samples: one number, or one for each axis that the ball spans.
    boundary : {"none", "reflect", "periodic"}
        Outside of the array there is nothing, or its mirror image, or the array again. A mirror image changes nothing:
        no sample of it is nearer than the one that it mirrors. See `free_of_ends` for where the outside matters.
    nan : {"raise", "omit", "propagate"}
        NaN is refused, or left out like a missing sample, or makes every result NaN whose ball reaches it. With "omit"
        a result is NaN where the ball reaches no sample but NaN. Under ``jax.jit`` and ``jax.vmap``, where nothing can
        be raised, "raise" is "propagate"; within ``torch.func.vmap`` a NaN in any item is refused.
    return_contact : bool
        Whether to return the contacts as well.
    axes : int or sequence of int, optional
        The axes that the ball spans, ascending; default: all. The others are a batch of functions, each on its own:
        the slices of a volume, the channels of an image, a profile per row.
    mask : array of bool, shape of `heights`, optional
        True where a sample is missing, as in `numpy.ma`. What is masked counts as NaN, but is left out unless NaN is to
        propagate.
    x : array (m,), optional
        Increasing positions of the samples along the one axis that the ball spans, which then need not be regular; in
        the unit of `heights`, instead of `spacing`.
    out : array, optional
        Where to write the heights: the shape of `heights`, and the dtype of the result.
    workers : int, optional
        Number of threads; default: all cores. Used for arrays in the memory of the CPU.

    Returns
    -------
    heights : array
        Same shape, namespace, device and floating dtype; integers become the default floating dtype.
    contact : array of int
        With ``return_contact``: the flat index, in `heights`, of the sample that the ball touches. Of several with the
        same rounded height of the centre it is the first; of several walls, or NaN that propagate, the nearest. −1
        where there is no sample.

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
    low, or because each of their samples is beaten by its neighbour. At positions `x` it is O(n log n), but for samples
    that lie on one arc of the ball's radius, where all are as good.

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

    Two profiles, and one whose samples lie at uneven positions:

    >>> dilate([[0.0, 0.0, 1.0], [0.0, 0.0, 0.0]], 1.0, axes=1)
    array([[1., 1., 2.],
           [1., 1., 1.]])
    >>> dilate([0.0, 0.0, 4.0], 5.0, x=[0.0, 1.0, 4.0])
    array([7., 8., 9.])
    """
    roll = Roll.of(
        heights, radius, spacing=spacing, boundary=boundary, nan=nan, axes=axes, mask=mask, x=x, workers=workers
    )
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
    axes: int | Sequence[int] | None = None,
    mask: Array | None = None,
    x: Array | None = None,
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
    roll = Roll.of(
        heights, radius, spacing=spacing, boundary=boundary, nan=nan, axes=axes, mask=mask, x=x, workers=workers
    )
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
    axes: int | Sequence[int] | None = None,
    mask: Array | None = None,
    x: Array | None = None,
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
    roll = Roll.of(
        heights, radius, spacing=spacing, boundary=boundary, nan=nan, axes=axes, mask=mask, x=x, workers=workers
    )
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
    axes: int | Sequence[int] | None = None,
    mask: Array | None = None,
    x: Array | None = None,
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
    roll = Roll.of(
        heights, radius, spacing=spacing, boundary=boundary, nan=nan, axes=axes, mask=mask, x=x, workers=workers
    )
    return roll.answer(roll.closed(roll.heights, return_contact), out)
