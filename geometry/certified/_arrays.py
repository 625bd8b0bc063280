"""Making arrays of forms, and moving their elements about, under the names of the array API standard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy

from geometry.certified._choices import stacked
from geometry.certified._forms import Form
from geometry.certified._intervals import mapped


def as_forms(*arrays: Any) -> list[Form]:
    """All arrays as forms, of the one that is."""
    one = next(a for a in arrays if isinstance(a, Form))
    return [a if isinstance(a, Form) else one.constant(a) for a in arrays]


def asarray(obj: Any, *, dtype: Any = None, device: Any = None, copy: Any = None) -> Any:
    if isinstance(obj, Form):
        return obj
    if isinstance(obj, list | tuple) and any(isinstance(x, Form) for x in obj):
        return stack([asarray(x) for x in obj])
    return numpy.asarray(obj, dtype=dtype)


def astype(x: Any, dtype: Any, *, copy: Any = True, device: Any = None) -> Any:
    if isinstance(x, Form):
        if numpy.dtype(dtype).kind != "f":
            raise TypeError(f"intervals cannot become {numpy.dtype(dtype)}")
        return x
    return numpy.asarray(x).astype(dtype)


def full(shape: Any, value: Any, *, dtype: Any = None, device: Any = None) -> Any:
    return numpy.full(shape, value, dtype=dtype)


def full_like(x: Form, fill_value: Any, *, dtype: Any = None, device: Any = None, shape: Any = None, **_: Any) -> Form:
    if isinstance(fill_value, Form):
        return broadcast_to(fill_value, x.shape)
    return x.constant(numpy.full(x.shape, fill_value))


def zeros_like(x: Form, **options: Any) -> Form:
    return full_like(x, 0.0)


def ones_like(x: Form, **options: Any) -> Form:
    return full_like(x, 1.0)


def empty_like(x: Form, **options: Any) -> Form:
    return full_like(x, 0.0)


def axis_from_end(x: Any, axis: int) -> int:
    """An axis counted from the end."""
    return axis if axis < 0 else axis - x.ndim


def broadcast_to(x: Any, shape: Sequence[int]) -> Any:
    return x.spread_to(tuple(shape)) if isinstance(x, Form) else numpy.broadcast_to(x, shape)


def broadcast_arrays(*arrays: Any) -> list[Any]:
    shape = numpy.broadcast_shapes(*(a.shape for a in arrays))
    return [broadcast_to(a, shape) for a in arrays]


def reshape(x: Any, shape: Any, **_: Any) -> Any:
    if not isinstance(x, Form):
        return numpy.reshape(x, shape)
    shape = numpy.empty(x.shape).reshape(shape).shape
    slopes = x.full_slopes()
    slopes = slopes if slopes is None else mapped(lambda end: end.reshape(len(end), *shape), slopes)
    return x.new(mapped(lambda end: end.reshape(shape), x.center), slopes)


def expand_dims(x: Any, axis: int = 0) -> Any:
    if not isinstance(x, Form):
        return numpy.expand_dims(x, axis)
    axis = axis if axis < 0 else axis - x.ndim - 1
    return x.moved(lambda end: numpy.expand_dims(end, axis))


def squeeze(x: Any, axis: int) -> Any:
    return (
        x.moved(lambda end: numpy.squeeze(end, axis_from_end(x, axis)))
        if isinstance(x, Form)
        else numpy.squeeze(x, axis)
    )


def permute_dims(x: Any, axes: Sequence[int] | None = None) -> Any:
    axes = tuple(reversed(range(x.ndim))) if axes is None else axes
    if not isinstance(x, Form):
        return numpy.transpose(x, axes)
    moved = [a % x.ndim for a in axes]
    return x.moved(
        lambda end: numpy.transpose(end, [*range(end.ndim - x.ndim), *(a + end.ndim - x.ndim for a in moved)])
    )


def moveaxis(x: Any, source: int, destination: int) -> Any:
    if not isinstance(x, Form):
        return numpy.moveaxis(x, source, destination)
    return x.moved(lambda end: numpy.moveaxis(end, axis_from_end(x, source), axis_from_end(x, destination)))


def swapaxes(x: Form, axis1: int, axis2: int) -> Form:
    return x.moved(lambda end: numpy.swapaxes(end, axis_from_end(x, axis1), axis_from_end(x, axis2)))


def matrix_transpose(x: Any) -> Any:
    return x.mT if isinstance(x, Form) else numpy.swapaxes(x, -1, -2)


def flip(x: Any, *, axis: int) -> Any:
    return x.moved(lambda end: numpy.flip(end, axis_from_end(x, axis))) if isinstance(x, Form) else numpy.flip(x, axis)


def roll(x: Form, shift: int, axis: int) -> Form:
    return x.moved(lambda end: numpy.roll(end, shift, axis_from_end(x, axis)))


def take(x: Any, indices: Any, axis: int) -> Any:
    if not isinstance(x, Form):
        return numpy.take(x, indices, axis)
    return x.moved(lambda end: numpy.take(end, indices, axis_from_end(x, axis)))


def concat(arrays: Sequence[Any], axis: int = 0) -> Any:
    if not any(isinstance(a, Form) for a in arrays):
        return numpy.concatenate(arrays, axis)
    forms = as_forms(*arrays)
    return stacked(forms, axis_from_end(forms[0], axis), numpy.concatenate)


def stack(arrays: Sequence[Any], axis: int = 0) -> Any:
    arrays = list(arrays)
    if not any(isinstance(a, Form) for a in arrays):
        return numpy.stack(arrays, axis)
    shape = numpy.broadcast_shapes(*(a.shape if isinstance(a, Form) else numpy.shape(a) for a in arrays))
    forms = [broadcast_to(form, shape) for form in as_forms(*arrays)]
    return stacked(forms, axis if axis < 0 else axis - len(shape) - 1, numpy.stack)


def unstack(x: Any, axis: int = 0) -> tuple[Any, ...]:
    moved = moveaxis(x, axis, 0)
    return tuple(moved[i] for i in range(moved.shape[0]))
