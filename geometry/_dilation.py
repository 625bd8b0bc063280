"""Dilation of a sampled function by a ball: the specification, in functions of the array API standard.

max over s of heights[i + s] + cap[|s|], one offset s after the other. The kernels of `geometry._kernels` are faster and
give the same bits: rounding is monotone, so whoever finds a maximiser has found the rounded maximum.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy

from geometry._namespace import Array, Namespace, array_namespace, count_dtype, device_of, widest_float

__all__ = ["dilation", "extend"]


def dilation(
    source: Array, cap: numpy.ndarray, origin: tuple[int, ...], shape: tuple[int, ...], *, contact: bool = False
) -> tuple[Array, Array | None]:
    """Heights of the ball's centre over source[origin : origin + shape], and the sample that touches.

    Parameters
    ----------
    source : array
        Finite or −inf, which means that there is no sample.
    cap : numpy.ndarray
        The table of `Ball.cap`.
    origin, shape : tuple of int
        Where to place the ball.
    contact : bool
        Whether to return contacts.

    Returns
    -------
    values : array of `shape`
        In the dtype of `source`; sums are formed in the device's widest floating dtype, and rounded once.
    contacts : array of `shape`, or None
        The lowest flat index, in an array of `shape` that repeats periodically, of the samples with the largest sum;
        −1 where there is no sample.
    """
    xp = array_namespace(source)
    half = [n - 1 for n in cap.shape]
    wide = xp.astype(source, widest_float(xp, source))
    padded = extend(xp, wide, half, -numpy.inf)
    values = xp.full(shape, -numpy.inf, dtype=wide.dtype, device=device_of(source))
    contacts = xp.full(shape, -1, dtype=count_dtype(xp, source), device=device_of(source)) if contact else None
    for offset in _inside(cap):
        start = [o + s + k for o, s, k in zip(origin, offset, half, strict=True)]
        window = tuple(slice(a, a + n) for a, n in zip(start, shape, strict=True))
        sums = padded[window] + float(cap[tuple(abs(s) for s in offset)])
        if contacts is not None:
            index = _flat_index(xp, offset, shape, contacts)
            better = (sums > values) | ((sums == values) & (index < contacts) & (sums > -numpy.inf))
            contacts = xp.where(better, index, contacts)
        values = xp.maximum(values, sums)
    return xp.astype(values, source.dtype), contacts


def _inside(cap: numpy.ndarray) -> Iterator[tuple[int, ...]]:
    """The offsets within the ball, in the order of flat indices."""
    half = [n - 1 for n in cap.shape]
    for place in numpy.ndindex(*(2 * k + 1 for k in half)):
        offset = tuple(int(p) - k for p, k in zip(place, half, strict=True))
        if cap[tuple(abs(s) for s in offset)] > -numpy.inf:
            yield offset


def _flat_index(xp: Namespace, offset: tuple[int, ...], shape: tuple[int, ...], like: Array) -> Array:
    """The flat index of every sample's neighbour at an offset, in an array of `shape` that repeats periodically."""
    index = xp.zeros((), dtype=like.dtype, device=device_of(like))
    for axis, (step, size) in enumerate(zip(offset, shape, strict=True)):
        line = (xp.arange(size, dtype=like.dtype, device=device_of(like)) + step) % size
        index = index * size + xp.reshape(line, (-1,) + (1,) * (len(shape) - axis - 1))
    return index


def extend(xp: Namespace, array: Array, margins: list[int] | tuple[int, ...], fill: float | None) -> Array:
    """The array with margins on all sides: filled with a value, or periodically with ``fill=None``."""
    for axis, margin in enumerate(margins):
        if margin == 0:
            continue
        if fill is None:
            size = array.shape[axis]
            places = xp.arange(-margin, size + margin, device=device_of(array)) % size
            array = xp.take(array, places, axis=axis)
        else:
            shape = (*array.shape[:axis], margin, *array.shape[axis + 1 :])
            edge = xp.full(shape, fill, dtype=array.dtype, device=device_of(array))
            array = xp.concat([edge, array, edge], axis=axis)
    return array
