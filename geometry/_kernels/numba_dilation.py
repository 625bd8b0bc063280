"""Dilation by a ball for NumPy arrays: tables, threads, and the choice between the line and the tiles."""

from __future__ import annotations

from typing import NamedTuple

import numpy

from geometry._kernels.compiling import read_only
from geometry._kernels.jitted import (
    BLOCK,
    LANES,
    MARGIN,
    NARROW,
    ROWS,
    STRIP,
    Cap,
    Planes,
    line,
    refine,
    strips,
    tiles,
)
from geometry._kernels.shares import available_cores, shared

__all__ = ["dilation"]

LINE = 16384  # least number of samples in a task
SMALL = 250  # vectors per axis up to which it is quicker to take every sample under the ball


def dilation(
    source: numpy.ndarray,
    cap: numpy.ndarray,
    origin: tuple[int, ...],
    shape: tuple[int, ...],
    *,
    contact: bool = False,
    workers: int | None = None,
) -> tuple[numpy.ndarray, numpy.ndarray | None]:
    """As `geometry._dilation.dilation`, with a number of threads."""
    kept = source.dtype in (numpy.float32, numpy.float64)
    samples = numpy.ascontiguousarray(source, dtype=None if kept else numpy.float64)
    out = numpy.empty(shape, samples.dtype)
    contacts = numpy.empty(shape if contact else (0,) * len(shape), numpy.int64)
    roll(samples, cap, origin, out, contacts, workers or available_cores())
    return out.astype(source.dtype, copy=False), contacts if contact else None


def roll(
    samples: numpy.ndarray,
    cap: numpy.ndarray,
    origin: tuple[int, ...],
    out: numpy.ndarray,
    contacts: numpy.ndarray,
    workers: int,
) -> int:
    """Fill `out`, and `contacts` unless it is empty.

    Returns the number of evaluations: pairs of a sample and a place whose heights were added.
    """
    samples = read_only(samples)
    if samples.ndim > 1:
        return _over_planes(samples, cap, origin, out, contacts, workers)
    if not contacts.size and (cap.size <= NARROW + 1 or _is_concave(cap)):
        return _along_line(samples, cap, origin[0], out, workers)
    return _over_planes(samples[None], cap[None], (0, *origin), out[None], contacts[None], workers)


def _is_concave(weights: numpy.ndarray) -> bool:
    """Whether rounding has left the table concave. A rounded difference that is less is less before rounding."""
    slopes = numpy.diff(weights)
    return bool((slopes[1:] < slopes[:-1]).all())


