"""One task of a sweep: an optimizer on a loss from some starts. It runs in whatever process the executor has."""

from __future__ import annotations

import time
from typing import Any

import numpy

from geometry._namespace import quietly
from rbo_ref.rolling_ball import RollingBall
from rbo_ref.run import trajectory
from rbo_ref.sweeps.finished import Part
from rbo_ref.sweeps.labelled import Status

__all__ = ["rolled_together", "run_task"]

OF_THE_MACHINE = (MemoryError, OSError, ImportError)
"""What says nothing about a point: it ends the sweep, and the next attempt may succeed."""
LONGEST = 200  # characters of a message


def rolled_together(optimizer: Any) -> bool:
    """Whether the starts of a task are one batch: all batched optimizers of this package but those that draw.

    Draws depend on the shape of the batch, so that those go from one start after the other.
    """
    known = isinstance(optimizer, RollingBall) or type(optimizer).__module__.startswith("rbo_ref.optimizers.")
    return known and not hasattr(optimizer, "seed") and type(optimizer).__name__ != "Muon"


@quietly
def run_task(optimizer: Any, loss: Any, starts: numpy.ndarray, steps: int) -> Part:
    """The last contacts from starts (n, d); a start that raises an exception fails alone."""
    begin = time.perf_counter()
    rows = _batch(optimizer, loss, starts, steps) if rolled_together(optimizer) else None
    if rows is None:
        rows = [
            numpy.concatenate(rows) for rows in zip(*(_one(optimizer, loss, x, steps) for x in starts), strict=True)
        ]
    theta, height, status, messages = rows
    return Part(theta, height, status, messages, time.perf_counter() - begin)


def _batch(optimizer: Any, loss: Any, starts: numpy.ndarray, steps: int) -> list[numpy.ndarray] | None:
    """None if something in it raises an exception."""
    try:
        return _rows(optimizer, loss, starts, steps)
    except OF_THE_MACHINE:
        raise
    except Exception:
        return None


def _one(optimizer: Any, loss: Any, start: numpy.ndarray, steps: int) -> list[numpy.ndarray]:
    try:
        batched = rolled_together(optimizer)
        rows = _rows(optimizer, loss, start[None] if batched else start, steps)
        return rows if batched else [row[None] for row in rows]
    except OF_THE_MACHINE:
        raise
    except Exception as error:
        told = f"{type(error).__name__}: {error}"[:LONGEST].encode("ascii", "backslashreplace").decode()
        nothing = numpy.full((1, *start.shape), numpy.nan), numpy.full(1, numpy.nan)
        return [*nothing, numpy.full(1, Status.FAILED, numpy.int8), numpy.array([told])]


def _rows(optimizer: Any, loss: Any, starts: numpy.ndarray, steps: int) -> list[numpy.ndarray]:
    """θ, height, status and messages at the end."""
    path = trajectory(optimizer, loss, starts, steps)
    theta, height = (numpy.asarray(array[-1], float) for array in (path.theta, path.height))
    if theta.shape != starts.shape:
        raise ValueError(f"hyper-parameters of a sweep are numbers, one optimizer for each; got θ of {theta.shape}")
    kept = numpy.isfinite(theta).all(axis=-1) & numpy.isfinite(height)
    status = numpy.where(kept, Status.DONE, Status.DIVERGED).astype(numpy.int8)
    return [theta, height, status, numpy.zeros(status.shape, "U1")]
