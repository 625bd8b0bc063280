"""The table of fast paths. Each repeats a generic body of `geometry`, on the arrays of one library, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from geometry._namespace import Namespace, library

__all__ = ["KERNELS", "kernel"]

KERNELS = {
    ("dilation", "numpy"): "geometry._kernels.numba_dilation",
    ("dilation", "cupy"): "geometry._kernels.cupy_dilation",
    ("sine_and_cosine", "numpy"): "geometry._kernels.numba_waves",
}
"""(function, array library) → the module that has a function of that name."""


def kernel(name: str, xp: Namespace) -> Callable[..., Any] | None:
    """The fast path of a function for the arrays of a namespace, if there is one."""
    module = KERNELS.get((name, library(xp)))
    return None if module is None else getattr(import_module(module), name)
