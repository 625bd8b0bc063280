"""Balls of one radius over a plane of samples: which samples carry them. Plain Python, compiled where there is numba.

A ball of radius 1 that touches the sample P with its centre in direction u holds no sample Q if 2u·(Q − P) ≤ |Q − P|².
Of v = 2u that is a half-space, and 0 is in all of them. So a ball can touch P from above if the convex polyhedron

    v_z ≥ 0,    v·(Q − P) ≤ |Q − P|²    for all Q

reaches as far as |v| = 2, which some corner then does. What is under a sample is solid: there are as many Q as a column
has points, of which that at the height of the ball's centre is nearest to it.
"""

from __future__ import annotations

import math

import numpy

__all__ = ["ROOM", "carries", "clip", "cut", "height", "shared_sides", "touched"]

CUTS = 32  # of one column, each of which halves what is left of it to cut at least
ROOM = 2048  # corners of a polyhedron: some 200 are usual, most of them of columns
FAR = 4.0  # sides of the first polyhedron, beyond |v| = 2
TOUCH = 1e-9  # part of |v|² by which a ball may be smaller that touches others, too, by rounding
NOISE = 1e-12  # how far beyond a half-space a corner may be by rounding


def height(normal: numpy.ndarray, point: numpy.ndarray) -> float:
    """normal·point"""
    return normal[0] * point[0] + normal[1] * point[1] + normal[2] * point[2]


def shared_sides(a: numpy.ndarray, b: numpy.ndarray) -> tuple[int, int]:
    """Two sides that meet in both corners; −1 for each that there is not."""
    first = second = -1
    for i in range(3):
        for k in range(3):
            if a[i] == b[k]:
                first, second = a[i], first
    return first, second


def clip(
    normal: numpy.ndarray,
    level: float,
    number: int,
    corners: numpy.ndarray,
    owners: numpy.ndarray,
    count: int,
) -> int:
    """The corners with normal·v ≤ level, and those of the new side; how many there are.

    Parameters
    ----------
    normal : array (3,)
        A unit vector.
    level : float
    number : int
        Of the new side.
    corners : array (ROOM, 3)
        Of a convex polyhedron. Two that share two sides are the ends of an edge.
    owners : array (ROOM, 3) of int
        The sides that meet in each corner.
    count : int
        How many corners there are.
    """
    kept = 0
    for k in range(count):  # those that are kept come first
        if height(normal, corners[k]) <= level + NOISE:
            for axis in range(3):
                corners[k, axis], corners[kept, axis] = corners[kept, axis], corners[k, axis]
                owners[k, axis], owners[kept, axis] = owners[kept, axis], owners[k, axis]
            kept += 1
    if kept == count:
        return count
    end = count
    for out in range(kept, count):
        beyond = height(normal, corners[out]) - level
        for k in range(kept):
            first, second = shared_sides(owners[out], owners[k])
            if second < 0:
                continue
            if end == len(corners):
                raise RuntimeError("a polyhedron has more corners than there is room for")
            part = beyond / (beyond - min(height(normal, corners[k]) - level, 0.0))
            for axis in range(3):
                corners[end, axis] = corners[out, axis] + part * (corners[k, axis] - corners[out, axis])
            owners[end, 0], owners[end, 1], owners[end, 2] = first, second, number
            end += 1
    for k in range(end - count):  # over those that are cut off
        for axis in range(3):
            corners[kept + k, axis], owners[kept + k, axis] = corners[count + k, axis], owners[count + k, axis]
    return kept + end - count


def cut(
    sample: numpy.ndarray,
    number: int,
    corners: numpy.ndarray,
    owners: numpy.ndarray,
    count: int,
) -> int:
    """The corners that are left beside a column up to a sample (3,), those with |v| < 2 as they may be; 0 for none."""
    normal = numpy.empty(3)
    for _ in range(CUTS):
        worst, most, far = -1, NOISE, False
        for k in range(count):
            x, y, z = corners[k]
            if x * x + y * y + z * z < 4 * (1 - TOUCH):
                continue
            far, top = True, min(z / 2, sample[2])
            square = sample[0] * sample[0] + sample[1] * sample[1] + top * top
            inside = (sample[0] * x + sample[1] * y + top * z - square) / math.sqrt(square)
            if inside > most:
                worst, most = k, inside
        if not far:
            return 0
        if worst < 0:
            break
        normal[0], normal[1], normal[2] = sample[0], sample[1], min(corners[worst, 2] / 2, sample[2])
        size = math.sqrt(normal[0] ** 2 + normal[1] ** 2 + normal[2] ** 2)
        for axis in range(3):
            normal[axis] /= size
        count = clip(normal, size, number, corners, owners, count)
        number += 1
    return count


def carries(
    f: numpy.ndarray,
    row: int,
    column: int,
    offsets: numpy.ndarray,
    steps: numpy.ndarray,
    corners: numpy.ndarray,
    owners: numpy.ndarray,
) -> bool:
    """Whether a ball of radius 1 can touch a sample, from above."""
    for k in range(8):  # the corners of [−FAR, FAR]² × [0, FAR]
        for axis in range(3):
            high = (k >> axis) & 1
            corners[k, axis] = FAR if high else (-FAR if axis < 2 else 0.0)
            owners[k, axis] = 2 * axis + high
    count, number, sample = 8, 6, numpy.empty(3)
    for n in range(len(offsets)):
        i, j = row + offsets[n, 0], column + offsets[n, 1]
        if not (0 <= i < f.shape[0] and 0 <= j < f.shape[1]) or f[i, j] == -numpy.inf:
            continue
        sample[0], sample[1], sample[2] = offsets[n, 0] * steps[0], offsets[n, 1] * steps[1], f[i, j] - f[row, column]
        count = cut(sample, number, corners, owners, count)
        number += CUTS
        if count == 0:
            return False
    return True


def touched(
    f: numpy.ndarray, offsets: numpy.ndarray, steps: numpy.ndarray, found: numpy.ndarray, first: int, stop: int
) -> None:
    """Of the samples in rows first, ..., stop − 1 that are not found yet, whether each carries a ball of radius 1.

    Parameters
    ----------
    f : array (ny, nx)
        Heights; +inf keeps balls away and is not touched, −inf is no sample.
    offsets : array (m, 2) of int
        To all samples nearer than 2 in the plane but the sample itself, the nearest first.
    steps : array (2,)
        Distances of neighbouring samples.
    found : array (ny, nx) of bool
        What is known to be touched; the result.
    """
    corners, owners = numpy.empty((ROOM, 3)), numpy.empty((ROOM, 3), numpy.int64)
    for row in range(first, stop):
        for column in range(f.shape[1]):
            if not found[row, column] and -numpy.inf < f[row, column] < numpy.inf:
                found[row, column] = carries(f, row, column, offsets, steps, corners, owners)
