"""The table of the functions that arrays of intervals have, by their names in the array API standard.

An argument is implemented or it is not in the signature, so that Python refuses it: nothing is swallowed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from typing import Any

import numpy

from geometry.certified._face import Face
from geometry.certified._truth import Truth

__all__ = ["TABLE", "by_numpy", "offered"]

TABLE: dict[str, Callable[..., Any]] = {}
ALIASES = {"amax": "max", "amin": "min", "around": "round", "fabs": "abs", "fix": "trunc", "float_power": "pow",
           "rint": "round", "transpose": "permute_dims"}  # fmt: skip
VIEWS = {"asarray", "astype", "broadcast_arrays", "broadcast_to", "expand_dims", "flip",
         "matrix_transpose", "moveaxis", "permute_dims", "reshape", "squeeze", "swapaxes", "unstack"}  # fmt: skip


def offered(function: Callable[..., Any]) -> Callable[..., Any]:
    """Enter a function into the table, under its name without the last underscore; of constants it is NumPy's own."""
    name = function.__name__.rstrip("_")
    function.__qualname__ = name  # in the messages of Python about arguments

    @wraps(function)
    def of_anything(*args: Any, **options: Any) -> Any:
        ours = [*_ours((args, tuple(options.values())))]
        if not ours:
            return _of_numpy(name)(*args, **options)
        shared = [(x, x.shared) for x in ours if isinstance(x, Face)]
        found = function(*args, **options)
        if name not in VIEWS:  # views that were taken on the way are gone
            for x, before in shared:
                x.shared = before
        return found

    TABLE[name] = of_anything
    return of_anything


def _ours(values: Iterable[Any]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, list | tuple):
            yield from _ours(value)
        elif isinstance(value, Face | Truth):
            yield value


def _of_numpy(name: str) -> Callable[..., Any]:
    found: Callable[..., Any] = getattr(numpy, name, None) or getattr(numpy.linalg, name)
    return found


def by_numpy(function: Any) -> Callable[..., Any]:
    """The function of the table that NumPy's function is: that very function, not one of the same name."""
    for room in (numpy, numpy.linalg):
        for name in (function.__name__, *(n for n in TABLE if getattr(room, n, None) is function)):
            if getattr(room, name, None) is function and ALIASES.get(name, name) in TABLE:
                return TABLE[ALIASES.get(name, name)]
    raise TypeError(f"the function {function.__name__} is not known for intervals")
