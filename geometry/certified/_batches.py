"""Many queries, in portions that fit into memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy

from geometry.certified._branching import Bounds, Found, Overflow, Prove, minimize
from geometry.certified._cells import BATCH, Cells, in_batches

__all__ = ["Problem", "Report", "solved"]

Report = Callable[[int, int, float], object]
"""Told in each round how many queries are done, how many boxes were examined, and the widest gap that is left."""

TOGETHER = 2**14  # queries in one search
OCTAVES = 16  # within which sizes are alike
AT_MOST = 2**20  # boxes held at once, of several queries
CELLS = 2**20  # boxes that are remembered, if not one query alone needs more
PAIRS = 2**14  # pairs of query and box in one array


class Problem(NamedTuple):
    """What `minimize` begins with, for some of the queries."""

    cells: Cells
    bounds: Callable[[numpy.ndarray, numpy.ndarray, numpy.ndarray], Bounds]
    query: numpy.ndarray
    cell: numpy.ndarray
    upper: numpy.ndarray
    theta: numpy.ndarray
    convexity: Prove | None = None


def solved(
    ids: numpy.ndarray,
    problem: Callable[[numpy.ndarray], Problem],
    examined: numpy.ndarray,
    size: numpy.ndarray,
    *,
    gap: Callable[[numpy.ndarray, numpy.ndarray], numpy.ndarray],
    tolerance: float,
    max_boxes: int,
    progress: bool | Report,
) -> Iterator[tuple[numpy.ndarray, Problem, Found]]:
    """Solve the problems of the queries `ids`, portion by portion; each portion with its answer.

    The other queries are answered already. `examined` says for all of them, (N,), how many boxes that has taken, and
    `size` how large those are that each begins with: as one cover serves all of a portion, they are to be alike.
    """
    waiting = _portions(ids, size)
    done, boxes = len(examined) - len(ids), int(examined.sum())
    with _reporting(progress, len(examined)) as report:
        if report and not waiting:
            report(done, boxes, 0.0)
        while waiting:
            some = waiting.pop()
            posed = problem(some)
            try:
                found = minimize(
                    *posed._replace(bounds=_in_portions(posed.bounds)),
                    gap=gap,
                    tolerance=tolerance,
                    max_boxes=max_boxes,
                    at_most=AT_MOST,
                    report=report and (lambda more, examined, gap: report(done + more, boxes + examined, gap)),  # noqa: B023
                )
            except Overflow:
                waiting += [some[len(some) // 2 :], some[: len(some) // 2]]
                continue
            done, boxes = done + len(some), boxes + int(found.boxes.sum())
            if report:
                report(done, boxes, float(gap(found.lower, found.upper).max()))
            yield some, posed, found


def _portions(ids: numpy.ndarray, size: numpy.ndarray) -> list[numpy.ndarray]:
    """The largest first, as the last one is taken first."""
    scale = numpy.floor(numpy.log2(numpy.clip(size[ids], 2.0**-900, 2.0**900)) / OCTAVES)
    order = numpy.lexsort((size[ids], scale))
    ids, scale = ids[order], scale[order]
    alike = numpy.split(ids, 1 + numpy.flatnonzero(numpy.diff(scale)))
    return [some[i : i + TOGETHER] for some in alike for i in range(0, len(some), TOGETHER)][::-1]


@contextmanager
def _reporting(progress: bool | Report, total: int) -> Iterator[Report | None]:
    """What is told of the progress: a function of the user, a bar, or nobody."""
    if not isinstance(progress, bool):
        yield progress
    elif not progress:
        yield None
    else:
        from tqdm import tqdm

        with tqdm(total=total, unit="query", miniters=0) as bar:

            def show(done: int, boxes: int, widest: float) -> None:
                bar.set_postfix(boxes=boxes, gap=f"{widest:.1e}", refresh=False)
                bar.update(done - bar.n)

            yield show


def _in_portions(bounds: Callable[..., Bounds]) -> Callable[..., Bounds]:
    def in_portions(query: numpy.ndarray, cell: numpy.ndarray, upper: numpy.ndarray) -> Bounds:
        parts: list[Any] = in_batches(bounds, BATCH // PAIRS, query, cell, upper)
        return parts[0] if len(parts) == 1 else Bounds(*(numpy.concatenate(p) for p in zip(*parts, strict=True)))

    return in_portions
