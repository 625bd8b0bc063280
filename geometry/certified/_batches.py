"""Many queries, in portions that fit into memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy

from geometry.certified._cells import BATCH, Cells, in_batches
from geometry.certified._convexity import Convexity
from geometry.certified._search import Bounds, Found, Overflow, minimize

__all__ = ["Problem", "solved"]

TOGETHER = 2**14  # queries in one search
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
    convexity: Convexity | None = None


def solved(
    ids: numpy.ndarray,
    problem: Callable[[numpy.ndarray], Problem],
    *,
    gap: Callable[[numpy.ndarray, numpy.ndarray], numpy.ndarray],
    tolerance: float,
    max_boxes: int,
    progress: bool,
) -> Iterator[tuple[numpy.ndarray, Problem, Found]]:
    """Solve the problems of the queries `ids`, portion by portion; each portion with its answer."""
    from tqdm import tqdm

    waiting = [ids[i : i + TOGETHER] for i in range(0, len(ids), TOGETHER)][::-1]
    with tqdm(total=len(ids), unit="query", miniters=0, disable=not progress) as bar:
        while waiting:
            some = waiting.pop()
            posed = problem(some)
            before = bar.n
            try:
                found = minimize(
                    *posed._replace(bounds=_in_portions(posed.bounds)),
                    gap=gap,
                    tolerance=tolerance,
                    max_boxes=max_boxes,
                    at_most=AT_MOST,
                    report=partial(_show, bar, before) if progress else None,
                )
            except Overflow:
                bar.update(before - bar.n)
                waiting += [some[len(some) // 2 :], some[: len(some) // 2]]
                continue
            bar.update(before + len(some) - bar.n)
            yield some, posed, found


def _show(bar: Any, before: int, closed: int, boxes: int, widest: float) -> None:
    bar.set_postfix(boxes=boxes, gap=f"{widest:.1e}", refresh=False)
    bar.update(before + closed - bar.n)


def _in_portions(bounds: Callable[..., Bounds]) -> Callable[..., Bounds]:
    def in_portions(query: numpy.ndarray, cell: numpy.ndarray, upper: numpy.ndarray) -> Bounds:
        parts: list[Any] = in_batches(bounds, BATCH // PAIRS, query, cell, upper)
        return parts[0] if len(parts) == 1 else Bounds(*(numpy.concatenate(p) for p in zip(*parts, strict=True)))

    return in_portions
