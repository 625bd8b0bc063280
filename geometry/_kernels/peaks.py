"""Global maxima of compiled functions: where to climb from, and the climbs. The loops are in `maxima`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy

from geometry._kernels import maxima
from geometry._kernels.blocks import LEAST, WORTH, Function, block
from geometry._kernels.shares import available_cores, shared

__all__ = ["climb", "look", "rest", "touch"]

Found = tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray]
KINDS = {"resting": (maxima.RESTING, 0), "touching": (maxima.TOUCHING, 0), "bending": (maxima.BENDING, 2)}
"""What is maximised, and the order of the derivatives that it takes."""


def look(
    kind: str, function: Function, items: numpy.ndarray, places: numpy.ndarray, *, workers: int | None = None
) -> numpy.ndarray:
    """What is maximised for items (b, m) at the same places (n, d): (b, n)."""
    (number, order), values = KINDS[kind], numpy.empty((len(items), len(places)))
    run, places = block(function, order), numpy.require(places, numpy.float64, ["C", "W"])

    def task(first: int, stop: int) -> None:
        maxima.look(number, run, items, places, first, stop, values)

    shared(task, len(places), workers or available_cores(), max(LEAST, WORTH // max(1, function.cost)))
    return values


def rest(
    function: Function,
    items: numpy.ndarray,
    samples: Sequence[Any],
    peaks: int,
    starts: int,
    *,
    workers: int | None = None,
) -> Found:
    """As `geometry.offsets._starts`, for balls (θ, ρ) (b, d+1) and a set of samples a sweep."""
    points, neighbors, spacings = _stacked(samples)
    results, run = _empty(len(items), starts + 1, points.shape[2]), block(function, 0)

    def task(first: int, stop: int) -> None:
        maxima.rest(run, items, points, neighbors, spacings, peaks, first, stop, *results)

    return _shared(task, results, len(items), workers)


def touch(
    function: Function, items: numpy.ndarray, bends: numpy.ndarray, samples: Sequence[Any], away: numpy.ndarray,
    sizes: numpy.ndarray, peaks: int, starts: int, *, workers: int | None = None,
) -> Found:  # fmt: skip
    """As `sampled` over `geometry.reachability._sweeps`.

    `items` (b, 4d+3) hold contacts, normals, noise and bounds, `bends` (b,) the curvatures there. Where nothing is
    known a sweep looks at the points `away` (sweeps, n, d) from the contact, of spacings `sizes` (sweeps, n), if any.
    """
    points, neighbors, spacings = _stacked(samples)
    results, run = _empty(len(items), starts, points.shape[2]), block(function, 0)

    def task(first: int, stop: int) -> None:
        maxima.touch(
            run, items, bends, points, away, sizes, neighbors, spacings, peaks, first, stop, *results
        )  # fmt: skip

    return _shared(task, results, len(items), workers)


def climb(
    kind: str, function: Function, items: numpy.ndarray, starts: Found, resolution: numpy.ndarray,
    deviates: numpy.ndarray, weights: numpy.ndarray, rates: Sequence[float], *, workers: int | None = None,
) -> Found:  # fmt: skip
    """As `geometry._maximum.climb`, of what is maximised for some items: see `maxima`."""
    values, places, spacing = (numpy.array(a, dtype=numpy.float64, order="C") for a in starts)
    settings = deviates, weights, numpy.array(rates), spacing, numpy.ascontiguousarray(resolution)
    number, order = KINDS[kind]
    run, count = block(function, order), values.size

    def task(first: int, stop: int) -> None:
        maxima.climb(number, run, items, *settings, first, stop, values, places)

    return _shared(task, (values, places, spacing), count, workers)


def _stacked(samples: Sequence[Any]) -> tuple[numpy.ndarray, ...]:
    points, neighbors, spacings = zip(*samples, strict=True)
    return numpy.stack(points), numpy.stack(neighbors), numpy.array(spacings)


def _empty(items: int, starts: int, d: int) -> Found:
    return numpy.empty((items, starts)), numpy.empty((items, starts, d)), numpy.empty((items, starts))


def _shared(task: Callable[[int, int], None], results: Found, count: int, workers: int | None) -> Found:
    """The results of a task on items, one of which is work for milliseconds."""
    shared(task, count, workers or available_cores())
    return results
