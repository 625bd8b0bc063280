"""Functions of a neighbourhood on dask arrays: each chunk together with as much of its neighbours as matters to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial, wraps
from operator import itemgetter
from typing import Any, TypeVar

import numpy

from geometry._ball import ball_on_grid
from geometry._namespace import Array, Namespace, array_namespace, device_of, is_dask, parted, quietly, sized
from geometry._passes import checked_mask, either, spanned, without

__all__ = ["by_chunks", "lazy", "one_thread_unless"]

Roll = TypeVar("Roll", bound=Callable[..., Any])


def lazy(passes: int) -> Callable[[Roll], Roll]:
    """Decorator for functions of heights and radius: on a dask array they return dask arrays. Masks are told apart.

    A result depends on heights that are `passes` balls away.
    """

    def decorate(function: Roll) -> Roll:
        @wraps(function)
        def rolled(heights: Array, radius: Any, **options: Any) -> Any:
            if not is_dask(heights):
                heights, own = parted(heights)
                return quietly(function)(heights, radius, **options | {"mask": either(own, options.get("mask"))})
            if options.pop("out", None) is not None:
                raise ValueError(
                    "out must be None for a dask array, which is lazy; store the result, as in dask.array.store"
                )
            heights, options["nan"] = _left_out(heights, options.pop("mask", None), options.get("nan", "raise"))
            options["workers"] = one_thread_unless(options.get("workers"))
            reach, periodic = _reach(radius, heights.ndim, passes, options), options.get("boundary") == "periodic"
            return by_chunks(partial(rolled, radius=radius, **options), "heights", heights, reach, periodic)

        return rolled  # type: ignore[return-value]

    return decorate


def _left_out(heights: Array, mask: Any, nan: str) -> tuple[Array, str]:
    """As `geometry._passes.without`, of a dask array, which may be of masked arrays."""
    if mask is None and parted(heights._meta)[1] is None:
        return heights, nan
    import dask.array

    masks = [] if mask is None else [checked_mask(dask.array, dask.array.asarray(mask), heights)]
    masks = [m.rechunk(heights.chunks) for m in masks]

    def on_block(block: Array, mask: Any = None) -> Array:
        block, own = parted(block)
        return without(block, either(own, mask), nan)[0]

    meta = on_block(heights._meta, *(m._meta for m in masks))
    left = dask.array.map_blocks(on_block, heights, *masks, dtype=meta.dtype, meta=meta)
    return left, "omit" if nan == "raise" else nan


def _reach(radius: Any, ndim: int, passes: int, options: dict[str, Any]) -> Callable[[Sequence[int]], tuple[int, ...]]:
    """How far, in samples along each axis, a result looks: along one of uneven positions it may be anywhere."""
    axes, even = spanned(options.get("axes"), ndim), options.get("x") is None
    ball = ball_on_grid(radius, options.get("spacing", 1.0) if even else 1.0, len(axes))

    def reach(shape: Sequence[int]) -> tuple[int, ...]:
        across = [shape[axis] for axis in axes]
        half = ball.half_widths(across, options.get("boundary") == "periodic") if even else across
        return tuple(passes * half[axes.index(axis)] if axis in axes else 0 for axis in range(ndim))

    return reach


def one_thread_unless(workers: int | None) -> int:
    """How many threads work on one chunk: the chunks themselves share the cores."""
    return 1 if workers is None else workers


def by_chunks(
    function: Callable[[Array], Any],
    name: str,
    array: Array,
    reach: Callable[[Sequence[int]], tuple[int, ...]],
    periodic: bool = False,
) -> Any:
    """function(array) for a dask array: bit for bit the same, but lazy, and with a few chunks in memory at a time.

    Parameters
    ----------
    function : callable
        From an array to an array of the same shape; or to two, the second of flat indices into the argument (or −1),
        which become flat indices into the whole array. A tie must go to the lowest index.
    name : str
        What the user calls the array.
    array : dask.array.Array
        Along an axis with several chunks each must be as long as the overlap.
    reach : callable
        From a shape to the distance, in samples along each axis, of the elements that matter to a result.
    periodic : bool
        Whether `function` takes its argument for one period.
    """
    from dask.array.overlap import overlap

    empty = function(sized(name, array)._meta)  # refuses wrong arguments, and knows the dtypes
    limits = [n // 2 if periodic else n - 1 for n in array.shape]
    depth = [
        0 if len(sizes) == 1 else max(0, min(far, limit))
        for sizes, far, limit in zip(array.chunks, reach(array.shape), limits, strict=True)
    ]
    _refuse_small_chunks(name, array, depth)
    wide = overlap(array, dict(enumerate(depth)), "periodic" if periodic else "none", allow_rechunk=False)
    on_chunk = partial(_on_chunk, function, array.shape, depth, periodic)
    if not isinstance(empty, tuple):
        return wide.map_blocks(on_chunk, chunks=array.chunks, meta=empty)
    both = wide.map_blocks(on_chunk, chunks=array.chunks, meta=empty[0])  # its chunks are pairs
    return tuple(both.map_blocks(itemgetter(i), meta=meta) for i, meta in enumerate(empty))


def _refuse_small_chunks(name: str, array: Array, depth: list[int]) -> None:
    small = {axis: m for axis, m in enumerate(depth) if min(array.chunks[axis]) < m}
    if small:
        found = "; ".join(
            f"axis {axis} has a chunk of {min(array.chunks[axis])} but needs {m}" for axis, m in small.items()
        )
        sizes = {axis: _long_enough(array.chunks[axis], m) for axis, m in small.items()}
        raise ValueError(
            f"{name}: chunks must be at least as long as the overlap, which the ball makes; {found}; "
            f"{name}.rechunk({sizes}) would do"
        )


def _long_enough(sizes: tuple[int, ...], least: int) -> int:
    """The smallest size of equal chunks that leaves no short rest, and does not cut the present ones."""
    n = sum(sizes)
    return next(size for size in range(max(least, *sizes), n + 1) if n % size == 0 or n % size >= least)


def _on_chunk(
    function: Callable[[Array], Any],
    shape: tuple[int, ...],
    depth: list[int],
    periodic: bool,
    block: Array,
    *,
    block_info: dict[Any, Any],
) -> Any:
    """The function's results on one chunk of the whole array; `block` is the chunk with its surroundings.

    The block's samples are put in the order that they have in the whole array, each once. Ties are then resolved as
    there. If the array is periodic then so is the block: what its ends do to each other happens outside of the chunk.
    """
    xp, places, window = array_namespace(block), [], []
    for axis, (first, stop) in enumerate(block_info[None]["array-location"]):
        size, margin = shape[axis], depth[axis]
        around = numpy.arange(first - margin, stop + margin)
        around = around % size if periodic else around[(around >= 0) & (around < size)]
        line, order = numpy.unique(around, return_index=True)
        if periodic:
            block = xp.take(block, xp.asarray(order, device=device_of(block)), axis=axis)
        start = int(numpy.searchsorted(line, first))
        places.append(line)
        window.append(slice(start, start + stop - first))
    found = function(block)
    if not isinstance(found, tuple):
        return xp.asarray(found[tuple(window)], copy=True)  # a view would keep the surroundings in memory
    values, flat = (part[tuple(window)] for part in found)
    return xp.asarray(values, copy=True), _in_the_whole(xp, flat, places, shape)


def _in_the_whole(xp: Namespace, flat: Array, places: list[numpy.ndarray], shape: tuple[int, ...]) -> Array:
    """Flat indices in a block, whose samples lie at `places` of the whole array, as flat indices there."""
    rest, stride, whole = xp.where(flat < 0, 0, flat), 1, xp.zeros_like(flat)
    for line, size in zip(reversed(places), reversed(shape), strict=True):
        line = xp.asarray(line, dtype=flat.dtype, device=device_of(flat))
        step = xp.take(line, xp.reshape(rest % line.shape[0], (-1,)), axis=0)
        whole = whole + stride * xp.reshape(step, flat.shape)
        rest, stride = rest // line.shape[0], stride * size
    return xp.where(flat < 0, flat, whole)
