"""What makes two computations the same: formulas, arguments and versions, alike in every process."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy

from geometry import FunctionGraph
from geometry.expressions import record
from rbo_ref._sources import versions

__all__ = ["identity_of", "identity_of_loss", "identity_of_versions"]

OURS = ("geometry", "rbo_ref")  # whose sources are in `identity_of_versions`
LIBRARIES = ("numpy", "scipy", "numba", "llvmlite")


def identity_of_versions() -> str:
    """Of the code and the libraries that compute."""
    return versions(LIBRARIES)


def identity_of_loss(loss: FunctionGraph, d: int) -> list[Any]:
    """The formula of a loss of d variables.

    Raises
    ------
    TypeError
        If it cannot be recorded, or came with derivatives of its own, which no formula vouches for.

    Examples
    --------
    >>> one, two = (FunctionGraph(lambda t, a=a: a * (t**2).sum(-1)) for a in (1.0, 2.0))
    >>> identity_of_loss(one, 2) == identity_of_loss(two, 2)
    False
    """
    if loss.given != {"value"}:
        raise TypeError(f"{loss.name} came with {', '.join(sorted(loss.given - {'value'}))} of its own")
    return ["formula", record(loss.function, d).digest, loss.compile]


def identity_of(value: Any) -> Any:
    """The value of an argument, in lists and texts: numbers and arrays to the bit, our own objects by their fields.

    Raises
    ------
    TypeError
        For functions and for objects whose code we do not know.

    Examples
    --------
    >>> identity_of([0.1, None])
    ['list', 'float 0x1.999999999999ap-4', 'None']
    """
    if value is None or isinstance(value, bool | int | str):
        return f"{type(value).__name__} {value!r}" if value is not None else "None"
    if isinstance(value, float):
        return f"float {value.hex()}"
    if isinstance(value, numpy.ndarray | numpy.generic):
        array = numpy.asarray(value)
        if array.dtype.hasobject:
            raise TypeError("an array of objects")
        return ["array", array.dtype.str, list(array.shape), array.tobytes().hex()]
    if isinstance(value, list | tuple) and type(value) in (list, tuple):
        return [type(value).__name__, *map(identity_of, value)]
    if isinstance(value, Mapping):
        return ["mapping", *sorted([str(key), identity_of(part)] for key, part in value.items())]
    return _identity_of_ours(value)


def _identity_of_ours(value: Any) -> list[Any]:
    kind = type(value)
    if kind.__module__.partition(".")[0] not in OURS or isinstance(value, type | types.FunctionType):
        raise TypeError(f"{kind.__module__}.{kind.__qualname__} is code that no version of ours covers")
    if is_dataclass(value):
        parts = {field.name: getattr(value, field.name) for field in fields(value)}
    elif isinstance(value, tuple):
        parts = {str(i): part for i, part in enumerate(value)}
    else:
        parts = vars(value)
    return [f"{kind.__module__}.{kind.__qualname__}", identity_of(parts)]
