"""Balls of one radius over a line of samples: which samples carry them. Plain Python, compiled where there is numba."""

from __future__ import annotations

import math

import numpy

__all__ = ["envelope", "handover"]


def envelope(
    f: numpy.ndarray,
    x: numpy.ndarray,
    radius: float,
    rounding: float,
    touched: numpy.ndarray,
) -> None:
    """Which samples are touched by a ball with its centre anywhere over the line.

    From some place on a sample carries the ball rather than one before it: see `handover`. So the samples that are
    touched are a stack, from which a new one takes those that would carry the ball only behind itself.

    Parameters
    ----------
    f : array (n,)
        Heights; +inf keeps balls away and is not touched, −inf is no sample.
    x : array (n,)
        Positions, increasing.
    radius, rounding : float
        The ball's, and by how much places may be off.
    touched : array (n,) of bool
        All False; the result.
    """
    stack, start = numpy.empty(len(f), numpy.int64), numpy.empty(len(f))
    size = 0
    for j in range(len(f)):
        if f[j] == -numpy.inf:
            continue
        place = x[j] - radius
        while size > 0:
            i = stack[size - 1]
            place = x[j] - radius
            if x[j] - x[i] < 2 * radius:
                place = handover(x[j] - x[i], f[i], f[j], radius) + x[i]
            if place >= start[size - 1] - rounding:
                break
            size -= 1
        stack[size], start[size] = j, place if size > 0 else x[j] - radius
        size += 1
    for k in range(size):
        touched[stack[k]] = f[stack[k]] < numpy.inf


def handover(step: float, low: float, high: float, radius: float) -> float:
    """The place, counted from the first of two samples, from which on the second carries the ball."""
    rise = 0.0 if high == low else high - low  # of two walls, too
    length = math.hypot(step, rise)
    if length == 0:  # of a step that is nothing beside the ball
        return 0.0
    if length / 2 <= radius:
        far = math.sqrt(radius - length / 2) * math.sqrt(radius + length / 2)  # from the middle; no square overflows
        center = rise / 2 + step / length * far  # above the first
        if center >= max(rise, 0.0):
            return step / 2 - rise / length * far
    return step - radius if rise > 0 else radius
