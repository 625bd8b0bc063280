"""The searches of `search` on CuPy's arrays, one item a thread."""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import cupy

from geometry._kernels import search as compiled_search
from geometry._kernels.generated import Function
from geometry._kernels.translation import PRELUDE, translated

__all__ = ["search"]

KERNEL = Path(__file__).with_name("search.cu")
THREADS = 64  # each has some hundred numbers of its own
MOST = 2**31 - 1  # thread blocks of a launch; the kernel goes on from there


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
        if n:
            blocks = min(-(-n // THREADS), MOST)
            results = theta, value, gradient, steps, status
            _kernel(function, newton)((blocks,), (THREADS,), (queries, starts, *settings, *results))
        return theta, value, gradient, steps, status


@lru_cache(maxsize=128)
def _kernel(function: Function, newton: bool) -> Any:
    return cupy.RawModule(code=text(function), options=options(function.d, newton)).get_function("search")


def text(function: Function) -> str:
    """All that is compiled."""
    orders = (function.source("cuda", order=order, name=f"order_{order}") for order in (1, 2))
    return "".join(["", *orders, _loop()])


@cache
def _loop() -> str:
    names = "".join(f"enum {{ {name} = {getattr(compiled_search, name)} }};\n" for name in ("THETA", "GRADIENT"))
    loop = translated(compiled_search.find, compiled_search.workspace)
    return "\n".join([PRELUDE, loop, names, KERNEL.read_text(encoding="utf-8")])


def options(d: int, newton: bool) -> tuple[str, ...]:
    """What the compiler is told. Sums are rounded by themselves, as on the CPU."""
    return "-std=c++17", "--fmad=false", f"-DD={d}", f"-DNEWTON={int(newton)}"