def _along_line(samples: numpy.ndarray, cap: numpy.ndarray, origin: int, out: numpy.ndarray, workers: int) -> int:
    missing = max(0, LANES - samples.size)
    f = numpy.pad(samples.astype(numpy.float64, copy=False), (0, missing), constant_values=-numpy.inf)
    half, margin = cap.size - 1, 3 * LANES
    w = numpy.pad(numpy.concatenate([cap[:0:-1], cap]), margin, constant_values=-numpy.inf)

    def task(first: int, stop: int) -> int:
        best = numpy.empty((stop - first) // LANES + 2, numpy.int64)
        return line(f, w, half + margin, half, origin, first, stop, best, numpy.empty(LANES), out)

    return sum(shared(task, out.size, workers, max(LINE, min(half, -(-out.size // workers)))))


def _over_planes(
    samples: numpy.ndarray,
    cap: numpy.ndarray,
    origin: tuple[int, ...],
    out: numpy.ndarray,
    contacts: numpy.ndarray,
    workers: int,
) -> int:
    plane = out.shape[-2:]
    lead, start, extent = (numpy.asarray(n, numpy.int64) for n in (samples.shape[:-2], origin, out.shape))
    samples = samples.reshape(-1, *samples.shape[-2:])
    out, contacts = (a.reshape(-1, *plane) if a.size else numpy.empty((0, 0, 0), a.dtype) for a in (out, contacts))
    cost = _vectors(cap)
    if not contacts.size and cost <= SMALL * (cap.ndim - 1):
        count, (_, *ball) = out.shape[0] * -(-plane[0] // STRIP), _slices(cap)
        shared(lambda a, b: strips(samples, lead, *ball, start, extent, a, b, out), count, workers)
        return out.size * cost * BLOCK
    table = _cap(cap)
    planes = _planes(samples, lead, workers)
    count = out.shape[0] * -(-plane[0] // ROWS) * -(-plane[1] // LANES)
    return sum(shared(lambda a, b: tiles(planes, table, start, extent, a, b, out, contacts), count, workers))


def _vectors(cap: numpy.ndarray) -> int:
    """How many steps of BLOCK samples it takes to cover the ball."""
    signs = numpy.ones(cap.shape[:-1], int)
    for axis, size in enumerate(cap.shape[:-1]):
        signs *= numpy.where(numpy.arange(size) > 0, 2, 1).reshape((-1,) + (1,) * (cap.ndim - axis - 2))
    chords = 2 * (cap > -numpy.inf).sum(axis=-1) - 1
    return int((signs * -(-numpy.maximum(chords, 0) // BLOCK)).sum())


def _planes(samples: numpy.ndarray, lead: numpy.ndarray, workers: int) -> Planes:
    """What the tiles need to know of the samples."""
    count, down, across = samples.shape[0], *(-(-n // BLOCK) for n in samples.shape[1:])
    rows, rises = (numpy.empty((count, down, across, n)) for n in (BLOCK, 4 + 2 * lead.size))
    tops = numpy.empty((count, down, across))
    shared(lambda a, b: refine(samples, lead, a, b, rows, tops, rises), count * down, workers)
    return Planes(samples, rows, tops, rises, _coarse(numpy.maximum, tops), _coarse(numpy.minimum, rises), lead)


def _coarse(reduce: numpy.ufunc, blocks: numpy.ndarray) -> numpy.ndarray:
    """Blocks to superblocks."""
    for axis in (1, 2):
        blocks = reduce.reduceat(blocks, numpy.arange(0, blocks.shape[axis], BLOCK), axis=axis)
    return blocks


class Slices(NamedTuple):
    """A ball as what it is over planes."""

    inside: list[tuple[int, ...]]  # the distances, along the leading axes, of the planes that it reaches
    caps: numpy.ndarray  # (inside, |dy|, |dx|): its table over each of them
    leads: numpy.ndarray  # (neighbours, leading axes): offsets of the planes under the ball, nearest first
    which: numpy.ndarray  # (neighbours,): the table of each


def _slices(cap: numpy.ndarray) -> Slices:
    lead = cap.shape[:-2]
    inside = [place for place in numpy.ndindex(lead) if cap[place].max() > -numpy.inf]
    which = {place: u for u, place in enumerate(inside)}
    signed = [
        tuple(p - n + 1 for p, n in zip(place, lead, strict=True))
        for place in numpy.ndindex(*(2 * n - 1 for n in lead))
    ]
    leads = [offset for offset in signed if tuple(map(abs, offset)) in which]
    leads.sort(key=lambda offset: -cap[tuple(map(abs, offset))][0, 0])
    return Slices(
        inside,
        numpy.stack([cap[place] for place in inside]),
        numpy.asarray(leads, numpy.int64).reshape(len(leads), len(lead)),
        numpy.asarray([which[tuple(map(abs, offset))] for offset in leads], numpy.int64),
    )


def _cap(cap: numpy.ndarray) -> Cap:
    """The ball's table in the forms that the tiles read."""
    inside, caps, leads, which = _slices(cap)
    turned = numpy.ascontiguousarray(caps.transpose(0, 2, 1))
    tables = _mirrored(caps, MARGIN), _mirrored(turned, MARGIN), _drops(caps), _drops(turned)
    return Cap(*tables, *_losses(cap, inside), leads, which)


def _mirrored(caps: numpy.ndarray, margin: int) -> numpy.ndarray:
    """Both signs of the last axis, one more row and a margin of −inf."""
    both = numpy.concatenate([caps[..., :0:-1], caps], axis=-1)
    return numpy.pad(both, ((0, 0), (0, 1), (margin, margin)), constant_values=-numpy.inf)


def _losses(cap: numpy.ndarray, inside: list[tuple[int, ...]]) -> tuple[numpy.ndarray, numpy.ndarray]:
    """The most that a weight loses in the plane a step nearer, and a step farther, along each leading axis.

    In the nearer plane: at distances from (dy, dx) on, because there it is least for a concave cap. In the farther one:
    up to (dy, dx). The running maxima make both bounds hold for the rounded cap. Outside nothing is lost.
    """
    shape = (len(inside), cap.ndim - 2, *cap.shape[-2:])
    nearer, farther = numpy.full(shape, numpy.inf), numpy.full(shape, numpy.inf)
    for u, place in enumerate(inside):
        for axis, m in enumerate(place):
            for losses, other in ((nearer, m - 1), (farther, m + 1)):
                if 0 <= other < cap.shape[axis]:
                    neighbour = cap[(*place[:axis], other, *place[axis + 1 :])]
                    with numpy.errstate(invalid="ignore"):
                        lost = cap[place] - neighbour
                    losses[u, axis] = numpy.where(cap[place] == -numpy.inf, -numpy.inf, lost)
    for axis in (2, 3):
        nearer = numpy.flip(numpy.maximum.accumulate(numpy.flip(nearer, axis), axis), axis)
        farther = numpy.maximum.accumulate(farther, axis)
    return numpy.ascontiguousarray(nearer), farther


def _drops(caps: numpy.ndarray) -> numpy.ndarray:
    """The most by which w(d) exceeds w(d − 1) for steps of at least d along the last axis.

    Across that axis: for distances up to this one where d ≤ 0, and from this one on where d > 0. There it is largest
    for a concave cap, and the running maximum makes the bound hold for the rounded one. Outside nothing is lost.
    """
    wide = numpy.pad(caps, ((0, 0), (0, 0), (0, 1)), constant_values=-numpy.inf)
    both = numpy.concatenate([wide[..., :0:-1], caps], axis=-1)  # d from −half − 1 to half
    with numpy.errstate(invalid="ignore"):
        drops = numpy.where(both[..., 1:] == -numpy.inf, -numpy.inf, numpy.diff(both, axis=-1))
    drops = numpy.maximum.accumulate(drops[..., ::-1], axis=-1)[..., ::-1]
    inner = numpy.maximum.accumulate(drops, axis=1)
    outer = numpy.maximum.accumulate(drops[:, ::-1], axis=1)[:, ::-1]
    steps = numpy.arange(drops.shape[-1]) - (drops.shape[-1] // 2)
    return numpy.ascontiguousarray(numpy.where(steps <= 0, inner, outer))
