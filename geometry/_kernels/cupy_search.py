"""The searches of `search` on CuPy's arrays, one item a thread."""

from __future__ import annotations

import cupy

from geometry._kernels.cupy_loops import launched
from geometry._kernels.generated import Function

__all__ = ["search"]


def search(
    function: Function,
    queries: cupy.ndarray,
    starts: cupy.ndarray,
    newton: bool,
    tolerance: float | None,
    max_steps: int,
    *,
    workers: int | None = None,
) -> tuple[cupy.ndarray, ...]:
    """As `generated.search`, on the device of `starts` and in its current stream; `workers` is ignored."""
    n, d = starts.shape
    with starts.device:
        queries, starts = (cupy.ascontiguousarray(array, dtype=cupy.float64) for array in (queries, starts))
        theta, gradient = (cupy.empty((n, d), cupy.float64) for _ in range(2))
        value, steps, status = cupy.empty(n, cupy.float64), cupy.empty(n, cupy.int64), cupy.empty(n, cupy.int64)
        settings = -1.0 if tolerance is None else float(tolerance), max_steps, n
        results = theta, value, gradient, steps, status
        launched("search.cu", "search", function, n, queries, starts, *settings, *results, NEWTON=newton)
        return results
