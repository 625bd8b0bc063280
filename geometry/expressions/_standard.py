"""The namespace of recorded arrays: what `__array_namespace__` gives, and where NumPy's functions are sent to."""

from __future__ import annotations

import math
import types
from typing import Any

import numpy

from geometry.expressions import _products, _rearranging, _reductions
from geometry.expressions._functions import FUNCTIONS, apply
from geometry.expressions._recorder import Recorded, RecordingError, refuse

__all__ = ["namespace"]

ROOMS = (_products, _rearranging, _reductions)  # imported so that their functions are entered
INSTEAD = {
    "argmax": "write max, or where(condition, a, b)",
    "argmin": "write min, or where(condition, a, b)",
    "argsort": "sort at most 16 numbers with sort",
    "nonzero": "write where(condition, a, b)",
    "searchsorted": "write where(condition, a, b)",
    "sinc": "write sin(pi*x) / (pi*x) where x is not 0; at 0 give the gradient yourself",
}


def _refused(said: str, name: str) -> RecordingError:
    return refuse(said, INSTEAD.get(name, "write it in functions of the array API standard, or hand over a gradient"))


class _Linalg:
    """The part of the namespace that is called `linalg`."""

    def __getattr__(self, name: str) -> Any:
        if f"linalg.{name}" in FUNCTIONS:
            return FUNCTIONS[f"linalg.{name}"]
        if name in ("diagonal", "matrix_transpose"):
            return FUNCTIONS[name]
        if name.startswith("__"):
            raise AttributeError(name)
        raise _refused(f"linalg.{name}", name)


class _Namespace(types.ModuleType):
    """Functions of the array API standard, on recorded arrays."""

    linalg = _Linalg()
    pi, e, inf, nan, newaxis = math.pi, math.e, math.inf, math.nan, None
    bool, int64, float32, float64 = map(numpy.dtype, ("bool", "int64", "float32", "float64"))
    apply = staticmethod(apply)

    def __getattr__(self, name: str) -> Any:
        if name in FUNCTIONS:
            return FUNCTIONS[name]
        if name.startswith("__"):
            raise AttributeError(name)
        raise _refused(f"the function {name}", name)

    def call(self, said: str, name: str, arguments: Any, options: Any) -> Any:
        """A function by its name, and as the user called it."""
        if name not in FUNCTIONS:
            raise _refused(said, name)
        try:
            return FUNCTIONS[name](*arguments, **options)
        except RecordingError:
            raise
        except TypeError as error:
            raise refuse(f"{said} with these arguments ({error})") from error

    def __array_namespace_info__(self) -> Any:
        return numpy.__array_namespace_info__()


namespace = _Namespace(__name__, _Namespace.__doc__)
Recorded.functions = namespace
