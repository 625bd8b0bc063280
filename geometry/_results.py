"""Results of which two can be compared, bit by bit, as a whole, NaN like NaN; objects that are written as a call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from inspect import signature
from typing import Any, TypeVar

import numpy

from geometry._namespace import array_namespace, is_array_api_obj, library, to_numpy

__all__ = ["call", "comparable", "same"]

Result = TypeVar("Result", bound=type)


def comparable(cls: Result) -> Result:
    """Decorator of a named tuple or a dataclass of arrays: ``==`` of two of them is True or False."""
    made: Any = cls
    made.__eq__, made.__ne__, made.__hash__ = _equal, _unequal, None
    return cls


def _equal(one: Any, other: object) -> bool:
    return same(one, other)


def _unequal(one: Any, other: object) -> bool:
    return not same(one, other)


def same(one: Any, other: Any) -> bool:
    """Whether two results are of one kind and hold the same: arrays of one library, dtype and shape, bit by bit."""
    if is_array_api_obj(one):
        return is_array_api_obj(other) and _same_numbers(one, other)
    if isinstance(one, tuple):
        return type(one) is type(other) and len(one) == len(other) and all(map(same, one, other))
    if is_dataclass(one):
        return type(one) is type(other) and all(same(getattr(one, f.name), getattr(other, f.name)) for f in fields(one))
    return not is_array_api_obj(other) and bool(one == other)


def _same_numbers(one: Any, other: Any) -> bool:
    libraries = [library(array_namespace(array)) for array in (one, other)]
    if libraries[0] != libraries[1] or one.dtype != other.dtype or one.shape != other.shape:
        return False
    numbers = [to_numpy(array) for array in (one, other)]
    return bool(numpy.all((numbers[0] == numbers[1]) | (numbers[0] != numbers[0]) & (numbers[1] != numbers[1])))


def call(function: Callable[..., Any], arguments: tuple[Any, ...], options: dict[str, Any]) -> str:
    """The call that makes an object, in Python; arrays as lists."""
    bound = signature(function).bind(*arguments, **options).arguments
    written = (f"{name}={getattr(value, 'tolist', lambda v=value: v)()!r}" for name, value in bound.items())
    return f"{function.__name__}({', '.join(written)})"
