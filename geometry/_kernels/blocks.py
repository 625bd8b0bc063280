"""Recorded functions at many θ at once: compiled blocks, which the searches of `maxima` call by their addresses."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Protocol

import numpy
from numba import types

from geometry._kernels import generated
from geometry._kernels.shares import available_cores, shared

__all__ = ["BLOCK", "LEAST", "ONE", "WORTH", "Function", "block", "evaluate"]

VECTOR, MATRIX = types.float64[::1], types.float64[:, ::1]
ONE, BLOCK = types.float64(VECTOR, VECTOR, VECTOR), types.void(MATRIX, VECTOR, MATRIX, MATRIX)
"""value = one(x, g, h): ∇f goes to g, ∇²f, row by row, to h; block(x, values, g, h) does so for each row of x."""
LEAST, WORTH = 64, 10**6
"""Points that a thread takes at once: so many at least, and so many that it makes about this count of numbers."""
HEAD = """\
from geometry._kernels.blocks import BLOCK, ONE
from geometry._kernels.elementary import cos, exp, is_far, sin
from geometry._kernels.compiling import compiled

"""
DECORATED = {"order": "@compiled(ONE, error_model='numpy')\n"}
DECORATED["block"] = "@compiled(BLOCK, error_model='numpy')\n"


class Function(generated.Function, Protocol):
    """What is compiled: `geometry.expressions.Expression`."""

    def block_source(self, *, order: int, name: str, one: str) -> str: ...


def evaluate(
    function: Function, theta: numpy.ndarray, order: int, *, workers: int | None = None
) -> tuple[numpy.ndarray, ...]:
    """As `value`, `gradient` and `hessian` of `geometry.expressions.Expression`, up to an order.

    Parameters
    ----------
    function : Expression
    theta : array (..., d), float64
    order : {0, 1, 2}
    workers : int, optional
        Number of threads; default: as many as there are cores.

    Returns
    -------
    value (...), gradient (..., d), hessian (..., d, d)
        So many of them. The same to the bit for any number of workers, and whatever else is in the batch.
    """
    shape, d = theta.shape[:-1], theta.shape[-1]
    x = numpy.require(theta.reshape(-1, d), numpy.float64, ["C", "W"])
    run, n = block(function, order), len(x)
    results = [numpy.empty((n, size)) for size in (1, d if order else 0, d * d if order == 2 else 0)]

    def task(first: int, stop: int) -> None:
        values, slopes, bends = (result[first:stop] for result in results)
        run(x[first:stop], values.reshape(-1), slopes, bends)

    shared(task, n, workers or available_cores(), max(LEAST, WORTH // max(1, function.cost)))
    shapes = shape, (*shape, d), (*shape, d, d)
    return tuple(results[k].reshape(shapes[k]) for k in range(order + 1))


@lru_cache(maxsize=128)
def block(function: Function, order: int) -> Any:
    """f, with its derivatives up to an order, compiled for many θ: see `BLOCK`."""
    one, name = f"order_{order}", f"block_{order}"
    text = function.source("numba", order=order, name=one) + function.block_source(order=order, name=name, one=one)
    for what, decorator in DECORATED.items():
        text = text.replace(f"def {what}_{order}(", f"{decorator}def {what}_{order}(")
    return getattr(generated._module(HEAD + text), name)
