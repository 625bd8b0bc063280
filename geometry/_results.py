"""Results of which two can be compared: bit by bit, as a whole, NaN like NaN."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy

from geometry._namespace import array_namespace, is_array_api_obj, library, to_numpy

__all__ = ["comparable", "same"]

Result = TypeVar("Result", bound=type)


def comparable(cls: Result) -> Result:
    """Decorator of a named tuple of arrays: ``==`` of two of them is True or False."""
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
    return not is_array_api_obj(other) and bool(one == other)


def _same_numbers(one: Any, other: Any) -> bool:
    libraries = [library(array_namespace(array)) for array in (one, other)]
    if libraries[0] != libraries[1] or one.dtype != other.dtype or one.shape != other.shape:
        return False
    numbers = [to_numpy(array) for array in (one, other)]
    return bool(numpy.all((numbers[0] == numbers[1]) | (numbers[0] != numbers[0]) & (numbers[1] != numbers[1])))
