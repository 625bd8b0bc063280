"""Making arrays of forms, and moving their elements about, under the names of the array API standard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy

from geometry.certified._choices import stacked
from geometry.certified._face import Face
from geometry.certified._table import offered

__all__ = [
    "as_forms", "asarray", "astype", "axis_from_end", "broadcast_arrays", "broadcast_to", "concat", "empty_like",
    "expand_dims", "flip", "full", "full_like", "matrix_transpose", "moveaxis", "ones_like", "permute_dims", "reshape",
    "roll", "squeeze", "stack", "swapaxes", "take", "unstack", "zeros_like",
]  # fmt: skip


def as_forms(*arrays: Any) -> list[Any]:
    """All arrays as forms, of the one that is."""
    one = next(a for a in arrays if isinstance(a, Face))
    return [a if isinstance(a, Face) else one.constant(a) for a in arrays]


def only_float(dtype: Any) -> None:
    if dtype is not None and numpy.dtype(dtype) != numpy.dtype(float):
        raise TypeError(f"intervals have the dtype float64, and cannot become {numpy.dtype(dtype)}")


@offered
def asarray(obj: Any, *, dtype: Any = None, device: Any = None, copy: Any = None) -> Any:
    only_float(dtype)
    if not isinstance(obj, Face):
        return stack([asarray(x) for x in obj])
    return obj.copy() if copy else obj


@offered
def astype(x: Any, dtype: Any, *, copy: Any = True, device: Any = None) -> Any:
    only_float(dtype)
    return x.copy() if copy else x


@offered
def full(shape: Any, fill_value: Any, *, dtype: Any = None, device: Any = None) -> Any:
    only_float(dtype)
    return +broadcast_to(fill_value, (shape,) if isinstance(shape, int) else shape)


@offered
def full_like(x: Any, fill_value: Any, *, dtype: Any = None, device: Any = None, shape: Any = None) -> Any:
    only_float(dtype)
    shape = x.shape if shape is None else numpy.empty(shape).shape
    return +broadcast_to(*as_forms(fill_value, x)[:1], shape)


@offered
def zeros_like(x: Any, *, dtype: Any = None, device: Any = None, shape: Any = None) -> Any:
    return full_like(x, 0.0, dtype=dtype, shape=shape)


@offered
def ones_like(x: Any, *, dtype: Any = None, device: Any = None, shape: Any = None) -> Any:
    return full_like(x, 1.0, dtype=dtype, shape=shape)


@offered
def empty_like(x: Any, *, dtype: Any = None, device: Any = None, shape: Any = None) -> Any:
    return full_like(x, 0.0, dtype=dtype, shape=shape)


def axis_from_end(x: Any, axis: int) -> int:
    """An axis counted from the end."""
    if not -x.ndim <= axis < x.ndim:
        raise ValueError(f"axis must be one of {x.ndim} axes, got {axis}")
    return axis if axis < 0 else axis - x.ndim


@offered
def broadcast_to(x: Any, shape: Sequence[int]) -> Any:
    return x.spread_to(tuple(shape))


@offered
def broadcast_arrays(*arrays: Any) -> list[Any]:
    shape = numpy.broadcast_shapes(*(a.shape for a in arrays))
    return [broadcast_to(a, shape) for a in arrays]


@offered
def reshape(x: Any, shape: Any, *, copy: Any = None) -> Any:
    return x.reshaped(numpy.empty(x.shape).reshape(shape).shape)


@offered
def expand_dims(x: Any, axis: int = 0) -> Any:
    axis = axis if axis < 0 else axis - x.ndim - 1
    return x.moved(lambda end: numpy.expand_dims(end, axis))


@offered
def squeeze(x: Any, axis: int) -> Any:
    axis = axis_from_end(x, axis)
    return x.moved(lambda end: numpy.squeeze(end, axis))


@offered
def permute_dims(x: Any, axes: Sequence[int] | None = None) -> Any:
    axes = tuple(reversed(range(x.ndim))) if axes is None else axes
    order = [axis_from_end(x, a) for a in axes]
    if sorted(order) != list(range(-x.ndim, 0)):
        raise ValueError(f"axes must be a permutation of the {x.ndim} axes, got {axes}")
    return x.moved(lambda end: numpy.transpose(end, [*range(end.ndim - x.ndim), *(a + end.ndim for a in order)]))


@offered
def moveaxis(x: Any, source: int, destination: int) -> Any:
    source, destination = axis_from_end(x, source), axis_from_end(x, destination)
    return x.moved(lambda end: numpy.moveaxis(end, source, destination))


@offered
def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    axis1, axis2 = axis_from_end(x, axis1), axis_from_end(x, axis2)
    return x.moved(lambda end: numpy.swapaxes(end, axis1, axis2))


@offered
def matrix_transpose(x: Any) -> Any:
    return x.mT


@offered
def flip(x: Any, axis: int) -> Any:
    axis = axis_from_end(x, axis)
    return x.moved(lambda end: numpy.flip(end, axis))


@offered
def roll(x: Any, shift: int, axis: int) -> Any:
    axis = axis_from_end(x, axis)
    return +x.moved(lambda end: numpy.roll(end, shift, axis))


@offered
def take(x: Any, indices: Any, axis: int) -> Any:
    axis = axis_from_end(x, axis)
    return +x.moved(lambda end: numpy.take(end, indices, axis))


@offered
def concat(arrays: Sequence[Any], axis: int | None = 0) -> Any:
    forms = as_forms(*arrays)
    if axis is None:
        forms, axis = [reshape(form, (-1,)) for form in forms], 0
    return stacked(forms, axis_from_end(forms[0], axis), numpy.concatenate)


@offered
def stack(arrays: Sequence[Any], axis: int = 0) -> Any:
    arrays = list(arrays)
    shape = numpy.broadcast_shapes(*(a.shape if isinstance(a, Face) else numpy.shape(a) for a in arrays))
    forms = [broadcast_to(form, shape) for form in as_forms(*arrays)]
    return stacked(forms, axis if axis < 0 else axis - len(shape) - 1, numpy.stack)


@offered
def unstack(x: Any, axis: int = 0) -> tuple[Any, ...]:
    moved = moveaxis(x, axis, 0)
    return tuple(moved[i] for i in range(moved.shape[0]))
