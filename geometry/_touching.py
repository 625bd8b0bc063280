"""Which samples a ball can touch with its centre anywhere: along lines, and in planes."""

from __future__ import annotations

import math

import numpy

from geometry._ball import EPSILON
from geometry._kernels import arcs, caps, kernel

__all__ = ["touched_in_plane", "touched_on_line"]

NOISE = 8  # units of the last place that two ends of an interval may be apart by rounding


def touched_on_line(f: numpy.ndarray, x: numpy.ndarray, radius: float) -> numpy.ndarray:
    """Of heights (lines, n) at positions (n,): see `arcs.envelope`."""
    found, rounding = numpy.zeros(f.shape, dtype=bool), NOISE * EPSILON * (radius + abs(x).max(initial=0.0))
    run = kernel("envelope", numpy) or arcs.envelope
    for line, touched in zip(f, found, strict=True):
        run(line, x, radius, rounding, touched)
    return found


def touched_in_plane(f: numpy.ndarray, steps: numpy.ndarray, radius: float, known: numpy.ndarray) -> numpy.ndarray:
    """Of heights (planes, ny, nx) with steps (2,), beside those that are known to be: see `caps.touched`."""
    found, steps, run = known & (f < numpy.inf), steps / radius, kernel("touched", numpy) or _uncompiled
    for plane, touched in zip(f / radius, found, strict=True):
        run(plane, _offsets(steps, plane.shape), steps, touched)
    return found


def _uncompiled(f: numpy.ndarray, offsets: numpy.ndarray, steps: numpy.ndarray, found: numpy.ndarray) -> None:
    caps.touched(f, offsets, steps, found, 0, len(f))


def _offsets(steps: numpy.ndarray, shape: tuple[int, ...]) -> numpy.ndarray:
    """To all samples nearer than 2 but the sample itself, (m, 2), the nearest first."""
    far = [min(math.ceil(2 / step), n - 1) for step, n in zip(steps, shape, strict=True)]
    offsets = numpy.stack(numpy.meshgrid(*(numpy.arange(-m, m + 1) for m in far), indexing="ij"), axis=-1).reshape(
        -1, 2
    )
    squares = ((offsets * steps) ** 2).sum(axis=-1)
    offsets = offsets[numpy.argsort(squares, kind="stable")]
    return offsets[1 : numpy.count_nonzero(squares < 4)]
