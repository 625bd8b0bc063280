"""The texts that CuPy compiles, and their launch: a recorded function, the loops that numba compiles, and a kernel."""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import cupy

from geometry._kernels import rolling, search
from geometry._kernels.generated import Function
from geometry._kernels.translation import PRELUDE, translated

__all__ = ["launched", "options", "text"]

THREADS = 64  # each has some hundred numbers of its own
MOST = 2**31 - 1  # thread blocks of a launch; the kernels go on from there
LOOPS = {
    "search.cu": (search.find, search.workspace),
    "rolling.cu": (
        *(search.find, search.workspace, rolling._evaluated, rolling._descend, rolling._stand),
        *(rolling._push, rolling._slide, rolling._copy),
    ),
}
"""What each file of kernels calls."""
ORDER = """\
struct Order{order} {{
    __device__ double operator()(const double *x, double *g, double *h) const {{ return order_{order}(x, g, h); }}
}};
"""


def launched(file: str, kernel: str, function: Function, count: int, *arguments: Any, **defined: bool) -> None:
    """Launch a kernel of a file for `count` items, on the current device and in its current stream."""
    if count:
        run = _compiled(file, kernel, function, tuple(sorted(defined.items())))
        run((min(-(-count // THREADS), MOST),), (THREADS,), arguments)


@lru_cache(maxsize=128)
def _compiled(file: str, kernel: str, function: Function, defined: tuple[tuple[str, bool], ...]) -> Any:
    module = cupy.RawModule(code=text(file, function), options=options(function, **dict(defined)))
    return module.get_function(kernel)


def text(file: str, function: Function) -> str:
    """A function and its derivatives, the loops over them, and the kernels that call these."""
    orders = (function.source("cuda", order=n, name=f"order_{n}") + ORDER.format(order=n) for n in (1, 2))
    return "".join([*orders, _loops(file)])


@cache
def _loops(file: str) -> str:
    names = f"enum {{ THETA = {search.THETA}, GRADIENT = {search.GRADIENT} }};\n"
    kernels = Path(__file__).with_name(file).read_text(encoding="utf-8")
    return "\n".join([PRELUDE, translated(*LOOPS[file]), names, kernels])


def options(function: Function, **defined: bool) -> tuple[str, ...]:
    """What the compiler is told. Sums are rounded by themselves, as on the CPU."""
    return "-std=c++17", "--fmad=false", f"-DD={function.d}", *(f"-D{key}={int(x)}" for key, x in defined.items())
