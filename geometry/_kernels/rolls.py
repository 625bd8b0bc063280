"""Trajectories of balls, and the paper's inner loop, compiled with a recorded function: see `rolling`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy

from geometry._kernels import rolling
from geometry._kernels.generated import Function, Pointer, functions, searching
from geometry._kernels.search import ANY, ENOUGH
from geometry._kernels.shares import available_cores, shared

__all__ = ["Projection", "descent", "roll"]

TASKS = 8
"""Shares of the items for each thread."""
LEAST, MOST = 10**5, 10**9
"""Numbers made in one call: less is not worth a thread; more would keep Ctrl-C waiting for a second."""
OVERHEAD, SEARCH = 30, 10
"""Numbers that an evaluation is worth besides those of the function; evaluations that a search takes."""


class Projection(NamedTuple):
    """How a ball finds its contact: by inner steps of the rates (...), or by a search if there are none."""

    rates: numpy.ndarray | float | None
    steps: int
    newton: bool = False
    tolerance: float | None = None


def descent(
    function: Function,
    queries: numpy.ndarray,
    theta: numpy.ndarray,
    rates: numpy.ndarray | float,
    steps: int,
    *,
    workers: int | None = None,
) -> numpy.ndarray:
    """As `geometry.Descent`, for a recorded function of d variables.

    Parameters
    ----------
    function : Expression
    queries : array (..., d+1)
    theta : array (..., d)
        Where to start.
    rates : array (..., 1) or float
    steps : int
    workers : int, optional
        Number of threads; default: as many as there are cores.

    Returns
    -------
    array (..., d)
        The same to the bit for any number of workers, and whatever else is in the batch.
    """
    batch = numpy.broadcast_shapes(queries.shape[:-1], theta.shape[:-1], numpy.shape(rates)[:-1])
    d = theta.shape[-1]
    found = _rows(theta, batch, d).copy()
    points, rates = _rows(queries, batch, d + 1), _rows(rates, batch, 1)[:, 0].copy()
    (first_order,) = functions(function, 1)

    def run(since: int, until: int, first: int, stop: int) -> None:
        rolling.descent(first_order, points, rates, until - since, first, stop, found)

    _run(run, function, len(found), steps, 1, workers)
    return found.reshape(*batch, d)


def roll(
    function: Function,
    theta: numpy.ndarray,
    radius: numpy.ndarray | float,
    learning_rate: numpy.ndarray | float,
    steps: int,
    projection: tuple[Any, ...],
    *,
    carried: bool = False,
    workers: int | None = None,
) -> tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray]:
    """As `rbo_ref.trajectory` of a ball, for a recorded function of d variables.

    Parameters
    ----------
    function : Expression
    theta : array (..., d)
        Where to start.
    radius, learning_rate : array (..., 1) or float
    steps : int
    projection : Projection
    carried : bool
        Whether the centre is carried from step to step: the variant "distance".
    workers : int, optional
        Number of threads; default: as many as there are cores.

    Returns
    -------
    theta (steps+1, ..., d), height (steps+1, ...), center (steps+1, ..., d+1)
        The same to the bit for any number of workers, and whatever else is in the batch.
    """
    projection = Projection(*projection)
    searched = projection.rates is None
    hyper = radius, learning_rate, 0.0 if projection.rates is None else projection.rates
    batch = numpy.broadcast_shapes(theta.shape[:-1], *(numpy.shape(h)[:-1] for h in hyper))
    d = theta.shape[-1]
    balls = numpy.concatenate([_rows(h, batch, 1) for h in hyper], axis=-1)
    n = len(balls)
    thetas, heights, centers = (numpy.empty((steps + 1, n, *tail)) for tail in ((d,), (), (d + 1,)))
    thetas[0] = _rows(theta, batch, d)
    orders = functions(function, 1, 2 if projection.newton else 1)
    settings = carried, searched, projection.newton, ENOUGH if projection.tolerance is None else projection.tolerance

    search = searching(d) if searched else Pointer(orders[0].function, told=ANY)  # which is not called, nor compiled

    def run(since: int, until: int, first: int, stop: int) -> None:
        span = projection.steps, since, until, first, stop
        rolling.roll(*orders, search, *settings, *span, balls, thetas, heights, centers)

    _run(run, function, n, steps, 1 + (SEARCH if searched else projection.steps), workers)
    shape = steps + 1, *batch
    return thetas.reshape(*shape, d), heights.reshape(shape), centers.reshape(*shape, d + 1)


def _rows(array: Any, batch: tuple[int, ...], size: int) -> numpy.ndarray:
    """An array (..., size), or a number, for each item: (n, size), contiguous."""
    return numpy.require(numpy.broadcast_to(array, (*batch, size)).reshape(-1, size), numpy.float64, ["C", "W"])


def _run(
    run: Callable[[int, int, int, int], None],
    function: Function,
    count: int,
    steps: int,
    evaluations: int,
    workers: int | None,
) -> None:
    """run(since, until, first, stop) for all steps of all items, in shares between which Ctrl-C is heard."""
    workers = workers or available_cores()
    work = (function.cost + OVERHEAD) * evaluations  # of an item's step
    size = max(1, min(max(-(-count // (TASKS * workers)), LEAST // (work * max(steps, 1))), MOST // work))
    stride = max(1, MOST // (work * size))
    for since in range(0, steps, stride):
        shared(partial(run, since, min(since + stride, steps)), count, workers, size)
