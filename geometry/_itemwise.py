"""Functions of batches on dask arrays: each block of items by itself, when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

import numpy

from geometry._namespace import Array

__all__ = ["by_items"]


def by_items(
    function: Callable[..., tuple[Array, ...]],
    items: Sequence[tuple[Array, int]],
    results: Sequence[tuple[tuple[int, ...], Any]],
) -> tuple[Array, ...]:
    """function(*arrays), lazily: its results as dask arrays of the blocks of the batch, each evaluated once.

    Parameters
    ----------
    function : callable
        From arrays of items to a tuple of arrays; item i of a result depends on item i of the arguments alone.
    items : sequence of (array, axes)
        The arguments, and how many of their last axes belong to one item. Their batches broadcast against each other.
    results : sequence of (shape, dtype)
        What the function makes of one item.
    """
    import dask.array

    batch = max(array.ndim - axes for array, axes in items)
    label, arguments = batch, []
    for array, axes in items:
        own = array.ndim - axes
        whole = array.rechunk({own + i: -1 for i in range(axes)})
        arguments += [whole, (*range(batch - own, batch), *range(label, label + axes))]
        label += axes
    empty = numpy.empty((0,) * batch)
    blocks = dask.array.blockwise(  # of tuples
        lambda *parts: function(*parts), range(batch), *arguments, concatenate=True, dtype=empty.dtype, meta=empty
    )
    return tuple(
        blocks.map_blocks(
            itemgetter(i),
            new_axis=list(range(batch, batch + len(shape))),
            chunks=(*blocks.chunks, *((n,) for n in shape)),
            meta=numpy.empty((0,) * batch + shape, dtype=dtype),
        )
        for i, (shape, dtype) in enumerate(results)
    )
