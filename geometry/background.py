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
    is_array_api_obj,
    is_dask,
    quietly,
    widest_float,
)
from geometry.morphology import _prepare

__all__ = ["rolling_ball"]


@quietly
def rolling_ball(
    image: Array,
    radius: Any = 100,
    *,
    spacing: Any = 1.0,
    nansafe: bool = False,
    workers: int | None = None,
    kernel: None = None,
    num_threads: Any = "not given",
) -> Array:
    """Background of an image by the rolling-ball method, with the meaning of ``skimage.restoration.rolling_ball``.

    A ball rolls under the image, seen as a landscape of intensities. The background is the height of the ball's apex:
    min over |s| ≤ ρ of f(θ + s) + ρ − √(ρ² − |s|²), which is `geometry.erode` and ρ more.

    Parameters
    ----------
    image : array, n-D
        Intensities, real; n ≥ 1. What is masked in an array of `numpy.ma` counts as NaN; integers have none and are
        refused.
    radius : float or sequence of float
        ρ > 0, in the unit of `image` and `spacing`. A sequence of n + 1 numbers gives the semi-axes of an ellipsoid,
        the intensity's last.
    spacing : float or sequence of float
        Distance of neighbouring pixels: one number, or one per axis.
    nansafe : bool
        A NaN is no background. By default it is left out, and the background is +inf where all is left out. With
        ``nansafe=True`` every result is NaN whose ball has a NaN in its bounding box, of ⌈ρ / spacing⌉ pixels to all
        sides.
    workers : int, optional
        Number of threads for arrays in the memory of the CPU; default: all cores, and one for each chunk of a dask
        array.
    kernel : None
        Not available: `radius` and `spacing` describe all balls and ellipsoids.
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
    if kernel is not None:
        raise ValueError(
            "kernel must be None; an ellipsoid is a ball on pixels of another spacing: pass radius and spacing, or as "
            "radius the n + 1 semi-axes, the intensity's last"
        )
    if num_threads != "not given":
        if workers is not None:
            raise TypeError("workers and num_threads must not both be given: num_threads is the old name of workers")
        warnings.warn("`num_threads` is deprecated; pass `workers`", FutureWarning, stacklevel=3)
        workers = num_threads
    image = image if is_array_api_obj(image) else _from_python("image", image)
    image = filled(image) if getattr(image.dtype, "kind", "f") == "f" else image  # only NumPy masks
    ball = _Apex(*ball_on_grid(radius, spacing, image.ndim))
    reach = ball.box if nansafe else ball.half_widths
    if is_dask(image):
        workers = one_thread_unless(workers)
        on_chunk = partial(rolling_ball, radius=radius, spacing=spacing, nansafe=nansafe, workers=workers)
        return by_chunks(on_chunk, "image", image, reach)
    (image,), back = lend(image)
    xp, heights = _samples(image)
    missing = xp.isnan(heights)
    roll = replace(_prepare(heights, radius, spacing, "none", "raise", workers), ball=ball)
    background, _ = roll.under(xp.where(missing, xp.inf, heights), False)
    if nansafe:
        background = xp.where(_spread(xp, missing, reach(image.shape)), xp.nan, background)
    return back(xp.astype(background, image.dtype))


class _Apex(Ball):
    """A ball, known by the height of its apex instead of its centre's."""

    def cap(self, half_widths: Sequence[int]) -> numpy.ndarray:
        return super().cap(half_widths) - self.radius

    def box(self, shape: Sequence[int]) -> tuple[int, ...]:
        """How many samples the ball's bounding box reaches from its centre along each axis, ⌈ρ/h⌉ up to rounding."""
        ratios = [self.radius / h * (1 - 4 * EPSILON) for h in self.spacing]
        return tuple(math.ceil(min(ratio, n - 1)) for ratio, n in zip(ratios, shape, strict=True))


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
