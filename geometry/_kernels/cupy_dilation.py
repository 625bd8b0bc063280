"""Dilation by a ball for CuPy arrays: tables, and the launches of the kernels in dilation.cu."""

from __future__ import annotations

from functools import cache
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import cupy
import numpy

__all__ = ["dilation"]

SOURCE = Path(__file__).with_name("dilation.cu")
REAL = {"float16": "unsigned short", "float32": "float", "float64": "double"}
THREADS = 128  # of the simple kernels
MOST = 2**31 - 1  # thread blocks of a launch; the kernels go on from there


class Layout(NamedTuple):
    """Sizes along y and x: samples of a block, lanes of a warp, places of a lane."""

    block: tuple[int, int]
    lanes: tuple[int, int]
    each: tuple[int, int]

    @property
    def tile(self) -> tuple[int, int]:
        """Places of a warp."""
        return self.lanes[0] * self.each[0], self.lanes[1] * self.each[1]


PLANE = Layout(block=(8, 8), lanes=(4, 8), each=(2, 1))
LINE = Layout(block=(1, 32), lanes=(1, 32), each=(1, 4))


def dilation(
    source: cupy.ndarray,
    cap: numpy.ndarray,
    origin: tuple[int, ...],
    shape: tuple[int, ...],
    *,
    contact: bool = False,
    workers: int | None = None,
) -> tuple[cupy.ndarray, cupy.ndarray | None]:
    """As `geometry._dilation.dilation`, on the device of `source` and in its current stream; `workers` is ignored."""
    with source.device:
        values = cupy.empty(shape, source.dtype)
        contacts = cupy.empty(shape, numpy.int64) if contact else None
        ones, zeros = ((n,) * max(0, 3 - source.ndim) for n in (1, 0))  # every array is a list of planes
        samples = cupy.ascontiguousarray(source).reshape(ones + source.shape)
        origin, shape = zeros + tuple(origin), ones + tuple(shape)
        _over_planes(samples, cap.reshape(ones + cap.shape), origin, shape, values, contacts)
        return values, contacts


def _over_planes(
    samples: cupy.ndarray,
    cap: numpy.ndarray,
    origin: tuple[int, ...],
    shape: tuple[int, ...],
    values: cupy.ndarray,
    contacts: cupy.ndarray | None,
) -> None:
    layout = LINE if samples.shape[-2] == 1 else PLANE
    kernels = _kernels(samples.dtype.name, layout)
    planes, places = ((prod(n[:-2]), *n[-2:]) for n in (samples.shape, shape))
    tops = _tops(kernels["block_tops"], samples, planes, layout)
    supers = _tops(kernels["super_tops"], tops, tops.shape, layout)
    neighbours = _neighbours(cap)
    arguments = (
        *(samples, tops, supers, *planes[1:]),
        *(cupy.asarray(_weights(cap)), *(n - 1 for n in cap.shape[-2:])),
        *(cupy.asarray(neighbours), *neighbours.shape),
        *(cupy.asarray(_lead(samples.shape, shape, origin)), *origin[-2:], *places),
        *(values, 0 if contacts is None else contacts),
    )
    warps = places[0] * prod(-(-n // size) for n, size in zip(places[1:], layout.tile, strict=True))
    kernels["dilate"]((min(warps, MOST),), (prod(layout.lanes),), arguments)


def _tops(kernel: Any, samples: cupy.ndarray, planes: tuple[int, ...], layout: Layout) -> cupy.ndarray:
    """The highest sample of every block of samples, or of every superblock of blocks."""
    blocks = (-(-n // size) for n, size in zip(planes[1:], layout.block, strict=True))
    tops = cupy.empty((planes[0], *blocks), numpy.float64)
    kernel((min(-(-tops.size // THREADS), MOST),), (THREADS,), (samples, *planes, tops))
    return tops


def _weights(cap: numpy.ndarray) -> numpy.ndarray:
    """The caps over planes, with a margin that is outside of the ball."""
    planes = cap.reshape(-1, *cap.shape[-2:])
    return numpy.pad(planes, ((0, 0), (0, 1), (0, 1)), constant_values=-numpy.inf)


def _neighbours(cap: numpy.ndarray) -> numpy.ndarray:
    """The planes under a ball, the nearest first: offsets along the leading axes, and the number of the cap."""
    lead = cap.shape[:-2]
    offsets = numpy.indices([2 * n - 1 for n in lead]).reshape(len(lead), -1).T - numpy.subtract(lead, 1)
    number = numpy.ravel_multi_index(tuple(abs(offsets).T), lead)
    heights = cap[..., 0, 0].reshape(-1)[number]
    order = numpy.argsort(-heights, kind="stable")[: numpy.count_nonzero(heights > -numpy.inf)]
    return numpy.column_stack([offsets, number])[order].astype(numpy.int64)


def _lead(*rows: tuple[int, ...]) -> numpy.ndarray:
    return numpy.asarray([row[:-2] for row in rows], numpy.int64)


@cache
def _kernels(dtype: str, layout: Layout) -> dict[str, Any]:
    module = cupy.RawModule(code=SOURCE.read_text(encoding="utf-8"), options=options(dtype, layout))
    return {name: module.get_function(name) for name in ("block_tops", "super_tops", "dilate")}


def options(dtype: str, layout: Layout) -> tuple[str, ...]:
    """What the compiler is told."""
    names = ("BLOCK_Y", "BLOCK_X", "LANES_Y", "LANES_X", "EACH_Y", "EACH_X")
    sizes = (*layout.block, *layout.lanes, *layout.each)
    defined = (f"-D{name}={size}" for name, size in zip(names, sizes, strict=True))
    return ("--fmad=false", f"-DREAL={REAL[dtype]}", *defined)
