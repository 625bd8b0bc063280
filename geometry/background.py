"""The background of an image: what a ball that rolls under it can reach with its apex."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy

from geometry._ball import EPSILON, Ball, ball_on_grid
from geometry._chunked import by_chunks, one_thread_unless
from geometry._lending import lend
from geometry._namespace import (
    Array,
    Namespace,
    _from_python,
    array_namespace,
    device_of,
    filled,
    floating,
    holds,
    is_array_api_obj,
    is_dask,
    is_traced,
    quietly,
    widest_float,
)
from geometry._passes import OnGrid, Roll, checked_mask, spanned

__all__ = ["rolling_ball"]


@quietly
def rolling_ball(
    image: Array,
    radius: Any = 100,
    *,
    spacing: Any = 1.0,
    nansafe: bool = False,
    channel_axis: int | None = None,
    mask: Array | None = None,
    workers: int | None = None,
    kernel: Array | None = None,
    num_threads: Any = "not given",
) -> Array:
    """Background of an image by the rolling-ball method, with the meaning of ``skimage.restoration.rolling_ball``.

    A ball rolls under the image, seen as a landscape of intensities. The background is the height of the ball's apex:
    min over |s| ≤ ρ of f(θ + s) + ρ − √(ρ² − |s|²), which is `geometry.erode` and ρ more.

    Parameters
    ----------
    image : array, N-D
        Intensities, real; N ≥ 1. What is masked in an array of `numpy.ma` is as in `mask`.
    radius : float or sequence of float
        ρ > 0, in the unit of `image` and `spacing`. For a ball over n axes a sequence of n + 1 numbers gives the
        semi-axes of an ellipsoid, the intensity's last.
    spacing : float or sequence of float
        Distance of neighbouring pixels: one number, or one for each axis that the ball spans.
    nansafe : bool
        A NaN is no background. By default it is left out, and the background is +inf where all is left out. With
        ``nansafe=True`` every result is NaN whose ball has a NaN in its bounding box, of ⌈ρ / spacing⌉ pixels to all
        sides.
    channel_axis : int, optional
        The axis of colours or other channels, each of which has its own background; by default there is none, and the
        ball spans all axes.
    mask : array of bool, shape of `image`, optional
        True where a pixel is missing, which counts as NaN; integers have none, and are refused with a mask.
    workers : int, optional
        Number of threads for arrays in the memory of the CPU; default: all cores, and one for each chunk of a dask
        array.
    kernel : array, n-D, optional
        Instead of `radius`: a kernel of scikit-image, from ``ball_kernel`` or ``ellipsoid_kernel``. Others are refused,
        as the ball is one whose radii are known.
    num_threads : int, optional
        Deprecated, as in scikit-image: the old name of `workers`.

    Returns
    -------
    background : array
        Same shape, namespace, device and dtype as the image. Integers are cut off towards zero.

    Raises
    ------
    TypeError, ValueError
        For wrong arguments.

    Notes
    -----
    Sums are formed in double precision (where the device has it), and rounded once to the dtype of the image;
    scikit-image forms them in single precision for images in single precision. A ball that reaches −inf drops to it.

    For a dask array the result is one, and lazy; no chunk may be shorter than the radius, in pixels.

    References
    ----------
    S. R. Sternberg, "Biomedical image processing", Computer 16 (1983), 22–34.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.array([10, 10, 10, 30, 10, 10, 10], dtype=np.uint8)
    >>> image - rolling_ball(image, radius=5)
    array([ 0, 0, 0, 20, 0, 0, 0], dtype=uint8)
    """
    if num_threads != "not given":
        if workers is not None:
            raise TypeError("workers and num_threads must not both be given: num_threads is the old name of workers")
        warnings.warn("`num_threads` is deprecated; pass `workers`", FutureWarning, stacklevel=3)
        workers = num_threads
    image = image if is_array_api_obj(image) else _from_python("image", image)
    if mask is not None:
        image = _marked(image, mask)
    image = filled(image) if getattr(image.dtype, "kind", "f") == "f" else image  # only NumPy masks
    channels = () if channel_axis is None else spanned(channel_axis, image.ndim)
    axes = [axis for axis in range(image.ndim) if axis not in channels]
    if kernel is not None:
        radius, spacing = _semi_axes(kernel, len(axes)), 1.0
    ball = _Apex(*ball_on_grid(radius, spacing, len(axes)))

    def reach(shape: Sequence[int]) -> tuple[int, ...]:
        half = iter((ball.box if nansafe else ball.half_widths)([shape[axis] for axis in axes]))
        return tuple(next(half) if axis in axes else 0 for axis in range(len(shape)))

    if is_dask(image):
        options = {"radius": radius, "spacing": spacing, "nansafe": nansafe, "channel_axis": channel_axis}
        on_chunk = partial(rolling_ball, **options, workers=one_thread_unless(workers))
        return by_chunks(on_chunk, "image", image, reach)
    (image,), back = lend(image)
    xp, heights = _samples(image)
    whole = heights.size == 0 or (not is_traced(heights) and not holds(xp.isnan(xp.max(heights))))
    missing = None if whole else xp.isnan(heights)
    if missing is not None:
        heights = xp.where(missing, xp.inf, heights)
    roll = Roll.of(heights, radius, spacing=spacing, axes=axes, workers=workers)
    roll = replace(roll, ball=OnGrid(ball, False))
    background = roll.answer(roll.under(roll.heights, False))
    if nansafe and missing is not None:
        background = xp.where(_spread(xp, missing, reach(image.shape)), xp.nan, background)
    return back(xp.astype(background, image.dtype, copy=False))


class _Apex(Ball):
    """A ball, known by the height of its apex instead of its centre's."""

    def cap(self, half_widths: Sequence[int]) -> numpy.ndarray:
        return super().cap(half_widths) - self.radius

    def box(self, shape: Sequence[int]) -> tuple[int, ...]:
        """How many samples the ball's bounding box reaches from its centre along each axis, ⌈ρ/h⌉ up to rounding."""
        ratios = [self.ratio(h) * (1 - 4 * EPSILON) for h in self.spacing]
        return tuple(math.ceil(min(ratio, n - 1)) for ratio, n in zip(ratios, shape, strict=True))


