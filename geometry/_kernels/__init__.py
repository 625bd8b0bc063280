"""The table of fast paths. Each repeats a generic body of `geometry`, on the arrays of one library.

Arrays of other libraries in the same memory are lent to it: see `geometry._lending`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

from geometry._namespace import Namespace, library

__all__ = ["KERNELS", "kernel"]

KERNELS = {
    ("climb", "numpy"): "geometry._kernels.peaks",
    ("descent", "numpy"): "geometry._kernels.rolls",
    ("descent", "cupy"): "geometry._kernels.cupy_rolls",
    ("dilation", "numpy"): "geometry._kernels.numba_dilation",
    ("dilation", "cupy"): "geometry._kernels.cupy_dilation",
    ("elementwise", "numpy"): "geometry._kernels.elementwise",
    ("envelope", "numpy"): "geometry._kernels.profiles",
    ("evaluate", "numpy"): "geometry._kernels.blocks",
    ("look", "numpy"): "geometry._kernels.peaks",
    ("nearest", "numpy"): "geometry._kernels.nearest",
    ("profile_dilation", "numpy"): "geometry._kernels.profiles",
    ("rest", "numpy"): "geometry._kernels.peaks",
    ("roll", "numpy"): "geometry._kernels.rolls",
    ("roll", "cupy"): "geometry._kernels.cupy_rolls",
    ("search", "numpy"): "geometry._kernels.generated",
    ("search", "cupy"): "geometry._kernels.cupy_search",
    ("touch", "numpy"): "geometry._kernels.peaks",
    ("touched", "numpy"): "geometry._kernels.profiles",
}
"""(function, array library) → the module that has a function of that name."""


def kernel(name: str, xp: Namespace) -> Callable[..., Any] | None:
    """The fast path of a function for the arrays of a namespace; None where there is none, or it cannot be compiled."""
    module = KERNELS.get((name, library(xp)))
    found = None if module is None else _imported(module)
    return None if found is None else getattr(found, name)


@cache
def _imported(module: str) -> ModuleType | None:
    """The module, unless its compiler is missing, broken, too old for this NumPy, or switched off."""
    try:
        return import_module(module)
    except (ImportError, OSError):
        return None
