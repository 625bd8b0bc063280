"""Trajectories of balls, and the paper's inner loop, on CuPy's arrays, one item a thread: see `rolling`."""

from __future__ import annotations

from typing import Any

import cupy
import numpy

from geometry._kernels.cupy_loops import launched
from geometry._kernels.generated import Function
from geometry._kernels.rolls import Projection

__all__ = ["descent", "roll"]


def descent(
    function: Function,
    queries: cupy.ndarray,
    theta: cupy.ndarray,
    rates: cupy.ndarray | float,
    steps: int,
    *,
    workers: int | None = None,
) -> cupy.ndarray:
    """As `rolls.descent`, on the device of `theta` and in its current stream; `workers` is ignored."""
    with theta.device:
        batch, d = _batch(queries, theta, rates), theta.shape[-1]
        found = _rows(theta, batch, d)
        n, unused = len(found), {"SEARCHED": False, "NEWTON": False, "CARRIED": False}
        arguments = _rows(queries, batch, d + 1), _rows(rates, batch, 1), steps, n, found
        launched("rolling.cu", "descent", function, n, *arguments, **unused)
        return found.reshape(*batch, d)


def roll(
    function: Function,
    theta: cupy.ndarray,
    radius: cupy.ndarray | float,
    learning_rate: cupy.ndarray | float,
    steps: int,
    projection: tuple[Any, ...],
    *,
    carried: bool = False,
    workers: int | None = None,
) -> tuple[cupy.ndarray, cupy.ndarray, cupy.ndarray]:
    """As `rolls.roll`, on the device of `theta` and in its current stream; `workers` is ignored."""
    projection = Projection(*projection)
    hyper = radius, learning_rate, 0.0 if projection.rates is None else projection.rates
    with theta.device:
        batch, d = _batch(theta, *hyper), theta.shape[-1]
        balls = cupy.concatenate([_rows(number, batch, 1) for number in hyper], axis=-1)
        n, shape = len(balls), (steps + 1, *batch)
        thetas, heights, centers = (cupy.empty((steps + 1, n, *tail), cupy.float64) for tail in ((d,), (), (d + 1,)))
        thetas[0] = _rows(theta, batch, d)
        settings = -1.0 if projection.tolerance is None else float(projection.tolerance), projection.steps, steps, n
        defined = {"SEARCHED": projection.rates is None, "NEWTON": projection.newton, "CARRIED": carried}
        launched("rolling.cu", "roll", function, n, balls, *settings, thetas, heights, centers, **defined)
        return thetas.reshape(*shape, d), heights.reshape(shape), centers.reshape(*shape, d + 1)


def _batch(*arrays: Any) -> tuple[int, ...]:
    return numpy.broadcast_shapes(*(getattr(array, "shape", ())[:-1] for array in arrays))


def _rows(array: Any, batch: tuple[int, ...], size: int) -> cupy.ndarray:
    """A copy of an array (..., size), or a number, for each item: (n, size), contiguous."""
    rows = cupy.empty((*batch, size), cupy.float64)
    rows[...] = array
    return rows.reshape(-1, size)