def _marked(image: Array, mask: Array) -> Array:
    """The image with NaN where it is masked."""
    xp = array_namespace(image)
    mask = xp.asarray(mask, **({} if is_dask(image) else {"device": device_of(image)}))
    mask = checked_mask(xp, mask, image, "image")
    if not xp.isdtype(image.dtype, "real floating"):
        raise TypeError(f"image must have a floating dtype with a mask, since integers have no NaN, got {image.dtype}")
    return xp.where(mask, xp.asarray(numpy.nan, dtype=image.dtype), image)


def _semi_axes(kernel: Any, ndim: int) -> tuple[float, ...]:
    """The semi-axes (n + 1,) of an ellipsoid over pixels, the intensity's last, from its heights over them.

    Raises
    ------
    ValueError
        If the heights are no ellipsoid's: √ of what is left of 1 after (xₖ/aₖ)², times the largest, and ∞ outside.
    """
    table = numpy.asarray(kernel, dtype=float)
    half = tuple(n // 2 for n in table.shape)
    if table.ndim == ndim and all(n % 2 for n in table.shape):
        height = float(table[half])
        for axes in ((height,) * ndim, tuple(max(m, 1.0) for m in map(float, half))):
            if height > 0 and _is_ellipsoid(table, (*axes, height)):
                return (*axes, height)
    raise ValueError(
        f"kernel must be a ball or an ellipsoid over {ndim} axes, with an odd number of pixels along each, as "
        "ball_kernel and ellipsoid_kernel of scikit-image make them; for others pass radius and spacing"
    )


def _is_ellipsoid(table: numpy.ndarray, axes: tuple[float, ...]) -> bool:
    """Whether a table holds the whole cap of the ellipsoid with these semi-axes, up to rounding."""
    half, height = [n // 2 for n in table.shape], axes[-1]
    places = numpy.indices(table.shape) - numpy.reshape(half, (-1,) + (1,) * table.ndim)
    left = 1 - sum((place / axis) ** 2 for place, axis in zip(places, axes[:-1], strict=True))
    inside, rounding = numpy.isfinite(table), 16 * EPSILON
    rim = abs(left) <= rounding
    fits = abs((numpy.where(inside, table, 0.0) / height) ** 2 - numpy.maximum(left, 0)) <= rounding
    return all(m >= math.floor(axis) for m, axis in zip(half, axes[:-1], strict=True)) and bool(
        numpy.where(inside, fits & (left >= -rounding), (left < 0) | rim).all()
    )


def _samples(image: Array) -> tuple[Namespace, Array]:
    """The image in a floating dtype, which for integers is the device's widest."""
    if image.ndim == 0:
        raise ValueError("image must have at least one dimension")
    xp = array_namespace(image)
    if xp.isdtype(image.dtype, ("integral", "bool")):
        image = xp.astype(image, widest_float(xp, image))
    return floating("image", image)


def _spread(xp: Namespace, mask: Array, half_widths: Sequence[int]) -> Array:
    """Where a box of half_widths around a sample holds something of the mask."""
    for axis, half in enumerate(half_widths):
        size = mask.shape[axis]
        counts = xp.cumulative_sum(xp.astype(mask, xp.int64), axis=axis, include_initial=True)
        places = xp.arange(size, device=device_of(mask))
        before = xp.take(counts, xp.clip(places - half, 0, size), axis=axis)
        mask = xp.take(counts, xp.clip(places + half + 1, 0, size), axis=axis) > before
    return mask
